import type { HorizontalPodAutoscaler, HPAScalingRules } from 'kubernetes-types/autoscaling/v2.d.ts';

/** apis/autoscaling/v2/defaults.go. */
const UP_DEFAULTS: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const DOWN_DEFAULTS: HPAScalingRules = {
  stabilizationWindowSeconds: 300,
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
};
const LONGEST_WINDOW_MS = 3_600_000;

interface Recommendation {
  readonly at: number;
  readonly replicas: number;
}

interface Change {
  readonly at: number;
  readonly by: number;
}

export interface Limited {
  readonly replicas: number;
  /** Reason and message of the conditions AbleToScale (stabilized) and ScalingLimited. */
  readonly able: { readonly reason: string; readonly message: string };
  readonly limited: { readonly isLimited: boolean; readonly reason: string; readonly message: string };
}

/** What one autoscaler recommended and did before: by that the pace is limited (horizontal.go normalizeDesiredReplicasWithBehaviors). */
export class ScalingHistory {
  #recommendations: Recommendation[] = [];
  #ups: Change[] = [];
  #downs: Change[] = [];

  /**
   * The size at which the autoscaler was first seen counts as recommended then, so that it does not shrink before the
   * window is over (horizontal.go recordInitialRecommendation).
   */
  begin(current: number, nowMs: number): void {
    if (this.#recommendations.length === 0) this.#recommendations = [{ at: nowMs, replicas: current }];
  }

  /** Notes what was done. */
  scaled(from: number, to: number, nowMs: number): void {
    const keep = (changes: readonly Change[]): Change[] => changes.filter((c) => c.at > nowMs - LONGEST_WINDOW_MS);
    if (to > from) this.#ups = [...keep(this.#ups), { at: nowMs, by: to - from }];
    if (to < from) this.#downs = [...keep(this.#downs), { at: nowMs, by: from - to }];
  }

  limit(hpa: HorizontalPodAutoscaler, current: number, proposed: number, nowMs: number): Limited {
    const up = { ...UP_DEFAULTS, ...withoutNulls(hpa.spec?.behavior?.scaleUp) };
    const down = { ...DOWN_DEFAULTS, ...withoutNulls(hpa.spec?.behavior?.scaleDown) };
    const stable = this.#stabilize(current, proposed, up, down, nowMs);
    const able = {
      reason:
        stable === proposed ? 'ReadyForNewScale' : stable > proposed ? 'ScaleDownStabilized' : 'ScaleUpStabilized',
      message:
        stable === proposed
          ? 'recommended size matches current size'
          : stable > proposed
            ? 'recent recommendations were higher than current one, applying the highest recent recommendation'
            : 'recent recommendations were lower than current one, applying the lowest recent recommendation',
    };
    const { minReplicas = 1, maxReplicas = 1 } = hpa.spec ?? {};
    const isGrowing = stable > current;
    const isShrinking = stable < current;
    let low = Math.max(0, minReplicas);
    let high = maxReplicas;
    let [lowReason, lowMessage] = [
      'TooFewReplicas',
      'the desired replica count is less than the minimum replica count',
    ];
    let [highReason, highMessage] = [
      'TooManyReplicas',
      'the desired replica count is more than the maximum replica count',
    ];
    if (isGrowing) {
      const pace = this.#paceUp(current, up, nowMs);
      if (pace < high)
        [high, highReason, highMessage] = [
          pace,
          'ScaleUpLimit',
          'the desired replica count is increasing faster than the maximum scale rate',
        ];
      high = Math.max(high, Math.min(current, maxReplicas));
    }
    if (isShrinking) {
      const pace = this.#paceDown(current, down, nowMs);
      if (pace > low)
        [low, lowReason, lowMessage] = [
          pace,
          'ScaleDownLimit',
          'the desired replica count is decreasing faster than the maximum scale rate',
        ];
      low = Math.min(low, Math.max(current, minReplicas));
    }
    if (stable < low)
      return { replicas: low, able, limited: { isLimited: true, reason: lowReason, message: lowMessage } };
    if (stable > high)
      return { replicas: high, able, limited: { isLimited: true, reason: highReason, message: highMessage } };
    const message = 'the desired count is within the acceptable range';
    return { replicas: stable, able, limited: { isLimited: false, reason: 'DesiredWithinRange', message } };
  }

  #stabilize(current: number, proposed: number, up: HPAScalingRules, down: HPAScalingRules, nowMs: number): number {
    const upMs = (up.stabilizationWindowSeconds ?? 0) * 1000;
    const downMs = (down.stabilizationWindowSeconds ?? 300) * 1000;
    let lowest = proposed;
    let highest = proposed;
    for (const { at, replicas } of this.#recommendations) {
      if (at > nowMs - upMs) lowest = Math.min(lowest, replicas);
      if (at > nowMs - downMs) highest = Math.max(highest, replicas);
    }
    const longest = Math.max(upMs, downMs);
    this.#recommendations = [
      ...this.#recommendations.filter((entry) => entry.at > nowMs - longest),
      { at: nowMs, replicas: proposed },
    ];
    let stable = current;
    if (stable < lowest) stable = lowest;
    if (stable > highest) stable = highest;
    return stable;
  }

  #paceUp(current: number, rules: HPAScalingRules, nowMs: number): number {
    if (rules.selectPolicy === 'Disabled') return current;
    const limits = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
      const start = current - sumWithin(this.#ups, periodSeconds, nowMs) + sumWithin(this.#downs, periodSeconds, nowMs);
      return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100));
    });
    return rules.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits);
  }

  #paceDown(current: number, rules: HPAScalingRules, nowMs: number): number {
    if (rules.selectPolicy === 'Disabled') return current;
    const limits = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
      const start = current + sumWithin(this.#downs, periodSeconds, nowMs) - sumWithin(this.#ups, periodSeconds, nowMs);
      return type === 'Pods' ? start - value : Math.floor(start * (1 - value / 100));
    });
    return rules.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits);
  }
}

function sumWithin(changes: readonly Change[], seconds: number, nowMs: number): number {
  return changes.filter(({ at }) => at > nowMs - seconds * 1000).reduce((sum, { by }) => sum + by, 0);
}

function withoutNulls(rules: HPAScalingRules | undefined): HPAScalingRules {
  return Object.fromEntries(Object.entries(rules ?? {}).filter(([, value]) => value !== null && value !== undefined));
}
