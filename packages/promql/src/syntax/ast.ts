import type { LabelMatcher } from '@kind-e2e/telemetry';
import type { FunctionSignature } from './signatures.ts';

/** The types of values, by Prometheus' names in error messages. */
export type ValueType = 'scalar' | 'instant vector' | 'range vector' | 'string';

export const AGGREGATORS = [
  'avg',
  'bottomk',
  'count',
  'count_values',
  'group',
  'limitk',
  'limit_ratio',
  'max',
  'min',
  'quantile',
  'stddev',
  'stdvar',
  'sum',
  'topk',
] as const;
export type Aggregator = (typeof AGGREGATORS)[number];

export const BINARY_OPERATORS = [
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  'atan2',
  '==',
  '!=',
  '>',
  '<',
  '>=',
  '<=',
  'and',
  'or',
  'unless',
] as const;
export type BinaryOperator = (typeof BINARY_OPERATORS)[number];

/** Offsets into the query's text (UTF-16 units), the end exclusive. */
export interface Position {
  readonly start: number;
  readonly end: number;
}

export interface NumberLiteral extends Position {
  readonly kind: 'number';
  readonly value: number;
  /** Written as a duration; the value is in seconds. */
  readonly duration: boolean;
}

export interface StringLiteral extends Position {
  readonly kind: 'string';
  readonly value: string;
}

/** `offset` and `@` of a selector or subquery. */
export interface TimeModifiers {
  readonly offsetMs: number;
  /** As it is printed, where it is an expression. */
  readonly offsetText?: string;
  /** Why no query can begin with the expression. */
  readonly problem?: string;
  /** `@ <seconds>`. */
  readonly atMs?: number;
  /** `@ start()` or `@ end()`. */
  readonly atBoundary?: 'start' | 'end';
}

export interface VectorSelector extends Position {
  readonly kind: 'vector-selector';
  /** The name before the braces, '' where there is none. */
  readonly name: string;
  /** All matchers, that of the name last. */
  readonly matchers: readonly LabelMatcher[];
  readonly time: TimeModifiers;
}

export interface MatrixSelector extends Position {
  readonly kind: 'matrix-selector';
  readonly selector: VectorSelector;
  readonly rangeMs: number;
  /** As it is printed, where it is an expression. */
  readonly rangeText?: string;
  readonly problem?: string;
}

export interface Subquery extends Position {
  readonly kind: 'subquery';
  readonly expr: Expr;
  readonly rangeMs: number;
  readonly rangeText?: string;
  /** 0 where the default resolution is meant. */
  readonly stepMs: number;
  readonly stepText?: string;
  readonly problem?: string;
  readonly time: TimeModifiers;
}

export interface Aggregation extends Position {
  readonly kind: 'aggregation';
  readonly op: Aggregator;
  readonly param?: Expr;
  readonly expr: Expr;
  readonly grouping: readonly string[];
  readonly without: boolean;
}

export type MatchingCardinality = 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';

export interface VectorMatching {
  readonly cardinality: MatchingCardinality;
  readonly on: boolean;
  readonly labels: readonly string[];
  /** Labels of group_left or group_right. */
  readonly include: readonly string[];
}

export interface BinaryExpr extends Position {
  readonly kind: 'binary';
  readonly op: BinaryOperator;
  readonly left: Expr;
  readonly right: Expr;
  readonly bool: boolean;
  readonly matching: VectorMatching;
}

export interface Call extends Position {
  readonly kind: 'call';
  readonly fn: FunctionSignature;
  readonly args: readonly Expr[];
}

export interface ParenExpr extends Position {
  readonly kind: 'paren';
  readonly expr: Expr;
}

export interface UnaryExpr extends Position {
  readonly kind: 'unary';
  readonly op: '+' | '-';
  readonly expr: Expr;
}

export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Aggregation
  | BinaryExpr
  | Call
  | ParenExpr
  | UnaryExpr;

export function isComparison(op: BinaryOperator): boolean {
  return op === '==' || op === '!=' || op === '>' || op === '<' || op === '>=' || op === '<=';
}

export function isSetOperator(op: BinaryOperator): boolean {
  return op === 'and' || op === 'or' || op === 'unless';
}

export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'vector-selector':
    case 'aggregation':
      return 'instant vector';
    case 'matrix-selector':
    case 'subquery':
      return 'range vector';
    case 'call':
      return expr.fn.returns;
    case 'paren':
    case 'unary':
      return typeOf(expr.expr);
    case 'binary':
      return typeOf(expr.left) === 'scalar' && typeOf(expr.right) === 'scalar' ? 'scalar' : 'instant vector';
  }
}

/** The operands of an expression, in the order they are written. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'vector-selector':
      return [];
    case 'matrix-selector':
      return [expr.selector];
    case 'subquery':
    case 'paren':
    case 'unary':
      return [expr.expr];
    case 'aggregation':
      return expr.param === undefined ? [expr.expr] : [expr.param, expr.expr];
    case 'binary':
      return [expr.left, expr.right];
    case 'call':
      return expr.args;
  }
}

/** Without the parentheses around it. */
export function unwrapParens(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === 'paren') inner = inner.expr;
  return inner;
}

/** Every vector selector of the expression, those inside subqueries and range selectors too. */
export function* selectorsOf(expr: Expr): Generator<VectorSelector> {
  if (expr.kind === 'vector-selector') yield expr;
  for (const child of childrenOf(expr)) yield* selectorsOf(child);
}

/** Of the first duration with which no query can begin, in the order in which Prometheus computes them (promql/durations.go). */
export function durationProblemOf(expr: Expr): string | undefined {
  let own: string | undefined;
  if (expr.kind === 'vector-selector') own = expr.time.problem;
  else if (expr.kind === 'matrix-selector') own = expr.problem;
  else if (expr.kind === 'subquery') own = expr.time.problem ?? expr.problem;
  if (own !== undefined) return own;
  for (const child of childrenOf(expr)) {
    const problem = durationProblemOf(child);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
