import { Disposer } from '@kind-e2e/base';
import { formatTime } from '@kind-e2e/kube-api';
import { createController, ignoreNotFound, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { Node } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../equality.ts';
import { isPodReady, podCondition } from '../pods/pod-state.ts';
import { readyCondition, unknownConditions, wantedTaints } from './node-health.ts';
import { createTaintEviction } from './taint-eviction.ts';

/** kube-controller-manager's --node-monitor-grace-period and --node-monitor-period. */
const GRACE_MS = 50_000;
const MONITOR_MS = 5_000;
const LEASE_NAMESPACE = 'kube-node-lease';

export interface NodeLifecycleOptions {
  /** How long a node may be silent before it counts as lost. Default 50 s, as upstream. */
  readonly graceMs?: number;
}

interface Heard {
  readonly proof: string;
  readonly at: number;
}

/**
 * Watches over nodes: one whose lease and status stay the same for too long gets Ready Unknown; taints follow the
 * conditions; pods that do not tolerate a NoExecute taint are deleted (upstream pkg/controller/nodelifecycle and
 * tainteviction).
 */
export function startNodeLifecycleController(
  context: ControllerContext,
  options: NodeLifecycleOptions = {},
): AsyncDisposable {
  const { client, clock, informers } = context;
  const graceMs = options.graceMs ?? GRACE_MS;
  const nodes = informers.of('nodes');
  const leases = informers.of('leases');
  const pods = informers.of('pods');
  const recorder = context.recorder('node-controller');
  const disposer = new Disposer();
  const heard = new Map<string, Heard>();

  /** When the node last gave a sign of life, by our own clock. */
  function lastHeard(node: Node): number {
    const name = node.metadata?.name ?? '';
    const heartbeat = readyCondition(node)?.lastHeartbeatTime ?? '';
    const renewed = leases.get(name, LEASE_NAMESPACE)?.spec?.renewTime ?? '';
    const proof = `${heartbeat}|${renewed}`;
    const before = heard.get(name);
    if (before?.proof === proof) return before.at;
    // After a start of ours every node gets a full grace period, whatever its last heartbeat says.
    // The monotonic clock stands still while the machine sleeps, so that waking up does not lose all nodes.
    const at = clock.monotonic();
    heard.set(name, { proof, at });
    return at;
  }

  async function markLost(node: Node, signal: AbortSignal): Promise<Node> {
    const conditions = unknownConditions(node, clock.now());
    if (isSameJson(conditions, node.status?.conditions)) return node;
    const updated = await client.update<Node>(
      RESOURCES.nodes,
      { ...node, status: { ...node.status, conditions } },
      { subresource: 'status', signal },
    );
    return updated;
  }

  async function syncTaints(node: Node, signal: AbortSignal): Promise<void> {
    const taints = wantedTaints(node, clock.now());
    if (isSameJson(taints, node.spec?.taints)) return;
    const { name = '', resourceVersion } = node.metadata ?? {};
    const patch = { metadata: { resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } };
    await client.patch(RESOURCES.nodes, { name }, 'merge', patch, { signal });
  }

  /** Pods of a node that is not ready get no traffic. */
  async function markPodsNotReady(node: Node, signal: AbortSignal): Promise<void> {
    for (const pod of pods.byIndex('node', node.metadata?.name ?? '')) {
      if (!isPodReady(pod)) continue;
      const { name = '', namespace } = pod.metadata ?? {};
      const condition = {
        ...podCondition(pod, 'Ready'),
        type: 'Ready',
        status: 'False',
        lastTransitionTime: formatTime(clock.now()),
      };
      const patch = { status: { conditions: [condition] } };
      await ignoreNotFound(
        client.patch(RESOURCES.pods, { name, namespace }, 'strategic', patch, { subresource: 'status', signal }),
      );
      recorder.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
    }
  }

  function tellNode(node: Node, reason: string, verb: string, preposition: string): void {
    const { name } = node.metadata ?? {};
    const message = `Node ${name} event: ${verb} Node ${name} ${preposition} Controller`;
    recorder.event(node, 'Normal', reason, message);
  }

  const keysOfLease = (lease: { metadata?: { namespace?: string; name?: string } }): string[] =>
    lease.metadata?.namespace === LEASE_NAMESPACE ? [lease.metadata.name ?? ''] : [];

  disposer.use(
    createController({
      name: 'node-lifecycle-controller',
      clock,
      logger: context.logger,
      concurrency: 8,
      sources: [source(nodes, (node) => [keyOf(node)]), source(leases, keysOfLease)],
      reads: [pods],
      reconcile: async ({ name, signal }) => {
        let node = nodes.get(name);
        if (!node) {
          heard.delete(name);
          return undefined;
        }
        const before = readyCondition(node)?.status;
        const silentMs = clock.monotonic() - lastHeard(node);
        if (silentMs >= graceMs) node = await markLost(node, signal);
        const ready = readyCondition(node)?.status;
        if (before === 'True' && ready !== 'True')
          recorder.event(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
        await syncTaints(node, signal);
        if (ready !== undefined && ready !== 'True') await markPodsNotReady(node, signal);
        return { requeueAfterMs: Math.max(100, Math.min(MONITOR_MS, graceMs - silentMs)) };
      },
    }),
  );
  disposer.use(
    nodes.addHandler({
      added: (node) => tellNode(node, 'RegisteredNode', 'Registered', 'in'),
      deleted: (node) => tellNode(node, 'RemovingNode', 'Removing', 'from'),
    }),
  );
  disposer.use(createTaintEviction(context));
  return disposer;
}
