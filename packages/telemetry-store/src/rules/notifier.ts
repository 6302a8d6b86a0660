import { createHash } from 'node:crypto';
import { type Clock, type Logger, messageOf } from '@kind-e2e/base';
import type { Labels } from '@kind-e2e/telemetry';
import type { Alert } from './alert-state.ts';

export interface NotifierOptions {
  /** URLs that take Alertmanager's webhook format, version 4. */
  readonly webhooks: readonly string[];
  /** URLs of Alertmanager's /api/v2/alerts. */
  readonly alertmanagers: readonly string[];
  readonly externalUrl: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A firing alert is told again after this time. */
const REPEAT_MS = 4 * 3_600_000;
const RESEND_MS = 60_000;
const TIMEOUT_MS = 10_000;

/** Tells receivers of alerts: a webhook hears of changes, an Alertmanager of everything, again and again. */
export class AlertNotifier {
  readonly #options: NotifierOptions;
  /** What receivers know: state and time, by fingerprint. */
  readonly #told = new Map<string, { status: 'firing' | 'resolved'; atMs: number }>();
  #sentAtMs = -Infinity;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  async notify(alerts: readonly Alert[]): Promise<void> {
    const { clock, webhooks, alertmanagers } = this.#options;
    const now = clock.now();
    const news = new Map<string, Alert[]>();
    for (const alert of alerts) {
      const fingerprint = fingerprintOf(alert.labels);
      const status = alert.state === 'firing' ? 'firing' : 'resolved';
      const told = this.#told.get(fingerprint);
      if (!told && status === 'resolved') continue;
      if (told?.status === status && (status === 'resolved' || now - told.atMs < REPEAT_MS)) continue;
      this.#told.set(fingerprint, { status, atMs: now });
      const name = alert.labels.get('alertname');
      news.set(name, [...(news.get(name) ?? []), alert]);
    }
    for (const fingerprint of this.#told.keys())
      if (!alerts.some((alert) => fingerprintOf(alert.labels) === fingerprint)) this.#told.delete(fingerprint);
    const sends: Promise<void>[] = [];
    for (const [name, group] of news)
      for (const url of webhooks) sends.push(this.#post(url, this.#webhookBody(name, group)));
    if (alertmanagers.length > 0 && alerts.length > 0 && (news.size > 0 || now - this.#sentAtMs >= RESEND_MS)) {
      this.#sentAtMs = now;
      for (const url of alertmanagers)
        sends.push(
          this.#post(
            url,
            alerts.map((alert) => this.#alertBody(alert)),
          ),
        );
    }
    await Promise.all(sends);
  }

  #alertBody(alert: Alert): Record<string, unknown> {
    return {
      labels: alert.labels.toObject(),
      annotations: alert.annotations,
      startsAt: new Date(alert.firedAtMs || alert.activeAtMs).toISOString(),
      endsAt: alert.resolvedAtMs > 0 ? new Date(alert.resolvedAtMs).toISOString() : '0001-01-01T00:00:00Z',
      generatorURL: `${this.#options.externalUrl}/alerts`,
    };
  }

  /** prometheus.io, "Alertmanager configuration", `<webhook_config>`. */
  #webhookBody(name: string, alerts: readonly Alert[]): unknown {
    const [first] = alerts;
    const common = (records: readonly Readonly<Record<string, string>>[]): Record<string, string> =>
      Object.fromEntries(
        Object.entries(records[0] ?? {}).filter(([key, value]) => records.every((record) => record[key] === value)),
      );
    return {
      version: '4',
      groupKey: `{}:{alertname=${JSON.stringify(name)}}`,
      truncatedAlerts: 0,
      status: alerts.some((alert) => alert.state === 'firing') ? 'firing' : 'resolved',
      receiver: 'webhook',
      groupLabels: { alertname: first?.labels.get('alertname') ?? name },
      commonLabels: common(alerts.map((alert) => alert.labels.toObject())),
      commonAnnotations: common(alerts.map((alert) => alert.annotations)),
      externalURL: this.#options.externalUrl,
      alerts: alerts.map((alert) => ({
        status: alert.state === 'firing' ? 'firing' : 'resolved',
        ...this.#alertBody(alert),
        fingerprint: fingerprintOf(alert.labels),
      })),
    };
  }

  async #post(url: string, body: unknown): Promise<void> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`status ${response.status}`);
    } catch (error) {
      this.#options.logger.warn('an alert could not be sent', { url, error: messageOf(error) });
    }
  }
}

function fingerprintOf(labels: Labels): string {
  return createHash('sha1').update(labels.key).digest('hex').slice(0, 16);
}
