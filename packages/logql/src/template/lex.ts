import { unquote } from '@kind-e2e/telemetry';
import { TemplateError, type TemplateValue } from './values.ts';

/** Text between actions, or one action's tokens. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly line: number }
  | { readonly kind: 'action'; readonly tokens: readonly TemplateToken[]; readonly line: number };

type TokenContent =
  | { readonly kind: 'constant'; readonly value: TemplateValue; readonly text: string }
  | { readonly kind: 'field'; readonly path: readonly string[]; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[]; readonly text: string }
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'symbol'; readonly text: string }
  /** A blank matters between a value and `.field`. */
  | { readonly kind: 'dot'; readonly text: string };

/** With the bytes before it in the template. */
export type TemplateToken = TokenContent & { readonly position: number };

const TOKEN =
  /\s+|("(?:[^"\\\n]|\\.)*"|`[^`]*`)|('(?:[^'\\\n]|\\.)+')|(\$\w*(?:\.\w+)*)|((?:\.[A-Za-z_]\w*)+)|([-+]?(?:0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))|([A-Za-z_]\w*)|(:=|[()|,=.])|(.)/gsy;

/** Splits a template at its actions and applies the trim markers (text/template/parse/lex.go). */
export function lexTemplate(source: string, name: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  const lineAt = (position: number): number => source.slice(0, position).split('\n').length;
  for (;;) {
    const open = source.indexOf('{{', at);
    let text = source.slice(at, open < 0 ? source.length : open);
    if (trimNext) text = text.trimStart();
    trimNext = false;
    if (open < 0) {
      if (text !== '') pieces.push({ kind: 'text', text, line: lineAt(at) });
      return pieces;
    }
    let inner = open + 2;
    if (/^-\s/.test(source.slice(inner, inner + 2))) {
      text = text.trimEnd();
      inner += 1;
    }
    if (text !== '') pieces.push({ kind: 'text', text, line: lineAt(at) });
    const line = lineAt(open);
    const comment = /^\s*\/\*[\s\S]*?\*\/\s*(-?)\}\}/.exec(source.slice(inner));
    if (comment !== null) {
      trimNext = comment[1] === '-';
      at = inner + comment[0].length;
      continue;
    }
    const action = lexAction(source, inner, name, line);
    trimNext = action.trim;
    at = action.end;
    pieces.push({ kind: 'action', tokens: action.tokens, line });
  }
}

function lexAction(
  source: string,
  from: number,
  name: string,
  line: number,
): { tokens: TemplateToken[]; end: number; trim: boolean } {
  const tokens: TemplateToken[] = [];
  const push = (token: TokenContent, start: number): void => {
    tokens.push({ ...token, position: Buffer.byteLength(source.slice(0, start)) });
  };
  const fail = (reason: string): never => {
    throw new TemplateError(`template: ${name}:${line}: ${reason}`);
  };
  let at = from;
  for (;;) {
    const rest = source.slice(at, at + 4);
    if (rest.startsWith('}}')) return { tokens, end: at + 2, trim: false };
    const trim = /^\s-\}\}/.exec(rest);
    if (trim !== null) return { tokens, end: at + 4, trim: true };
    if (at >= source.length) return fail('unclosed action');
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (match === null) return fail('unclosed action');
    const [text, string, char, variable, field, number, word, symbol, other] = match;
    const start = at;
    at = TOKEN.lastIndex;
    if (string !== undefined) {
      const value = unquote(string);
      if (value === undefined) return fail(`invalid syntax in ${string}`);
      push({ kind: 'constant', value, text }, start);
    } else if (char !== undefined) {
      const value = unquote(char) ?? '';
      push({ kind: 'constant', value: BigInt(value.codePointAt(0) ?? 0), text }, start);
    } else if (variable !== undefined) {
      const [head = '$', ...path] = variable.split('.');
      push({ kind: 'variable', name: head, path, text }, start);
    } else if (field !== undefined) push({ kind: 'field', path: field.slice(1).split('.'), text }, start);
    else if (number !== undefined) push({ kind: 'constant', value: numberValue(number), text }, start);
    else if (word !== undefined) {
      if (word === 'true' || word === 'false') push({ kind: 'constant', value: word === 'true', text }, start);
      else if (word === 'nil') push({ kind: 'constant', value: null, text }, start);
      else push({ kind: 'word', text }, start);
    } else if (symbol === '.') push({ kind: 'dot', text }, start);
    else if (symbol !== undefined) push({ kind: 'symbol', text }, start);
    else if (other !== undefined)
      return fail(other === '"' ? 'unterminated quoted string' : `unexpected ${JSON.stringify(other)} in command`);
  }
}

function numberValue(text: string): TemplateValue {
  const bare = text.replace(/^[-+]/, '');
  if (/^(?:0[xXoObB][\da-fA-F]+|\d+)$/.test(bare)) {
    const value = BigInt(/^0\d/.test(bare) ? `0o${bare.slice(1)}` : bare);
    return text.startsWith('-') ? -value : value;
  }
  return Number(text);
}
