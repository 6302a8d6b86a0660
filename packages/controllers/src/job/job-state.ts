import type { Job, JobStatus } from 'kubernetes-types/batch/v1.d.ts';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { isSameJson } from '../equality.ts';
import { parseIndexes } from './indexes.ts';
import { isIndexed } from './job-pods.ts';

/** job_controller.go DefaultJobPodFailureBackOff and MaxJobPodFailureBackOff. */
const BACKOFF_MS = 10_000;
const MAX_BACKOFF_MS = 600_000;

export interface Verdict {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

export interface Counts {
  readonly succeeded: number;
  readonly failed: number;
}

export function isFinished(job: Job): boolean {
  return (job.status?.conditions ?? []).some(
    (condition) => (condition.type === 'Complete' || condition.type === 'Failed') && condition.status === 'True',
  );
}

export function countsOf(job: Job): Counts {
  const { succeeded = 0, failed = 0, uncountedTerminatedPods } = job.status ?? {};
  return {
    succeeded: succeeded + (uncountedTerminatedPods?.succeeded?.length ?? 0),
    failed: failed + (uncountedTerminatedPods?.failed?.length ?? 0),
  };
}

/** Whether a pod that is on its way out counts as failed and is replaced at once. */
export function replacesTerminating(job: Job): boolean {
  return (
    (job.spec?.podReplacementPolicy ?? (job.spec?.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed')) !== 'Failed'
  );
}

/** Whether nothing is to be written; `ready` and `terminating` are written even when they are 0. */
export function isSameStatus(status: JobStatus, before: JobStatus | undefined): boolean {
  return (
    isSameJson(status, before) &&
    (status.ready === undefined) === (before?.ready === undefined) &&
    (status.terminating === undefined) === (before?.terminating === undefined)
  );
}

/** Time until a failed pod may be replaced: doubles with each failure since the last success (backoff_utils.go). */
export function backoffLeft(own: readonly Pod[], failedCount: number, nowMs: number): number {
  if (failedCount === 0) return 0;
  const failures = own.filter((pod) => pod.status?.phase === 'Failed').map(finishedAt);
  const lastSuccess = Math.max(0, ...own.filter((pod) => pod.status?.phase === 'Succeeded').map(finishedAt));
  const since = failures.filter((at) => at > lastSuccess);
  if (since.length === 0) return 0;
  return backoffAfter(since.length, Math.max(...since), nowMs);
}

/** What is left of the back-off after so many failures, the last at that time (getRemainingTimeForFailuresCount). */
export function backoffAfter(failures: number, lastAtMs: number, nowMs: number): number {
  if (failures === 0) return 0;
  const backoff = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** (failures - 1));
  return Math.max(0, lastAtMs + backoff - nowMs);
}

/** The first rule of `spec.successPolicy` that the succeeded indexes meet (success_policy.go). */
function matchSuccessPolicy(job: Job, completions: number): Verdict | undefined {
  const succeeded = parseIndexes(job.status?.completedIndexes, completions);
  for (const [index, { succeededIndexes, succeededCount }] of (job.spec?.successPolicy?.rules ?? []).entries()) {
    const wanted = succeededIndexes === undefined ? succeeded : parseIndexes(succeededIndexes, completions);
    const met = [...wanted].filter((entry) => succeeded.has(entry)).length;
    const isMet = succeededCount === undefined ? met === wanted.size && wanted.size > 0 : met >= succeededCount;
    if (isMet) return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${index}` };
  }
  return undefined;
}

/** Whether the Job has come to an end, and which (job_controller.go syncJob). */
export function judgeJob(
  job: Job,
  own: readonly Pod[],
  active: readonly Pod[],
  counts: Counts,
  nowMs: number,
): Verdict | undefined {
  const { spec } = job;
  const started = Date.parse(job.status?.startTime ?? '');
  const deadline = spec?.activeDeadlineSeconds;
  const limit = spec?.backoffLimit ?? 6;
  const perIndex = spec?.backoffLimitPerIndex;
  const isPastLimit =
    (perIndex === undefined || perIndex === null) && (counts.failed > limit || isPastRestartLimit(job, own, limit));
  if (isPastLimit)
    return { type: 'Failed', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  if (deadline !== undefined && !spec?.suspend && nowMs - started >= deadline * 1000)
    return { type: 'Failed', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
  const done: Verdict = {
    type: 'Complete',
    reason: 'CompletionsReached',
    message: 'Reached expected number of succeeded pods',
  };
  if (isIndexed(job)) {
    const completions = spec?.completions ?? 0;
    const failedIndexes = parseIndexes(job.status?.failedIndexes, completions);
    const mostFailed = spec?.maxFailedIndexes;
    if (mostFailed !== undefined && failedIndexes.size > mostFailed)
      return {
        type: 'Failed',
        reason: 'MaxFailedIndexesExceeded',
        message: 'Job has exceeded the specified maximal number of failed indexes',
      };
    if (failedIndexes.size > 0 && counts.succeeded + failedIndexes.size >= completions)
      return { type: 'Failed', reason: 'FailedIndexes', message: 'Job has failed indexes' };
    return matchSuccessPolicy(job, completions) ?? (counts.succeeded >= completions ? done : undefined);
  }
  if (spec?.completions === undefined || spec.completions === null)
    return counts.succeeded > 0 && active.length === 0 ? done : undefined;
  return counts.succeeded >= spec.completions ? done : undefined;
}

/** With restartPolicy OnFailure the restarts of the containers are what the limit counts. */
function isPastRestartLimit(job: Job, own: readonly Pod[], limit: number): boolean {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return false;
  const restarts = own
    .filter((pod) => pod.status?.phase === 'Running' || pod.status?.phase === 'Pending')
    .flatMap((pod) => [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])])
    .reduce((sum, status) => sum + status.restartCount, 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

export function finishedAt(pod: Pod): number {
  const times = (pod.status?.containerStatuses ?? []).flatMap(
    (status) => Date.parse(status.state?.terminated?.finishedAt ?? '') || [],
  );
  return times.length > 0 ? Math.max(...times) : Date.parse(pod.metadata?.creationTimestamp ?? '') || 0;
}
