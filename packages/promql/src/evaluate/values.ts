import type { Labels } from '@kind-e2e/telemetry';
import { quote } from '@kind-e2e/telemetry';
import type { FloatHistogram } from '../histogram/float-histogram.ts';
import { PromqlError } from '../results.ts';

/** The moments at which an expression is evaluated: `startMs + i * stepMs` for i below `steps`. */
export interface Grid {
  readonly startMs: number;
  readonly stepMs: number;
  readonly steps: number;
}

export function timeAt(grid: Grid, step: number): number {
  return grid.startMs + step * grid.stepMs;
}

/** One series of an instant vector at every step of a grid. */
export interface Column {
  labels: Labels;
  readonly values: Float64Array;
  /** 1 where the series has a sample at the step. */
  readonly present: Uint8Array;
  /** Where `histograms[i]` is set, `values[i]` means nothing. */
  histograms?: (FloatHistogram | undefined)[] | undefined;
}

/** Samples of one series of a range vector; stale markers are gone. */
export interface RangeSeries {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly histogramTimes: Float64Array;
  readonly histograms: readonly FloatHistogram[];
}

export type Value =
  | { readonly type: 'scalar'; readonly values: Float64Array }
  | { readonly type: 'vector'; readonly columns: readonly Column[] }
  | { readonly type: 'string'; readonly value: string };

export function newColumn(labels: Labels, steps: number): Column {
  return { labels, values: new Float64Array(steps), present: new Uint8Array(steps) };
}

export function setHistogram(column: Column, step: number, histogram: FloatHistogram): void {
  column.histograms ??= new Array(column.values.length).fill(undefined);
  column.histograms[step] = histogram;
  column.present[step] = 1;
}

export function isEmpty(column: Column): boolean {
  return !column.present.includes(1);
}

export function dropName(labels: Labels): Labels {
  return labels.unnamed;
}

/** Of a query of some hundred steps about as many kilobytes each. */
const MAX_KNOWN_TIMES = 256;

export const SAME_LABELSET = 'vector cannot contain metrics with the same labelset';

/** Joins columns of equal labels that never meet; two samples at one step are an error (Vector.ContainsSameLabelset). */
export function mergeColumns(columns: readonly Column[]): readonly Column[] {
  const byKey = new Map<string, Column>();
  for (const column of columns) {
    const known = byKey.get(column.labels.key);
    if (known === undefined) {
      byKey.set(column.labels.key, column);
      continue;
    }
    for (let i = 0; i < column.present.length; i++) {
      if (column.present[i] !== 1) continue;
      if (known.present[i] === 1) throw new PromqlError('execution', SAME_LABELSET);
      const histogram = column.histograms?.[i];
      if (histogram !== undefined) setHistogram(known, i, histogram);
      known.values[i] = column.values[i] ?? 0;
      known.present[i] = 1;
    }
  }
  return byKey.size === columns.length ? columns : [...byKey.values()];
}

/** Two series of equal labels are an error even where they never meet (Matrix.ContainsSameLabelset). */
export function refuseSameLabels(columns: readonly Column[]): readonly Column[] {
  const keys = new Set(columns.map((column) => column.labels.key));
  if (keys.size < columns.length) throw new PromqlError('execution', SAME_LABELSET);
  return columns;
}

/** A label set in Prometheus' notation: `{a="1", "b.c"="2"}` (model/labels, Labels.String). */
export function labelsText(labels: Labels): string {
  return `{${[...labels].map(([name, value]) => `${/^[a-zA-Z_]\w*$/.test(name) ? name : quote(name)}=${quote(value)}`).join(', ')}}`;
}

/** What is computed of an array of times, for the series that share it; of the first arrays it is kept. */
export class ByTimes<T> {
  readonly #compute: (times: Float64Array, spare: T | undefined) => T;
  readonly #known = new Map<Float64Array, T>();
  #spare: T | undefined;
  #spareOf: Float64Array | undefined;

  /** `spare` may be written over and given back. */
  constructor(compute: (times: Float64Array, spare: T | undefined) => T) {
    this.#compute = compute;
  }

  of(times: Float64Array): T {
    const known = this.#known.get(times);
    if (known !== undefined) return known;
    if (this.#known.size < MAX_KNOWN_TIMES) {
      const value = this.#compute(times, undefined);
      this.#known.set(times, value);
      return value;
    }
    if (this.#spare === undefined || this.#spareOf !== times) this.#spare = this.#compute(times, this.#spare);
    this.#spareOf = times;
    return this.#spare;
  }
}
