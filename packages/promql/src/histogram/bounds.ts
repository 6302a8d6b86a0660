/** The schema of native histograms with custom bucket bounds. */
export const CUSTOM_BUCKETS_SCHEMA = -53;

const MAX_FINITE = Number.MAX_VALUE;

/** The upper bound of a bucket of an exponential schema (model/histogram/generic.go, getBoundExponential). */
export function exponentialBound(index: number, schema: number): number {
  if (schema < 0) {
    const exponent = index * 2 ** -schema;
    return exponent === 1024 ? MAX_FINITE : 2 ** exponent;
  }
  const perDoubling = 2 ** schema;
  const whole = Math.floor(index / perDoubling);
  const fraction = index - whole * perDoubling;
  if (fraction === 0 && whole === 1024) return MAX_FINITE;
  const base = 2 ** (fraction / perDoubling);
  return whole > 1023 ? base * 2 ** 1023 * 2 ** (whole - 1023) : base * 2 ** whole;
}

/** The upper bound of a custom bucket; -1 is the lower bound of the first. */
export function customBound(index: number, customValues: readonly number[]): number {
  if (index < 0) return Number.NEGATIVE_INFINITY;
  return customValues[index] ?? Number.POSITIVE_INFINITY;
}

/** The index that a bucket has in a coarser schema. */
export function targetIndex(index: number, from: number, to: number): number {
  return Math.floor((index - 1) / 2 ** (from - to)) + 1;
}
