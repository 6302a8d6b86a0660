import type { ProtobufReader } from '../bytes/protobuf.ts';
import { attributeText, readValue } from './attribute-codec.ts';

/** The hash of a tag. */
export function hashTag(key: string, value: string): number {
  const keyBytes = Buffer.from(key);
  const valueBytes = Buffer.from(value);
  return combine(hashBytes(keyBytes, 0, keyBytes.length, BASIS), hashBytes(valueBytes, 0, valueBytes.length, BASIS));
}

/** What a hash of bytes begins with. */
export const BASIS = 0x2f6b_a1c3 | 0;
/** An attribute without a value reads as an empty text. */
export const NO_VALUE = hashBytes(new Uint8Array(0), 0, 0, BASIS);

/** Of an AnyValue's text; strings, the usual case, without making one. */
export function hashValue(value: ProtobufReader): number {
  const at = value.at;
  if (value.next() && value.field === 1 && value.wire === 2) {
    const length = value.varint();
    const from = value.at;
    value.skip(length);
    if (value.done) return hashBytes(value.buffer, from, from + length, BASIS);
  }
  value.at = at;
  const text = Buffer.from(attributeText(readValue(value)));
  return hashBytes(text, 0, text.length, BASIS);
}

/** MurmurHash3's 32-bit variant (Austin Appleby, public domain). */
export function hashBytes(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let hash = seed;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const word =
      (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
    hash ^= scramble(word);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let word = 0;
  for (let i = to - 1; i >= at; i--) word = (word << 8) | (bytes[i] ?? 0);
  return mix(hash ^ scramble(word) ^ (to - from));
}

function scramble(word: number): number {
  const product = Math.imul(word, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

/** Spreads a number over all 32 bits. */
export function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** The hash of a tag from those of its key and its value. */
export function combine(key: number, value: number): number {
  return mix(Math.imul(key, 31) ^ value);
}
