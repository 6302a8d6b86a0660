import { allBuckets, type Bucket, type FloatHistogram, usesCustomBuckets } from './float-histogram.ts';

export interface QuantileResult {
  readonly value: number;
  /** NaN observations made the result NaN, or moved it up. */
  readonly nan?: 'result' | 'skew';
}

/** The quantile of a native histogram (promql/quantile.go, HistogramQuantile): exponential interpolation in exponential buckets. */
export function nativeQuantile(q: number, h: FloatHistogram): QuantileResult {
  if (q < 0) return { value: Number.NEGATIVE_INFINITY };
  if (q > 1) return { value: Number.POSITIVE_INFINITY };
  if (h.count === 0 || Number.isNaN(q)) return { value: Number.NaN };
  const hasNaN = Number.isNaN(h.sum);
  const forward = hasNaN || q < 0.5;
  const buckets = [...allBuckets(h)];
  if (!forward) buckets.reverse();
  let rank = (forward ? q : 1 - q) * h.count;
  let count = 0;
  let found: Bucket | undefined;
  for (const bucket of buckets) {
    if (bucket.count === 0) continue;
    found = bucket;
    count += bucket.count;
    if (count >= rank) break;
  }
  if (found === undefined) return { value: Number.NaN };
  let { lower, upper } = found;
  const custom = usesCustomBuckets(h);
  if (!custom && lower < 0 && upper > 0) {
    if (h.negative.indexes.length === 0 && h.positive.indexes.length > 0) lower = 0;
    else if (h.positive.indexes.length === 0 && h.negative.indexes.length > 0) upper = 0;
  } else if (custom) {
    if (lower === Number.NEGATIVE_INFINITY) {
      if (upper <= 0) return { value: upper };
      lower = 0;
    } else if (upper === Number.POSITIVE_INFINITY) return { value: lower };
  }
  count = Math.min(count, h.count);
  if (count < rank) return hasNaN ? { value: Number.NaN, nan: 'result' } : { value: upper };
  rank = forward ? rank - (count - found.count) : count - rank;
  const fraction = rank / found.count;
  const nan = hasNaN ? { nan: 'skew' as const } : {};
  if (custom || (lower <= 0 && upper >= 0)) return { value: lower + (upper - lower) * fraction, ...nan };
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  if (lower > 0) return { value: 2 ** (logLower + (logUpper - logLower) * fraction), ...nan };
  return { value: -(2 ** (logUpper + (logLower - logUpper) * (1 - fraction))), ...nan };
}

/** How much of a bucket lies below a value, from 0 to 1. */
function fractionBelow(bucket: Bucket, value: number, custom: boolean): number {
  if (custom || (bucket.lower <= 0 && bucket.upper >= 0)) return (value - bucket.lower) / (bucket.upper - bucket.lower);
  const logLower = Math.log2(Math.abs(bucket.lower));
  const logUpper = Math.log2(Math.abs(bucket.upper));
  const logValue = Math.log2(Math.abs(value));
  if (value > 0) return (logValue - logLower) / (logUpper - logLower);
  return 1 - (logValue - logUpper) / (logLower - logUpper);
}

