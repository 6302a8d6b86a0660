import { Labels } from '@kind-e2e/telemetry';
import type { LogqlError } from '../results.ts';
import type { Grouping, RangeAggregation, RangeOperation } from '../syntax/ast.ts';
import { type Column, type Grid, newColumn, setAt } from './columns.ts';
import type { Evaluation } from './evaluation.ts';
import { kernelOf } from './range-operations.ts';
import { extractSamples, pipelineErrorOf } from './samples.ts';

const ORDERED: readonly RangeOperation[] = ['first_over_time', 'last_over_time', 'rate_counter'];

/** Windows are open at their start and closed at their end, as in Loki's range vector iterator. */
export async function evaluateRangeAggregation(
  evaluation: Evaluation,
  node: RangeAggregation,
  grid: Grid,
  outer: Grouping | undefined,
): Promise<readonly Column[]> {
  const { rangeNs, offsetNs } = node;
  const baseNs = grid.startNs - offsetNs - rangeNs;
  const lastNs = grid.startNs + BigInt(grid.steps - 1) * grid.stepNs - offsetNs;
  const series = await extractSamples(evaluation, node, baseNs, lastNs, outer);
  const range = Number(rangeNs);
  const stepLength = Number(grid.stepNs);
  const kernel = kernelOf(node);
  const columns: Column[] = [];
  let failure: { readonly step: number; readonly error: LogqlError } | undefined;
  for (const one of series) {
    const { labels } = one;
    // In a single window all samples count, and mostly in any order.
    if (grid.steps > 1 || ORDERED.includes(node.operation)) one.sort();
    const { times, values } = one;
    const column = newColumn(labels, grid.steps);
    let lo = 0;
    let hi = 0;
    for (let step = 0; step < grid.steps; step++) {
      const start = step * stepLength;
      const end = start + range;
      if (grid.steps === 1) hi = times.length;
      else while (hi < times.length && (times[hi] ?? 0) <= end) hi++;
      while (grid.steps > 1 && lo < hi && (times[lo] ?? 0) <= start) lo++;
      if (lo === hi) continue;
      const value = kernel(times, values, lo, hi, start, end);
      if (value !== undefined) setAt(column, step, value);
    }
    const first = column.present.indexOf(1);
    if (first >= 0) columns.push(column);
    const error = first < 0 ? undefined : pipelineErrorOf(labels);
    if (error !== undefined && (failure === undefined || first < failure.step)) failure = { step: first, error };
    if (evaluation.needsPause) await evaluation.pause();
  }
  if (failure !== undefined) throw failure.error;
  return node.operation === 'absent_over_time' ? absent(node, columns, grid) : columns;
}

/** 1 where no series has a sample, with the labels that the selector says by `=`. */
function absent(node: RangeAggregation, columns: readonly Column[], grid: Grid): readonly Column[] {
  const values = new Map<string, string>();
  const seen = new Set<string>();
  for (const { name, operator, value } of node.log.matchers) {
    if (operator === '=' && !seen.has(name)) values.set(name, value);
    else values.delete(name);
    seen.add(name);
  }
  const column = newColumn(Labels.from(values), grid.steps);
  for (let step = 0; step < grid.steps; step++)
    if (!columns.some(({ present }) => present[step] === 1)) setAt(column, step, 1);
  return column.present.includes(1) ? [column] : [];
}
