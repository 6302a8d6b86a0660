import { isStaleAt, type SampleSeries } from '@kind-e2e/telemetry';
import { type FloatHistogram, fromNative } from '../histogram/float-histogram.ts';
import type { MatrixSelector, TimeModifiers, VectorSelector } from '../syntax/index.ts';
import type { Evaluation } from './evaluation.ts';
import { type Column, type Grid, newColumn, type RangeSeries, setHistogram, timeAt } from './values.ts';

/** The moment a selector reads for a step: `@` first, then the offset. */
export function referenceTime(evaluation: Evaluation, time: TimeModifiers, evaluationMs: number): number {
  if (time.atMs !== undefined) return time.atMs - time.offsetMs;
  if (time.atBoundary === 'start') return evaluation.outer.startMs - time.offsetMs;
  if (time.atBoundary === 'end') return evaluation.outer.endMs - time.offsetMs;
  return evaluationMs - time.offsetMs;
}

export function hasAt(time: TimeModifiers): boolean {
  return time.atMs !== undefined || time.atBoundary !== undefined;
}

function select(
  evaluation: Evaluation,
  selector: VectorSelector,
  grid: Grid,
  windowMs: number,
): readonly SampleSeries[] {
  const first = referenceTime(evaluation, selector.time, grid.startMs);
  const last = referenceTime(evaluation, selector.time, timeAt(grid, grid.steps - 1));
  evaluation.check();
  const series = evaluation.reader.select({
    matchers: selector.matchers,
    startMs: first - windowMs + 1,
    endMs: last,
  });
  for (const one of series) evaluation.samplesRead += one.timestamps.length;
  return series;
}

/** An instant vector: at each step the newest sample of the lookback window, unless it is a stale marker. */
export async function evaluateVectorSelector(
  evaluation: Evaluation,
  selector: VectorSelector,
  grid: Grid,
  what: 'value' | 'timestamp' = 'value',
): Promise<readonly Column[]> {
  const lookback = evaluation.limits.lookbackDeltaMs;
  const columns: Column[] = [];
  const { steps, stepMs } = grid;
  const shift = referenceTime(evaluation, selector.time, grid.startMs);
  const advance = hasAt(selector.time) ? 0 : stepMs;
  for (const series of select(evaluation, selector, grid, lookback)) {
    evaluation.hold(steps);
    const { timestamps, values, histograms } = series;
    const column = newColumn(series.labels, steps);
    const count = timestamps.length;
    let next = 0;
    let found = 0;
    for (let step = 0; step < steps; step++) {
      const reference = shift + step * advance;
      while (next < count && (timestamps[next] ?? 0) <= reference) next++;
      const at = next - 1;
      if (at < 0) continue;
      const time = timestamps[at] ?? 0;
      if (time <= reference - lookback) continue;
      const value = values[at] ?? 0;
      const histogram = histograms?.[at];
      if (Number.isNaN(value) && isStaleAt(values, at)) continue;
      if (what === 'timestamp') column.values[step] = time / 1000;
      else if (histogram !== undefined) setHistogram(column, step, histogramOf(histogram));
      else column.values[step] = value;
      column.present[step] = 1;
      found++;
    }
    if (found === 0) continue;
    columns.push(column);
    if (evaluation.needsPause) await evaluation.pause();
  }
  return columns;
}

const converted = new WeakMap<object, FloatHistogram>();

function histogramOf(native: Parameters<typeof fromNative>[0]): FloatHistogram {
  let histogram = converted.get(native);
  if (histogram === undefined) {
    histogram = fromNative(native);
    converted.set(native, histogram);
  }
  return histogram;
}

const NO_TIMES = new Float64Array(0);

/** Splits floats from histograms and leaves stale markers out; without either the arrays of the store are used as they are. */
export function toRangeSeries(series: SampleSeries): RangeSeries {
  const { labels, timestamps, values, histograms } = series;
  let clean = histograms === undefined;
  if (clean) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? 0;
      if (Number.isNaN(value) && isStaleAt(values, i)) {
        clean = false;
        break;
      }
    }
  }
  if (clean) return { labels, times: timestamps, values, histogramTimes: NO_TIMES, histograms: [] };
  const times: number[] = [];
  const floats: number[] = [];
  const histogramTimes: number[] = [];
  const found: FloatHistogram[] = [];
  for (let i = 0; i < values.length; i++) {
    if (isStaleAt(values, i)) continue;
    const histogram = histograms?.[i];
    if (histogram === undefined) {
      times.push(timestamps[i] ?? 0);
      floats.push(values[i] ?? 0);
    } else {
      histogramTimes.push(timestamps[i] ?? 0);
      found.push(histogramOf(histogram));
    }
  }
  return {
    labels,
    times: Float64Array.from(times),
    values: Float64Array.from(floats),
    histogramTimes: Float64Array.from(histogramTimes),
    histograms: found,
  };
}

/** The series of a range selector with the samples that any step's window can hold. */
export function evaluateMatrixSelector(
  evaluation: Evaluation,
  matrix: MatrixSelector,
  grid: Grid,
): readonly RangeSeries[] {
  const result: RangeSeries[] = [];
  for (const series of select(evaluation, matrix.selector, grid, matrix.rangeMs)) {
    const range = toRangeSeries(series);
    if (range.times.length + range.histograms.length > 0) result.push(range);
  }
  return result;
}
