import { ByteReader, MalformedError } from '../bytes/byte-reader.ts';
import { longestOfClass, MANY_ROWS, resourcePrint, tagPrint } from './tag-prints.ts';

const ROW_WORDS = 8;
/** Two of the hash, one of the span, one of its duration. */
const PRINT_BYTES = 4;
const LAST_DURATION = 255;

const NONE = new Uint32Array(0);

/** Of each group of a block: which of its spans may have what is wanted, and how long the longest of them may take. */
export class GroupMarks {
  readonly groups: number;
  /** A bit for each number that a span may be told by; empty until the first is set, which most blocks never see. */
  #rows = NONE;
  #durations = new Uint8Array(0);
  isEmpty = true;

  constructor(groups: number) {
    this.groups = groups;
  }

  #begin(): void {
    this.isEmpty = false;
    this.#rows = new Uint32Array(this.groups * ROW_WORDS);
    this.#durations = new Uint8Array(this.groups);
  }

  /** Any span of the group may have it. */
  addAll(group: number): void {
    if (this.isEmpty) this.#begin();
    this.#rows.fill(0xffff_ffff, group * ROW_WORDS, (group + 1) * ROW_WORDS);
    this.#durations[group] = LAST_DURATION;
  }

  /** Nothing is known of any group. */
  addEverything(): void {
    if (this.isEmpty) this.#begin();
    this.#rows.fill(0xffff_ffff);
    this.#durations.fill(LAST_DURATION);
  }

  add(group: number, row: number, duration: number): void {
    if (this.isEmpty) this.#begin();
    if (row === MANY_ROWS) this.#rows.fill(0xffff_ffff, group * ROW_WORDS, (group + 1) * ROW_WORDS);
    else {
      const word = group * ROW_WORDS + (row >>> 5);
      this.#rows[word] = (this.#rows[word] ?? 0) | (1 << (row & 31));
    }
    if (duration > (this.#durations[group] ?? 0)) this.#durations[group] = duration;
  }

  /** Keeps what the others have marked as well. */
  keep(others: GroupMarks): void {
    const rows = this.#rows;
    let any = 0;
    if (!others.isEmpty)
      for (let word = 0; word < rows.length; word++) {
        const both = (rows[word] ?? 0) & (others.#rows[word] ?? 0);
        rows[word] = both;
        any |= both;
      }
    this.isEmpty = any === 0;
    const durations = this.#durations;
    for (let group = 0; group < durations.length; group++)
      durations[group] = Math.min(durations[group] ?? 0, others.#durations[group] ?? 0);
  }

  /** Whether this span of the group may have it. */
  has(group: number, row: number): boolean {
    const bit = row % MANY_ROWS;
    return !this.isEmpty && ((this.#rows[group * ROW_WORDS + (bit >>> 5)] ?? 0) & (1 << (bit & 31))) !== 0;
  }

  /** -Infinity where no span of the group is marked. */
  longest(group: number): number {
    if (!this.isEmpty)
      for (let word = group * ROW_WORDS; word < (group + 1) * ROW_WORDS; word++)
        if (this.#rows[word] !== 0) return longestOfClass(this.#durations[group] ?? 0);
    return -Infinity;
  }
}

/** Prints that are looked for in many blocks, all in one part. */
export class WantedPrints {
  readonly part: number;
  readonly #isWanted = new Uint8Array(1 << 16);

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

  /** Marks the spans that may have one of them; `bytes` is the block's part. Throws a MalformedError. */
  mark(bytes: Uint8Array, marks: GroupMarks): void {
    const reader = new ByteReader(bytes);
    const count = reader.varint();
    if (count > bytes.length || count !== marks.groups)
      throw new MalformedError('the prints of tags are of another number of groups');
    const countsAt = reader.at;
    let prints = 0;
    for (let group = 0; group < count; group++) prints += reader.varint();
    const from = reader.at;
    if (from + prints * PRINT_BYTES !== bytes.length)
      throw new MalformedError('the prints of tags do not fill their part');
    const isWanted = this.#isWanted;
    // Which group a print is of is told only when one is found, which is seldom.
    let group = -1;
    let groupEnd = from;
    reader.at = countsAt;
    for (let at = from; at < bytes.length; at += PRINT_BYTES) {
      if (isWanted[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] !== 1) continue;
      while (groupEnd <= at) {
        groupEnd += reader.varint() * PRINT_BYTES;
        group++;
      }
      marks.add(group, bytes[at + 2] ?? MANY_ROWS, bytes[at + 3] ?? LAST_DURATION);
    }
  }
}
