import type { Clock } from '@kind-e2e/base';
import type { AppendResult, BatchSeries, Labels, Sample, SampleBatch } from '@kind-e2e/telemetry';
import type { LabelIndex } from '../label-index.ts';
import type { Retention, StoreLimits } from '../options.ts';
import { RateLimit, Refusals } from '../rate-limit.ts';
import type { WriteAheadLog } from '../wal/write-ahead-log.ts';
import type { ExemplarRing } from './exemplars.ts';
import type { MetricSealer } from './sealer.ts';
import { Series } from './series.ts';
import {
  encodeExemplarRecord,
  encodeHistogramRecord,
  encodeSeriesRecord,
  RECORD_EXEMPLAR,
  RECORD_HISTOGRAM,
  RECORD_SAMPLES,
  RECORD_SERIES,
  SamplesRecord,
} from './wal-records.ts';

/** Samples of one record of the write-ahead log; chunks end between records. */
const RECORD_SAMPLES_MAX = 1000;

/** Some 35,000 years. What is further away is no time, and steps between such times would not be exact. */
const MAX_TIME_MS = 2 ** 50;

export interface MetricAppenderOptions {
  readonly index: LabelIndex<Series>;
  readonly create: (labels: Labels) => Series;
  readonly wal: WriteAheadLog;
  readonly exemplars: ExemplarRing<Series>;
  readonly sealer: MetricSealer;
  readonly limits: StoreLimits;
  readonly retention: Retention | undefined;
  readonly clock: Clock;
}

/** Between which times samples are taken now. */
interface TimeLimits {
  readonly newest: number;
  readonly oldest: number;
  /** For the first sample of a series. */
  readonly oldestOfNew: number;
}

/** Takes samples into the heads of their series and the write-ahead log. */
export class MetricAppender {
  readonly #options: MetricAppenderOptions;
  readonly #rate: RateLimit;
  readonly #record = new SamplesRecord();
  /** The series of the samples of one record; undefined where the sample was refused. */
  readonly #found: (Series | undefined)[] = new Array(RECORD_SAMPLES_MAX).fill(undefined);
  #unwritten: Series[] = [];

  constructor(options: MetricAppenderOptions) {
    this.#options = options;
    this.#rate = new RateLimit(options.limits.maxSamplesPerSecond, options.clock);
  }

