import { ByteReader, MalformedError } from './byte-reader.ts';

/** Wire types of protobuf (protobuf.dev, "Encoding"). */
export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

/**
 * Walks the fields of one protobuf message without building objects: `next()` moves to a field, the caller reads it by
 * its number or skips it. Small on purpose: the hot ingest paths read only what they need.
 */
export class ProtobufReader extends ByteReader {
  field = 0;
  wire = 0;

  /** Moves to the next field; false at the end. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wire = tag & 7;
    if (this.field === 0) throw new MalformedError('a protobuf field has the number 0');
    return true;
  }

  /** Fails unless the field has this wire type. */
  expect(wire: number): void {
    if (this.wire !== wire)
      throw new MalformedError(`protobuf field ${this.field} has the wrong wire type ${this.wire}`);
  }

  skipField(): void {
    switch (this.wire) {
      case WIRE_VARINT:
        this.varint();
        return;
      case WIRE_FIXED64:
        this.skip(8);
        return;
      case WIRE_BYTES:
        this.skip(this.varint());
        return;
      case WIRE_FIXED32:
        this.skip(4);
        return;
      default:
        throw new MalformedError(`protobuf field ${this.field} has the unknown wire type ${this.wire}`);
    }
  }

  /** A reader over the embedded message of the current field. */
  message(): ProtobufReader {
    this.expect(WIRE_BYTES);
    const length = this.varint();
    const at = this.at;
    this.skip(length);
    return new ProtobufReader(this.buffer, at, at + length);
  }

  text(): string {
    this.expect(WIRE_BYTES);
    return this.string();
  }

  blob(): Buffer {
    this.expect(WIRE_BYTES);
    return this.lengthPrefixed();
  }

  uint(): number {
    this.expect(WIRE_VARINT);
    return this.varint();
  }

  /** int64 as a number; negative values are right, beyond 2^53 the low bits go. */
  int(): number {
    this.expect(WIRE_VARINT);
    const start = this.at;
    const value = this.varint();
    if (this.at - start < 10) return value;
    this.at = start;
    return Number(this.varint64());
  }

  bigint(): bigint {
    this.expect(WIRE_VARINT);
    return this.varint64();
  }

  /** sint32 and sint64. */
  sint(): number {
    this.expect(WIRE_VARINT);
    return this.zigzag();
  }

  bool(): boolean {
    return this.uint() !== 0;
  }

  double(): number {
    this.expect(WIRE_FIXED64);
    return this.f64();
  }

  fixed64(): bigint {
    this.expect(WIRE_FIXED64);
    return this.u64();
  }

  sfixed64(): bigint {
    this.expect(WIRE_FIXED64);
    return this.i64();
  }

  fixed32(): number {
    this.expect(WIRE_FIXED32);
    return this.u32();
  }

  /** Repeated doubles, packed or one by one. */
  doubles(out: number[]): void {
    if (this.wire === WIRE_FIXED64) {
      out.push(this.f64());
      return;
    }
    const end = this.#packedEnd();
    while (this.at < end) out.push(this.f64());
  }

  fixed64s(out: number[]): void {
    if (this.wire === WIRE_FIXED64) {
      out.push(Number(this.u64()));
      return;
    }
    const end = this.#packedEnd();
    while (this.at < end) out.push(Number(this.u64()));
  }

  uints(out: number[]): void {
    if (this.wire === WIRE_VARINT) {
      out.push(this.varint());
      return;
    }
    const end = this.#packedEnd();
    while (this.at < end) out.push(this.varint());
  }

  sints(out: number[]): void {
    if (this.wire === WIRE_VARINT) {
      out.push(this.zigzag());
      return;
    }
    const end = this.#packedEnd();
    while (this.at < end) out.push(this.zigzag());
  }

  #packedEnd(): number {
    this.expect(WIRE_BYTES);
    const length = this.varint();
    const end = this.at + length;
    if (end > this.end) throw new MalformedError('the data ends in the middle of a packed field');
    return end;
  }
}
