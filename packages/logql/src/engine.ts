import { type Clock, systemClock } from '@kind-e2e/base';
import { compareStrings, Labels, type LogDirection, type LogReader, quote } from '@kind-e2e/telemetry';
import type { Grid, MetricValue } from './evaluate/columns.ts';
import { Evaluation } from './evaluate/evaluation.ts';
import { evaluateMetric } from './evaluate/metric.ts';
import { evaluateStreams } from './evaluate/streams.ts';
import { createFollower, type Follower } from './follow.ts';
import { compileLabelFilter } from './pipeline/label-filter.ts';
import { type CompiledPipeline, compilePipeline } from './pipeline/pipeline.ts';
import {
  LogqlError,
  type MatrixSeries,
  type QueryResult,
  type QueryValue,
  type StreamResult,
  type VectorSample,
} from './results.ts';
import { type Expr, type LogExpr, logExprsOf, type MetricExpr } from './syntax/ast.ts';
import { LogqlSyntaxError } from './syntax/errors.ts';
import { parseQuery } from './syntax/parse.ts';

export interface EngineOptions {
  /** `max_entries_limit_per_query`. Default 5,000. */
  readonly maxEntries?: number;
  /** `max_query_series`. Default 500. */
  readonly maxSeries?: number;
  /** `shard_aggregations`: without it `approx_topk` is refused, as Loki does. Default none. */
  readonly shardAggregations?: readonly 'approx_topk'[];
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
  /** Overrides the engine's. */
  readonly timeoutMs?: number;
}

