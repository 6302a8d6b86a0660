import type { Labels } from './labels.ts';
import type { LabelMatcher } from './matcher.ts';

/** The label that holds a metric's name. */
export const METRIC_NAME = '__name__';

/**
 * The bits of the NaN that marks a series as gone, as Prometheus writes it (model/value/value.go, `StaleNaN`).
 * A JavaScript number does not keep a NaN's payload for sure, so read and write it through the views of `stale.ts`.
 */
export const STALE_NAN_HIGH = 0x7ff00000;
export const STALE_NAN_LOW = 0x00000002;

export type MetricType =
  | 'counter'
  | 'gauge'
  | 'histogram'
  | 'gaugehistogram'
  | 'summary'
  | 'info'
  | 'stateset'
  | 'unknown';

/** `count` buckets that follow each other, the first of them `offset` after the end of the span before (first span: index). */
export interface BucketSpan {
  readonly offset: number;
  readonly length: number;
}

/** A native histogram with float counts, as Prometheus' `model/histogram.FloatHistogram`; counts are absolute, not deltas. */
export interface NativeHistogram {
  readonly counterResetHint: 'unknown' | 'reset' | 'not-reset' | 'gauge';
  /** -4 to 8 for exponential buckets, -53 for custom bounds. */
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly positiveSpans: readonly BucketSpan[];
  readonly positiveBuckets: readonly number[];
  readonly negativeSpans: readonly BucketSpan[];
  readonly negativeBuckets: readonly number[];
  /** Upper bounds where schema is -53, without +Inf. */
  readonly customValues: readonly number[];
}

/** Samples of one series in rising order of time. Where `histograms[i]` is set, `values[i]` means nothing. */
export interface SampleSeries {
  readonly labels: Labels;
  /** Milliseconds since the epoch. Series that follow each other may share one array. */
  readonly timestamps: Float64Array;
  /** A stale marker is a NaN with the bits above; see `isStaleAt`. */
  readonly values: Float64Array;
  readonly histograms?: readonly (NativeHistogram | undefined)[];
}

export interface SeriesSelection {
  readonly matchers: readonly LabelMatcher[];
  /** Both inclusive, milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
}

export interface Exemplar {
  readonly labels: Labels;
  readonly value: number;
  readonly timestampMs: number;
}

export interface ExemplarSeries {
  readonly labels: Labels;
  readonly exemplars: readonly Exemplar[];
}

export interface MetricMetadata {
  readonly type: MetricType;
  readonly help: string;
  readonly unit: string;
}

/** What PromQL and the Prometheus API read. Answers are in the order of their label sets; arrays must not be changed. */
export interface MetricReader {
  /** Every series that matches and has at least one sample in the range, with its samples in the range. */
  select(selection: SeriesSelection): readonly SampleSeries[];
  /** The same, one after the other, so that what is not held is not in memory at once. */
  scan(selection: SeriesSelection): Iterable<SampleSeries>;
  /** Label sets alone; `limit` 0 means all. Several selectors are joined by "or". */
  series(
    selectors: readonly (readonly LabelMatcher[])[],
    startMs: number,
    endMs: number,
    limit?: number,
  ): readonly Labels[];
  labelNames(selectors: readonly (readonly LabelMatcher[])[], startMs: number, endMs: number): readonly string[];
  labelValues(
    name: string,
    selectors: readonly (readonly LabelMatcher[])[],
    startMs: number,
    endMs: number,
  ): readonly string[];
  exemplars(selectors: readonly (readonly LabelMatcher[])[], startMs: number, endMs: number): readonly ExemplarSeries[];
  /** By metric name. */
  metadata(): ReadonlyMap<string, readonly MetricMetadata[]>;
}

export interface Sample {
  readonly labels: Labels;
  readonly timestampMs: number;
  readonly value: number;
  readonly histogram?: NativeHistogram;
  /** True to write the stale marker; `value` then means nothing. */
  readonly stale?: boolean;
  readonly exemplar?: Exemplar;
}

/** A series of batches: who sends the same series again and again keeps it, so that it is looked up once. */
export interface BatchSeries {
  readonly labels: Labels;
  /** The store's own note of the series. */
  handle?: object | undefined;
}

/** Plain samples in columns, for ingest that is in a hurry. Arrays may be longer than `count`. */
export interface SampleBatch {
  readonly count: number;
  readonly series: readonly BatchSeries[];
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
  /** 1 for the stale marker. */
  readonly stale: Uint8Array;
}

export interface MetricWriter {
  /** Resolves when the samples are durable. Refused samples are counted, never silently dropped. */
  append(samples: readonly Sample[]): Promise<AppendResult>;
  /** The same for a batch, which may be used again when the call returns. */
  appendBatch(batch: SampleBatch): Promise<AppendResult>;
  setMetadata(metricName: string, metadata: MetricMetadata): void;
}

export interface AppendResult {
  readonly accepted: number;
  readonly rejected: readonly { readonly reason: string; readonly count: number }[];
}
