import type { Deployment, ReplicaSet } from 'kubernetes-types/apps/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { maxUnavailable, resolveFenceposts } from './replica-sets.ts';
import { proportionalSizes } from './scaling.ts';

const deployment = (replicas: number, maxSurge: number): Deployment => ({
  spec: {
    replicas,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable: 2 } },
    selector: {},
    template: {},
  },
});
const set = (name: string, replicas: number, max: number, second: number): ReplicaSet => ({
  metadata: {
    name,
    creationTimestamp: `2026-01-01T00:00:0${second}Z`,
    annotations: { 'deployment.kubernetes.io/max-replicas': String(max) },
  },
  spec: { replicas, selector: {} },
});

describe('proportional scaling', () => {
  /** Sizes as in upstream's deployment_controller sync_test.go. */
  it.each([
    ['up', deployment(12, 0), [6, 4], 10, [7, 5]],
    ['down', deployment(8, 0), [6, 4], 10, [5, 3]],
    ['up, one leftover', deployment(15, 0), [3, 3, 3], 9, [5, 5, 5]],
    ['to nothing', deployment(0, 2), [10, 5], 17, [0, 0]],
  ] as const)('%s', (_, owner, sizes, max, expected) => {
    const sets = sizes.map((size, index) => set(`rs-${index}`, size, max, index));
    const found = proportionalSizes(owner, sets);
    expect(sets.map((rs) => found.get(rs))).toEqual(expected);
  });

  it('resolves percentages as upstream does', () => {
    expect(resolveFenceposts('25%', '25%', 10)).toEqual({ surge: 3, unavailable: 2 });
    expect(resolveFenceposts('0%', '10%', 3)).toEqual({ surge: 0, unavailable: 1 });
    expect(resolveFenceposts(0, 0, 3)).toEqual({ surge: 0, unavailable: 1 });
    expect(maxUnavailable(deployment(1, 0))).toBe(1);
  });
});
