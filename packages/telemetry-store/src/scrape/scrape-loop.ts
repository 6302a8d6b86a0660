import { isUtf8 } from 'node:buffer';
import { type Clock, type Logger, messageOf } from '@kind-e2e/base';
import { Labels, METRIC_NAME, type MetricMetadata, type MetricWriter, type Sample } from '@kind-e2e/telemetry';
import type { ScrapeConfig } from './config-model.ts';
import type { TargetClient } from './fetch-target.ts';
import { parseProtobufExposition } from './protobuf-parser.ts';
import { relabel } from './relabel.ts';
import type { Target } from './target.ts';
import { type ExposedSample, type Exposition, parseExposition } from './text-parser.ts';

export interface ScrapeLoopOptions {
  readonly target: Target;
  readonly config: ScrapeConfig;
  readonly client: TargetClient;
  readonly writer: MetricWriter;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ScrapeState {
  health: 'up' | 'down' | 'unknown';
  lastError: string;
  lastScrapeMs: number;
  lastDurationMs: number;
}

const PROTOBUF_TYPE = 'application/vnd.google.protobuf';
const CONTENT_TYPES: ReadonlySet<string> = new Set(['text/plain', 'application/openmetrics-text', PROTOBUF_TYPE]);

/** What `fallback_scrape_protocol` may be, for targets that do not say what they send (config.ScrapeProtocol). */
const FALLBACK_TYPES: Readonly<Record<string, string>> = {
  PrometheusProto: PROTOBUF_TYPE,
  'PrometheusText0.0.4': 'text/plain',
  'PrometheusText1.0.0': 'text/plain',
  'OpenMetricsText0.0.1': 'application/openmetrics-text',
  'OpenMetricsText1.0.0': 'application/openmetrics-text',
};

/** A scrape that begins this much of an interval late still gets the time it was due, so that times stay regular. */
const TOLERANCE = 0.01;

/** Scrapes one target until it is disposed (scrape/scrape.go, `scrapeLoop`). */
export class ScrapeLoop implements AsyncDisposable {
  readonly state: ScrapeState = { health: 'unknown', lastError: '', lastScrapeMs: 0, lastDurationMs: 0 };
  readonly metadata = new Map<string, { type: MetricMetadata['type']; help: string; unit: string }>();
  readonly #options: ScrapeLoopOptions;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  /** What became of a sample's labels, by the text that the target gave; undefined where a rule drops it. */
  readonly #cache = new Map<string, { labels: Labels | undefined; round: number }>();
  /** Exemplars without a time of their own, as they were last seen: told again, they are no news. */
  readonly #exemplars = new Map<string, string>();
  /** Series of the last scrape, which get a stale marker when they are missing in the next. */
  #series = new Map<string, Labels>();
  #round = 0;
  #lastTime = 0;

  constructor(options: ScrapeLoopOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  get target(): Target {
    return this.#options.target;
  }

  async #run(): Promise<void> {
    const { clock, target, logger } = this.#options;
    const { signal } = this.#abort;
    const { intervalMs } = target;
    // Each target has its own moment within the interval, so that they do not all come at once.
    const offset = hash(target.key) % intervalMs;
    let due = Math.floor((clock.now() - offset) / intervalMs) * intervalMs + offset;
    // The first one comes soon, for people who wait for it.
    let next = clock.now() + (hash(target.key) % Math.min(intervalMs, 500));
    for (;;) {
      try {
        await clock.sleep(Math.max(0, next - clock.now()), signal);
      } catch {
        return;
      }
      const now = clock.now();
      const time = Math.abs(now - due) <= intervalMs * TOLERANCE ? due : now;
      try {
        await this.#scrape(Math.max(time, this.#lastTime + 1));
      } catch (error) {
        logger.warn('samples of a target could not be stored', { url: target.url, error });
      }
      due = Math.max(due + intervalMs, Math.floor((clock.now() - offset) / intervalMs) * intervalMs + offset);
      if (due <= clock.now()) due += intervalMs;
      next = due;
    }
  }

