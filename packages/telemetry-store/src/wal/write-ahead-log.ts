import {
  close,
  fdatasync,
  ftruncate,
  mkdirSync,
  open,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writev,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LabError, type Logger } from '@kind-e2e/base';
import { decodeRecords, encodeRecordHeader, RECORD_HEADER_BYTES, type WalRecord } from './record.ts';

const openFile = promisify(open);
const closeFile = promisify(close);
const sync = promisify(fdatasync);
const truncateFile = promisify(ftruncate);
const writeAll = promisify<number, readonly NodeJS.ArrayBufferView[], number, number>((fd, buffers, position, done) =>
  writev(fd, buffers, position, (error, written) => done(error, written)),
);

export interface WriteAheadLogOptions {
  readonly directory: string;
  /** Prefix of the segment files. */
  readonly name: string;
  readonly logger: Logger;
  /** Size at which a new segment begins. Default 4 MiB. */
  readonly segmentBytes?: number;
}

interface Segment {
  readonly path: string;
  readonly firstSequence: number;
  bytes: number;
}

/**
 * Records that survive a crash, in numbered segments. Writers append in memory and wait for `flush`; all that wait
 * while a write is under way share the next write and its one fdatasync (group commit), off the event loop's thread.
 */
export class WriteAheadLog implements AsyncDisposable {
  readonly #options: Required<WriteAheadLogOptions>;
  readonly #segments: Segment[] = [];
  #sequence = 0;
  #fd: number | undefined;
  #current: Segment | undefined;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #pendingFirst = 0;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #failing = false;
  #closed = false;

  constructor(options: WriteAheadLogOptions) {
    this.#options = { segmentBytes: 4 * 1024 * 1024, ...options };
    mkdirSync(options.directory, { recursive: true });
    const pattern = new RegExp(`^${options.name}-(\\d+)\\.wal$`);
    for (const file of readdirSync(options.directory).sort()) {
      const match = pattern.exec(file);
      if (!match) continue;
      const path = join(options.directory, file);
      this.#segments.push({ path, firstSequence: Number(match[1]), bytes: statSync(path).size });
    }
  }

