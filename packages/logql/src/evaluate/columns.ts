import type { Labels } from '@kind-e2e/telemetry';

/** The steps of a metric query: `startNs + i * stepNs` for i below `steps`. */
export interface Grid {
  readonly startNs: bigint;
  readonly stepNs: bigint;
  readonly steps: number;
}

/** One series at every step of a grid. */
export interface Column {
  readonly labels: Labels;
  readonly values: Float64Array;
  /** 1 where the series has a value at the step. */
  readonly present: Uint8Array;
}

export type MetricValue =
  | { readonly kind: 'scalar'; readonly value: number }
  | { readonly kind: 'vector'; readonly columns: readonly Column[] };

export function newColumn(labels: Labels, steps: number): Column {
  return { labels, values: new Float64Array(steps), present: new Uint8Array(steps) };
}

export function setAt(column: Column, step: number, value: number): void {
  column.values[step] = value;
  column.present[step] = 1;
}
