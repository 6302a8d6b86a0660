/** Thrown where bytes end too early or make no sense; codecs turn it into their protocol's error. */
export class MalformedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedError';
  }
}

/** Reads what `ByteWriter` writes; every read is checked against the end. */
export class ByteReader {
  readonly buffer: Buffer;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  #take(bytes: number): number {
    const at = this.at;
    if (at + bytes > this.end) throw new MalformedError('the data ends in the middle of a field');
    this.at = at + bytes;
    return at;
  }

  u8(): number {
    return this.buffer[this.#take(1)] ?? 0;
  }

  u16(): number {
    return this.buffer.readUInt16LE(this.#take(2));
  }

  u32(): number {
    return this.buffer.readUInt32LE(this.#take(4));
  }

  f64(): number {
    return this.buffer.readDoubleLE(this.#take(8));
  }

  u64(): bigint {
    return this.buffer.readBigUInt64LE(this.#take(8));
  }

  i64(): bigint {
    return this.buffer.readBigInt64LE(this.#take(8));
  }

  /** An unsigned integer; beyond 2^53 it loses its low bits. */
  varint(): number {
    const buffer = this.buffer;
    let at = this.at;
    const end = this.end;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= end) throw new MalformedError('the data ends in the middle of a number');
      const byte = buffer[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.at = at;
        return value;
      }
    }
    let scale = 2 ** 28;
    for (let i = 0; i < 6; i++) {
      if (at >= end) throw new MalformedError('the data ends in the middle of a number');
      const byte = buffer[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.at = at;
        return value;
      }
      scale *= 128;
    }
    throw new MalformedError('a number has more than ten bytes');
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  varint64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new MalformedError('a number has more than ten bytes');
  }

  bytes(length: number): Buffer {
    const at = this.#take(length);
    return this.buffer.subarray(at, at + length);
  }

  lengthPrefixed(): Buffer {
    return this.bytes(this.varint());
  }

  string(): string {
    const length = this.varint();
    const at = this.#take(length);
    return this.buffer.toString('utf8', at, at + length);
  }

  skip(bytes: number): void {
    this.#take(bytes);
  }
}
