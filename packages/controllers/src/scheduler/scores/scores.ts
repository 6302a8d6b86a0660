import type { Pod, WeightedPodAffinityTerm } from 'kubernetes-types/core/v1.d.ts';
import type { LabelSelector } from 'kubernetes-types/meta/v1.d.ts';
import { selects } from '../../ownership/selectors.ts';
import { type NamespaceLabels, termMatches } from '../filters/pod-affinity.ts';
import { countByTopology, effectiveSelector } from '../filters/topology-spread.ts';
import { matchesTerm, tolerates } from '../node-selection.ts';
import type { NodeState } from '../node-state.ts';
import { requestsOf } from '../requests.ts';

export interface ScoreContext {
  readonly pod: Pod;
  /** Nodes that can take the pod. */
  readonly feasible: readonly NodeState[];
  readonly all: readonly NodeState[];
  readonly namespaceLabels: NamespaceLabels;
  /** Selects the pods of the same workload, by which pods spread where they say nothing themselves. */
  readonly siblings: LabelSelector | undefined;
}

/** Points of each feasible node, in their order, 0 to 100. */
type Score = (context: ScoreContext) => readonly number[];

/** The weights of upstream's default plugins (apis/config/v1/default_plugins.go). */
const WEIGHTED: readonly (readonly [Score, number])[] = [
  [scoreTaints, 3],
  [scoreNodeAffinity, 2],
  [scoreSpread, 2],
  [scorePodAffinity, 2],
  [scoreLeastAllocated, 1],
  [scoreBalanced, 1],
];

/** The sum of all weighted scores for each feasible node. */
export function scoreNodes(context: ScoreContext): number[] {
  const totals = context.feasible.map(() => 0);
  for (const [score, weight] of WEIGHTED)
    for (const [index, points] of score(context).entries()) totals[index] = (totals[index] ?? 0) + weight * points;
  return totals;
}

/** Scales to 0…100, the most getting 100, or turned around the least. */
function normalize(raw: readonly number[], reverse = false): number[] {
  const most = Math.max(0, ...raw);
  if (most === 0) return raw.map(() => (reverse ? 100 : 0));
  return raw.map((points) => (reverse ? 100 - (points / most) * 100 : (points / most) * 100));
}

function spreadOut(raw: readonly number[]): number[] {
  const least = Math.min(...raw);
  const range = Math.max(...raw) - least;
  return raw.map((points) => (range === 0 ? 0 : ((points - least) / range) * 100));
}

/** Fewer `PreferNoSchedule` taints that the pod does not tolerate. */
function scoreTaints({ pod, feasible }: ScoreContext): number[] {
  const raw = feasible.map(
    (node) =>
      (node.node.spec?.taints ?? []).filter(
        (taint) => taint.effect === 'PreferNoSchedule' && !tolerates(pod.spec?.tolerations, taint),
      ).length,
  );
  return normalize(raw, true);
}

function scoreNodeAffinity({ pod, feasible }: ScoreContext): number[] {
  const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return normalize(
    feasible.map((node) =>
      preferred.reduce((sum, { weight, preference }) => sum + (matchesTerm(preference, node) ? weight : 0), 0),
    ),
  );
}

/** Soft topology constraints of the pod, or by default the pods of its workload over nodes. */
function scoreSpread({ pod, feasible, all, siblings }: ScoreContext): number[] {
  const soft = (pod.spec?.topologySpreadConstraints ?? []).filter((c) => c.whenUnsatisfiable === 'ScheduleAnyway');
  if (soft.length > 0) {
    const costs = feasible.map(() => 0);
    for (const constraint of soft) {
      const counts = countByTopology(pod, constraint, effectiveSelector(constraint, pod), all);
      for (const [index, node] of feasible.entries()) {
        const value = node.labels[constraint.topologyKey];
        const cost = value === undefined ? Math.max(0, ...counts.values()) + 1 : (counts.get(value) ?? 0);
        costs[index] = (costs[index] ?? 0) + cost * Math.log(counts.size + 2) + (constraint.maxSkew - 1);
      }
    }
    return normalize(costs, true);
  }
  if (pod.spec?.topologySpreadConstraints?.length || !siblings) return feasible.map(() => 0);
  const counts = feasible.map(
    (node) =>
      node.pods.filter(
        (other) =>
          other.metadata?.namespace === pod.metadata?.namespace &&
          other.metadata?.deletionTimestamp === undefined &&
          selects(siblings, other.metadata?.labels),
      ).length,
  );
  return normalize(counts, true);
}

/** Preferred pod affinities, and those that the pods already there have for this one. */
function scorePodAffinity({ pod, feasible, all, namespaceLabels }: ScoreContext): number[] {
  const points = new Map<string, number>();
  const count = (
    terms: readonly WeightedPodAffinityTerm[] | undefined,
    namespace: string,
    other: Pod,
    node: NodeState,
    sign: 1 | -1,
  ): void => {
    for (const { weight, podAffinityTerm: term } of terms ?? []) {
      const value = node.labels[term.topologyKey];
      if (value === undefined || !termMatches(term, namespace, other, namespaceLabels)) continue;
      const topology = `${term.topologyKey}=${value}`;
      points.set(topology, (points.get(topology) ?? 0) + sign * weight);
    }
  };
  const own = pod.spec?.affinity;
  for (const node of all)
    for (const other of node.pods) {
      const theirs = other.spec?.affinity;
      if (!own && !theirs) continue;
      const ownNamespace = pod.metadata?.namespace ?? '';
      const otherNamespace = other.metadata?.namespace ?? '';
      count(own?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, ownNamespace, other, node, 1);
      count(own?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, ownNamespace, other, node, -1);
      count(theirs?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, otherNamespace, pod, node, 1);
      count(theirs?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, otherNamespace, pod, node, -1);
    }
  if (points.size === 0) return feasible.map(() => 0);
  return spreadOut(
    feasible.map((node) =>
      [...points].reduce((sum, [topology, weight]) => {
        const [key = ''] = topology.split('=', 1);
        return sum + (topology === `${key}=${node.labels[key]}` ? weight : 0);
      }, 0),
    ),
  );
}

/** More room left after the pod (NodeResourcesFit, LeastAllocated). */
function scoreLeastAllocated({ pod, feasible }: ScoreContext): number[] {
  const requests = requestsOf(pod);
  const free = (capacity: number, used: number): number =>
    capacity === 0 || used > capacity ? 0 : ((capacity - used) / capacity) * 100;
  return feasible.map((node) => {
    const cpu = free(node.allocatable.get('cpu') ?? 0, node.nonZeroCpu + requests.nonZeroCpu);
    const memory = free(node.allocatable.get('memory') ?? 0, node.nonZeroMemory + requests.nonZeroMemory);
    return (cpu + memory) / 2;
  });
}

/** CPU and memory used in like parts (NodeResourcesBalancedAllocation). */
function scoreBalanced({ pod, feasible }: ScoreContext): number[] {
  const { amounts } = requestsOf(pod);
  return feasible.map((node) => {
    const part = (resource: string): number => {
      const capacity = node.allocatable.get(resource) ?? 0;
      return capacity === 0 ? 0 : Math.min(1, (node.requested(resource) + (amounts.get(resource) ?? 0)) / capacity);
    };
    return (1 - Math.abs(part('cpu') - part('memory')) / 2) * 100;
  });
}
