import type { BucketSpan, NativeHistogram } from '@kind-e2e/telemetry';
import type { ProtobufReader } from '../../bytes/protobuf.ts';

const HINTS = ['unknown', 'reset', 'not-reset', 'gauge'] as const;

/** prometheus.Histogram (prompb/types.proto), the same in remote write 1 and 2. */
export function readPromHistogram(reader: ProtobufReader): { histogram: NativeHistogram; timestampMs: number } {
  let count = 0;
  let sum = 0;
  let schema = 0;
  let zeroThreshold = 0;
  let zeroCount = 0;
  let hint = 0;
  let timestampMs = 0;
  const spans: [BucketSpan[], BucketSpan[]] = [[], []];
  const deltas: [number[], number[]] = [[], []];
  const counts: [number[], number[]] = [[], []];
  const customValues: number[] = [];
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        count = reader.uint();
        break;
      case 2:
        count = reader.double();
        break;
      case 3:
        sum = reader.double();
        break;
      case 4:
        schema = reader.sint();
        break;
      case 5:
        zeroThreshold = reader.double();
        break;
      case 6:
        zeroCount = reader.uint();
        break;
      case 7:
        zeroCount = reader.double();
        break;
      case 8:
        spans[1].push(readSpan(reader.message()));
        break;
      case 9:
        reader.sints(deltas[1]);
        break;
      case 10:
        reader.doubles(counts[1]);
        break;
      case 11:
        spans[0].push(readSpan(reader.message()));
        break;
      case 12:
        reader.sints(deltas[0]);
        break;
      case 13:
        reader.doubles(counts[0]);
        break;
      case 14:
        hint = reader.uint();
        break;
      case 15:
        timestampMs = reader.int();
        break;
      case 16:
        reader.doubles(customValues);
        break;
      default:
        reader.skipField();
    }
  }
  return {
    timestampMs,
    histogram: {
      counterResetHint: HINTS[hint] ?? 'unknown',
      schema,
      zeroThreshold,
      zeroCount,
      count,
      sum,
      positiveSpans: spans[0],
      positiveBuckets: counts[0].length > 0 ? counts[0] : absolute(deltas[0]),
      negativeSpans: spans[1],
      negativeBuckets: counts[1].length > 0 ? counts[1] : absolute(deltas[1]),
      customValues,
    },
  };
}

/** Counts from the differences between neighbours. */
export function absolute(deltas: readonly number[]): number[] {
  let count = 0;
  return deltas.map((delta) => (count += delta));
}

export function readSpan(reader: ProtobufReader): BucketSpan {
  let offset = 0;
  let length = 0;
  while (reader.next()) {
    if (reader.field === 1) offset = reader.sint();
    else if (reader.field === 2) length = reader.uint();
    else reader.skipField();
  }
  return { offset, length };
}

/** Why a histogram cannot be kept (model/histogram `Validate`); undefined where it can. */
export function histogramProblem(histogram: NativeHistogram): string | undefined {
  const isCustom = histogram.schema === -53;
  if (!isCustom && (histogram.schema < -4 || histogram.schema > 8))
    return `histogram has the invalid schema ${histogram.schema}`;
  for (const [spans, buckets] of [
    [histogram.positiveSpans, histogram.positiveBuckets],
    [histogram.negativeSpans, histogram.negativeBuckets],
  ] as const) {
    const wanted = spans.reduce((total, span) => total + span.length, 0);
    if (wanted !== buckets.length) return `histogram spans need ${wanted} buckets, have ${buckets.length} buckets`;
    if (spans.some((span, i) => i > 0 && span.offset < 0)) return 'histogram has a span whose offset is negative';
    if (buckets.some((count) => count < 0)) return 'histogram has a bucket whose observation count is negative';
  }
  if (isCustom && histogram.negativeBuckets.length > 0) return 'custom buckets: must not have negative buckets';
  return undefined;
}
