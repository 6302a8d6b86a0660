import type { Pod, TopologySpreadConstraint } from 'kubernetes-types/core/v1.d.ts';
import type { LabelSelector } from 'kubernetes-types/meta/v1.d.ts';
import { selects } from '../../ownership/selectors.ts';
import { matchesNodeAffinity, untoleratedTaint } from '../node-selection.ts';
import type { NodeState } from '../node-state.ts';
import { type Rejection, resolvable, unresolvable } from '../rejection.ts';

interface Counted {
  readonly constraint: TopologySpreadConstraint;
  readonly selector: LabelSelector | undefined;
  readonly counts: ReadonlyMap<string, number>;
  readonly minimum: number;
  readonly isSelf: boolean;
}

/** `labelSelector` together with the pod's own values of `matchLabelKeys`. */
export function effectiveSelector(constraint: TopologySpreadConstraint, pod: Pod): LabelSelector | undefined {
  const keys = constraint.matchLabelKeys ?? [];
  if (keys.length === 0) return constraint.labelSelector;
  const own = keys.flatMap((key) => {
    const value = pod.metadata?.labels?.[key];
    return value === undefined ? [] : [{ key, operator: 'In', values: [value] }];
  });
  return {
    ...constraint.labelSelector,
    matchExpressions: [...(constraint.labelSelector?.matchExpressions ?? []), ...own],
  };
}

/** Pods of the selector on each value of the topology, over the nodes that the constraint's policies let count. */
export function countByTopology(
  pod: Pod,
  constraint: TopologySpreadConstraint,
  selector: LabelSelector | undefined,
  nodes: readonly NodeState[],
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const value = node.labels[constraint.topologyKey];
    if (value === undefined) continue;
    if ((constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor' && !matchesNodeAffinity(pod, node)) continue;
    if (constraint.nodeTaintsPolicy === 'Honor' && untoleratedTaint(pod, node.node.spec?.taints)) continue;
    const here = node.pods.filter(
      (other) =>
        other.metadata?.namespace === pod.metadata?.namespace &&
        other.metadata?.deletionTimestamp === undefined &&
        selects(selector, other.metadata?.labels),
    ).length;
    counts.set(value, (counts.get(value) ?? 0) + here);
  }
  return counts;
}

/** Upstream plugin PodTopologySpread, for constraints that must hold. */
export class TopologySpreadFilter {
  readonly #constraints: readonly Counted[];

  constructor(pod: Pod, nodes: readonly NodeState[]) {
    const hard = (pod.spec?.topologySpreadConstraints ?? []).filter((c) => c.whenUnsatisfiable === 'DoNotSchedule');
    // Only nodes with all keys count.
    const eligible = nodes.filter((node) => hard.every((c) => node.labels[c.topologyKey] !== undefined));
    this.#constraints = hard.map((constraint) => {
      const selector = effectiveSelector(constraint, pod);
      const counts = countByTopology(pod, constraint, selector, eligible);
      const isShort = counts.size < (constraint.minDomains ?? 1);
      return {
        constraint,
        selector,
        counts,
        minimum: isShort || counts.size === 0 ? 0 : Math.min(...counts.values()),
        isSelf: selects(selector, pod.metadata?.labels),
      };
    });
  }

  filter(node: NodeState): Rejection | undefined {
    for (const { constraint, counts, minimum, isSelf } of this.#constraints) {
      const value = node.labels[constraint.topologyKey];
      if (value === undefined)
        return unresolvable("node(s) didn't match pod topology spread constraints (missing required label)");
      const skew = (counts.get(value) ?? 0) + (isSelf ? 1 : 0) - minimum;
      if (skew > constraint.maxSkew) return resolvable("node(s) didn't match pod topology spread constraints");
    }
    return undefined;
  }
}
