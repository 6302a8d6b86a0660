import { LogqlSyntaxError, placeOf } from './errors.ts';
import { describeToken, type Token, type TokenKind, tokenize } from './tokens.ts';

/** The tokens of a query and a place among them; the words of its errors are goyacc's. */
export class Cursor {
  readonly #query: string;
  readonly #source: Iterator<Token, undefined>;
  readonly #tokens: Token[] = [];
  #at = 0;
  #depth = 0;
  #deferred: { readonly depth: number; readonly reason: string } | undefined;

  constructor(query: string) {
    this.#query = query;
    this.#source = tokenize(query);
  }

  /** Throws where the token at the place itself cannot be read. */
  peek(ahead = 0): Token {
    while (this.#tokens.length <= this.#at + ahead) {
      const { value } = this.#source.next();
      if (value === undefined) break;
      this.#tokens.push(value);
    }
    const token = this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)];
    if (token === undefined) throw new LogqlSyntaxError('syntax error: unexpected $end');
    if (ahead === 0 && token.error !== undefined) throw token.error;
    return token;
  }

  take(): Token {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  is(symbol: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'symbol' && token.text === symbol;
  }

  isKind(kind: TokenKind, ahead = 0): boolean {
    return this.peek(ahead).kind === kind;
  }

  accept(symbol: string): boolean {
    if (!this.is(symbol)) return false;
    this.#at += 1;
    return true;
  }

  expect(symbol: string, expecting = ''): void {
    if (!this.accept(symbol)) this.unexpected(expecting);
  }

  expectKind(kind: TokenKind, expecting = ''): Token {
    if (!this.isKind(kind)) this.unexpected(expecting);
    return this.take();
  }

  unexpected(expecting = ''): never {
    const token = this.peek();
    const more = expecting === '' ? '' : `, expecting ${expecting}`;
    const known = placeOf(this.#query, token.start);
    const place = this.#query === '' ? undefined : token.lineForgotten ? { ...known, line: 0 } : known;
    throw new LogqlSyntaxError(`syntax error: unexpected ${describeToken(token)}${more}`, place);
  }

  /** Runs one level deeper; nesting without bound must not exhaust the stack. */
  nested<T>(parse: () => T): T {
    if (this.#depth > 200) throw new LogqlSyntaxError('expression is nested deeper than 200 levels');
    this.#depth += 1;
    try {
      return parse();
    } finally {
      this.#depth -= 1;
    }
  }

  /** Remembers what is wrong with an expression but no syntax error: of several that of the outermost counts. */
  defer(reason: string): void {
    if (this.#deferred === undefined || this.#depth < this.#deferred.depth)
      this.#deferred = { depth: this.#depth, reason };
  }

  /** At the end of the query. */
  throwDeferred(): void {
    if (this.#deferred !== undefined) throw new LogqlSyntaxError(this.#deferred.reason);
  }
}
