import type { Clock } from '@kind-e2e/base';
import type { LogDirection, LogReader } from '@kind-e2e/telemetry';
import { LogqlError, type QueryResult } from './results.ts';

export interface EngineOptions {
  /** `max_entries_limit_per_query`. Default 5,000. */
  readonly maxEntries?: number;
  /** `max_query_series`. Default 500. */
  readonly maxSeries?: number;
  /** Default 1 minute. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

export interface QueryOptions {
  /** Most log lines. Default 100. */
  readonly limit?: number;
  /** Default 'backward'. */
  readonly direction?: LogDirection;
  /** At most one line of a stream in so much time; 0, the default, is off. */
  readonly intervalNs?: bigint;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export interface QueryEngine {
  /** Rejects with LogqlError. */
  instant(reader: LogReader, query: string, timeNs: bigint, options?: QueryOptions): Promise<QueryResult>;
  /** Log lines in [start, end), or a metric at each step of [start, end]. Rejects with LogqlError. */
  range(
    reader: LogReader,
    query: string,
    startNs: bigint,
    endNs: bigint,
    stepNs: bigint,
    options?: QueryOptions,
  ): Promise<QueryResult>;
}

export function createEngine(_options: EngineOptions = {}): QueryEngine {
  throw new LogqlError('bad_request', 'the engine is on its way');
}
