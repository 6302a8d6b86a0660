import type { Labels } from '@kind-e2e/telemetry';
import { quantileOf } from '../functions/quantile.ts';
import type { Aggregation } from '../syntax/index.ts';
import type { Evaluation } from './evaluation.ts';
import { Groups } from './grouping.ts';
import { type Column, type Grid, newColumn } from './values.ts';

/** Steps whose values are gathered in one pass over the series: as many as a cache line holds. */
const STEPS_A_PASS = 8;

/** quantile: the values of a group's series at each step, histograms ignored with an info. */
export async function quantileAggregation(
  evaluation: Evaluation,
  node: Aggregation,
  columns: readonly Column[],
  quantiles: Float64Array,
  grid: Grid,
): Promise<readonly Column[]> {
  const groups = new Groups(node, (labels): { labels: Labels; columns: Column[] } => ({ labels, columns: [] }));
  for (const column of columns) groups.of(column.labels).columns.push(column);
  const result: Column[] = [];
  for (const { labels, columns: members } of groups.all) {
    evaluation.hold(grid.steps);
    const out = newColumn(labels, grid.steps);
    const rows = Array.from({ length: STEPS_A_PASS }, () => new Float64Array(members.length));
    for (let first = 0; first < grid.steps; first += STEPS_A_PASS) {
      const steps = Math.min(STEPS_A_PASS, grid.steps - first);
      const counts = gather(evaluation, node, members, first, steps, rows);
      for (let i = 0; i < steps; i++) {
        const count = counts[i] ?? 0;
        const row = rows[i];
        if (count === 0 || row === undefined) continue;
        out.values[first + i] = quantileOf(quantiles[first + i] ?? Number.NaN, row, 0, count);
        out.present[first + i] = 1;
      }
      if (evaluation.needsPause) await evaluation.pause();
    }
    if (out.present.includes(1)) result.push(out);
  }
  return result;
}

/** Puts the floats of each step one after the other into its row; gives how many there are. */
function gather(
  evaluation: Evaluation,
  node: Aggregation,
  columns: readonly Column[],
  first: number,
  steps: number,
  rows: readonly Float64Array[],
): Uint32Array {
  const counts = new Uint32Array(steps);
  for (const { values, present, histograms } of columns)
    for (let i = 0; i < steps; i++) {
      const step = first + i;
      if (present[step] !== 1) continue;
      if (histograms?.[step] !== undefined) {
        evaluation.annotations.histogramIgnoredInAggregation(node.op, node.expr);
        continue;
      }
      const count = counts[i] ?? 0;
      const row = rows[i];
      if (row !== undefined) row[count] = values[step] ?? 0;
      counts[i] = count + 1;
    }
  return counts;
}
