import type { Job } from 'kubernetes-types/batch/v1.d.ts';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { judgeFailure } from './failure-policy.ts';
import { indexOf, parseIndexes } from './indexes.ts';
import { backoffAfter, finishedAt } from './job-state.ts';

/** Annotations of a pod: how often its index had failed before it (batch/v1 JobIndexFailureCountAnnotation). */
const FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count';
const IGNORED_COUNT = 'batch.kubernetes.io/job-index-ignored-failure-count';

/** What came of an index so far. */
export interface IndexFailures {
  /** Failures that count towards `backoffLimitPerIndex`. */
  readonly failed: number;
  /** Failures that the pod failure policy ignores. */
  readonly ignored: number;
  readonly lastAtMs: number;
}

export const NO_FAILURES: IndexFailures = { failed: 0, ignored: 0, lastAtMs: 0 };

export function hasLimitPerIndex(job: Job): boolean {
  const limit = job.spec?.backoffLimitPerIndex;
  return job.spec?.completionMode === 'Indexed' && limit !== undefined && limit !== null;
}

/** The failures of each index: those its latest pod was made with, and that pod's own (indexed_job_utils.go). */
export function failuresByIndex(job: Job, own: readonly Pod[]): Map<number, IndexFailures> {
  const failures = new Map<number, IndexFailures>();
  for (const pod of own) {
    const index = indexOf(pod);
    if (index === undefined || pod.status?.phase !== 'Failed') continue;
    const { failed, ignored } = countsFrom(pod);
    const isIgnored = judgeFailure(job, pod).action === 'Ignore';
    const after: IndexFailures = {
      failed: failed + (isIgnored ? 0 : 1),
      ignored: ignored + (isIgnored ? 1 : 0),
      lastAtMs: finishedAt(pod),
    };
    const before = failures.get(index) ?? NO_FAILURES;
    if (after.failed + after.ignored > before.failed + before.ignored) failures.set(index, after);
  }
  return failures;
}

function countsFrom(pod: Pod): { failed: number; ignored: number } {
  const { annotations } = pod.metadata ?? {};
  return { failed: Number(annotations?.[FAILURE_COUNT] ?? 0), ignored: Number(annotations?.[IGNORED_COUNT] ?? 0) };
}

export function failureAnnotations({ failed, ignored }: IndexFailures): Record<string, string> {
  return { [FAILURE_COUNT]: String(failed), ...(ignored > 0 ? { [IGNORED_COUNT]: String(ignored) } : {}) };
}

/** The indexes that get a pod now, at most so many, and the time until one that failed may have its next. */
export function nextIndexes(
  job: Job,
  active: readonly Pod[],
  failures: ReadonlyMap<number, IndexFailures>,
  most: number,
  nowMs: number,
): { indexes: number[]; waitMs: number } {
  const completions = job.spec?.completions ?? 0;
  const taken = parseIndexes(job.status?.completedIndexes, completions);
  for (const index of parseIndexes(job.status?.failedIndexes, completions)) taken.add(index);
  for (const pod of active) taken.add(indexOf(pod) ?? -1);
  const indexes: number[] = [];
  const waits: number[] = [];
  for (let index = 0; index < completions && indexes.length < most; index++) {
    if (taken.has(index)) continue;
    const { failed, ignored, lastAtMs } = failures.get(index) ?? NO_FAILURES;
    const wait = backoffAfter(failed + ignored, lastAtMs, nowMs);
    if (wait > 0) waits.push(wait);
    else indexes.push(index);
  }
  return { indexes, waitMs: waits.length > 0 ? Math.min(...waits) : 0 };
}
