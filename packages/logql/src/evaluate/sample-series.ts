import type { Labels } from '@kind-e2e/telemetry';

/** The samples of one series, by time once `sort` was called. Times are nanoseconds after a base. */
export class SampleSeries {
  readonly labels: Labels;
  #times = new Float64Array(16);
  #values = new Float64Array(16);
  #length = 0;
  /** Where runs of rising times begin, after the first. */
  #runs: number[] = [];

  constructor(labels: Labels) {
    this.labels = labels;
  }

  get times(): Float64Array {
    return this.#times.subarray(0, this.#length);
  }

  get values(): Float64Array {
    return this.#values.subarray(0, this.#length);
  }

  add(time: number, value: number): void {
    const length = this.#length;
    if (length === this.#times.length) {
      this.#times = grown(this.#times);
      this.#values = grown(this.#values);
    }
    if (length > 0 && time < (this.#times[length - 1] ?? 0)) this.#runs.push(length);
    this.#times[length] = time;
    this.#values[length] = value;
    this.#length = length + 1;
  }

  /** Merges the runs, pairs of neighbours at a time; of equal times that which came first stays first. */
  sort(): void {
    while (this.#runs.length > 0) {
      const bounds = [0, ...this.#runs, this.#length];
      const runs: number[] = [];
      const times = new Float64Array(this.#length);
      const values = new Float64Array(this.#length);
      for (let i = 0; i + 1 < bounds.length; i += 2) {
        const from = bounds[i] ?? 0;
        const middle = bounds[i + 1] ?? this.#length;
        const to = bounds[i + 2] ?? middle;
        if (from > 0) runs.push(from);
        this.#merge(from, middle, to, times, values);
      }
      this.#times = times;
      this.#values = values;
      this.#runs = runs;
    }
  }

  #merge(from: number, middle: number, to: number, times: Float64Array, values: Float64Array): void {
    let left = from;
    let right = middle;
    for (let out = from; out < to; out++) {
      const takeLeft = left < middle && (right >= to || (this.#times[left] ?? 0) <= (this.#times[right] ?? 0));
      const source = takeLeft ? left++ : right++;
      times[out] = this.#times[source] ?? 0;
      values[out] = this.#values[source] ?? 0;
    }
  }
}

function grown(array: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}
