import type { BucketSpan, NativeHistogram } from '@kind-e2e/telemetry';
import type { ByteReader } from '../bytes/byte-reader.ts';
import { MalformedError } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';

const HINTS = ['unknown', 'reset', 'not-reset', 'gauge'] as const;
const MAX_BUCKETS = 1_000_000;

/** One native histogram; whole counts as differences between neighbours, others as doubles. */
export function writeHistogram(out: ByteWriter, histogram: NativeHistogram): void {
  const counts = [histogram.positiveBuckets, histogram.negativeBuckets];
  const whole = counts.every((list) => list.every((n) => Number.isSafeInteger(n) && Math.abs(n) < 2 ** 50));
  out.u8(HINTS.indexOf(histogram.counterResetHint) | (whole ? 8 : 0));
  out.zigzag(histogram.schema);
  out.f64(histogram.zeroThreshold);
  out.f64(histogram.zeroCount);
  out.f64(histogram.count);
  out.f64(histogram.sum);
  for (const [spans, buckets] of [
    [histogram.positiveSpans, histogram.positiveBuckets],
    [histogram.negativeSpans, histogram.negativeBuckets],
  ] as const) {
    out.varint(spans.length);
    for (const span of spans) {
      out.zigzag(span.offset);
      out.varint(span.length);
    }
    out.varint(buckets.length);
    let before = 0;
    for (const count of buckets) {
      if (whole) out.zigzag(count - before);
      else out.f64(count);
      before = count;
    }
  }
  out.varint(histogram.customValues.length);
  for (const bound of histogram.customValues) out.f64(bound);
}

export function readHistogram(from: ByteReader): NativeHistogram {
  const flags = from.u8();
  const whole = (flags & 8) !== 0;
  const schema = from.zigzag();
  const zeroThreshold = from.f64();
  const zeroCount = from.f64();
  const count = from.f64();
  const sum = from.f64();
  const side = (): { spans: BucketSpan[]; buckets: number[] } => {
    const spans = Array.from({ length: bounded(from.varint()) }, () => ({
      offset: from.zigzag(),
      length: from.varint(),
    }));
    let before = 0;
    const buckets = Array.from({ length: bounded(from.varint()) }, () => {
      before = whole ? before + from.zigzag() : from.f64();
      return before;
    });
    return { spans, buckets };
  };
  const positive = side();
  const negative = side();
  const customValues = Array.from({ length: bounded(from.varint()) }, () => from.f64());
  return {
    counterResetHint: HINTS[flags & 3] ?? 'unknown',
    schema,
    zeroThreshold,
    zeroCount,
    count,
    sum,
    positiveSpans: positive.spans,
    positiveBuckets: positive.buckets,
    negativeSpans: negative.spans,
    negativeBuckets: negative.buckets,
    customValues,
  };
}

function bounded(length: number): number {
  if (length > MAX_BUCKETS) throw new MalformedError('a histogram has too many buckets');
  return length;
}