  append(samples: readonly Sample[]): Promise<AppendResult> {
    return this.#inRecords(samples.length, (from, to, limits, refusals) =>
      this.#appendSamples(samples, from, to, limits, refusals),
    );
  }

  appendBatch(batch: SampleBatch): Promise<AppendResult> {
    return this.#inRecords(batch.count, (from, to, limits, refusals) =>
      this.#appendPlain(batch, from, to, limits, refusals),
    );
  }

  /** Everything is taken before the first pause. */
  async #inRecords(
    count: number,
    appendRecord: (from: number, to: number, limits: TimeLimits, refusals: Refusals) => number,
  ): Promise<AppendResult> {
    const refusals = new Refusals();
    const allowed = this.#rate.take(count);
    if (allowed < count) refusals.add('rate limit exceeded', count - allowed);
    const limits = this.#limits();
    let accepted = 0;
    for (let at = 0; at < allowed; at += RECORD_SAMPLES_MAX)
      accepted += appendRecord(at, Math.min(allowed, at + RECORD_SAMPLES_MAX), limits, refusals);
    await this.#options.wal.flush();
    await this.#options.sealer.catchUp();
    return { accepted, rejected: refusals.list() };
  }

  #limits(): TimeLimits {
    const { clock, limits, retention } = this.#options;
    if (retention === undefined) return { newest: MAX_TIME_MS, oldest: -MAX_TIME_MS, oldestOfNew: -MAX_TIME_MS };
    const now = clock.now();
    return {
      newest: now + limits.maxFutureMs,
      oldest: now - limits.outOfOrderWindowMs,
      oldestOfNew: now - retention.maxAgeMs,
    };
  }

  /** The series of a sample, a new one where there is none; undefined where it is refused. */
  #seriesOf(labels: Labels, timestampMs: number, limits: TimeLimits, refusals: Refusals): Series | undefined {
    const known = this.#options.index.get(labels);
    if (known) return known;
    if (timestampMs < limits.oldestOfNew) {
      refusals.add('out of bounds');
      return undefined;
    }
    return this.#create(labels, refusals);
  }

  #isInTime(timestampMs: number, limits: TimeLimits, refusals: Refusals): boolean {
    if (timestampMs <= limits.newest && timestampMs >= -MAX_TIME_MS) return true;
    if (Number.isNaN(timestampMs)) refusals.add('invalid timestamp');
    else refusals.add(timestampMs > limits.newest ? 'timestamp too far in the future' : 'out of bounds');
    return false;
  }

  /** New series go before the samples that name them; gives the number of the samples' record. */
  #writeSeries(): number {
    const { wal } = this.#options;
    if (this.#unwritten.length > 0) {
      wal.append(RECORD_SERIES, encodeSeriesRecord(this.#unwritten));
      this.#unwritten = [];
    }
    return wal.sequence + 1;
  }

  #appendPlain(batch: SampleBatch, from: number, to: number, limits: TimeLimits, refusals: Refusals): number {
    const { sealer, wal } = this.#options;
    const { timestampsMs, values, stale } = batch;
    const found = this.#found;
    for (let i = from; i < to; i++) {
      const entry = batch.series[i];
      const time = timestampsMs[i] ?? 0;
      found[i - from] =
        entry !== undefined && this.#isInTime(time, limits, refusals)
          ? this.#seriesOfEntry(entry, time, limits, refusals)
          : undefined;
    }
    const sequence = this.#writeSeries();
    const record = this.#record;
    let taken = 0;
    for (let i = from; i < to; i++) {
      const series = found[i - from];
      if (series === undefined) continue;
      const time = Math.trunc(timestampsMs[i] ?? 0);
      const value = values[i] ?? 0;
      const refusal = series.refusal(time, value, limits.oldest);
      if (refusal !== undefined && refusal !== 'duplicate') {
        refusals.add(refusal);
        continue;
      }
      taken++;
      if (refusal !== undefined) continue;
      const isStale = stale[i] === 1;
      record.add(series.id, time, value, isStale);
      if (series.append(time, value, isStale, undefined, sequence)) sealer.touched(series, true);
    }
    if (record.count > 0) wal.append(RECORD_SAMPLES, record.take());
    return taken;
  }

  #seriesOfEntry(entry: BatchSeries, time: number, limits: TimeLimits, refusals: Refusals): Series | undefined {
    const { handle } = entry;
    if (handle instanceof Series && !handle.removed) return handle;
    const series = this.#seriesOf(entry.labels, time, limits, refusals);
    entry.handle = series;
    return series;
  }

  #appendSamples(samples: readonly Sample[], from: number, to: number, limits: TimeLimits, refusals: Refusals): number {
    const { sealer, wal } = this.#options;
    const found = this.#found;
    for (let i = from; i < to; i++) {
      const sample = samples[i];
      found[i - from] =
        sample !== undefined && this.#isInTime(sample.timestampMs, limits, refusals)
          ? this.#seriesOf(sample.labels, sample.timestampMs, limits, refusals)
          : undefined;
    }
    const sequence = this.#writeSeries();
    const record = this.#record;
    const rest: { series: Series; sample: Sample; fresh: boolean }[] = [];
    let taken = 0;
    for (let i = from; i < to; i++) {
      const series = found[i - from];
      const sample = samples[i];
      if (series === undefined || sample === undefined) continue;
      const time = Math.trunc(sample.timestampMs);
      const refusal = series.refusal(time, sample.value, limits.oldest);
      if (refusal !== undefined && refusal !== 'duplicate') {
        refusals.add(refusal);
        continue;
      }
      taken++;
      const fresh = refusal === undefined;
      if (sample.histogram || sample.exemplar) rest.push({ series, sample, fresh });
      if (!fresh || sample.histogram) continue;
      record.add(series.id, time, sample.value, sample.stale ?? false);
      sealer.touched(series, series.append(time, sample.value, sample.stale ?? false, undefined, sequence));
    }
    if (record.count > 0) wal.append(RECORD_SAMPLES, record.take());
    for (const { series, sample, fresh } of rest) this.#appendRest(series, sample, fresh);
    return taken;
  }

  #appendRest(series: Series, sample: Sample, fresh: boolean): void {
    const { wal, sealer, exemplars } = this.#options;
    const { histogram, exemplar } = sample;
    const time = Math.trunc(sample.timestampMs);
    if (histogram && fresh) {
      const sequence = wal.append(RECORD_HISTOGRAM, encodeHistogramRecord(series.id, time, histogram));
      sealer.touched(series, series.append(time, 0, false, histogram, sequence));
    }
    if (exemplar && Math.abs(exemplar.timestampMs) <= MAX_TIME_MS && exemplars.isNew(series, exemplar)) {
      const { timestampMs, value, labels } = exemplar;
      const sequence = wal.append(RECORD_EXEMPLAR, encodeExemplarRecord(series.id, timestampMs, value, labels));
      exemplars.add(series, exemplar, sequence);
    }
  }

  #create(labels: Labels, refusals: Refusals): Series | undefined {
    const { limits, index } = this.#options;
    if (limits.maxSeries > 0 && index.size >= limits.maxSeries) {
      refusals.add(`limit of ${limits.maxSeries} series exceeded`);
      return undefined;
    }
    if (labels.size > limits.maxLabels) {
      refusals.add(`a series has more than ${limits.maxLabels} labels`);
      return undefined;
    }
    for (const [name, value] of labels)
      if (value.length > limits.maxLabelValueLength || name.length > limits.maxLabelValueLength) {
        refusals.add(`a label is longer than ${limits.maxLabelValueLength} characters`);
        return undefined;
      }
    const series = this.#options.create(labels);
    this.#unwritten.push(series);
    return series;
  }
}
