import type { Deployment, ReplicaSet } from 'kubernetes-types/apps/v1.d.ts';
import { maxSurge } from './replica-sets.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

/** Annotations that ReplicaSets do not take over from their Deployment (deployment_util.go annotationsToSkip). */
const SKIPPED: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
]);

/** Longest revision history in characters; the oldest revisions go first. */
const MAX_HISTORY_CHARACTERS = 2000;

type Annotations = Record<string, string>;

export function revisionOf(object: Pick<ReplicaSet, 'metadata'>): number {
  const text = object.metadata?.annotations?.[REVISION];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0;
}

export function replicasAnnotation(
  rs: ReplicaSet,
  name: typeof DESIRED_REPLICAS | typeof MAX_REPLICAS,
): number | undefined {
  const text = rs.metadata?.annotations?.[name];
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}

/** The annotations with the counts that a later scaling is proportional to. */
export function withReplicasAnnotations(annotations: Annotations | undefined, deployment: Deployment): Annotations {
  const desired = deployment.spec?.replicas ?? 1;
  return {
    ...annotations,
    [DESIRED_REPLICAS]: String(desired),
    [MAX_REPLICAS]: String(desired + maxSurge(deployment)),
  };
}

/**
 * The annotations that the newest ReplicaSet should have: those of the Deployment, a revision not lower than
 * `revision`, the revisions it had before, and, for one that is being made, the counts (SetNewReplicaSetAnnotations).
 */
export function newReplicaSetAnnotations(
  deployment: Deployment,
  current: Annotations | undefined,
  revision: number,
  exists: boolean,
): Annotations {
  const annotations: Annotations = { ...current };
  for (const [key, value] of Object.entries(deployment.metadata?.annotations ?? {}))
    if (!SKIPPED.has(key)) annotations[key] = value;
  const old = annotations[REVISION] ?? '';
  if ((Number(old) || 0) < revision) {
    annotations[REVISION] = String(revision);
    if (old !== '') {
      const history = annotations[REVISION_HISTORY];
      const revisions = history === undefined || history === '' ? [] : history.split(',');
      revisions.push(old);
      while (revisions.join(',').length > MAX_HISTORY_CHARACTERS && revisions.length > 1) revisions.shift();
      annotations[REVISION_HISTORY] = revisions.join(',');
    }
  }
  return exists ? annotations : withReplicasAnnotations(annotations, deployment);
}
