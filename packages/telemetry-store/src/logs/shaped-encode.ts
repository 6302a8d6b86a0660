import { compress, type Lines } from './chunk-codec.ts';
import { type ShapedLines, shapeLines, WHOLE } from './line-shapes.ts';
import { addByte, type Column, type Shape, writeShapeIndex } from './shape-index.ts';
import { buildWordFilter } from './word-filter.ts';

/**
 * The text of a chunk by shapes: what lines have in common once, and the words in which they differ by columns, the
 * columns in parts by their kind. A search looks at the shapes first and reads only the parts that can matter.
 */
export interface ShapedText {
  readonly index: Uint8Array;
  /** The shape of each line, one byte or two; empty where there is one shape. */
  readonly order: Uint8Array;
  readonly parts: readonly Uint8Array[];
  /** What words are not in it. */
  readonly words: Uint8Array;
}

const NUMBERS = 0;
const IDENTIFIERS = 1;
const WORDS = 2;
const WHOLE_LINES = 3;
const PARTS = 4;
const IDENTIFIER_BYTES = 12;
const MAX_KEPT_BYTES = 512 * 1024;
/** Bytes of numbers: digits and what stands between them. */
const NUMERIC = new Uint8Array(256);
for (const char of '0123456789.,:+-TZ') NUMERIC[char.charCodeAt(0)] = 1;

/** A part while it is filled. */
class Part {
  bytes = Buffer.allocUnsafeSlow(4096);
  length = 0;

  /** Empties it; memory beyond what a usual chunk needs is given back. */
  reset(): void {
    this.length = 0;
    if (this.bytes.length > MAX_KEPT_BYTES) this.bytes = Buffer.allocUnsafeSlow(4096);
  }

  /** Makes room and gives its place. */
  take(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.length, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, at));
      this.bytes = larger;
    }
    return at;
  }
}

/** Used again for each chunk: most are of one size, and what is encoded is compressed at once. */
const parts = Array.from({ length: PARTS }, () => new Part());

export function encodeShaped(lines: Lines): ShapedText {
  const { text, ends, metadata } = lines;
  const shaped = shapeLines(text, ends);
  const rowsOf = linesByShape(shaped);
  for (const part of parts) part.reset();
  const shapes = shaped.examples.map((example, shape) => {
    const rows = rowsOf[shape] ?? new Uint32Array(0);
    return example === WHOLE ? wholeShape(text, ends, rows) : shapeOf(text, ends, shaped, example, rows);
  });
  const index = writeShapeIndex({
    lines: ends.length,
    textBytes: text.length,
    hasMetadata: metadata !== undefined,
    shapes,
    partSizes: parts.map(({ length }) => length),
  });
  return {
    index: compress(index),
    order: shapes.length < 2 ? new Uint8Array(0) : compress(orderBytes(shaped.shapeOf, shapes.length)),
    parts: parts.map(({ bytes, length }) =>
      length === 0 ? new Uint8Array(0) : compress(bytes.subarray(0, length), 1),
    ),
    words: buildWordFilter(text, ends, shaped),
  };
}

function orderBytes(shapeOf: Uint16Array, shapes: number): Uint8Array {
  if (shapes <= 256) return Uint8Array.from(shapeOf);
  const bytes = Buffer.allocUnsafe(shapeOf.length * 2);
  for (const [i, shape] of shapeOf.entries()) bytes.writeUInt16LE(shape, i * 2);
  return bytes;
}

function linesByShape({ shapeOf, examples }: ShapedLines): Uint32Array[] {
  const counts = new Uint32Array(examples.length);
  for (const shape of shapeOf) counts[shape] = (counts[shape] ?? 0) + 1;
  const rows = Array.from(counts, (count) => new Uint32Array(count));
  counts.fill(0);
  for (let line = 0; line < shapeOf.length; line++) {
    const shape = shapeOf[line] ?? 0;
    const own = rows[shape];
    const at = counts[shape] ?? 0;
    if (own) own[at] = line;
    counts[shape] = at + 1;
  }
  return rows;
}

function wholeShape(text: Uint8Array, ends: Uint32Array, rows: Uint32Array): Shape {
  const starts = Uint32Array.from(rows, (line) => (line === 0 ? 0 : (ends[line - 1] ?? 0)));
  const lengths = Uint32Array.from(rows, (line, row) => (ends[line] ?? 0) - (starts[row] ?? 0));
  const empty = new Uint8Array(0);
  return {
    rows: rows.length,
    texts: [empty, empty],
    columns: [writeColumn(text, starts, lengths, WHOLE_LINES)],
  };
}

