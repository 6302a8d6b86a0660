import { exp2, log2 } from '../functions/go-math.ts';
import { KahanSum } from '../functions/kahan.ts';
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
  let at = 0;
  for (; at < buckets.length; at++) {
    const bucket = buckets[at];
    if (bucket === undefined) break;
    found = bucket;
    if (bucket.count === 0) continue;
    count += bucket.count;
    if (count >= rank) break;
  }
  // A histogram without buckets has observed nothing but NaN.
  found ??= { lower: 0, upper: 0, lowerInclusive: false, upperInclusive: false, count: 0 };
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
  const inBuckets = buckets.reduce((total, bucket) => total + bucket.count, 0);
  count = Math.min(count, h.count);
  if (count < rank) return hasNaN ? { value: Number.NaN, nan: 'result' } : { value: upper };
  rank = forward ? rank - (count - found.count) : count - rank;
  const nan = hasNaN && inBuckets < h.count ? { nan: 'skew' as const } : {};
  // Prometheus counts the rest of the buckets in the variable of the one that it found.
  if (hasNaN && at + 1 < buckets.length) {
    found = buckets.at(-1) ?? found;
    ({ lower, upper } = found);
  }
  const fraction = rank / found.count;
  if (custom || (lower <= 0 && upper >= 0)) return { value: lower + (upper - lower) * fraction, ...nan };
  const logLower = log2(Math.abs(lower));
  const logUpper = log2(Math.abs(upper));
  if (lower > 0) return { value: exp2(logLower + (logUpper - logLower) * fraction), ...nan };
  return { value: -exp2(logUpper + (logLower - logUpper) * (1 - fraction)), ...nan };
}

/** The rank of a value that lies in a bucket, of which `rank` observations are below it. */
function rankWithin(bucket: Bucket, value: number, rank: number, linear: boolean): number {
  if (linear) return rank + (bucket.count * (value - bucket.lower)) / (bucket.upper - bucket.lower);
  const logLower = log2(Math.abs(bucket.lower));
  const logUpper = log2(Math.abs(bucket.upper));
  const logValue = log2(Math.abs(value));
  const fraction =
    value > 0 ? (logValue - logLower) / (logUpper - logLower) : 1 - (logValue - logUpper) / (logLower - logUpper);
  return rank + bucket.count * fraction;
}

/** A zero bucket ends at zero on the side on which the histogram has no buckets. */
function narrowed(bucket: Bucket, h: FloatHistogram): Bucket {
  if (h.negative.indexes.length === 0 && h.positive.indexes.length > 0) return { ...bucket, lower: 0 };
  if (h.positive.indexes.length === 0 && h.negative.indexes.length > 0) return { ...bucket, upper: 0 };
  return bucket;
}

export interface FractionResult {
  readonly value: number;
  /** NaN observations are in no bucket, so that the fractions do not add up to 1. */
  readonly hasNaN: boolean;
}

