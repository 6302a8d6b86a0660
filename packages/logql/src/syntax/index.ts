/** LogQL's syntax without the evaluator: safe to load in a browser. */
export {
  BINARY_OPERATORS,
  type BinaryExpr,
  type BinaryOperator,
  type Expr,
  type Grouping,
  type LabelFilter,
  type LineFilter,
  type LogExpr,
  logExprsOf,
  type MetricExpr,
  RANGE_OPERATIONS,
  type RangeAggregation,
  type RangeOperation,
  type Stage,
  type Unwrap,
  VECTOR_OPERATIONS,
  type VectorAggregation,
  type VectorMatching,
  type VectorOperation,
} from './ast.ts';
export { LogqlSyntaxError } from './errors.ts';
export { exprText, labelFilterText, matcherText, stageText } from './format.ts';
export { parseQuery, parseStreamSelector } from './parse.ts';
export { formatQuery } from './prettify.ts';
export {
  formatGoDuration,
  parseBytes,
  parseDurationNs,
  parseGoDurationNs,
  parsePrometheusDurationNs,
} from './units.ts';
