import type { ReplicaSet } from 'kubernetes-types/apps/v1.d.ts';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { cleanUpHistory } from './history.ts';
import { activeSets, desiredReplicas, specReplicas, sumOfStatus } from './replica-sets.ts';
import type { Rollout } from './rollout.ts';
import { isComplete } from './status.ts';

/** All old pods go before the first new one comes (upstream pkg/controller/deployment/recreate.go). */
export async function recreate(
  rollout: Rollout,
  podsOf: (rs: ReplicaSet) => readonly Pod[],
): Promise<{ readonly requeueAfterMs?: number } | undefined> {
  const found = await rollout.syncSets(false);
  const { oldSets } = found;
  const active = activeSets(oldSets);
  if (active.length > 0) {
    const after: ReplicaSet[] = [];
    for (const rs of oldSets) after.push(specReplicas(rs) > 0 ? await rollout.scale(rs, 0) : rs);
    return await rollout.syncRolloutStatus(found.newSet ? [...after, found.newSet] : after, found.newSet);
  }
  const isOldRunning = sumOfStatus(oldSets, 'replicas') > 0 || oldSets.some((rs) => podsOf(rs).some(mayRun));
  if (isOldRunning)
    return await rollout.syncRolloutStatus(found.newSet ? [...oldSets, found.newSet] : oldSets, found.newSet);
  let newSet = found.newSet ?? (await rollout.syncSets(true)).newSet;
  if (!newSet) return undefined;
  const desired = desiredReplicas(rollout.deployment);
  if (specReplicas(newSet) !== desired) newSet = await rollout.scale(newSet, desired);
  if (isComplete(rollout.deployment, rollout.deployment.status)) await cleanUpHistory(rollout, oldSets);
  return await rollout.syncRolloutStatus([...oldSets, newSet], newSet);
}

function mayRun(pod: Pod): boolean {
  return pod.status?.phase !== 'Failed' && pod.status?.phase !== 'Succeeded';
}
