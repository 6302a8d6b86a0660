import type { Labels } from '@kind-e2e/telemetry';
import { PromqlError } from '../results.ts';
import { type Aggregation, unwrapParens } from '../syntax/index.ts';
import {
  type Accumulator,
  CountAccumulator,
  ExtremeAccumulator,
  SumAccumulator,
  VarianceAccumulator,
} from './accumulators.ts';
import { checkValueLabel, countValues } from './count-values.ts';
import type { Evaluation } from './evaluation.ts';
import { Groups } from './grouping.ts';
import { quantileAggregation } from './quantile-aggregation.ts';
import { limitAggregation, rankedAggregation } from './ranked-aggregations.ts';
import { visitColumns } from './streaming.ts';
import type { Column, Grid, Value } from './values.ts';

/** Aggregation operators (promql/engine.go, rangeEvalAgg): each series is added to its group for all steps at once. */
export async function evaluateAggregation(
  evaluation: Evaluation,
  node: Aggregation,
  grid: Grid,
): Promise<readonly Column[]> {
  const param = node.param === undefined ? undefined : await evaluation.evaluate(node.param, grid);
  switch (node.op) {
    case 'count_values': {
      const label = param?.type === 'string' ? param.value : '';
      checkValueLabel(label);
      const vector = await evaluation.evaluate(node.expr, grid);
      return vector.type === 'vector' ? countValues(node, vector.columns, label, grid) : [];
    }
    case 'topk':
    case 'bottomk':
      return rankedAggregation(evaluation, node, scalarsOf(param, grid), grid);
    case 'limitk':
    case 'limit_ratio': {
      const vector = await evaluation.evaluate(node.expr, grid);
      return vector.type === 'vector'
        ? limitAggregation(evaluation, node, vector.columns, scalarsOf(param, grid), grid)
        : [];
    }
    case 'quantile': {
      warnOfQuantiles(evaluation, node, scalarsOf(param, grid));
      const vector = await evaluation.evaluate(node.expr, grid);
      return vector.type === 'vector'
        ? quantileAggregation(evaluation, node, vector.columns, scalarsOf(param, grid), grid)
        : [];
    }
    default:
      return accumulate(evaluation, node, grid);
  }
}

async function accumulate(evaluation: Evaluation, node: Aggregation, grid: Grid): Promise<readonly Column[]> {
  const groups = new Groups(node, (labels) => accumulatorOf(evaluation, node, labels, grid.steps));
  await visitColumns(evaluation, node.expr, grid, (column) => groups.of(column.labels).add(column));
  const result: Column[] = [];
  for (const group of groups.all) {
    const column = group.finish();
    if (column.present.includes(1)) result.push(column);
  }
  return result;
}

function accumulatorOf(evaluation: Evaluation, node: Aggregation, labels: Labels, steps: number): Accumulator {
  switch (node.op) {
    case 'sum':
    case 'avg':
      return new SumAccumulator(evaluation, node, labels, steps);
    case 'count':
    case 'group':
      return new CountAccumulator(evaluation, node, labels, steps);
    case 'min':
      return new ExtremeAccumulator(evaluation, node, labels, steps, -1);
    case 'max':
      return new ExtremeAccumulator(evaluation, node, labels, steps, 1);
    case 'stddev':
    case 'stdvar':
      return new VarianceAccumulator(evaluation, node, labels, steps);
    default:
      throw new PromqlError('execution', `aggregation ${node.op} has no evaluation`);
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
