import { type Clock, systemClock } from '@kind-e2e/base';
import { Labels, type MetricReader, type NativeHistogram } from '@kind-e2e/telemetry';
import { Annotations } from './evaluate/annotations.ts';
import { Evaluation, type Limits, type OuterRange } from './evaluate/evaluation.ts';
import { evaluateExpr } from './evaluate/expression.ts';
import { selectorWithoutBuckets } from './evaluate/histogram-statistics.ts';
import { evaluateRangeVector } from './evaluate/range-vectors.ts';
import { referenceTime } from './evaluate/selectors.ts';
import { isStepInvariant } from './evaluate/step-invariance.ts';
import { type Column, type Grid, type RangeSeries, SAME_LABELSET, timeAt, type Value } from './evaluate/values.ts';
import { fromNative, samplesOf, toNative } from './histogram/float-histogram.ts';
import { type MatrixSeries, PromqlError, type QueryResult, type QueryValue, type VectorSample } from './results.ts';
import { durationProblemOf, type Expr, parseExpr, typeOf, unwrapParens } from './syntax/index.ts';

export interface EngineOptions {
  /** How long a sample counts after its time. Default 5 minutes. */
  readonly lookbackDeltaMs?: number;
  /** Most samples a query may hold at one time. Default 10,000,000, about 90 MB; Prometheus' own default is five times that. */
  readonly maxSamples?: number;
  /** Default 2 minutes. */
  readonly timeoutMs?: number;
  /** Prometheus' `--enable-feature=promql-experimental-functions`. Default false. */
  readonly experimentalFunctions?: boolean;
  /** Prometheus' `--enable-feature=promql-duration-expr`. Default false. */
  readonly durationExpressions?: boolean;
  /** Step of subqueries that name none: the global evaluation interval. Default 1 minute. */
  readonly defaultSubqueryStepMs?: number;
  readonly clock?: Clock;
}

export interface QueryOptions {
  readonly signal?: AbortSignal;
  /** Overrides the engine's. */
  readonly timeoutMs?: number;
  /** Overrides the engine's. */
  readonly lookbackDeltaMs?: number;
}

/** Evaluates PromQL of Prometheus 3.5 over a reader of series. */
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

export function createEngine(options: EngineOptions = {}): QueryEngine {
  const clock = options.clock ?? systemClock;
  const { experimentalFunctions = false, durationExpressions = false } = options;
  const parse = (query: string): Expr => parseExpr(query, { experimentalFunctions, durationExpressions });

  const begin = (
    reader: MetricReader,
    query: string,
    expr: Expr,
    outer: OuterRange,
    more: QueryOptions,
  ): Evaluation => {
    const problem = durationProblemOf(expr);
    if (problem !== undefined) throw new PromqlError('bad_data', problem);
    const limits: Limits = {
      lookbackDeltaMs: more.lookbackDeltaMs ?? options.lookbackDeltaMs ?? 300_000,
      maxSamples: options.maxSamples ?? 10_000_000,
      timeoutMs: more.timeoutMs ?? options.timeoutMs ?? 120_000,
      defaultSubqueryStepMs: options.defaultSubqueryStepMs ?? 60_000,
    };
    const annotations = new Annotations(query);
    const { signal } = more;
    const evaluation = new Evaluation({
      reader,
      limits,
      annotations,
      outer,
      selectorWithoutBuckets: selectorWithoutBuckets(expr),
      clock,
      signal,
      evaluate: evaluateExpr,
    });
    evaluation.check('query execution');
    return evaluation;
  };

  return {
    parse,
    async instant(reader, query, timeMs, more = {}) {
      const expr = parse(query);
      const grid: Grid = { startMs: timeMs, stepMs: 1000, steps: 1 };
      const evaluation = begin(reader, query, expr, { startMs: timeMs, endMs: timeMs }, more);
      if (typeOf(expr) === 'range vector') {
        const range = await evaluateRangeVector(evaluation, expr, grid);
        const end = referenceTime(evaluation, range.time, timeMs);
        const series: MatrixSeries[] = [];
        const isMatrix = unwrapParens(expr).kind === 'matrix-selector';
        for (const one of range.series) {
          const found = rangeToSeries(one, end - range.rangeMs, end);
          if (found === undefined) continue;
          evaluation.hold(found.timestamps.length);
          if (isMatrix) evaluation.samplesRead += countSamples(found);
          series.push(found);
        }
        if (expr.kind === 'paren' && isStepInvariant(expr)) expectOneSample(series);
        return finish(evaluation, { type: 'matrix', series: sortSeries(series) });
      }
      return finish(evaluation, instantValue(await evaluation.evaluate(expr, grid), timeMs));
    },
    async range(reader, query, startMs, endMs, stepMs, more = {}) {
      const expr = parse(query);
      const type = typeOf(expr);
      if (type !== 'scalar' && type !== 'instant vector')
        throw new PromqlError(
          'bad_data',
          `invalid expression type "${type}" for range query, must be Scalar or instant Vector`,
        );
      if (!(stepMs > 0) || endMs < startMs)
        throw new PromqlError(
          'bad_data',
          'a range query needs a positive step and an end that is not before its start',
        );
      const grid: Grid = { startMs, stepMs, steps: Math.floor((endMs - startMs) / stepMs) + 1 };
      const evaluation = begin(reader, query, expr, { startMs, endMs }, more);
      evaluation.checkSteps(grid.steps);
      const value = await evaluation.evaluate(expr, grid);
      return finish(evaluation, { type: 'matrix', series: sortSeries(rangeValue(value, grid)) });
    },
  };
}

