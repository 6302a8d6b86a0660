import { Labels } from '@kind-e2e/telemetry';
import { PromqlError } from '../results.ts';
import { shortNumber } from '../syntax/format.ts';
import { type Aggregation, unwrapParens } from '../syntax/index.ts';
import type { Evaluation } from './evaluation.ts';
import { Groups } from './grouping.ts';
import { hashLabels } from './hash.ts';
import { StepHeaps } from './step-heaps.ts';
import { visitColumns } from './streaming.ts';
import { type Column, type Grid, newColumn, setHistogram } from './values.ts';

/** Up to this k the series are ranked as they come; beyond it they are counted first, and no heap need have more room. */
const MAX_STREAMED_K = 64;

/** topk and bottomk keep the best series of each group as they are, chosen anew at each step. */
export async function rankedAggregation(
  evaluation: Evaluation,
  node: Aggregation,
  param: Float64Array,
  grid: Grid,
): Promise<readonly Column[]> {
  // Prometheus looks at the parameter only where it has something to choose from.
  const isAny = param.some((k) => k >= 1 || Number.isNaN(k));
  const largest = param.reduce((most, k) => Math.max(most, Math.trunc(k) || 0), 0);
  let columns: readonly Column[] | undefined;
  if (!isAny || largest > MAX_STREAMED_K) {
    const value = await evaluation.evaluate(node.expr, grid);
    columns = value.type === 'vector' ? value.columns : [];
    if (!isAny) return [];
  }
  const room = Math.min(largest, columns?.length ?? MAX_STREAMED_K);
  const labels: Labels[] = [];
  const groups = new Groups(node, (): StepHeaps => {
    evaluation.hold(grid.steps * room);
    return new StepHeaps(grid.steps, room, node.op === 'topk');
  });
  const { ks, hasInvalid } = wantedCounts(param, room);
  const visit = (column: Column): void => {
    const item = labels.push(column.labels) - 1;
    if (hasInvalid) refuseInvalid(column, param);
    let { present } = column;
    if (column.histograms !== undefined) present = floatsOf(evaluation, node, column, ks);
    groups.of(column.labels).add(item, column.values, present, ks);
  };
  if (columns === undefined) await visitColumns(evaluation, node.expr, grid, visit);
  else
    for (const column of columns) {
      visit(column);
      if (evaluation.needsPause) await evaluation.pause();
    }
  return keptColumns([...groups.all], labels, grid.steps);
}

/** How many are wanted at each step; what no number can be is found where there is something to choose from. */
function wantedCounts(param: Float64Array, room: number): { ks: Int32Array; hasInvalid: boolean } {
  const ks = new Int32Array(param.length);
  let hasInvalid = false;
  param.forEach((value, step) => {
    if (value < 2 ** 63 && value >= -(2 ** 63)) ks[step] = Math.max(0, Math.min(Math.trunc(value), room));
    else hasInvalid = true;
  });
  return { ks, hasInvalid };
}

function refuseInvalid({ present }: Column, param: Float64Array): void {
  for (let step = 0; step < param.length; step++)
    if (present[step] === 1) checkedParam(false, param[step] ?? Number.NaN);
}

/** Where the column has floats; histograms are ignored with an info. */
function floatsOf(evaluation: Evaluation, node: Aggregation, column: Column, ks: Int32Array): Uint8Array {
  return column.present.map((present, step) => {
    if (present !== 1 || column.histograms?.[step] === undefined) return present;
    if ((ks[step] ?? 0) > 0) evaluation.annotations.histogramIgnoredInAggregation(node.op, node);
    return 0;
  });
}

/** The series that were among the best at any step; those of one moment in the order of their ranks. */
function keptColumns(groups: readonly StepHeaps[], labels: readonly Labels[], steps: number): readonly Column[] {
  if (steps === 1)
    return groups.flatMap((heaps) =>
      heaps.sorted(0).map(({ item, value }) => ({
        labels: labels[item] ?? Labels.EMPTY,
        values: Float64Array.of(value),
        present: Uint8Array.of(1),
      })),
    );
  const places = new Int32Array(labels.length).fill(-1);
  for (const heaps of groups) heaps.mark(places);
  let count = 0;
  for (let item = 0; item < places.length; item++) if (places[item] !== -1) places[item] = count++ * steps;
  // Of many series nearly each may be among the best for a moment: they share two arrays.
  const values = new Float64Array(count * steps);
  const present = new Uint8Array(count * steps);
  for (const heaps of groups) heaps.write(places, values, present);
  const columns: Column[] = [];
  for (let item = 0; item < places.length; item++) {
    const from = places[item] ?? -1;
    if (from < 0) continue;
    const to = from + steps;
    columns.push({
      labels: labels[item] ?? Labels.EMPTY,
      values: values.subarray(from, to),
      present: present.subarray(from, to),
    });
  }
  return columns;
}

/** limitk and limit_ratio keep some series of each group, histograms too. */
export function limitAggregation(
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
  const groups = new Groups(node, (): Column[] => []);
  for (const column of columns) groups.of(column.labels).push(column);
  const isRatio = node.op === 'limit_ratio';
  if (isRatio) warnOfRatios(evaluation, node, param);
  else if (!param.some((k) => k >= 1 || Number.isNaN(k))) return [];
  for (let step = 0; step < grid.steps; step++) {
    if (!columns.some((column) => column.present[step] === 1)) continue;
    const value = checkedParam(isRatio, param[step] ?? Number.NaN);
    if (isRatio) {
      if (value !== 0) for (const members of groups.all) limitRatio(members, step, value, keep);
      continue;
    }
    const k = Math.min(Math.trunc(value), columns.length);
    if (k >= 1) for (const members of groups.all) limitK(members, step, k, keep);
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
