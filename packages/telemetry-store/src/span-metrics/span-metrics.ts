import { type Clock, type Logger, silentLogger, systemClock } from '@kind-e2e/base';
import { Labels, type MetricWriter, type Sample } from '@kind-e2e/telemetry';
import type { SpanCatalog } from '../traces/catalog.ts';
import type { ArrivedSpan } from '../traces/head.ts';
import type { TraceStore } from '../traces/trace-store.ts';

export interface SpanMetricsOptions {
  readonly traces: TraceStore;
  readonly writer: MetricWriter;
  /** How often the metrics are written. Default 5 s. */
  readonly intervalMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** Upper bounds in milliseconds: the collector's spanmetrics connector's defaults. */
const BOUNDS_MS = [2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10_000, 15_000];
/** Sets of labels that are counted; spans of further ones are not, which is said once. */
const MAX_SERIES = 5000;
const KINDS: Readonly<Record<string, string>> = {
  unspecified: 'SPAN_KIND_UNSPECIFIED',
  internal: 'SPAN_KIND_INTERNAL',
  server: 'SPAN_KIND_SERVER',
  client: 'SPAN_KIND_CLIENT',
  producer: 'SPAN_KIND_PRODUCER',
  consumer: 'SPAN_KIND_CONSUMER',
};

interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly valueMs: number;
  readonly timestampMs: number;
}

interface Counter {
  readonly base: Labels;
  readonly calls: Labels;
  readonly sum: Labels;
  readonly count: Labels;
  readonly buckets: readonly Labels[];
  readonly counts: Float64Array;
  total: number;
  sumMs: number;
  readonly exemplars: (Exemplar | undefined)[];
  changed: boolean;
  writtenAt: number;
}

/** Counters that did not change are written at least this often, within PromQL's look-back. */
const REPEAT_MS = 60_000;

/**
 * Request rate, errors and duration of spans: `traces_span_metrics_calls_total` and
 * `traces_span_metrics_duration_milliseconds`, as the collector's spanmetrics connector names and labels them, with
 * exemplars that lead to a trace. Counts since the start of the process, as any exporter's.
 */
export class SpanMetrics implements AsyncDisposable {
  readonly #options: Required<SpanMetricsOptions>;
  /** By operation and status: operation * 2 + (error ? 1 : 0). */
  readonly #counters = new Map<number, Counter>();
  readonly #listening: Disposable;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  #warned = false;

  constructor(options: SpanMetricsOptions) {
    this.#options = { intervalMs: 5000, clock: systemClock, logger: silentLogger, ...options };
    this.#listening = options.traces.listen((span, catalog) => this.#count(span, catalog));
    this.#done = this.#run();
    options.writer.setMetadata('traces_span_metrics_calls_total', {
      type: 'counter',
      help: 'Spans by service, name, kind and status.',
      unit: '',
    });
    options.writer.setMetadata('traces_span_metrics_duration_milliseconds', {
      type: 'histogram',
      help: 'Duration of spans by service, name, kind and status.',
      unit: 'ms',
    });
  }

  #count(span: ArrivedSpan, catalog: SpanCatalog): void {
    const key = span.operation * 2 + (span.isError ? 1 : 0);
    let counter = this.#counters.get(key);
    if (!counter) {
      if (this.#counters.size >= MAX_SERIES) {
        if (!this.#warned) this.#options.logger.warn('too many span names for span metrics; new ones are not counted');
        this.#warned = true;
        return;
      }
      counter = newCounter(span, catalog);
      this.#counters.set(key, counter);
    }
    const valueMs = Math.max(0, span.durationNs) / 1e6;
    let bucket = 0;
    while (bucket < BOUNDS_MS.length && valueMs > (BOUNDS_MS[bucket] ?? Infinity)) bucket++;
    counter.counts[bucket] = (counter.counts[bucket] ?? 0) + 1;
    counter.total++;
    counter.sumMs += valueMs;
    counter.changed = true;
    // One exemplar of each bucket and interval is enough, and strings are dear.
    counter.exemplars[bucket] ??= {
      traceId: span.bytes.toString('hex', span.traceIdAt, span.traceIdAt + 16),
      spanId: span.bytes.toString('hex', span.spanIdAt, span.spanIdAt + 8),
      valueMs,
      timestampMs: Math.trunc(this.#options.clock.now()),
    };
  }

  async #run(): Promise<void> {
    const { clock, intervalMs, logger } = this.#options;
    for (;;) {
      try {
        await clock.sleep(intervalMs, this.#abort.signal);
      } catch {
        return;
      }
      try {
        await this.#write();
      } catch (error) {
        logger.warn('span metrics could not be stored', { error });
      }
    }
  }

  async #write(): Promise<void> {
    const { clock, writer } = this.#options;
    const timestampMs = Math.trunc(clock.now());
    const samples: Sample[] = [];
    for (const counter of this.#counters.values()) {
      if (!counter.changed && timestampMs - counter.writtenAt < REPEAT_MS) continue;
      counter.changed = false;
      counter.writtenAt = timestampMs;
      const last = counter.exemplars.findLast((exemplar) => exemplar !== undefined);
      samples.push({ labels: counter.calls, timestampMs, value: counter.total, ...exemplarOf(last) });
      let total = 0;
      counter.buckets.forEach((labels, i) => {
        total += counter.counts[i] ?? 0;
        samples.push({ labels, timestampMs, value: total, ...exemplarOf(counter.exemplars[i]) });
        counter.exemplars[i] = undefined;
      });
      samples.push({ labels: counter.sum, timestampMs, value: counter.sumMs });
      samples.push({ labels: counter.count, timestampMs, value: counter.total });
    }
    if (samples.length > 0) await writer.append(samples);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening[Symbol.dispose]();
    this.#abort.abort();
    await this.#done;
  }
}

function newCounter(span: ArrivedSpan, catalog: SpanCatalog): Counter {
  const operation = catalog.operations[span.operation];
  const base = Labels.fromObject({
    service_name: operation?.service ?? '',
    span_name: operation?.name ?? 'other',
    span_kind: KINDS[operation?.kind ?? 'unspecified'] ?? '',
    status_code: span.isError ? 'STATUS_CODE_ERROR' : 'STATUS_CODE_UNSET',
  });
  const named = (name: string, extra: Record<string, string> = {}): Labels => base.with({ __name__: name, ...extra });
  const duration = 'traces_span_metrics_duration_milliseconds';
  return {
    base,
    calls: named('traces_span_metrics_calls_total'),
    sum: named(`${duration}_sum`),
    count: named(`${duration}_count`),
    buckets: [...BOUNDS_MS.map(String), '+Inf'].map((le) => named(`${duration}_bucket`, { le })),
    counts: new Float64Array(BOUNDS_MS.length + 1),
    total: 0,
    sumMs: 0,
    exemplars: new Array(BOUNDS_MS.length + 1).fill(undefined),
    changed: false,
    writtenAt: 0,
  };
}

function exemplarOf(exemplar: Exemplar | undefined): Pick<Sample, 'exemplar'> {
  if (!exemplar) return {};
  const { traceId, spanId, valueMs, timestampMs } = exemplar;
  return {
    exemplar: { labels: Labels.fromObject({ trace_id: traceId, span_id: spanId }), value: valueMs, timestampMs },
  };
}
