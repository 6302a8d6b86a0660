import { ByteWriter } from '../bytes/byte-writer.ts';
import { ProtobufReader } from '../bytes/protobuf.ts';
import { BASIS, combine, hashBytes, hashValue, mix, NO_VALUE } from './tag-hash.ts';

/** A tag is in the part that its hash says; a search reads one part of a block. */
export const PRINT_PARTS = 64;
const PRINT_BITS = 16;
/** Stands for many spans of a group; each of a few is told by its number's remainder. */
export const MANY_ROWS = 255;
/** Spans of a pair of operation and tag in a group that are told one by one. */
const FEW_ROWS = 4;
/** Above 2^10 nanoseconds each doubling has this many classes of durations. */
const CLASSES_A_DOUBLING = 6;
const LAST_CLASS = 255;

/**
 * Which spans of a block have a tag (`key=value`, the value as text), so that a search opens only groups with a span that
 * has all of the wanted ones and may last long enough: of each pair of operation and tag in a group 22 bits of its hash
 * are kept, six of them as the number of the part that it is in, which of the group's spans they are as long as they are
 * few, and how long the longest takes. One pair in a thousand groups is there in vain, with some ten pairs in each part of a group.
 */
export class TagPrintsBuilder {
  readonly #group = new GroupPrints();
  readonly #counts = Array.from({ length: PRINT_PARTS }, (): number[] => []);
  readonly #prints = Array.from({ length: PRINT_PARTS }, (): number[] => []);
  #operation = 0;
  #row = 0;
  #duration = 0;

  /** What is added from now on are tags of this span: its operation, its place in the group, how long it took. */
  beginSpan(operation: number, row: number, durationNs: number): void {
    this.#operation = operation;
    this.#row = row % MANY_ROWS;
    this.#duration = durationClass(durationNs);
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
    this.#group.add(print, this.#row, this.#duration);
  }

  /** What was added since the last call were the tags of one group. */
  endGroup(): void {
    for (const counts of this.#counts) counts.push(0);
    const group = (this.#counts[0]?.length ?? 0) - 1;
    this.#group.take((print, row, duration) => {
      const part = print >>> PRINT_BITS;
      this.#prints[part]?.push(((print & 0xffff) | (row << 16) | (duration << 24)) >>> 0);
      const counts = this.#counts[part];
      if (counts) counts[group] = (counts[group] ?? 0) + 1;
    });
  }

  /** The parts in order: of each the number of prints in each group, then the prints, four bytes each. */
  build(): Buffer[] {
    return this.#prints.map((prints, part) => {
      const out = new ByteWriter(prints.length * 4 + (this.#counts[part]?.length ?? 0) * 2 + 16);
      out.varint(this.#counts[part]?.length ?? 0);
      for (const count of this.#counts[part] ?? []) out.varint(count);
      for (const print of prints) out.u32(print);
      return out.copy();
    });
  }
}

/** The prints of one group: a table with open addressing. */
class GroupPrints {
  /** Places of entries, from 1 on; 0 is free. */
  #slots = new Uint32Array(1 << 13);
  #prints = new Uint32Array(1 << 12);
  /** Of each entry as many as are told, and how many: beyond FEW_ROWS they are many. */
  #rows = new Uint8Array(FEW_ROWS << 12);
  #rowCounts = new Uint8Array(1 << 12);
  #durations = new Uint8Array(1 << 12);
  #count = 0;

  add(print: number, row: number, duration: number): void {
    const mask = this.#slots.length - 1;
    let slot = Math.imul(print, 0x9e3779b1) & mask;
    for (; ; slot = (slot + 1) & mask) {
      const place = this.#slots[slot] ?? 0;
      if (place === 0) break;
      if (this.#prints[place - 1] !== print) continue;
      this.#addRow(place - 1, row);
      if (duration > (this.#durations[place - 1] ?? 0)) this.#durations[place - 1] = duration;
      return;
    }
    const entry = this.#count++;
    this.#slots[slot] = entry + 1;
    this.#prints[entry] = print;
    this.#rows[entry * FEW_ROWS] = row;
    this.#rowCounts[entry] = 1;
    this.#durations[entry] = duration;
    if (this.#count === this.#prints.length) this.#grow();
  }

  #addRow(entry: number, row: number): void {
    const count = this.#rowCounts[entry] ?? 0;
    // Rows come in their order.
    if (count > FEW_ROWS || this.#rows[entry * FEW_ROWS + count - 1] === row) return;
    if (count < FEW_ROWS) this.#rows[entry * FEW_ROWS + count] = row;
    this.#rowCounts[entry] = count + 1;
  }

  #grow(): void {
    const size = this.#prints.length * 2;
    const prints = new Uint32Array(size);
    prints.set(this.#prints);
    const grow = (from: Uint8Array): Uint8Array<ArrayBuffer> => {
      const to = new Uint8Array(from.length * 2);
      to.set(from);
      return to;
    };
    const slots = new Uint32Array(size * 2);
    for (let entry = 0; entry < this.#count; entry++) {
      let slot = Math.imul(prints[entry] ?? 0, 0x9e3779b1) & (slots.length - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = entry + 1;
    }
    this.#prints = prints;
    this.#rows = grow(this.#rows);
    this.#rowCounts = grow(this.#rowCounts);
    this.#durations = grow(this.#durations);
    this.#slots = slots;
  }

  /** Gives each, once for each of its rows where they are few, and forgets them. */
  take(each: (print: number, row: number, duration: number) => void): void {
    for (let entry = 0; entry < this.#count; entry++) {
      const print = this.#prints[entry] ?? 0;
      const duration = this.#durations[entry] ?? 0;
      const count = this.#rowCounts[entry] ?? 0;
      if (count > FEW_ROWS) each(print, MANY_ROWS, duration);
      else for (let i = 0; i < count; i++) each(print, this.#rows[entry * FEW_ROWS + i] ?? MANY_ROWS, duration);
    }
    this.#slots.fill(0);
    this.#count = 0;
  }
}

/** The part is told by the tag alone, so that a search for a tag of many operations reads one. */
export function tagPrint(tag: number, operation: number): number {
  return ((tag >>> 26) << PRINT_BITS) | (mix(tag ^ Math.imul(operation + 1, 0x9e3779b1)) & 0xffff);
}

/** Resources are all in the first part: a search may be for a tag that many of them have. */
export function resourcePrint(resource: number, operation: number): number {
  return mix(Math.imul(resource + 1, 0x85ebca6b) ^ Math.imul(operation + 1, 0x9e3779b1)) & 0xffff;
}

/** Which of 256 classes a duration is in; 12 % wide, all that are shorter than a microsecond in one. */
function durationClass(durationNs: number): number {
  if (durationNs < 1024) return 0;
  return Math.min(LAST_CLASS, Math.floor((Math.log2(durationNs) - 10) * CLASSES_A_DOUBLING) + 1);
}

/** No duration of the class is longer. */
export function longestOfClass(duration: number): number {
  if (duration === LAST_CLASS) return Infinity;
  // A little more, for what is rounded at the border of two classes.
  return 2 ** (10 + duration / CLASSES_A_DOUBLING) * (1 + 1e-9);
}
