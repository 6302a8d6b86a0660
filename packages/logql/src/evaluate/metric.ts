import { compileRegex, expandTemplate, Labels } from '@kind-e2e/telemetry';
import type { Grouping, MetricExpr } from '../syntax/ast.ts';
import { evaluateBinary } from './binary.ts';
import { type Column, type Grid, type MetricValue, newColumn } from './columns.ts';
import type { Evaluation } from './evaluation.ts';
import { evaluateRangeAggregation } from './range-aggregation.ts';
import { aggregateVector } from './vector-aggregation.ts';

/** Operations whose sum over a group is the operation over the group's lines. */
const ADDITIVE: readonly string[] = ['rate', 'count_over_time', 'bytes_rate', 'bytes_over_time', 'sum_over_time'];

/** Evaluates a metric expression at every step of a grid. */
export async function evaluateMetric(
  evaluation: Evaluation,
  expr: MetricExpr,
  grid: Grid,
  outer?: Grouping,
): Promise<MetricValue> {
  switch (expr.kind) {
    case 'literal':
      return { kind: 'scalar', value: expr.value };
    case 'vector': {
      const column = newColumn(Labels.EMPTY, grid.steps);
      column.values.fill(expr.value);
      column.present.fill(1);
      return { kind: 'vector', columns: [column] };
    }
    case 'range-aggregation':
      return { kind: 'vector', columns: await evaluateRangeAggregation(evaluation, expr, grid, outer) };
    case 'vector-aggregation': {
      const { expr: inner, operation } = expr;
      const pushed =
        operation === 'sum' && inner.kind === 'range-aggregation' && ADDITIVE.includes(inner.operation)
          ? (expr.grouping ?? { without: false, labels: [] })
          : undefined;
      const value = await evaluateMetric(evaluation, inner, grid, pushed);
      return { kind: 'vector', columns: aggregateVector(expr, columnsOf(value, grid), grid) };
    }
    case 'binary': {
      const left = await evaluateMetric(evaluation, expr.left, grid);
      const right = await evaluateMetric(evaluation, expr.right, grid);
      return evaluateBinary(expr, left, right, grid);
    }
    case 'label-replace': {
      const value = await evaluateMetric(evaluation, expr.expr, grid);
      return { kind: 'vector', columns: columnsOf(value, grid).map((column) => replaceLabel(expr, column)) };
    }
  }
}

function columnsOf(value: MetricValue, grid: Grid): readonly Column[] {
  if (value.kind === 'vector') return value.columns;
  const column = newColumn(Labels.EMPTY, grid.steps);
  column.values.fill(value.value);
  column.present.fill(1);
  return [column];
}

function replaceLabel(expr: Extract<MetricExpr, { kind: 'label-replace' }>, column: Column): Column {
  const regex = compileRegex(expr.expression);
  const match = regex.findFull(column.labels.get(expr.source));
  if (match === undefined) return column;
  const value = expandTemplate(expr.replacement, regex, match);
  return { ...column, labels: column.labels.with({ [expr.destination]: value }) };
}