/** The share of observations between two values (promql/quantile.go, HistogramFraction). */
export function nativeFraction(lower: number, upper: number, h: FloatHistogram): number {
  if (h.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const custom = usesCustomBuckets(h);
  let rank = 0;
  let lowerRank: number | undefined;
  let upperRank: number | undefined;
  for (const raw of allBuckets(h)) {
    let bucket = raw;
    if (!custom && raw.lower < 0 && raw.upper > 0) {
      if (h.negative.indexes.length === 0 && h.positive.indexes.length > 0) bucket = { ...raw, lower: 0 };
      else if (h.positive.indexes.length === 0 && h.negative.indexes.length > 0) bucket = { ...raw, upper: 0 };
    } else if (custom && raw.lower === Number.NEGATIVE_INFINITY) {
      bucket = { ...raw, lower: raw.upper > 0 ? 0 : raw.lower };
    }
    if (lowerRank === undefined && bucket.lower >= lower) lowerRank = rank;
    if (upperRank === undefined && bucket.lower >= upper) upperRank = rank;
    if (lowerRank !== undefined && upperRank !== undefined) break;
    const within = (value: number): number => {
      if (bucket.lower === Number.NEGATIVE_INFINITY) return rank + bucket.count;
      if (bucket.upper === Number.POSITIVE_INFINITY) return rank;
      return rank + bucket.count * fractionBelow(bucket, value, custom);
    };
    if (lowerRank === undefined && bucket.lower < lower && bucket.upper > lower) lowerRank = within(lower);
    if (upperRank === undefined && bucket.lower < upper && bucket.upper > upper) upperRank = within(upper);
    if (lowerRank !== undefined && upperRank !== undefined) break;
    rank += bucket.count;
  }
  if (lowerRank === undefined || lowerRank > h.count) lowerRank = rank;
  if (upperRank === undefined || upperRank > h.count) upperRank = rank;
  return (upperRank - lowerRank) / h.count;
}

/** The estimated variance: every observation counts as the (geometric) mean of its bucket (promql/functions.go, histogramVariance). */
export function nativeVariance(h: FloatHistogram): number {
  const mean = h.sum / h.count;
  let variance = 0;
  let compensation = 0;
  for (const bucket of allBuckets(h)) {
    if (bucket.count === 0) continue;
    let value: number;
    if (usesCustomBuckets(h)) value = (bucket.upper + bucket.lower) / 2;
    else if (bucket.lower <= 0 && bucket.upper >= 0) value = 0;
    else {
      value = Math.sqrt(bucket.upper * bucket.lower);
      if (bucket.upper < 0) value = -value;
    }
    const delta = value - mean;
    const term = bucket.count * delta * delta;
    const total = variance + term;
    compensation += Math.abs(variance) >= Math.abs(term) ? variance - total + term : term - total + variance;
    variance = total;
  }
  return (variance + compensation) / h.count;
}

export interface ClassicBucket {
  readonly upper: number;
  count: number;
}

const SMALL_DELTA = 1e-12;

function almostEqual(a: number, b: number, tolerance: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  const difference = Math.abs(a - b);
  const sum = Math.abs(a) + Math.abs(b);
  if (a === 0 || b === 0 || sum < 2.2250738585072014e-308) return difference < tolerance * 2.2250738585072014e-308;
  return difference / Math.min(sum, Number.MAX_VALUE) < tolerance;
}

/** One bucket for each bound, and counts that never fall; true where a fall was more than rounding. */
function repair(sorted: readonly ClassicBucket[]): { buckets: ClassicBucket[]; forced: boolean } {
  const buckets: ClassicBucket[] = [];
  for (const { upper, count } of sorted) {
    const last = buckets.at(-1);
    if (last !== undefined && last.upper === upper) last.count += count;
    else buckets.push({ upper, count });
  }
  let forced = false;
  let previous = buckets[0]?.count ?? 0;
  for (const bucket of buckets.slice(1)) {
    if (bucket.count === previous) continue;
    if (almostEqual(previous, bucket.count, SMALL_DELTA)) bucket.count = previous;
    else if (bucket.count < previous) {
      bucket.count = previous;
      forced = true;
    } else previous = bucket.count;
  }
  return { buckets, forced };
}

/** The quantile of classic buckets (promql/quantile.go, BucketQuantile), by linear interpolation. */
export function classicQuantile(q: number, unsorted: readonly ClassicBucket[]): { value: number; forced: boolean } {
  const nothing = { value: Number.NaN, forced: false };
  if (Number.isNaN(q)) return nothing;
  if (q < 0) return { value: Number.NEGATIVE_INFINITY, forced: false };
  if (q > 1) return { value: Number.POSITIVE_INFINITY, forced: false };
  const sorted = [...unsorted].sort((a, b) => a.upper - b.upper);
  if (sorted.at(-1)?.upper !== Number.POSITIVE_INFINITY) return nothing;
  const { buckets, forced } = repair(sorted);
  const observations = buckets.at(-1)?.count ?? 0;
  if (buckets.length < 2 || observations === 0 || Number.isNaN(observations)) return { value: Number.NaN, forced };
  const rank = q * observations;
  let b = buckets.findIndex((bucket) => bucket.count >= rank);
  if (b < 0) b = buckets.length - 1;
  if (b === buckets.length - 1) return { value: buckets[b - 1]?.upper ?? Number.NaN, forced };
  const { upper, count } = buckets[b] ?? { upper: Number.NaN, count: 0 };
  if (b === 0 && upper <= 0) return { value: upper, forced };
  const below = buckets[b - 1] ?? { upper: 0, count: 0 };
  return { value: below.upper + (upper - below.upper) * ((rank - below.count) / (count - below.count)), forced };
}

/** The share of observations between two values, from classic buckets (promql/quantile.go, BucketFraction). */
export function classicFraction(lower: number, upper: number, unsorted: readonly ClassicBucket[]): number {
  const sorted = [...unsorted].sort((a, b) => a.upper - b.upper);
  if (sorted.at(-1)?.upper !== Number.POSITIVE_INFINITY) return Number.NaN;
  const { buckets } = repair(sorted);
  const count = buckets.at(-1)?.count ?? 0;
  if (count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  let rank = 0;
  let lowerRank: number | undefined;
  let upperRank: number | undefined;
  for (let i = 0; i < buckets.length; i++) {
    const bucket = buckets[i];
    if (bucket === undefined) break;
    const bucketLower = i === 0 ? (bucket.upper > 0 ? 0 : Number.NEGATIVE_INFINITY) : (buckets[i - 1]?.upper ?? 0);
    const within = (value: number): number => {
      if (bucketLower === Number.NEGATIVE_INFINITY) return bucket.count;
      if (bucket.upper === Number.POSITIVE_INFINITY) return rank;
      return rank + (bucket.count - rank) * ((value - bucketLower) / (bucket.upper - bucketLower));
    };
    if (lowerRank === undefined && bucketLower >= lower) lowerRank = rank;
    if (upperRank === undefined && bucketLower >= upper) upperRank = rank;
    if (lowerRank !== undefined && upperRank !== undefined) break;
    if (lowerRank === undefined && bucketLower < lower && bucket.upper > lower) lowerRank = within(lower);
    if (upperRank === undefined && bucketLower < upper && bucket.upper > upper) upperRank = within(upper);
    if (lowerRank !== undefined && upperRank !== undefined) break;
    rank = bucket.count;
  }
  return ((upperRank ?? rank) - (lowerRank ?? rank)) / count;
}
