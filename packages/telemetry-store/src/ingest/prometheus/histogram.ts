import type { BucketSpan, NativeHistogram } from '@kind-e2e/telemetry';
import type { ProtobufReader } from '../../bytes/protobuf.ts';

const HINTS = ['unknown', 'reset', 'not-reset', 'gauge'] as const;

/** prometheus.Histogram (prompb/types.proto), the same in remote write 1 and 2. */
export function readPromHistogram(reader: ProtobufReader): {
  readonly histogram: NativeHistogram;
  readonly timestampMs: number;
  /** Whether its counts are floats, which need not add up. */
  readonly isFloat: boolean;
} {
  let count = 0;
  let isFloat = false;
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
        isFloat = true;
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
    isFloat,
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

/** Why a histogram cannot be kept (model/histogram, `Validate`); undefined where it can. */
export function histogramProblem(histogram: NativeHistogram, isFloat: boolean): string | undefined {
  const isCustom = histogram.schema === -53;
  if (!isCustom && (histogram.schema < -4 || histogram.schema > 8))
    return `histogram has the invalid schema ${histogram.schema}`;
  if (isCustom) {
    const problem = customProblem(histogram);
    if (problem !== undefined) return `custom buckets: ${problem}`;
  } else {
    if (histogram.customValues.length > 0) return 'histogram with exponential schema must not have custom bounds';
    for (const [side, spans, buckets] of [
      ['positive', histogram.positiveSpans, histogram.positiveBuckets],
      ['negative', histogram.negativeSpans, histogram.negativeBuckets],
    ] as const) {
      const problem = spanProblem(spans, buckets, 1);
      if (problem !== undefined) return `${side} side: ${problem}`;
    }
  }
  for (const [side, buckets] of [
    ['negative', histogram.negativeBuckets],
    ['positive', histogram.positiveBuckets],
  ] as const) {
    const at = buckets.findIndex((count) => count < 0);
    if (at >= 0)
      return `${side} side: bucket number ${at + 1} has observation count of ${buckets[at]}: histogram has a bucket whose observation count is negative`;
  }
  return isFloat ? undefined : countProblem(histogram);
}

function spanProblem(spans: readonly BucketSpan[], buckets: readonly number[], firstFree: 0 | 1): string | undefined {
  const negative = spans.findIndex(({ offset }, i) => i >= firstFree && offset < 0);
  if (negative >= 0)
    return `span number ${negative + 1} with offset ${spans[negative]?.offset}: histogram has a span whose offset is negative`;
  const wanted = spans.reduce((total, span) => total + span.length, 0);
  return wanted === buckets.length
    ? undefined
    : `spans need ${wanted} buckets, have ${buckets.length} buckets: histogram spans specify different number of buckets than provided`;
}

function customProblem(histogram: NativeHistogram): string | undefined {
  const { customValues, positiveSpans, positiveBuckets } = histogram;
  const falling = customValues.findIndex(
    (bound, i) => i > 0 && bound <= (customValues[i - 1] ?? Number.NEGATIVE_INFINITY),
  );
  if (falling >= 0)
    return `previous bound is ${customValues[falling - 1]?.toFixed(6)} and current is ${customValues[falling]?.toFixed(6)}: histogram custom bounds must be in strictly increasing order`;
  if (customValues.at(-1) === Number.POSITIVE_INFINITY)
    return 'last +Inf bound must not be explicitly defined: histogram custom bounds must be finite';
  const problem = spanProblem(positiveSpans, positiveBuckets, 0);
  if (problem !== undefined) return problem;
  const reach = positiveSpans.reduce((total, { offset, length }) => total + offset + length, 0);
  if (customValues.length + 1 < reach)
    return `only ${customValues.length} custom bounds defined which is insufficient to cover total span length of ${reach}: histogram custom bounds are too few`;
  if (histogram.zeroCount !== 0) return 'must have zero count of 0';
  if (histogram.zeroThreshold !== 0) return 'must have zero threshold of 0';
  if (histogram.negativeSpans.length > 0) return 'must not have negative spans';
  return histogram.negativeBuckets.length > 0 ? 'must not have negative buckets' : undefined;
}

/** Of whole numbers the buckets add up to the count, but for observations of NaN, which are in none. */
function countProblem({
  count,
  sum,
  zeroCount,
  positiveBuckets,
  negativeBuckets,
}: NativeHistogram): string | undefined {
  const found = [...positiveBuckets, ...negativeBuckets].reduce((total, bucket) => total + bucket, zeroCount);
  if (Number.isNaN(sum) ? found <= count : found === count) return undefined;
  const why = Number.isNaN(sum)
    ? "histogram's observation count should be at least the number of observations found in the buckets"
    : "histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)";
  return `${found} observations found in buckets, but the Count field is ${count}: ${why}`;
}
