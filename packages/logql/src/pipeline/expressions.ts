/** The little languages of `json label="a.b[0]"` and `logfmt label="key"`. Errors are thrown with Loki's text. */

type Token = 'DOT' | 'LSB' | 'RSB' | 'STRING' | 'FIELD' | 'INDEX' | '$end';

interface Scanned {
  readonly token: Token;
  readonly text: string;
}

/** Scans as far as it can; where it cannot go on there is the end, and an error beside it. */
class Scanner {
  readonly #source: string;
  readonly #isJson: boolean;
  #at = 0;
  problem: string | undefined;

  constructor(source: string, isJson: boolean) {
    this.#source = source;
    this.#isJson = isJson;
  }

  next(): Scanned {
    this.#at += /^[ \t\n]*/.exec(this.#source.slice(this.#at))?.[0].length ?? 0;
    const rest = this.#source.slice(this.#at);
    const take = (token: Token, whole: string, text = whole): Scanned => {
      this.#at += whole.length;
      return { token, text };
    };
    if (rest === '' || rest.startsWith('\0')) return { token: '$end', text: '' };
    if (this.#isJson && /^\d/.test(rest)) return this.#index(rest, take);
    if (this.#isJson && rest.startsWith('[')) return take('LSB', '[');
    if (this.#isJson && rest.startsWith(']')) return take('RSB', ']');
    if (this.#isJson && rest.startsWith('.')) return take('DOT', '.');
    const field = /^[A-Za-z_][A-Za-z0-9_]*/.exec(rest)?.[0];
    if (field !== undefined) return take('FIELD', field);
    // Whatever ends a string also belongs to it.
    const string = /^"([^"\]\0]*)(?:["\]]|$)/.exec(rest);
    if (string !== null) return take('STRING', string[0], string[1]);
    this.problem = `unexpected char ${String.fromCodePoint(rest.codePointAt(0) ?? 0)}`;
    return { token: '$end', text: '' };
  }

  #index(rest: string, take: (token: Token, whole: string) => Scanned): Scanned {
    const digits = /^\d+/.exec(rest)?.[0] ?? '';
    const after = rest[digits.length] ?? '\0';
    if (' \t\n]'.includes(after)) {
      if (Number(digits) <= Number.MAX_SAFE_INTEGER) return take('INDEX', digits);
      this.problem = `strconv.Atoi: parsing "${digits}": value out of range`;
    } else this.problem = after === '.' ? 'cannot use float as array index' : `non-integer value: ${after}`;
    return { token: '$end', text: '' };
  }
}

class Expression {
  readonly #expression: string;
  readonly #scanner: Scanner;
  current: Scanned;

  constructor(expression: string, isJson: boolean) {
    this.#expression = expression;
    this.#scanner = new Scanner(expression, isJson);
    this.current = this.#scanner.next();
  }

  take(): string {
    const { text } = this.current;
    this.current = this.#scanner.next();
    return text;
  }

  is(token: Token): boolean {
    return this.current.token === token;
  }

  expect(token: Token): string {
    return this.is(token) ? this.take() : this.unexpected(`, expecting ${token}`);
  }

  unexpected(expecting = ''): never {
    return this.#fail(`syntax error: unexpected ${this.current.token}${expecting}`);
  }

  end(): void {
    if (!this.is('$end')) this.unexpected();
    if (this.#scanner.problem !== undefined) this.#fail(this.#scanner.problem);
  }

  #fail(reason: string): never {
    throw new Error(`cannot parse expression [${this.#expression}]: ${reason}`);
  }
}

/** `a.b[0]["c d"]` as keys and indexes (pkg/logql/log/jsonexpr). */
export function parseJsonPath(expression: string): readonly (string | number)[] {
  const source = new Expression(expression, true);
  const path: (string | number)[] = [];
  const access = (): void => {
    source.expect('LSB');
    if (source.is('STRING')) path.push(source.take());
    else if (source.is('INDEX')) path.push(Number(source.take()));
    else source.unexpected(', expecting STRING or INDEX');
    source.expect('RSB');
  };
  if (source.is('FIELD')) path.push(source.take());
  else if (source.is('LSB')) access();
  else source.unexpected(', expecting LSB or FIELD');
  for (;;) {
    if (source.is('LSB')) access();
    else if (source.is('DOT')) {
      source.take();
      path.push(source.expect('FIELD'));
    } else break;
  }
  source.end();
  return path;
}

/** A key, bare or in quotes (pkg/logql/log/logfmt, logfmtexpr.y). */
export function parseLogfmtKey(expression: string): string {
  const source = new Expression(expression, false);
  if (!source.is('FIELD') && !source.is('STRING')) source.unexpected(', expecting STRING or FIELD');
  const key = source.take();
  // More strings are read, and then make a key that no line has.
  let more = '';
  while (source.is('STRING')) more += `%!(EXTRA string=${source.take()})`;
  source.end();
  return key + more;
}
