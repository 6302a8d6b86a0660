import type { Expr } from '../syntax/index.ts';
import { hasAt } from './selectors.ts';
import { type Column, newColumn, setHistogram, type Value } from './values.ts';

/** Functions whose result depends on the moment of evaluation even where their arguments do not. */
const DEPENDS_ON_TIME = new Set([
  'days_in_month',
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'hour',
  'minute',
  'month',
  'year',
  'predict_linear',
  'time',
  'timestamp',
]);

/** Whether the expression has the same value at every step, because of `@` (promql/engine.go, PreprocessExpr). */
export function isStepInvariant(expr: Expr): boolean {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return true;
    case 'vector-selector':
      return hasAt(expr.time);
    case 'matrix-selector':
      return hasAt(expr.selector.time);
    case 'subquery':
      return hasAt(expr.time);
    case 'paren':
    case 'unary':
      return isStepInvariant(expr.expr);
    case 'aggregation':
      // As in Prometheus the parameter does not count: it is then that of the first step.
      return isStepInvariant(expr.expr);
    case 'binary':
      return isStepInvariant(expr.left) && isStepInvariant(expr.right);
    case 'call':
      return !DEPENDS_ON_TIME.has(expr.fn.name) && expr.args.every(isStepInvariant);
  }
}

/** A value of one step at each of many. */
export function broadcast(value: Value, steps: number): Value {
  if (value.type === 'string') return value;
  if (value.type === 'scalar')
    return { type: 'scalar', values: new Float64Array(steps).fill(value.values[0] ?? Number.NaN) };
  const columns = value.columns.map((column): Column => {
    const out = newColumn(column.labels, steps);
    const histogram = column.histograms?.[0];
    if (histogram !== undefined) for (let i = 0; i < steps; i++) setHistogram(out, i, histogram);
    out.values.fill(column.values[0] ?? 0);
    out.present.fill(column.present[0] ?? 0);
    return out;
  });
  return { type: 'vector', columns };
}
