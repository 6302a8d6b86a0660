import { quote, unquote } from '@kind-e2e/telemetry';
import { RANGE_OPERATIONS, VECTOR_OPERATIONS } from './ast.ts';
import { LogqlSyntaxError, placeOf } from './errors.ts';
import { parseBytes, parseDurationNs, parseGoDurationNs, parsePrometheusDurationNs } from './units.ts';

/** What a token is called in Loki's messages; keywords and marks are called by their text. */
export type TokenKind =
  | 'IDENTIFIER'
  | 'STRING'
  | 'NUMBER'
  | 'DURATION'
  | 'BYTES'
  | 'RANGE'
  | 'PARSER_FLAG'
  | 'symbol'
  | '$error'
  | '$end';

export interface Token {
  readonly kind: TokenKind;
  /** Of a symbol in lower case; of a string what it means; else as it is written. */
  readonly text: string;
  readonly start: number;
  /**
   * Loki's scanner forgets the line of a token that it reads rune by rune (ranges, durations, sizes, flags, marks of two
   * characters): its messages then say line 0.
   */
  readonly lineForgotten: boolean;
  /** Of DURATION and RANGE nanoseconds, of BYTES bytes. */
  readonly amount?: bigint;
  /** Of $error: what is said when the parser comes to it. */
  readonly error?: LogqlSyntaxError;
}

const KEYWORDS = new Set([
  'by',
  'without',
  'bool',
  'label_replace',
  'offset',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'or',
  'and',
  'unless',
  'json',
  'regexp',
  'logfmt',
  'unpack',
  'pattern',
  'label_format',
  'line_format',
  'unwrap',
  'decolorize',
  'drop',
  'keep',
  'variants',
  'of',
]);
/** Keywords only where a parenthesis, or a grouping, follows. */
const FUNCTIONS = new Set<string>([
  ...RANGE_OPERATIONS,
  ...VECTOR_OPERATIONS,
  'vector',
  'label_replace',
  'bytes',
  'duration',
  'duration_seconds',
  'ip',
]);
const SYMBOLS = ['|=', '|~', '|>', '=~', '!~', '!>', '!=', '==', '>=', '<=', ...'{}()=,|+-*/%^<>.[]'];
/** Blanks and comments: the scanner, which is Go's own, knows those of Go too. */
const BLANK = /^(?:[ \t\r\n]+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)/;
/** A string up to its first escape that is none. */
const INVALID_ESCAPE =
  /^"(?:[^"\\]|\\(?:[abfnrtv\\"]|[0-7]{3}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}))*\\(?![abfnrtv\\"]|[0-7]{3}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8})/;
