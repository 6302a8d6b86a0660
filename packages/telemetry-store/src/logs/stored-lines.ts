import type { ByteAutomaton, Labels, LineSet, LogChunk, PackedLines } from '@kind-e2e/telemetry';
import { decodeLineTable, type Lines } from './chunk-codec.ts';
import type { LogsFile, StoredChunk } from './file.ts';
import type { ShapedLines } from './shaped-lines.ts';
import { openShaped } from './stored-text.ts';
import type { WantedLines } from './wanted-lines.ts';

const NO_TIMES = new BigInt64Array(0);
const NO_LINES = { timestamps: NO_TIMES, ends: new Uint32Array(0), text: new Uint8Array(0), metadata: undefined };

/** A chunk on disk whose text is kept by shapes, cut to a range; what is not asked for is not read. */
export class StoredLines implements LogChunk, PackedLines {
  readonly labels: Labels;
  readonly count: number;
  readonly textBytes: number;
  readonly minNs: bigint;
  readonly maxNs: bigint;
  readonly #file: LogsFile;
  readonly #chunk: StoredChunk;
  readonly #shaped: ShapedLines;
  readonly #wanted: WantedLines;
  /** The first line within the range, and that behind the last. */
  readonly #from: number;
  readonly #to: number;
  #table: Omit<Lines, 'text'> | undefined;
  #lines: Lines | undefined;

  private constructor(
    labels: Labels,
    file: LogsFile,
    chunk: StoredChunk,
    shaped: ShapedLines,
    wanted: WantedLines,
    range: { from: number; to: number; minNs: bigint; maxNs: bigint; table: Omit<Lines, 'text'> | undefined },
  ) {
    this.labels = labels;
    this.#file = file;
    this.#chunk = chunk;
    this.#shaped = shaped;
    this.#wanted = wanted;
    this.#from = range.from;
    this.#to = range.to;
    this.#table = range.table;
    this.minNs = range.minNs;
    this.maxNs = range.maxNs;
    this.count = range.to - range.from;
    const { lines, textBytes } = shaped.index;
    const endOf = (line: number): number => (line === 0 ? 0 : (range.table?.ends[line - 1] ?? 0));
    this.textBytes = this.count === lines ? textBytes : endOf(range.to) - endOf(range.from);
  }

  /** Undefined where the chunk is of an earlier version; `none` where it has no line in the range. */
  static open(
    labels: Labels,
    file: LogsFile,
    chunk: StoredChunk,
    wanted: WantedLines,
  ): StoredLines | 'none' | undefined {
    const shaped = openShaped(file, chunk.id, () => wanted.mayBeIn(chunk.id));
    if (!shaped) return undefined;
    const { startNs, endNs } = wanted;
    const { minTime, maxTime } = chunk;
    if (minTime >= startNs && maxTime < endNs)
      return new StoredLines(labels, file, chunk, shaped, wanted, {
        from: 0,
        to: shaped.index.lines,
        minNs: minTime,
        maxNs: maxTime,
        table: undefined,
      });
    const packed = file.lineTable(chunk.id);
    if (!packed) return 'none';
    const table = decodeLineTable(packed);
    const from = lowerBound(table.timestamps, startNs);
    const to = lowerBound(table.timestamps, endNs);
    if (from >= to) return 'none';
    const minNs = table.timestamps[from] ?? 0n;
    const maxNs = table.timestamps[to - 1] ?? 0n;
    return new StoredLines(labels, file, chunk, shaped, wanted, { from, to, minNs, maxNs, table });
  }

  get packed(): PackedLines {
    return this;
  }

  get hasMetadata(): boolean {
    return this.#shaped.index.hasMetadata;
  }

  search(automaton: ByteAutomaton): LineSet {
    return (
      this.#wanted.unlessDamaged(() => {
        const matches = this.#shaped.search(automaton);
        const isCut = this.count < this.#shaped.index.lines;
        let marks: Uint8Array | undefined;
        const marked = (): Uint8Array => {
          marks ??= this.#shaped.marks(matches).subarray(this.#from, this.#to);
          return marks;
        };
        const count = isCut ? marked().reduce((sum, mark) => sum + mark, 0) : this.#shaped.countOf(matches);
        return {
          count,
          marks: () => this.#wanted.unlessDamaged(marked) ?? new Uint8Array(this.count),
        };
      }) ?? { count: 0, marks: () => new Uint8Array(this.count) }
    );
  }

  times(): BigInt64Array {
    return this.#wanted.unlessDamaged(() => this.#readTable().timestamps.subarray(this.#from, this.#to)) ?? NO_TIMES;
  }

  take(marks: Uint8Array): LogChunk {
    const lines = this.#wanted.unlessDamaged(() => this.#unpack(marks)) ?? NO_LINES;
    return toChunk(this.labels, lines);
  }

  get timestamps(): BigInt64Array {
    return this.#all().timestamps;
  }

  get ends(): Uint32Array {
    return this.#all().ends;
  }

  get text(): Uint8Array {
    return this.#all().text;
  }

  get structuredMetadata(): readonly (Labels | undefined)[] | undefined {
    return this.#all().metadata;
  }

  #all(): Lines {
    this.#lines ??= this.#wanted.unlessDamaged(() =>
      this.#wanted.mayBeIn(this.#chunk.id) ? this.#unpack(new Uint8Array(this.count).fill(1)) : NO_LINES,
    );
    this.#lines ??= NO_LINES;
    return this.#lines;
  }

  #readTable(): Omit<Lines, 'text'> {
    if (this.#table === undefined) {
      const packed = this.#file.lineTable(this.#chunk.id);
      if (!packed) throw new Error('the table of a chunk of lines is missing');
      const table = decodeLineTable(packed);
      if (table.timestamps.length !== this.#shaped.index.lines)
        throw new Error('the table of a chunk of lines does not fit its text');
      this.#table = table;
    }
    return this.#table;
  }

  #unpack(marks: Uint8Array): Lines {
    const table = this.#readTable();
    const isWhole = this.count === this.#shaped.index.lines;
    let wanted: Uint8Array | undefined = marks;
    if (isWhole && marks.every((mark) => mark === 1)) wanted = undefined;
    else if (!isWhole) {
      wanted = new Uint8Array(this.#shaped.index.lines);
      wanted.set(marks, this.#from);
    }
    const { text, ends } = this.#shaped.text(wanted);
    if (wanted === undefined) return { text, ends, timestamps: table.timestamps, metadata: table.metadata };
    const timestamps = new BigInt64Array(ends.length);
    const metadata: (Labels | undefined)[] | undefined = table.metadata && [];
    let at = 0;
    for (let line = 0; line < wanted.length; line++) {
      if (wanted[line] !== 1) continue;
      timestamps[at++] = table.timestamps[line] ?? 0n;
      metadata?.push(table.metadata?.[line]);
    }
    return { text, ends, timestamps, metadata };
  }
}

export function toChunk(labels: Labels, { timestamps, ends, text, metadata }: Lines): LogChunk {
  return { labels, timestamps, ends, text, ...(metadata && { structuredMetadata: metadata }) };
}

export function lowerBound(times: BigInt64Array, wanted: bigint): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0n) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
