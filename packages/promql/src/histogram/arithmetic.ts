import {
  type FloatHistogram,
  HistogramMismatch,
  type ResetHint,
  reconcileZeroBuckets,
  reduceResolution,
  type Side,
  usesCustomBuckets,
  zeroCountFor,
} from './float-histogram.ts';

function sameBounds(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.customValues.length === b.customValues.length && a.customValues.every((value, i) => value === b.customValues[i])
  );
}

function combineSides(a: Side, b: Side, sign: 1 | -1): Side {
  const indexes: number[] = [];
  const counts: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.indexes.length || j < b.indexes.length) {
    const left = a.indexes[i] ?? Number.POSITIVE_INFINITY;
    const right = b.indexes[j] ?? Number.POSITIVE_INFINITY;
    let count = 0;
    if (left <= right) count += a.counts[i++] ?? 0;
    if (right <= left) count += sign * (b.counts[j++] ?? 0);
    indexes.push(Math.min(left, right));
    counts.push(count);
  }
  return { indexes, counts };
}

function combinedHint(a: ResetHint, b: ResetHint): ResetHint {
  if (a === b) return a;
  if (a === 'gauge' || b === 'gauge') return 'gauge';
  if (a === 'unknown') return b;
  return b === 'unknown' ? a : 'unknown';
}

function combine(a: FloatHistogram, b: FloatHistogram, sign: 1 | -1): FloatHistogram {
  if (usesCustomBuckets(a) !== usesCustomBuckets(b)) throw new HistogramMismatch('schema');
  let left = a;
  let right = b;
  if (usesCustomBuckets(a)) {
    if (!sameBounds(a, b)) throw new HistogramMismatch('bounds');
  } else {
    [left, right] = reconcileZeroBuckets(a, b);
    const schema = Math.min(a.schema, b.schema);
    left = reduceResolution(left, schema);
    right = reduceResolution(right, schema);
  }
  return {
    ...left,
    hint: sign === 1 ? combinedHint(a.hint, b.hint) : a.hint,
    zeroCount: left.zeroCount + sign * right.zeroCount,
    count: left.count + sign * right.count,
    sum: left.sum + sign * right.sum,
    positive: combineSides(left.positive, right.positive, sign),
    negative: combineSides(left.negative, right.negative, sign),
  };
}

/** FloatHistogram.Add. Throws HistogramMismatch. */
export function addHistograms(a: FloatHistogram, b: FloatHistogram): FloatHistogram {
  return combine(a, b, 1);
}

/** FloatHistogram.Sub. Throws HistogramMismatch. */
export function subtractHistograms(a: FloatHistogram, b: FloatHistogram): FloatHistogram {
  return combine(a, b, -1);
}

function scaled(h: FloatHistogram, apply: (value: number) => number): FloatHistogram {
  return {
    ...h,
    zeroCount: apply(h.zeroCount),
    count: apply(h.count),
    sum: apply(h.sum),
    positive: { indexes: h.positive.indexes, counts: h.positive.counts.map(apply) },
    negative: { indexes: h.negative.indexes, counts: h.negative.counts.map(apply) },
  };
}

/** FloatHistogram.Mul. */
export function multiplyHistogram(h: FloatHistogram, factor: number): FloatHistogram {
  return scaled(h, (value) => value * factor);
}

/** FloatHistogram.Div; division by zero leaves no buckets. */
export function divideHistogram(h: FloatHistogram, divisor: number): FloatHistogram {
  const result = scaled(h, (value) => value / divisor);
  if (divisor === 0) return { ...result, positive: { indexes: [], counts: [] }, negative: { indexes: [], counts: [] } };
  return result;
}

/** The mean of `count` histograms, from that of all but the last (promql/engine.go and functions.go, AVG and funcAvgOverTime). */
export function addToMean(mean: FloatHistogram, next: FloatHistogram, count: number): FloatHistogram {
  return addHistograms(mean, subtractHistograms(divideHistogram(next, count), divideHistogram(mean, count)));
}

function sameNumber(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

function sameSide(a: Side, b: Side): boolean {
  const filled = (side: Side): string =>
    side.indexes
      .map((index, i) => [index, side.counts[i]] as const)
      .filter(([, count]) => count !== 0)
      .join(' ');
  return filled(a) === filled(b);
}

/** FloatHistogram.Equals: everything but the hint. */
export function histogramsEqual(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.schema === b.schema &&
    sameNumber(a.count, b.count) &&
    sameNumber(a.sum, b.sum) &&
    a.zeroThreshold === b.zeroThreshold &&
    sameNumber(a.zeroCount, b.zeroCount) &&
    sameBounds(a, b) &&
    sameSide(a.positive, b.positive) &&
    sameSide(a.negative, b.negative)
  );
}

function shrank(current: Side, previous: Side): boolean {
  const now = new Map(current.indexes.map((index, i) => [index, current.counts[i] ?? 0]));
  return previous.indexes.some((index, i) => (now.get(index) ?? 0) < (previous.counts[i] ?? 0));
}

/** FloatHistogram.DetectReset: whether a counter histogram started anew after the previous one. */
export function detectReset(current: FloatHistogram, previous: FloatHistogram): boolean {
  if (current.hint === 'reset') return true;
  if (current.hint === 'not-reset') return false;
  if (current.count < previous.count) return true;
  if (usesCustomBuckets(current) !== usesCustomBuckets(previous)) return true;
  if (usesCustomBuckets(current) && !sameBounds(current, previous)) return true;
  if (current.schema > previous.schema || current.zeroThreshold < previous.zeroThreshold) return true;
  const zero = zeroCountFor(previous, current.zeroThreshold);
  if (zero.threshold !== current.zeroThreshold || current.zeroCount < zero.count) return true;
  const [, widened] = reconcileZeroBuckets(current, previous);
  const reduced = reduceResolution(widened, current.schema);
  return shrank(current.positive, reduced.positive) || shrank(current.negative, reduced.negative);
}
