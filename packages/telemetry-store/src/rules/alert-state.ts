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

/** The alerts of one rule, evaluation by evaluation (rules/alerting.go, `Eval`). */
export class AlertState {
  readonly rule: AlertingRule;
  readonly #externalLabels: Readonly<Record<string, string>>;
  readonly #active = new Map<string, Alert>();

  constructor(rule: AlertingRule, externalLabels: Readonly<Record<string, string>>) {
    this.rule = rule;
    this.#externalLabels = externalLabels;
  }

  /** Takes the result of the expression. `activeSince` tells since when an alert was active before a restart. */
  update(result: readonly VectorSample[], nowMs: number, activeSince: (labels: Labels) => number | undefined): void {
    const { rule } = this;
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
      this.#active.set(labels.key, {
        labels,
        annotations,
        state: 'pending',
        activeAtMs: activeSince(labels) ?? nowMs,
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
