import { meanOf, quantileOf } from '../functions/kahan.ts';
import { addHistograms, addToMean } from '../histogram/arithmetic.ts';
import { compact, type FloatHistogram, HistogramMismatch } from '../histogram/float-histogram.ts';
import { type Aggregation, unwrapParens } from '../syntax/index.ts';
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
      if (node.op === 'quantile') warnOfQuantiles(evaluation, node, scalarsOf(param, grid));
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

/** Of all steps, whether there are samples or not (promql/engine.go, rangeEvalAgg). */
function warnOfQuantiles(evaluation: Evaluation, node: Aggregation, param: Float64Array): void {
  const at = unwrapParens(node.param ?? node);
  const numbers = param.filter((q) => !Number.isNaN(q));
  const highest = numbers.reduce((a, b) => Math.max(a, b), 0);
  const lowest = numbers.reduce((a, b) => Math.min(a, b), 1);
  if (numbers.length < param.length) {
    evaluation.annotations.invalidQuantile(Number.NaN, at);
    return;
  }
  if (highest > 1) evaluation.annotations.invalidQuantile(highest, at);
  if (lowest < 0) evaluation.annotations.invalidQuantile(lowest, at);
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
      const count = (counts[i] ?? 0) + 1;
      counts[i] = count;
      if (count === 1) {
        sums[i] = value;
        continue;
      }
      const sum = sums[i] ?? 0;
      const total = sum + value;
      if (total - total !== 0) compensations[i] = 0;
      else if (Math.abs(sum) >= Math.abs(value)) compensations[i] = (compensations[i] ?? 0) + (sum - total + value);
      else compensations[i] = (compensations[i] ?? 0) + (value - total + sum);
      sums[i] = total;
    }
  }
  for (let i = 0; i < steps; i++) {
    const count = counts[i] ?? 0;
    if (count === 0) continue;
    out.present[i] = 1;
    const total = sums[i] ?? 0;
    const compensation = compensations[i] ?? 0;
    if (node.op === 'sum') sums[i] = total - total === 0 ? total + compensation : total;
    else if (total - total === 0) sums[i] = total / count + compensation / count;
    else sums[i] = meanOf(floatsAt(columns, i), 0, count);
  }
  if (hasHistograms) sumHistograms(evaluation, node, columns, out);
}

function floatsAt(columns: readonly Column[], step: number): Float64Array {
  return Float64Array.from(
    columns
      .filter(({ present, histograms }) => present[step] === 1 && histograms?.[step] === undefined)
      .map(({ values }) => values[step] ?? 0),
  );
}

/** Histograms of a group, one after the other as Prometheus takes them, so that it warns of what it meets first. */
function sumHistograms(evaluation: Evaluation, node: Aggregation, columns: readonly Column[], out: Column): void {
  for (let i = 0; i < out.present.length; i++) {
    let total: FloatHistogram | undefined;
    let count = 0;
    let hasFloat = false;
    let hasHistogram = false;
    let compatible = true;
    for (const column of columns) {
      if (column.present[i] !== 1) continue;
      count++;
      const histogram = column.histograms?.[i];
      if (histogram === undefined) hasFloat = true;
      else {
        hasHistogram = true;
        if (count === 1) total = histogram;
        else if (total !== undefined) {
          try {
            total = node.op === 'sum' ? addHistograms(total, histogram) : addToMean(total, histogram, count);
          } catch (error) {
            if (!(error instanceof HistogramMismatch)) throw error;
            evaluation.annotations.histogramMismatch(error.reason, column.labels.get('__name__'), node.expr);
            compatible = false;
            break;
          }
        }
      }
    }
    if (!hasHistogram) continue;
    out.present[i] = 0;
    if (hasFloat) evaluation.annotations.mixedFloatsHistogramsInAggregation(node.expr);
    else if (compatible && total !== undefined) setHistogram(out, i, compact(total));
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
    out.values[i] = quantileOf(q, buffer.slice(0, count));
    out.present[i] = 1;
  }
}
