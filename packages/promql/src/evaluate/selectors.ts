import { isStaleAt, type SampleSeries } from '@kind-e2e/telemetry';
import { type FloatHistogram, fromNative, samplesOf } from '../histogram/float-histogram.ts';
import type { TimeModifiers, VectorSelector } from '../syntax/index.ts';
import { ColumnList, type ColumnSink } from './column-sink.ts';
import type { Evaluation } from './evaluation.ts';
import { BucketRemover } from './histogram-statistics.ts';
import { ByTimes, type Column, type Grid, type RangeSeries, setHistogram, timeAt } from './values.ts';

/** The moment a selector reads for a step: `@` first, then the offset. */
export function referenceTime(evaluation: Evaluation, time: TimeModifiers, evaluationMs: number): number {
  const { outer, atShiftMs } = evaluation;
  if (time.atMs !== undefined) return time.atMs - time.offsetMs + atShiftMs;
  if (time.atBoundary === 'start') return outer.startMs - time.offsetMs + atShiftMs;
  if (time.atBoundary === 'end') return outer.endMs - time.offsetMs + atShiftMs;
  return evaluationMs - time.offsetMs;
}

export function hasAt(time: TimeModifiers): boolean {
  return time.atMs !== undefined || time.atBoundary !== undefined;
}

/** The series of a selector with the samples that any step's window can hold; each is good until the next is asked for. */
export function* scan(
  evaluation: Evaluation,
  selector: VectorSelector,
  grid: Grid,
  windowMs: number,
): Generator<SampleSeries> {
  const first = referenceTime(evaluation, selector.time, grid.startMs);
  const last = referenceTime(evaluation, selector.time, timeAt(grid, grid.steps - 1));
  evaluation.check();
  const selection = { matchers: selector.matchers, startMs: first - windowMs + 1, endMs: last };
  yield* evaluation.reader.scan(selection);
}

/** For each step the index of the newest sample of the lookback window, or -1. */
function newestAt(
  times: Float64Array,
  steps: number,
  firstMs: number,
  advanceMs: number,
  lookbackMs: number,
  spare: Int32Array | undefined,
): Int32Array {
  const at = spare ?? new Int32Array(steps);
  const count = times.length;
  let next = 0;
  let nextTime = count > 0 ? (times[0] ?? 0) : Number.POSITIVE_INFINITY;
  let oldest = Number.NEGATIVE_INFINITY;
  for (let step = 0; step < steps; step++) {
    const reference = firstMs + step * advanceMs;
    while (nextTime <= reference) {
      oldest = nextTime;
      next++;
      nextTime = next < count ? (times[next] ?? 0) : Number.POSITIVE_INFINITY;
    }
    at[step] = oldest > reference - lookbackMs ? next - 1 : -1;
  }
  return at;
}

/**
 * `timestamp(x @ t offset o)` looks for the newest sample at t, as if there were no offset, but among those that were
 * fetched for t - o (promql/engine.go, rangeEvalTimestampFunctionOverVectorSelector).
 */
function withoutOffset(referenceMs: number, { offsetMs }: TimeModifiers, lookbackMs: number): [number, number] {
  return [Math.min(referenceMs, referenceMs + offsetMs), lookbackMs - Math.abs(offsetMs)];
}

/** An instant vector: at each step the newest sample of the lookback window, unless it is a stale marker. */
export async function streamVectorSelector(
  evaluation: Evaluation,
  selector: VectorSelector,
  grid: Grid,
  sink: ColumnSink,
  what: 'value' | 'timestamp' = 'value',
): Promise<void> {
  const { lookbackDeltaMs } = evaluation.limits;
  const isFixed = hasAt(selector.time);
  const referenceMs = referenceTime(evaluation, selector.time, grid.startMs);
  const [firstMs, windowMs] =
    what === 'timestamp' && isFixed
      ? withoutOffset(referenceMs, selector.time, lookbackDeltaMs)
      : [referenceMs, lookbackDeltaMs];
  const newest = new ByTimes<Int32Array>((times, spare) =>
    newestAt(times, grid.steps, firstMs, isFixed ? 0 : grid.stepMs, windowMs, spare),
  );
  for (const series of scan(evaluation, selector, grid, lookbackDeltaMs)) {
    evaluation.hold(sink.holds);
    const at = newest.of(series.timestamps);
    const column = sink.begin(series.labels);
    const found =
      series.histograms === undefined && what === 'value'
        ? fillFloats(column, series.values, at)
        : fillSamples(column, series, at, what, selector === evaluation.selectorWithoutBuckets);
    evaluation.samplesRead += found;
    if (found > 0) sink.take(column);
    if (evaluation.needsPause) await evaluation.pause();
  }
}

/** Gives how many samples there are. */
function fillFloats(column: Column, samples: Float64Array, at: Int32Array): number {
  const { values, present } = column;
  const steps = at.length;
  let found = 0;
  for (let step = 0; step < steps; step++) {
    const index = at[step] ?? -1;
    if (index < 0) {
      present[step] = 0;
      continue;
    }
    const value = samples[index] ?? 0;
    // Only a NaN can be a stale marker.
    if (Number.isNaN(value) && isStaleAt(samples, index)) {
      present[step] = 0;
      continue;
    }
    values[step] = value;
    present[step] = 1;
    found++;
  }
  return found;
}

function fillSamples(
  column: Column,
  series: SampleSeries,
  at: Int32Array,
  what: 'value' | 'timestamp',
  withoutBuckets: boolean,
): number {
  const { timestamps, values, histograms } = series;
  const remover = withoutBuckets ? new BucketRemover() : undefined;
  let found = 0;
  for (let step = 0; step < at.length; step++) {
    const index = at[step] ?? -1;
    column.present[step] = 0;
    if (index < 0 || isStaleAt(values, index)) continue;
    const histogram = histograms?.[index];
    if (what === 'timestamp') column.values[step] = (timestamps[index] ?? 0) / 1000;
    else if (histogram !== undefined) {
      const whole = histogramOf(histogram);
      const float = remover?.remove(whole) ?? whole;
      setHistogram(column, step, float);
      found += samplesOf(float) - 1;
    } else column.values[step] = values[index] ?? 0;
    column.present[step] = 1;
    found++;
  }
  return found;
}

export async function evaluateVectorSelector(
  evaluation: Evaluation,
  selector: VectorSelector,
  grid: Grid,
  what: 'value' | 'timestamp' = 'value',
): Promise<readonly Column[]> {
  const list = new ColumnList(grid.steps);
  await streamVectorSelector(evaluation, selector, grid, list, what);
  return list.columns;
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
export function toRangeSeries(series: SampleSeries, withoutBuckets = false): RangeSeries {
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
  const remover = withoutBuckets ? new BucketRemover() : undefined;
  for (let i = 0; i < values.length; i++) {
    if (isStaleAt(values, i)) continue;
    const histogram = histograms?.[i];
    if (histogram === undefined) {
      times.push(timestamps[i] ?? 0);
      floats.push(values[i] ?? 0);
    } else {
      histogramTimes.push(timestamps[i] ?? 0);
      const whole = histogramOf(histogram);
      found.push(remover?.remove(whole) ?? whole);
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
