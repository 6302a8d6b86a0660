import { METRIC_NAME, quote } from '@kind-e2e/telemetry';
import { histogramText } from '../histogram/text.ts';
import { formatValue } from '../numbers.ts';
import { PromqlError } from '../results.ts';
import type { Aggregation } from '../syntax/index.ts';
import { isLabelName } from './label-functions.ts';
import { type Column, type Grid, newColumn } from './values.ts';

/** Throws before the series are looked at. */
export function checkValueLabel(name: string): void {
  if (!isLabelName(name)) throw new PromqlError('execution', `invalid label name ${quote(name)}`);
}

/** count_values: how many series of the group have each value, the value as a label. */
export function countValues(
  node: Aggregation,
  columns: readonly Column[],
  labelName: string,
  grid: Grid,
): readonly Column[] {
  const result = new Map<string, Column>();
  const names = new Set(node.without ? [...node.grouping, METRIC_NAME] : [...node.grouping, labelName]);
  for (const column of columns) {
    for (let i = 0; i < grid.steps; i++) {
      if (column.present[i] !== 1) continue;
      const histogram = column.histograms?.[i];
      const value = histogram === undefined ? formatValue(column.values[i] ?? 0) : histogramText(histogram);
      const counted = column.labels.with({ [labelName]: value });
      const labels = node.without ? counted.without(names) : counted.only(names);
      let out = result.get(labels.key);
      if (out === undefined) {
        out = newColumn(labels, grid.steps);
        result.set(labels.key, out);
      }
      out.values[i] = (out.values[i] ?? 0) + 1;
      out.present[i] = 1;
    }
  }
  return [...result.values()];
}
