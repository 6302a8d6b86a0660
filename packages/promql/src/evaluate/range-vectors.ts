import { METRIC_NAME } from '@kind-e2e/telemetry';
import { type FloatHistogram, samplesOf } from '../histogram/float-histogram.ts';
import { PromqlError } from '../results.ts';
import type { Expr, MatrixSelector, Subquery, TimeModifiers } from '../syntax/index.ts';
import { unwrapParens } from '../syntax/index.ts';
import type { ColumnSink } from './column-sink.ts';
import type { Evaluation } from './evaluation.ts';
import { hasAt, referenceTime, scan, toRangeSeries } from './selectors.ts';
import { ByTimes, type Column, type Grid, type RangeSeries, setHistogram, timeAt } from './values.ts';

/** The samples of one series that a range function sees at one step; a kernel writes its result into it. */
export interface Window {
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Floats are those from `lo` to before `hi`. */
  lo: number;
  hi: number;
  readonly histogramTimes: Float64Array;
  readonly histograms: readonly FloatHistogram[];
  histogramLo: number;
  histogramHi: number;
  /** The window is open at its start. */
  startMs: number;
  endMs: number;
  step: number;
  /** The moment of evaluation. */
  evaluationMs: number;
  readonly metricName: string;
  value: number;
  histogram: FloatHistogram | undefined;
}

/** True where there is a result, in `window.value` or `window.histogram`. */
export type Kernel = (window: Window) => boolean;

/** The windows of every step over the samples of a series without histograms; step i has those from lo[i] to before hi[i]. */
export interface FloatWindows {
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  /** Windows end at `firstEndMs + step * advanceMs` and are open at their start. */
  readonly firstEndMs: number;
  readonly advanceMs: number;
  readonly rangeMs: number;
}

/** Does what a kernel does for all steps at once: writes every step's `present`. True where there is any result. */
export type FloatKernel = (windows: FloatWindows, column: Column) => boolean;

export interface RangeFunction {
  readonly kernel: Kernel;
  /** For series without histograms, where that is faster. */
  readonly floats?: FloatKernel;
}

/** A float kernel of a function of the window's values alone. */
export function ofValues(compute: (values: Float64Array, lo: number, hi: number) => number): FloatKernel {
  return ({ values, lo, hi }, column) => {
    let found = false;
    for (let step = 0; step < lo.length; step++) {
      const from = lo[step] ?? 0;
      const to = hi[step] ?? 0;
      column.present[step] = 0;
      if (from === to) continue;
      column.values[step] = compute(values, from, to);
      column.present[step] = 1;
      found = true;
    }
    return found;
  };
}

export interface RangeVector {
  /** Each is good until the next is asked for. */
  readonly series: Iterable<RangeSeries>;
  readonly rangeMs: number;
  readonly time: TimeModifiers;
}

export async function evaluateRangeVector(evaluation: Evaluation, expr: Expr, grid: Grid): Promise<RangeVector> {
  const inner = unwrapParens(expr);
  if (inner.kind === 'matrix-selector') return rangeOfMatrix(evaluation, inner, grid);
  if (inner.kind === 'subquery') return evaluateSubquery(evaluation, inner, grid);
  throw new PromqlError('execution', `expected a range vector, got ${inner.kind}`);
}

function rangeOfMatrix(evaluation: Evaluation, matrix: MatrixSelector, grid: Grid): RangeVector {
  const { selector, rangeMs } = matrix;
  return { series: scanRanges(evaluation, matrix, grid), rangeMs, time: selector.time };
}

function* scanRanges(evaluation: Evaluation, matrix: MatrixSelector, grid: Grid): Generator<RangeSeries> {
  for (const series of scan(evaluation, matrix.selector, grid, matrix.rangeMs)) {
    const range = toRangeSeries(series, matrix.selector === evaluation.selectorWithoutBuckets);
    if (range.times.length + range.histograms.length > 0) yield range;
  }
}

/** The steps of a subquery are multiples of its step since the epoch, whatever the query's start is. */
export function subqueryGrid(evaluation: Evaluation, subquery: Subquery, grid: Grid): Grid | undefined {
  const stepMs = subquery.stepMs === 0 ? evaluation.limits.defaultSubqueryStepMs : subquery.stepMs;
  const first = referenceTime(evaluation, subquery.time, grid.startMs) - subquery.rangeMs;
  const last = referenceTime(evaluation, subquery.time, timeAt(grid, grid.steps - 1));
  let startMs = stepMs * Math.trunc(first / stepMs);
  if (startMs <= first) startMs += stepMs;
  if (startMs > last) return undefined;
  const steps = Math.floor((last - startMs) / stepMs) + 1;
  evaluation.checkSteps(steps);
  return { startMs, stepMs, steps };
}

async function evaluateSubquery(evaluation: Evaluation, subquery: Subquery, grid: Grid): Promise<RangeVector> {
  const inner = subqueryGrid(evaluation, subquery, grid);
  const none: RangeVector = { series: [], rangeMs: subquery.rangeMs, time: subquery.time };
  if (inner === undefined) return none;
  const { atShiftMs } = evaluation;
  // Prometheus computes `@` anew for the subquery's own start, but not where that is the start of what is around it: then
  // it is off by the subquery's offset (promql/engine.go, eval of SubqueryExpr and setOffsetForAtModifier).
  const offsetMs = grid.startMs - referenceTime(evaluation, subquery.time, grid.startMs);
  evaluation.atShiftMs = inner.startMs === grid.startMs ? atShiftMs + offsetMs : 0;
  const value = await evaluation.evaluate(subquery.expr, inner);
  evaluation.atShiftMs = atShiftMs;
  if (value.type !== 'vector') return none;
  return { ...none, series: value.columns.map((column) => columnToRange(column, inner)) };
}

