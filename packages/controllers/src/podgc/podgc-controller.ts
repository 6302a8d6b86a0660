import { formatTime, isStatusError } from '@kind-e2e/kube-api';
import { createController, ignoreNotFound, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { Pod, PodCondition } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { isPodTerminal } from '../pods/pod-state.ts';

/** A node that is missing for less than this may only be late in the cache (gc_controller.go quarantineTime). */
const QUARANTINE_MS = 40_000;

/** Finished pods beyond this number are deleted, oldest first (kube-controller-manager's default). */
const TERMINATED_POD_THRESHOLD = 12_500;

const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

/** Clears pods away that no kubelet will: of lost nodes, deleted before they had a node, finished ones in masses (upstream pkg/controller/podgc). */
export function startPodGcController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const pods = informers.of('pods');
  const nodes = informers.of('nodes');
  const missingSince = new Map<string, number>();

  async function remove(pod: Pod, reason: string, message: string, signal: AbortSignal): Promise<void> {
    const { name = '', namespace } = pod.metadata ?? {};
    if (!isPodTerminal(pod) && pod.spec?.nodeName) {
      const condition: PodCondition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason,
        message,
        lastTransitionTime: formatTime(clock.now()),
      };
      const patch = { status: { phase: 'Failed', conditions: [condition] } };
      await ignoreNotFound(
        client.patch(RESOURCES.pods, { name, namespace }, 'strategic', patch, { subresource: 'status', signal }),
      );
    }
    await ignoreNotFound(client.delete(RESOURCES.pods, { name, namespace }, { gracePeriodSeconds: 0, signal }));
  }

  /** Time until an unknown node counts as gone; 0 when it does. */
  async function goneIn(nodeName: string, signal: AbortSignal): Promise<number> {
    const now = clock.now();
    const since = missingSince.get(nodeName) ?? now;
    missingSince.set(nodeName, since);
    const left = since + QUARANTINE_MS - now;
    if (left > 0) return left;
    try {
      await client.get(RESOURCES.nodes, nodeName, undefined, signal);
      missingSince.delete(nodeName);
      return QUARANTINE_MS;
    } catch (error) {
      if (isStatusError(error, 404)) return 0;
      throw error;
    }
  }

  async function clearFinished(signal: AbortSignal): Promise<void> {
    const finished = pods.list().filter(isPodTerminal);
    const tooMany = finished.length - TERMINATED_POD_THRESHOLD;
    if (tooMany <= 0) return;
    const age = (pod: Pod): number => Date.parse(pod.metadata?.creationTimestamp ?? '') || 0;
    for (const pod of finished.toSorted((a, b) => age(a) - age(b)).slice(0, tooMany)) await remove(pod, '', '', signal);
  }

  return createController({
    name: 'pod-garbage-collector',
    clock,
    logger: context.logger,
    concurrency: 2,
    sources: [
      source(pods, (pod) => (pod.metadata?.deletionTimestamp || isPodTerminal(pod) ? [keyOf(pod)] : [])),
      {
        informer: nodes,
        attach: (add) =>
          nodes.addHandler({
            added: (node) => void missingSince.delete(node.metadata?.name ?? ''),
            updated: (_, node) => {
              if (!node.spec?.taints?.some((taint) => taint.key === OUT_OF_SERVICE)) return;
              for (const pod of pods.byIndex('node', node.metadata?.name ?? '')) add(keyOf(pod));
            },
            deleted: (node) => {
              for (const pod of pods.byIndex('node', node.metadata?.name ?? '')) add(keyOf(pod));
            },
          }),
      },
      {
        // Pods of nodes that were gone before this controller started.
        informer: pods,
        attach: (add) =>
          pods.addHandler({
            added: (pod) => {
              if (pod.spec?.nodeName && nodes.hasSynced && !nodes.get(pod.spec.nodeName)) add(keyOf(pod));
            },
          }),
      },
    ],
    reads: [nodes],
    reconcile: async ({ namespace, name, signal }) => {
      const pod = pods.get(name, namespace);
      if (!pod) return undefined;
      const { nodeName } = pod.spec ?? {};
      if (isPodTerminal(pod) && !pod.metadata?.deletionTimestamp) await clearFinished(signal);
      if (!nodeName) {
        if (pod.metadata?.deletionTimestamp) await remove(pod, '', '', signal);
        return undefined;
      }
      const node = nodes.get(nodeName);
      if (!node) {
        const requeueAfterMs = await goneIn(nodeName, signal);
        if (requeueAfterMs > 0) return { requeueAfterMs };
        await remove(pod, 'DeletionByPodGC', 'PodGC: node no longer exists', signal);
        return undefined;
      }
      const isOutOfService = node.spec?.taints?.some((taint) => taint.key === OUT_OF_SERVICE);
      const isReady = node.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True');
      if (isOutOfService && !isReady && pod.metadata?.deletionTimestamp)
        await remove(pod, 'DeletionByPodGC', 'PodGC: node is out-of-service', signal);
      return undefined;
    },
  });
}
