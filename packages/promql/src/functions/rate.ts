import type { Annotations } from '../evaluate/annotations.ts';
import type { FloatKernel, FloatWindows, Kernel, RangeFunction, Window } from '../evaluate/range-vectors.ts';
import { ByTimes } from '../evaluate/values.ts';
import {
  addHistograms,
  detectReset,
  divideHistogram,
  multiplyHistogram,
  subtractHistograms,
} from '../histogram/arithmetic.ts';
import {
  compact,
  type FloatHistogram,
  HistogramMismatch,
  reduceResolution,
  usesCustomBuckets,
} from '../histogram/float-histogram.ts';
import type { Position } from '../syntax/index.ts';

export interface KernelContext {
  readonly annotations: Annotations;
  /** Where the range argument is written. */
  readonly position: Position;
  /** Where the first argument is written. */
  readonly firstPosition: Position;
  readonly rangeMs: number;
}

/** rate, increase (counters) and delta (gauges): promql/functions.go, extrapolatedRate. */
export function extrapolated(context: KernelContext, isCounter: boolean, isRate: boolean): RangeFunction {
  const { annotations, position, rangeMs } = context;
  const rangeSeconds = rangeMs / 1000;
  const kernel: Kernel = (window) => {
    const { lo, hi, times, values } = window;
    const histograms = window.histogramHi - window.histogramLo;
    if (histograms > 0) {
      if (hi > lo) {
        annotations.mixedFloatsHistograms(window.metricName, position);
        return false;
      }
      return histograms > 1 && extrapolateHistogram(window, context, isCounter, isRate);
    }
    if (hi - 1 <= lo) return false;
    const change = isCounter ? changeOfCounter(values, lo, hi) : (values[hi - 1] ?? 0) - (values[lo] ?? 0);
    const first = values[lo] ?? 0;
    const factor = extrapolation(window.startMs, window.endMs, times, lo, hi, isCounter, first, change);
    window.value = change * (isRate ? factor / rangeSeconds : factor);
    return true;
  };
  const divisor = isRate ? rangeSeconds : 1;
  let current: FloatWindows | undefined;
  const stretches = new ByTimes<Stretches>((times, spare) =>
    current === undefined ? { factors: times, safe: times } : stretchesOf(current, divisor, spare),
  );
  const floats: FloatKernel = (windows, column) => {
    const { times, values, lo, hi, firstEndMs, advanceMs } = windows;
    const { values: out, present } = column;
    current = windows;
    const { factors, safe } = stretches.of(times);
    const mayReset = isCounter && falls(values);
    const steps = lo.length;
    let found = false;
    for (let step = 0; step < steps; step++) {
      const from = lo[step] ?? 0;
      const to = hi[step] ?? 0;
      if (to - 1 <= from) {
        present[step] = 0;
        continue;
      }
      const first = values[from] ?? 0;
      const change = mayReset ? changeOfCounter(values, from, to) : (values[to - 1] ?? 0) - first;
      let factor = factors[step] ?? 0;
      // A counter that would reach zero within the window is not stretched beyond that.
      if (isCounter && !(first >= change * (safe[step] ?? 0))) {
        const end = firstEndMs + step * advanceMs;
        factor = extrapolation(end - rangeMs, end, times, from, to, true, first, change) / divisor;
      }
      out[step] = change * factor;
      present[step] = 1;
      found = true;
    }
    return found;
  };
  return { kernel, floats };
}

/** What of the extrapolation depends on times alone, for series that share them. */
interface Stretches {
  /** As `extrapolation` gives it, save for counters that begin near zero; of rates for one second. */
  readonly factors: Float64Array;
  /** From so many times the change on, a counter's first value is not near zero. */
  readonly safe: Float64Array;
}

function stretchesOf(windows: FloatWindows, divisor: number, spare: Stretches | undefined): Stretches {
  const { times, lo, hi, firstEndMs, advanceMs, rangeMs } = windows;
  const steps = lo.length;
  const { factors, safe } = spare ?? { factors: new Float64Array(steps), safe: new Float64Array(steps) };
  for (let step = 0; step < steps; step++) {
    const from = lo[step] ?? 0;
    const to = hi[step] ?? 0;
    if (to - 1 <= from) continue;
    const end = firstEndMs + step * advanceMs;
    factors[step] = extrapolation(end - rangeMs, end, times, from, to, false, 0, 0) / divisor;
    // Time to the window's start over sampled time, with room for what rounding could make of it.
    const sampled = (times[to - 1] ?? 0) - (times[from] ?? 0);
    safe[step] = (((times[from] ?? 0) - (end - rangeMs)) / sampled) * 1.000_001;
  }
  return { factors, safe };
}

/** Whether a value is below the one before it anywhere. */
function falls(values: Float64Array): boolean {
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) < (values[i - 1] ?? 0)) return true;
  return false;
}

function changeOfCounter(values: Float64Array, lo: number, hi: number): number {
  let previous = values[lo] ?? 0;
  let result = (values[hi - 1] ?? 0) - previous;
  for (let i = lo + 1; i < hi; i++) {
    const value = values[i] ?? 0;
    if (value < previous) result += previous;
    previous = value;
  }
  return result;
}

