import type { Labels } from '@kind-e2e/telemetry';
import { type Column, type Grid, newColumn, setAt } from './columns.ts';

/** The windows of a range aggregation, times counted from the start of the first. */
export interface Windows {
  readonly steps: number;
  readonly step: number;
  readonly range: number;
}

/** How many samples each window has and what they add up to, without the samples; both are whole numbers. */
export class CountedSeries {
  readonly labels: Labels;
  readonly #windows: Windows;
  /** At each step what is added to the one before. */
  readonly #counts: Float64Array;
  readonly #sums: Float64Array;

  constructor(labels: Labels, windows: Windows) {
    this.labels = labels;
    this.#windows = windows;
    this.#counts = new Float64Array(windows.steps + 1);
    this.#sums = new Float64Array(windows.steps + 1);
  }

  /** The first window with a time in it. Windows are open at their start and closed at their end. */
  #first(time: number): number {
    const { step, range } = this.#windows;
    return Math.max(0, Math.ceil((time - range) / step));
  }

  /** The one behind the last. */
  #behind(time: number): number {
    return Math.min(this.#windows.steps, Math.ceil(time / this.#windows.step));
  }

  add(time: number, value: number): void {
    this.#add(this.#first(time), this.#behind(time), 1, value);
  }

  /** Adds many samples at once, if all times from the first to the last are in the same windows. */
  addAll(first: number, last: number, count: number, value: number): boolean {
    const from = this.#first(first);
    const behind = this.#behind(first);
    if (from !== this.#first(last) || behind !== this.#behind(last)) return false;
    this.#add(from, behind, count, value);
    return true;
  }

  #add(from: number, behind: number, count: number, value: number): void {
    if (from >= behind) return;
    const counts = this.#counts;
    const sums = this.#sums;
    counts[from] = (counts[from] ?? 0) + count;
    counts[behind] = (counts[behind] ?? 0) - count;
    sums[from] = (sums[from] ?? 0) + value;
    sums[behind] = (sums[behind] ?? 0) - value;
  }

  /** The value of each window that has samples, of their sum. */
  column(grid: Grid, ofSum: (sum: number) => number): Column {
    const column = newColumn(this.labels, grid.steps);
    let count = 0;
    let sum = 0;
    for (let step = 0; step < grid.steps; step++) {
      count += this.#counts[step] ?? 0;
      sum += this.#sums[step] ?? 0;
      if (count > 0) setAt(column, step, ofSum(sum));
    }
    return column;
  }
}
