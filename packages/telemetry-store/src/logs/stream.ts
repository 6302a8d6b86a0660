import type { Labels } from '@kind-e2e/telemetry';
import type { Labelled } from '../label-index.ts';
import { type Lines, mergeLines } from './chunk-codec.ts';
import type { TimeSpan } from './line-block.ts';

/** Text at which a head is closed. */
const CHUNK_TEXT_BYTES = 1024 * 1024;
const CHUNK_LINES = 16_384;

/** Lines as they arrive. */
export class LineHead {
  firstSequence = 0;
  lastSequence = 0;
  minTime = 0n;
  maxTime = 0n;
  #text = Buffer.allocUnsafeSlow(1024);
  #ends = new Uint32Array(16);
  #timestamps = new BigInt64Array(16);
  #metadata: (Labels | undefined)[] | undefined;
  #count = 0;
  #bytes = 0;
  #sorted = true;

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get full(): boolean {
    return this.#bytes >= CHUNK_TEXT_BYTES || this.#count >= CHUNK_LINES;
  }

  append(time: bigint, line: Uint8Array, metadata: Labels | undefined, sequence: number): void {
    const count = this.#count;
    if (count === 0) {
      this.minTime = time;
      this.maxTime = time;
      this.firstSequence = sequence;
    } else if (time <= this.maxTime) {
      // Also where times are equal: it may be a line that is here already.
      this.#sorted = false;
      if (time < this.minTime) this.minTime = time;
    } else this.maxTime = time;
    this.#makeRoom(1, line.length);
    const end = this.#bytes + line.length;
    this.#text.set(line, this.#bytes);
    this.#bytes = end;
    this.#ends[count] = end;
    this.#timestamps[count] = time;
    if (metadata && !this.#metadata) this.#metadata = new Array(count).fill(undefined);
    this.#metadata?.push(metadata);
    this.#count = count + 1;
    this.lastSequence = sequence;
  }

  /** Lines without structured metadata. Gives their text as it is here, where it does not change. */
  appendLines({ timestamps, ends, text }: Lines, span: TimeSpan, sequence: number): Uint8Array {
    const count = this.#count;
    if (count === 0) {
      this.minTime = span.minTime;
      this.maxTime = span.maxTime;
      this.firstSequence = sequence;
      this.#sorted = span.isRising;
    } else {
      if (span.minTime <= this.maxTime || !span.isRising) this.#sorted = false;
      if (span.minTime < this.minTime) this.minTime = span.minTime;
      if (span.maxTime > this.maxTime) this.maxTime = span.maxTime;
    }
    this.#makeRoom(ends.length, text.length);
    this.#text.set(text, this.#bytes);
    this.#timestamps.set(timestamps, count);
    for (let i = 0; i < ends.length; i++) this.#ends[count + i] = this.#bytes + (ends[i] ?? 0);
    this.#bytes += text.length;
    this.#count = count + ends.length;
    if (this.#metadata) for (const _end of ends) this.#metadata.push(undefined);
    this.lastSequence = sequence;
    return this.#text.subarray(this.#bytes - text.length, this.#bytes);
  }

  #makeRoom(lines: number, bytes: number): void {
    const count = this.#count + lines;
    if (count > this.#ends.length) {
      const size = Math.max(count, this.#ends.length * 2);
      const ends = new Uint32Array(size);
      ends.set(this.#ends);
      this.#ends = ends;
      const timestamps = new BigInt64Array(size);
      timestamps.set(this.#timestamps);
      this.#timestamps = timestamps;
    }
    const end = this.#bytes + bytes;
    if (end > this.#text.length) {
      // A head that has got so far will, most likely, become a whole chunk.
      const size = end > CHUNK_TEXT_BYTES / 4 ? CHUNK_TEXT_BYTES * 1.125 : this.#text.length * 2;
      const text = Buffer.allocUnsafeSlow(Math.max(end, size));
      text.set(this.#text.subarray(0, this.#bytes));
      this.#text = text;
    }
  }

  /** The lines in order of time. Views of the head's memory where nothing needs sorting; later appends do not show. */
  lines(): Lines {
    if (!this.#sorted) {
      const lines = mergeLines([this.#view()]);
      this.#text = Buffer.from(lines.text);
      this.#ends = lines.ends.slice();
      this.#timestamps = lines.timestamps.slice();
      this.#metadata = lines.metadata && [...lines.metadata];
      this.#count = lines.timestamps.length;
      this.#bytes = lines.text.length;
      this.#sorted = true;
    }
    return this.#view();
  }

  #view(): Lines {
    return {
      timestamps: this.#timestamps.subarray(0, this.#count),
      ends: this.#ends.subarray(0, this.#count),
      text: this.#text.subarray(0, this.#bytes),
      metadata: this.#metadata,
    };
  }
}

/** One stream: its open head, heads that wait to be sealed, and what it knows about its chunks on disk. */
export class LogStream implements Labelled {
  readonly id: number;
  readonly labels: Labels;
  rank = 0;
  stored: boolean;
  queued = false;
  minTime = 1n << 62n;
  maxTime = -(1n << 62n);
  /** Newest time on disk. */
  diskMaxTime = -(1n << 62n);
  sealedSequence = 0;
  #head: LineHead | undefined;
  #closed: LineHead[] = [];

  constructor(id: number, labels: Labels, stored: boolean) {
    this.id = id;
    this.labels = labels;
    this.stored = stored;
  }

  /** 0 where everything is sealed. */
  get firstSequence(): number {
    return this.#closed[0]?.firstSequence ?? this.#head?.firstSequence ?? 0;
  }

  get heads(): readonly LineHead[] {
    return this.#head ? [...this.#closed, this.#head] : this.#closed;
  }

  /** True when there is something worth sealing. */
  append(time: bigint, line: Uint8Array, metadata: Labels | undefined, sequence: number): boolean {
    const closed = this.#closeFull(sequence);
    this.#head ??= new LineHead();
    this.#head.append(time, line, metadata, sequence);
    if (time > this.maxTime) this.maxTime = time;
    if (time < this.minTime) this.minTime = time;
    return closed;
  }

  /** The same with many lines, which have no structured metadata. */
  appendLines(lines: Lines, span: TimeSpan, sequence: number): { text: Uint8Array; hasClosed: boolean } {
    const hasClosed = this.#closeFull(sequence);
    this.#head ??= new LineHead();
    const text = this.#head.appendLines(lines, span, sequence);
    if (span.maxTime > this.maxTime) this.maxTime = span.maxTime;
    if (span.minTime < this.minTime) this.minTime = span.minTime;
    return { text, hasClosed };
  }

  #closeFull(sequence: number): boolean {
    // Heads end between records of the log, so that a replay knows of each record whether it is sealed.
    if (!this.#head?.full || this.#head.lastSequence === sequence) return false;
    this.#closed.push(this.#head);
    this.#head = undefined;
    return true;
  }

  /** The oldest heads to seal: those that are closed, and the open one where `whole`. */
  toSeal(whole: boolean): { heads: LineHead[]; sealed: (heads: readonly LineHead[]) => void } {
    const heads = whole && this.#head ? [...this.#closed, this.#head] : [...this.#closed];
    const sealed = (done: readonly LineHead[]): void => {
      this.#closed = this.#closed.filter((head) => !done.includes(head));
      if (this.#head && done.includes(this.#head)) this.#head = undefined;
      for (const head of done) {
        if (head.maxTime > this.diskMaxTime) this.diskMaxTime = head.maxTime;
        this.sealedSequence = Math.max(this.sealedSequence, head.lastSequence);
      }
      this.stored = true;
    };
    return { heads, sealed };
  }
}
