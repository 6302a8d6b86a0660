import { formatTime } from '@kind-e2e/kube-api';
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from 'kubernetes-types/apps/v1.d.ts';
import { findCondition, withCondition, withoutCondition } from '../conditions.ts';
import {
  desiredReplicas,
  hasProgressDeadline,
  maxUnavailable,
  sumOfSpecs,
  sumOfStatus,
  sumOfTerminating,
} from './replica-sets.ts';

/** Reasons of the condition Progressing (deployment_util.go). */
export const REASON = {
  created: 'NewReplicaSetCreated',
  found: 'FoundNewReplicaSet',
  updated: 'ReplicaSetUpdated',
  available: 'NewReplicaSetAvailable',
  timedOut: 'ProgressDeadlineExceeded',
  createFailed: 'ReplicaSetCreateError',
  paused: 'DeploymentPaused',
  resumed: 'DeploymentResumed',
} as const;

export type FullDeploymentStatus = DeploymentStatus & { terminatingReplicas?: number };

export function setCondition(
  conditions: readonly DeploymentCondition[] | undefined,
  condition: Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>,
  nowMs: number,
): DeploymentCondition[] {
  return withCondition<DeploymentCondition>(conditions, { ...condition, lastUpdateTime: formatTime(nowMs) }, nowMs);
}

export function progressing(deployment: { status?: DeploymentStatus }): DeploymentCondition | undefined {
  return findCondition(deployment.status?.conditions, 'Progressing');
}

/** Counts and the condition Available, from the ReplicaSets' statuses (sync.go calculateStatus). */
export function calculateStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
  nowMs: number,
): FullDeploymentStatus {
  const available = sumOfStatus(all, 'availableReplicas');
  const isAvailable = available >= desiredReplicas(deployment) - maxUnavailable(deployment);
  const { collisionCount, conditions } = deployment.status ?? {};
  return {
    observedGeneration: deployment.metadata?.generation ?? 0,
    replicas: sumOfStatus(all, 'replicas'),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sumOfStatus(all, 'readyReplicas'),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sumOfSpecs(all) - available),
    terminatingReplicas: sumOfTerminating(all),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: setCondition(
      conditions,
      isAvailable
        ? {
            type: 'Available',
            status: 'True',
            reason: 'MinimumReplicasAvailable',
            message: 'Deployment has minimum availability.',
          }
        : {
            type: 'Available',
            status: 'False',
            reason: 'MinimumReplicasUnavailable',
            message: 'Deployment does not have minimum availability.',
          },
      nowMs,
    ),
  };
}

/** All pods are of the newest template and available (deploymentutil.DeploymentComplete). */
export function isComplete(deployment: Deployment, status: DeploymentStatus | undefined): boolean {
  const desired = desiredReplicas(deployment);
  return (
    (status?.updatedReplicas ?? 0) === desired &&
    (status?.replicas ?? 0) === desired &&
    (status?.availableReplicas ?? 0) === desired &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata?.generation ?? 0)
  );
}

function isProgressing(before: DeploymentStatus | undefined, after: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus | undefined): number =>
    (status?.replicas ?? 0) - (status?.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before?.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before?.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before?.availableReplicas ?? 0)
  );
}

function deadlineOf(deployment: Deployment, condition: DeploymentCondition): number {
  return Date.parse(condition.lastUpdateTime ?? '') + (deployment.spec?.progressDeadlineSeconds ?? 0) * 1000;
}

function isTimedOut(deployment: Deployment, status: DeploymentStatus, nowMs: number): boolean {
  const condition = findCondition(status.conditions, 'Progressing');
  if (!hasProgressDeadline(deployment) || !condition || condition.reason === REASON.available) return false;
  return condition.reason === REASON.timedOut || deadlineOf(deployment, condition) < nowMs;
}

/** The status while a rollout goes on, with the conditions Progressing and ReplicaFailure (progress.go). */
export function rolloutStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
  nowMs: number,
): FullDeploymentStatus {
  const status = calculateStatus(deployment, all, newSet, nowMs);
  const current = progressing(deployment);
  let conditions = status.conditions ?? [];
  if (!hasProgressDeadline(deployment)) conditions = withoutCondition(conditions, 'Progressing');
  const subject = newSet ? `ReplicaSet "${newSet.metadata?.name}"` : `Deployment "${deployment.metadata?.name}"`;
  const isDone = status.replicas === status.updatedReplicas && current?.reason === REASON.available;
  if (hasProgressDeadline(deployment) && !isDone) {
    if (isComplete(deployment, status)) {
      const message = `${subject} has successfully progressed.`;
      conditions = setCondition(
        conditions,
        { type: 'Progressing', status: 'True', reason: REASON.available, message },
        nowMs,
      );
    } else if (isProgressing(deployment.status, status)) {
      const condition = {
        type: 'Progressing',
        status: 'True',
        reason: REASON.updated,
        message: `${subject} is progressing.`,
        lastUpdateTime: formatTime(nowMs),
        lastTransitionTime:
          current?.status === 'True' && current.lastTransitionTime !== undefined
            ? current.lastTransitionTime
            : formatTime(nowMs),
      };
      conditions = [...withoutCondition(conditions, 'Progressing'), condition];
    } else if (isTimedOut(deployment, status, nowMs)) {
      const message = `${subject} has timed out progressing.`;
      conditions = setCondition(
        conditions,
        { type: 'Progressing', status: 'False', reason: REASON.timedOut, message },
        nowMs,
      );
    }
  }
  const failure = replicaFailure(all, newSet);
  conditions = failure
    ? withCondition(conditions, { ...failure, lastUpdateTime: formatTime(nowMs) }, nowMs)
    : withoutCondition(conditions, 'ReplicaFailure');
  return { ...status, conditions };
}

function replicaFailure(
  all: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
): Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'> | undefined {
  for (const rs of newSet ? [newSet, ...all] : all) {
    const condition = findCondition(rs.status?.conditions, 'ReplicaFailure');
    if (condition) {
      const { type, status, reason, message } = condition;
      return { type, status, reason, message };
    }
  }
  return undefined;
}

/** When to look again at a rollout that may time out (progress.go requeueStuckDeployment). */
export function stuckCheckInMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const current = progressing(deployment);
  if (!hasProgressDeadline(deployment) || !current) return undefined;
  if (isComplete(deployment, status) || current.reason === REASON.timedOut) return undefined;
  if (current.reason === REASON.available) return undefined;
  return Math.max(0, deadlineOf(deployment, current) - nowMs) + 1000;
}
