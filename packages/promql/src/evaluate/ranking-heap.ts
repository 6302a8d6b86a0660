import { goSort } from './go-sort.ts';

/** A series and its value at one step. */
export interface Ranked<T> {
  readonly item: T;
  readonly value: number;
}

/**
 * Keeps the best k of a row of values. Which of equal values stay, and in what order, is as in Prometheus
 * (promql/engine.go, aggregationK over Go's container/heap): the worst kept value is on top, NaN counts as worse than
 * every number, and a value takes the top's place only where it is better.
 */
export class RankingHeap<T> {
  readonly #k: number;
  readonly #better: (a: number, b: number) => boolean;
  readonly #heap: Ranked<T>[] = [];

  constructor(k: number, better: (a: number, b: number) => boolean) {
    this.#k = k;
    this.#better = better;
  }

  add(item: T, value: number): void {
    const heap = this.#heap;
    if (heap.length < this.#k) {
      heap.push({ item, value });
      this.#up(heap.length - 1);
      return;
    }
    const worst = heap[0]?.value ?? Number.NaN;
    if (!this.#better(value, worst) && !(Number.isNaN(worst) && !Number.isNaN(value))) return;
    heap[0] = { item, value };
    this.#down(0);
  }

  /** The best first. */
  sorted(): T[] {
    goSort(this.#heap, (a, b) => this.#isLess(b.value, a.value));
    return this.#heap.map(({ item }) => item);
  }

  #valueAt(index: number): number {
    return this.#heap[index]?.value ?? Number.NaN;
  }

  #isWorse(a: number, b: number): boolean {
    return this.#isLess(this.#valueAt(a), this.#valueAt(b));
  }

  #isLess(a: number, b: number): boolean {
    return Number.isNaN(a) || this.#better(b, a);
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    const left = heap[a];
    const right = heap[b];
    if (left === undefined || right === undefined) return;
    heap[a] = right;
    heap[b] = left;
  }

  #up(from: number): void {
    for (let child = from; child > 0; ) {
      const parent = (child - 1) >>> 1;
      if (!this.#isWorse(child, parent)) return;
      this.#swap(parent, child);
      child = parent;
    }
  }

  #down(from: number): void {
    const { length } = this.#heap;
    for (let parent = from; ; ) {
      const left = 2 * parent + 1;
      if (left >= length) return;
      const right = left + 1;
      const child = right < length && this.#isWorse(right, left) ? right : left;
      if (!this.#isWorse(child, parent)) return;
      this.#swap(parent, child);
      parent = child;
    }
  }
}
