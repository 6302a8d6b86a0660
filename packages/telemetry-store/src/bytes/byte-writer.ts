const FLOAT = new Float64Array(1);
const FLOAT_BYTES = new Uint8Array(FLOAT.buffer);

/** A growing run of bytes: little-endian numbers, LEB128 varints (as protobuf's), length-prefixed strings. */
export class ByteWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity = 256) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(16, capacity));
  }

  get length(): number {
    return this.#length;
  }

  /** The written bytes, not copied: valid until the next write or `reset`. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The written bytes, copied to a buffer of exactly their size. */
  copy(): Buffer {
    const out = Buffer.allocUnsafeSlow(this.#length);
    this.#buffer.copy(out, 0, 0, this.#length);
    return out;
  }

  /** Forgets the bytes but keeps the memory. */
  reset(): void {
    this.#length = 0;
  }

  /** Gives back to where the next write goes, for patching earlier bytes. */
  truncate(length: number): void {
    this.#length = length;
  }

  #room(bytes: number): number {
    const at = this.#length;
    const end = at + bytes;
    if (end > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(end, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, at);
      this.#buffer = grown;
    }
    this.#length = end;
    return at;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#buffer[at] = value;
  }

  u16(value: number): void {
    const at = this.#room(2);
    this.#buffer.writeUInt16LE(value & 0xffff, at);
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#buffer.writeUInt32LE(value >>> 0, at);
  }

  setU32(at: number, value: number): void {
    this.#buffer.writeUInt32LE(value >>> 0, at);
  }

  f64(value: number): void {
    const at = this.#room(8);
    const buffer = this.#buffer;
    FLOAT[0] = value;
    for (let i = 0; i < 8; i++) buffer[at + i] = FLOAT_BYTES[i] ?? 0;
  }

  u64(value: bigint): void {
    const at = this.#room(8);
    this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), at);
  }

  /** An unsigned integer up to 2^53. */
  varint(value: number): void {
    let at = this.#room(10);
    const buffer = this.#buffer;
    let rest = value;
    while (rest >= 0x8000_0000) {
      buffer[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 0x80) {
      buffer[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[at++] = rest;
    this.#length = at;
  }

  /** A signed integer between -2^52 and 2^52, zigzag coded. */
  zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** A 64-bit integer as protobuf's varint (negative ones take ten bytes). */
  varint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.u8(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.u8(Number(rest));
  }

  bytes(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#buffer.set(value, at);
  }

  /** Length as varint, then the bytes. */
  lengthPrefixed(value: Uint8Array): void {
    this.varint(value.length);
    this.bytes(value);
  }

  /** A part of other bytes with its length before it; without a view of it, which costs more than short copies. */
  lengthPrefixedFrom(source: Uint8Array, from: number, to: number): void {
    const length = to - from;
    this.varint(length);
    const at = this.#room(length);
    const buffer = this.#buffer;
    if (length > 64) buffer.set(source.subarray(from, to), at);
    else for (let i = 0; i < length; i++) buffer[at + i] = source[from + i] ?? 0;
  }

  /** Hexadecimal digits in ASCII as `size` bytes, with zeros before them; false where one is none. */
  hexFrom(source: Uint8Array, from: number, to: number, size: number): boolean {
    let at = this.#room(size) + size;
    const start = at - size;
    const buffer = this.#buffer;
    let i = to - 1;
    for (; i > from; i -= 2) {
      const value = (digitOf(source[i - 1] ?? 0) << 4) | digitOf(source[i] ?? 0);
      if (value < 0) return false;
      buffer[--at] = value;
    }
    if (i === from) {
      const value = digitOf(source[i] ?? 0);
      if (value < 0) return false;
      buffer[--at] = value;
    }
    while (at > start) buffer[--at] = 0;
    return true;
  }

  /** UTF-8 without a length; gives back how many bytes. */
  utf8(value: string): number {
    const at = this.#length;
    // Short ASCII strings are the usual case, and a loop beats the call into C++ for them.
    if (value.length <= 24) {
      this.#room(value.length);
      const buffer = this.#buffer;
      let i = 0;
      for (; i < value.length; i++) {
        const code = value.charCodeAt(i);
        if (code > 0x7f) break;
        buffer[at + i] = code;
      }
      if (i === value.length) return i;
      this.#length = at;
    }
    this.#room(value.length * 3);
    const written = this.#buffer.write(value, at, 'utf8');
    this.#length = at + written;
    return written;
  }

  /** Length in bytes as varint, then UTF-8. */
  string(value: string): void {
    const lengthAt = this.#length;
    if (value.length < 42) {
      // At most 126 bytes, so the length takes one byte.
      this.u8(0);
      const written = this.utf8(value);
      this.#buffer[lengthAt] = written;
      return;
    }
    this.varint(Buffer.byteLength(value));
    this.utf8(value);
  }

  /** Room for a varint that is known later, below 2^28; gives its place for `setVarint`. */
  reserveVarint(): number {
    return this.#room(4);
  }

  /** Writes a varint of four bytes at a reserved place. */
  setVarint(at: number, value: number): void {
    const buffer = this.#buffer;
    buffer[at] = (value & 0x7f) | 0x80;
    buffer[at + 1] = ((value >> 7) & 0x7f) | 0x80;
    buffer[at + 2] = ((value >> 14) & 0x7f) | 0x80;
    buffer[at + 3] = (value >> 21) & 0x7f;
  }

  /** As `string`, for texts whose length in bytes would cost another pass; gives back how many bytes it takes. */
  longString(value: string): number {
    const at = this.reserveVarint();
    const written = this.utf8(value);
    this.setVarint(at, written);
    return written;
  }

  /** Hexadecimal digits as bytes. */
  hex(value: string): void {
    const at = this.#room(value.length >> 1);
    const buffer = this.#buffer;
    for (let i = 0, o = at; i + 1 < value.length; i += 2, o++)
      buffer[o] = (hexDigit(value.charCodeAt(i)) << 4) | hexDigit(value.charCodeAt(i + 1));
  }
}

function hexDigit(code: number): number {
  return code <= 57 ? code - 48 : (code | 32) - 87;
}

/** The value of a hexadecimal digit in ASCII; -1 for another character. */
function digitOf(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
