import type { Job } from 'kubernetes-types/batch/v1.d.ts';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { failureAnnotations, failuresByIndex, nextIndexes } from './index-backoff.ts';

const NOW = Date.parse('2026-01-01T00:01:00Z');
const job: Job = {
  spec: {
    completionMode: 'Indexed',
    completions: 4,
    backoffLimitPerIndex: 3,
    template: {},
    podFailurePolicy: { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [9] } }] },
  },
};
const failedPod = (index: number, secondsAgo: number, exitCode: number, before = {}): Pod => ({
  metadata: { annotations: { 'batch.kubernetes.io/job-completion-index': String(index), ...before } },
  status: {
    phase: 'Failed',
    containerStatuses: [
      {
        name: 'main',
        image: '',
        imageID: '',
        ready: false,
        restartCount: 0,
        state: { terminated: { exitCode, finishedAt: new Date(NOW - secondsAgo * 1000).toISOString() } },
      },
    ],
  },
});

describe('the back-off of an index', () => {
  it('is its own, and doubles with each failure', () => {
    const pods = [
      failedPod(1, 4, 1),
      failedPod(2, 15, 1),
      failedPod(3, 15, 1, failureAnnotations({ failed: 1, ignored: 0, lastAtMs: 0 })),
    ];
    // After one failure 10 s, after two 20 s.
    expect(nextIndexes(job, [], failuresByIndex(job, pods), 9, NOW)).toEqual({ indexes: [0, 2], waitMs: 5_000 });
  });

  it('counts what the failure policy ignores, but not towards the limit', () => {
    const failures = failuresByIndex(job, [
      failedPod(0, 30, 9, failureAnnotations({ failed: 2, ignored: 1, lastAtMs: 0 })),
    ]);
    expect(failures.get(0)).toMatchObject({ failed: 2, ignored: 2 });
    expect(failureAnnotations(failures.get(0)!)).toEqual({
      'batch.kubernetes.io/job-index-failure-count': '2',
      'batch.kubernetes.io/job-index-ignored-failure-count': '2',
    });
    expect(nextIndexes({ spec: { ...job.spec, template: {}, completions: 1 } }, [], failures, 9, NOW)).toEqual({
      indexes: [],
      waitMs: 50_000,
    });
  });
});