function shapeOf(
  text: Uint8Array,
  ends: Uint32Array,
  { marks, firstMark }: ShapedLines,
  example: number,
  rows: Uint32Array,
): Shape {
  const first = firstMark[example] ?? 0;
  const words = ((firstMark[example + 1] ?? 0) - first) / 2;
  const texts: Uint8Array[] = [];
  const columns: Column[] = [];
  /** What is common since the last column. */
  let common: Uint8Array[] = [];
  let at = example === 0 ? 0 : (ends[example - 1] ?? 0);
  const starts = new Uint32Array(rows.length);
  const lengths = new Uint32Array(rows.length);
  for (let word = 0; word < words; word++) {
    const start = marks[first + word * 2] ?? 0;
    const end = marks[first + word * 2 + 1] ?? 0;
    common.push(text.subarray(at, start));
    at = end;
    for (let row = 0; row < rows.length; row++) {
      const mark = (firstMark[rows[row] ?? 0] ?? 0) + word * 2;
      starts[row] = marks[mark] ?? 0;
      lengths[row] = (marks[mark + 1] ?? 0) - (marks[mark] ?? 0);
    }
    const { prefix, suffix, isSame } = inCommon(text, starts, lengths);
    if (isSame) {
      common.push(text.subarray(start, end));
      continue;
    }
    common.push(text.subarray(start, start + prefix));
    for (let row = 0; row < rows.length; row++) {
      starts[row] = (starts[row] ?? 0) + prefix;
      lengths[row] = (lengths[row] ?? 0) - prefix - suffix;
    }
    texts.push(Buffer.concat(common));
    columns.push(writeColumn(text, starts, lengths));
    common = [text.subarray(end - suffix, end)];
  }
  common.push(text.subarray(at, ends[example]));
  texts.push(Buffer.concat(common));
  return { rows: rows.length, texts, columns };
}

/** How many bytes all words begin and end with. */
function inCommon(
  text: Uint8Array,
  starts: Uint32Array,
  lengths: Uint32Array,
): { prefix: number; suffix: number; isSame: boolean } {
  const first = starts[0] ?? 0;
  const length = lengths[0] ?? 0;
  let prefix = length;
  let suffix = length;
  let isSame = true;
  for (let row = 1; row < starts.length; row++) {
    const start = starts[row] ?? 0;
    const own = lengths[row] ?? 0;
    if (own !== length) isSame = false;
    if (prefix > own) prefix = own;
    let same = 0;
    while (same < prefix && text[first + same] === text[start + same]) same++;
    if (same < own) isSame = false;
    prefix = same;
    if (suffix > own) suffix = own;
    same = 0;
    while (same < suffix && text[first + length - 1 - same] === text[start + own - 1 - same]) same++;
    suffix = same;
    if (prefix === 0 && suffix === 0) return { prefix, suffix, isSame: false };
  }
  if (isSame) return { prefix, suffix, isSame };
  // Prefix and suffix may not share bytes of the shortest word.
  let shortest = length;
  for (const own of lengths) if (own < shortest) shortest = own;
  return { prefix, suffix: Math.min(suffix, shortest - prefix), isSame };
}

function writeColumn(text: Uint8Array, starts: Uint32Array, lengths: Uint32Array, fixedPart?: number): Column {
  const rows = starts.length;
  const seen = new Uint8Array(256);
  let shortest = lengths[0] ?? 0;
  let longest = shortest;
  let size = 0;
  for (let row = 0; row < rows; row++) {
    const start = starts[row] ?? 0;
    const length = lengths[row] ?? 0;
    if (length < shortest) shortest = length;
    if (length > longest) longest = length;
    size += length;
    for (let at = start; at < start + length; at++) seen[text[at] ?? 0] = 1;
  }
  const bytes = new Uint8Array(32);
  let isNumeric = true;
  let isHex = shortest === longest && shortest >= IDENTIFIER_BYTES && shortest % 2 === 0;
  for (let byte = 0; byte < 256; byte++) {
    if (seen[byte] !== 1) continue;
    addByte(bytes, byte);
    if (NUMERIC[byte] !== 1) isNumeric = false;
    if (!isHexDigit(byte)) isHex = false;
  }
  const number = fixedPart ?? (isNumeric ? NUMBERS : longest >= IDENTIFIER_BYTES ? IDENTIFIERS : WORDS);
  const part = parts[number];
  if (!part) throw new RangeError(`there is no part ${number}`);
  if (isHex) {
    const offset = part.take(size / 2);
    packHex(text, starts, shortest, part.bytes, offset);
    return { part: number, offset, lengthBytes: 0, width: shortest, size: size / 2, isHex, bytes };
  }
  const lengthBytes = shortest === longest ? 0 : longest < 256 ? 1 : longest < 65_536 ? 2 : 4;
  const offset = part.take(rows * lengthBytes + size);
  const out = part.bytes;
  let at = offset;
  for (let row = 0; row < rows && lengthBytes > 0; row++) {
    const length = lengths[row] ?? 0;
    out[at++] = length & 0xff;
    if (lengthBytes > 1) out[at++] = (length >>> 8) & 0xff;
    if (lengthBytes > 2) {
      out[at++] = (length >>> 16) & 0xff;
      out[at++] = length >>> 24;
    }
  }
  for (let row = 0; row < rows; row++) {
    const start = starts[row] ?? 0;
    const length = lengths[row] ?? 0;
    for (let i = 0; i < length; i++) out[at++] = text[start + i] ?? 0;
  }
  return { part: number, offset, lengthBytes, width: shortest, size, isHex, bytes };
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66);
}

function packHex(text: Uint8Array, starts: Uint32Array, width: number, out: Uint8Array, offset: number): void {
  let at = offset;
  for (let row = 0; row < starts.length; row++) {
    const start = starts[row] ?? 0;
    for (let i = start; i < start + width; i += 2) {
      const high = text[i] ?? 0;
      const low = text[i + 1] ?? 0;
      // The digits of ASCII end in their value, the letters in their value less nine.
      out[at++] = (((high & 15) + (high >> 6) * 9) << 4) | ((low & 15) + (low >> 6) * 9);
    }
  }
}
