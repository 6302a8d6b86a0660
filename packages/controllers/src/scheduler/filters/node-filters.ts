import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { matchesNodeAffinity, tolerates, untoleratedTaint } from '../node-selection.ts';
import { type HostPort, hostPortsOf, type NodeState } from '../node-state.ts';
import { type Rejection, resolvable, unresolvable } from '../rejection.ts';
import { requestsOf } from '../requests.ts';

const UNSCHEDULABLE_TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** Upstream plugin NodeUnschedulable. */
export function filterUnschedulable(pod: Pod, node: NodeState): Rejection | undefined {
  if (!node.node.spec?.unschedulable || tolerates(pod.spec?.tolerations, UNSCHEDULABLE_TAINT)) return undefined;
  return unresolvable('node(s) were unschedulable');
}

/** Upstream plugin TaintToleration. */
export function filterTaints(pod: Pod, node: NodeState): Rejection | undefined {
  const taint = untoleratedTaint(pod, node.node.spec?.taints);
  return taint ? unresolvable('node(s) had untolerated taint(s)') : undefined;
}

/** Upstream plugin NodeAffinity. */
export function filterNodeAffinity(pod: Pod, node: NodeState): Rejection | undefined {
  return matchesNodeAffinity(pod, node) ? undefined : unresolvable("node(s) didn't match Pod's node affinity/selector");
}

/** Upstream plugin NodePorts. */
export function filterPorts(pod: Pod, node: NodeState): Rejection | undefined {
  const wanted = hostPortsOf(pod);
  if (wanted.length === 0) return undefined;
  const taken = node.pods.flatMap(hostPortsOf);
  if (!wanted.some((port) => taken.some((other) => collide(port, other)))) return undefined;
  return resolvable("node(s) didn't have free ports for the requested pod ports");
}

function collide(a: HostPort, b: HostPort): boolean {
  const isAny = (ip: string): boolean => ip === '0.0.0.0' || ip === '';
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || isAny(a.ip) || isAny(b.ip));
}

/** Upstream plugin NodeResourcesFit: every resource that falls short is a reason. */
export function filterResources(pod: Pod, node: NodeState): Rejection | undefined {
  const reasons: string[] = [];
  let isResolvable = true;
  const { allocatable } = node;
  if (node.podCount + 1 > (allocatable.get('pods') ?? 0)) {
    reasons.push('Too many pods');
    if ((allocatable.get('pods') ?? 0) < 1) isResolvable = false;
  }
  for (const [resource, amount] of requestsOf(pod).amounts) {
    if (amount === 0) continue;
    const capacity = allocatable.get(resource) ?? 0;
    if (amount <= capacity - node.requested(resource)) continue;
    reasons.push(`Insufficient ${resource}`);
    if (amount > capacity) isResolvable = false;
  }
  return reasons.length === 0 ? undefined : { reasons, isResolvable };
}
