import { Labels } from '@kind-e2e/telemetry';
import { type Expr, unwrapParens } from '../syntax/index.ts';
import { type ColumnSink, ColumnVisitor } from './column-sink.ts';
import type { Evaluation } from './evaluation.ts';
import { isRangeFunction, streamRangeFunction } from './range-functions.ts';
import { streamVectorSelector } from './selectors.ts';
import { isStepInvariant } from './step-invariance.ts';
import type { Column, Grid } from './values.ts';

/**
 * Visits the columns of an instant vector in order. Those of selectors, and of functions over ranges, come one by one
 * from the store and use one piece of memory; a visitor must not keep them.
 */
export async function visitColumns(
  evaluation: Evaluation,
  expr: Expr,
  grid: Grid,
  visit: (column: Column) => void,
): Promise<void> {
  const inner = unwrapParens(expr);
  const stream = grid.steps > 1 && isStepInvariant(inner) ? undefined : streamOf(evaluation, inner, grid);
  if (stream !== undefined) {
    await stream(new ColumnVisitor(grid.steps, Labels.EMPTY, visit));
    return;
  }
  const value = await evaluation.evaluate(inner, grid);
  if (value.type !== 'vector') return;
  for (const column of value.columns) {
    visit(column);
    if (evaluation.needsPause) await evaluation.pause();
  }
}

function streamOf(evaluation: Evaluation, expr: Expr, grid: Grid): ((sink: ColumnSink) => Promise<void>) | undefined {
  if (expr.kind === 'vector-selector') return (sink) => streamVectorSelector(evaluation, expr, grid, sink);
  if (expr.kind === 'call' && isRangeFunction(expr)) return (sink) => streamRangeFunction(evaluation, expr, grid, sink);
  return undefined;
}