export function columnToRange(column: Column, grid: Grid): RangeSeries {
  const times: number[] = [];
  const values: number[] = [];
  const histogramTimes: number[] = [];
  const histograms: FloatHistogram[] = [];
  for (let step = 0; step < grid.steps; step++) {
    if (column.present[step] !== 1) continue;
    const histogram = column.histograms?.[step];
    if (histogram === undefined) {
      times.push(timeAt(grid, step));
      values.push(column.values[step] ?? 0);
    } else {
      histogramTimes.push(timeAt(grid, step));
      // A reset may lie between the steps, or be seen at several (promql/engine.go, evalSubquery).
      histograms.push(histogram.hint === 'gauge' ? histogram : { ...histogram, hint: 'unknown' });
    }
  }
  return {
    labels: column.labels,
    times: Float64Array.from(times),
    values: Float64Array.from(values),
    histogramTimes: Float64Array.from(histogramTimes),
    histograms,
  };
}

/** Where the windows of every step begin and end in an array of times. */
interface WindowBorders {
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  /** In all windows. */
  readonly samples: number;
}

function bordersOf(
  times: Float64Array,
  steps: number,
  firstEndMs: number,
  advanceMs: number,
  rangeMs: number,
  spare: WindowBorders | undefined,
): WindowBorders {
  const { lo, hi } = spare ?? { lo: new Int32Array(steps), hi: new Int32Array(steps) };
  const count = times.length;
  let samples = 0;
  let from = 0;
  let to = 0;
  for (let step = 0; step < steps; step++) {
    const end = firstEndMs + step * advanceMs;
    const start = end - rangeMs;
    while (to < count && (times[to] ?? 0) <= end) to++;
    while (from < to && (times[from] ?? 0) <= start) from++;
    lo[step] = from;
    hi[step] = to;
    samples += to - from;
  }
  return { lo, hi, samples };
}

/** Runs a function over the window of every step in which the series has a sample. */
export async function applyRangeFunction(
  evaluation: Evaluation,
  range: RangeVector,
  grid: Grid,
  { kernel, floats }: RangeFunction,
  labelsOf: (series: RangeSeries) => Column['labels'],
  sink: ColumnSink,
): Promise<void> {
  const firstEndMs = referenceTime(evaluation, range.time, grid.startMs);
  const advanceMs = hasAt(range.time) ? 0 : grid.stepMs;
  const { rangeMs } = range;
  const byTimes = new ByTimes<WindowBorders>((times, spare) =>
    bordersOf(times, grid.steps, firstEndMs, advanceMs, rangeMs, spare),
  );
  for (const series of range.series) {
    evaluation.hold(sink.holds);
    const { times, values } = series;
    const borders = byTimes.of(times);
    const { lo, hi } = borders;
    evaluation.samplesRead += borders.samples;
    const column = sink.begin(labelsOf(series));
    const found =
      floats !== undefined && series.histograms.length === 0
        ? floats({ times, values, lo, hi, firstEndMs, advanceMs, rangeMs }, column)
        : applyKernel(evaluation, series, grid, borders, firstEndMs, advanceMs, rangeMs, kernel, column);
    if (found) sink.take(column);
    if (evaluation.needsPause) await evaluation.pause();
  }
}

function applyKernel(
  evaluation: Evaluation,
  series: RangeSeries,
  grid: Grid,
  { lo, hi }: WindowBorders,
  firstEndMs: number,
  advanceMs: number,
  rangeMs: number,
  kernel: Kernel,
  column: Column,
): boolean {
  const { times, values, histogramTimes, histograms } = series;
  const window: Window = {
    times,
    values,
    lo: 0,
    hi: 0,
    histogramTimes,
    histograms,
    histogramLo: 0,
    histogramHi: 0,
    startMs: 0,
    endMs: 0,
    step: 0,
    evaluationMs: 0,
    metricName: series.labels.get(METRIC_NAME),
    value: 0,
    histogram: undefined,
  };
  let found = false;
  for (let step = 0; step < grid.steps; step++) {
    const end = firstEndMs + step * advanceMs;
    const start = end - rangeMs;
    column.present[step] = 0;
    window.lo = lo[step] ?? 0;
    window.hi = hi[step] ?? 0;
    if (histogramTimes.length > 0) {
      advanceHistograms(window, start, end);
      for (let i = window.histogramLo; i < window.histogramHi; i++) {
        const histogram = histograms[i];
        if (histogram !== undefined) evaluation.samplesRead += samplesOf(histogram);
      }
    }
    if (window.lo === window.hi && window.histogramLo === window.histogramHi) continue;
    window.startMs = start;
    window.endMs = end;
    window.step = step;
    window.evaluationMs = grid.startMs + step * grid.stepMs;
    if (!kernel(window)) continue;
    if (window.histogram === undefined) column.values[step] = window.value;
    else {
      setHistogram(column, step, window.histogram);
      window.histogram = undefined;
    }
    column.present[step] = 1;
    found = true;
  }
  return found;
}

function advanceHistograms(window: Window, start: number, end: number): void {
  const { histogramTimes } = window;
  while (window.histogramHi < histogramTimes.length && (histogramTimes[window.histogramHi] ?? 0) <= end)
    window.histogramHi++;
  while (window.histogramLo < window.histogramHi && (histogramTimes[window.histogramLo] ?? 0) <= start)
    window.histogramLo++;
}
