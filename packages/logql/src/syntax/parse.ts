import { compileRegex, RegexSyntaxError } from '@kind-e2e/telemetry';
import { LogqlError } from '../results.ts';
import {
  BINARY_OPERATORS,
  type BinaryOperator,
  type Expr,
  type Grouping,
  isSetOperator,
  type LogExpr,
  type MetricExpr,
  RANGE_OPERATIONS,
  type RangeOperation,
  VECTOR_OPERATIONS,
  type VectorMatching,
  type VectorOperation,
} from './ast.ts';
import { checkExpr, checkSelector, problemOfRangeAggregation, problemOfVectorAggregation } from './check.ts';
import { Cursor } from './cursor.ts';
import { LogqlSyntaxError } from './errors.ts';
import { parseGoFloat } from './go-float.ts';
import { parseLogRange } from './parse-log-range.ts';
import { parseSelector, parseStages } from './parse-pipeline.ts';
import { floatOperation } from './scalar-operations.ts';

const LEVELS: readonly (readonly BinaryOperator[])[] = [
  ['or'],
  ['and', 'unless'],
  ['==', '!=', '>', '>=', '<', '<='],
  ['+', '-'],
  ['*', '/', '%'],
  ['^'],
];
const POWER_LEVEL = 5;
const MAX_QUERY_BYTES = 131_072;

/**
 * Parses a query by the grammar of Loki 3 (pkg/logql/syntax/syntax.y), by descent rather than from a Lezer tree: see
 * docs/adr/0005-logql-by-descent.md. Throws LogqlSyntaxError with Loki's text.
 */
export function parseQuery(query: string): Expr {
  const { length } = new TextEncoder().encode(query);
  if (length >= MAX_QUERY_BYTES) throw new LogqlSyntaxError(`input size too long (${length} > ${MAX_QUERY_BYTES})`);
  const cursor = new Cursor(query);
  const expr = parseExpr(cursor, 0);
  if (!cursor.isKind('$end')) cursor.unexpected();
  cursor.throwDeferred();
  checkExpr(expr);
  return expr;
}

/** A selector alone, as in `match[]` of the series endpoint. */
export function parseStreamSelector(query: string): LogExpr['matchers'] {
  const cursor = new Cursor(query);
  const matchers = parseSelector(cursor);
  if (!cursor.isKind('$end')) cursor.unexpected();
  checkSelector(matchers);
  return matchers;
}

function operatorAt(cursor: Cursor): BinaryOperator | undefined {
  const token = cursor.peek();
  return token.kind === 'symbol' ? BINARY_OPERATORS.find((known) => known === token.text) : undefined;
}

function parseExpr(cursor: Cursor, level: number): Expr {
  return cursor.nested(() => {
    let left = parsePrimary(cursor);
    for (;;) {
      const operator = operatorAt(cursor);
      const own = operator === undefined ? -1 : LEVELS.findIndex((operators) => operators.includes(operator));
      if (operator === undefined || own < level) return left;
      cursor.take();
      const modifier = parseModifier(cursor);
      const right = parseExpr(cursor, own === POWER_LEVEL ? own : own + 1);
      left = newBinary(cursor, operator, left, right, modifier);
    }
  });
}

function parseModifier(cursor: Cursor): { bool: boolean; matching: VectorMatching } {
  const bool = cursor.accept('bool');
  let matching: VectorMatching = { cardinality: 'one-to-one', on: false, labels: [], include: [] };
  if (cursor.is('on') || cursor.is('ignoring')) {
    const on = cursor.take().text === 'on';
    const labels = parseLabelList(cursor);
    matching = { ...matching, on, labels };
    if (cursor.is('group_left') || cursor.is('group_right')) {
      const cardinality = cursor.take().text === 'group_left' ? 'many-to-one' : 'one-to-many';
      matching = { ...matching, cardinality, include: cursor.is('(') ? parseLabelList(cursor) : [] };
    }
  }
  return { bool, matching };
}

