import { GROUP_BYTES, groupHash } from './six-byte-groups.ts';

/**
 * Tells of the text of a chunk of an earlier version that a string is not in it, from a few kilobytes instead of the
 * text. Two parts: which groups of three bytes occur, for short words that are rare; and, of the groups of six bytes,
 * those that a hash picks (one in eight), for identifiers, whose short groups occur everywhere. A wrong "perhaps" costs
 * a scan, a "no" is sure.
 */
const SHORT_BITS = 1 << 15;
export const SHORT_BYTES = SHORT_BITS / 8;
export const SHORT_LENGTH = 3;

/** Of three bytes in the low 24 bits. */
export function shortHash(group: number): number {
  return Math.imul(group, 0x9e3779b1) >>> 17;
}

export function isPicked(hash: number): boolean {
  return (hash & 7) === 0;
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
    const hashes = groups.slice(GROUP_BYTES - SHORT_LENGTH).map((group, i) => groupHash(groups[i] ?? 0, group));
    this.#long = hashes.filter(isPicked).map((hash) => hash >>> 3);
  }

  /** False where the text that the filter was built from does not contain the string. */
  mayBeIn(filter: Uint8Array): boolean {
    const mask = (filter.length - SHORT_BYTES) * 8 - 1;
    const isSet = (from: number, bit: number): boolean => (((filter[from + (bit >>> 3)] ?? 0) >>> (bit & 7)) & 1) === 1;
    return this.#long.every((place) => isSet(SHORT_BYTES, place & mask)) && this.#short.every((bit) => isSet(0, bit));
  }
}