  /** The number of the newest record. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Bytes in segments and waiting to be written. */
  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, this.#pendingBytes);
  }

  /** True after a write failed, until one succeeds again. */
  get failing(): boolean {
    return this.#failing;
  }

  /** Every readable record on disk, oldest first. Call once, before the first append. */
  *replay(): Generator<WalRecord> {
    for (const segment of this.#segments) {
      let bytes: Buffer;
      try {
        bytes = readFileSync(segment.path);
      } catch (error) {
        this.#options.logger.warn('a segment of the write-ahead log cannot be read', { path: segment.path, error });
        continue;
      }
      const damaged = (at: number): void =>
        this.#options.logger.warn('a segment of the write-ahead log is damaged; the rest of it was kept', {
          path: segment.path,
          at,
        });
      for (const record of decodeRecords(bytes, damaged)) {
        if (record.sequence > this.#sequence) this.#sequence = record.sequence;
        yield record;
      }
    }
  }

  /** Numbers continue after this one at least; call before the first append. */
  continueAfter(sequence: number): void {
    this.#sequence = Math.max(this.#sequence, sequence, ...this.#segments.map((segment) => segment.firstSequence));
  }

  /**
   * Takes a record, in one piece or two (which must not change afterwards), and gives its number. Durable after `flush`.
   */
  append(kind: number, payload: Buffer, more?: Uint8Array): number {
    this.#sequence++;
    if (this.#pending.length === 0) this.#pendingFirst = this.#sequence;
    this.#pending.push(encodeRecordHeader(this.#sequence, kind, payload, more), payload);
    if (more) this.#pending.push(more);
    this.#pendingBytes += RECORD_HEADER_BYTES + payload.length + (more?.length ?? 0);
    return this.#sequence;
  }

  /** Resolves when everything appended so far is on disk; rejects where it could not be written. */
  flush(): Promise<void> {
    if (this.#closed) return Promise.reject(walError('the store is closed'));
    if (this.#pending.length === 0) return this.#running ?? Promise.resolve();
    if (!this.#running) return this.#start();
    this.#next ??= this.#running.then(
      () => this.#startNext(),
      () => this.#startNext(),
    );
    return this.#next;
  }

  #startNext(): Promise<void> {
    this.#next = undefined;
    return this.#pending.length === 0 ? Promise.resolve() : this.#start();
  }

  #start(): Promise<void> {
    const run = this.#write().finally(() => {
      if (this.#running === run) this.#running = undefined;
    });
    this.#running = run;
    run.catch(() => undefined);
    return run;
  }

  async #write(): Promise<void> {
    const buffers = this.#pending;
    const bytes = this.#pendingBytes;
    const first = this.#pendingFirst;
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      const segment = await this.#segmentFor(first);
      const fd = this.#fd;
      if (fd === undefined) throw walError('no segment is open');
      let position = segment.bytes;
      let rest = buffers;
      while (rest.length > 0) {
        const part = rest.slice(0, 512);
        const want = part.reduce((sum, buffer) => sum + buffer.length, 0);
        const written = await writeAll(fd, part, position);
        if (written !== want) throw walError(`only ${written} of ${want} bytes could be written`);
        position += written;
        rest = rest.slice(512);
      }
      await sync(fd);
      segment.bytes += bytes;
      if (this.#failing) this.#options.logger.info('the write-ahead log can be written again');
      this.#failing = false;
    } catch (error) {
      if (!this.#failing)
        this.#options.logger.warn('the write-ahead log cannot be written; data is refused until it can', { error });
      this.#failing = true;
      await this.#abandonSegment();
      throw error instanceof LabError ? error : walError('the write-ahead log cannot be written', error);
    }
  }

  async #segmentFor(first: number): Promise<Segment> {
    if (this.#current && this.#fd !== undefined && this.#current.bytes < this.#options.segmentBytes)
      return this.#current;
    if (this.#fd !== undefined) await closeFile(this.#fd);
    this.#fd = undefined;
    const path = join(this.#options.directory, `${this.#options.name}-${String(first).padStart(16, '0')}.wal`);
    const segment: Segment = { path, firstSequence: first, bytes: 0 };
    this.#fd = await openFile(path, 'w', 0o600);
    this.#segments.push(segment);
    this.#current = segment;
    return segment;
  }

  /** After a failed write: cut what was half written, and let the next write begin a new segment. */
  async #abandonSegment(): Promise<void> {
    const fd = this.#fd;
    const segment = this.#current;
    this.#fd = undefined;
    this.#current = undefined;
    if (fd === undefined || !segment) return;
    try {
      await truncateFile(fd, segment.bytes);
    } catch {
      // The checksums make a reader skip what is left there.
    }
    await closeFile(fd).catch(() => undefined);
  }

  /** Segments that hold nothing newer than this are taken away; the one that is written to only once the log is closed. */
  removeThrough(sequence: number): void {
    while (this.#segments.length > 0) {
      const [first, second] = this.#segments;
      if (!first || first === this.#current) return;
      const last = second ? second.firstSequence - 1 : this.#sequence;
      if (last > sequence) return;
      this.#segments.shift();
      try {
        unlinkSync(first.path);
      } catch (error) {
        this.#options.logger.warn('an old segment of the write-ahead log cannot be removed', {
          path: first.path,
          error,
        });
      }
    }
  }

  /** The newest record number of which the oldest `bytes` of the log must go, so that the rest is within the size. */
  sequenceBeyond(maxBytes: number): number {
    let excess = this.bytes - maxBytes;
    let through = 0;
    for (let i = 0; i + 1 < this.#segments.length && excess > 0; i++) {
      excess -= this.#segments[i]?.bytes ?? 0;
      through = (this.#segments[i + 1]?.firstSequence ?? 1) - 1;
    }
    return through;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    await this.flush().catch(() => undefined);
    this.#closed = true;
    await this.#next?.catch(() => undefined);
    await this.#running?.catch(() => undefined);
    if (this.#fd !== undefined) await closeFile(this.#fd).catch(() => undefined);
    this.#fd = undefined;
    this.#current = undefined;
  }
}

function walError(message: string, cause?: unknown): LabError {
  return new LabError(message, {
    code: 'TELEMETRY_WRITE_FAILED',
    side: 'user',
    remedy: 'Look whether the disk of the data directory is full.',
    cause,
  });
}
