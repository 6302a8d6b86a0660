import { join } from 'node:path';
import type { Clock, Logger } from '@kind-e2e/base';
import {
  type AppendResult,
  compareStrings,
  type ExemplarSeries,
  type LabelMatcher,
  type Labels,
  type MetricMetadata,
  type MetricReader,
  type MetricWriter,
  type Sample,
  type SampleBatch,
  type SampleSeries,
  type SeriesSelection,
} from '@kind-e2e/telemetry';
import { BackgroundWork } from '../background-work.ts';
import { Database } from '../database.ts';
import { LabelIndex } from '../label-index.ts';
import type { Retention, StoreLimits } from '../options.ts';
import { WriteAheadLog } from '../wal/write-ahead-log.ts';
import { MetricAppender } from './appender.ts';
import { DecodedSeries } from './decoded-series.ts';
import { ExemplarRing } from './exemplars.ts';
import { METRICS_SCHEMA, MetricsFile } from './file.ts';
import type { ClosedChunk } from './join-chunks.ts';
import { MetricSealer } from './sealer.ts';
import { Series } from './series.ts';
import { type MetricStatistics, statisticsOf } from './statistics.ts';
import {
  decodeExemplarRecord,
  decodeHistogramRecord,
  decodeSamplesRecord,
  decodeSeriesRecord,
  RECORD_EXEMPLAR,
  RECORD_HISTOGRAM,
  RECORD_SAMPLES,
  RECORD_SERIES,
} from './wal-records.ts';

const MAX_EXEMPLARS = 10_000;

export interface SignalStoreOptions {
  readonly directory: string;
  readonly retention: Retention | undefined;
  readonly limits: StoreLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Metrics: coded heads in memory, a write-ahead log, sealed chunks in SQLite. */
export class MetricStore implements MetricReader, MetricWriter, AsyncDisposable {
  readonly #options: SignalStoreOptions;
  readonly #db: Database;
  readonly #file: MetricsFile;
  readonly #wal: WriteAheadLog;
  readonly #index = new LabelIndex<Series>();
  readonly #byId = new Map<number, Series>();
  readonly #decoded = new DecodedSeries();
  readonly #exemplars = new ExemplarRing<Series>(MAX_EXEMPLARS);
  readonly #metadata = new Map<string, MetricMetadata>();
  readonly #strings = new Map<string, string>();
  readonly #sealer: MetricSealer;
  readonly #appender: MetricAppender;
  readonly #background: BackgroundWork;
  #nextId = 1;
  #disposed = false;

