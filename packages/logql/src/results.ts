import type { Labels } from '@kind-e2e/telemetry';

export interface ResultEntry {
  readonly timestampNs: bigint;
  readonly line: string;
}

/** Lines with the same labels after the pipeline. */
export interface StreamResult {
  /** All labels: of the stream, of structured metadata, and parsed ones. */
  readonly labels: Labels;
  /** The same by where they come from, for `X-Loki-Response-Encoding-Flags: categorize-labels`. */
  readonly categories: { readonly stream: Labels; readonly structuredMetadata: Labels; readonly parsed: Labels };
  /** In the order of the query's direction. */
  readonly entries: readonly ResultEntry[];
}

export interface VectorSample {
  readonly labels: Labels;
  readonly timestampMs: number;
  readonly value: number;
}

export interface MatrixSeries {
  readonly labels: Labels;
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
}

export type QueryValue =
  | { readonly type: 'streams'; readonly streams: readonly StreamResult[] }
  | { readonly type: 'scalar'; readonly timestampMs: number; readonly value: number }
  | { readonly type: 'vector'; readonly samples: readonly VectorSample[] }
  | { readonly type: 'matrix'; readonly series: readonly MatrixSeries[] };

export interface QueryStats {
  readonly linesProcessed: number;
  readonly bytesProcessed: number;
  readonly entriesReturned: number;
}

export interface QueryResult {
  readonly value: QueryValue;
  readonly warnings: readonly string[];
  readonly stats: QueryStats;
}

/** What the HTTP API answers it with: 400, 499, 504, or 500 as Loki where only the data shows that it cannot be. */
export type LogqlErrorKind = 'bad_request' | 'limit' | 'timeout' | 'canceled' | 'internal';

/** An error in Loki's words; a syntax error's message begins with `parse error`. */
export class LogqlError extends Error {
  override readonly name = 'LogqlError';
  readonly kind: LogqlErrorKind;

  constructor(kind: LogqlErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
