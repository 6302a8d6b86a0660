import { type CustomPatternMatcherFunc, createToken, type IToken, Lexer, type TokenType } from 'chevrotain';

/** Matches a Groovy string with this quote; inside `${…}` of a double-quoted one, quotes and braces may nest. */
function stringMatcher(quote: string): CustomPatternMatcherFunc {
  const interpolates = quote.startsWith('"');
  const isLong = quote.length === 3;
  return (text, start) => {
    if (!text.startsWith(quote, start)) return null;
    let depth = 0;
    for (let at = start + quote.length; at < text.length; at++) {
      const char = text[at];
      if (char === '\\') {
        at++;
      } else if (interpolates && depth === 0 && char === '$' && text[at + 1] === '{') {
        depth = 1;
        at++;
      } else if (depth > 0) {
        if (char === '{') depth++;
        if (char === '}') depth--;
        if (char === '\n' && !isLong) return null;
      } else if (char === '\n' && !isLong) {
        return null;
      } else if (text.startsWith(quote, at)) {
        return [text.slice(start, at + quote.length)];
      }
    }
    return null;
  };
}

function stringToken(name: string, quote: string): TokenType {
  return createToken({
    name,
    pattern: { exec: stringMatcher(quote) as (text: string, offset: number) => RegExpExecArray | null },
    line_breaks: true,
    start_chars_hint: [quote[0] ?? ''],
    label: 'a string',
  });
}

export const LongSingle = stringToken('LongSingle', "'''");
export const LongDouble = stringToken('LongDouble', '"""');
export const Single = stringToken('Single', "'");
export const Double = stringToken('Double', '"');

/** After these a slash begins a string: `branch pattern: /release-.+/`. Elsewhere it is an operator. */
const BEFORE_SLASHY = new Set(['LeftParen', 'LeftBracket', 'Comma', 'Colon', 'Assign', 'Plus', 'Identifier']);

/** Groovy's slashy string, of one line here: only `\/` is an escape in it. */
function matchSlashy(text: string, start: number, before: IToken[]): [string] | null {
  const last = before.at(-1);
  if (text[start] !== '/' || !last || !BEFORE_SLASHY.has(last.tokenType.name)) return null;
  const found = /^\/(?![/*])(?:\\\/|[^/\n])+\//.exec(text.slice(start));
  return found ? [found[0]] : null;
}

export const Slashy = createToken({
  name: 'Slashy',
  pattern: { exec: matchSlashy as unknown as CustomPatternMatcherFunc } as never,
  line_breaks: false,
  start_chars_hint: ['/'],
  label: 'a string',
});
/** Groovy's dollar slashy string: `$$` and `$/` are the escapes in it. */
export const DollarSlashy = createToken({
  name: 'DollarSlashy',
  pattern: /\$\/(?:\$[$/]|[^$/]|\$|\/(?!\$))*?\/\$/,
  line_breaks: true,
  label: 'a string',
});

export const Space = createToken({ name: 'Space', pattern: /[ \t\f\r]+/, group: Lexer.SKIPPED });
/** A backslash before the line's end joins the lines. */
export const Join = createToken({ name: 'Join', pattern: /\\\r?\n/, group: Lexer.SKIPPED, line_breaks: true });
export const LineComment = createToken({ name: 'LineComment', pattern: /(\/\/|#!)[^\n]*/, group: Lexer.SKIPPED });
export const BlockComment = createToken({
  name: 'BlockComment',
  pattern: /\/\*[\s\S]*?\*\//,
  group: Lexer.SKIPPED,
  line_breaks: true,
});
export const Newline = createToken({ name: 'Newline', pattern: /\n/, line_breaks: true, label: 'a new line' });
export const Semicolon = createToken({ name: 'Semicolon', pattern: ';', label: '";"' });

export const Identifier = createToken({ name: 'Identifier', pattern: /[A-Za-z_$][\w$]*/, label: 'a name' });
export const True = createToken({ name: 'True', pattern: 'true', longer_alt: Identifier, label: 'true' });
export const False = createToken({ name: 'False', pattern: 'false', longer_alt: Identifier, label: 'false' });
export const Null = createToken({ name: 'Null', pattern: 'null', longer_alt: Identifier, label: 'null' });
export const NumberLiteral = createToken({ name: 'NumberLiteral', pattern: /-?\d+(\.\d+)?/, label: 'a number' });

export const LeftBrace = createToken({ name: 'LeftBrace', pattern: '{', label: '"{"' });
export const RightBrace = createToken({ name: 'RightBrace', pattern: '}', label: '"}"' });
export const LeftParen = createToken({ name: 'LeftParen', pattern: '(', label: '"("' });
export const RightParen = createToken({ name: 'RightParen', pattern: ')', label: '")"' });
export const LeftBracket = createToken({ name: 'LeftBracket', pattern: '[', label: '"["' });
export const RightBracket = createToken({ name: 'RightBracket', pattern: ']', label: '"]"' });
export const Comma = createToken({ name: 'Comma', pattern: ',', label: '","' });
export const Colon = createToken({ name: 'Colon', pattern: ':', label: '":"' });
export const Dot = createToken({ name: 'Dot', pattern: '.', label: '"."' });
/** Before `Assign`: it would be cut in two. All other operators of Groovy; none may stand in a declarative file. */
export const Operator = createToken({
  name: 'Operator',
  pattern: /==~?|!=|<=|>=|=~|&&|\|\||->|\?\.|\?:|\+=|-=|\+\+|--|[@<>!?%^&|*/~-]/,
  label: 'an operator',
});
export const Assign = createToken({ name: 'Assign', pattern: '=', label: '"="' });
export const Plus = createToken({ name: 'Plus', pattern: '+', label: '"+"' });

export const ALL_TOKENS: TokenType[] = [
  Join,
  Space,
  LineComment,
  BlockComment,
  Newline,
  Semicolon,
  LongSingle,
  LongDouble,
  Single,
  Double,
  DollarSlashy,
  Slashy,
  NumberLiteral,
  True,
  False,
  Null,
  Identifier,
  LeftBrace,
  RightBrace,
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  Comma,
  Colon,
  Dot,
  Operator,
  Assign,
  Plus,
];

export const STRING_TOKENS: ReadonlySet<TokenType> = new Set([
  LongSingle,
  LongDouble,
  Single,
  Double,
  Slashy,
  DollarSlashy,
]);
/** Lines end with `\n`; a `\r` before it is a space, or files of Windows would have twice as many. */
export const jenkinsfileLexer = new Lexer(ALL_TOKENS, {
  positionTracking: 'full',
  lineTerminatorsPattern: /\n/g,
  lineTerminatorCharacters: ['\n'],
});
