import { type FloatKernel, type Kernel, ofValues, type RangeFunction, type Window } from '../evaluate/range-vectors.ts';
import { addHistograms, addToMean, detectReset, histogramsEqual } from '../histogram/arithmetic.ts';
import { compact, type FloatHistogram, HistogramMismatch } from '../histogram/float-histogram.ts';
import { formatValue } from '../numbers.ts';
import { PromqlError } from '../results.ts';
import { KahanSum, meanOf, sumOf, varianceOf } from './kahan.ts';
import { quantileOf } from './quantile.ts';
import type { KernelContext } from './rate.ts';

/** A kernel of floats alone: without floats there is no result, and histograms beside them are ignored with an info. */
function ofFloats(context: KernelContext, kernel: (window: Window) => number, least = 1): Kernel {
  return (window) => {
    const floats = window.hi - window.lo;
    const hasHistograms = window.histogramHi > window.histogramLo;
    if (floats > 0 && hasHistograms)
      context.annotations.histogramIgnoredInMixedRange(window.metricName, context.firstPosition);
    if (floats < least) return false;
    window.value = kernel(window);
    return true;
  };
}

/** sum_over_time and avg_over_time: floats or histograms, not both. */
function ofEither(
  context: KernelContext,
  floats: (values: Float64Array, lo: number, hi: number) => number,
  mean: boolean,
): Kernel {
  return (window) => {
    const { lo, hi, histogramLo, histogramHi } = window;
    if (histogramHi === histogramLo) {
      window.value = floats(window.values, lo, hi);
      return true;
    }
    if (hi > lo) {
      context.annotations.mixedFloatsHistograms(window.metricName, context.position);
      return false;
    }
    try {
      const [first, ...rest] = window.histograms.slice(histogramLo, histogramHi);
      if (first === undefined) return false;
      const total = mean
        ? rest.reduce((before, next, i) => addToMean(before, next, i + 2), first)
        : rest.reduce(addHistograms, first);
      window.histogram = compact(total);
      return true;
    } catch (error) {
      if (!(error instanceof HistogramMismatch)) throw error;
      context.annotations.histogramMismatch(error.reason, window.metricName, context.position);
      return false;
    }
  };
}

/**
 * The smallest (sign -1) or largest (1) value of each window as the windows move on: only what is new is looked at, and
 * the whole window when its best value has left it. Of equal values the first counts, as in a look at the whole window.
 */
function slidingExtreme(sign: 1 | -1): FloatKernel {
  return ({ values, lo, hi }, { values: out, present }) => {
    const steps = lo.length;
    let found = false;
    let at = -1;
    let seen = 0;
    for (let step = 0; step < steps; step++) {
      const from = lo[step] ?? 0;
      const to = hi[step] ?? 0;
      if (from === to) {
        present[step] = 0;
        continue;
      }
      if (at < from) at = extremeAt(sign, values, from, from, to);
      else if (seen < to) at = extremeAt(sign, values, at, seen, to);
      seen = to;
      out[step] = values[at] ?? 0;
      present[step] = 1;
      found = true;
    }
    return found;
  };
}

/** Where the larger (sign 1) or smaller (-1) is of the value at `at` and those of values[lo..hi); a NaN loses against anything. */
function extremeAt(sign: 1 | -1, values: Float64Array, at: number, lo: number, hi: number): number {
  let index = at;
  let best = values[at] ?? 0;
  for (let i = lo; i < hi; i++) {
    const value = values[i] ?? 0;
    if (sign * value > sign * best || (Number.isNaN(best) && !Number.isNaN(value))) {
      best = value;
      index = i;
    }
  }
  return index;
}

/** A function of floats alone, faster where there are no histograms. */
function ofPlainFloats(
  context: KernelContext,
  compute: (values: Float64Array, lo: number, hi: number) => number,
): RangeFunction {
  return { kernel: ofFloats(context, ({ values, lo, hi }) => compute(values, lo, hi)), floats: ofValues(compute) };
}

/** The time of the sample that `better` picks; the last of equals (promql/functions.go, compareOverTime). */
function timeOfExtreme(better: (a: number, b: number) => boolean): (window: Window) => number {
  return ({ times, values, lo, hi }) => {
    let best = lo;
    for (let i = lo; i < hi; i++) {
      const value = values[i] ?? 0;
      const current = values[best] ?? 0;
      if (better(value, current) || value === current || Number.isNaN(current)) best = i;
    }
    return (times[best] ?? 0) / 1000;
  };
}

