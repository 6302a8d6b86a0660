import type { ReplicaSet } from 'kubernetes-types/apps/v1.d.ts';
import { byRevision, hasRevisionHistoryLimit, specReplicas } from './replica-sets.ts';
import type { Rollout } from './rollout.ts';

/** Deletes the oldest empty ReplicaSets beyond `revisionHistoryLimit` (sync.go cleanupDeployment). */
export async function cleanUpHistory(rollout: Rollout, oldSets: readonly ReplicaSet[]): Promise<void> {
  if (!hasRevisionHistoryLimit(rollout.deployment)) return;
  const alive = oldSets.filter((rs) => rs.metadata?.deletionTimestamp === undefined);
  const tooMany = alive.length - (rollout.deployment.spec?.revisionHistoryLimit ?? 0);
  if (tooMany <= 0) return;
  for (const rs of alive.toSorted(byRevision).slice(0, tooMany)) {
    const isBusy =
      (rs.status?.replicas ?? 0) !== 0 ||
      specReplicas(rs) !== 0 ||
      (rs.metadata?.generation ?? 0) > (rs.status?.observedGeneration ?? 0);
    if (!isBusy) await rollout.deleteSet(rs);
  }
}
