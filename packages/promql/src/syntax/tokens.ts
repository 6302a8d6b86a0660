import { quote } from '@kind-e2e/telemetry';
import { AGGREGATORS } from './ast.ts';
import { readNumberOrDuration } from './number-token.ts';

/** The tokens of Prometheus' lexer (promql/parser/lex.go), for the words of its error messages. */
export type TokenKind =
  | 'identifier'
  | 'metric identifier'
  | 'string'
  | 'number'
  | 'duration'
  | 'operator'
  | 'aggregator'
  | 'keyword'
  | 'boundary'
  | 'punctuation'
  | 'end of input'
  | 'error';

export interface Token {
  readonly kind: TokenKind;
  /** The text; of an error its message. */
  readonly text: string;
  /** What is quoted where it is not expected, if not the text. */
  readonly shown?: string;
  readonly start: number;
  readonly end: number;
}

const KEYWORDS = new Set(['offset', 'by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'bool']);
const OPERATOR_WORDS = new Set(['and', 'or', 'unless', 'atan2']);
const OPERATORS = ['==', '!=', '<=', '>=', '+', '-', '*', '/', '%', '^', '<', '>', '@'];
const AGGREGATOR_NAMES: ReadonlySet<string> = new Set(AGGREGATORS);

/** How the token is named after "unexpected". */
export function describeToken(token: Token): string {
  switch (token.kind) {
    case 'end of input':
      return 'end of input';
    case 'operator':
      // Prometheus' table of names lacks this one, so that it prints the number of the token.
      if (token.text === '@') return '"<Item 57400>" <op:@>';
      return `<op:${token.text}>`;
    case 'aggregator':
      return `<aggr:${token.text}>`;
    case 'keyword':
      return `<${token.text}>`;
    case 'punctuation':
    case 'boundary':
      return quote(token.shown ?? token.text);
    case 'identifier':
    case 'metric identifier':
      return `${token.kind} ${quote(token.text)}`;
    default: {
      const shown = token.text.length > 10 ? `${quote(token.text.slice(0, 10))}...` : quote(token.text);
      return `${token.kind} ${shown}`;
    }
  }
}

function quoteRune(rune: string): string {
  return rune === "'" ? `'\\''` : `'${quote(rune).slice(1, -1).replaceAll('\\"', '"')}'`;
}

/** Splits a query; an error token is always the last. */
export function tokenize(query: string): Token[] {
  const tokens: Token[] = [];
  let i = 0;
  let parens = 0;
  let brackets = false;
  let braces = false;
  let gotColon = false;
  let gotDuration = false;
  const push = (kind: TokenKind, length: number): void => {
    tokens.push({ kind, text: query.slice(i, i + length), start: i, end: i + length });
    i += length;
  };
  const error = (text: string, start = i): Token[] => {
    tokens.push({ kind: 'error', text, start, end: query.length });
    return tokens;
  };
  for (;;) {
    const rune = i < query.length ? String.fromCodePoint(query.codePointAt(i) ?? 0) : '';
    const rest = query.slice(i);
    if (rune !== '' && /[ \t\n\r]/.test(rune)) {
      i += 1;
      continue;
    }
    if (rune === '#') {
      i += /^[^\n\r]*/.exec(rest)?.[0].length ?? 1;
      continue;
    }
    if (rune === '') {
      if (braces) return error('unexpected end of input inside braces');
      // After a literal the lexer of Prometheus is no longer in its state for durations.
      if (brackets && !gotDuration) return error('unexpected end of input in duration expression');
      if (parens !== 0) return error('unclosed left parenthesis');
      if (brackets) return error('unclosed left bracket');
      push('end of input', 0);
      return tokens;
    }
    if (brackets && !gotDuration && /["'`]/.test(rune))
      return error(`unexpected character in duration expression: ${quoteRune(rune)}`);
    if (rune === '"' || rune === "'") {
      const end = endOfString(query, i, rune);
      if (end < 0) return error('unterminated quoted string');
      push('string', end - i);
      continue;
    }
    if (rune === '`') {
      const end = query.indexOf('`', i + 1);
      if (end < 0) return error('unterminated raw string');
      push('string', end + 1 - i);
      continue;
    }
    if (braces) {
      if (/[A-Za-z_]/.test(rune)) push('identifier', /^\w+/.exec(rest)?.[0].length ?? 1);
      else if (rune === ',') push('punctuation', 1);
      else if (rune === '=') push(rest[1] === '~' ? 'operator' : 'punctuation', rest[1] === '~' ? 2 : 1);
      else if (rune === '!') {
        const next = rest[1] ?? '';
        if (next !== '~' && next !== '=')
          return error(`unexpected character after '!' inside braces: ${quoteRune(next)}`);
        push('operator', 2);
      } else if (rune === '{') return error(`unexpected left brace ${quoteRune(rune)}`);
      else if (rune === '}') {
        braces = false;
        push('punctuation', 1);
      } else return error(`unexpected character inside braces: ${quoteRune(rune)}`);
      continue;
    }
    if (/\d/.test(rune) || (rune === '.' && /\d/.test(rest[1] ?? ''))) {
      gotDuration = true;
      const { kind, end } = readNumberOrDuration(query, i);
      if (kind === 'error') return error(`bad number or duration syntax: ${quote(query.slice(i, end))}`);
      push(kind, end - i);
      continue;
    }
    if (brackets && !gotDuration) {
      if (rune === ']') {
        brackets = false;
        push('punctuation', 1);
      } else if (rune === ':') return error('unexpected colon before duration in duration expression');
      else if (/[-+*/%^]/.test(rune)) push('operator', 1);
      else if (rune === '(') {
        parens += 1;
        push('punctuation', 1);
      } else if (rune === ')') {
        parens -= 1;
        if (parens < 0) return error(`unexpected right parenthesis ${quoteRune(rune)}`, i + 1);
        push('punctuation', 1);
      } else return error(`unexpected character in duration expression: ${quoteRune(rune)}`);
      continue;
    }
    if (brackets && /[A-Za-z_:]/.test(rune)) {
      // After a literal the lexer of Prometheus is in its state for all else, and takes any letter for a colon.
      if (gotColon) return error(`unexpected colon ${quoteRune(rune)}`);
      gotColon = true;
      tokens.push({ kind: 'punctuation', text: ':', shown: rune, start: i, end: i + 1 });
      i += 1;
      continue;
    }
    if (/[A-Za-z_:]/.test(rune)) {
      const word = /^[\w:]+/.exec(rest)?.[0] ?? rune;
      const lower = word.toLowerCase();
      if (lower === 'inf' || lower === 'nan') push('number', word.length);
      else if (KEYWORDS.has(lower)) push('keyword', word.length);
      else if (OPERATOR_WORDS.has(lower)) push('operator', word.length);
      else if (AGGREGATOR_NAMES.has(lower)) push('aggregator', word.length);
      else if (lower === 'start' || lower === 'end') push('boundary', word.length);
      else push(word.includes(':') ? 'metric identifier' : 'identifier', word.length);
      continue;
    }
    if (rune === '{') {
      braces = true;
      push('punctuation', 1);
    } else if (rune === '(') {
      parens += 1;
      push('punctuation', 1);
    } else if (rune === ')') {
      parens -= 1;
      // Prometheus has taken the parenthesis before it counts.
      if (parens < 0) return error(`unexpected right parenthesis ${quoteRune(rune)}`, i + 1);
      push('punctuation', 1);
    } else if (rune === '[') {
      if (brackets) return error(`unexpected left bracket ${quoteRune(rune)}`);
      brackets = true;
      gotColon = false;
      gotDuration = false;
      push('punctuation', 1);
    } else if (rune === ']') {
      if (!brackets) return error(`unexpected right bracket ${quoteRune(rune)}`);
      brackets = false;
      push('punctuation', 1);
    } else if (rune === ',') push('punctuation', 1);
    else if (rune === '=' && rest[1] === '~') return error(`unexpected character after '=': ${quoteRune('~')}`);
    else if (rune === '!' && rest[1] !== '=')
      return error(`unexpected character after '!': ${quoteRune(rest[1] ?? '')}`);
    else {
      const operator = OPERATORS.find((known) => rest.startsWith(known));
      if (operator !== undefined) push('operator', operator.length);
      else if (rune === '=') push('punctuation', 1);
      else return error(`unexpected character: ${quoteRune(rune)}`);
    }
  }
}

function endOfString(query: string, start: number, mark: string): number {
  for (let i = start + 1; i < query.length; i++) {
    if (query[i] === '\\') i += 1;
    else if (query[i] === '\n') return -1;
    else if (query[i] === mark) return i + 1;
  }
  return -1;
}
