import type { ByteAutomaton } from '@kind-e2e/telemetry';
import { MalformedError } from '../bytes/byte-reader.ts';
import { type Column, columnLengths, readShapeIndex, type ShapeIndex } from './shape-index.ts';
import { type ShapeMatches, ShapeWalk } from './shape-walk.ts';

/** Where the bytes of a chunk's text come from, decompressed; each is asked for when it is first needed. */
export interface ShapedSource {
  index(): Uint8Array;
  order(): Uint8Array;
  part(number: number, size: number): Uint8Array;
  /** False where the text surely has nothing that the automaton accepts; asked before parts are read. */
  mayAccept?(automaton: ByteAutomaton): boolean;
}

const HEX_DIGITS = Buffer.from('0123456789abcdef');

/** A chunk's lines as `encodeShaped` has written them. */
export class ShapedLines {
  readonly #source: ShapedSource;
  readonly index: ShapeIndex;
  readonly #parts = new Map<number, Uint8Array>();
  #order: Uint16Array | undefined;
  #ranks: Uint32Array | undefined;
  readonly #starts = new Map<Column, Uint32Array>();

  constructor(source: ShapedSource) {
    this.#source = source;
    this.index = readShapeIndex(source.index());
  }

  #part(number: number): Uint8Array {
    let part = this.#parts.get(number);
    if (part === undefined) {
      const size = this.index.partSizes[number] ?? 0;
      part = this.#source.part(number, size);
      if (part.length !== size) throw new MalformedError('a part of a chunk has the wrong size');
      this.#parts.set(number, part);
    }
    return part;
  }

  /** The shape of each line. */
  get order(): Uint16Array {
    if (this.#order !== undefined) return this.#order;
    const { lines, shapes } = this.index;
    const order = new Uint16Array(lines);
    if (shapes.length > 1) {
      const bytes = this.#source.order();
      if (bytes.length !== (shapes.length <= 256 ? lines : lines * 2))
        throw new MalformedError('the order of a chunk has the wrong size');
      if (shapes.length <= 256) order.set(bytes);
      else for (let i = 0; i < lines; i++) order[i] = (bytes[i * 2] ?? 0) | ((bytes[i * 2 + 1] ?? 0) << 8);
      const counts = new Uint32Array(65_536);
      for (const shape of order) counts[shape] = (counts[shape] ?? 0) + 1;
      if (shapes.some(({ rows }, shape) => rows !== counts[shape]))
        throw new MalformedError('the order of a chunk does not fit its shapes');
    }
    this.#order = order;
    return order;
  }

  /** Which lines the automaton accepts, by shape. */
  search(automaton: ByteAutomaton): readonly ShapeMatches[] {
    const { shapes } = this.index;
    const found: ShapeMatches[] = [];
    let asked = false;
    for (const shape of shapes) {
      const walk = new ShapeWalk(automaton, shape);
      if (walk.withoutColumns() && !asked) {
        asked = true;
        if (this.#source.mayAccept?.(automaton) === false) return shapes.map(() => false);
      }
      found.push(walk.finish((column) => this.#part(column.part)));
    }
    return found;
  }

  /** 1 for each line that is accepted. */
  marks(matches: readonly ShapeMatches[]): Uint8Array {
    const { order } = this;
    const marks = new Uint8Array(order.length);
    const seen = new Uint32Array(matches.length);
    for (let line = 0; line < order.length; line++) {
      const shape = order[line] ?? 0;
      const own = matches[shape];
      const row = seen[shape] ?? 0;
      seen[shape] = row + 1;
      if (own === true || (own !== false && own?.[row] === 1)) marks[line] = 1;
    }
    return marks;
  }

  countOf(matches: readonly ShapeMatches[]): number {
    return matches.reduce<number>((sum, own, shape) => {
      if (own === false) return sum;
      if (own === true) return sum + (this.index.shapes[shape]?.rows ?? 0);
      return sum + own.reduce((count, mark) => count + mark, 0);
    }, 0);
  }

  /** Where the words of a column begin in its part, with the end of the last. */
  #startsOf(column: Column, rows: number): Uint32Array {
    let starts = this.#starts.get(column);
    if (starts === undefined) {
      const lengths = columnLengths(column, rows, this.#part(column.part));
      starts = new Uint32Array(rows + 1);
      const bytesEach = column.isHex ? column.width / 2 : column.width;
      let at = column.offset + rows * column.lengthBytes;
      for (let row = 0; row < rows; row++) {
        starts[row] = at;
        at += lengths?.[row] ?? bytesEach;
      }
      starts[rows] = at;
      this.#starts.set(column, starts);
    }
    return starts;
  }

  /** The text of some lines, one after the other, and where each ends; of all where no marks are given. */
  text(wanted?: Uint8Array): { readonly text: Uint8Array; readonly ends: Uint32Array } {
    const { order } = this;
    const ranks = this.#rankOf();
    let count = order.length;
    if (wanted) for (let line = 0; line < order.length; line++) if (wanted[line] !== 1) count--;
    const ends = new Uint32Array(count);
    const sources = this.index.shapes.map(({ texts, columns, rows }) => ({
      texts,
      columns: columns.map((column) => ({
        bytes: this.#part(column.part),
        starts: this.#startsOf(column, rows),
        isHex: column.isHex,
      })),
    }));
    let size = 0;
    let next = 0;
    for (let line = 0; line < order.length; line++) {
      if (wanted && wanted[line] !== 1) continue;
      const source = sources[order[line] ?? 0];
      const row = ranks[line] ?? 0;
      for (const text of source?.texts ?? []) size += text.length;
      for (const { starts, isHex } of source?.columns ?? [])
        size += ((starts[row + 1] ?? 0) - (starts[row] ?? 0)) * (isHex ? 2 : 1);
      ends[next++] = size;
    }
    const out = Buffer.allocUnsafeSlow(size);
    let at = 0;
    for (let line = 0; line < order.length; line++) {
      if (wanted && wanted[line] !== 1) continue;
      const source = sources[order[line] ?? 0];
      if (!source) continue;
      const row = ranks[line] ?? 0;
      for (let i = 0; i < source.texts.length; i++) {
        const text = source.texts[i] ?? out;
        for (let j = 0; j < text.length; j++) out[at++] = text[j] ?? 0;
        const column = source.columns[i];
        if (!column) continue;
        const { bytes, starts, isHex } = column;
        const end = starts[row + 1] ?? 0;
        if (isHex)
          for (let j = starts[row] ?? 0; j < end; j++) {
            const byte = bytes[j] ?? 0;
            out[at++] = HEX_DIGITS[byte >>> 4] ?? 0;
            out[at++] = HEX_DIGITS[byte & 15] ?? 0;
          }
        else for (let j = starts[row] ?? 0; j < end; j++) out[at++] = bytes[j] ?? 0;
      }
    }
    return { text: out, ends };
  }

  /** Which of its shape's lines each line is. */
  #rankOf(): Uint32Array {
    if (this.#ranks !== undefined) return this.#ranks;
    const { order } = this;
    const ranks = new Uint32Array(order.length);
    const seen = new Uint32Array(this.index.shapes.length);
    for (let line = 0; line < order.length; line++) {
      const shape = order[line] ?? 0;
      const row = seen[shape] ?? 0;
      ranks[line] = row;
      seen[shape] = row + 1;
    }
    this.#ranks = ranks;
    return ranks;
  }
}
