/** PromQL's syntax without the evaluator: safe to load in a browser. */
export {
  AGGREGATORS,
  type Aggregation,
  type Aggregator,
  BINARY_OPERATORS,
  type BinaryExpr,
  type BinaryOperator,
  type Call,
  childrenOf,
  durationProblemOf,
  type Expr,
  type MatchingCardinality,
  type MatrixSelector,
  type NumberLiteral,
  type ParenExpr,
  type Position,
  type StringLiteral,
  type Subquery,
  selectorsOf,
  type TimeModifiers,
  typeOf,
  type UnaryExpr,
  unwrapParens,
  type ValueType,
  type VectorMatching,
  type VectorSelector,
} from './ast.ts';
export { describePosition, PromqlSyntaxError } from './errors.ts';
export { exprText, formatExpr, matcherText } from './format.ts';
export { formatDurationMs, parseDurationMs } from './literals.ts';
export { parseMetricSelector } from './metric-selector.ts';
export { parseExpr } from './parse.ts';
export type { ParseOptions } from './parse-options.ts';
export { FUNCTIONS, type FunctionSignature } from './signatures.ts';
