import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerBehavior } from 'kubernetes-types/autoscaling/v2.d.ts';
import { describe, expect, it } from 'vitest';
import { ScalingHistory } from './behavior.ts';

const hpa = (maxReplicas: number, behavior?: HorizontalPodAutoscalerBehavior): HorizontalPodAutoscaler => ({
  spec: {
    scaleTargetRef: { kind: 'Deployment', name: 'x' },
    minReplicas: 2,
    maxReplicas,
    ...(behavior ? { behavior } : {}),
  },
});

describe('scaling behavior', () => {
  it('doubles, or grows to four, where nothing is said of it', () => {
    const history = new ScalingHistory();
    expect(history.limit(hpa(100), 1, 50, 0)).toMatchObject({
      replicas: 4,
      isLimited: true,
      limited: { reason: 'ScaleUpLimit' },
    });
    history.scaled(1, 4, 0);
    expect(history.limit(hpa(100), 4, 50, 1_000).replicas).toBe(8);
    expect(new ScalingHistory().limit(hpa(100), 8, 12, 2_000)).toMatchObject({
      replicas: 12,
      isLimited: false,
      limited: { reason: 'DesiredWithinRange' },
    });
  });

  it('doubles, or adds four, in fifteen seconds by the default rules of a behavior', () => {
    const history = new ScalingHistory();
    const rules = hpa(100, { scaleUp: { stabilizationWindowSeconds: 0 } });
    const first = history.limit(rules, 2, 50, 0);
    expect(first).toMatchObject({ replicas: 6, isLimited: true, limited: { reason: 'ScaleUpLimit' } });
    history.scaled(2, 6, 0);
    expect(history.limit(rules, 6, 50, 10_000).replicas).toBe(6);
    expect(history.limit(rules, 6, 50, 16_000).replicas).toBe(12);
  });

  it('grows only to the lowest of its window', () => {
    const slow = hpa(10, { scaleUp: { stabilizationWindowSeconds: 60 } });
    const history = new ScalingHistory();
    history.limit(slow, 3, 3, 0);
    expect(history.limit(slow, 3, 6, 30_000)).toMatchObject({ replicas: 3, able: { reason: 'ScaleUpStabilized' } });
    expect(history.limit(slow, 3, 6, 91_000).replicas).toBe(6);
  });

  it('keeps the bounds', () => {
    const history = new ScalingHistory();
    expect(history.limit(hpa(5), 4, 50, 0)).toMatchObject({ replicas: 5, limited: { reason: 'TooManyReplicas' } });
    const fast = hpa(5, { scaleDown: { stabilizationWindowSeconds: 0 } });
    expect(new ScalingHistory().limit(fast, 4, 0, 0)).toMatchObject({
      replicas: 2,
      limited: { reason: 'TooFewReplicas' },
    });
  });

  it('does not shrink what it has just met before the window is over', () => {
    const history = new ScalingHistory();
    history.begin(6, 0);
    expect(history.limit(hpa(10), 6, 2, 0)).toMatchObject({ replicas: 6, able: { reason: 'ScaleDownStabilized' } });
    history.begin(6, 15_000);
    expect(history.limit(hpa(10), 6, 8, 15_000).replicas).toBe(8);
    const fresh = new ScalingHistory();
    fresh.begin(6, 0);
    expect(fresh.limit(hpa(10), 6, 2, 301_000).replicas).toBe(2);
  });

  it('shrinks only to the highest of the last five minutes', () => {
    const history = new ScalingHistory();
    history.limit(hpa(10), 8, 8, 0);
    const held = history.limit(hpa(10), 8, 3, 60_000);
    expect(held.replicas).toBe(8);
    expect(held.able.reason).toBe('ScaleDownStabilized');
    expect(history.limit(hpa(10), 8, 3, 301_000).replicas).toBe(3);
  });

  it('follows policies, and does not shrink when that is disabled', () => {
    const slow = hpa(20, {
      scaleDown: { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] },
    });
    expect(new ScalingHistory().limit(slow, 10, 2, 0)).toMatchObject({
      replicas: 9,
      limited: { reason: 'ScaleDownLimit' },
    });
    const off = hpa(20, { scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: 'Disabled' } });
    expect(new ScalingHistory().limit(off, 10, 2, 0).replicas).toBe(10);
  });
});