/** The share of observations between two values (promql/quantile.go, HistogramFraction). */
export function nativeFraction(lower: number, upper: number, h: FloatHistogram): FractionResult {
  if (h.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return { value: Number.NaN, hasNaN: false };
  if (lower >= upper) return { value: 0, hasNaN: false };
  const custom = usesCustomBuckets(h);
  const buckets = [...allBuckets(h)];
  let rank = 0;
  let lowerRank: number | undefined;
  let upperRank: number | undefined;
  for (const raw of buckets) {
    const isZero = raw.lower <= 0 && raw.upper >= 0;
    const bucket = isZero ? narrowed(raw, h) : raw;
    if (lowerRank === undefined && bucket.lower >= lower) lowerRank = rank;
    if (upperRank === undefined && bucket.lower >= upper) upperRank = rank;
    const within = (value: number): number => rankWithin(bucket, value, rank, custom || isZero);
    if (lowerRank === undefined && bucket.lower < lower && bucket.upper > lower) lowerRank = within(lower);
    if (upperRank === undefined && bucket.lower < upper && bucket.upper > upper) upperRank = within(upper);
    if (lowerRank !== undefined && upperRank !== undefined) break;
    rank += bucket.count;
  }
  let { count } = h;
  let hasNaN = false;
  if (Number.isNaN(h.sum)) {
    count = buckets.reduce((total, bucket) => total + bucket.count, 0);
    hasNaN = count < h.count;
  }
  if (lowerRank === undefined || lowerRank > count) lowerRank = count;
  if (upperRank === undefined || upperRank > count) upperRank = count;
  return { value: (upperRank - lowerRank) / h.count, hasNaN };
}

/** The estimated variance: every observation counts as the (geometric) mean of its bucket (promql/functions.go, histogramVariance). */
export function nativeVariance(h: FloatHistogram): number {
  const mean = h.sum / h.count;
  const variance = new KahanSum();
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
    variance.add(bucket.count * delta * delta);
  }
  return (variance.sum + variance.compensation) / h.count;
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

/** One bucket for each bound. */
function coalesce(sorted: readonly ClassicBucket[]): ClassicBucket[] {
  const buckets: ClassicBucket[] = [];
  for (const { upper, count } of sorted) {
    const last = buckets.at(-1);
    if (last !== undefined && last.upper === upper) last.count += count;
    else buckets.push({ upper, count });
  }
  return buckets;
}

/** One bucket for each bound, and counts that never fall; true where a fall was more than rounding. */
function repair(sorted: readonly ClassicBucket[]): { buckets: ClassicBucket[]; forced: boolean } {
  const buckets = coalesce(sorted);
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

/** The quantile of classic buckets (promql/quantile.go, BucketQuantile), by linear interpolation; buckets by rising bounds. */
export function classicQuantile(q: number, sorted: readonly ClassicBucket[]): { value: number; forced: boolean } {
  const nothing = { value: Number.NaN, forced: false };
  if (Number.isNaN(q)) return nothing;
  if (q < 0) return { value: Number.NEGATIVE_INFINITY, forced: false };
  if (q > 1) return { value: Number.POSITIVE_INFINITY, forced: false };
  if (sorted.at(-1)?.upper !== Number.POSITIVE_INFINITY) return nothing;
  const { buckets, forced } = repair(sorted);
  const observations = buckets.at(-1)?.count ?? 0;
  if (buckets.length < 2 || observations === 0) return nothing;
  const rank = q * observations;
  let b = 0;
  for (let end = buckets.length - 1; b < end; ) {
    const middle = (b + end) >>> 1;
    if ((buckets[middle]?.count ?? 0) >= rank) end = middle;
    else b = middle + 1;
  }
  if (b === buckets.length - 1) return { value: buckets[b - 1]?.upper ?? Number.NaN, forced };
  const { upper, count } = buckets[b] ?? { upper: Number.NaN, count: 0 };
  if (b === 0 && upper <= 0) return { value: upper, forced };
  const below = buckets[b - 1] ?? { upper: 0, count: 0 };
  return { value: below.upper + (upper - below.upper) * ((rank - below.count) / (count - below.count)), forced };
}

/** The share of observations between two values, from classic buckets (promql/quantile.go, BucketFraction), by rising bounds. */
export function classicFraction(lower: number, upper: number, sorted: readonly ClassicBucket[]): number {
  if (sorted.at(-1)?.upper !== Number.POSITIVE_INFINITY) return Number.NaN;
  // Unlike the quantile it takes counts that fall as they are.
  const buckets = coalesce(sorted);
  const count = buckets.at(-1)?.count ?? 0;
  if (count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  let rank = 0;
  let lowerRank: number | undefined;
  let upperRank: number | undefined;
  let below = Number.NEGATIVE_INFINITY;
  for (const bucket of buckets) {
    const within = (value: number): number => rank + ((bucket.count - rank) * (value - below)) / (bucket.upper - below);
    if (lowerRank === undefined && below >= lower) lowerRank = rank;
    if (upperRank === undefined && below >= upper) upperRank = rank;
    if (lowerRank === undefined && below < lower && bucket.upper > lower) lowerRank = within(lower);
    if (upperRank === undefined && below < upper && bucket.upper > upper) upperRank = within(upper);
    if (lowerRank !== undefined && upperRank !== undefined) break;
    rank = bucket.count;
    below = bucket.upper;
  }
  if (lowerRank === undefined || lowerRank > count) lowerRank = count;
  if (upperRank === undefined || upperRank > count) upperRank = count;
  return (upperRank - lowerRank) / count;
}
