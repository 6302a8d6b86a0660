import { quantileOf } from '../functions/kahan.ts';
import { addHistograms, multiplyHistogram } from '../histogram/arithmetic.ts';
import { compact, type FloatHistogram, HistogramMismatch } from '../histogram/float-histogram.ts';
import type { Aggregation } from '../syntax/index.ts';
import { countValues } from './count-values.ts';
import type { Evaluation } from './evaluation.ts';
import { type Group, groupColumns } from './grouping.ts';
import { rankedAggregation } from './ranked-aggregations.ts';
import { type Column, type Grid, newColumn, setHistogram, type Value } from './values.ts';

/** Aggregation operators (promql/engine.go, rangeEvalAgg): the groups are found once, then every step is summed up. */
export async function evaluateAggregation(
  evaluation: Evaluation,
  node: Aggregation,
  grid: Grid,
): Promise<readonly Column[]> {
  const param = node.param === undefined ? undefined : await evaluation.evaluate(node.param, grid);
  const vector = await evaluation.evaluate(node.expr, grid);
  if (vector.type !== 'vector') return [];
  switch (node.op) {
    case 'count_values':
      return countValues(node, vector.columns, param?.type === 'string' ? param.value : '', grid);
    case 'topk':
    case 'bottomk':
    case 'limitk':
    case 'limit_ratio':
      return rankedAggregation(evaluation, node, vector.columns, scalarsOf(param, grid), grid);
    default: {
      const result: Column[] = [];
      for (const group of groupColumns(node, vector.columns)) {
        evaluation.hold(grid.steps);
        const column = newColumn(group.labels, grid.steps);
        aggregate(evaluation, node, group, column, scalarsOf(param, grid));
        if (column.present.includes(1)) result.push(column);
        if (evaluation.needsPause) await evaluation.pause();
      }
      return result;
    }
  }
}

function scalarsOf(value: Value | undefined, grid: Grid): Float64Array {
  return value?.type === 'scalar' ? value.values : new Float64Array(grid.steps);
}

function aggregate(evaluation: Evaluation, node: Aggregation, group: Group, out: Column, param: Float64Array): void {
  switch (node.op) {
    case 'sum':
    case 'avg':
      sumColumns(evaluation, node, group.columns, out);
      return;
    case 'count':
    case 'group':
      for (const { present } of group.columns)
        for (let i = 0; i < present.length; i++) {
          if (present[i] !== 1) continue;
          out.values[i] = node.op === 'count' ? (out.values[i] ?? 0) + 1 : 1;
          out.present[i] = 1;
        }
      return;
    case 'min':
      extremes(evaluation, node, group.columns, out, (a, b) => a < b);
      return;
    case 'max':
      extremes(evaluation, node, group.columns, out, (a, b) => a > b);
      return;
    case 'stddev':
    case 'stdvar':
      variances(evaluation, node, group.columns, out);
      return;
    case 'quantile':
      quantiles(evaluation, node, group.columns, out, param);
      return;
    default:
      return;
  }
}

function sumColumns(evaluation: Evaluation, node: Aggregation, columns: readonly Column[], out: Column): void {
  const steps = out.values.length;
  const compensations = new Float64Array(steps);
  const counts = new Uint32Array(steps);
  const sums = out.values;
  const hasHistograms = columns.some((column) => column.histograms !== undefined);
  for (const { values, present, histograms } of columns) {
    for (let i = 0; i < steps; i++) {
      if (present[i] !== 1 || histograms?.[i] !== undefined) continue;
      const value = values[i] ?? 0;
      const sum = sums[i] ?? 0;
      const total = sum + value;
      if (total - total !== 0) compensations[i] = 0;
      else if (Math.abs(sum) >= Math.abs(value)) compensations[i] = (compensations[i] ?? 0) + (sum - total + value);
      else compensations[i] = (compensations[i] ?? 0) + (value - total + sum);
      sums[i] = total;
      counts[i] = (counts[i] ?? 0) + 1;
    }
  }
  for (let i = 0; i < steps; i++) {
    const count = counts[i] ?? 0;
    if (count === 0) continue;
    out.present[i] = 1;
    let total = sums[i] ?? 0;
    if (total - total === 0) total += compensations[i] ?? 0;
    if (node.op === 'sum') sums[i] = total;
    else sums[i] = Number.isFinite(total) ? total / count : incrementalMean(columns, i);
  }
  if (hasHistograms) sumHistograms(evaluation, node, columns, out);
}

