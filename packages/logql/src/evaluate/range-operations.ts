import type { RangeAggregation, RangeOperation } from '../syntax/ast.ts';

/** The value of samples [lo, hi) of one series; undefined where there is none. */
export type RangeKernel = (times: Float64Array, values: Float64Array, lo: number, hi: number) => number | undefined;

function sum(values: Float64Array, lo: number, hi: number): number {
  let total = 0;
  for (let i = lo; i < hi; i++) total += values[i] ?? 0;
  return total;
}

function mean(values: Float64Array, lo: number, hi: number): number {
  let result = 0;
  for (let i = lo; i < hi; i++) {
    const value = values[i] ?? 0;
    if (!Number.isFinite(result) && (value === result || Number.isFinite(value))) continue;
    const count = i - lo + 1;
    result += value / count - result / count;
  }
  return result;
}

function variance(values: Float64Array, lo: number, hi: number): number {
  let average = 0;
  let squares = 0;
  for (let i = lo; i < hi; i++) {
    const value = values[i] ?? 0;
    const delta = value - average;
    average += delta / (i - lo + 1);
    squares += delta * (value - average);
  }
  return squares / (hi - lo);
}

function extreme(values: Float64Array, lo: number, hi: number, sign: 1 | -1): number {
  let best = values[lo] ?? 0;
  for (let i = lo + 1; i < hi; i++) {
    const value = values[i] ?? 0;
    if (Number.isNaN(best) || sign * value > sign * best) best = value;
  }
  return best;
}

function quantile(q: number, values: Float64Array, lo: number, hi: number): number {
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const sorted = sortedValues(values.slice(lo, hi));
  const rank = q * (sorted.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(sorted.length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return (sorted[lower] ?? 0) * (1 - weight) + (sorted[upper] ?? 0) * weight;
}

/** What is no number comes first, as in Loki's heap. */
function sortedValues(values: Float64Array): Float64Array {
  values.sort();
  let numbers = values.length;
  while (numbers > 0 && Number.isNaN(values[numbers - 1])) numbers--;
  if (numbers === values.length) return values;
  values.copyWithin(values.length - numbers, 0, numbers);
  return values.fill(Number.NaN, 0, values.length - numbers);
}

/**
 * rate_counter: Prometheus' extrapolated rate with counter resets (pkg/logql/range_vector.go, extrapolatedRate). Loki
 * takes the last sample for the end of the range, and for its beginning what lies the range's milliseconds before the
 * first, as nanoseconds, so that almost nothing is extrapolated.
 */
function counterRate(rangeSeconds: number): RangeKernel {
  return (times, values, lo, hi) => {
    if (hi - lo < 2) return 0;
    const first = values[lo] ?? 0;
    let previous = 0;
    let result = (values[hi - 1] ?? 0) - first;
    for (let i = lo; i < hi; i++) {
      const value = values[i] ?? 0;
      if (value < previous) result += previous;
      previous = value;
    }
    const sampled = ((times[hi - 1] ?? 0) - (times[lo] ?? 0)) / 1000;
    const average = sampled / (hi - lo - 1);
    let toStart = Math.trunc(rangeSeconds * 1000) / 1000;
    if (result > 0 && first >= 0) toStart = Math.min(toStart, sampled * (first / result));
    const threshold = average * 1.1;
    const extrapolated = sampled + (toStart < threshold ? toStart : average / 2) + (threshold > 0 ? 0 : average / 2);
    return (result * (extrapolated / sampled)) / rangeSeconds;
  };
}

/** Range aggregations over samples (pkg/logql/range_vector.go); absent_over_time is made elsewhere. */
export function kernelOf(node: RangeAggregation): RangeKernel {
  const rangeSeconds = Number(node.rangeNs) / 1e9;
  const { param = 0 } = node;
  const kernels: Readonly<Record<Exclude<RangeOperation, 'absent_over_time'>, RangeKernel>> = {
    rate: (_times, values, lo, hi) => sum(values, lo, hi) / rangeSeconds,
    rate_counter: counterRate(rangeSeconds),
    count_over_time: (_times, _values, lo, hi) => hi - lo,
    bytes_rate: (_times, values, lo, hi) => sum(values, lo, hi) / rangeSeconds,
    bytes_over_time: (_times, values, lo, hi) => sum(values, lo, hi),
    avg_over_time: (_times, values, lo, hi) => mean(values, lo, hi),
    sum_over_time: (_times, values, lo, hi) => sum(values, lo, hi),
    min_over_time: (_times, values, lo, hi) => extreme(values, lo, hi, -1),
    max_over_time: (_times, values, lo, hi) => extreme(values, lo, hi, 1),
    stdvar_over_time: (_times, values, lo, hi) => variance(values, lo, hi),
    stddev_over_time: (_times, values, lo, hi) => Math.sqrt(variance(values, lo, hi)),
    quantile_over_time: (_times, values, lo, hi) => quantile(param, values, lo, hi),
    first_over_time: (_times, values, lo) => values[lo],
    last_over_time: (_times, values, _lo, hi) => values[hi - 1],
  };
  return node.operation === 'absent_over_time' ? () => 1 : kernels[node.operation];
}