/** Evaluates LogQL of Loki 3 over a reader of log chunks. */
export interface QueryEngine {
  /** Parses and compiles, so that every error that needs no data is found. Throws LogqlError. */
  parse(query: string): Expr;
  /** For the live tail; metric queries are refused. Throws LogqlError. */
  follow(query: string): Follower;
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

const DEFAULT_LIMIT = 100;

export function createEngine(options: EngineOptions = {}): QueryEngine {
  const clock = options.clock ?? systemClock;
  const maxEntries = options.maxEntries ?? 5000;
  const nowNs = (): bigint => BigInt(Math.trunc(clock.now())) * 1_000_000n;

  const prepare = (query: string): { expr: Expr; pipelines: Map<LogExpr, CompiledPipeline> } => {
    const expr = parseQuery(query);
    const pipelines = new Map<LogExpr, CompiledPipeline>();
    for (const log of logExprsOf(expr)) pipelines.set(log, compilePipeline(log.stages, nowNs));
    checkUnwraps(expr);
    if (options.shardAggregations?.includes('approx_topk') !== true && usesApproxTopk(expr))
      throw new LogqlError('internal', 'approx_topk is not enabled. See -limits.shard_aggregations');
    return { expr, pipelines };
  };

  const begin = (reader: LogReader, more: QueryOptions): Evaluation => {
    const evaluation = new Evaluation({
      reader,
      maxSeries: options.maxSeries ?? 500,
      clock,
      timeoutMs: more.timeoutMs ?? options.timeoutMs ?? 60_000,
      signal: more.signal,
    });
    evaluation.check();
    return evaluation;
  };

  const metric = async (evaluation: Evaluation, expr: MetricExpr, grid: Grid): Promise<MetricValue> => {
    const value = await evaluateMetric(evaluation, expr, grid);
    if (value.kind === 'vector')
      evaluation.checkSeries(value.columns.filter(({ present }) => present.includes(1)).length);
    return value;
  };

  return {
    parse: (query) => prepare(query).expr,
    follow(query) {
      const { expr, pipelines } = prepare(query);
      if (expr.kind !== 'log') throw new LogqlError('bad_request', 'only log selector is supported');
      return createFollower(expr, pipelines.get(expr) ?? { filters: [], stages: [] });
    },
    async instant(reader, query, timeNs, more = {}) {
      const { expr } = prepare(query);
      if (expr.kind === 'log')
        throw new LogqlError(
          'bad_request',
          'log queries are not supported as an instant query type, please change your query to a range query type',
        );
      const evaluation = begin(reader, more);
      const value = await metric(evaluation, expr, { startNs: timeNs, stepNs: 1n, steps: 1 });
      return finish(evaluation, instantValue(value, Number(timeNs / 1_000_000n), !isSorted(expr)));
    },
    async range(reader, query, startNs, endNs, stepNs, more = {}) {
      const { expr, pipelines } = prepare(query);
      const evaluation = begin(reader, more);
      if (expr.kind === 'log') {
        const limit = more.limit ?? DEFAULT_LIMIT;
        if (limit > maxEntries)
          throw new LogqlError(
            'bad_request',
            `max entries limit per query exceeded, limit > max_entries_limit_per_query (${limit} > ${maxEntries})`,
          );
        const pipeline = pipelines.get(expr) ?? { filters: [], stages: [] };
        const streams = await evaluateStreams(evaluation, expr, pipeline, {
          startNs,
          endNs,
          limit,
          direction: more.direction ?? 'backward',
          intervalNs: more.intervalNs ?? 0n,
        });
        return finish(evaluation, { type: 'streams', streams: sortedStreams(streams) });
      }
      if (stepNs <= 0n || endNs < startNs)
        throw new LogqlError(
          'bad_request',
          'a range query needs a positive step and an end that is not before its start',
        );
      const grid: Grid = { startNs, stepNs, steps: Number((endNs - startNs) / stepNs) + 1 };
      const value = await metric(evaluation, expr, grid);
      return finish(evaluation, { type: 'matrix', series: rangeValue(value, grid) });
    },
  };
}

function usesApproxTopk(expr: Expr): boolean {
  if (expr.kind === 'binary') return usesApproxTopk(expr.left) || usesApproxTopk(expr.right);
  if (expr.kind === 'label-replace') return usesApproxTopk(expr.expr);
  return expr.kind === 'vector-aggregation' && (expr.operation === 'approx_topk' || usesApproxTopk(expr.expr));
}

/** Conditions behind an unwrap are compiled for their errors alone. */
function checkUnwraps(expr: Expr): void {
  if (expr.kind === 'binary') {
    checkUnwraps(expr.left);
    checkUnwraps(expr.right);
  } else if (expr.kind === 'vector-aggregation' || expr.kind === 'label-replace') checkUnwraps(expr.expr);
  else if (expr.kind === 'range-aggregation') {
    try {
      for (const filter of expr.unwrap?.filters ?? []) compileLabelFilter(filter);
    } catch (error) {
      throw new LogqlSyntaxError(error instanceof Error ? error.message : String(error));
    }
  }
}

function finish(evaluation: Evaluation, value: QueryValue): QueryResult {
  const entriesReturned =
    value.type === 'streams' ? value.streams.reduce((count, stream) => count + stream.entries.length, 0) : 0;
  return {
    value,
    warnings: [],
    stats: { linesProcessed: evaluation.lines, bytesProcessed: evaluation.bytes, entriesReturned },
  };
}

/** By their labels as text (logqlmodel.Streams). */
function sortedStreams(streams: readonly StreamResult[]): StreamResult[] {
  const textOf = (labels: Labels): string => [...labels].map(([name, value]) => `${name}=${quote(value)}`).join(', ');
  return streams
    .map((stream) => ({ stream, text: textOf(stream.labels) }))
    .sort((a, b) => compareStrings(a.text, b.text))
    .map(({ stream }) => stream);
}

/** labels.Compare: name by name and value by value, the shorter set first. */
function compareLabels(a: Labels, b: Labels): number {
  const left = [...a].flat();
  const right = [...b].flat();
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareStrings(left[i] ?? '', right[i] ?? '');
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Whether the query itself says in which order its vector is (Sortable of pkg/logql/engine.go). */
function isSorted(expr: MetricExpr): boolean {
  switch (expr.kind) {
    case 'vector-aggregation':
      return expr.operation === 'sort' || expr.operation === 'sort_desc' || isSorted(expr.expr);
    case 'label-replace':
      return isSorted(expr.expr);
    case 'binary':
      return isSorted(expr.left) || isSorted(expr.right);
    case 'literal':
    case 'vector':
    case 'range-aggregation':
      return false;
  }
}

function instantValue(value: MetricValue, timestampMs: number, byLabels: boolean): QueryValue {
  if (value.kind === 'scalar') return { type: 'scalar', timestampMs, value: value.value };
  const samples: VectorSample[] = [];
  for (const { labels, values, present } of value.columns)
    if (present[0] === 1) samples.push({ labels, timestampMs, value: values[0] ?? Number.NaN });
  if (byLabels) samples.sort((a, b) => compareLabels(a.labels, b.labels));
  return { type: 'vector', samples };
}

function rangeValue(value: MetricValue, grid: Grid): MatrixSeries[] {
  const startMs = Number(grid.startNs) / 1e6;
  const stepMs = Number(grid.stepNs) / 1e6;
  const timestamps = Float64Array.from({ length: grid.steps }, (_, step) => startMs + step * stepMs);
  if (value.kind === 'scalar')
    return [{ labels: Labels.EMPTY, timestamps, values: new Float64Array(grid.steps).fill(value.value) }];
  const series: MatrixSeries[] = [];
  for (const { labels, values, present } of value.columns) {
    const steps: number[] = [];
    present.forEach((here, step) => {
      if (here === 1) steps.push(step);
    });
    if (steps.length === 0) continue;
    series.push({
      labels,
      timestamps: Float64Array.from(steps, (step) => timestamps[step] ?? 0),
      values: Float64Array.from(steps, (step) => values[step] ?? 0),
    });
  }
  return series.sort((a, b) => compareLabels(a.labels, b.labels));
}