/** The mean where the plain sum overflows (promql/engine.go, AVG). */
function incrementalMean(columns: readonly Column[], step: number): number {
  let mean = 0;
  let count = 0;
  for (const { values, present, histograms } of columns) {
    if (present[step] !== 1 || histograms?.[step] !== undefined) continue;
    const value = values[step] ?? 0;
    count++;
    if (!Number.isFinite(mean) && !Number.isNaN(mean)) {
      if (value === mean || Number.isFinite(value)) continue;
    }
    mean = count === 1 ? value : mean + (value / count - mean / count);
  }
  return mean;
}

function sumHistograms(evaluation: Evaluation, node: Aggregation, columns: readonly Column[], out: Column): void {
  const { annotations } = evaluation;
  for (let i = 0; i < out.present.length; i++) {
    const histograms: FloatHistogram[] = [];
    let name = '';
    for (const column of columns) {
      const histogram = column.histograms?.[i];
      if (histogram === undefined || column.present[i] !== 1) continue;
      histograms.push(histogram);
      name = column.labels.get('__name__');
    }
    const [first, ...rest] = histograms;
    if (first === undefined) continue;
    if (out.present[i] === 1) {
      annotations.mixedFloatsHistogramsInAggregation(node.expr);
      out.present[i] = 0;
      continue;
    }
    try {
      const sum = rest.reduce(addHistograms, first);
      setHistogram(out, i, compact(node.op === 'sum' ? sum : multiplyHistogram(sum, 1 / histograms.length)));
    } catch (error) {
      if (!(error instanceof HistogramMismatch)) throw error;
      annotations.histogramMismatch(error.reason, name, node.expr);
    }
  }
}

/** Whether the sample is a float; histograms are ignored with an info. */
function isFloatAt(evaluation: Evaluation, node: Aggregation, column: Column, step: number): boolean {
  if (column.present[step] !== 1) return false;
  if (column.histograms?.[step] === undefined) return true;
  evaluation.annotations.histogramIgnoredInAggregation(node.op, node.expr);
  return false;
}

function extremes(
  evaluation: Evaluation,
  node: Aggregation,
  columns: readonly Column[],
  out: Column,
  better: (a: number, b: number) => boolean,
): void {
  for (const column of columns)
    for (let i = 0; i < out.values.length; i++) {
      if (!isFloatAt(evaluation, node, column, i)) continue;
      const value = column.values[i] ?? 0;
      const best = out.values[i] ?? 0;
      if (out.present[i] !== 1 || better(value, best) || Number.isNaN(best)) out.values[i] = value;
      out.present[i] = 1;
    }
}

function variances(evaluation: Evaluation, node: Aggregation, columns: readonly Column[], out: Column): void {
  const means = new Float64Array(out.values.length);
  const counts = new Uint32Array(out.values.length);
  for (const column of columns)
    for (let i = 0; i < out.values.length; i++) {
      if (!isFloatAt(evaluation, node, column, i)) continue;
      const value = column.values[i] ?? 0;
      const count = (counts[i] ?? 0) + 1;
      counts[i] = count;
      const delta = value - (means[i] ?? 0);
      const mean = (means[i] ?? 0) + delta / count;
      means[i] = mean;
      out.values[i] =
        count === 1 ? (Number.isFinite(value) ? 0 : Number.NaN) : (out.values[i] ?? 0) + delta * (value - mean);
      out.present[i] = 1;
    }
  for (let i = 0; i < out.values.length; i++) {
    if (out.present[i] !== 1) continue;
    const variance = (out.values[i] ?? 0) / (counts[i] ?? 1);
    out.values[i] = node.op === 'stdvar' ? variance : Math.sqrt(variance);
  }
}

function quantiles(
  evaluation: Evaluation,
  node: Aggregation,
  columns: readonly Column[],
  out: Column,
  param: Float64Array,
): void {
  const buffer = new Float64Array(columns.length);
  for (let i = 0; i < out.values.length; i++) {
    let count = 0;
    for (const column of columns) if (isFloatAt(evaluation, node, column, i)) buffer[count++] = column.values[i] ?? 0;
    if (count === 0) continue;
    const q = param[i] ?? Number.NaN;
    if (!(q >= 0 && q <= 1)) evaluation.annotations.invalidQuantile(q, node.param ?? node);
    out.values[i] = quantileOf(q, buffer.slice(0, count));
    out.present[i] = 1;
  }
}
