import type { ReplicaSet } from 'kubernetes-types/apps/v1.d.ts';
import { cleanUpHistory } from './history.ts';
import {
  activeSets,
  byCreation,
  desiredReplicas,
  maxUnavailable,
  newSetReplicas,
  specReplicas,
  sumOfSpecs,
  sumOfStatus,
} from './replica-sets.ts';
import type { Rollout } from './rollout.ts';
import { isComplete } from './status.ts';

/**
 * One step of a rolling update: grows the newest set as far as maxSurge allows, or else shrinks old ones as far as
 * maxUnavailable allows (upstream pkg/controller/deployment/rolling.go).
 */
export async function rollOut(rollout: Rollout): Promise<{ readonly requeueAfterMs?: number } | undefined> {
  const { newSet, oldSets } = await rollout.syncSets(true);
  if (!newSet) return undefined;
  const grown = await growNewSet(rollout, newSet, oldSets);
  if (grown !== newSet) return await rollout.syncRolloutStatus([...oldSets, grown], grown);
  const shrunk = await shrinkOldSets(rollout, newSet, oldSets);
  if (shrunk) return await rollout.syncRolloutStatus([...shrunk, newSet], newSet);
  if (isComplete(rollout.deployment, rollout.deployment.status)) await cleanUpHistory(rollout, oldSets);
  return await rollout.syncRolloutStatus([...oldSets, newSet], newSet);
}

async function growNewSet(rollout: Rollout, newSet: ReplicaSet, oldSets: readonly ReplicaSet[]): Promise<ReplicaSet> {
  const desired = desiredReplicas(rollout.deployment);
  const current = specReplicas(newSet);
  if (current === desired) return newSet;
  const wanted = current > desired ? desired : newSetReplicas(rollout.deployment, [...oldSets, newSet], newSet);
  return wanted === current ? newSet : await rollout.scale(newSet, wanted);
}

/** The old sets after some of them shrank; undefined where none could. */
async function shrinkOldSets(
  rollout: Rollout,
  newSet: ReplicaSet,
  oldSets: readonly ReplicaSet[],
): Promise<ReplicaSet[] | undefined> {
  const active = activeSets(oldSets);
  if (active.length === 0) return undefined;
  const { deployment } = rollout;
  const minAvailable = desiredReplicas(deployment) - maxUnavailable(deployment);
  const newUnavailable = specReplicas(newSet) - (newSet.status?.availableReplicas ?? 0);
  const mayGo = sumOfSpecs([...oldSets, newSet]) - minAvailable - newUnavailable;
  if (mayGo <= 0) return undefined;
  const sizes = new Map(active.map((rs) => [rs, specReplicas(rs)]));
  const oldestFirst = active.toSorted(byCreation);
  let gone = 0;
  // Pods that are not available anyway go first: they cost nobody anything.
  for (const rs of oldestFirst) {
    const size = sizes.get(rs) ?? 0;
    const unhealthy = Math.min(mayGo - gone, size - (rs.status?.availableReplicas ?? 0));
    if (unhealthy <= 0) continue;
    sizes.set(rs, size - unhealthy);
    gone += unhealthy;
  }
  let healthyMayGo = sumOfStatus([...oldSets, newSet], 'availableReplicas') - minAvailable;
  for (const rs of oldestFirst) {
    if (healthyMayGo <= 0) break;
    const size = sizes.get(rs) ?? 0;
    const down = Math.min(size, healthyMayGo);
    sizes.set(rs, size - down);
    healthyMayGo -= down;
    gone += down;
  }
  if (gone === 0) return undefined;
  const after: ReplicaSet[] = [];
  for (const rs of oldSets) after.push(sizes.has(rs) ? await rollout.scale(rs, sizes.get(rs) ?? 0) : rs);
  return after;
}
