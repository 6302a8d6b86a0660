import { goSort } from './go-sort.ts';

/** A series, by its number, and its value at one step. */
export interface Ranked {
  readonly item: number;
  readonly value: number;
}

/**
 * The best k of the values of each step, as they come. Which of equal values stay, and in what order, is as in
 * Prometheus (promql/engine.go, aggregationK over Go's container/heap): the worst kept value is on top, NaN counts as
 * worse than every number, and a value takes the top's place only where it is better.
 */
export class StepHeaps {
  readonly #k: number;
  readonly #largest: boolean;
  readonly #sizes: Int32Array;
  /** Heap after heap, each with room for k. */
  readonly #values: Float64Array;
  readonly #items: Int32Array;

  constructor(steps: number, k: number, largest: boolean) {
    this.#k = k;
    this.#largest = largest;
    this.#sizes = new Int32Array(steps);
    this.#values = new Float64Array(steps * k);
    this.#items = new Int32Array(steps * k);
  }

  /** One series: its values where `present` is 1; `ks` has the k of each step, at most the one that there is room for. */
  add(item: number, values: Float64Array, present: Uint8Array, ks: Int32Array): void {
    const room = this.#k;
    const best = this.#values;
    const sizes = this.#sizes;
    const largest = this.#largest;
    const steps = sizes.length;
    for (let step = 0; step < steps; step++) {
      if (present[step] !== 1) continue;
      const value = values[step] ?? Number.NaN;
      const base = step * room;
      const k = ks[step] ?? 0;
      const size = sizes[step] ?? 0;
      if (size < k) {
        sizes[step] = size + 1;
        this.#set(base + size, item, value);
        this.#up(base, size);
        continue;
      }
      if (k === 0) continue;
      const worst = best[base] ?? Number.NaN;
      const isBetter = largest ? value > worst : value < worst;
      if (!isBetter && !(Number.isNaN(worst) && !Number.isNaN(value))) continue;
      this.#set(base, item, value);
      this.#down(base, size);
    }
  }

  /** The best first. */
  sorted(step: number): Ranked[] {
    const base = step * this.#k;
    const ranked: Ranked[] = [];
    for (let i = 0; i < (this.#sizes[step] ?? 0); i++)
      ranked.push({ item: this.#items[base + i] ?? 0, value: this.#values[base + i] ?? Number.NaN });
    goSort(ranked, (a, b) => this.#isLess(b.value, a.value));
    return ranked;
  }

  /** Sets 0 for each series that is kept at any step. */
  mark(marks: Int32Array): void {
    const sizes = this.#sizes;
    for (let step = 0; step < sizes.length; step++) {
      const base = step * this.#k;
      const end = base + (sizes[step] ?? 0);
      for (let i = base; i < end; i++) marks[this.#items[i] ?? 0] = 0;
    }
  }

  /** Writes what is kept to where each series has its steps in the arrays. */
  write(places: Int32Array, values: Float64Array, present: Uint8Array): void {
    const sizes = this.#sizes;
    for (let step = 0; step < sizes.length; step++) {
      const base = step * this.#k;
      const end = base + (sizes[step] ?? 0);
      for (let i = base; i < end; i++) {
        const at = (places[this.#items[i] ?? 0] ?? 0) + step;
        values[at] = this.#values[i] ?? Number.NaN;
        present[at] = 1;
      }
    }
  }

  #set(at: number, item: number, value: number): void {
    this.#items[at] = item;
    this.#values[at] = value;
  }

  #isLess(a: number, b: number): boolean {
    return Number.isNaN(a) || (this.#largest ? b > a : b < a);
  }

  #isWorse(a: number, b: number): boolean {
    return this.#isLess(this.#values[a] ?? Number.NaN, this.#values[b] ?? Number.NaN);
  }

  #swap(a: number, b: number): void {
    const item = this.#items[a] ?? 0;
    const value = this.#values[a] ?? Number.NaN;
    this.#set(a, this.#items[b] ?? 0, this.#values[b] ?? Number.NaN);
    this.#set(b, item, value);
  }

  #up(base: number, from: number): void {
    for (let child = from; child > 0; ) {
      const parent = (child - 1) >>> 1;
      if (!this.#isWorse(base + child, base + parent)) return;
      this.#swap(base + parent, base + child);
      child = parent;
    }
  }

  #down(base: number, size: number): void {
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      if (left >= size) return;
      const right = left + 1;
      const child = right < size && this.#isWorse(base + right, base + left) ? right : left;
      if (!this.#isWorse(base + child, base + parent)) return;
      this.#swap(base + parent, base + child);
      parent = child;
    }
  }
}
