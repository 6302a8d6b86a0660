import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { isPodReady, podCondition } from './pod-state.ts';

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const PHASE_ORDER: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * The order in which pods are deleted when a set shrinks, first to go first (controller.ActivePodsWithRanks):
 * unassigned, pending, not ready, cheap by annotation, many of the set on one node, ready for a short time (by powers
 * of two), many restarts, young. `related` are all pods of the same workload, by which nodes are ranked.
 */
export function rankForDeletion(pods: readonly Pod[], related: readonly Pod[], nowMs: number): Pod[] {
  const onNode = new Map<string, number>();
  for (const pod of related) {
    const node = pod.spec?.nodeName ?? '';
    if (node !== '') onNode.set(node, (onNode.get(node) ?? 0) + 1);
  }
  const facts = new Map(pods.map((pod) => [pod, factsOf(pod, onNode, nowMs)]));
  return pods.toSorted((left, right) => {
    const a = facts.get(left) ?? [];
    const b = facts.get(right) ?? [];
    for (let i = 0; i < a.length; i++) {
      const difference = (a[i] ?? 0) - (b[i] ?? 0);
      if (difference !== 0) return difference;
    }
    const [first, second] = [left.metadata?.uid ?? '', right.metadata?.uid ?? ''];
    return first < second ? -1 : first > second ? 1 : 0;
  });
}

/** Numbers to compare in turn; the smaller goes first. */
function factsOf(pod: Pod, onNode: ReadonlyMap<string, number>, nowMs: number): readonly number[] {
  const ready = isPodReady(pod);
  const readySince = Date.parse(podCondition(pod, 'Ready')?.lastTransitionTime ?? '');
  const created = Date.parse(pod.metadata?.creationTimestamp ?? '');
  const restarts = (pod.status?.containerStatuses ?? []).map((status) => status.restartCount);
  return [
    pod.spec?.nodeName ? 1 : 0,
    PHASE_ORDER[pod.status?.phase ?? 'Pending'] ?? 0,
    ready ? 1 : 0,
    deletionCost(pod),
    -(onNode.get(pod.spec?.nodeName ?? '') ?? 0),
    ready ? ageRank(readySince, nowMs) : 0,
    -Math.max(0, ...restarts),
    ageRank(created, nowMs),
  ];
}

/** The power of two of an age in seconds: ages in one bucket count as equal; unknown counts as youngest. */
function ageRank(sinceMs: number, nowMs: number): number {
  if (Number.isNaN(sinceMs)) return -1;
  return Math.floor(Math.log2(Math.max(1, (nowMs - sinceMs) / 1000)));
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata?.annotations?.[DELETION_COST] ?? '0';
  return /^-?\d{1,10}$/.test(text) ? Number(text) : 0;
}
