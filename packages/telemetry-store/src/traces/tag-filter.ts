import { ProtobufReader } from '../bytes/protobuf.ts';
import { attributeText, readValue } from './attribute-codec.ts';

/** A tag is in the part that its hash says; a search reads one part of a block. */
export const FILTER_PARTS = 64;
/** 64 KiB in all: with 40,000 different tags one in four hundred questions is answered "perhaps" wrongly. */
const PART_BYTES = 1024;
const PROBES = 5;
const SMALLEST_BYTES = 8;
/** Share of bits that may be set before folding a part in half would make it answer "perhaps" too often. */
const FOLD_FILL = 0.2;

/**
 * The tags (`key=value`, values as text) of a block, so that a search passes over blocks without the wanted one: a
 * Bloom filter in parts.
 */
export class TagFilterBuilder {
  readonly #bits = new Uint8Array(FILTER_PARTS * PART_BYTES);

  /** Adds the attributes of a Resource message. */
  addResource(bytes: Buffer): void {
    const reader = new ProtobufReader(bytes);
    while (reader.next()) {
      if (reader.field === 1) this.addAttribute(reader.message());
      else reader.skipField();
    }
  }

  /** Adds the attributes of a span's event. */
  addEvent(event: ProtobufReader): void {
    while (event.next()) {
      if (event.field === 3) this.addAttribute(event.message());
      else event.skipField();
    }
  }

  /** Adds the KeyValue at this place. */
  addAttributeAt(bytes: Buffer, at: number, end: number): void {
    if (!this.#addShortText(bytes, at, end)) this.addAttribute(new ProtobufReader(bytes, at, end));
  }

  /** The usual attribute, a key and then a text, both short, without readers of its parts; false where it is another. */
  #addShortText(bytes: Buffer, at: number, end: number): boolean {
    const keyLength = bytes[at + 1] ?? 255;
    const keyAt = at + 2;
    const valueAt = keyAt + keyLength;
    if (keyLength > 127 || bytes[at] !== 0x0a || bytes[valueAt] !== 0x12) return false;
    // Lengths may be written in more bytes than they need; ours are.
    let textAt = valueAt + 1;
    while ((bytes[textAt] ?? 0) > 127) textAt++;
    textAt++;
    if (bytes[textAt] !== 0x0a) return false;
    let lengthAt = textAt + 1;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[lengthAt++] ?? 0;
      length |= (byte & 127) << shift;
      if (byte < 128) break;
      if (shift > 14) return false;
    }
    if (lengthAt + length !== end) return false;
    this.#add(combine(hashBytes(bytes, keyAt, valueAt, BASIS), hashBytes(bytes, lengthAt, end, BASIS)));
    return true;
  }

  /** Adds one KeyValue; reads to its end. */
  addAttribute(message: ProtobufReader): void {
    let key = hashBytes(message.buffer, 0, 0, BASIS);
    let value: number | undefined;
    while (message.next()) {
      if (message.field === 1) {
        message.expect(2);
        const length = message.varint();
        const at = message.at;
        message.skip(length);
        key = hashBytes(message.buffer, at, at + length, BASIS);
      } else if (message.field === 2) value = hashValue(message.message());
      else message.skipField();
    }
    this.#add(combine(key, value ?? NO_VALUE));
  }

  #add(hash: number): void {
    const bits = this.#bits;
    const base = (hash >>> 26) * PART_BYTES * 8;
    const first = mix(hash);
    const step = mix(hash ^ 0x5bd1e995) | 1;
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = base + ((first + Math.imul(probe, step)) & (PART_BYTES * 8 - 1));
      bits[bit >> 3] = (bits[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }

  /** The parts in order, each folded in half for as long as few of its bits are set. */
  build(): Buffer[] {
    return Array.from({ length: FILTER_PARTS }, (_, part) => {
      let bits = Buffer.from(this.#bits.subarray(part * PART_BYTES, (part + 1) * PART_BYTES));
      while (bits.length > SMALLEST_BYTES && fill(bits) < FOLD_FILL) {
        const half = bits.length / 2;
        for (let i = 0; i < half; i++) bits[i] = (bits[i] ?? 0) | (bits[half + i] ?? 0);
        bits = Buffer.from(bits.subarray(0, half));
      }
      return bits;
    });
  }
}

/** A tag as a filter knows it. */
export interface TagHash {
  readonly part: number;
  readonly hash: number;
}

export function hashTag(key: string, value: string): TagHash {
  const keyBytes = Buffer.from(key);
  const valueBytes = Buffer.from(value);
  const hash = combine(
    hashBytes(keyBytes, 0, keyBytes.length, BASIS),
    hashBytes(valueBytes, 0, valueBytes.length, BASIS),
  );
  return { part: hash >>> 26, hash };
}

/** False where the block, of whose filter this is the tag's part, has no such tag for sure. */
export function mayHaveTag(part: Uint8Array, { hash }: TagHash): boolean {
  const mask = part.length * 8 - 1;
  const first = mix(hash);
  const step = mix(hash ^ 0x5bd1e995) | 1;
  for (let probe = 0; probe < PROBES; probe++) {
    const bit = (first + Math.imul(probe, step)) & mask;
    if (((part[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

const BASIS = 0x2f6b_a1c3 | 0;
/** An attribute without a value reads as an empty text. */
const NO_VALUE = hashBytes(new Uint8Array(0), 0, 0, BASIS);

/** Of an AnyValue's text; strings, the usual case, without making one. */
function hashValue(value: ProtobufReader): number {
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
function hashBytes(bytes: Uint8Array, from: number, to: number, seed: number): number {
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

function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function combine(key: number, value: number): number {
  return mix(Math.imul(key, 31) ^ value);
}

/** The share of bits that are set. */
function fill(bits: Uint8Array): number {
  let set = 0;
  for (const byte of bits) for (let rest = byte; rest !== 0; rest &= rest - 1) set++;
  return set / (bits.length * 8);
}
