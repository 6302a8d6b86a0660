import { ByteReader, MalformedError } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { ProtobufReader } from '../bytes/protobuf.ts';
import { attributeText, readValue } from './attribute-codec.ts';

/** A tag is in the part that its hash says; a search reads one part of a block. */
export const PRINT_PARTS = 64;
const PRINT_BITS = 16;

/**
 * Which groups of a block have spans of an operation with a tag (`key=value`, the value as text), so that a search opens
 * only those: of each pair of operation and tag in a group 22 bits of its hash are kept, six of them as the number of
 * the part that it is in. One pair in a thousand groups is there in vain, with some ten pairs in each part of a group.
 */
export class TagPrintsBuilder {
  /** The prints of the group that is being added, once each. */
  readonly #seen = new Uint32Array((PRINT_PARTS << PRINT_BITS) / 32);
  #group: number[] = [];
  readonly #counts = Array.from({ length: PRINT_PARTS }, (): number[] => []);
  readonly #prints = Array.from({ length: PRINT_PARTS }, (): number[] => []);
  #operation = 0;

  /** What is added from now on are tags of spans of this operation. */
  beginSpan(operation: number): void {
    this.#operation = operation;
  }

  /** Adds a tag that is not written out in the span. */
  addTag(tag: number): void {
    this.#add(tagPrint(tag, this.#operation));
  }

  /** Adds the resource of the span, which stands for all its attributes. */
  addResource(resource: number): void {
    this.#add(resourcePrint(resource, this.#operation));
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
    this.addTag(combine(hashBytes(bytes, keyAt, valueAt, BASIS), hashBytes(bytes, lengthAt, end, BASIS)));
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
    this.addTag(combine(key, value ?? NO_VALUE));
  }

  #add(print: number): void {
    const word = print >>> 5;
    const bit = 1 << (print & 31);
    const before = this.#seen[word] ?? 0;
    if ((before & bit) !== 0) return;
    this.#seen[word] = before | bit;
    this.#group.push(print);
  }

  /** What was added since the last call were the tags of one group. */
  endGroup(): void {
    for (const counts of this.#counts) counts.push(0);
    const group = (this.#counts[0]?.length ?? 0) - 1;
    for (const print of this.#group) {
      this.#seen[print >>> 5] = 0;
      const part = print >>> PRINT_BITS;
      this.#prints[part]?.push(print & 0xffff);
      const counts = this.#counts[part];
      if (counts) counts[group] = (counts[group] ?? 0) + 1;
    }
    this.#group = [];
  }

  /** The parts in order: of each the number of prints in each group, then the prints. */
  build(): Buffer[] {
    return this.#prints.map((prints, part) => {
      const out = new ByteWriter(prints.length * 2 + (this.#counts[part]?.length ?? 0) * 2 + 16);
      out.varint(this.#counts[part]?.length ?? 0);
      for (const count of this.#counts[part] ?? []) out.varint(count);
      for (const print of prints) out.u16(print);
      return out.copy();
    });
  }
}

/** The hash of a tag. */
export function hashTag(key: string, value: string): number {
  const keyBytes = Buffer.from(key);
  const valueBytes = Buffer.from(value);
  return combine(hashBytes(keyBytes, 0, keyBytes.length, BASIS), hashBytes(valueBytes, 0, valueBytes.length, BASIS));
}

/** The part is told by the tag alone, so that a search for a tag of many operations reads one. */
function tagPrint(tag: number, operation: number): number {
  return ((tag >>> 26) << PRINT_BITS) | (mix(tag ^ Math.imul(operation + 1, 0x9e3779b1)) & 0xffff);
}

/** Resources are all in the first part: a search may be for a tag that many of them have. */
function resourcePrint(resource: number, operation: number): number {
  return mix(Math.imul(resource + 1, 0x85ebca6b) ^ Math.imul(operation + 1, 0x9e3779b1)) & 0xffff;
}

/** Prints that are looked for in many blocks, all in one part. */
export class WantedPrints {
  readonly part: number;
  readonly #isWanted = new Uint8Array(1 << PRINT_BITS);

  private constructor(part: number) {
    this.part = part;
  }

  /** Of a tag in spans of certain operations. */
  static ofTag(tag: number, operations: readonly number[]): WantedPrints {
    const wanted = new WantedPrints(tag >>> 26);
    for (const operation of operations) wanted.#isWanted[tagPrint(tag, operation) & 0xffff] = 1;
    return wanted;
  }

  /** Of spans of certain operations and resources. */
  static ofResources(resources: Iterable<number>, operations: readonly number[]): WantedPrints {
    const wanted = new WantedPrints(0);
    for (const resource of resources)
      for (const operation of operations) wanted.#isWanted[resourcePrint(resource, operation)] = 1;
    return wanted;
  }

  /** Marks the groups that may have one of them; `bytes` is the block's part. Throws a MalformedError. */
  mark(bytes: Uint8Array, groups: Uint8Array): void {
    const reader = new ByteReader(bytes);
    const count = reader.varint();
    if (count > bytes.length) throw new MalformedError('the prints of tags claim too many groups');
    const ends = new Uint32Array(count);
    let prints = 0;
    for (let group = 0; group < count; group++) {
      prints += reader.varint();
      ends[group] = prints;
    }
    const from = reader.at;
    if (from + prints * 2 !== bytes.length) throw new MalformedError('the prints of tags do not fill their part');
    const isWanted = this.#isWanted;
    let at = from;
    for (let group = 0; group < count; group++) {
      let isThere = 0;
      for (const end = from + (ends[group] ?? 0) * 2; at < end; at += 2)
        isThere |= isWanted[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0;
      if (isThere === 1) groups[group] = 1;
    }
  }
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
