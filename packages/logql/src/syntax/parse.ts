import { compileRegex, RegexSyntaxError } from '@kind-e2e/telemetry';
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
  type Stage,
  type Unwrap,
  VECTOR_OPERATIONS,
  type VectorMatching,
  type VectorOperation,
} from './ast.ts';
import { checkRangeAggregation, checkSelector, checkVectorAggregation } from './check.ts';
import { Cursor } from './cursor.ts';
import { LogqlSyntaxError } from './errors.ts';
import { parseSelector, parseStages, parseUnwrap } from './parse-pipeline.ts';
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

/**
 * Parses a query by the grammar of Loki 3 (pkg/logql/syntax/syntax.y), by descent rather than from a Lezer tree: see
 * docs/adr/0005-logql-by-descent.md. Throws LogqlSyntaxError with Loki's text.
 */
export function parseQuery(query: string): Expr {
  const cursor = new Cursor(query);
  const expr = parseExpr(cursor, 0);
  if (!cursor.isKind('$end')) cursor.unexpected();
  if (expr.kind === 'log') checkSelector(expr.matchers);
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
      const { bool, matching } = parseModifier(cursor);
      const right = parseExpr(cursor, own === POWER_LEVEL ? own : own + 1);
      left = newBinary(operator, left, right, bool, matching);
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
    labels.push(cursor.expectKind('IDENTIFIER').text);
    if (cursor.accept(')')) return labels;
    cursor.expect(',', ') or ,');
  }
}

function typeName(expr: Expr): string {
  return expr.kind === 'log' ? (expr.stages.length > 0 ? '*syntax.PipelineExpr' : '*syntax.MatchersExpr') : '';
}

function newBinary(
  operator: BinaryOperator,
  left: Expr,
  right: Expr,
  bool: boolean,
  matching: VectorMatching,
): MetricExpr {
  if (left.kind === 'log')
    throw new LogqlSyntaxError(`unexpected type for left leg of binary operation (${operator}): ${typeName(left)}`);
  if (right.kind === 'log')
    throw new LogqlSyntaxError(`unexpected type for right leg of binary operation (${operator}): ${typeName(right)}`);
  if (isSetOperator(operator)) {
    if (left.kind === 'literal')
      throw new LogqlSyntaxError(
        `unexpected literal for left side of logical/set binary operation (${operator}): ${left.value.toFixed(6)}`,
      );
    if (right.kind === 'literal')
      throw new LogqlSyntaxError(
        `unexpected literal for right side of logical/set binary operation (${operator}): ${right.value.toFixed(6)}`,
      );
  }
  if (left.kind === 'literal' && right.kind === 'literal') {
    const value = floatOperation(operator)(left.value, right.value);
    return { kind: 'literal', value };
  }
  return { kind: 'binary', operator, left, right, bool, matching };
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
    return { kind: 'literal', value: sign * Number(number.text) };
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
    return { kind: 'vector', value: Number(number.text) };
  }
  if (cursor.accept('label_replace')) return parseLabelReplace(cursor);
  return cursor.unexpected();
}

function parseMetric(cursor: Cursor): MetricExpr {
  const expr = parseExpr(cursor, 0);
  if (expr.kind === 'log') return cursor.unexpected();
  return expr;
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
    compileRegex(expression, { dotAll: true });
  } catch (error) {
    if (error instanceof RegexSyntaxError)
      throw new LogqlSyntaxError(`invalid regex in label_replace: ${error.message}`);
    throw error;
  }
  return { kind: 'label-replace', expr, destination, replacement, source, expression };
}

function parseGrouping(cursor: Cursor): Grouping | undefined {
  if (!cursor.is('by') && !cursor.is('without')) return undefined;
  const without = cursor.take().text === 'without';
  return { without, labels: parseLabelList(cursor) };
}

function parseParam(cursor: Cursor): number | undefined {
  const negative = cursor.is('-') && cursor.isKind('NUMBER', 1) && cursor.is(',', 2);
  if (!negative && !(cursor.isKind('NUMBER') && cursor.is(',', 1))) return undefined;
  if (negative) cursor.take();
  const value = Number(cursor.take().text);
  cursor.take();
  return negative ? -value : value;
}

