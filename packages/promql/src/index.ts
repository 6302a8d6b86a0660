export { createEngine, type EngineOptions, type QueryEngine, type QueryOptions } from './engine.ts';
export { exponentialBound } from './histogram/bounds.ts';
export { formatValue } from './numbers.ts';
export {
  type MatrixSeries,
  PromqlError,
  type PromqlErrorKind,
  type QueryResult,
  type QueryStats,
  type QueryValue,
  type VectorSample,
} from './results.ts';
export {
  type Expr,
  FUNCTIONS,
  type FunctionSignature,
  formatDurationMs,
  formatExpr,
  matcherText,
  type ParseOptions,
  PromqlSyntaxError,
  parseDurationMs,
  parseExpr,
  parseMetricSelector,
  selectorsOf,
  typeOf,
  type ValueType,
  type VectorSelector,
} from './syntax/index.ts';
