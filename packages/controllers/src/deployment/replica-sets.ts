import { type IntOrString, scaledValue } from '@kind-e2e/kube-api';
import type { Deployment, ReplicaSet } from 'kubernetes-types/apps/v1.d.ts';
import { revisionOf } from './annotations.ts';
import { isSameTemplate } from './template-hash.ts';

/** `math.MaxInt32` in these fields means "no limit". */
const NO_LIMIT = 2_147_483_647;

export function desiredReplicas(deployment: Deployment): number {
  return deployment.spec?.replicas ?? 1;
}

export function isRollingUpdate(deployment: Deployment): boolean {
  return (deployment.spec?.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate';
}

/** Surge rounded up, unavailable rounded down, never both zero (deploymentutil.ResolveFenceposts). */
export function resolveFenceposts(
  maxSurgeValue: IntOrString,
  maxUnavailableValue: IntOrString,
  desired: number,
): { readonly surge: number; readonly unavailable: number } {
  const surge = scaledValue(maxSurgeValue, desired, true) ?? 0;
  const unavailable = scaledValue(maxUnavailableValue, desired, false) ?? 0;
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

function fenceposts(deployment: Deployment): { readonly surge: number; readonly unavailable: number } {
  const rolling = deployment.spec?.strategy?.rollingUpdate;
  return resolveFenceposts(rolling?.maxSurge ?? 0, rolling?.maxUnavailable ?? 0, desiredReplicas(deployment));
}

export function maxSurge(deployment: Deployment): number {
  return isRollingUpdate(deployment) ? fenceposts(deployment).surge : 0;
}

export function maxUnavailable(deployment: Deployment): number {
  const desired = desiredReplicas(deployment);
  if (!isRollingUpdate(deployment) || desired === 0) return 0;
  return Math.min(fenceposts(deployment).unavailable, desired);
}

export function specReplicas(rs: ReplicaSet): number {
  return rs.spec?.replicas ?? 1;
}

/** The sum of what the specs ask for. */
export function sumOfSpecs(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, rs) => sum + specReplicas(rs), 0);
}

export function sumOfStatus(
  sets: readonly ReplicaSet[],
  field: 'replicas' | 'readyReplicas' | 'availableReplicas',
): number {
  return sets.reduce((sum, rs) => sum + (rs.status?.[field] ?? 0), 0);
}

export function sumOfTerminating(sets: readonly ReplicaSet[]): number {
  return sets.reduce(
    (sum, rs) => sum + ((rs.status as { terminatingReplicas?: number } | undefined)?.terminatingReplicas ?? 0),
    0,
  );
}

export function activeSets(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return sets.filter((rs) => specReplicas(rs) > 0);
}

function createdAt(rs: ReplicaSet): number {
  return Date.parse(rs.metadata?.creationTimestamp ?? '') || 0;
}

/** Oldest first, by name where created in one second. */
export function byCreation(left: ReplicaSet, right: ReplicaSet): number {
  const difference = createdAt(left) - createdAt(right);
  if (difference !== 0) return difference;
  return (left.metadata?.name ?? '') < (right.metadata?.name ?? '') ? -1 : 1;
}

export function bySizeNewestFirst(left: ReplicaSet, right: ReplicaSet): number {
  return specReplicas(right) - specReplicas(left) || byCreation(right, left);
}

export function bySizeOldestFirst(left: ReplicaSet, right: ReplicaSet): number {
  return specReplicas(right) - specReplicas(left) || byCreation(left, right);
}

export function byRevision(left: ReplicaSet, right: ReplicaSet): number {
  return revisionOf(left) - revisionOf(right) || byCreation(left, right);
}

export function maxRevision(sets: readonly ReplicaSet[]): number {
  return sets.reduce((most, rs) => Math.max(most, revisionOf(rs)), 0);
}

/** The oldest set with the Deployment's template. */
export function findNewReplicaSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return sets.toSorted(byCreation).find((rs) => isSameTemplate(rs.spec?.template, deployment.spec?.template));
}

/** The one that counts while nothing rolls: the only active set, or without any the newest one. */
export function findActiveOrLatest(
  newSet: ReplicaSet | undefined,
  oldSets: readonly ReplicaSet[],
): ReplicaSet | undefined {
  const active = activeSets(newSet ? [...oldSets, newSet] : oldSets);
  if (active.length > 1) return undefined;
  return active[0] ?? newSet ?? oldSets.toSorted(byCreation).at(-1);
}

export function hasProgressDeadline(deployment: Deployment): boolean {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== NO_LIMIT;
}

export function hasRevisionHistoryLimit(deployment: Deployment): boolean {
  const limit = deployment.spec?.revisionHistoryLimit;
  return limit !== undefined && limit !== NO_LIMIT;
}

/** How many pods the newest set may have now (deploymentutil.NewRSNewReplicas). */
export function newSetReplicas(deployment: Deployment, all: readonly ReplicaSet[], newSet: ReplicaSet): number {
  const desired = desiredReplicas(deployment);
  if (!isRollingUpdate(deployment)) return desired;
  const current = sumOfSpecs(all);
  const most = desired + (scaledValue(deployment.spec?.strategy?.rollingUpdate?.maxSurge ?? 0, desired, true) ?? 0);
  if (current >= most) return specReplicas(newSet);
  return specReplicas(newSet) + Math.min(most - current, desired - specReplicas(newSet));
}
