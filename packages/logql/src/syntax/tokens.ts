import { RANGE_OPERATIONS, VECTOR_OPERATIONS } from './ast.ts';
import { LogqlSyntaxError, placeOf } from './errors.ts';
import { unquote } from './quoting.ts';
import { parseBytes, parseDurationNs, parsePrometheusDurationNs } from './units.ts';

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
const FOLLOWED_AS_FUNCTION = /^\s*(?:\(|(?:by|without)\s*\()/i;

/** Splits a query as Loki's lexer does (pkg/logql/syntax/lex.go). Throws LogqlSyntaxError. */
export function tokenize(query: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const fail = (reason: string, position = at): never => {
    throw new LogqlSyntaxError(reason, placeOf(query, position));
  };
  while (at < query.length) {
    const rest = query.slice(at);
    const blank = /^(?:\s+|#[^\n]*)/.exec(rest)?.[0].length ?? 0;
    if (blank > 0) {
      at += blank;
      continue;
    }
    const start = at;
    const push = (kind: TokenKind, text: string, length: number, amount?: bigint): void => {
      const lineForgotten =
        !['IDENTIFIER', 'STRING', 'NUMBER'].includes(kind) &&
        !(kind === 'symbol' && (length === 1 || /^\w/.test(text)));
      tokens.push({ kind, text, start, lineForgotten, ...(amount === undefined ? {} : { amount }) });
      at += length;
    };
    const char = rest[0] ?? '';
    if (char === '"' || char === '`') {
      const string = char === '"' ? /^"(?:[^"\\\n]|\\.)*"/s.exec(rest)?.[0] : /^`[^`]*`/.exec(rest)?.[0];
      if (string === undefined) return fail('literal not terminated');
      const text = unquote(string);
      if (text === undefined) return fail('invalid syntax');
      push('STRING', text, string.length);
    } else if (/\d/.test(char) || (char === '.' && /\d/.test(rest[1] ?? ''))) {
      scanNumber(rest, push);
    } else if (char === '-' && /^--(?:strict|keep-empty)(?![\w-])/.test(rest)) {
      const flag = /^--[\w-]+/.exec(rest)?.[0] ?? '';
      push('PARSER_FLAG', flag, flag.length);
    } else if (char === '-' && /^-\d[\d.]*[a-zµ]/.test(rest)) {
      const text = /^-[\d.nuµmshdwy]+/.exec(rest)?.[0] ?? '-';
      const amount = parseDurationNs(text) ?? negated(parseDurationNs(text.slice(1)));
      if (amount === undefined) push('symbol', '-', 1);
      else push('DURATION', text, text.length, amount);
    } else if (char === '[') {
      const end = rest.indexOf(']');
      if (end < 0) throw new LogqlSyntaxError("missing closing ']' in duration", { ...placeOf(query, at), line: 0 });
      const text = rest.slice(1, end);
      const amount = parsePrometheusDurationNs(text.trim());
      if (amount === undefined)
        throw new LogqlSyntaxError(
          text.trim() === '' ? 'empty duration string' : `not a valid duration string: "${text}"`,
          { ...placeOf(query, at), line: 0 },
        );
      push('RANGE', text, end + 1, amount);
    } else if (/[A-Za-z_]/.test(char)) {
      const word = /^\w+/.exec(rest)?.[0] ?? char;
      const lower = word.toLowerCase();
      const isFunction = FUNCTIONS.has(lower) && FOLLOWED_AS_FUNCTION.test(rest.slice(word.length));
      if (isFunction || (KEYWORDS.has(lower) && !FUNCTIONS.has(lower))) push('symbol', lower, word.length);
      else push('IDENTIFIER', word, word.length);
    } else {
      const symbol = SYMBOLS.find((known) => rest.startsWith(known));
      if (symbol === undefined) push('IDENTIFIER', char, char.length);
      else push('symbol', symbol, symbol.length);
    }
  }
  tokens.push({ kind: '$end', text: '$end', start: query.length, lineForgotten: false });
  return tokens;
}

function negated(amount: bigint | undefined): bigint | undefined {
  return amount === undefined ? undefined : -amount;
}

function scanNumber(
  rest: string,
  push: (kind: TokenKind, text: string, length: number, amount?: bigint) => void,
): void {
  const number = /^(?:0[xX][\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)/.exec(rest)?.[0] ?? '';
  const duration = /^[\d.nuµmshdwy]+/.exec(rest)?.[0] ?? '';
  if (duration.length > number.length) {
    const amount = parseDurationNs(duration);
    if (amount !== undefined) {
      push('DURATION', duration, duration.length, amount);
      return;
    }
  }
  const bytes = /^[\d.BikKMGTP]+/.exec(rest)?.[0] ?? '';
  if (bytes.length > number.length) {
    const amount = parseBytes(bytes);
    if (amount !== undefined) {
      push('BYTES', bytes, bytes.length, BigInt(amount));
      return;
    }
  }
  push('NUMBER', number, number.length);
}

export function describeToken(token: Token): string {
  return token.kind === 'symbol' ? token.text : token.kind;
}
