import { createMatcher, type LabelMatcher, type MatchOperator, RegexSyntaxError } from '@kind-e2e/telemetry';
import { compileNamedGroups } from '../pipeline/named-groups.ts';
import { parsePattern } from '../pipeline/pattern.ts';
import type {
  CompareOperator,
  ExtractionExpression,
  LabelChoice,
  LabelFilter,
  LabelFormat,
  LineFilter,
  LineFilterOperator,
  Stage,
  Unwrap,
  UnwrapConversion,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import { LogqlSyntaxError } from './errors.ts';
import { parseGoFloat } from './go-float.ts';

const LINE_FILTERS: readonly string[] = ['|=', '!=', '|~', '!~', '|>', '!>'];
const MATCH_OPERATORS: readonly string[] = ['=', '!=', '=~', '!~'];
const COMPARE_OPERATORS: readonly string[] = ['=', '==', '!=', '>', '>=', '<', '<='];
const UNWRAP_EXPECTED = 'IDENTIFIER or BYTES_CONV or DURATION_CONV or DURATION_SECONDS_CONV';
const MATCH_EXPECTED = '= or =~ or !~ or !=';

export function parseMatcher(cursor: Cursor, name: string): LabelMatcher {
  const operator = cursor.peek();
  if (operator.kind !== 'symbol' || !MATCH_OPERATORS.includes(operator.text)) cursor.unexpected(MATCH_EXPECTED);
  cursor.take();
  return newMatcher(name, operator.text as MatchOperator, cursor.expectKind('STRING', 'STRING').text);
}

function newMatcher(name: string, operator: MatchOperator, value: string): LabelMatcher {
  try {
    return createMatcher(name, operator, value);
  } catch (error) {
    if (error instanceof RegexSyntaxError) throw new LogqlSyntaxError(error.message);
    throw error;
  }
}

export function parseSelector(cursor: Cursor): LabelMatcher[] {
  cursor.expect('{');
  const matchers: LabelMatcher[] = [];
  if (cursor.accept('}')) return matchers;
  for (;;) {
    const name = cursor.expectKind('IDENTIFIER', matchers.length === 0 ? 'IDENTIFIER or }' : 'IDENTIFIER').text;
    matchers.push(parseMatcher(cursor, name));
    if (cursor.accept('}')) return matchers;
    cursor.expect(',', '} or ,');
  }
}

/** The stages up to what is no stage; `unwrap` ends them too, where the caller allows it. */
export function parseStages(cursor: Cursor, unwrapAllowed: boolean): Stage[] {
  const stages: Stage[] = [];
  for (;;) {
    const token = cursor.peek();
    if (token.kind !== 'symbol') return stages;
    if (LINE_FILTERS.includes(token.text)) {
      stages.push(...parseLineFilter(cursor));
    } else if (token.text === '|') {
      if (unwrapAllowed && cursor.is('unwrap', 1)) return stages;
      cursor.take();
      stages.push(parseStage(cursor));
    } else return stages;
  }
}

function parseLineFilter(cursor: Cursor): LineFilter[] {
  const operator = cursor.take().text as LineFilterOperator;
  const values = [parseLineFilterValue(cursor)];
  while (cursor.accept('or')) values.push(parseLineFilterValue(cursor));
  return [{ kind: 'line-filter', operator, values }];
}

function parseLineFilterValue(cursor: Cursor): { text: string; ip: boolean } {
  if (cursor.accept('ip')) {
    cursor.expect('(', '(');
    const { text } = cursor.expectKind('STRING', 'STRING');
    cursor.expect(')', ')');
    return { text, ip: true };
  }
  return { text: cursor.expectKind('STRING', 'STRING or ip').text, ip: false };
}

function parseStage(cursor: Cursor): Stage {
  if (cursor.isKind('IDENTIFIER') || cursor.is('(')) return { kind: 'label-filter', filter: parseLabelFilter(cursor) };
  const token = cursor.peek();
  switch (token.kind === 'symbol' ? token.text : '') {
    case 'json':
      cursor.take();
      return { kind: 'json', expressions: parseExtractions(cursor) };
    case 'logfmt': {
      cursor.take();
      const flags: string[] = [];
      while (cursor.isKind('PARSER_FLAG')) flags.push(cursor.take().text);
      return {
        kind: 'logfmt',
        strict: flags.includes('--strict'),
        keepEmpty: flags.includes('--keep-empty'),
        expressions: parseExtractions(cursor),
      };
    }
    case 'regexp':
    case 'pattern': {
      const kind = cursor.take().text === 'regexp' ? 'regexp' : 'pattern';
      const expression = cursor.expectKind('STRING', 'STRING').text;
      checkParser(kind, expression);
      return { kind, expression };
    }
    case 'unpack':
    case 'decolorize':
      cursor.take();
      return { kind: token.text === 'unpack' ? 'unpack' : 'decolorize' };
    case 'line_format':
      cursor.take();
      return { kind: 'line-format', template: cursor.expectKind('STRING', 'STRING').text };
    case 'label_format':
      cursor.take();
      return { kind: 'label-format', formats: parseLabelFormats(cursor) };
    case 'drop':
    case 'keep':
      cursor.take();
      return { kind: token.text === 'drop' ? 'drop' : 'keep', choices: parseChoices(cursor) };
    default:
      return cursor.unexpected();
  }
}

/** Of these parsers Loki says what is wrong with them before it reads on (newLabelParserExpr). */
function checkParser(kind: 'regexp' | 'pattern', expression: string): void {
  try {
    if (kind === 'regexp') compileNamedGroups(expression);
    else parsePattern(expression);
  } catch (error) {
    throw new LogqlSyntaxError(`invalid ${kind} parser: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parseExtractions(cursor: Cursor): ExtractionExpression[] {
  const expressions: ExtractionExpression[] = [];
  if (!cursor.isKind('IDENTIFIER')) return expressions;
  for (;;) {
    const label = cursor.expectKind('IDENTIFIER', 'IDENTIFIER').text;
    const expression = cursor.accept('=') ? cursor.expectKind('STRING', 'STRING').text : label;
    expressions.push({ label, expression });
    if (!cursor.accept(',')) return expressions;
  }
}

function parseLabelFormats(cursor: Cursor): LabelFormat[] {
  const formats: LabelFormat[] = [];
  for (;;) {
    const label = cursor.expectKind('IDENTIFIER', 'IDENTIFIER').text;
    cursor.expect('=', '=');
    const value = cursor.peek();
    if (value.kind !== 'IDENTIFIER' && value.kind !== 'STRING') cursor.unexpected('IDENTIFIER or STRING');
    cursor.take();
    formats.push({ label, value: value.text, rename: value.kind === 'IDENTIFIER' });
    if (!cursor.accept(',')) return formats;
  }
}

function parseChoices(cursor: Cursor): LabelChoice[] {
  const choices: LabelChoice[] = [];
  for (;;) {
    const name = cursor.expectKind('IDENTIFIER', 'IDENTIFIER').text;
    const token = cursor.peek();
    if (token.kind === 'symbol' && MATCH_OPERATORS.includes(token.text) && cursor.isKind('STRING', 1))
      choices.push({ name, matcher: parseMatcher(cursor, name) });
    else choices.push({ name });
    if (!cursor.accept(',')) return choices;
  }
}

/**
 * `or` below `and`; a comma, or nothing between two filters, is "and" with all that follows, since these rules have no
 * precedence in Loki's grammar and goyacc then shifts.
 */
export function parseLabelFilter(cursor: Cursor): LabelFilter {
  return cursor.nested(() => {
    let left = parseAnd(cursor);
    while (cursor.accept('or')) left = { kind: 'or', left, right: parseAnd(cursor) };
    return left;
  });
}

function parseAnd(cursor: Cursor): LabelFilter {
  let left = parseJoined(cursor);
  while (cursor.accept('and')) left = { kind: 'and', left, right: parseJoined(cursor) };
  return left;
}

function parseJoined(cursor: Cursor): LabelFilter {
  const left = parsePrimary(cursor);
  const joined = cursor.accept(',') || cursor.isKind('IDENTIFIER') || cursor.is('(');
  return joined ? { kind: 'and', left, right: parseLabelFilter(cursor) } : left;
}

function parsePrimary(cursor: Cursor): LabelFilter {
  if (cursor.accept('(')) {
    const inner = parseLabelFilter(cursor);
    cursor.expect(')');
    return inner;
  }
  const name = cursor.expectKind('IDENTIFIER', 'IDENTIFIER or (').text;
  const token = cursor.peek();
  if (token.kind !== 'symbol' || ![...COMPARE_OPERATORS, '=~', '!~'].includes(token.text)) cursor.unexpected();
  cursor.take();
  const operator = token.text;
  if (operator === '=~' || operator === '!~')
    return { kind: 'matcher', matcher: newMatcher(name, operator, cursor.expectKind('STRING', 'STRING').text) };
  if (operator === '=' || operator === '!=') {
    if (cursor.isKind('STRING')) return { kind: 'matcher', matcher: newMatcher(name, operator, cursor.take().text) };
    if (cursor.accept('ip')) {
      cursor.expect('(', '(');
      const pattern = cursor.expectKind('STRING', 'STRING').text;
      cursor.expect(')', ')');
      return { kind: 'ip', name, operator, pattern };
    }
  }
  return parseComparison(cursor, name, operator as CompareOperator);
}

function parseComparison(cursor: Cursor, name: string, operator: CompareOperator): LabelFilter {
  const token = cursor.peek();
  if (token.kind === 'DURATION') {
    cursor.take();
    return { kind: 'duration', name, operator, value: Number(token.amount ?? 0n) / 1e9, text: token.text };
  }
  if (token.kind === 'BYTES') {
    cursor.take();
    return { kind: 'bytes', name, operator, value: Number(token.amount ?? 0n), text: token.text };
  }
  const sign = cursor.accept('-') ? '-' : cursor.accept('+') ? '+' : '';
  const number = cursor.expectKind('NUMBER', sign === '' ? '' : 'NUMBER');
  // Here Loki takes what is no number for 0.
  const value = parseGoFloat(number.text);
  const amount = typeof value === 'number' ? value : 0;
  return { kind: 'number', name, operator, value: sign === '-' ? -amount : amount, text: sign + number.text };
}

/** `| unwrap label | filter…`; the cursor stands at the bar. */
export function parseUnwrap(cursor: Cursor): Unwrap {
  cursor.expect('|');
  cursor.expect('unwrap');
  const token = cursor.peek();
  let conversion: UnwrapConversion | undefined;
  let label: string;
  if (token.kind === 'symbol' && ['bytes', 'duration', 'duration_seconds'].includes(token.text)) {
    conversion = cursor.take().text as UnwrapConversion;
    cursor.expect('(', '(');
    label = cursor.expectKind('IDENTIFIER', 'IDENTIFIER').text;
    cursor.expect(')', ')');
  } else label = cursor.expectKind('IDENTIFIER', UNWRAP_EXPECTED).text;
  const filters: LabelFilter[] = [];
  while (cursor.accept('|')) filters.push(parseLabelFilter(cursor));
  return { label, ...(conversion === undefined ? {} : { conversion }), filters };
}
