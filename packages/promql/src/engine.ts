import type { Clock } from '@kind-e2e/base';
import type { MetricReader } from '@kind-e2e/telemetry';
import { PromqlError, type QueryResult } from './results.ts';
import type { Expr } from './syntax/index.ts';

export interface EngineOptions {
  /** How long a sample counts after its time. Default 5 minutes. */
  readonly lookbackDeltaMs?: number;
  /** Most samples a query may hold at one time. Default 50,000,000. */
  readonly maxSamples?: number;
  /** Default 2 minutes. */
  readonly timeoutMs?: number;
  /** Prometheus' `--enable-feature=promql-experimental-functions`. Default false. */
  readonly experimentalFunctions?: boolean;
  /** Step of subqueries that name none: the global evaluation interval. Default 1 minute. */
  readonly defaultSubqueryStepMs?: number;
  readonly clock?: Clock;
}

export interface QueryOptions {
  readonly signal?: AbortSignal;
  /** Overrides the engine's. */
  readonly timeoutMs?: number;
  readonly lookbackDeltaMs?: number;
}

export interface QueryEngine {
  /** Throws PromqlSyntaxError. */
  parse(query: string): Expr;
  /** Rejects with PromqlSyntaxError or PromqlError. */
  instant(reader: MetricReader, query: string, timeMs: number, options?: QueryOptions): Promise<QueryResult>;
  /** Rejects with PromqlSyntaxError or PromqlError. A result is always a matrix, in the order of label sets. */
  range(
    reader: MetricReader,
    query: string,
    startMs: number,
    endMs: number,
    stepMs: number,
    options?: QueryOptions,
  ): Promise<QueryResult>;
}

export function createEngine(_options: EngineOptions = {}): QueryEngine {
  throw new PromqlError('execution', 'the engine is on its way');
}
