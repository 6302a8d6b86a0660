import type { BucketSpan, NativeHistogram } from '@kind-e2e/telemetry';
import { CUSTOM_BUCKETS_SCHEMA, customBound, exponentialBound, targetIndex } from './bounds.ts';

/** One populated or empty bucket with its bounds, as iterators of Prometheus' FloatHistogram give them. */
export interface Bucket {
  readonly lower: number;
  readonly upper: number;
  readonly lowerInclusive: boolean;
  readonly upperInclusive: boolean;
  readonly count: number;
}

/** Buckets of one side, by rising index; a bucket that is not named is empty. */
export interface Side {
  readonly indexes: readonly number[];
  readonly counts: readonly number[];
}

const EMPTY_SIDE: Side = { indexes: [], counts: [] };

export type ResetHint = NativeHistogram['counterResetHint'];

/** A native histogram in the form that arithmetic wants; immutable. */
export interface FloatHistogram {
  readonly hint: ResetHint;
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly positive: Side;
  readonly negative: Side;
  readonly customValues: readonly number[];
}

/** For how many samples a histogram counts: its bytes and its time's in Go, by 16 (promql/value.go, HPoint.size). */
export function samplesOf({ positive, negative, customValues }: FloatHistogram): number {
  const spans = [positive, negative].reduce(
    (sum, { indexes }) => sum + indexes.filter((index, i) => i === 0 || index !== (indexes[i - 1] ?? 0) + 1).length,
    0,
  );
  const numbers = spans + positive.counts.length + negative.counts.length + customValues.length;
  return Math.floor((176 + 8 * numbers) / 16);
}

/** Why two histograms do not combine. */
export class HistogramMismatch extends Error {
  override readonly name = 'HistogramMismatch';
  readonly reason: 'schema' | 'bounds';

  constructor(reason: 'schema' | 'bounds') {
    super(
      reason === 'schema'
        ? 'cannot apply this operation on histograms with a mix of exponential and custom bucket schemas'
        : 'cannot apply this operation on custom buckets histograms with different custom bounds',
    );
    this.reason = reason;
  }
}

export function usesCustomBuckets(h: FloatHistogram): boolean {
  return h.schema === CUSTOM_BUCKETS_SCHEMA;
}

function sideOf(spans: readonly BucketSpan[], buckets: readonly number[]): Side {
  if (spans.length === 0) return EMPTY_SIDE;
  const indexes: number[] = [];
  let index = 0;
  for (const span of spans) {
    index += span.offset;
    for (let i = 0; i < span.length; i++) indexes.push(index++);
  }
  return { indexes, counts: buckets };
}

function spansOf(side: Side): BucketSpan[] {
  const spans: { offset: number; length: number }[] = [];
  let next = 0;
  for (const index of side.indexes) {
    const last = spans.at(-1);
    if (last !== undefined && index === next) last.length += 1;
    else spans.push({ offset: index - next, length: 1 });
    next = index + 1;
  }
  return spans;
}

export function fromNative(native: NativeHistogram): FloatHistogram {
  return {
    hint: native.counterResetHint,
    schema: native.schema,
    zeroThreshold: native.zeroThreshold,
    zeroCount: native.zeroCount,
    count: native.count,
    sum: native.sum,
    positive: sideOf(native.positiveSpans, native.positiveBuckets),
    negative: sideOf(native.negativeSpans, native.negativeBuckets),
    customValues: native.customValues,
  };
}

export function toNative(h: FloatHistogram): NativeHistogram {
  return {
    counterResetHint: h.hint,
    schema: h.schema,
    zeroThreshold: h.zeroThreshold,
    zeroCount: h.zeroCount,
    count: h.count,
    sum: h.sum,
    positiveSpans: spansOf(h.positive),
    positiveBuckets: h.positive.counts,
    negativeSpans: spansOf(h.negative),
    negativeBuckets: h.negative.counts,
    customValues: h.customValues,
  };
}

function upperBound(h: FloatHistogram, index: number): number {
  return usesCustomBuckets(h) ? customBound(index, h.customValues) : exponentialBound(index, h.schema);
}

function bucketAt(h: FloatHistogram, side: Side, i: number, negative: boolean): Bucket {
  const index = side.indexes[i] ?? 0;
  const outer = upperBound(h, index);
  const inner = upperBound(h, index - 1);
  const lower = negative ? -outer : inner;
  const upper = negative ? -inner : outer;
  const custom = usesCustomBuckets(h);
  return {
    lower,
    upper,
    lowerInclusive: custom ? index === 0 : lower < 0,
    upperInclusive: custom || upper > 0,
    count: side.counts[i] ?? 0,
  };
}

