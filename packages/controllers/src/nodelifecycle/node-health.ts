import { formatTime } from '@kind-e2e/kube-api';
import type { Node, NodeCondition, Taint } from 'kubernetes-types/core/v1.d.ts';

export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';

/** Conditions that a kubelet keeps, and that are unknown when it is silent (node_lifecycle_controller.go). */
const KUBELET_CONDITIONS: readonly string[] = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** Taints that the controller keeps in step with the conditions, so that the scheduler sees only taints. */
const PRESSURE_TAINTS: Readonly<Record<string, string>> = {
  MemoryPressure: 'node.kubernetes.io/memory-pressure',
  DiskPressure: 'node.kubernetes.io/disk-pressure',
  PIDPressure: 'node.kubernetes.io/pid-pressure',
  NetworkUnavailable: 'node.kubernetes.io/network-unavailable',
};

export function readyCondition(node: Node): NodeCondition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === 'Ready');
}

/** All the kubelet's conditions as Unknown, for a node that was not heard of. */
export function unknownConditions(node: Node, nowMs: number): NodeCondition[] {
  const now = formatTime(nowMs);
  const conditions = [...(node.status?.conditions ?? [])];
  for (const type of KUBELET_CONDITIONS) {
    const index = conditions.findIndex((condition) => condition.type === type);
    const current = conditions[index];
    if (!current) {
      conditions.push({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        ...(node.metadata?.creationTimestamp ? { lastHeartbeatTime: node.metadata.creationTimestamp } : {}),
        lastTransitionTime: now,
      });
    } else if (current.status !== 'Unknown')
      conditions[index] = {
        ...current,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: now,
      };
  }
  return conditions;
}

/** The taints that the node should have, all others kept as they are. */
export function wantedTaints(node: Node, nowMs: number): Taint[] {
  const current = node.spec?.taints ?? [];
  const wanted: Pick<Taint, 'key' | 'effect'>[] = [];
  const ready = readyCondition(node)?.status;
  if (ready === 'False') wanted.push({ key: NOT_READY, effect: 'NoSchedule' }, { key: NOT_READY, effect: 'NoExecute' });
  if (ready === 'Unknown')
    wanted.push({ key: UNREACHABLE, effect: 'NoSchedule' }, { key: UNREACHABLE, effect: 'NoExecute' });
  for (const [type, key] of Object.entries(PRESSURE_TAINTS))
    if (node.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True'))
      wanted.push({ key, effect: 'NoSchedule' });
  if (node.spec?.unschedulable) wanted.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' });
  const ours = new Set([NOT_READY, UNREACHABLE, UNSCHEDULABLE, ...Object.values(PRESSURE_TAINTS)]);
  // A node that registered with the not-ready taint keeps it until it has said something.
  if (ready === undefined) ours.delete(NOT_READY);
  const isWanted = (taint: Taint): boolean => wanted.some((w) => w.key === taint.key && w.effect === taint.effect);
  const kept = current.filter((taint) => !ours.has(taint.key) || isWanted(taint));
  const added = wanted.filter((w) => !current.some((taint) => taint.key === w.key && taint.effect === w.effect));
  return [...kept, ...added.map((taint) => ({ ...taint, timeAdded: formatTime(nowMs) }))];
}
