import type { BucketSpan, NativeHistogram } from '@kind-e2e/telemetry';

const CUSTOM_BUCKETS = -53;

export interface Bucket {
  /** 0 open left, 1 open right, 2 open both, 3 closed both. */
  readonly boundaries: 0 | 1 | 2 | 3;
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

/** The buckets of a native histogram that are not empty, in rising order (`AllBucketIterator` and `MarshalHistogram`). */
export function bucketsOf(histogram: NativeHistogram): Bucket[] {
  const { schema, customValues, zeroCount, zeroThreshold } = histogram;
  const buckets: Bucket[] = [];
  for (const { index, count } of indexed(histogram.negativeSpans, histogram.negativeBuckets).reverse())
    buckets.push({ boundaries: 1, lower: -bound(index, schema), upper: -bound(index - 1, schema), count });
  if (zeroCount > 0) buckets.push({ boundaries: 3, lower: -zeroThreshold, upper: zeroThreshold, count: zeroCount });
  for (const { index, count } of indexed(histogram.positiveSpans, histogram.positiveBuckets)) {
    if (schema === CUSTOM_BUCKETS) {
      const lower = index === 0 ? -Infinity : (customValues[index - 1] ?? Infinity);
      buckets.push({ boundaries: index === 0 ? 3 : 0, lower, upper: customValues[index] ?? Infinity, count });
    } else buckets.push({ boundaries: 0, lower: bound(index - 1, schema), upper: bound(index, schema), count });
  }
  return buckets.filter((bucket) => bucket.count !== 0);
}

function indexed(spans: readonly BucketSpan[], counts: readonly number[]): { index: number; count: number }[] {
  const found: { index: number; count: number }[] = [];
  let index = 0;
  let at = 0;
  for (const span of spans) {
    index += span.offset;
    for (let i = 0; i < span.length; i++) found.push({ index: index++, count: counts[at++] ?? 0 });
  }
  return found;
}

/** The upper bound of the bucket of an index: 2^(index / 2^schema); the last finite one ends at the greatest number. */
function bound(index: number, schema: number): number {
  const exponent = index * 2 ** -schema;
  if (exponent === 1024) return Number.MAX_VALUE;
  if (schema <= 0) return 2 ** exponent;
  const steps = 2 ** schema;
  const whole = Math.floor(index / steps);
  return 2 ** ((index - whole * steps) / steps) * 2 ** whole;
}