/** Positive buckets by rising bounds. */
export function* positiveBuckets(h: FloatHistogram): Generator<Bucket> {
  for (let i = 0; i < h.positive.indexes.length; i++) yield bucketAt(h, h.positive, i, false);
}

/** Negative buckets, those next to zero first. */
export function* negativeBuckets(h: FloatHistogram): Generator<Bucket> {
  for (let i = 0; i < h.negative.indexes.length; i++) yield bucketAt(h, h.negative, i, true);
}

/** Every bucket by rising bounds, the zero bucket where it holds something. */
export function* allBuckets(h: FloatHistogram): Generator<Bucket> {
  for (let i = h.negative.indexes.length - 1; i >= 0; i--) yield bucketAt(h, h.negative, i, true);
  if (h.zeroCount > 0)
    yield {
      lower: -h.zeroThreshold,
      upper: h.zeroThreshold,
      lowerInclusive: true,
      upperInclusive: true,
      count: h.zeroCount,
    };
  yield* positiveBuckets(h);
}

function compactSide(side: Side): Side {
  if (side.counts.every((count) => count !== 0)) return side;
  const indexes: number[] = [];
  const counts: number[] = [];
  side.counts.forEach((count, i) => {
    const index = side.indexes[i];
    if (count === 0 || index === undefined) return;
    indexes.push(index);
    counts.push(count);
  });
  return { indexes, counts };
}

/** Without the empty buckets (FloatHistogram.Compact(0)). */
export function compact(h: FloatHistogram): FloatHistogram {
  return { ...h, positive: compactSide(h.positive), negative: compactSide(h.negative) };
}

function reduceSide(side: Side, from: number, to: number): Side {
  const indexes: number[] = [];
  const counts: number[] = [];
  side.indexes.forEach((index, i) => {
    const target = targetIndex(index, from, to);
    const count = side.counts[i] ?? 0;
    if (indexes.at(-1) === target) counts[counts.length - 1] = (counts.at(-1) ?? 0) + count;
    else {
      indexes.push(target);
      counts.push(count);
    }
  });
  return { indexes, counts };
}

/** In a coarser schema; the same where the schema is not finer than that. */
export function reduceResolution(h: FloatHistogram, schema: number): FloatHistogram {
  if (usesCustomBuckets(h) || schema >= h.schema) return h;
  return {
    ...h,
    schema,
    positive: reduceSide(h.positive, h.schema, schema),
    negative: reduceSide(h.negative, h.schema, schema),
  };
}

/** The zero bucket's count for a wider threshold, which grows where it would cut a populated bucket. */
export function zeroCountFor(h: FloatHistogram, threshold: number): { count: number; threshold: number } {
  if (threshold === h.zeroThreshold) return { count: h.zeroCount, threshold };
  let wide = threshold;
  for (;;) {
    let count = h.zeroCount;
    for (const bucket of positiveBuckets(h)) {
      if (bucket.lower >= wide) break;
      count += bucket.count;
      if (bucket.upper > wide) {
        if (bucket.count !== 0) wide = bucket.upper;
        break;
      }
    }
    let again = false;
    for (const bucket of negativeBuckets(h)) {
      if (bucket.upper <= -wide) break;
      count += bucket.count;
      if (bucket.lower < -wide) {
        if (bucket.count !== 0) {
          wide = -bucket.lower;
          again = true;
        }
        break;
      }
    }
    if (!again) return { count, threshold: wide };
  }
}

function trimSide(h: FloatHistogram, side: Side, threshold: number): Side {
  const first = side.indexes.findIndex((index) => exponentialBound(index, h.schema) > threshold);
  if (first === 0) return side;
  if (first < 0) return EMPTY_SIDE;
  return { indexes: side.indexes.slice(first), counts: side.counts.slice(first) };
}

/** With the zero bucket widened to a threshold, or further where a populated bucket would be cut. */
export function widenZeroBucket(h: FloatHistogram, threshold: number): FloatHistogram {
  if (h.zeroThreshold >= threshold) return h;
  const zero = zeroCountFor(h, threshold);
  return {
    ...h,
    zeroCount: zero.count,
    zeroThreshold: zero.threshold,
    positive: trimSide(h, h.positive, zero.threshold),
    negative: trimSide(h, h.negative, zero.threshold),
  };
}

/** Both histograms with the same zero threshold. */
export function reconcileZeroBuckets(a: FloatHistogram, b: FloatHistogram): [FloatHistogram, FloatHistogram] {
  let left = a;
  let right = b;
  while (left.zeroThreshold !== right.zeroThreshold) {
    if (left.zeroThreshold > right.zeroThreshold) right = widenZeroBucket(right, left.zeroThreshold);
    if (right.zeroThreshold > left.zeroThreshold) left = widenZeroBucket(left, right.zeroThreshold);
  }
  return [left, right];
}
