import { isAscii } from 'node:buffer';
import type { LogChunk } from '@kind-e2e/telemetry';
import type { CompiledLineFilter } from './line-filter.ts';

/** The first index of a sorted array whose value is greater than the given one. */
function upperBound(values: Uint32Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The same for a value behind `from`, which is most likely near it. */
function upperBoundFrom(values: Uint32Array, value: number, from: number): number {
  let step = 1;
  let low = from;
  while (low < values.length && (values[low] ?? 0) <= value) {
    if (low + step < values.length && (values[low + step] ?? 0) <= value) {
      low += step;
      step *= 2;
    } else if (step > 1) step = Math.max(1, step >>> 2);
    else low += 1;
  }
  return low;
}

/** Hits in a chunk after which it is decoded piece by piece rather than line by line. */
const DENSE_HITS = 8;
/** Small enough to die young, and for what a label keeps of it. */
const PIECE_BYTES = 32 * 1024;

/** Gives lines of one chunk as strings; where most are asked for, they are decoded many at a time. */
export class ChunkText {
  readonly buffer: Buffer;
  readonly #ends: Uint32Array;
  #isDense = false;
  #isAscii = false;
  /** Some lines as one string, of which each character is a byte. */
  #piece = '';
  #pieceStart = 0;
  #pieceEnd = 0;

  constructor(chunk: LogChunk) {
    const { text } = chunk;
    this.buffer = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
    this.#ends = chunk.ends;
  }

  start(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? 0);
  }

  end(index: number): number {
    return this.#ends[index] ?? 0;
  }

  byteLength(index: number): number {
    return this.end(index) - this.start(index);
  }

  line(index: number): string {
    const start = this.start(index);
    const end = this.end(index);
    if (!this.#isAscii || end - start > PIECE_BYTES) return this.buffer.toString('utf8', start, end);
    if (start < this.#pieceStart || end > this.#pieceEnd) this.#decodeAround(start, end);
    return this.#piece.slice(start - this.#pieceStart, end - this.#pieceStart);
  }

  /** Lines are asked for in rising or falling order: the piece goes on from the one before. */
  #decodeAround(start: number, end: number): void {
    const isFalling = this.#pieceEnd > 0 && end <= this.#pieceStart;
    this.#pieceStart = isFalling ? Math.max(0, end - PIECE_BYTES) : start;
    this.#pieceEnd = isFalling ? end : Math.min(this.buffer.length, start + PIECE_BYTES);
    this.#piece = this.buffer.toString('latin1', this.#pieceStart, this.#pieceEnd);
  }

  /** Says that most lines will be asked for: where bytes are characters, many can be decoded at once. */
  decodeMany(): void {
    if (this.#isDense) return;
    this.#isDense = true;
    this.#isAscii = isAscii(this.buffer);
  }
}

/**
 * Calls for the lines from `from` to before `to` that pass all filters, in rising or falling order, until it returns
 * false. The first filter that is a literal, or needs one, is searched for in the bytes of the whole chunk.
 */
export function scanChunk(
  chunk: LogChunk,
  text: ChunkText,
  filters: readonly CompiledLineFilter[],
  backward: boolean,
  found: (index: number) => boolean,
): void {
  const count = chunk.ends.length;
  // The longest text is, most likely, the rarest.
  const leading = filters.reduce<CompiledLineFilter | undefined>(
    (best, filter) => ((filter.requires?.length ?? 0) > (best?.requires?.length ?? 0) ? filter : best),
    undefined,
  );
  if (leading?.requires !== undefined) {
    scanForLiteral(chunk, text, filters, leading, leading.requires, backward, found);
    return;
  }
  const excluded = excludedLines(chunk, text, filters);
  const rest = filters.filter((filter) => !isExcluding(filter));
  if (rest.length > 0) text.decodeMany();
  for (let i = 0; i < count; i++) {
    const index = backward ? count - 1 - i : i;
    if (excluded?.[index] === 1) continue;
    if (rest.length > 0) {
      const line = text.line(index);
      if (!rest.every((filter) => filter.test(line))) continue;
    }
    if (!found(index)) return;
  }
}

function isExcluding(filter: CompiledLineFilter): boolean {
  return filter.literals?.negative === true && filter.literals.texts.every((literal) => literal !== '');
}

/** Marks the lines that hold a literal of a negative filter. */
function excludedLines(
  chunk: LogChunk,
  text: ChunkText,
  filters: readonly CompiledLineFilter[],
): Uint8Array | undefined {
  let marks: Uint8Array | undefined;
  for (const filter of filters) {
    if (!isExcluding(filter)) continue;
    marks ??= new Uint8Array(chunk.ends.length);
    for (const literal of filter.literals?.texts ?? []) {
      const needle = Buffer.from(literal);
      let at = 0;
      for (;;) {
        at = text.buffer.indexOf(needle, at);
        if (at < 0) break;
        const index = upperBound(chunk.ends, at);
        if (at + needle.length <= text.end(index)) {
          marks[index] = 1;
          at = text.end(index);
        } else at += 1;
      }
    }
  }
  return marks;
}

function scanForLiteral(
  chunk: LogChunk,
  text: ChunkText,
  filters: readonly CompiledLineFilter[],
  leading: CompiledLineFilter,
  literal: string,
  backward: boolean,
  found: (index: number) => boolean,
): void {
  const needle = Buffer.from(literal);
  const rest = filters.filter((filter) => filter !== leading || filter.literals === undefined);
  const { buffer } = text;
  let at = backward ? buffer.length : 0;
  let index = 0;
  let hits = 0;
  for (;;) {
    if (backward && at <= 0) return;
    at = backward ? buffer.lastIndexOf(needle, at - needle.length) : buffer.indexOf(needle, at);
    if (at < 0) return;
    index = backward ? upperBound(chunk.ends, at) : upperBoundFrom(chunk.ends, at, index);
    if (at + needle.length > text.end(index)) {
      // The match runs over the end of a line into the next one.
      at += backward ? needle.length - 1 : 1;
      continue;
    }
    if (rest.length === 0) {
      if (!found(index)) return;
    } else {
      if (++hits === DENSE_HITS) text.decodeMany();
      const line = text.line(index);
      if (rest.every((filter) => filter.test(line)) && !found(index)) return;
    }
    at = backward ? text.start(index) : text.end(index);
    if (!backward && at >= buffer.length) return;
  }
}
