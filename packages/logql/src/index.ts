export { createEngine, type EngineOptions, type QueryEngine, type QueryOptions } from './engine.ts';
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
