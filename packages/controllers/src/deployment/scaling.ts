import type { Deployment, ReplicaSet } from 'kubernetes-types/apps/v1.d.ts';
import { DESIRED_REPLICAS, MAX_REPLICAS, replicasAnnotation } from './annotations.ts';
import {
  activeSets,
  bySizeNewestFirst,
  bySizeOldestFirst,
  desiredReplicas,
  findActiveOrLatest,
  isRollingUpdate,
  maxSurge,
  specReplicas,
  sumOfSpecs,
} from './replica-sets.ts';
import type { Rollout } from './rollout.ts';

/** Whether `spec.replicas` changed since the active sets were sized (sync.go isScalingEvent). */
export function isScaling(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return activeSets(sets).some((rs) => {
    const desired = replicasAnnotation(rs, DESIRED_REPLICAS);
    return desired !== undefined && desired !== desiredReplicas(deployment);
  });
}

/**
 * Brings the sets to the Deployment's size: one active set takes it all, a finished rollout empties the old ones, a
 * rollout under way is scaled in proportion (sync.go scale).
 */
export async function scaleSets(
  rollout: Rollout,
  newSet: ReplicaSet | undefined,
  oldSets: readonly ReplicaSet[],
): Promise<{ newSet: ReplicaSet | undefined; oldSets: ReplicaSet[] }> {
  const { deployment } = rollout;
  const desired = desiredReplicas(deployment);
  const sizes = new Map<ReplicaSet, number>();
  const single = findActiveOrLatest(newSet, oldSets);
  if (single) {
    if (specReplicas(single) !== desired) sizes.set(single, desired);
  } else if (isSaturated(deployment, newSet)) {
    for (const rs of activeSets(oldSets)) sizes.set(rs, 0);
  } else if (isRollingUpdate(deployment)) {
    for (const [rs, size] of proportionalSizes(deployment, activeSets(newSet ? [...oldSets, newSet] : oldSets)))
      sizes.set(rs, size);
  }
  const scaled = async (rs: ReplicaSet): Promise<ReplicaSet> => {
    const size = sizes.get(rs);
    return size === undefined ? rs : await rollout.scale(rs, size);
  };
  const after: ReplicaSet[] = [];
  for (const rs of oldSets) after.push(await scaled(rs));
  return { newSet: newSet ? await scaled(newSet) : undefined, oldSets: after };
}

function isSaturated(deployment: Deployment, newSet: ReplicaSet | undefined): boolean {
  if (!newSet) return false;
  const desired = desiredReplicas(deployment);
  return (
    specReplicas(newSet) === desired &&
    replicasAnnotation(newSet, DESIRED_REPLICAS) === desired &&
    (newSet.status?.availableReplicas ?? 0) === desired
  );
}

/** The new size of each active set; what rounding leaves over goes to the largest. Exported for its test. */
export function proportionalSizes(
  deployment: Deployment,
  active: readonly ReplicaSet[],
): ReadonlyMap<ReplicaSet, number> {
  const desired = desiredReplicas(deployment);
  const allowed = desired > 0 ? desired + maxSurge(deployment) : 0;
  const toAdd = allowed - sumOfSpecs(active);
  const sorted = toAdd > 0 ? active.toSorted(bySizeNewestFirst) : active.toSorted(bySizeOldestFirst);
  const sizes = new Map<ReplicaSet, number>();
  let added = 0;
  for (const rs of sorted) {
    const share = toAdd === 0 ? 0 : proportionOf(deployment, rs, toAdd, added);
    sizes.set(rs, specReplicas(rs) + share);
    added += share;
  }
  const largest = sorted[0];
  if (largest && toAdd !== 0) sizes.set(largest, Math.max(0, (sizes.get(largest) ?? 0) + toAdd - added));
  return sizes;
}

/** deploymentutil.GetReplicaSetProportion. */
function proportionOf(deployment: Deployment, rs: ReplicaSet, toAdd: number, added: number): number {
  const size = specReplicas(rs);
  if (size === 0 || toAdd === added) return 0;
  const fraction = fractionOf(deployment, rs, size);
  return toAdd > 0 ? Math.min(fraction, toAdd - added) : Math.max(fraction, toAdd - added);
}

function fractionOf(deployment: Deployment, rs: ReplicaSet, size: number): number {
  const desired = desiredReplicas(deployment);
  if (desired === 0) return -size;
  const most = desired + maxSurge(deployment);
  const mostBefore = replicasAnnotation(rs, MAX_REPLICAS) || deployment.status?.replicas || 0;
  if (mostBefore === 0) return 0;
  return Math.round((size * most) / mostBefore) - size;
}
