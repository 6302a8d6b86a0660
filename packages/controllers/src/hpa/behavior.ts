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
/** --horizontal-pod-autoscaler-downscale-stabilization; horizontal.go scaleUpLimitFactor and scaleUpLimitMinimum. */
const DOWN_WINDOW_MS = 300_000;
const UP_FACTOR = 2;
const UP_MINIMUM = 4;

interface Recommendation {
  readonly at: number;
  readonly replicas: number;
}

interface Change {
  readonly at: number;
  readonly by: number;
}

/** Reason and message of a condition. */
interface Why {
  readonly reason: string;
  readonly message: string;
}

export interface Limited {
  readonly replicas: number;
  /** Of the condition AbleToScale. */
  readonly able: Why;
  /** Of the condition ScalingLimited. */
  readonly limited: Why;
  readonly isLimited: boolean;
}

const READY: Why = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' };
const UP_STABILIZED: Why = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
};
const DOWN_STABILIZED: Why = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
};
const WITHIN_RANGE: Why = {
  reason: 'DesiredWithinRange',
  message: 'the desired count is within the acceptable range',
};
const TOO_FEW: Why = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
};
const TOO_MANY: Why = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
};
const TOO_FAST_UP: Why = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
};
const TOO_FAST_DOWN: Why = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
};

/** What one autoscaler recommended and did before: by that the pace is limited (horizontal.go normalizeDesiredReplicas and …WithBehaviors). */
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
    const { minReplicas = 1, maxReplicas = 1, behavior } = hpa.spec ?? {};
    if (!behavior) return this.#limitWithoutBehavior(current, proposed, minReplicas, maxReplicas, nowMs);
    const up = { ...UP_DEFAULTS, ...withoutNulls(behavior.scaleUp) };
    const down = { ...DOWN_DEFAULTS, ...withoutNulls(behavior.scaleDown) };
    const stable = this.#stabilize(current, proposed, up, down, nowMs);
    const able = stable === proposed ? READY : proposed >= current ? UP_STABILIZED : DOWN_STABILIZED;
    if (stable > current) {
      const pace = Math.max(current, this.#paceUp(current, up, nowMs));
      const most = Math.min(maxReplicas, pace);
      if (stable > most)
        return { replicas: most, able, limited: maxReplicas > pace ? TOO_FAST_UP : TOO_MANY, isLimited: true };
    } else if (stable < current) {
      const pace = Math.min(current, this.#paceDown(current, down, nowMs));
      const least = Math.max(minReplicas, pace);
      if (stable < least)
        return { replicas: least, able, limited: minReplicas < pace ? TOO_FAST_DOWN : TOO_FEW, isLimited: true };
    }
    return { replicas: stable, able, limited: WITHIN_RANGE, isLimited: false };
  }

  /** Without `spec.behavior`: at most twice as many, or four; shrinking waits five minutes (normalizeDesiredReplicas). */
  #limitWithoutBehavior(current: number, proposed: number, least: number, max: number, nowMs: number): Limited {
    const stable = this.#recommend(proposed, DOWN_WINDOW_MS, nowMs);
    const able = stable === proposed ? READY : DOWN_STABILIZED;
    const pace = Math.max(UP_FACTOR * current, UP_MINIMUM);
    const most = Math.min(max, pace);
    if (stable < least) return { replicas: least, able, limited: TOO_FEW, isLimited: true };
    if (stable > most) return { replicas: most, able, limited: max > pace ? TOO_FAST_UP : TOO_MANY, isLimited: true };
    return { replicas: stable, able, limited: WITHIN_RANGE, isLimited: false };
  }

  /** Notes what is recommended now; gives the highest recommendation within the window. */
  #recommend(proposed: number, windowMs: number, nowMs: number): number {
    const recent = this.#recommendations.filter(({ at }) => at >= nowMs - windowMs);
    this.#recommendations = [...recent, { at: nowMs, replicas: proposed }];
    return Math.max(proposed, ...recent.map(({ replicas }) => replicas));
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
