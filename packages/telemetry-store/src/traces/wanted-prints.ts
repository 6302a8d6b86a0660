import { ByteReader, MalformedError } from '../bytes/byte-reader.ts';
import { longestOfClass, MANY_ROWS, resourcePrint, tagPrint } from './tag-prints.ts';

const ROW_WORDS = 8;
const LAST_DURATION = 255;

/** Of each group of a block: which of its spans may have what is wanted, and how long the longest of them may take. */
export class GroupMarks {
  readonly groups: number;
  /** A bit for each number that a span may be told by. */
  readonly #rows: Uint32Array;
  readonly #durations: Uint8Array;

  constructor(groups: number) {
    this.groups = groups;
    this.#rows = new Uint32Array(groups * ROW_WORDS);
    this.#durations = new Uint8Array(groups);
  }

  /** Any span of the group may have it. */
  addAll(group: number): void {
    this.#rows.fill(0xffff_ffff, group * ROW_WORDS, (group + 1) * ROW_WORDS);
    this.#durations[group] = LAST_DURATION;
  }

  /** Nothing is known of any group. */
  addEverything(): void {
    this.#rows.fill(0xffff_ffff);
    this.#durations.fill(LAST_DURATION);
  }

  add(group: number, row: number, duration: number): void {
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
    for (let word = 0; word < rows.length; word++) rows[word] = (rows[word] ?? 0) & (others.#rows[word] ?? 0);
    const durations = this.#durations;
    for (let group = 0; group < this.groups; group++)
      durations[group] = Math.min(durations[group] ?? 0, others.#durations[group] ?? 0);
  }

  get isEmpty(): boolean {
    return this.#rows.every((word) => word === 0);
  }

  /** Whether this span of the group may have it. */
  has(group: number, row: number): boolean {
    const bit = row % MANY_ROWS;
    return ((this.#rows[group * ROW_WORDS + (bit >>> 5)] ?? 0) & (1 << (bit & 31))) !== 0;
  }

  /** -Infinity where no span of the group is marked. */
  longest(group: number): number {
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
    const ends = new Uint32Array(count);
    let prints = 0;
    for (let group = 0; group < count; group++) {
      prints += reader.varint();
      ends[group] = prints;
    }
    const from = reader.at;
    if (from + prints * 4 !== bytes.length) throw new MalformedError('the prints of tags do not fill their part');
    const isWanted = this.#isWanted;
    let at = from;
    for (let group = 0; group < count; group++)
      for (const end = from + (ends[group] ?? 0) * 4; at < end; at += 4)
        if (isWanted[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] === 1)
          marks.add(group, bytes[at + 2] ?? MANY_ROWS, bytes[at + 3] ?? LAST_DURATION);
  }
}