function parseLabelList(cursor: Cursor): string[] {
  cursor.expect('(', '(');
  const labels: string[] = [];
  if (cursor.accept(')')) return labels;
  for (;;) {
    labels.push(cursor.expectKind('IDENTIFIER', labels.length === 0 ? 'IDENTIFIER or )' : 'IDENTIFIER').text);
    if (cursor.accept(')')) return labels;
    cursor.expect(',', ', or )');
  }
}

function typeName(expr: Expr): string {
  return expr.kind === 'log' ? (expr.stages.length > 0 ? '*syntax.PipelineExpr' : '*syntax.MatchersExpr') : '';
}

function problemOfBinary(operator: BinaryOperator, left: Expr, right: Expr): string | undefined {
  if (left.kind === 'log') return `unexpected type for left leg of binary operation (${operator}): ${typeName(left)}`;
  if (right.kind === 'log')
    return `unexpected type for right leg of binary operation (${operator}): ${typeName(right)}`;
  if (!isSetOperator(operator)) return undefined;
  if (left.kind === 'literal')
    return `unexpected literal for left leg of logical/set binary operation (${operator}): ${left.value.toFixed(6)}`;
  return right.kind === 'literal'
    ? `unexpected literal for right leg of logical/set binary operation (${operator}): ${right.value.toFixed(6)}`
    : undefined;
}

function newBinary(
  cursor: Cursor,
  operator: BinaryOperator,
  left: Expr,
  right: Expr,
  modifier: { readonly bool: boolean; readonly matching: VectorMatching },
): MetricExpr {
  const problem = problemOfBinary(operator, left, right);
  if (problem !== undefined) cursor.defer(problem);
  if (left.kind === 'log' || right.kind === 'log') return { kind: 'vector', value: Number.NaN };
  if (left.kind === 'literal' && right.kind === 'literal')
    return { kind: 'literal', value: floatOperation(operator)(left.value, right.value) };
  return { kind: 'binary', operator, left, right, ...modifier };
}

function parsePrimary(cursor: Cursor): Expr {
  const token = cursor.peek();
  if (cursor.is('{')) {
    const matchers = parseSelector(cursor);
    return { kind: 'log', matchers, stages: parseStages(cursor, false) };
  }
  if (cursor.accept('(')) {
    const inner = parseExpr(cursor, 0);
    cursor.expect(')');
    if (inner.kind !== 'log') return inner;
    return { ...inner, stages: [...inner.stages, ...parseStages(cursor, false)] };
  }
  if (token.kind === 'NUMBER' || cursor.is('-') || cursor.is('+')) {
    const sign = cursor.accept('-') ? -1 : 1;
    if (sign === 1) cursor.accept('+');
    const number = cursor.expectKind('NUMBER', 'NUMBER');
    return { kind: 'literal', value: sign * numberOf(cursor, number.text, 'unable to parse literal as a float') };
  }
  if (token.kind !== 'symbol') return cursor.unexpected();
  const range = RANGE_OPERATIONS.find((operation) => operation === token.text);
  if (range !== undefined) return parseRangeAggregation(cursor, range);
  const vector = VECTOR_OPERATIONS.find((operation) => operation === token.text);
  if (vector !== undefined) return parseVectorAggregation(cursor, vector);
  if (cursor.accept('vector')) {
    cursor.expect('(', '(');
    const number = cursor.expectKind('NUMBER', 'NUMBER');
    cursor.expect(')', ')');
    return { kind: 'vector', value: numberOf(cursor, number.text, 'unable to parse vectorExpr as a float') };
  }
  if (cursor.accept('label_replace')) return parseLabelReplace(cursor);
  if (cursor.accept('variants')) return parseVariants(cursor);
  return cursor.unexpected();
}

