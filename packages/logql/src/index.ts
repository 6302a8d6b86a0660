export { createEngine, type EngineOptions, type QueryEngine, type QueryOptions } from './engine.ts';
export type { Follower } from './follow.ts';
export { fieldsOfLine, type LineFields } from './pipeline/detect-fields.ts';
export { ERROR_DETAILS_LABEL, ERROR_LABEL } from './pipeline/line-labels.ts';
export {
  LogqlError,
  type LogqlErrorKind,
  type MatrixSeries,
  type QueryResult,
  type QueryStats,
  type QueryValue,
  type ResultEntry,
  type StreamResult,
  type VectorSample,
} from './results.ts';
export {
  type Expr,
  formatGoDuration,
  formatQuery,
  type LogExpr,
  LogqlSyntaxError,
  logExprsOf,
  parseDurationNs,
  parseGoDurationNs,
  parsePrometheusDurationNs,
  parseQuery,
  parseStreamSelector,
} from './syntax/index.ts';
