/**
 * CEL text to its tree, with the words of cel-go's parser for what it refuses: precedence from lowest: `?:`, `||`, `&&`,
 * relations, `+ -`, `* / %`, unary, members (cel-spec `langdef.md`).
 */
import {
  childrenOf,
  type Expr,
  type MacroName,
  type MapEntry,
  type Problem,
  qualifiedName,
  type StructField,
} from './ast.ts';
import { type Token, tokenize } from './lexer.ts';
import { macroOf } from './macros.ts';

export interface Parsed {
  /** Undefined where there are problems. */
  readonly expr: Expr | undefined;
  readonly problems: readonly Problem[];
}

const MAX_DEPTH = 250;
/** Chains (`a.b.c…`, `a + b + …`) grow deep without nesting; who walks them must not run out of stack. */
const MAX_TREE_DEPTH = 500;
const MAX_LENGTH = 100_000;
const OPERAND =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const RELATIONS = new Set(['<', '<=', '>=', '>', '==', '!=']);
const RESERVED = new Set([
  'as',
  'break',
  'const',
  'continue',
  'else',
  'false',
  'for',
  'function',
  'if',
  'import',
  'in',
  'let',
  'loop',
  'package',
  'namespace',
  'null',
  'return',
  'true',
  'var',
  'void',
  'while',
]);

class Stop extends Error {}

export function parseCel(source: string): Parsed {
  const length = source.length;
  if (length > MAX_LENGTH)
    return {
      expr: undefined,
      problems: [{ at: 0, message: `expression code point size exceeds limit: size: ${length}, limit ${MAX_LENGTH}` }],
    };
  const problems: Problem[] = [];
  const parser = new Parser(tokenize(source, problems), problems);
  try {
    const expr = parser.whole();
    if (depthOf(expr) > MAX_TREE_DEPTH)
      problems.push({ at: 0, message: `expression recursion limit exceeded: ${MAX_DEPTH}` });
    return { expr: problems.length === 0 ? expr : undefined, problems };
  } catch (error) {
    if (error instanceof Stop) return { expr: undefined, problems };
    throw error;
  }
}

