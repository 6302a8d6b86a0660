/** The tokens of CEL (cel-spec `CEL.g4`). */
import type { Literal, Problem } from './ast.ts';

export interface Token {
  readonly type: 'ident' | 'quoted' | 'literal' | 'symbol' | 'end';
  readonly text: string;
  readonly at: number;
  readonly value?: Literal;
}

const SYMBOLS = /==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,[\](){}=]/y;
const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y;
const FLOAT = /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)/y;
const INT = /(?:0x[0-9a-fA-F]+|\d+)[uU]?/y;
const SKIP = /(?:[ \t\n\r\f]+|\/\/[^\n]*)+/y;
const STRING = /([bB]?[rR]?|[rR][bB])("""|'''|"|')/y;
const QUOTED = /`[A-Za-z0-9_.\-/ ]+`/y;

/** All tokens, an `end` last; what is no token is a problem and left out. */
export function tokenize(source: string, problems: Problem[]): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  while (at < source.length) {
    const space = match(SKIP);
    if (space) {
      at += space[0].length;
      continue;
    }
    const string = match(STRING);
    if (string) {
      const token = readString(source, at, string[1] ?? '', string[2] ?? '');
      if (token.problem !== undefined) problems.push({ at, message: token.problem });
      if (token.value !== undefined)
        tokens.push({ type: 'literal', text: source.slice(at, token.end), at, value: token.value });
      at = token.end;
      continue;
    }
    const ident = match(IDENT);
    if (ident) {
      const text = ident[0];
      const value = text === 'true' ? true : text === 'false' ? false : text === 'null' ? null : undefined;
      tokens.push(value === undefined ? { type: 'ident', text, at } : { type: 'literal', text, at, value });
      at += text.length;
      continue;
    }
    const float = match(FLOAT);
    if (float) {
      tokens.push({ type: 'literal', text: float[0], at, value: Number(float[0]) });
      at += float[0].length;
      continue;
    }
    const int = match(INT);
    if (int) {
      const isUint = /[uU]$/.test(int[0]);
      const number = BigInt(isUint ? int[0].slice(0, -1) : int[0]);
      tokens.push({ type: 'literal', text: int[0], at, value: isUint ? { uint: number } : number });
      at += int[0].length;
      continue;
    }
    const quoted = match(QUOTED);
    if (quoted) {
      tokens.push({ type: 'quoted', text: quoted[0].slice(1, -1), at });
      at += quoted[0].length;
      continue;
    }
    const symbol = match(SYMBOLS);
    if (symbol) {
      tokens.push({ type: 'symbol', text: symbol[0], at });
      at += symbol[0].length;
      continue;
    }
    const char = String.fromCodePoint(source.codePointAt(at) ?? 0);
    problems.push({ at, message: `Syntax error: token recognition error at: '${char}'` });
    at += char.length;
  }
  tokens.push({ type: 'end', text: '<EOF>', at: source.length });
  return tokens;
}

interface StringToken {
  readonly end: number;
  readonly value?: string | Uint8Array;
  readonly problem?: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
};

function readString(source: string, start: number, prefix: string, quote: string): StringToken {
  const isRaw = /r/i.test(prefix);
  const isBytes = /b/i.test(prefix);
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  let text = '';
  const push = (part: string): void => {
    if (isBytes) bytes.push(...encoder.encode(part));
    else text += part;
  };
  let at = start + prefix.length + quote.length;
  for (;;) {
    if (at >= source.length || (quote.length === 1 && source[at] === '\n')) {
      const shown = source.slice(start, at).replaceAll('\n', '\\n');
      return { end: Math.max(at, start + 1), problem: `Syntax error: token recognition error at: '${shown}'` };
    }
    if (source.startsWith(quote, at)) return { end: at + quote.length, value: isBytes ? Uint8Array.from(bytes) : text };
    const char = String.fromCodePoint(source.codePointAt(at) ?? 0);
    if (char !== '\\' || isRaw) {
      push(char);
      at += char.length;
      continue;
    }
    const next = source[at + 1] ?? '';
    const hex = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/i.exec(
      source.slice(at + 1, at + 10),
    );
    const simple = ESCAPES[next];
    if (simple !== undefined) {
      push(simple);
      at += 2;
    } else if (hex) {
      const code =
        hex[4] === undefined ? Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? '0', 16) : Number.parseInt(hex[4], 8);
      if (isBytes && (hex[1] !== undefined || hex[4] !== undefined)) bytes.push(code);
      else if (code <= 0x10ffff) push(String.fromCodePoint(code));
      at += 1 + hex[0].length;
    } else
      return {
        end: at + 1,
        problem: `Syntax error: token recognition error at: '${source.slice(start, at + 2)}'`,
      };
  }
}