/** Floats and histograms of the window in order of time. */
function merged(window: Window): { time: number; value: number; histogram: FloatHistogram | undefined }[] {
  const points: { time: number; value: number; histogram: FloatHistogram | undefined }[] = [];
  for (let i = window.lo; i < window.hi; i++)
    points.push({ time: window.times[i] ?? 0, value: window.values[i] ?? 0, histogram: undefined });
  for (let i = window.histogramLo; i < window.histogramHi; i++)
    points.push({ time: window.histogramTimes[i] ?? 0, value: 0, histogram: window.histograms[i] });
  return points.sort((a, b) => a.time - b.time);
}

function countPairs(
  floats: (previous: number, current: number) => boolean,
  histograms: (previous: FloatHistogram, current: FloatHistogram) => boolean,
): Kernel {
  return (window) => {
    const { values, lo, hi } = window;
    let count = 0;
    if (window.histogramHi === window.histogramLo) {
      for (let i = lo + 1; i < hi; i++) if (floats(values[i - 1] ?? 0, values[i] ?? 0)) count++;
    } else {
      const points = merged(window);
      for (let i = 1; i < points.length; i++) {
        const previous = points[i - 1];
        const current = points[i];
        if (previous === undefined || current === undefined) continue;
        if (previous.histogram !== undefined && current.histogram !== undefined)
          count += histograms(previous.histogram, current.histogram) ? 1 : 0;
        else if (previous.histogram === undefined && current.histogram === undefined)
          count += floats(previous.value, current.value) ? 1 : 0;
        else count++;
      }
    }
    window.value = count;
    return true;
  };
}

/** Slope and value at `interceptMs` of the least-squares line (promql/functions.go, linearRegression). */
function regression(window: Window, interceptMs: number): { slope: number; intercept: number } {
  const { times, values, lo, hi } = window;
  const sumX = new KahanSum();
  const sumY = new KahanSum();
  const sumXY = new KahanSum();
  const sumX2 = new KahanSum();
  const initial = values[lo] ?? 0;
  let constant = true;
  for (let i = lo; i < hi; i++) {
    const x = ((times[i] ?? 0) - interceptMs) / 1000;
    const y = values[i] ?? 0;
    if (constant && i > lo && y !== initial) constant = false;
    sumX.add(x);
    sumY.add(y);
    sumXY.add(x * y);
    sumX2.add(x * x);
  }
  if (constant) {
    if (!Number.isFinite(initial) && !Number.isNaN(initial)) return { slope: Number.NaN, intercept: Number.NaN };
    return { slope: 0, intercept: initial };
  }
  const n = hi - lo;
  const covariance = sumXY.value - (sumX.value * sumY.value) / n;
  const variance = sumX2.value - (sumX.value * sumX.value) / n;
  const slope = covariance / variance;
  return { slope, intercept: sumY.value / n - (slope * sumX.value) / n };
}

function checkFactors(smoothingFactor: number, trendFactor: number): void {
  if (smoothingFactor <= 0 || smoothingFactor >= 1)
    throw new PromqlError(
      'execution',
      `invalid smoothing factor. Expected: 0 < sf < 1, got: ${fixedNumber(smoothingFactor)}`,
    );
  if (trendFactor <= 0 || trendFactor >= 1)
    throw new PromqlError('execution', `invalid trend factor. Expected: 0 < tf < 1, got: ${fixedNumber(trendFactor)}`);
}

/** Go's %f. */
function fixedNumber(value: number): string {
  return Number.isFinite(value) ? value.toFixed(6) : formatValue(value);
}

function smoothing(window: Window, smoothingFactor: number, trendFactor: number): number {
  const { values, lo, hi } = window;
  let previous = 0;
  let current = values[lo] ?? 0;
  let trend = (values[lo + 1] ?? 0) - current;
  for (let i = lo + 1; i < hi; i++) {
    const scaled = smoothingFactor * (values[i] ?? 0);
    if (i - lo > 1) trend = trendFactor * (current - previous) + (1 - trendFactor) * trend;
    previous = current;
    current = scaled + (1 - smoothingFactor) * (current + trend);
  }
  return current;
}

/** Scalar arguments of the call, a value for each step. */
export type ScalarArgs = readonly Float64Array[];

