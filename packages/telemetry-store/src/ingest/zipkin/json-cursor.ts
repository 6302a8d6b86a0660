export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const OPEN_BRACKET = 0x5b;
export const CLOSED_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSED_BRACE = 0x7d;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
/** Digits of which every number is exact. */
const MAX_DIGITS = 15;

/** Walks over JSON's bytes; what it does not know it refuses, and the caller reads the whole by other means. */
export class JsonCursor {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  #skipSpace(): void {
    const { bytes } = this;
    let at = this.at;
    for (let byte = bytes[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[at]) at++;
    this.at = at;
  }

  /** Whether only white space is left. */
  get atEnd(): boolean {
    this.#skipSpace();
    return this.at === this.bytes.length;
  }

  /** Goes past this byte, and white space before it, where it is the next. */
  take(byte: number): boolean {
    if (this.bytes[this.at] !== byte) {
      this.#skipSpace();
      if (this.bytes[this.at] !== byte) return false;
    }
    this.at++;
    return true;
  }

  /** From behind a quote to behind the next: the place of that one, or -1 where the text has escapes or is not ASCII. */
  string(): number {
    const { bytes } = this;
    let at = this.at;
    for (;;) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) break;
      if (byte < 0x20 || byte > 0x7e || byte === BACKSLASH) return -1;
      at++;
    }
    this.at = at + 1;
    return at;
  }

  /** A number without sign, fraction and exponent; -1 where it is another. */
  wholeNumber(): number {
    this.#skipSpace();
    const { bytes } = this;
    const from = this.at;
    let at = from;
    let value = 0;
    for (let digit = (bytes[at] ?? 0) - 48; digit >= 0 && digit <= 9; digit = (bytes[at] ?? 0) - 48) {
      value = value * 10 + digit;
      at++;
    }
    const digits = at - from;
    if (digits === 0 || digits > MAX_DIGITS + 1 || (digits > 1 && bytes[from] === 48)) return -1;
    const next = bytes[at];
    if (next === 0x2e || next === 0x65 || next === 0x45 || value > Number.MAX_SAFE_INTEGER) return -1;
    this.at = at;
    return value;
  }

  boolean(): boolean {
    this.#skipSpace();
    for (const word of ['true', 'false'])
      if (this.equals(this.at, this.at + word.length, word)) {
        this.at += word.length;
        return true;
      }
    return false;
  }

  /** Walks an object; `field` gets the places of the key and goes past the value. False where either refuses. */
  object(field: (keyAt: number, keyEnd: number) => boolean): boolean {
    if (!this.take(OPEN_BRACE)) return false;
    if (this.take(CLOSED_BRACE)) return true;
    do {
      if (!this.take(QUOTE)) return false;
      const keyAt = this.at;
      const keyEnd = this.string();
      if (keyEnd < 0 || !this.take(COLON) || !field(keyAt, keyEnd)) return false;
    } while (this.take(COMMA));
    return this.take(CLOSED_BRACE);
  }

  equals(at: number, end: number, text: string): boolean {
    if (end - at !== text.length) return false;
    const { bytes } = this;
    for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
    return true;
  }
}