/**
 * Prometheus repeats a step invariant result at every step, and takes it for granted that it has one sample, unless it
 * is a range selector without parentheses (promql/engine.go, eval of StepInvariantExpr).
 */
function expectOneSample(series: readonly MatrixSeries[]): void {
  if (series.some(({ timestamps }) => timestamps.length !== 1))
    throw new PromqlError('execution', 'unexpected number of samples');
}

function finish(evaluation: Evaluation, value: QueryValue): QueryResult {
  const { annotations, samplesRead, peakSamples } = evaluation;
  return {
    value,
    warnings: annotations.warnings,
    infos: annotations.infos,
    stats: { samplesRead, peakSamples },
  };
}

function instantValue(value: Value, timestampMs: number): QueryValue {
  if (value.type === 'scalar') return { type: 'scalar', timestampMs, value: value.values[0] ?? Number.NaN };
  if (value.type === 'string') return { type: 'string', timestampMs, value: value.value };
  const samples: VectorSample[] = [];
  const keys = new Set<string>();
  for (const { labels, values, present, histograms } of value.columns) {
    if (present[0] !== 1) continue;
    if (keys.has(labels.key)) throw new PromqlError('execution', SAME_LABELSET);
    keys.add(labels.key);
    const histogram = histograms?.[0];
    samples.push({
      labels,
      timestampMs,
      value: values[0] ?? Number.NaN,
      ...(histogram === undefined ? {} : { histogram: toNative(histogram) }),
    });
  }
  return { type: 'vector', samples };
}

function rangeValue(value: Value, grid: Grid): MatrixSeries[] {
  const timestamps = Float64Array.from({ length: grid.steps }, (_, step) => timeAt(grid, step));
  if (value.type === 'string') return [];
  if (value.type === 'scalar') return [{ labels: Labels.EMPTY, timestamps, values: value.values }];
  const keys = new Set<string>();
  const series: MatrixSeries[] = [];
  for (const column of value.columns) {
    const one = columnToSeries(column, timestamps);
    if (one === undefined) continue;
    if (keys.has(column.labels.key)) throw new PromqlError('execution', SAME_LABELSET);
    keys.add(column.labels.key);
    series.push(one);
  }
  return series;
}

function columnToSeries(column: Column, timestamps: Float64Array): MatrixSeries | undefined {
  const { labels, values, present, histograms } = column;
  let count = 0;
  for (let i = 0; i < present.length; i++) count += present[i] ?? 0;
  if (count === 0) return undefined;
  const natives = histograms?.map((histogram) => (histogram === undefined ? undefined : toNative(histogram)));
  if (count === present.length)
    return { labels, timestamps, values, ...(natives === undefined ? {} : { histograms: natives }) };
  const outTimes = new Float64Array(count);
  const outValues = new Float64Array(count);
  const outHistograms: (NativeHistogram | undefined)[] = [];
  let at = 0;
  for (let i = 0; i < present.length; i++) {
    if (present[i] !== 1) continue;
    outTimes[at] = timestamps[i] ?? 0;
    outValues[at] = values[i] ?? 0;
    if (natives !== undefined) outHistograms.push(natives[i]);
    at++;
  }
  return {
    labels,
    timestamps: outTimes,
    values: outValues,
    ...(natives === undefined ? {} : { histograms: outHistograms }),
  };
}

function countSamples({ timestamps, histograms }: MatrixSeries): number {
  if (histograms === undefined) return timestamps.length;
  return histograms.reduce((sum, one) => sum + (one === undefined ? 1 : samplesOf(fromNative(one))), 0);
}

/** The raw samples of a range selector in the window that is open at its start. */
function rangeToSeries(series: RangeSeries, startMs: number, endMs: number): MatrixSeries | undefined {
  const points: { time: number; value: number; histogram: NativeHistogram | undefined }[] = [];
  series.times.forEach((time, i) => {
    if (time > startMs && time <= endMs) points.push({ time, value: series.values[i] ?? 0, histogram: undefined });
  });
  series.histogramTimes.forEach((time, i) => {
    const histogram = series.histograms[i];
    if (time > startMs && time <= endMs && histogram !== undefined)
      points.push({ time, value: 0, histogram: toNative(histogram) });
  });
  if (points.length === 0) return undefined;
  points.sort((a, b) => a.time - b.time);
  return {
    labels: series.labels,
    timestamps: Float64Array.from(points, (point) => point.time),
    values: Float64Array.from(points, (point) => point.value),
    ...(series.histograms.length === 0 ? {} : { histograms: points.map((point) => point.histogram) }),
  };
}

function sortSeries(series: MatrixSeries[]): MatrixSeries[] {
  return series.sort((a, b) => Labels.compare(a.labels, b.labels));
}