  constructor(options: SignalStoreOptions) {
    this.#options = options;
    const path = join(options.directory, 'metrics.db');
    this.#db = new Database({ path, schema: METRICS_SCHEMA, clock: options.clock, logger: options.logger });
    this.#file = new MetricsFile(this.#db);
    this.#wal = new WriteAheadLog({
      directory: join(options.directory, 'wal'),
      name: 'metrics',
      logger: options.logger,
    });
    this.#load();
    this.#sealer = new MetricSealer({
      file: this.#file,
      db: this.#db,
      wal: this.#wal,
      exemplars: this.#exemplars,
      metadata: this.#metadata,
      series: () => this.#index.values(),
      remove: (series) => this.#remove(series),
      retention: options.retention,
      clock: options.clock,
      keepExemplars: MAX_EXEMPLARS,
    });
    for (const series of this.#index.values()) if (series.firstSequence > 0) this.#sealer.touched(series, true);
    this.#appender = new MetricAppender({
      index: this.#index,
      create: (labels) => this.#create(labels),
      wal: this.#wal,
      exemplars: this.#exemplars,
      sealer: this.#sealer,
      limits: options.limits,
      retention: options.retention,
      clock: options.clock,
    });
    this.#background = new BackgroundWork(() => this.#maintain(), options);
  }

  #intern = (text: string): string => {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    this.#strings.set(text, text);
    return text;
  };

  #load(): void {
    for (const stored of this.#file.series(this.#intern)) {
      const series = new Series(stored.id, stored.labels, true);
      series.minTime = stored.minTime;
      series.maxTime = stored.maxTime;
      series.diskMaxTime = stored.maxTime;
      series.sealedMaxTime = stored.maxTime;
      series.sealedSequence = stored.sequence;
      this.#add(series);
    }
    for (const [name, metadata] of this.#file.metadata()) this.#metadata.set(name, metadata);
    for (const { series, ...exemplar } of this.#file.exemplars(MAX_EXEMPLARS)) {
      const known = this.#byId.get(series);
      if (known) this.#exemplars.add(known, exemplar, 0);
    }
    const sealedExemplars = this.#file.state('exemplar_sequence');
    for (const { sequence, kind, payload } of this.#wal.replay()) {
      try {
        this.#replay(sequence, kind, payload, sealedExemplars);
      } catch (error) {
        this.#options.logger.warn('a record of the write-ahead log makes no sense and was left out', {
          sequence,
          error,
        });
      }
    }
    this.#wal.continueAfter(Math.max(this.#file.newestSequence(), sealedExemplars, this.#file.state('last_sequence')));
    this.#strings.clear();
  }

  #replay(sequence: number, kind: number, payload: Buffer, sealedExemplars: number): void {
    if (kind === RECORD_SERIES) {
      for (const { id, labels } of decodeSeriesRecord(payload, this.#intern)) {
        // An id that the log once gave must not be given again, even where its series is lost.
        this.#nextId = Math.max(this.#nextId, id + 1);
        if (!this.#byId.has(id) && !this.#index.get(labels)) this.#add(new Series(id, labels, false));
      }
    } else if (kind === RECORD_SAMPLES) {
      decodeSamplesRecord(payload, (id, time, value, stale) => {
        const series = this.#byId.get(id);
        if (id >= this.#nextId) this.#nextId = id + 1;
        if (!series || sequence <= series.sealedSequence) return;
        if (series.refusal(time, value, -Infinity) === undefined)
          series.append(time, value, stale, undefined, sequence);
      });
    } else if (kind === RECORD_HISTOGRAM) {
      const { id, time, histogram } = decodeHistogramRecord(payload);
      const series = this.#byId.get(id);
      if (series && sequence > series.sealedSequence) series.append(time, 0, false, histogram, sequence);
    } else if (kind === RECORD_EXEMPLAR) {
      const { id, time, value, labels } = decodeExemplarRecord(payload);
      const series = this.#byId.get(id);
      if (series && sequence > sealedExemplars)
        this.#exemplars.add(series, { labels, value, timestampMs: time }, sequence);
    }
  }

  #add(series: Series): void {
    this.#index.add(series);
    this.#byId.set(series.id, series);
    if (series.id >= this.#nextId) this.#nextId = series.id + 1;
  }

  #maintain(): boolean {
    this.#decoded.dropIdle(this.#options.clock.monotonic());
    return this.#sealer.step();
  }

  #create(labels: Labels): Series {
    const series = new Series(this.#nextId, labels, false);
    this.#add(series);
    return series;
  }

  #remove(series: Series): void {
    series.removed = true;
    this.#index.remove(series);
    this.#byId.delete(series.id);
    this.#exemplars.forget(series);
    this.#decoded.forget(series);
  }

  // --- MetricWriter

  append(samples: readonly Sample[]): Promise<AppendResult> {
    return this.#appender.append(samples);
  }

  appendBatch(batch: SampleBatch): Promise<AppendResult> {
    return this.#appender.appendBatch(batch);
  }

  setMetadata(metricName: string, metadata: MetricMetadata): void {
    const known = this.#metadata.get(metricName);
    if (known?.type === metadata.type && known.help === metadata.help && known.unit === metadata.unit) return;
    this.#metadata.set(metricName, metadata);
    this.#sealer.metadataChanged(metricName);
  }

  // --- MetricReader

  select(selection: SeriesSelection): readonly SampleSeries[] {
    return [...this.scan(selection)];
  }

  *scan({ matchers, startMs, endMs }: SeriesSelection): Generator<SampleSeries> {
    const damaged = (error: unknown): void => this.#db.warnDamage(error);
    const wanted = this.#index.select(matchers);
    const decoded = this.#decoded.forScan(wanted.length, this.#options.clock.monotonic());
    for (const series of wanted) {
      const fromDisk = (): readonly ClosedChunk[] => this.#file.chunks(series.id, startMs, endMs);
      const samples = series.read(startMs, endMs, fromDisk, damaged, decoded);
      if (samples) yield samples;
    }
  }

  series(
    selectors: readonly (readonly LabelMatcher[])[],
    startMs: number,
    endMs: number,
    limit = 0,
  ): readonly Labels[] {
    const found: Labels[] = [];
    for (const series of this.#index.selectAny(selectors)) {
      if (series.maxTime < startMs || series.minTime > endMs) continue;
      found.push(series.labels);
      if (limit > 0 && found.length >= limit) break;
    }
    return found;
  }

  labelNames(selectors: readonly (readonly LabelMatcher[])[], startMs: number, endMs: number): readonly string[] {
    const names = new Set<string>();
    for (const labels of this.series(selectors, startMs, endMs)) for (const [name] of labels) names.add(name);
    return [...names].sort(compareStrings);
  }

  labelValues(
    name: string,
    selectors: readonly (readonly LabelMatcher[])[],
    startMs: number,
    endMs: number,
  ): readonly string[] {
    const inRange = (series: Series): boolean => series.maxTime >= startMs && series.minTime <= endMs;
    if (selectors.length === 0) return this.#index.labelValues(name, inRange);
    const values = new Set<string>();
    for (const labels of this.series(selectors, startMs, endMs)) values.add(labels.get(name));
    values.delete('');
    return [...values].sort(compareStrings);
  }

  exemplars(
    selectors: readonly (readonly LabelMatcher[])[],
    startMs: number,
    endMs: number,
  ): readonly ExemplarSeries[] {
    const wanted = this.#index.selectAny(selectors);
    const found = this.#exemplars.select(new Set(wanted), startMs, endMs);
    return wanted.flatMap((series) => {
      const exemplars = found.get(series);
      return exemplars ? [{ labels: series.labels, exemplars }] : [];
    });
  }

  metadata(): ReadonlyMap<string, readonly MetricMetadata[]> {
    return new Map([...this.#metadata].map(([name, metadata]) => [name, [metadata]]));
  }

  statistics(): MetricStatistics {
    return statisticsOf(this.#index);
  }

  get fileBytes(): number {
    return this.#db.usedBytes;
  }

  /** Seals everything, so that the next start has nothing to replay. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#background[Symbol.dispose]();
    await this.#wal.flush().catch(() => undefined);
    let sealed = 0;
    try {
      await this.#sealer.sealAll();
      sealed = this.#wal.sequence;
    } catch (error) {
      this.#options.logger.warn('metrics could not be sealed; the write-ahead log keeps them', { error });
    }
    await this.#wal[Symbol.asyncDispose]();
    this.#wal.removeThrough(sealed);
    this.#db[Symbol.dispose]();
  }
}