/** The kernels of functions over a range of samples, by function name; `rate.ts` has those of counters. */
export const OVER_TIME: Readonly<
  Record<string, (context: KernelContext, scalars: ScalarArgs) => Kernel | RangeFunction>
> = {
  avg_over_time: (context) => ({ kernel: ofEither(context, meanOf, true), floats: ofValues(meanOf) }),
  sum_over_time: (context) => ({ kernel: ofEither(context, sumOf, false), floats: ofValues(sumOf) }),
  min_over_time: (context) => ({
    kernel: ofFloats(context, ({ values, lo, hi }) => values[extremeAt(-1, values, lo, lo, hi)] ?? 0),
    floats: slidingExtreme(-1),
  }),
  max_over_time: (context) => ({
    kernel: ofFloats(context, ({ values, lo, hi }) => values[extremeAt(1, values, lo, lo, hi)] ?? 0),
    floats: slidingExtreme(1),
  }),
  ts_of_min_over_time: (context) =>
    ofFloats(
      context,
      timeOfExtreme((a, b) => a < b),
    ),
  ts_of_max_over_time: (context) =>
    ofFloats(
      context,
      timeOfExtreme((a, b) => a > b),
    ),
  ts_of_last_over_time: () => (window) => {
    const float = window.hi > window.lo ? (window.times[window.hi - 1] ?? 0) : Number.NEGATIVE_INFINITY;
    const histogram =
      window.histogramHi > window.histogramLo
        ? (window.histogramTimes[window.histogramHi - 1] ?? 0)
        : Number.NEGATIVE_INFINITY;
    window.value = Math.max(float, histogram) / 1000;
    return true;
  },
  count_over_time: () => (window) => {
    window.value = window.hi - window.lo + window.histogramHi - window.histogramLo;
    return true;
  },
  present_over_time: () => (window) => {
    window.value = 1;
    return true;
  },
  last_over_time: () => (window) => {
    const { hi, lo, histogramHi, histogramLo } = window;
    const float = hi > lo ? (window.times[hi - 1] ?? 0) : Number.NEGATIVE_INFINITY;
    const histogram =
      histogramHi > histogramLo ? (window.histogramTimes[histogramHi - 1] ?? 0) : Number.NEGATIVE_INFINITY;
    if (histogram > float) window.histogram = window.histograms[histogramHi - 1];
    else window.value = window.values[hi - 1] ?? 0;
    return true;
  },
  stddev_over_time: (context) => ofPlainFloats(context, (values, lo, hi) => Math.sqrt(varianceOf(values, lo, hi))),
  stdvar_over_time: (context) => ofPlainFloats(context, varianceOf),
  mad_over_time: (context) =>
    ofFloats(context, ({ values, lo, hi }) => {
      const median = quantileOf(0.5, values.slice(lo, hi));
      return quantileOf(
        0.5,
        values.slice(lo, hi).map((value) => Math.abs(value - median)),
      );
    }),
  quantile_over_time: (context, [quantiles]) =>
    ofFloats(context, ({ values, lo, hi, step }) => quantileOf(quantiles?.[step] ?? Number.NaN, values.slice(lo, hi))),
  changes: () =>
    countPairs(
      (previous, current) => current !== previous && !(Number.isNaN(current) && Number.isNaN(previous)),
      (previous, current) => !histogramsEqual(previous, current),
    ),
  resets: () =>
    countPairs(
      (previous, current) => current < previous,
      (previous, current) => detectReset(current, previous),
    ),
  deriv: (context) => ofFloats(context, (window) => regression(window, window.times[window.lo] ?? 0).slope, 2),
  predict_linear: (context, [durations]) =>
    ofFloats(
      context,
      (window) => {
        const { slope, intercept } = regression(window, window.evaluationMs);
        return slope * (durations?.[window.step] ?? Number.NaN) + intercept;
      },
      2,
    ),
  double_exponential_smoothing: (context, [factors, trends]) => {
    const at = (scalars: Float64Array | undefined, step: number): number => scalars?.[step] ?? Number.NaN;
    const smooth = ofFloats(
      context,
      (window) => smoothing(window, at(factors, window.step), at(trends, window.step)),
      2,
    );
    return (window) => {
      checkFactors(at(factors, window.step), at(trends, window.step));
      return smooth(window);
    };
  },
};