  async #scrape(timeMs: number): Promise<void> {
    const { clock, target, client, writer } = this.#options;
    const started = clock.monotonic();
    const timeout = new AbortController();
    const timer = clock.after(target.timeoutMs, () => timeout.abort(new Error('context deadline exceeded')));
    const collected = new Collector(
      this.#options,
      timeMs,
      (sample) => this.#labelsOf(sample),
      this.metadata,
      this.#exemplars,
    );
    let error = '';
    this.#round++;
    try {
      const signal = AbortSignal.any([timeout.signal, this.#abort.signal]);
      const { body, contentType } = await client.fetch(target.url, target.timeoutMs, signal);
      collected.read(body, contentType);
    } catch (failure) {
      if (this.#abort.signal.aborted) return;
      error = timeout.signal.aborted
        ? `Get ${JSON.stringify(target.url)}: context deadline exceeded`
        : messageOf(failure);
    } finally {
      timer[Symbol.dispose]();
    }
    const durationMs = clock.monotonic() - started;
    const samples: Sample[] = error === '' ? collected.samples : [];
    const seen = error === '' ? collected.series : new Map<string, Labels>();
    let added = 0;
    for (const key of seen.keys()) if (!this.#series.has(key)) added++;
    for (const [key, labels] of this.#series)
      if (!seen.has(key)) samples.push({ labels, timestampMs: timeMs, value: 0, stale: true });
    this.#series = seen;
    this.#lastTime = timeMs;
    this.#forgetUnused();
    const report = this.#report(timeMs, {
      up: error === '' ? 1 : 0,
      scrape_duration_seconds: durationMs / 1000,
      scrape_samples_scraped: collected.scraped,
      scrape_samples_post_metric_relabeling: collected.samples.length,
      scrape_series_added: added,
    });
    Object.assign(this.state, {
      health: error === '' ? 'up' : 'down',
      lastError: error,
      lastScrapeMs: timeMs,
      lastDurationMs: durationMs,
    });
    if (error === '') for (const [name, metadata] of this.metadata) writer.setMetadata(name, metadata);
    await writer.append([...samples, ...report]);
  }

  #report(timestampMs: number, values: Readonly<Record<string, number>>): Sample[] {
    return Object.entries(values).map(([name, value]) => ({ labels: this.#reportLabels(name), timestampMs, value }));
  }

  #reportLabels(name: string): Labels {
    return this.#options.target.labels.with({ [METRIC_NAME]: name });
  }

  #labelsOf(sample: ExposedSample): Labels | undefined {
    const known = this.#cache.get(sample.key);
    if (known) {
      known.round = this.#round;
      return known.labels;
    }
    const { config, target } = this.#options;
    const labels = relabel(mergeLabels(sample, target.labels, config.honorLabels), config.metricRelabelConfigs);
    this.#cache.set(sample.key, { labels: labels?.has(METRIC_NAME) ? labels : undefined, round: this.#round });
    return labels?.has(METRIC_NAME) ? labels : undefined;
  }

  #forgetUnused(): void {
    if (this.#cache.size <= this.#series.size + 100) return;
    for (const [key, entry] of this.#cache) {
      if (entry.round === this.#round) continue;
      this.#cache.delete(key);
      this.#exemplars.delete(key);
    }
  }

  /** Stops, and marks all series of the target as gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#abort.signal.aborted) {
      await this.#done;
      return;
    }
    this.#abort.abort();
    await this.#done;
    if (this.#lastTime === 0) return;
    const timestampMs = Math.max(this.#lastTime + 1, this.#options.clock.now());
    const names = [
      'up',
      'scrape_duration_seconds',
      'scrape_samples_scraped',
      'scrape_samples_post_metric_relabeling',
      'scrape_series_added',
    ];
    const gone = [...this.#series.values(), ...names.map((name) => this.#reportLabels(name))];
    this.#series.clear();
    try {
      await this.#options.writer.append(gone.map((labels) => ({ labels, timestampMs, value: 0, stale: true })));
    } catch (error) {
      this.#options.logger.warn('stale markers of a target could not be stored', { url: this.target.url, error });
    }
  }
}

/** Takes what one scrape exposes, within the limits of the job. */
class Collector implements Exposition {
  readonly samples: Sample[] = [];
  /** Series without a time of their own. */
  readonly series = new Map<string, Labels>();
  scraped = 0;
  readonly #options: ScrapeLoopOptions;
  readonly #timeMs: number;
  readonly #labelsOf: (sample: ExposedSample) => Labels | undefined;
  readonly #metadata: ScrapeLoop['metadata'];
  readonly #exemplars: Map<string, string>;

  constructor(
    options: ScrapeLoopOptions,
    timeMs: number,
    labelsOf: (sample: ExposedSample) => Labels | undefined,
    metadata: ScrapeLoop['metadata'],
    exemplars: Map<string, string>,
  ) {
    this.#options = options;
    this.#timeMs = timeMs;
    this.#labelsOf = labelsOf;
    this.#metadata = metadata;
    this.#exemplars = exemplars;
  }

  read(body: Buffer, contentType: string): void {
    const given = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
    const type = CONTENT_TYPES.has(given)
      ? given
      : (FALLBACK_TYPES[this.#options.config.fallbackProtocol ?? ''] ?? given);
    if (type === PROTOBUF_TYPE) parseProtobufExposition(body, this.#options.config.scrapeNativeHistograms, this);
    else if (type === 'text/plain' || type === 'application/openmetrics-text') {
      if (!isUtf8(body)) throw new Error('invalid UTF-8 in the exposition');
      parseExposition(body.toString('utf8'), type === 'application/openmetrics-text', this);
    } else if (type === '')
      throw new Error(
        'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target',
      );
    else
      throw new Error(
        `received unsupported Content-Type ${JSON.stringify(contentType)} and no fallback_scrape_protocol specified for target`,
      );
  }

  sample(exposed: ExposedSample): void {
    const { config } = this.#options;
    this.scraped++;
    const labels = this.#labelsOf(exposed);
    if (!labels) return;
    if (config.sampleLimit > 0 && this.samples.length >= config.sampleLimit) throw new Error('sample limit exceeded');
    this.#checkLabels(labels);
    const ownTime = config.honorTimestamps ? exposed.timestampMs : undefined;
    const timestampMs = ownTime ?? this.#timeMs;
    const { exemplar, histogram, value } = exposed;
    this.samples.push({
      labels,
      timestampMs,
      value,
      ...(histogram && { histogram }),
      ...(exemplar &&
        this.#isNews(exposed.key, exemplar) && {
          exemplar: { ...exemplar, timestampMs: exemplar.timestampMs ?? timestampMs },
        }),
    });
    if (ownTime === undefined) this.series.set(exposed.key, labels);
  }

  #isNews(key: string, { labels, value, timestampMs }: NonNullable<ExposedSample['exemplar']>): boolean {
    if (timestampMs !== undefined) return true;
    const text = `${value}\0${labels.key}`;
    if (this.#exemplars.get(key) === text) return false;
    this.#exemplars.set(key, text);
    return true;
  }

  #checkLabels(labels: Labels): void {
    const { labelLimit, labelNameLengthLimit, labelValueLengthLimit } = this.#options.config;
    if (labelLimit > 0 && labels.size > labelLimit)
      throw new Error(
        `label_limit exceeded (metric: ${labels.get(METRIC_NAME)}, number of labels: ${labels.size}, limit: ${labelLimit})`,
      );
    if (labelNameLengthLimit === 0 && labelValueLengthLimit === 0) return;
    for (const [name, value] of labels) {
      if (labelNameLengthLimit > 0 && name.length > labelNameLengthLimit)
        throw new Error(
          `label_name_length_limit exceeded (metric: ${labels.get(METRIC_NAME)}, label name: ${name}, limit: ${labelNameLengthLimit})`,
        );
      if (labelValueLengthLimit > 0 && value.length > labelValueLengthLimit)
        throw new Error(
          `label_value_length_limit exceeded (metric: ${labels.get(METRIC_NAME)}, label name: ${name}, limit: ${labelValueLengthLimit})`,
        );
    }
  }

  metadata(metric: string, change: Partial<MetricMetadata>): void {
    const known = this.#metadata.get(metric);
    this.#metadata.set(metric, { type: 'unknown', help: '', unit: '', ...known, ...change });
  }
}

/** Labels of the sample and of its target (scrape/scrape.go, `mutateSampleLabels`). */
function mergeLabels(sample: ExposedSample, target: Labels, honorLabels: boolean): Labels {
  const merged = new Map<string, string>();
  for (const [name, value] of sample.labels) merged.set(name, value);
  if (honorLabels) {
    for (const [name, value] of target) if (!merged.get(name)) merged.set(name, value);
  } else {
    for (const [name, value] of target) {
      const own = merged.get(name);
      if (own) {
        let exported = `exported_${name}`;
        while (merged.has(exported) || target.has(exported)) exported = `exported_${exported}`;
        merged.set(exported, own);
      }
      merged.set(name, value);
    }
  }
  merged.set(METRIC_NAME, sample.name);
  return Labels.from(merged);
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