const CHARACTERS = /^'(?:[^'\\\n]|\\.)*'?/;
const NUMBER_TEXT = /^(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?)/;
const BASES: Readonly<Record<string, string>> = { x: 'hexadecimal', b: 'binary', o: 'octal' };
const DURATION_TEXT = /^[\p{N}.nuµmshdwy]+/u;
const BYTES_TEXT = /^[\p{N}.BikKMGTP]+/u;
const FOLLOWED_AS_FUNCTION = /^\s*(?:\(|(?:by|without)\s*\()/i;

/**
 * The tokens of a query as Loki's lexer makes them (pkg/logql/syntax/lex.go), one at a time: what cannot be read is an
 * $error token, which counts only if the parser comes so far.
 */
export function* tokenize(query: string): Generator<Token, undefined> {
  let at = 0;
  for (;;) {
    const blank = BLANK.exec(query.slice(at))?.[0].length ?? 0;
    if (blank > 0) {
      at += blank;
      continue;
    }
    if (at >= query.length) {
      yield { kind: '$end', text: '$end', start: at, lineForgotten: false };
      return undefined;
    }
    const { length, ...token } = scanToken(query, at);
    yield token;
    if (token.kind === '$error') return undefined;
    at += length;
  }
}

type Scanned = Token & { readonly length: number };

function scanToken(query: string, start: number): Scanned {
  const rest = query.slice(start);
  const token = (kind: TokenKind, text: string, length: number, amount?: bigint): Scanned => {
    const lineForgotten =
      !['IDENTIFIER', 'STRING', 'NUMBER'].includes(kind) && !(kind === 'symbol' && (length === 1 || /^\w/.test(text)));
    return { kind, text, start, lineForgotten, length, ...(amount === undefined ? {} : { amount }) };
  };
  const failure = (reason: string, lineForgotten = false): Scanned => {
    const place = placeOf(query, start);
    const error = new LogqlSyntaxError(reason, lineForgotten ? { ...place, line: 0 } : place);
    return { kind: '$error', text: '', start, lineForgotten, length: 0, error };
  };
  const char = String.fromCodePoint(rest.codePointAt(0) ?? 0);
  if (char === '"' || char === '`') {
    const string = char === '"' ? /^"(?:[^"\\\n]|\\.)*"/s.exec(rest)?.[0] : /^`[^`]*`/.exec(rest)?.[0];
    if (char === '"' && INVALID_ESCAPE.test((string ?? rest).split('\n', 1)[0] ?? ''))
      return failure('invalid char escape');
    if (string === undefined) return failure('literal not terminated');
    const text = unquote(string);
    return text === undefined ? failure('invalid syntax') : token('STRING', text, string.length);
  }
  if (char === "'") {
    const literal = CHARACTERS.exec(rest)?.[0] ?? '';
    if (!/^'.*'$/su.test(literal)) return failure('literal not terminated');
    if (!/^'(?:[^\\]|\\(?:[abfnrtv\\']|[0-7]{3}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}))'$/u.test(literal))
      return failure('invalid char literal');
    return token('IDENTIFIER', literal, literal.length);
  }
  if (rest.startsWith('/*')) return failure('comment not terminated');
  const base = /^0([xXbBoO])(?![\da-fA-F_])/.exec(rest)?.[1]?.toLowerCase();
  if (base !== undefined) return failure(`${BASES[base]} literal has no digits`);
  if (/\d/.test(char) || (char === '.' && /\d/.test(rest[1] ?? ''))) return scanNumber(rest, token);
  if (char === '-') {
    const flag = /^--[\p{L}-]+/u.exec(rest)?.[0] ?? '';
    if (flag === '--strict' || flag === '--keep-empty') return token('PARSER_FLAG', flag, flag.length);
    const text = DURATION_TEXT.exec(rest.slice(1))?.[0] ?? '';
    const amount = negated(text === '' ? undefined : parseGoDurationNs(text));
    return amount === undefined ? token('symbol', '-', 1) : token('DURATION', `-${text}`, text.length + 1, amount);
  }
  if (char === '[') {
    const end = rest.indexOf(']');
    if (end < 0) return failure("missing closing ']' in duration", true);
    const text = rest.slice(1, end);
    const amount = parsePrometheusDurationNs(text);
    if (amount !== undefined) return token('RANGE', text, end + 1, amount);
    return failure(text === '' ? 'empty duration string' : `not a valid duration string: ${quote(text)}`, true);
  }
  const word = /^[\p{L}_][\p{L}\p{Nd}_]*/u.exec(rest)?.[0];
  if (word !== undefined) {
    const lower = word.toLowerCase();
    const isFunction = FUNCTIONS.has(lower) && FOLLOWED_AS_FUNCTION.test(rest.slice(word.length));
    const isKeyword = isFunction || (KEYWORDS.has(lower) && !FUNCTIONS.has(lower));
    return isKeyword ? token('symbol', lower, word.length) : token('IDENTIFIER', word, word.length);
  }
  const symbol = SYMBOLS.find((known) => rest.startsWith(known));
  return symbol === undefined ? token('IDENTIFIER', char, char.length) : token('symbol', symbol, symbol.length);
}

function negated(amount: bigint | undefined): bigint | undefined {
  return amount === undefined ? undefined : -amount;
}

function scanNumber(
  rest: string,
  token: (kind: TokenKind, text: string, length: number, amount?: bigint) => Scanned,
): Scanned {
  const number = NUMBER_TEXT.exec(rest)?.[0] ?? '';
  const more = rest.slice(number.length);
  const duration = number + (DURATION_TEXT.exec(more)?.[0] ?? '');
  if (duration.length > number.length) {
    const amount = parseDurationNs(duration);
    if (amount !== undefined) return token('DURATION', duration, duration.length, amount);
  }
  const bytes = number + (BYTES_TEXT.exec(more)?.[0] ?? '');
  if (bytes.length > number.length) {
    const amount = parseBytes(bytes);
    if (amount !== undefined) return token('BYTES', bytes, bytes.length, BigInt(amount));
  }
  return token('NUMBER', number, number.length);
}

/** Names of the grammar's tokens where Loki does not print the text (exprToknames of pkg/logql/syntax/parser.go). */
const CONVERSIONS: Readonly<Record<string, string>> = {
  bytes: 'BYTES_CONV',
  duration: 'DURATION_CONV',
  duration_seconds: 'DURATION_SECONDS_CONV',
};
const NAMED_BY_TEXT: readonly string[] = ['ip', 'label_replace'];

export function describeToken(token: Token): string {
  if (token.kind !== 'symbol') return token.kind;
  if (!FUNCTIONS.has(token.text) || NAMED_BY_TEXT.includes(token.text)) return token.text;
  return CONVERSIONS[token.text] ?? token.text.toUpperCase();
}
