import type { Labels, NativeHistogram } from '@kind-e2e/telemetry';

export interface VectorSample {
  readonly labels: Labels;
  readonly timestampMs: number;
  readonly value: number;
  /** Where it is set, `value` means nothing. */
  readonly histogram?: NativeHistogram;
}

/** Points of one series in rising order of time. Series of one result may share their arrays of timestamps. */
export interface MatrixSeries {
  readonly labels: Labels;
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  /** Where `histograms[i]` is set, `values[i]` means nothing. */
  readonly histograms?: readonly (NativeHistogram | undefined)[];
}

export type QueryValue =
  | { readonly type: 'scalar'; readonly timestampMs: number; readonly value: number }
  | { readonly type: 'string'; readonly timestampMs: number; readonly value: string }
  | { readonly type: 'vector'; readonly samples: readonly VectorSample[] }
  | { readonly type: 'matrix'; readonly series: readonly MatrixSeries[] };

export interface QueryStats {
  /** Samples read from selectors. */
  readonly samplesRead: number;
  /** The most that were held at one time. */
  readonly peakSamples: number;
}

export interface QueryResult {
  readonly value: QueryValue;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly stats: QueryStats;
}

/** Prometheus' `errorType` of the answer: a query that is wrong, that failed, that took too long, that was given up. */
export type PromqlErrorKind = 'bad_data' | 'execution' | 'timeout' | 'canceled';

export class PromqlError extends Error {
  override readonly name = 'PromqlError';
  readonly kind: PromqlErrorKind;

  constructor(kind: PromqlErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
