import type { Clock } from '@kind-e2e/base';
import type { Database } from '../database.ts';
import type { Retention } from '../options.ts';
import type { WriteAheadLog } from '../wal/write-ahead-log.ts';
import { encodeLineTable } from './chunk-codec.ts';
import type { LogsFile } from './file.ts';
import { encodeShaped } from './shaped-encode.ts';
import type { LineHead, LogStream } from './stream.ts';

export interface LogSealerOptions {
  readonly file: LogsFile;
  readonly db: Database;
  readonly wal: WriteAheadLog;
  readonly streams: () => Iterable<LogStream>;
  readonly remove: (stream: LogStream) => void;
  readonly retention: Retention | undefined;
  readonly clock: Clock;
}

/** Compressed in one step, save for the chunk with which they are reached: a few milliseconds. */
const STEP_BYTES = 768 * 1024;
const MAX_WAL_BYTES = 24 * 1024 * 1024;
/** Closed heads beyond which writers wait. */
const MAX_WAITING = 64;
const RETENTION_EVERY_MS = 60_000;
const RETENTION_BATCH = 64;

/** Moves lines from heads to compressed chunks, trims the write-ahead log, and applies the retention. */
export class LogSealer {
  readonly #options: LogSealerOptions;
  #queue: { stream: LogStream; whole: boolean }[] = [];
  #retentionAt: number;
  #walCheckedAt = 0;
  #expireBefore: bigint | undefined;

  constructor(options: LogSealerOptions) {
    this.#options = options;
    this.#retentionAt = options.clock.monotonic() + 5000;
  }

  /** A head of the stream was closed. */
  closed(stream: LogStream): void {
    if (stream.queued) return;
    stream.queued = true;
    this.#queue.push({ stream, whole: false });
  }

  step(): boolean {
    if (this.#queue.length > 0) {
      this.#sealSome();
      return true;
    }
    const now = this.#options.clock.monotonic();
    if (now - this.#walCheckedAt >= 500) {
      this.#walCheckedAt = now;
      this.#trimLog();
      if (this.#queue.length > 0) return true;
    }
    if (this.#expireBefore !== undefined) return this.#expire(this.#expireBefore);
    if (this.#options.retention && now >= this.#retentionAt) {
      this.#retentionAt = now + RETENTION_EVERY_MS;
      this.#planExpiry(this.#options.retention);
      return this.#expireBefore !== undefined;
    }
    return false;
  }

  /** Makes writers wait for the sealer when it has fallen far behind. */
  async catchUp(): Promise<void> {
    while (this.#waiting() > MAX_WAITING) {
      this.#sealSome();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  #waiting(): number {
    let heads = 0;
    for (const { stream } of this.#queue) heads += stream.heads.length;
    return heads - this.#queue.length;
  }

  async sealAll(): Promise<void> {
    for (const stream of this.#options.streams())
      if (stream.firstSequence > 0) this.#queue.push({ stream, whole: true });
    while (this.#queue.length > 0) {
      this.#sealSome();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#options.file.setState('last_sequence', this.#options.wal.sequence);
    this.#options.wal.removeThrough(this.#options.wal.sequence);
  }

  /** Seals heads until the step has had its bytes; a stream with more waits for the next. */
  #sealSome(): void {
    const { file } = this.#options;
    const done: (() => void)[] = [];
    const batch: { stream: LogStream; whole: boolean }[] = [];
    const finished: LogStream[] = [];
    let bytes = 0;
    try {
      file.transaction(() => {
        while (bytes < STEP_BYTES && batch.length < 64) {
          const item = this.#queue.shift();
          if (!item) break;
          batch.push(item);
          const { heads, sealed } = item.stream.toSeal(item.whole);
          const written: LineHead[] = [];
          for (const head of heads) {
            if (bytes >= STEP_BYTES) break;
            bytes += head.bytes + 1024;
            this.#writeHead(item.stream, head);
            written.push(head);
          }
          if (written.length > 0) done.push(() => sealed(written));
          if (written.length === heads.length) finished.push(item.stream);
        }
      });
    } catch (error) {
      this.#queue.unshift(...batch);
      throw error;
    }
    for (const sealed of done) sealed();
    for (const stream of finished) stream.queued = false;
    this.#queue.unshift(...batch.filter((item) => !finished.includes(item.stream)));
  }

  #writeHead(stream: LogStream, head: LineHead): void {
    const { file } = this.#options;
    const lines = head.lines();
    const { id, labels, minTime, maxTime, stored } = stream;
    file.writeStream({ id, labels, minTime, maxTime, sequence: head.lastSequence }, !stored);
    file.writeChunk(id, {
      minTime: head.minTime,
      maxTime: head.maxTime,
      lines: lines.timestamps.length,
      bytes: lines.text.length,
      lineTable: encodeLineTable(lines),
      text: encodeShaped(lines),
    });
  }

  #trimLog(): void {
    const { wal, file, streams } = this.#options;
    const through = wal.sequenceBeyond(MAX_WAL_BYTES);
    if (through === 0) return;
    let needed = false;
    for (const stream of streams()) {
      const first = stream.firstSequence;
      if (first === 0 || first > through) continue;
      needed = true;
      if (stream.queued) continue;
      stream.queued = true;
      this.#queue.push({ stream, whole: true });
    }
    if (needed) return;
    file.setState('last_sequence', wal.sequence);
    wal.removeThrough(through);
  }

  #planExpiry(retention: Retention): void {
    const { db, clock, file } = this.#options;
    this.#expireBefore = BigInt(Math.trunc(clock.now() - retention.maxAgeMs)) * 1_000_000n;
    if (db.usedBytes <= retention.maxBytes) return;
    // Too large: the oldest tenth of the chunks goes as well.
    const time = file.timeOfOldest(Math.ceil(file.chunkCount() / 10));
    if (time !== undefined && time > this.#expireBefore) this.#expireBefore = time;
  }

  #expire(before: bigint): boolean {
    const { file, db, streams, remove } = this.#options;
    let deleted = 0;
    file.transaction(() => {
      deleted = file.deleteChunksBefore(before, RETENTION_BATCH);
    });
    if (deleted === RETENTION_BATCH) return true;
    this.#expireBefore = undefined;
    for (const stream of [...streams()]) {
      if (stream.minTime >= before || stream.firstSequence > 0) continue;
      const oldest = file.minTimeOf(stream.id);
      if (oldest !== undefined) stream.minTime = oldest;
      else {
        file.deleteStream(stream.id);
        remove(stream);
      }
    }
    db.shrink(256);
    return false;
  }
}