function parseVectorAggregation(cursor: Cursor, operation: VectorOperation): MetricExpr {
  cursor.take();
  let grouping = parseGrouping(cursor);
  cursor.expect('(', grouping === undefined ? '' : '(');
  const param = parseParam(cursor);
  const expr = parseMetric(cursor);
  cursor.expect(')');
  grouping ??= parseGrouping(cursor);
  checkVectorAggregation(operation, param, grouping);
  return {
    kind: 'vector-aggregation',
    operation,
    expr,
    ...(param === undefined ? {} : { param }),
    ...(grouping === undefined ? {} : { grouping }),
  };
}

interface LogRange {
  readonly log: LogExpr;
  readonly unwrap: Unwrap | undefined;
  readonly rangeNs: bigint;
  readonly offsetNs: bigint;
}

function parseRangeAggregation(cursor: Cursor, operation: RangeOperation): MetricExpr {
  cursor.take();
  cursor.expect('(', '(');
  const param = parseParam(cursor);
  const { log, unwrap, rangeNs, offsetNs } = parseLogRange(cursor);
  cursor.expect(')', ')');
  const grouping = parseGrouping(cursor);
  checkSelector(log.matchers);
  checkRangeAggregation(operation, param, grouping, unwrap);
  return {
    kind: 'range-aggregation',
    operation,
    log,
    rangeNs,
    offsetNs,
    ...(unwrap === undefined ? {} : { unwrap }),
    ...(param === undefined ? {} : { param }),
    ...(grouping === undefined ? {} : { grouping }),
  };
}

/** The range may stand before, between or after the stages; parentheses may be around the selector or the whole. */
function parseLogRange(cursor: Cursor): LogRange {
  return cursor.nested(() => {
    let matchers: LogExpr['matchers'];
    let stages: Stage[] = [];
    let unwrap: Unwrap | undefined;
    let rangeNs: bigint | undefined;
    let offsetNs = 0n;
    if (cursor.accept('(')) {
      const inner = parseLogRangeParts(cursor);
      cursor.expect(')');
      ({ matchers, stages, unwrap, rangeNs, offsetNs } = inner);
      if (rangeNs !== undefined && cursor.is(')')) return finishRange(cursor, inner);
    } else if (cursor.is('{')) matchers = parseSelector(cursor);
    else return cursor.unexpected();
    const parts = { matchers, stages, unwrap, rangeNs, offsetNs };
    parseRangeTail(cursor, parts);
    return finishRange(cursor, parts);
  });
}

interface RangeParts {
  matchers: LogExpr['matchers'];
  stages: Stage[];
  unwrap: Unwrap | undefined;
  rangeNs: bigint | undefined;
  offsetNs: bigint;
}

function parseLogRangeParts(cursor: Cursor): RangeParts {
  return cursor.nested(() => {
    let parts: RangeParts;
    if (cursor.accept('(')) {
      parts = parseLogRangeParts(cursor);
      cursor.expect(')');
    } else {
      if (!cursor.is('{')) cursor.unexpected();
      parts = { matchers: parseSelector(cursor), stages: [], unwrap: undefined, rangeNs: undefined, offsetNs: 0n };
    }
    parseRangeTail(cursor, parts);
    return parts;
  });
}

function parseRangeTail(cursor: Cursor, parts: RangeParts): void {
  for (;;) {
    if (parts.unwrap === undefined) parts.stages = [...parts.stages, ...parseStages(cursor, true)];
    if (parts.unwrap === undefined && cursor.is('|') && cursor.is('unwrap', 1)) parts.unwrap = parseUnwrap(cursor);
    if (parts.rangeNs !== undefined || !cursor.isKind('RANGE')) return;
    parts.rangeNs = cursor.take().amount ?? 0n;
    if (cursor.accept('offset')) parts.offsetNs = cursor.expectKind('DURATION', 'DURATION').amount ?? 0n;
  }
}

function finishRange(cursor: Cursor, parts: RangeParts): LogRange {
  const { matchers, stages, unwrap, rangeNs, offsetNs } = parts;
  if (rangeNs === undefined) return cursor.unexpected();
  return { log: { kind: 'log', matchers, stages }, unwrap, rangeNs, offsetNs };
}
