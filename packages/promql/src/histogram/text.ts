import { shortNumber } from '../syntax/format.ts';
import { type Bucket, type FloatHistogram, negativeBuckets, positiveBuckets } from './float-histogram.ts';

function bucketText({ lower, upper, lowerInclusive, upperInclusive, count }: Bucket): string {
  const opening = lowerInclusive ? '[' : '(';
  const closing = upperInclusive ? ']' : ')';
  return `${opening}${shortNumber(lower)},${shortNumber(upper)}${closing}:${shortNumber(count)}`;
}

/** A histogram for people, as count_values makes a label of it: `{count:3, sum:2, (0.5,1]:3}` (FloatHistogram.String). */
export function histogramText(h: FloatHistogram): string {
  const buckets = [...negativeBuckets(h)].reverse();
  if (h.zeroCount !== 0)
    buckets.push({
      lower: -h.zeroThreshold,
      upper: h.zeroThreshold,
      lowerInclusive: true,
      upperInclusive: true,
      count: h.zeroCount,
    });
  buckets.push(...positiveBuckets(h));
  const parts = buckets.filter(({ count }) => count !== 0).map((bucket) => `, ${bucketText(bucket)}`);
  return `{count:${shortNumber(h.count)}, sum:${shortNumber(h.sum)}${parts.join('')}}`;
}
