import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.d.ts';
import { selects } from '../ownership/selectors.ts';
import type { Cycle } from './cycle.ts';
import type { NodeState } from './node-state.ts';
import { describeFailure, type Rejection, unresolvable } from './rejection.ts';

export interface Preemption {
  readonly node: NodeState;
  readonly victims: readonly Pod[];
}

interface Candidate extends Preemption {
  readonly violations: number;
}

export function priorityOf(pod: Pod): number {
  return pod.spec?.priority ?? 0;
}

/**
 * Looks for a node on which the pod would fit if pods of lower priority went, and for the fewest and least important
 * of them (upstream plugin DefaultPreemption). Gives that, or the words for why there is none.
 */
export function findPreemption(
  pod: Pod,
  cycle: Cycle,
  nodes: readonly NodeState[],
  rejections: ReadonlyMap<NodeState, Rejection>,
  budgets: readonly PodDisruptionBudget[],
): Preemption | string {
  if (pod.spec?.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const nominated = pod.status?.nominatedNodeName;
  const onNominated = nodes.find((node) => node.name === nominated);
  const isMakingRoom = onNominated?.pods.some(
    (other) => other.metadata?.deletionTimestamp !== undefined && priorityOf(other) < priorityOf(pod),
  );
  if (isMakingRoom) return 'not eligible due to a terminating pod on the nominated node.';
  const candidates: Candidate[] = [];
  const refusals: Rejection[] = [];
  for (const node of nodes) {
    const rejection = rejections.get(node);
    if (rejection && !rejection.isResolvable) {
      refusals.push(unresolvable('Preemption is not helpful for scheduling'));
      continue;
    }
    const found = victimsOn(pod, cycle, node, budgets);
    if ('reasons' in found) refusals.push(found);
    else candidates.push(found);
  }
  return candidates.toSorted(compareCandidates)[0] ?? describeFailure(nodes.length, refusals, undefined, undefined);
}

function victimsOn(
  pod: Pod,
  cycle: Cycle,
  node: NodeState,
  budgets: readonly PodDisruptionBudget[],
): Candidate | Rejection {
  const lower = node.pods.filter((other) => priorityOf(other) < priorityOf(pod));
  if (lower.length === 0) return unresolvable('No preemption victims found for incoming pod');
  const fits = (victims: ReadonlySet<Pod>): Rejection | undefined => {
    const emptied = node.copy(node.node, victims);
    return cycle.with(emptied).reject(emptied);
  };
  const rejection = fits(new Set(lower));
  if (rejection) return rejection;
  const { violating, others } = splitByBudget(lower, budgets);
  const victims = new Set(lower);
  let violations = 0;
  // The most important ones are given back first, those that a budget protects before the others.
  for (const [group, isViolating] of [
    [violating, true],
    [others, false],
  ] as const)
    for (const candidate of group.toSorted(byImportance)) {
      victims.delete(candidate);
      if (!fits(victims)) continue;
      victims.add(candidate);
      if (isViolating) violations++;
    }
  return { node, victims: [...victims].toSorted(byImportance), violations };
}

/** Most important first: by priority, then by age. */
function byImportance(a: Pod, b: Pod): number {
  return priorityOf(b) - priorityOf(a) || startOf(a) - startOf(b);
}

function startOf(pod: Pod): number {
  return Date.parse(pod.status?.startTime ?? pod.metadata?.creationTimestamp ?? '') || 0;
}

function splitByBudget(
  pods: readonly Pod[],
  budgets: readonly PodDisruptionBudget[],
): { violating: Pod[]; others: Pod[] } {
  const allowed = new Map(budgets.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]));
  const violating: Pod[] = [];
  const others: Pod[] = [];
  for (const pod of pods) {
    let violates = false;
    for (const budget of budgets) {
      if (budget.metadata?.namespace !== pod.metadata?.namespace) continue;
      if (!selects(budget.spec?.selector, pod.metadata?.labels)) continue;
      const left = (allowed.get(budget) ?? 0) - 1;
      allowed.set(budget, left);
      if (left < 0) violates = true;
    }
    (violates ? violating : others).push(pod);
  }
  return { violating, others };
}

/** preemption.go pickOneNodeForPreemption. */
function compareCandidates(a: Candidate, b: Candidate): number {
  const highest = (candidate: Candidate): number => Math.max(...candidate.victims.map(priorityOf));
  const sum = (candidate: Candidate): number => candidate.victims.reduce((total, pod) => total + priorityOf(pod), 0);
  const earliest = (candidate: Candidate): number => {
    const top = highest(candidate);
    return Math.min(...candidate.victims.filter((pod) => priorityOf(pod) === top).map(startOf));
  };
  return (
    a.violations - b.violations ||
    highest(a) - highest(b) ||
    sum(a) - sum(b) ||
    a.victims.length - b.victims.length ||
    earliest(b) - earliest(a)
  );
}
