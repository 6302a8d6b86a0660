/**
 * The quantile of values[lo..hi) (promql/quantile.go, quantile); NaN sorts first. Changes the order of the values: of a
 * full sort only the two values at the rank are needed.
 */
export function quantileOf(q: number, values: Float64Array, lo = 0, hi = values.length): number {
  const count = hi - lo;
  if (count === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const numbers = withNaNsFirst(values, lo, hi);
  const rank = q * (count - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(count - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  if (lo + lower >= numbers) select(values, numbers, hi - 1, lo + lower);
  else if (lo + upper >= numbers) select(values, numbers, hi - 1, lo + upper);
  const low = values[lo + lower] ?? 0;
  // Right of the selected place are only values that are not smaller.
  const high = upper === lower || lo + lower < numbers ? (values[lo + upper] ?? 0) : smallest(values, lo + upper, hi);
  return low * (1 - weight) + high * weight;
}

/** Gives where the numbers begin. */
function withNaNsFirst(values: Float64Array, lo: number, hi: number): number {
  let at = lo;
  for (let i = lo; i < hi; i++) {
    const value = values[i] ?? 0;
    if (!Number.isNaN(value)) continue;
    values[i] = values[at] ?? 0;
    values[at++] = value;
  }
  return at;
}

function smallest(values: Float64Array, from: number, to: number): number {
  let least = values[from] ?? 0;
  for (let i = from + 1; i < to; i++) {
    const value = values[i] ?? 0;
    if (value < least) least = value;
  }
  return least;
}

/** Below this many values they are simply sorted. */
const FEW = 16;

/** Hoare's quickselect: afterwards values[k] is what a sort of values[left..right] would put there, smaller ones left of it. */
function select(values: Float64Array, left: number, right: number, k: number): void {
  let from = left;
  let to = right;
  while (to - from >= FEW) {
    const pivot = medianOfThree(values[from] ?? 0, values[(from + to) >>> 1] ?? 0, values[to] ?? 0);
    let i = from;
    let j = to;
    while (i <= j) {
      while ((values[i] ?? 0) < pivot) i++;
      while ((values[j] ?? 0) > pivot) j--;
      if (i > j) break;
      const moved = values[i] ?? 0;
      values[i++] = values[j] ?? 0;
      values[j--] = moved;
    }
    if (k <= j) to = j;
    else if (k >= i) from = i;
    else return;
  }
  for (let i = from + 1; i <= to; i++) {
    const value = values[i] ?? 0;
    let j = i - 1;
    while (j >= from && (values[j] ?? 0) > value) {
      values[j + 1] = values[j] ?? 0;
      j--;
    }
    values[j + 1] = value;
  }
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
