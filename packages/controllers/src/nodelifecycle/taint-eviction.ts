import { formatTime } from '@kind-e2e/kube-api';
import { createController, ignoreNotFound, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { Pod, PodCondition, Taint } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../equality.ts';
import { isPodTerminal } from '../pods/pod-state.ts';
import { tolerates } from '../scheduler/node-selection.ts';

/** Deletes pods that do not tolerate the NoExecute taints of their node, when their time is over (upstream tainteviction). */
export function createTaintEviction(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const nodes = informers.of('nodes');
  const pods = informers.of('pods');
  const recorder = context.recorder('taint-eviction-controller');
  /** When the taints of a pod's node were first seen, for those that do not say it themselves. */
  const firstSeen = new Map<string, number>();

  async function evict(pod: Pod, signal: AbortSignal): Promise<void> {
    const { name = '', namespace, uid } = pod.metadata ?? {};
    recorder.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${keyOf(pod)}`);
    const condition: PodCondition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
      lastTransitionTime: formatTime(clock.now()),
    };
    const patch = { status: { conditions: [condition] } };
    await ignoreNotFound(
      client.patch(RESOURCES.pods, { name, namespace }, 'strategic', patch, { subresource: 'status', signal }),
    );
    await ignoreNotFound(
      client.delete(RESOURCES.pods, { name, namespace }, { signal, ...(uid ? { preconditions: { uid } } : {}) }),
    );
  }

  return createController({
    name: 'taint-eviction-controller',
    clock,
    logger: context.logger,
    concurrency: 8,
    sources: [
      source(pods, (pod) => (pod.spec?.nodeName ? [keyOf(pod)] : [])),
      {
        informer: nodes,
        attach: (add) =>
          nodes.addHandler({
            updated: (before, after) => {
              if (isSameJson(before.spec?.taints, after.spec?.taints)) return;
              for (const pod of pods.byIndex('node', after.metadata?.name ?? '')) add(keyOf(pod));
            },
          }),
      },
    ],
    reads: [nodes],
    reconcile: async ({ namespace, name, key, signal }) => {
      const pod = pods.get(name, namespace);
      if (!pod?.spec?.nodeName || pod.metadata?.deletionTimestamp || isPodTerminal(pod)) {
        firstSeen.delete(key);
        return undefined;
      }
      const taints = (nodes.get(pod.spec.nodeName)?.spec?.taints ?? []).filter((taint) => taint.effect === 'NoExecute');
      if (taints.length === 0) {
        firstSeen.delete(key);
        return undefined;
      }
      const since = firstSeen.get(key) ?? clock.now();
      firstSeen.set(key, since);
      const at = evictionTime(pod, taints, since);
      if (at === undefined) return undefined;
      const left = at - clock.now();
      if (left > 0) return { requeueAfterMs: left };
      await evict(pod, signal);
      return undefined;
    },
  });
}

/** When the pod must go: at once where a taint is not tolerated, never where all are for ever. */
function evictionTime(pod: Pod, taints: readonly Taint[], since: number): number | undefined {
  const tolerations = pod.spec?.tolerations ?? [];
  let earliest: number | undefined;
  for (const taint of taints) {
    const used = tolerations.filter((toleration) => tolerates([toleration], taint));
    if (used.length === 0) return 0;
    const seconds = used.flatMap((toleration) => toleration.tolerationSeconds ?? []);
    if (seconds.length === 0) continue;
    const at = (Date.parse(taint.timeAdded ?? '') || since) + Math.max(0, Math.min(...seconds)) * 1000;
    earliest = earliest === undefined ? at : Math.min(earliest, at);
  }
  return earliest;
}
