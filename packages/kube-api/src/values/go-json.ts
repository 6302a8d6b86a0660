/** The words of Go's encoding/json for text that is no JSON. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  problem(): string | undefined {
    const found = this.#value(0);
    if (found !== undefined) return found;
    this.#blank();
    return this.#at < this.#text.length ? this.#unexpected('after top-level value') : undefined;
  }

  #blank(): void {
    while (/[ \t\r\n]/.test(this.#peek())) this.#at += 1;
  }

  #unexpected(context: string): string {
    if (this.#at >= this.#text.length) return 'unexpected end of JSON input';
    return `invalid character ${goChar(this.#text, this.#at)} ${context}`;
  }

  #value(depth: number): string | undefined {
    if (depth > 10_000) return 'exceeded max depth';
    this.#blank();
    switch (this.#peek()) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true');
      case 'f':
        return this.#word('false');
      case 'n':
        return this.#word('null');
      default:
        if (/[-0-9]/.test(this.#peek())) return this.#number();
        return this.#unexpected('looking for beginning of value');
    }
  }

  #word(word: string): string | undefined {
    for (let index = 0; index < word.length; index++) {
      if (this.#peek() !== word.charAt(index))
        return this.#unexpected(`in literal ${word} (expecting '${word.charAt(index)}')`);
      this.#at += 1;
    }
    return undefined;
  }

  #number(): string | undefined {
    if (this.#peek() === '-') this.#at += 1;
    if (this.#peek() === '0') this.#at += 1;
    else if (/[1-9]/.test(this.#peek())) while (/[0-9]/.test(this.#peek())) this.#at += 1;
    else return this.#unexpected('in numeric literal');
    if (this.#peek() === '.') {
      this.#at += 1;
      if (!/[0-9]/.test(this.#peek())) return this.#unexpected('after decimal point in numeric literal');
      while (/[0-9]/.test(this.#peek())) this.#at += 1;
    }
    if (/[eE]/.test(this.#peek())) {
      this.#at += 1;
      if (/[-+]/.test(this.#peek())) this.#at += 1;
      if (!/[0-9]/.test(this.#peek())) return this.#unexpected('in exponent of numeric literal');
      while (/[0-9]/.test(this.#peek())) this.#at += 1;
    }
    return undefined;
  }

  #string(): string | undefined {
    this.#at += 1;
    for (;;) {
      if (this.#at >= this.#text.length) return 'unexpected end of JSON input';
      const char = this.#peek();
      if (char === '"') {
        this.#at += 1;
        return undefined;
      }
      if (char.charCodeAt(0) < 0x20) return this.#unexpected('in string literal');
      this.#at += 1;
      if (char !== '\\') continue;
      if (/["\\/bfnrt]/.test(this.#peek())) this.#at += 1;
      else if (this.#peek() === 'u') {
        this.#at += 1;
        for (let index = 0; index < 4; index++) {
          if (!/[0-9a-fA-F]/.test(this.#peek())) return this.#unexpected('in \\u hexadecimal character escape');
          this.#at += 1;
        }
      } else return this.#unexpected('in string escape code');
    }
  }

  #object(depth: number): string | undefined {
    this.#at += 1;
    this.#blank();
    if (this.#peek() === '}') {
      this.#at += 1;
      return undefined;
    }
    for (;;) {
      this.#blank();
      if (this.#peek() !== '"') return this.#unexpected('looking for beginning of object key string');
      const key = this.#string();
      if (key !== undefined) return key;
      this.#blank();
      if (this.#peek() !== ':') return this.#unexpected('after object key');
      this.#at += 1;
      const value = this.#value(depth + 1);
      if (value !== undefined) return value;
      this.#blank();
      if (this.#peek() === '}') {
        this.#at += 1;
        return undefined;
      }
      if (this.#peek() !== ',') return this.#unexpected('after object key:value pair');
      this.#at += 1;
    }
  }

  #array(depth: number): string | undefined {
    this.#at += 1;
    this.#blank();
    if (this.#peek() === ']') {
      this.#at += 1;
      return undefined;
    }
    for (;;) {
      const value = this.#value(depth + 1);
      if (value !== undefined) return value;
      this.#blank();
      if (this.#peek() === ']') {
        this.#at += 1;
        return undefined;
      }
      if (this.#peek() !== ',') return this.#unexpected('after array element');
      this.#at += 1;
    }
  }
}

/** `'x'`, `'\''`, `'\x81'`: a byte as Go's `quoteChar` prints it. */
function goChar(text: string, at: number): string {
  const char = text.charAt(at);
  if (char === "'") return "'\\''";
  if (char === '"') return "'\"'";
  const code = text.charCodeAt(at);
  if (code < 0x20 || code === 0x7f) {
    const known: Record<number, string> = { 9: '\\t', 10: '\\n', 13: '\\r', 8: '\\b', 12: '\\f', 7: '\\a', 11: '\\v' };
    return `'${known[code] ?? `\\x${code.toString(16).padStart(2, '0')}`}'`;
  }
  if (code < 0x80) return char === '\\' ? "'\\\\'" : `'${char}'`;
  const byte = new TextEncoder().encode(String.fromCodePoint(text.codePointAt(at) ?? 0))[0] ?? 0;
  return `'${String.fromCharCode(byte)}'`;
}

/** `invalid character 'x' looking for beginning of value`; `undefined` for good JSON. */
export function goJsonProblem(text: string): string | undefined {
  return new Scanner(text).problem();
}
