/** The schema of native histograms with custom bucket bounds. */
export const CUSTOM_BUCKETS_SCHEMA = -53;

const MAX_FINITE = Number.MAX_VALUE;

const FINEST_SCHEMA = 8;

/**
 * How many steps of a float64, less one, the bounds that Prometheus and its clients have in their tables (`exponentialBounds`
 * of model/histogram/generic.go) are below the roots of two as `rootsOfTwo` computes them.
 */
const STEPS_BELOW =
  '1110112111211111112200111122222211211111111111221122101111211122111010111122112211211121112211111111101121332233223221222233' +
  '222322222234334432333343334444454355222212212233213333443343434333443243223332333333323333444344334422222232323321322233213333443344';

/** 0.5 times the powers of the 256th root of two, from square roots alone: those are the same on every machine. */
function rootsOfTwo(): number[] {
  let roots = [0.5];
  for (let schema = 1; schema <= FINEST_SCHEMA; schema++)
    roots = roots.flatMap((root, i) => [root, Math.sqrt(root * (roots[i + 1] ?? 1))]);
  return roots;
}

const BOUNDS = rootsOfTwo().map((root, i) => {
  const bits = new BigInt64Array(Float64Array.of(root).buffer);
  bits[0] = (bits[0] ?? 0n) - BigInt(Number(STEPS_BELOW[i] ?? '1') - 1);
  return new Float64Array(bits.buffer)[0] ?? root;
});

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
  const base = 2 * (BOUNDS[fraction << (FINEST_SCHEMA - schema)] ?? Number.NaN);
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
