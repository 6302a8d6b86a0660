import { type Clock, type Logger, messageOf, silentLogger, systemClock } from '@kind-e2e/base';
import { createEngine, type EngineOptions, type QueryEngine, type VectorSample } from '@kind-e2e/promql';
import { isStaleAt, Labels, METRIC_NAME, type MetricReader, type MetricWriter, type Sample } from '@kind-e2e/telemetry';
import { type Alert, AlertState, type EarlierState } from './alert-state.ts';
import { AlertNotifier } from './notifier.ts';
import { type AlertingRule, parseRuleFile, type RecordingRule, type RuleFile, type RuleGroup } from './rule-file.ts';

export interface RuleEngineOptions {
  readonly metrics: MetricReader & MetricWriter;
  readonly files: readonly RuleFile[];
  /** Default: an engine with Prometheus' defaults. */
  readonly engine?: QueryEngine;
  /** Of the default engine: what Prometheus has behind `--enable-feature`. */
  readonly promqlFeatures?: Pick<EngineOptions, 'experimentalFunctions' | 'durationExpressions'>;
  /** For groups that name none. Default 1 minute. */
  readonly evaluationIntervalMs?: number;
  readonly externalLabels?: Readonly<Record<string, string>>;
  /** URLs that take Alertmanager's webhook format. */
  readonly webhooks?: readonly string[];
  /** URLs of Alertmanager's /api/v2/alerts. */
  readonly alertmanagers?: readonly string[];
  /** Where people find the alerts. Default ''. */
  readonly externalUrl?: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

interface RunningRule {
  readonly rule: RecordingRule | AlertingRule;
  readonly alerts: AlertState | undefined;
  /** Series written last time, to be marked as stale when they are not any more. */
  series: Map<string, Labels>;
  health: 'ok' | 'err' | 'unknown';
  lastError: string;
  evaluationMs: number;
  lastMs: number;
}

interface RunningGroup {
  readonly group: RuleGroup;
  readonly rules: readonly RunningRule[];
  readonly abort: AbortController;
  done: Promise<void>;
  evaluationMs: number;
  lastMs: number;
}

/** How far back a pending alert's start is looked for after a restart (`--rules.alert.for-outage-tolerance`). */
const OUTAGE_TOLERANCE_MS = 3_600_000;

/** Evaluates recording and alerting rules as Prometheus does (rules/group.go). Starts at once. */
export class RuleEngine implements AsyncDisposable {
  readonly #options: Required<Omit<RuleEngineOptions, 'files'>>;
  readonly #notifier: AlertNotifier;
  #groups: RunningGroup[] = [];

  constructor(options: RuleEngineOptions) {
    const { clock = systemClock, logger = silentLogger } = options;
    this.#options = {
      evaluationIntervalMs: 60_000,
      externalLabels: {},
      webhooks: [],
      alertmanagers: [],
      externalUrl: '',
      promqlFeatures: {},
      ...options,
      engine: options.engine ?? createEngine({ ...options.promqlFeatures, clock }),
      clock,
      logger,
    };
    this.#notifier = new AlertNotifier({ ...this.#options });
    this.reload(options.files);
  }

  /** Takes other files; throws a LabError, and keeps the old rules, where one is wrong. Groups that are the same go on. */
  reload(files: readonly RuleFile[]): void {
    const groups = files.flatMap((file) =>
      parseRuleFile(file, this.#options.evaluationIntervalMs, this.#options.promqlFeatures),
    );
    const before = this.#groups;
    this.#groups = groups.map((group) => {
      const same = before.find((running) => JSON.stringify(running.group) === JSON.stringify(group));
      return same ?? this.#start(group);
    });
    for (const running of before) if (!this.#groups.includes(running)) running.abort.abort();
  }

  #start(group: RuleGroup): RunningGroup {
    const running: RunningGroup = {
      group,
      rules: group.rules.map((rule) => ({
        rule,
        alerts: rule.kind === 'alerting' ? new AlertState(rule, this.#options.externalLabels) : undefined,
        series: new Map(),
        health: 'unknown',
        lastError: '',
        evaluationMs: 0,
        lastMs: 0,
      })),
      abort: new AbortController(),
      done: Promise.resolve(),
      evaluationMs: 0,
      lastMs: 0,
    };
    running.done = this.#run(running);
    return running;
  }

