/** Compensated sums (promql/functions.go, kahanSumInc), so that answers agree with Prometheus' to the last digits. */
export class KahanSum {
  sum: number;
  compensation: number;

  constructor(sum = 0, compensation = 0) {
    this.sum = sum;
    this.compensation = compensation;
  }

  add(value: number): void {
    const total = this.sum + value;
    if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) this.compensation = 0;
    else if (Math.abs(this.sum) >= Math.abs(value)) this.compensation += this.sum - total + value;
    else this.compensation += value - total + this.sum;
    this.sum = total;
  }

  get value(): number {
    return this.sum + this.compensation;
  }
}

/** The sum of values[lo..hi). */
export function sumOf(values: Float64Array, lo: number, hi: number): number {
  let sum = 0;
  let compensation = 0;
  for (let i = lo; i < hi; i++) {
    const value = values[i] ?? 0;
    const total = sum + value;
    if (total - total !== 0) compensation = 0;
    else if (Math.abs(sum) >= Math.abs(value)) compensation += sum - total + value;
    else compensation += value - total + sum;
    sum = total;
  }
  return sum - sum !== 0 ? sum : sum + compensation;
}

/** The mean of values[lo..hi): of the sum, and step by step from where that would overflow (promql/functions.go, funcAvgOverTime). */
export function meanOf(values: Float64Array, lo: number, hi: number): number {
  let sum = values[lo] ?? 0;
  let compensation = 0;
  const count = hi - lo;
  for (let i = lo + 1; i < hi; i++) {
    const value = values[i] ?? 0;
    const total = sum + value;
    if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY)
      return incrementalMean(values, i, hi, lo, sum, compensation);
    if (Math.abs(sum) >= Math.abs(value)) compensation += sum - total + value;
    else compensation += value - total + sum;
    sum = total;
  }
  return sum / count + compensation / count;
}

function incrementalMean(
  values: Float64Array,
  from: number,
  hi: number,
  lo: number,
  sum: number,
  compensation: number,
): number {
  const mean = new KahanSum(sum / (from - lo), compensation / (from - lo));
  for (let i = from; i < hi; i++) {
    const count = i - lo + 1;
    const weight = (count - 1) / count;
    mean.sum *= weight;
    mean.compensation *= weight;
    mean.add((values[i] ?? 0) / count);
  }
  return mean.value;
}

/** Sum of squared deviations from the mean, divided by the count (Welford, compensated). */
export function varianceOf(values: Float64Array, lo: number, hi: number): number {
  const mean = new KahanSum();
  const squares = new KahanSum();
  for (let i = lo; i < hi; i++) {
    const value = values[i] ?? 0;
    const delta = value - mean.value;
    mean.add(delta / (i - lo + 1));
    squares.add(delta * (value - mean.value));
  }
  return squares.value / (hi - lo);
}
