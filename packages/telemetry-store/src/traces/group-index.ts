import { ByteReader, MalformedError } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { SpanGroup } from './group-codec.ts';

/** What a group has of one operation. */
interface Extent {
  minDurationNs: number;
  maxDurationNs: number;
}

interface GroupExtent {
  readonly minStartUs: number;
  readonly maxStartUs: number;
  readonly operations: ReadonlyMap<number, Extent>;
}

/**
 * What is known of the groups of a block without opening them: when their spans start, which operations they are of, and
 * how long those take. Times are rounded away from each other, durations to 32-bit floats: a group is never denied.
 */
export class GroupIndex {
  readonly minStartUs: Float64Array;
  readonly maxStartUs: Float64Array;
  /** Entries of group g are those from `first[g]` up to `first[g + 1]`. */
  readonly #first: Uint32Array;
  readonly #operation: Uint32Array;
  readonly #minNs: Float32Array;
  readonly #maxNs: Float32Array;

  constructor(groups: readonly GroupExtent[]) {
    const entries = groups.reduce((sum, group) => sum + group.operations.size, 0);
    this.minStartUs = Float64Array.from(groups, (group) => group.minStartUs);
    this.maxStartUs = Float64Array.from(groups, (group) => group.maxStartUs);
    this.#first = new Uint32Array(groups.length + 1);
    this.#operation = new Uint32Array(entries);
    this.#minNs = new Float32Array(entries);
    this.#maxNs = new Float32Array(entries);
    let entry = 0;
    for (const [group, { operations }] of groups.entries()) {
      for (const [operation, { minDurationNs, maxDurationNs }] of operations) {
        this.#operation[entry] = operation;
        this.#minNs[entry] = floatBelow(minDurationNs);
        this.#maxNs[entry] = floatAbove(maxDurationNs);
        entry++;
      }
      this.#first[group + 1] = entry;
    }
  }

  get groups(): number {
    return this.minStartUs.length;
  }

  /** How much memory it takes, in entries of twelve bytes. */
  get size(): number {
    return this.#operation.length + this.groups * 2;
  }

  /** The longest duration that a wanted span of the group may have; -Infinity where it has no such span. */
  longest(group: number, operations: Uint8Array, minNs: number, maxNs: number): number {
    let longest = -Infinity;
    const end = this.#first[group + 1] ?? 0;
    for (let entry = this.#first[group] ?? 0; entry < end; entry++) {
      if (operations[this.#operation[entry] ?? 0] !== 1) continue;
      const most = this.#maxNs[entry] ?? 0;
      if (most < minNs || (this.#minNs[entry] ?? 0) > maxNs) continue;
      if (most > longest) longest = most;
    }
    return longest;
  }

  encode(): Buffer {
    const out = new ByteWriter(this.groups * 20 + this.#operation.length * 12);
    out.varint(this.groups);
    for (let group = 0; group < this.groups; group++) {
      out.f64(this.minStartUs[group] ?? 0);
      out.f64(this.maxStartUs[group] ?? 0);
      const first = this.#first[group] ?? 0;
      const end = this.#first[group + 1] ?? 0;
      out.varint(end - first);
      for (let entry = first; entry < end; entry++) {
        out.varint(this.#operation[entry] ?? 0);
        out.u32(floatBits(this.#minNs[entry] ?? 0));
        out.u32(floatBits(this.#maxNs[entry] ?? 0));
      }
    }
    return out.copy();
  }

  /** Throws a MalformedError. */
  static decode(bytes: Uint8Array): GroupIndex {
    const reader = new ByteReader(bytes);
    const count = reader.varint();
    if (count > bytes.length) throw new MalformedError('an index of groups claims too many');
    return new GroupIndex(
      Array.from({ length: count }, () => {
        const minStartUs = reader.f64();
        const maxStartUs = reader.f64();
        const operations = new Map<number, Extent>();
        for (let left = reader.varint(); left > 0; left--)
          operations.set(reader.varint(), {
            minDurationNs: floatOf(reader.u32()),
            maxDurationNs: floatOf(reader.u32()),
          });
        return { minStartUs, maxStartUs, operations };
      }),
    );
  }

  /** Of groups that were written before there was an index; one that cannot be read has no spans. */
  static of(groups: readonly (SpanGroup | undefined)[]): GroupIndex {
    return new GroupIndex(
      groups.map((group) => {
        const extent = new GroupExtentBuilder();
        for (let row = 0; row < (group?.rows ?? 0); row++)
          extent.add(group?.operation[row] ?? 0, group?.startUs[row] ?? 0, group?.durationNs[row] ?? 0);
        return extent.take();
      }),
    );
  }
}

/** Collects what there is to know of one group after the other. */
export class GroupExtentBuilder {
  #minStartUs = Infinity;
  #maxStartUs = -Infinity;
  #operations = new Map<number, Extent>();

  add(operation: number, startUs: number, durationNs: number): void {
    if (startUs < this.#minStartUs) this.#minStartUs = startUs;
    if (startUs > this.#maxStartUs) this.#maxStartUs = startUs;
    const known = this.#operations.get(operation);
    if (!known) {
      this.#operations.set(operation, { minDurationNs: durationNs, maxDurationNs: durationNs });
      return;
    }
    if (durationNs < known.minDurationNs) known.minDurationNs = durationNs;
    if (durationNs > known.maxDurationNs) known.maxDurationNs = durationNs;
  }

  take(): GroupExtent {
    const extent = { minStartUs: this.#minStartUs, maxStartUs: this.#maxStartUs, operations: this.#operations };
    this.#minStartUs = Infinity;
    this.#maxStartUs = -Infinity;
    this.#operations = new Map();
    return extent;
  }
}

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);

function floatBits(value: number): number {
  FLOAT[0] = value;
  return BITS[0] ?? 0;
}

function floatOf(bits: number): number {
  BITS[0] = bits;
  return FLOAT[0] ?? 0;
}

/** Half a unit of the last place of a 32-bit float, by which rounding may miss. */
const ROUNDING = 2 ** -23;

function floatBelow(value: number): number {
  return value - Math.abs(value) * ROUNDING;
}

function floatAbove(value: number): number {
  return value + Math.abs(value) * ROUNDING;
}