/** How deep a tree is, found without recursion. */
function depthOf(root: Expr): number {
  let deepest = 0;
  const rest: (readonly [Expr, number])[] = [[root, 1]];
  for (let next = rest.pop(); next; next = rest.pop()) {
    const [expr, depth] = next;
    deepest = Math.max(deepest, depth);
    for (const child of childrenOf(expr)) rest.push([child, depth + 1]);
  }
  return deepest;
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #problems: Problem[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], problems: Problem[]) {
    this.#tokens = tokens;
    this.#problems = problems;
  }

  whole(): Expr {
    const expr = this.#expression();
    const token = this.#peek();
    if (token.type !== 'end') this.#syntax(token, this.#peek(1).type === 'end' ? 'extraneous' : 'mismatched', '<EOF>');
    return expr;
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)] as Token;
  }

  #is(symbol: string): boolean {
    const token = this.#peek();
    return token.type === 'symbol' && token.text === symbol;
  }

  #take(symbol: string): Token | undefined {
    if (!this.#is(symbol)) return undefined;
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #expect(symbol: string): void {
    if (this.#take(symbol)) return;
    const token = this.#peek();
    this.#syntax(token, token.type === 'end' ? 'missing' : 'mismatched', `'${symbol}'`);
  }

  #syntax(token: Token, how: 'extraneous' | 'mismatched' | 'missing', expected: string): never {
    const message =
      how === 'missing'
        ? `Syntax error: missing ${expected} at '${token.text}'`
        : `Syntax error: ${how} input '${token.text}' expecting ${expected}`;
    this.#problems.push({ at: token.at, message });
    throw new Stop();
  }

  #expression(): Expr {
    if (++this.#depth > MAX_DEPTH) {
      this.#problems.push({ at: this.#peek().at, message: `expression recursion limit exceeded: ${MAX_DEPTH}` });
      throw new Stop();
    }
    const condition = this.#or();
    const question = this.#take('?');
    let expr = condition;
    if (question) {
      const yes = this.#or();
      this.#expect(':');
      const no = this.#expression();
      expr = call('_?_:_', question.at, [condition, yes, no]);
    }
    this.#depth--;
    return expr;
  }

  #or(): Expr {
    return this.#chain('||', '_||_', () => this.#chain('&&', '_&&_', () => this.#relation()));
  }

  #chain(symbol: string, name: string, next: () => Expr): Expr {
    let left = next();
    for (let token = this.#take(symbol); token; token = this.#take(symbol)) left = call(name, token.at, [left, next()]);
    return left;
  }

  #relation(): Expr {
    let left = this.#sum();
    for (;;) {
      const token = this.#peek();
      const isIn = token.type === 'ident' && token.text === 'in';
      if (!isIn && !(token.type === 'symbol' && RELATIONS.has(token.text))) return left;
      this.#at++;
      left = call(isIn ? '@in' : `_${token.text}_`, token.at, [left, this.#sum()]);
    }
  }

  #sum(): Expr {
    return this.#binary(['+', '-'], () => this.#binary(['*', '/', '%'], () => this.#unary()));
  }

  #binary(symbols: readonly string[], next: () => Expr): Expr {
    let left = next();
    for (;;) {
      const token = this.#peek();
      if (token.type !== 'symbol' || !symbols.includes(token.text)) return left;
      this.#at++;
      left = call(`_${token.text}_`, token.at, [left, next()]);
    }
  }

  #unary(): Expr {
    const token = this.#peek();
    if (token.type !== 'symbol' || (token.text !== '!' && token.text !== '-')) return this.#member();
    let count = 0;
    while (this.#take(token.text)) count++;
    const next = this.#peek();
    if (token.text === '-' && count === 1 && next.type === 'literal') {
      const { value } = next;
      if (typeof value === 'bigint' || typeof value === 'number') {
        this.#at++;
        return this.#members({ kind: 'literal', at: token.at, value: this.#negative(value, token.at) });
      }
    }
    const operand = this.#member();
    return count % 2 === 0 ? operand : call(token.text === '!' ? '!_' : '-_', token.at, [operand]);
  }

  #negative(value: bigint | number, at: number): bigint | number {
    if (typeof value === 'number') return -value;
    if (value > 1n << 63n) this.#problems.push({ at, message: 'invalid int literal' });
    return -value;
  }

  #member(): Expr {
    return this.#members(this.#primary());
  }

  #members(start: Expr): Expr {
    let expr = start;
    for (;;) {
      const dot = this.#take('.');
      if (dot) {
        const optional = this.#take('?') !== undefined;
        const name = this.#peek();
        if (name.type !== 'ident' && name.type !== 'quoted') {
          const isWord = name.type === 'literal' && /^[a-z]+$/.test(name.text);
          this.#syntax(name, isWord ? 'mismatched' : 'mismatched', 'IDENTIFIER');
        }
        this.#at++;
        const open = optional ? undefined : this.#take('(');
        if (open) expr = this.#invoke(name.text, open.at, expr, this.#arguments(')'));
        else expr = { kind: 'select', at: dot.at, operand: expr, field: name.text, test: false, optional };
        continue;
      }
      const brace = this.#is('{') ? qualifiedName(expr) : undefined;
      if (brace !== undefined) {
        const { at } = this.#peek();
        this.#at++;
        expr = { kind: 'struct', at, name: brace, fields: this.#fields() };
        continue;
      }
      const open = this.#take('[');
      if (!open) return expr;
      const optional = this.#take('?') !== undefined;
      const index = this.#expression();
      this.#expect(']');
      expr = call(optional ? '_[?_]' : '_[_]', open.at, [expr, index]);
    }
  }

  #arguments(close: string): Expr[] {
    const list: Expr[] = [];
    if (this.#take(close)) return list;
    do list.push(this.#expression());
    while (this.#take(','));
    this.#expect(close);
    return list;
  }

  #primary(): Expr {
    const token = this.#peek();
    if (token.type === 'literal' && token.value !== undefined) {
      this.#at++;
      const { value } = token;
      if (typeof value === 'bigint' && value >= 1n << 63n)
        this.#problems.push({ at: token.at, message: 'invalid int literal' });
      return { kind: 'literal', at: token.at, value };
    }
    if (this.#take('(')) {
      const expr = this.#expression();
      this.#expect(')');
      return expr;
    }
    const list = this.#take('[');
    if (list) return this.#list(list.at);
    const map = this.#take('{');
    if (map) return this.#map(map.at);
    const dot = this.#take('.');
    const name = this.#peek();
    if (name.type === 'ident' && name.text !== 'in') {
      this.#at++;
      const text = dot ? `.${name.text}` : name.text;
      if (RESERVED.has(name.text)) this.#problems.push({ at: name.at, message: `reserved identifier: ${name.text}` });
      const open = this.#take('(');
      if (open) return this.#invoke(text, open.at, undefined, this.#arguments(')'));
      return { kind: 'ident', at: dot?.at ?? name.at, name: text };
    }
    const startsOperand = (candidate: Token): boolean =>
      candidate.type === 'literal' ||
      candidate.type === 'ident' ||
      (candidate.type === 'symbol' && ['[', '{', '(', '.', '-', '!'].includes(candidate.text));
    this.#syntax(token, token.type !== 'end' && startsOperand(this.#peek(1)) ? 'extraneous' : 'mismatched', OPERAND);
  }

  #list(at: number): Expr {
    const elements: Expr[] = [];
    const optional = new Set<number>();
    while (!this.#take(']')) {
      if (this.#take('?')) optional.add(elements.length);
      elements.push(this.#expression());
      if (!this.#take(',')) {
        this.#expect(']');
        break;
      }
    }
    return { kind: 'list', at, elements, optional };
  }

  /** What is between the braces of an object's construction. */
  #fields(): StructField[] {
    const fields: StructField[] = [];
    while (!this.#take('}')) {
      const optional = this.#take('?') !== undefined;
      const name = this.#peek();
      if (name.type !== 'ident' && name.type !== 'quoted') this.#syntax(name, 'mismatched', 'IDENTIFIER');
      this.#at++;
      const { at } = this.#peek();
      this.#expect(':');
      fields.push({ name: name.text, at, value: this.#expression(), optional });
      if (!this.#take(',')) {
        this.#expect('}');
        break;
      }
    }
    return fields;
  }

  #map(at: number): Expr {
    const entries: MapEntry[] = [];
    while (!this.#take('}')) {
      const optional = this.#take('?') !== undefined;
      const key = this.#expression();
      this.#expect(':');
      entries.push({ key, value: this.#expression(), optional });
      if (!this.#take(',')) {
        this.#expect('}');
        break;
      }
    }
    return { kind: 'map', at, entries };
  }

  /** A call, or the macro that it is. */
  #invoke(name: string, at: number, target: Expr | undefined, args: Expr[]): Expr {
    const macro = macroOf(name, at, target, args);
    if (macro === undefined) return { kind: 'call', at, name, target, args };
    if ('message' in macro) {
      this.#problems.push(macro);
      throw new Stop();
    }
    return macro;
  }
}

function call(name: string, at: number, args: readonly Expr[]): Expr {
  return { kind: 'call', at, name, target: undefined, args };
}

export type { MacroName };
