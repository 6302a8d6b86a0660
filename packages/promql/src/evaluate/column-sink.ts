import type { Labels } from '@kind-e2e/telemetry';
import { type Column, newColumn } from './values.ts';

/** Where the columns of a vector go, one after the other, so that an aggregation need not hold them all. */
export interface ColumnSink {
  /** Values that one more column holds, for the limit of a query. */
  readonly holds: number;
  /** A column to fill in at every step: what is in it may be of the one before. */
  begin(labels: Labels): Column;
  /** Takes the column that was begun last. */
  take(column: Column): void;
}

/** Keeps every column. */
export class ColumnList implements ColumnSink {
  readonly columns: Column[] = [];
  readonly holds: number;

  constructor(steps: number) {
    this.holds = steps;
  }

  begin(labels: Labels): Column {
    return newColumn(labels, this.holds);
  }

  take(column: Column): void {
    this.columns.push(column);
  }
}

/** Passes each column on and uses its memory again for the next. */
export class ColumnVisitor implements ColumnSink {
  readonly holds = 0;
  readonly #column: Column;
  readonly #visit: (column: Column) => void;

  constructor(steps: number, labels: Labels, visit: (column: Column) => void) {
    this.#column = newColumn(labels, steps);
    this.#visit = visit;
  }

  begin(labels: Labels): Column {
    const column = this.#column;
    column.labels = labels;
    if (column.histograms !== undefined) column.histograms = undefined;
    return column;
  }

  take(column: Column): void {
    this.#visit(column);
  }
}
