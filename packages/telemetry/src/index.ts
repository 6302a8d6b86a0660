export { ACCEPT, accepts, type ByteAutomaton, DEAD, START } from './automaton/byte-automaton.ts';
export { literalAutomaton, regexAutomaton } from './automaton/compile.ts';
export { quote, unquote } from './go-quoting.ts';
export { formatGoTime, type GoTime, parseGoTime } from './go-time.ts';
export { compareStrings, Labels } from './labels.ts';
export type {
  LineSet,
  LogChunk,
  LogDirection,
  LogEntry,
  LogReader,
  LogSelection,
  LogWriter,
  PackedLines,
} from './logs.ts';
export { createMatcher, type LabelMatcher, type MatchOperator, matchesAll } from './matcher.ts';
export {
  type AppendResult,
  type BatchSeries,
  type BucketSpan,
  type Exemplar,
  type ExemplarSeries,
  METRIC_NAME,
  type MetricMetadata,
  type MetricReader,
  type MetricType,
  type MetricWriter,
  type NativeHistogram,
  type Sample,
  type SampleBatch,
  type SampleSeries,
  type SeriesSelection,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from './metrics.ts';
export {
  compileRegex,
  expandTemplate,
  LinearRegex,
  type RegexMatch,
  type RegexOptions,
  RegexSyntaxError,
} from './regex.ts';
export { isStaleAt, markStaleAt } from './stale.ts';
export {
  type Attributes,
  type AttributeValue,
  SERVICE_NAME,
  type Span,
  type SpanEvent,
  type SpanKind,
  type SpanLink,
  serviceOf,
  type TraceReader,
  type TraceSearch,
  type TraceWriter,
} from './traces.ts';
