import { isWordByte, type ShapedLines, WHOLE } from './line-shapes.ts';
import { filterBytes, GROUP_BYTES, groupHash, MIN_FILTER_BYTES } from './six-byte-groups.ts';

function isPicked(hash: number): boolean {
  return (hash & 3) === 0;
}

/** The places of one word's groups that count, set in a filter or added to a list. */
function markGroups(text: Uint8Array, start: number, end: number, filter: Uint8Array, list?: number[]): void {
  if (end - start < GROUP_BYTES) return;
  const mask = filter.length * 8 - 1;
  let before1 = 0;
  let before2 = 0;
  let before3 = 0;
  let group = ((text[start] ?? 0) << 8) | (text[start + 1] ?? 0);
  for (let at = start + 2; at < end; at++) {
    before3 = before2;
    before2 = before1;
    before1 = group;
    group = ((group << 8) | (text[at] ?? 0)) & 0xffffff;
    if (at - start < GROUP_BYTES - 1) continue;
    const hash = groupHash(before3, group);
    if (!isPicked(hash)) continue;
    if (list) list.push(hash >>> 3);
    const bit = (hash >>> 3) & mask;
    filter[bit >>> 3] = (filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
  }
}

/** Calls for each word of a stretch of text. */
function eachWord(text: Uint8Array, start: number, end: number, call: (start: number, end: number) => void): void {
  let wordStart = start;
  for (let at = start; at <= end; at++) {
    if (at < end && isWordByte(text[at] ?? 0)) continue;
    if (at > wordStart) call(wordStart, at);
    wordStart = at + 1;
  }
}

/**
 * Tells of a chunk that a word is not in it, from a few kilobytes instead of its columns. Of all groups of six bytes
 * that lie within one word (a trace id, say) it has those that a hash picks, one in four. A wrong "perhaps" costs a
 * search, a "no" is sure.
 */
export function buildWordFilter(text: Uint8Array, ends: Uint32Array, shaped: ShapedLines): Uint8Array {
  const filter = new Uint8Array(filterBytes(text.length));
  const { shapeOf, examples, marks, firstMark } = shaped;
  for (let line = 0; line < ends.length; line++) {
    // What does not vary is taken from one line of each shape.
    const example = examples[shapeOf[line] ?? 0];
    if (example === line || example === WHOLE)
      eachWord(text, line === 0 ? 0 : (ends[line - 1] ?? 0), ends[line] ?? 0, (start, end) =>
        markGroups(text, start, end, filter),
      );
    else
      for (let mark = firstMark[line] ?? 0; mark < (firstMark[line + 1] ?? 0); mark += 2)
        markGroups(text, marks[mark] ?? 0, marks[mark + 1] ?? 0, filter);
  }
  return filter;
}

/** A string to look for, hashed once for many chunks. */
export class WantedWords {
  readonly #places: number[] = [];

  constructor(wanted: Uint8Array) {
    const unused = new Uint8Array(MIN_FILTER_BYTES);
    eachWord(wanted, 0, wanted.length, (start, end) => markGroups(wanted, start, end, unused, this.#places));
  }

  /** False where no line of the chunk contains the string. */
  mayBeIn(filter: Uint8Array): boolean {
    const mask = filter.length * 8 - 1;
    return this.#places.every((place) => {
      const bit = place & mask;
      return (((filter[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) === 1;
    });
  }
}
