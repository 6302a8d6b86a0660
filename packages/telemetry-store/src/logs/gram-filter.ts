/**
 * Tells of a chunk's text that a string is not in it, from a few kilobytes instead of the text. Two parts: which
 * groups of three bytes occur, for short words that are rare; and, of the groups of six bytes, those that a hash picks
 * (one in eight), for identifiers, whose short groups occur everywhere. A wrong "perhaps" costs a scan, a "no" is sure.
 */
const SHORT_BITS = 1 << 15;
const SHORT_BYTES = SHORT_BITS / 8;
const SHORT_LENGTH = 3;
const LONG_LENGTH = 6;
/** Bytes of text for each byte of the second part. */
const TEXT_PER_BYTE = 40;
const MIN_LONG_BYTES = 64;

function longBytes(textLength: number): number {
  let bytes = MIN_LONG_BYTES;
  while (bytes * TEXT_PER_BYTE < textLength) bytes *= 2;
  return bytes;
}

/** Of three bytes in the low 24 bits. */
function shortHash(group: number): number {
  return Math.imul(group, 0x9e3779b1) >>> 17;
}

/** Of six bytes: the first three and the last three. */
function longHash(before: number, group: number): number {
  const mixed = Math.imul(before ^ Math.imul(group, 0x85ebca6b), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

function isPicked(hash: number): boolean {
  return (hash & 7) === 0;
}

/** Of the whole text; chunks of earlier versions have it. */
export function buildGramFilter(text: Uint8Array): Uint8Array {
  const filter = new Uint8Array(SHORT_BYTES + longBytes(text.length));
  const mask = (filter.length - SHORT_BYTES) * 8 - 1;
  const { length } = text;
  let group = 0;
  let before1 = 0;
  let before2 = 0;
  let before3 = 0;
  for (let i = 0; i < length; i++) {
    group = ((group << 8) | (text[i] ?? 0)) & 0xffffff;
    if (i >= SHORT_LENGTH - 1) {
      const bit = shortHash(group);
      filter[bit >>> 3] = (filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
      if (i >= LONG_LENGTH - 1) {
        const hash = longHash(before3, group);
        if ((hash & 7) === 0) {
          const place = (hash >>> 3) & mask;
          const at = SHORT_BYTES + (place >>> 3);
          filter[at] = (filter[at] ?? 0) | (1 << (place & 7));
        }
      }
    }
    before3 = before2;
    before2 = before1;
    before1 = group;
  }
  return filter;
}

/** A string to look for, hashed once for many chunks. */
export class WantedText {
  readonly #short: readonly number[];
  readonly #long: readonly number[];

  constructor(wanted: Uint8Array) {
    const groups: number[] = [];
    for (let i = 0; i + SHORT_LENGTH <= wanted.length; i++)
      groups.push(((wanted[i] ?? 0) << 16) | ((wanted[i + 1] ?? 0) << 8) | (wanted[i + 2] ?? 0));
    this.#short = [...new Set(groups.map(shortHash))];
    const hashes = groups.slice(LONG_LENGTH - SHORT_LENGTH).map((group, i) => longHash(groups[i] ?? 0, group));
    this.#long = hashes.filter(isPicked).map((hash) => hash >>> 3);
  }

  /** False where the text that the filter was built from does not contain the string. */
  mayBeIn(filter: Uint8Array): boolean {
    const mask = (filter.length - SHORT_BYTES) * 8 - 1;
    const isSet = (from: number, bit: number): boolean => (((filter[from + (bit >>> 3)] ?? 0) >>> (bit & 7)) & 1) === 1;
    return this.#long.every((place) => isSet(SHORT_BYTES, place & mask)) && this.#short.every((bit) => isSet(0, bit));
  }
}
