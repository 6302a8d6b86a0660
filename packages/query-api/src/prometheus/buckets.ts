import { exponentialBound } from '@kind-e2e/promql';
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
    buckets.push({
      boundaries: 1,
      lower: -exponentialBound(index, schema),
      upper: -exponentialBound(index - 1, schema),
      count,
    });
  if (zeroCount > 0) buckets.push({ boundaries: 3, lower: -zeroThreshold, upper: zeroThreshold, count: zeroCount });
  for (const { index, count } of indexed(histogram.positiveSpans, histogram.positiveBuckets)) {
    if (schema === CUSTOM_BUCKETS) {
      const lower = index === 0 ? -Infinity : (customValues[index - 1] ?? Infinity);
      buckets.push({ boundaries: index === 0 ? 3 : 0, lower, upper: customValues[index] ?? Infinity, count });
    } else
      buckets.push({
        boundaries: 0,
        lower: exponentialBound(index - 1, schema),
        upper: exponentialBound(index, schema),
        count,
      });
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
