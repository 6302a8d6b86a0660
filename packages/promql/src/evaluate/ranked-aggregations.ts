import { PromqlError } from '../results.ts';
import { shortNumber } from '../syntax/format.ts';
import { type Aggregation, unwrapParens } from '../syntax/index.ts';
import type { Evaluation } from './evaluation.ts';
import { groupColumns } from './grouping.ts';
import { hashLabels } from './hash.ts';
import { RankingHeap } from './ranking-heap.ts';
import { type Column, type Grid, newColumn, setHistogram } from './values.ts';

/** topk, bottomk, limitk and limit_ratio keep some series of each group as they are, chosen anew at each step. */
export function rankedAggregation(
  evaluation: Evaluation,
  node: Aggregation,
  columns: readonly Column[],
  param: Float64Array,
  grid: Grid,
): readonly Column[] {
  const kept = new Map<Column, Column>();
  const order: Column[] = [];
  const keep = (column: Column, step: number): void => {
    let out = kept.get(column);
    if (out === undefined) {
      out = newColumn(column.labels, grid.steps);
      kept.set(column, out);
    }
    if (grid.steps === 1) order.push(out);
    const histogram = column.histograms?.[step];
    if (histogram !== undefined) setHistogram(out, step, histogram);
    out.values[step] = column.values[step] ?? 0;
    out.present[step] = 1;
  };
  const groups = groupColumns(node, columns);
  const isRatio = node.op === 'limit_ratio';
  if (isRatio) warnOfRatios(evaluation, node, param);
  // Prometheus looks at the parameter only where it has something to choose from.
  else if (!param.some((k) => k >= 1 || Number.isNaN(k))) return [];
  for (let step = 0; step < grid.steps; step++) {
    if (!columns.some((column) => column.present[step] === 1)) continue;
    const value = checkedParam(isRatio, param[step] ?? Number.NaN);
    if (isRatio) {
      if (value !== 0) for (const group of groups) limitRatio(group.columns, step, value, keep);
      continue;
    }
    const k = Math.min(Math.trunc(value), columns.length);
    if (k < 1) continue;
    for (const group of groups) {
      if (node.op === 'limitk') limitK(group.columns, step, k, keep);
      else for (const column of rank(evaluation, node, group.columns, step, k)) keep(column, step);
    }
  }
  if (grid.steps === 1) return order;
  return columns.flatMap((column) => kept.get(column) ?? []);
}

function checkedParam(isRatio: boolean, value: number): number {
  if (isRatio) {
    if (Number.isNaN(value)) throw new PromqlError('execution', 'Ratio value NaN is NaN');
    return Math.min(1, Math.max(-1, value));
  }
  if (!(value < 2 ** 63 && value >= -(2 ** 63)))
    throw new PromqlError('execution', `Scalar value ${shortNumber(value)} overflows int64`);
  return value;
}

/** Of all steps at once (promql/engine.go, rangeEvalAgg). */
function warnOfRatios(evaluation: Evaluation, node: Aggregation, param: Float64Array): void {
  const at = unwrapParens(node.param ?? node);
  const highest = param.reduce((a, b) => Math.max(a, b), 0);
  const lowest = param.reduce((a, b) => Math.min(a, b), 0);
  if (highest > 1) evaluation.annotations.invalidRatio(highest, 1, at);
  if (lowest < -1) evaluation.annotations.invalidRatio(lowest, -1, at);
}

/** The best k of the group, the best first. */
function rank(
  evaluation: Evaluation,
  node: Aggregation,
  columns: readonly Column[],
  step: number,
  k: number,
): Column[] {
  const heap = new RankingHeap<Column>(k, node.op === 'topk' ? (a, b) => a > b : (a, b) => a < b);
  for (const column of columns) {
    if (column.present[step] !== 1) continue;
    if (column.histograms?.[step] === undefined) heap.add(column, column.values[step] ?? Number.NaN);
    else evaluation.annotations.histogramIgnoredInAggregation(node.op, node);
  }
  return heap.sorted();
}

function limitK(
  columns: readonly Column[],
  step: number,
  k: number,
  keep: (column: Column, step: number) => void,
): void {
  let left = k;
  for (const column of columns) {
    if (left === 0) return;
    if (column.present[step] !== 1) continue;
    keep(column, step);
    left--;
  }
}

/** A sample is in by the hash of its labels, so that a ratio and its negative complement share the series out (promql/engine.go, RatioSampler). */
function limitRatio(
  columns: readonly Column[],
  step: number,
  ratio: number,
  keep: (column: Column, step: number) => void,
): void {
  for (const column of columns) {
    if (column.present[step] !== 1) continue;
    const offset = Number(hashLabels(column.labels)) / 2 ** 64;
    if ((ratio >= 0 && offset < ratio) || (ratio < 0 && offset >= 1 + ratio)) keep(column, step);
  }
}
