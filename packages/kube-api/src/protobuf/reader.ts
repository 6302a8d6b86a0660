/** The wire format of protocol buffers, read with every bound checked. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

const decoder = new TextDecoder('utf-8', { fatal: true });

export class ProtobufReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isDone(): boolean {
    return this.#at >= this.#end;
  }

  get isEmpty(): boolean {
    return this.#at === this.#end;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new ProtobufError('unexpected EOF');
    return this.#bytes[this.#at++] ?? 0;
  }

  /** Field number and wire type. */
  tag(): { readonly number: number; readonly wireType: number } {
    const value = this.varint();
    const number = Number(value >> 3n);
    if (number <= 0 || number > 0x1fffffff) throw new ProtobufError(`proto: illegal tag ${number}`);
    return { number, wireType: Number(value & 7n) };
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value & 0xffff_ffff_ffff_ffffn;
    }
    throw new ProtobufError('proto: integer overflow');
  }

  /** A signed int64 as a number; what is beyond exact integers is refused. */
  int(): number {
    const value = Number(BigInt.asIntN(64, this.varint()));
    if (!Number.isSafeInteger(value)) throw new ProtobufError('proto: integer beyond 2^53');
    return value;
  }

  /** The reader of one length-delimited part. */
  part(): ProtobufReader {
    const length = Number(this.varint());
    if (!Number.isSafeInteger(length) || length > this.#end - this.#at) throw new ProtobufError('unexpected EOF');
    const start = this.#at;
    this.#at += length;
    return new ProtobufReader(this.#bytes, start, start + length);
  }

  bytes(): Uint8Array {
    return this.part().rest();
  }

  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at, this.#end);
  }

  text(): string {
    try {
      return decoder.decode(this.bytes());
    } catch (error) {
      if (error instanceof ProtobufError) throw error;
      throw new ProtobufError('proto: string is not valid UTF-8', { cause: error });
    }
  }

  double(): number {
    if (this.#end - this.#at < 8) throw new ProtobufError('unexpected EOF');
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 8);
    this.#at += 8;
    return view.getFloat64(0, true);
  }

  skip(wireType: number): void {
    switch (wireType) {
      case 0:
        this.varint();
        return;
      case 1:
        this.#advance(8);
        return;
      case 2:
        this.part();
        return;
      case 5:
        this.#advance(4);
        return;
    }
    throw new ProtobufError(`proto: illegal wireType ${wireType}`);
  }

  #advance(count: number): void {
    if (this.#end - this.#at < count) throw new ProtobufError('unexpected EOF');
    this.#at += count;
  }
}
