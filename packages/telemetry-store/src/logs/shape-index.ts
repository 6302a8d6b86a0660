import { ByteReader, MalformedError } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';

/** The bytes that occur in the words of a column, 256 bits. */
export type ByteSet = Uint8Array;

/** One varying word of a shape, of all its lines: where its bytes are and what is known of them. */
export interface Column {
  readonly part: number;
  /** Where its lengths (`lengthBytes` each, none where all are the same), and behind them its words, begin in the part. */
  readonly offset: number;
  readonly lengthBytes: 0 | 1 | 2 | 4;
  readonly width: number;
  /** Bytes that its words take in the part. */
  readonly size: number;
  /** Words of hexadecimal digits, all of one even width, have two digits in a byte. */
  readonly isHex: boolean;
  readonly bytes: ByteSet;
}

/** Lines are `texts[0]`, the first column's word, `texts[1]`, and so on; one text more than columns. */
export interface Shape {
  readonly rows: number;
  readonly texts: readonly Uint8Array[];
  readonly columns: readonly Column[];
}

export interface ShapeIndex {
  readonly lines: number;
  readonly textBytes: number;
  readonly hasMetadata: boolean;
  readonly shapes: readonly Shape[];
  readonly partSizes: readonly number[];
}

const MAX_LINES = 1 << 24;
const MAX_SHAPES = 1 << 12;
const MAX_TEXT_BYTES = 2 ** 28;
const BYTE_SET_BYTES = 32;
const HEX = 0x10;

export function writeShapeIndex(index: ShapeIndex): Uint8Array {
  const out = new ByteWriter(4096);
  out.u8(index.hasMetadata ? 1 : 0);
  out.varint(index.lines);
  out.varint(index.textBytes);
  out.varint(index.partSizes.length);
  for (const size of index.partSizes) out.varint(size);
  out.varint(index.shapes.length);
  for (const { rows, texts, columns } of index.shapes) {
    out.varint(rows);
    out.varint(columns.length);
    for (const text of texts) out.lengthPrefixed(text);
    for (const column of columns) {
      out.u8(column.part);
      out.varint(column.offset);
      out.u8(column.lengthBytes | (column.isHex ? HEX : 0));
      out.varint(column.width);
      out.varint(column.size);
      out.bytes(column.bytes);
    }
  }
  return out.view();
}

/** Throws MalformedError where it makes no sense. */
export function readShapeIndex(bytes: Uint8Array): ShapeIndex {
  const reader = new ByteReader(bytes);
  const hasMetadata = reader.u8() === 1;
  const lines = reader.varint();
  const textBytes = reader.varint();
  const partSizes = Array.from({ length: bounded(reader.varint(), 16) }, () =>
    bounded(reader.varint(), MAX_TEXT_BYTES),
  );
  if (lines > MAX_LINES || textBytes > MAX_TEXT_BYTES) throw new MalformedError('a chunk of lines claims too much');
  const shapes = Array.from({ length: bounded(reader.varint(), MAX_SHAPES) }, (): Shape => {
    const rows = reader.varint();
    const count = bounded(reader.varint(), 256);
    const texts = Array.from({ length: count + 1 }, () => reader.lengthPrefixed());
    return { rows, texts, columns: Array.from({ length: count }, () => readColumn(reader, rows, partSizes)) };
  });
  if (shapes.reduce((sum, { rows }) => sum + rows, 0) !== lines)
    throw new MalformedError('the shapes of a chunk do not have all its lines');
  return { lines, textBytes, hasMetadata, shapes, partSizes };
}

function readColumn(reader: ByteReader, rows: number, partSizes: readonly number[]): Column {
  const part = reader.u8();
  const offset = reader.varint();
  const form = reader.u8();
  const isHex = (form & HEX) !== 0;
  const lengthBytes = form & ~HEX;
  const width = reader.varint();
  const size = reader.varint();
  const bytes = reader.bytes(BYTE_SET_BYTES);
  if (lengthBytes !== 0 && lengthBytes !== 1 && lengthBytes !== 2 && lengthBytes !== 4)
    throw new MalformedError('a column has an unknown form');
  const bytesEach = isHex ? width / 2 : width;
  if (isHex && (lengthBytes !== 0 || width % 2 !== 0)) throw new MalformedError('a column has an unknown form');
  if (offset + rows * lengthBytes + size > (partSizes[part] ?? 0) || (lengthBytes === 0 && bytesEach * rows !== size))
    throw new MalformedError('a column lies outside its part');
  return { part, offset, lengthBytes, width, size, isHex, bytes };
}

function bounded(value: number, most: number): number {
  if (value > most) throw new MalformedError('a chunk of lines claims too much');
  return value;
}

/** The length of each word of a column from its lengths; undefined where all are `width`. */
export function columnLengths(column: Column, rows: number, part: Uint8Array): Uint32Array | undefined {
  const { lengthBytes, offset, size } = column;
  if (lengthBytes === 0) return undefined;
  const lengths = new Uint32Array(rows);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const at = offset + row * lengthBytes;
    let length = part[at] ?? 0;
    if (lengthBytes > 1) length |= (part[at + 1] ?? 0) << 8;
    if (lengthBytes > 2) length += (part[at + 2] ?? 0) * 65_536 + (part[at + 3] ?? 0) * 16_777_216;
    lengths[row] = length;
    total += length;
  }
  if (total !== size) throw new MalformedError('the lengths of a column do not add up');
  return lengths;
}

export function addByte(set: ByteSet, byte: number): void {
  set[byte >>> 3] = (set[byte >>> 3] ?? 0) | (1 << (byte & 7));
}

export function bytesOf(set: ByteSet): number[] {
  const bytes: number[] = [];
  for (let byte = 0; byte < 256; byte++) if ((((set[byte >>> 3] ?? 0) >>> (byte & 7)) & 1) === 1) bytes.push(byte);
  return bytes;
}