/** What a number means; what is none is said once the query is read. */
function numberOf(cursor: Cursor, text: string, problem: string): number {
  const value = parseGoFloat(text);
  if (typeof value === 'number') return value;
  cursor.defer(`${problem}: ${value}`);
  return Number.NaN;
}

function parseMetric(cursor: Cursor): MetricExpr {
  const expr = parseExpr(cursor, 0);
  if (expr.kind === 'log') return cursor.unexpected();
  return expr;
}

/** `variants(…) of ({…}[…])`: off where nobody switched it on (limits_config, enable_multi_variant_queries). */
function parseVariants(cursor: Cursor): never {
  cursor.expect('(', '(');
  do parseMetric(cursor);
  while (cursor.accept(','));
  cursor.expect(')');
  cursor.expect('of', 'of');
  cursor.expect('(', '(');
  parseLogRange(cursor, '{ or (');
  cursor.expect(')', ')');
  if (!cursor.isKind('$end')) cursor.unexpected();
  cursor.throwDeferred();
  throw new LogqlError('bad_request', 'multi variant queries are disabled for this instance');
}

function parseLabelReplace(cursor: Cursor): MetricExpr {
  cursor.expect('(', '(');
  const expr = parseMetric(cursor);
  const strings: string[] = [];
  for (let i = 0; i < 4; i++) {
    cursor.expect(',', i === 0 ? '' : ',');
    strings.push(cursor.expectKind('STRING', 'STRING').text);
  }
  cursor.expect(')', ')');
  const [destination = '', replacement = '', source = '', expression = ''] = strings;
  try {
    compileRegex(`^(?:${expression})$`);
  } catch (error) {
    if (error instanceof RegexSyntaxError) cursor.defer(`invalid regex in label_replace: ${error.message}`);
    else throw error;
  }
  return { kind: 'label-replace', expr, destination, replacement, source, expression };
}

function parseGrouping(cursor: Cursor): Grouping | undefined {
  if (!cursor.is('by') && !cursor.is('without')) return undefined;
  const without = cursor.take().text === 'without';
  return { without, labels: parseLabelList(cursor) };
}

function parseVectorAggregation(cursor: Cursor, operation: VectorOperation): MetricExpr {
  cursor.take();
  let grouping = parseGrouping(cursor);
  cursor.expect('(', grouping === undefined ? '' : '(');
  const param = cursor.isKind('NUMBER') && cursor.is(',', 1) ? cursor.take().text : undefined;
  if (param !== undefined) cursor.expect(',');
  const expr = parseMetric(cursor);
  cursor.expect(')');
  grouping ??= parseGrouping(cursor);
  const problem = problemOfVectorAggregation(operation, param, grouping);
  if (problem !== undefined) cursor.defer(problem);
  return {
    kind: 'vector-aggregation',
    operation,
    expr,
    ...(param === undefined ? {} : { param: Number(param) }),
    ...(grouping === undefined ? {} : { grouping }),
  };
}

function parseRangeAggregation(cursor: Cursor, operation: RangeOperation): MetricExpr {
  cursor.take();
  cursor.expect('(', '(');
  let param: string | undefined;
  if (cursor.isKind('NUMBER')) {
    param = cursor.take().text;
    cursor.expect(',', ',');
  }
  const { log, unwrap, rangeNs, offsetNs } = parseLogRange(cursor, param === undefined ? 'NUMBER or { or (' : '{ or (');
  cursor.expect(')', ')');
  const grouping = parseGrouping(cursor);
  const problem = problemOfRangeAggregation(operation, param, grouping, unwrap);
  if (problem !== undefined) cursor.defer(problem);
  return {
    kind: 'range-aggregation',
    operation,
    log,
    rangeNs,
    offsetNs,
    ...(unwrap === undefined ? {} : { unwrap }),
    ...(param === undefined ? {} : { param: numberOf(cursor, param, `invalid parameter for operation ${operation}`) }),
    ...(grouping === undefined ? {} : { grouping }),
  };
}