/** By how much the change between the window's first and last sample is stretched to the whole window. */
function extrapolation(
  startMs: number,
  endMs: number,
  times: Float64Array,
  lo: number,
  hi: number,
  isCounter: boolean,
  first: number,
  result: number,
): number {
  const firstTime = times[lo] ?? 0;
  const lastTime = times[hi - 1] ?? 0;
  const sampled = (lastTime - firstTime) / 1000;
  const average = sampled / (hi - 1 - lo);
  const threshold = average * 1.1;
  let toStart = (firstTime - startMs) / 1000;
  let toEnd = (endMs - lastTime) / 1000;
  if (toStart >= threshold) toStart = average / 2;
  if (isCounter && result > 0 && first >= 0) {
    const toZero = sampled * (first / result);
    if (toZero < toStart) toStart = toZero;
  }
  if (toEnd >= threshold) toEnd = average / 2;
  return (sampled + toStart + toEnd) / sampled;
}

function extrapolateHistogram(window: Window, context: KernelContext, isCounter: boolean, isRate: boolean): boolean {
  const result = histogramRate(window, context, isCounter);
  if (result === undefined) return false;
  const { histogramTimes, histogramLo, histogramHi } = window;
  const factor = extrapolation(window.startMs, window.endMs, histogramTimes, histogramLo, histogramHi, false, 0, 0);
  window.histogram = compact(multiplyHistogram(result, isRate ? factor / (context.rangeMs / 1000) : factor));
  return true;
}

function histogramRate(window: Window, context: KernelContext, isCounter: boolean): FloatHistogram | undefined {
  const { annotations, position } = context;
  const points = window.histograms.slice(window.histogramLo, window.histogramHi);
  const first = points[0];
  const second = points[1];
  const last = points.at(-1);
  if (first === undefined || second === undefined || last === undefined) return undefined;
  const between = points.slice(1, -1);
  const isGauge = ({ hint }: FloatHistogram): boolean => hint === 'gauge';
  let previous = first;
  if (isCounter && detectReset(second, first)) {
    const none = { indexes: [], counts: [] };
    previous = {
      ...second,
      hint: 'unknown',
      count: 0,
      sum: 0,
      zeroCount: 0,
      zeroThreshold: 0,
      positive: none,
      negative: none,
    };
  }
  const custom = usesCustomBuckets(previous);
  if (usesCustomBuckets(last) !== custom) {
    if (isCounter && (isGauge(first) || isGauge(last))) annotations.histogramNotCounter(window.metricName, position);
    annotations.histogramMismatch('schema', window.metricName, position);
    return undefined;
  }
  // What Prometheus finds out from here on takes the place of what it has warned of before.
  const relevant = isCounter ? [previous, ...between, last] : [previous, last];
  try {
    if (relevant.some((point) => usesCustomBuckets(point) !== custom)) throw new HistogramMismatch('schema');
    const schema = Math.min(...relevant.map((point) => point.schema));
    let result = subtractHistograms(reduceResolution(last, schema), previous);
    if (isCounter) {
      for (const point of points.slice(1)) {
        if (detectReset(point, previous)) result = addHistograms(result, previous);
        previous = point;
      }
      if (points.some(isGauge)) annotations.histogramNotCounter(window.metricName, position);
    } else if (!isGauge(first) || !isGauge(last)) annotations.histogramNotGauge(window.metricName, position);
    return compact({ ...result, hint: 'gauge' });
  } catch (error) {
    if (!(error instanceof HistogramMismatch)) throw error;
    annotations.histogramMismatch(error.reason, window.metricName, position);
    return undefined;
  }
}

/** irate and idelta: the last two samples (promql/functions.go, instantValue). */
export function instantaneous(context: KernelContext, isRate: boolean): Kernel {
  const { annotations, position } = context;
  return (window) => {
    const { hi, lo, histogramHi, histogramLo } = window;
    if (hi - lo + histogramHi - histogramLo < 2) return false;
    type Point = { time: number; value: number; histogram: FloatHistogram | undefined };
    const points: Point[] = [];
    for (let i = Math.max(lo, hi - 2); i < hi; i++)
      points.push({ time: window.times[i] ?? 0, value: window.values[i] ?? 0, histogram: undefined });
    for (let i = Math.max(histogramLo, histogramHi - 2); i < histogramHi; i++)
      points.push({ time: window.histogramTimes[i] ?? 0, value: 0, histogram: window.histograms[i] });
    points.sort((a, b) => a.time - b.time);
    const last = points.at(-1);
    const previous = points.at(-2);
    if (last === undefined || previous === undefined) return false;
    const interval = (last.time - previous.time) / 1000;
    if (interval === 0) return false;
    if (last.histogram === undefined && previous.histogram === undefined) {
      const difference = isRate && last.value < previous.value ? last.value : last.value - previous.value;
      window.value = isRate ? difference / interval : difference;
      return true;
    }
    if (last.histogram === undefined || previous.histogram === undefined) {
      annotations.mixedFloatsHistograms(window.metricName, position);
      return false;
    }
    if (isRate && (last.histogram.hint === 'gauge' || previous.histogram.hint === 'gauge'))
      annotations.histogramNotCounter(window.metricName, position);
    if (!isRate && (last.histogram.hint !== 'gauge' || previous.histogram.hint !== 'gauge'))
      annotations.histogramNotGauge(window.metricName, position);
    try {
      let result = last.histogram;
      if (!isRate || !detectReset(last.histogram, previous.histogram))
        result = subtractHistograms(last.histogram, previous.histogram);
      result = compact({ ...result, hint: 'gauge' });
      window.histogram = isRate ? divideHistogram(result, interval) : result;
      return true;
    } catch (error) {
      if (!(error instanceof HistogramMismatch)) throw error;
      annotations.histogramMismatch(error.reason, window.metricName, position);
      return false;
    }
  };
}
