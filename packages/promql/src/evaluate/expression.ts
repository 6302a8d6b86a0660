import { multiplyHistogram } from '../histogram/arithmetic.ts';
import { PromqlError } from '../results.ts';
import { type Expr, unwrapParens } from '../syntax/index.ts';
import { evaluateAggregation } from './aggregations.ts';
import { evaluateBinary } from './binary.ts';
import { evaluateCall } from './calls.ts';
import type { Evaluation } from './evaluation.ts';
import { evaluateVectorSelector } from './selectors.ts';
import { broadcast, isStepInvariant } from './step-invariance.ts';
import { dropName, type Grid, mergeColumns, type Value } from './values.ts';

/** Evaluates an instant vector, scalar or string expression at every step of a grid. */
export async function evaluateExpr(evaluation: Evaluation, expr: Expr, grid: Grid): Promise<Value> {
  const held = evaluation.held;
  if (grid.steps > 1 && isStepInvariant(expr)) {
    const { samplesRead } = evaluation;
    const once = await evaluateNode(evaluation, expr, { ...grid, steps: 1 });
    evaluation.samplesRead = samplesRead + (evaluation.samplesRead - samplesRead) * grid.steps;
    return broadcast(once, grid.steps);
  }
  const value = await evaluateNode(evaluation, expr, grid);
  if (evaluation.needsPause) await evaluation.pause();
  evaluation.releaseTo(held);
  evaluation.hold(value.type === 'vector' ? value.columns.length * grid.steps : 1);
  return value;
}

async function evaluateNode(evaluation: Evaluation, expr: Expr, grid: Grid): Promise<Value> {
  switch (expr.kind) {
    case 'number':
      return { type: 'scalar', values: new Float64Array(grid.steps).fill(expr.value) };
    case 'string':
      return { type: 'string', value: expr.value };
    case 'paren':
      return evaluateNode(evaluation, unwrapParens(expr), grid);
    case 'vector-selector':
      return { type: 'vector', columns: await evaluateVectorSelector(evaluation, expr, grid) };
    case 'aggregation':
      return { type: 'vector', columns: await evaluateAggregation(evaluation, expr, grid) };
    case 'binary':
      return evaluateBinary(evaluation, expr, grid);
    case 'call':
      return evaluateCall(evaluation, expr, grid);
    case 'unary': {
      const value = await evaluation.evaluate(expr.expr, grid);
      return expr.op === '+' ? value : negate(value);
    }
    case 'matrix-selector':
    case 'subquery':
      throw new PromqlError('execution', 'a range vector has no value of its own at a step');
  }
}

function negate(value: Value): Value {
  if (value.type === 'scalar') return { type: 'scalar', values: value.values.map((number) => -number) };
  if (value.type === 'string') return value;
  const columns = value.columns.map((column) => ({
    ...column,
    labels: dropName(column.labels),
    values: column.values.map((number) => -number),
    ...(column.histograms === undefined
      ? {}
      : { histograms: column.histograms.map((h) => (h === undefined ? undefined : multiplyHistogram(h, -1))) }),
  }));
  return { type: 'vector', columns: mergeColumns(columns) };
}
