import type { FloatHistogram } from '../histogram/float-histogram.ts';
import { PromqlError } from '../results.ts';
import type { Expr, MatrixSelector, Subquery, TimeModifiers } from '../syntax/index.ts';
import { unwrapParens } from '../syntax/index.ts';
import type { Evaluation } from './evaluation.ts';
import { evaluateMatrixSelector, hasAt, referenceTime } from './selectors.ts';
import { type Column, type Grid, newColumn, type RangeSeries, setHistogram, timeAt } from './values.ts';

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

export interface RangeVector {
  readonly series: readonly RangeSeries[];
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
  return {
    series: evaluateMatrixSelector(evaluation, matrix, grid),
    rangeMs: matrix.rangeMs,
    time: matrix.selector.time,
  };
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
  const value = await evaluation.evaluate(subquery.expr, inner);
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

/** Runs a kernel over the window of every step in which the series has a sample. */
export async function applyKernel(
  evaluation: Evaluation,
  range: RangeVector,
  grid: Grid,
  kernel: Kernel,
  labelsOf: (series: RangeSeries) => Column['labels'],
): Promise<Column[]> {
  const columns: Column[] = [];
  const firstEnd = referenceTime(evaluation, range.time, grid.startMs);
  const advance = hasAt(range.time) ? 0 : grid.stepMs;
  for (const series of range.series) {
    evaluation.hold(grid.steps);
    const { times, histogramTimes } = series;
    const column = newColumn(labelsOf(series), grid.steps);
    const window: Window = {
      times,
      values: series.values,
      lo: 0,
      hi: 0,
      histogramTimes,
      histograms: series.histograms,
      histogramLo: 0,
      histogramHi: 0,
      startMs: 0,
      endMs: 0,
      step: 0,
      evaluationMs: 0,
      metricName: series.labels.get('__name__'),
      value: 0,
      histogram: undefined,
    };
    const count = times.length;
    const histogramCount = histogramTimes.length;
    let found = 0;
    for (let step = 0; step < grid.steps; step++) {
      const end = firstEnd + step * advance;
      const start = end - range.rangeMs;
      let { lo, hi } = window;
      while (hi < count && (times[hi] ?? 0) <= end) hi++;
      while (lo < hi && (times[lo] ?? 0) <= start) lo++;
      window.lo = lo;
      window.hi = hi;
      if (histogramCount > 0) advanceHistograms(window, start, end);
      if (lo === hi && window.histogramLo === window.histogramHi) continue;
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
      found++;
    }
    if (found > 0) columns.push(column);
    if (evaluation.needsPause) await evaluation.pause();
  }
  return columns;
}

function advanceHistograms(window: Window, start: number, end: number): void {
  const { histogramTimes } = window;
  while (window.histogramHi < histogramTimes.length && (histogramTimes[window.histogramHi] ?? 0) <= end)
    window.histogramHi++;
  while (window.histogramLo < window.histogramHi && (histogramTimes[window.histogramLo] ?? 0) <= start)
    window.histogramLo++;
}
