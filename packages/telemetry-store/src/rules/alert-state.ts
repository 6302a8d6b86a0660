import type { VectorSample } from '@kind-e2e/promql';
import type { Labels } from '@kind-e2e/telemetry';
import type { AlertingRule } from './rule-file.ts';
import { expandAlertTemplate } from './template.ts';

export interface Alert {
  readonly labels: Labels;
  annotations: Readonly<Record<string, string>>;
  state: 'pending' | 'firing' | 'inactive';
  readonly activeAtMs: number;
  firedAtMs: number;
  resolvedAtMs: number;
  keepFiringSinceMs: number;
  value: number;
}

/** How long a resolved alert is remembered, so that receivers hear of its end (rules/alerting.go, `resolvedRetention`). */
const RESOLVED_RETENTION_MS = 900_000;

/** Rules that wait for less start anew after a restart; the others wait at least so long (`--rules.alert.for-grace-period`). */
const FOR_GRACE_MS = 600_000;
/** After a restart the first evaluation may be without the latest samples, so that the second restores too. */
const RESTORING_EVALUATIONS = 2;

/** When an alert was last seen before a restart, and since when it had been active then. */
export interface EarlierState {
  readonly activeAtMs: number;
  readonly downAtMs: number;
}

/** Since when an alert counts as active after a restart (rules/group.go, `RestoreForState`). */
export function restoredActiveAt({ activeAtMs, downAtMs }: EarlierState, nowMs: number, forMs: number): number {
  const remaining = forMs - (downAtMs - activeAtMs);
  // It was firing already.
  if (remaining <= 0) return activeAtMs;
  if (remaining < FOR_GRACE_MS) return nowMs + FOR_GRACE_MS - forMs;
  // The time in between does not count.
  return activeAtMs + (nowMs - downAtMs);
}

/** The alerts of one rule, evaluation by evaluation (rules/alerting.go, `Eval`). */
export class AlertState {
  readonly rule: AlertingRule;
  readonly #externalLabels: Readonly<Record<string, string>>;
  readonly #active = new Map<string, Alert>();
  #evaluations = 0;

  constructor(rule: AlertingRule, externalLabels: Readonly<Record<string, string>>) {
    this.rule = rule;
    this.#externalLabels = externalLabels;
  }

  /**
   * Takes the result of the expression. `earlier` tells how an alert was before a restart. Throws where there are more
   * active alerts than the limit (0 for none), and then has none.
   */
  update(
    result: readonly VectorSample[],
    nowMs: number,
    limit: number,
    earlier: (labels: Labels) => EarlierState | undefined,
  ): void {
    const { rule } = this;
    const mayRestore = this.#evaluations++ < RESTORING_EVALUATIONS && rule.forMs >= FOR_GRACE_MS;
    const seen = new Set<string>();
    for (const sample of result) {
      const own = sample.labels.without(new Set(['__name__']));
      const data = { labels: own.toObject(), value: sample.value, externalLabels: this.#externalLabels };
      const expand = (texts: Readonly<Record<string, string>>): Record<string, string> =>
        Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, expandAlertTemplate(text, data)]));
      const labels = own.with({ ...expand(rule.labels), alertname: rule.alert });
      if (seen.has(labels.key))
        throw new Error('vector contains metrics with the same labelset after applying alert labels');
      seen.add(labels.key);
      const annotations = expand(rule.annotations);
      const known = this.#active.get(labels.key);
      if (known && known.state !== 'inactive') {
        known.value = sample.value;
        known.annotations = annotations;
        known.keepFiringSinceMs = 0;
        continue;
      }
      const before = mayRestore ? earlier(labels) : undefined;
      this.#active.set(labels.key, {
        labels,
        annotations,
        state: 'pending',
        activeAtMs: before === undefined ? nowMs : restoredActiveAt(before, nowMs, rule.forMs),
        firedAtMs: 0,
        resolvedAtMs: 0,
        keepFiringSinceMs: 0,
        value: sample.value,
      });
    }
    for (const [key, alert] of this.#active) {
      if (!seen.has(key)) {
        if (alert.state === 'firing' && rule.keepFiringForMs > 0) {
          alert.keepFiringSinceMs ||= nowMs;
          if (nowMs - alert.keepFiringSinceMs < rule.keepFiringForMs) continue;
        }
        if (alert.state === 'pending' || (alert.resolvedAtMs > 0 && nowMs - alert.resolvedAtMs > RESOLVED_RETENTION_MS))
          this.#active.delete(key);
        if (alert.state !== 'inactive') {
          alert.state = 'inactive';
          alert.resolvedAtMs = nowMs;
        }
        continue;
      }
      if (alert.state === 'pending' && nowMs - alert.activeAtMs >= rule.forMs) {
        alert.state = 'firing';
        alert.firedAtMs = nowMs;
      }
    }
    const active = this.active.length;
    if (limit > 0 && active > limit) {
      this.#active.clear();
      throw new Error(`exceeded limit of ${limit} with ${active} alerts`);
    }
  }

  /** Pending and firing ones. */
  get active(): Alert[] {
    return [...this.#active.values()].filter((alert) => alert.state !== 'inactive');
  }

  /** Those that receivers hear of: firing, or resolved of late. */
  get notifiable(): Alert[] {
    return [...this.#active.values()].filter((alert) => alert.state === 'firing' || alert.resolvedAtMs > 0);
  }

  get state(): 'pending' | 'firing' | 'inactive' {
    const states = this.active.map((alert) => alert.state);
    return states.includes('firing') ? 'firing' : states.includes('pending') ? 'pending' : 'inactive';
  }
}
