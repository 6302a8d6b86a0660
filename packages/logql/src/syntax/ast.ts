import type { LabelMatcher } from '@kind-e2e/telemetry';

export type LineFilterOperator = '|=' | '!=' | '|~' | '!~' | '|>' | '!>';
export type CompareOperator = '=' | '==' | '!=' | '>' | '>=' | '<' | '<=';

/** `|= "a" or "b"`: the values are alternatives; of a negative filter none may match. */
export interface LineFilter {
  readonly kind: 'line-filter';
  readonly operator: LineFilterOperator;
  readonly values: readonly { readonly text: string; readonly ip: boolean }[];
}

export interface ExtractionExpression {
  readonly label: string;
  readonly expression: string;
}

export type LabelFilter =
  | { readonly kind: 'matcher'; readonly matcher: LabelMatcher }
  | { readonly kind: 'ip'; readonly name: string; readonly operator: '=' | '!='; readonly pattern: string }
  | {
      readonly kind: 'number' | 'duration' | 'bytes';
      readonly name: string;
      readonly operator: CompareOperator;
      /** Seconds for a duration. */
      readonly value: number;
      /** As it is written. */
      readonly text: string;
    }
  | { readonly kind: 'and' | 'or'; readonly left: LabelFilter; readonly right: LabelFilter };

export interface LabelFormat {
  readonly label: string;
  /** The label to rename, or a template. */
  readonly value: string;
  readonly rename: boolean;
}

/** A label of keep or drop, with a condition on its value or without. */
export interface LabelChoice {
  readonly name: string;
  readonly matcher?: LabelMatcher;
}

export type Stage =
  | LineFilter
  | { readonly kind: 'label-filter'; readonly filter: LabelFilter }
  | { readonly kind: 'json'; readonly expressions: readonly ExtractionExpression[] }
  | {
      readonly kind: 'logfmt';
      readonly strict: boolean;
      readonly keepEmpty: boolean;
      readonly expressions: readonly ExtractionExpression[];
    }
  | { readonly kind: 'regexp'; readonly expression: string }
  | { readonly kind: 'pattern'; readonly expression: string }
  | { readonly kind: 'unpack' }
  | { readonly kind: 'decolorize' }
  | { readonly kind: 'line-format'; readonly template: string }
  | { readonly kind: 'label-format'; readonly formats: readonly LabelFormat[] }
  | { readonly kind: 'drop' | 'keep'; readonly choices: readonly LabelChoice[] };

/** A selector with a pipeline. */
export interface LogExpr {
  readonly kind: 'log';
  readonly matchers: readonly LabelMatcher[];
  readonly stages: readonly Stage[];
}

export type UnwrapConversion = 'bytes' | 'duration' | 'duration_seconds';

export interface Unwrap {
  readonly label: string;
  readonly conversion?: UnwrapConversion;
  /** Filters after the unwrap. */
  readonly filters: readonly LabelFilter[];
}

export const RANGE_OPERATIONS = [
  'rate',
  'rate_counter',
  'count_over_time',
  'bytes_rate',
  'bytes_over_time',
  'avg_over_time',
  'sum_over_time',
  'min_over_time',
  'max_over_time',
  'stdvar_over_time',
  'stddev_over_time',
  'quantile_over_time',
  'first_over_time',
  'last_over_time',
  'absent_over_time',
] as const;
export type RangeOperation = (typeof RANGE_OPERATIONS)[number];

export const VECTOR_OPERATIONS = [
  'sum',
  'avg',
  'max',
  'min',
  'count',
  'stddev',
  'stdvar',
  'bottomk',
  'topk',
  'approx_topk',
  'sort',
  'sort_desc',
] as const;
export type VectorOperation = (typeof VECTOR_OPERATIONS)[number];

export interface Grouping {
  readonly without: boolean;
  readonly labels: readonly string[];
}

export interface RangeAggregation {
  readonly kind: 'range-aggregation';
  readonly operation: RangeOperation;
  readonly log: LogExpr;
  readonly unwrap?: Unwrap;
  readonly rangeNs: bigint;
  readonly offsetNs: bigint;
  readonly param?: number;
  readonly grouping?: Grouping;
}

export interface VectorAggregation {
  readonly kind: 'vector-aggregation';
  readonly operation: VectorOperation;
  readonly expr: MetricExpr;
  readonly param?: number;
  readonly grouping?: Grouping;
}

export const BINARY_OPERATORS = [
  'or',
  'and',
  'unless',
  '==',
  '!=',
  '>',
  '>=',
  '<',
  '<=',
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
] as const;
export type BinaryOperator = (typeof BINARY_OPERATORS)[number];

export interface VectorMatching {
  readonly cardinality: 'one-to-one' | 'many-to-one' | 'one-to-many';
  readonly on: boolean;
  readonly labels: readonly string[];
  readonly include: readonly string[];
}

export interface BinaryExpr {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: MetricExpr;
  readonly right: MetricExpr;
  readonly bool: boolean;
  readonly matching: VectorMatching;
}

export type MetricExpr =
  | RangeAggregation
  | VectorAggregation
  | BinaryExpr
  | { readonly kind: 'literal'; readonly value: number }
  | { readonly kind: 'vector'; readonly value: number }
  | {
      readonly kind: 'label-replace';
      readonly expr: MetricExpr;
      readonly destination: string;
      readonly replacement: string;
      readonly source: string;
      readonly expression: string;
    };

export type Expr = LogExpr | MetricExpr;

export function isSetOperator(operator: BinaryOperator): boolean {
  return operator === 'and' || operator === 'or' || operator === 'unless';
}

export function isComparison(operator: BinaryOperator): boolean {
  return ['==', '!=', '>', '>=', '<', '<='].includes(operator);
}

/** The selectors of an expression, for limits and for what a query touches. */
export function* logExprsOf(expr: Expr): Generator<LogExpr> {
  switch (expr.kind) {
    case 'log':
      yield expr;
      return;
    case 'range-aggregation':
      yield expr.log;
      return;
    case 'vector-aggregation':
    case 'label-replace':
      yield* logExprsOf(expr.expr);
      return;
    case 'binary':
      yield* logExprsOf(expr.left);
      yield* logExprsOf(expr.right);
      return;
    case 'literal':
    case 'vector':
      return;
  }
}