  async #run(running: RunningGroup): Promise<void> {
    const { clock, logger } = this.#options;
    const { intervalMs } = running.group;
    const { signal } = running.abort;
    let next = clock.now() + Math.min(1000, intervalMs);
    for (;;) {
      try {
        await clock.sleep(Math.max(0, next - clock.now()), signal);
      } catch {
        return;
      }
      try {
        await this.#evaluate(running, Math.trunc(clock.now()), signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn('a rule group could not be evaluated', { group: running.group.name, error });
      }
      next += intervalMs;
      if (next < clock.now()) next = clock.now() + intervalMs;
    }
  }

  async #evaluate(running: RunningGroup, nowMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const began = clock.monotonic();
    const timeMs = nowMs - running.group.queryOffsetMs;
    for (const one of running.rules) {
      const start = clock.monotonic();
      try {
        await this.#evaluateRule(one, running.group, timeMs, signal);
        one.health = 'ok';
        one.lastError = '';
      } catch (error) {
        if (signal.aborted) throw error;
        one.health = 'err';
        one.lastError = messageOf(error);
      }
      one.evaluationMs = clock.monotonic() - start;
      one.lastMs = nowMs;
    }
    running.evaluationMs = clock.monotonic() - began;
    running.lastMs = nowMs;
    await this.#notifier.notify(
      this.#groups.flatMap(({ rules }) => rules.flatMap(({ alerts }) => alerts?.notifiable ?? [])),
    );
  }

  async #evaluateRule(one: RunningRule, group: RuleGroup, timeMs: number, signal: AbortSignal): Promise<void> {
    const { engine, metrics } = this.#options;
    const { value } = await engine.instant(metrics, one.rule.expr, timeMs, { signal });
    let vector: readonly VectorSample[];
    if (value.type === 'vector') vector = value.samples;
    else if (value.type === 'scalar') vector = [{ labels: Labels.EMPTY, timestampMs: timeMs, value: value.value }];
    else throw new Error('rule result is not a vector or scalar');
    if (one.rule.kind === 'recording' && group.limit > 0 && vector.length > group.limit)
      throw new Error(`exceeded limit of ${group.limit} with ${vector.length} series`);
    const samples =
      one.rule.kind === 'recording' ? recorded(one.rule, vector, timeMs) : this.#alerted(one, group, vector, timeMs);
    const seen = new Map(samples.map((sample) => [sample.labels.key, sample.labels]));
    if (seen.size < samples.length)
      throw new Error('vector contains metrics with the same labelset after applying rule labels');
    for (const [key, labels] of one.series)
      if (!seen.has(key)) samples.push({ labels, timestampMs: timeMs, value: 0, stale: true });
    one.series = seen;
    if (samples.length > 0) await metrics.append(samples);
  }

  #alerted({ alerts }: RunningRule, group: RuleGroup, vector: readonly VectorSample[], timeMs: number): Sample[] {
    if (!alerts) return [];
    alerts.update(vector, timeMs, group.limit, (labels) => this.#earlierState(labels, timeMs));
    return alerts.active.flatMap((alert): Sample[] => [
      {
        labels: alert.labels.with({ [METRIC_NAME]: 'ALERTS', alertstate: alert.state }),
        timestampMs: timeMs,
        value: 1,
      },
      {
        labels: alert.labels.with({ [METRIC_NAME]: 'ALERTS_FOR_STATE' }),
        timestampMs: timeMs,
        value: Math.trunc(alert.activeAtMs / 1000),
      },
    ]);
  }

  /** How an alert was before this process, from the series that tells it. */
  #earlierState(labels: Labels, nowMs: number): EarlierState | undefined {
    const wanted = labels.with({ [METRIC_NAME]: 'ALERTS_FOR_STATE' });
    const matchers = [...wanted].map(([name, value]) => ({
      name,
      operator: '=' as const,
      value,
      matches: (text: string) => text === value,
    }));
    const [found] = this.#options.metrics.select({ matchers, startMs: nowMs - OUTAGE_TOLERANCE_MS, endMs: nowMs - 1 });
    const last = (found?.values.length ?? 0) - 1;
    if (!found || last < 0 || isStaleAt(found.values, last)) return undefined;
    const downAtMs = Math.trunc((found.timestamps[last] ?? 0) / 1000) * 1000;
    return { activeAtMs: Math.trunc(found.values[last] ?? 0) * 1000, downAtMs };
  }

  /** For `/api/v1/rules`. */
  groups(): ReturnType<typeof describeGroup>[] {
    return this.#groups.map(describeGroup);
  }

  /** For `/api/v1/alerts`. */
  alerts(): ReturnType<typeof describeAlert>[] {
    return this.#groups.flatMap(({ rules }) =>
      rules.flatMap(({ alerts }) => (alerts?.active ?? []).map(describeAlert)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#groups) running.abort.abort();
    await Promise.all(this.#groups.map((running) => running.done));
  }
}

function recorded(rule: RecordingRule, vector: readonly VectorSample[], timestampMs: number): Sample[] {
  return vector.map(({ labels, value, histogram }) => ({
    labels: labels.with({ ...rule.labels, [METRIC_NAME]: rule.record }),
    timestampMs,
    value,
    ...(histogram && { histogram }),
  }));
}

function describeAlert(alert: Alert): {
  labels: Record<string, string>;
  annotations: Readonly<Record<string, string>>;
  state: Alert['state'];
  activeAt: string;
  value: string;
} {
  return {
    labels: alert.labels.toObject(),
    annotations: alert.annotations,
    state: alert.state,
    activeAt: new Date(alert.activeAtMs).toISOString(),
    value: alert.value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2'),
  };
}

function timeText(ms: number): string {
  return ms === 0 ? '0001-01-01T00:00:00Z' : new Date(ms).toISOString();
}

function describeRule(one: RunningRule) {
  const base = {
    query: one.rule.expr,
    labels: one.rule.labels,
    health: one.health,
    ...(one.lastError !== '' && { lastError: one.lastError }),
    evaluationTime: one.evaluationMs / 1000,
    lastEvaluation: timeText(one.lastMs),
  };
  if (one.rule.kind === 'recording') return { ...base, type: 'recording' as const, name: one.rule.record };
  return {
    ...base,
    type: 'alerting' as const,
    name: one.rule.alert,
    state: one.alerts?.state ?? ('inactive' as const),
    duration: one.rule.forMs / 1000,
    keepFiringFor: one.rule.keepFiringForMs / 1000,
    annotations: one.rule.annotations,
    alerts: (one.alerts?.active ?? []).map(describeAlert),
  };
}

function describeGroup({ group, rules, evaluationMs, lastMs }: RunningGroup) {
  return {
    name: group.name,
    file: group.file,
    interval: group.intervalMs / 1000,
    limit: group.limit,
    evaluationTime: evaluationMs / 1000,
    lastEvaluation: timeText(lastMs),
    rules: rules.map(describeRule),
  };
}
