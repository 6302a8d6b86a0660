import { join } from 'node:path';
import {
  type LabelMatcher,
  type Labels,
  type LogChunk,
  type LogEntry,
  type LogReader,
  type LogSelection,
  type LogWriter,
  matchesAll,
} from '@kind-e2e/telemetry';
import { BackgroundWork } from '../background-work.ts';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { Database } from '../database.ts';
import { LabelIndex } from '../label-index.ts';
import { decodeLabels, encodeLabels } from '../metrics/file.ts';
import type { SignalStoreOptions } from '../metrics/metric-store.ts';
import { RateLimit, Refusals } from '../rate-limit.ts';
import { WriteAheadLog } from '../wal/write-ahead-log.ts';
import type { Lines } from './chunk-codec.ts';
import { LOGS_SCHEMA, LogsFile } from './file.ts';
import { entriesOf, readBlock, sliceLines, timeSpanOf, writeBlock } from './line-block.ts';
import { selectChunks, streamVolume } from './read.ts';
import {
  problemOfLabels,
  RATE_LIMITED,
  tooFarBehind,
  tooLong,
  tooManyStreams,
  tooNew,
  tooOld,
} from './refusal-words.ts';
import { LogSealer } from './sealer.ts';
import { LogStream } from './stream.ts';

const RECORD_STREAMS = 1;
const RECORD_LINES = 2;
const RECORD_BLOCK = 3;
const RECORD_BYTES_MAX = 128 * 1024;

type LogInput = Parameters<LogWriter['append']>[0];
type Taken = { readonly labels: Labels; readonly entries: LogEntry[] };
type Subscriber = {
  readonly matchers: readonly LabelMatcher[];
  readonly call: (labels: Labels, entries: readonly LogEntry[]) => void;
};

/** Logs: lines in memory and in a write-ahead log, compressed chunks per stream in SQLite. */
export class LogStore implements LogReader, LogWriter, AsyncDisposable {
  readonly #options: SignalStoreOptions;
  readonly #db: Database;
  readonly #file: LogsFile;
  readonly #wal: WriteAheadLog;
  readonly #index = new LabelIndex<LogStream>();
  readonly #byId = new Map<number, LogStream>();
  readonly #subscribers = new Set<Subscriber>();
  readonly #rate: RateLimit;
  readonly #sealer: LogSealer;
  readonly #background: BackgroundWork;
  readonly #record = new ByteWriter(RECORD_BYTES_MAX * 2);
  #nextId = 1;

  constructor(options: SignalStoreOptions) {
    this.#options = options;
    const path = join(options.directory, 'logs.db');
    this.#db = new Database({ path, schema: LOGS_SCHEMA, clock: options.clock, logger: options.logger });
    this.#file = new LogsFile(this.#db);
    this.#wal = new WriteAheadLog({ directory: join(options.directory, 'wal'), name: 'logs', logger: options.logger });
    this.#rate = new RateLimit(options.limits.maxLinesPerSecond, options.clock);
    this.#sealer = new LogSealer({
      file: this.#file,
      db: this.#db,
      wal: this.#wal,
      streams: () => this.#index.values(),
      remove: (stream) => {
        this.#index.remove(stream);
        this.#byId.delete(stream.id);
      },
      retention: options.retention,
      clock: options.clock,
    });
    this.#load();
    this.#background = new BackgroundWork(() => this.#sealer.step(), options);
  }

  #load(): void {
    for (const stored of this.#file.streams()) {
      const stream = new LogStream(stored.id, stored.labels, true);
      stream.minTime = stored.minTime;
      stream.maxTime = stored.maxTime;
      stream.diskMaxTime = stored.maxTime;
      stream.sealedSequence = stored.sequence;
      this.#add(stream);
    }
    for (const { sequence, kind, payload } of this.#wal.replay()) {
      try {
        if (kind === RECORD_STREAMS) this.#replayStreams(payload);
        else if (kind === RECORD_LINES) this.#replayLines(payload, sequence);
        else if (kind === RECORD_BLOCK) this.#replayBlock(payload, sequence);
      } catch (error) {
        this.#options.logger.warn('a record of the write-ahead log makes no sense and was left out', {
          sequence,
          error,
        });
      }
    }
    this.#wal.continueAfter(Math.max(this.#file.newestSequence(), this.#file.state('last_sequence')));
  }

  #replayStreams(payload: Buffer): void {
    const reader = new ByteReader(payload);
    while (!reader.done) {
      const id = reader.varint();
      const labels = decodeLabels(reader.lengthPrefixed());
      // An id that the log once gave must not be given again, even where its stream is lost.
      this.#nextId = Math.max(this.#nextId, id + 1);
      if (!this.#byId.has(id) && !this.#index.get(labels)) this.#add(new LogStream(id, labels, false));
    }
  }

  #replayLines(payload: Buffer, sequence: number): void {
    const reader = new ByteReader(payload);
    while (!reader.done) {
      const id = reader.varint();
      this.#nextId = Math.max(this.#nextId, id + 1);
      const stream = this.#byId.get(id);
      const count = reader.varint();
      for (let i = 0; i < count; i++) {
        const time = reader.i64();
        const metadata = reader.lengthPrefixed();
        const line = reader.lengthPrefixed();
        if (!stream || sequence <= stream.sealedSequence) continue;
        const labels = metadata.length > 0 ? decodeLabels(metadata) : undefined;
        if (stream.append(time, line, labels, sequence)) this.#sealer.closed(stream);
      }
    }
  }

  #replayBlock(payload: Buffer, sequence: number): void {
    const reader = new ByteReader(payload);
    const id = reader.varint();
    this.#nextId = Math.max(this.#nextId, id + 1);
    const stream = this.#byId.get(id);
    const lines = readBlock(reader);
    if (!stream || sequence <= stream.sealedSequence || lines.ends.length === 0) return;
    if (stream.appendLines(lines, timeSpanOf(lines.timestamps), sequence).hasClosed) this.#sealer.closed(stream);
  }

  #add(stream: LogStream): void {
    this.#index.add(stream);
    this.#byId.set(stream.id, stream);
    if (stream.id >= this.#nextId) this.#nextId = stream.id + 1;
  }

  // --- LogWriter

  append(streams: LogInput): ReturnType<LogWriter['append']> {
    // Not an async function: it would keep the entries in memory until the log is written.
    const refusals = new Refusals();
    const taken: Taken[] = [];
    let accepted = 0;
    for (const { labels, entries } of streams) {
      const allowed = this.#rate.take(entries.length);
      if (allowed < entries.length) refusals.add(RATE_LIMITED, entries.length - allowed);
      if (allowed === 0) continue;
      const stream = this.#index.get(labels) ?? this.#create(labels, allowed, refusals);
      if (!stream) continue;
      accepted += this.#appendStream(stream, entries, allowed, refusals, taken);
    }
    this.#writeRecord();
    return this.#acknowledge(accepted, refusals, taken);
  }

  /** The same with lines in blocks, without structured metadata: many times as fast. */
  appendLines(streams: readonly { readonly labels: Labels; readonly lines: Lines }[]): ReturnType<LogWriter['append']> {
    const refusals = new Refusals();
    const taken: Taken[] = [];
    let accepted = 0;
    for (const { labels, lines } of streams) {
      const count = lines.ends.length;
      if (count === 0) continue;
      const allowed = this.#rate.take(count);
      if (allowed < count) refusals.add(RATE_LIMITED, count - allowed);
      if (allowed === 0) continue;
      const stream = this.#index.get(labels) ?? this.#create(labels, allowed, refusals);
      if (!stream) continue;
      if (allowed === count && this.#subscribers.size === 0 && this.#areWithinLimits(stream, lines)) {
        this.#appendBlocks(stream, lines);
        accepted += count;
      } else accepted += this.#appendStream(stream, entriesOf(lines), allowed, refusals, taken);
    }
    this.#writeRecord();
    return this.#acknowledge(accepted, refusals, taken);
  }

  /** Whether none of the lines can be refused, whatever their order. */
  #areWithinLimits(stream: LogStream, { timestamps, ends }: Lines): boolean {
    const { retention, limits } = this.#options;
    for (let i = 0, start = 0; i < ends.length; i++) {
      const end = ends[i] ?? 0;
      if (end - start > limits.maxLineBytes) return false;
      start = end;
    }
    if (!retention) return true;
    const { minTime, maxTime } = timeSpanOf(timestamps);
    const { newest, oldest, window } = this.#timeLimits();
    const latest = maxTime > stream.maxTime ? maxTime : stream.maxTime;
    return maxTime <= newest && minTime >= oldest && minTime >= latest - window;
  }

  #appendBlocks(stream: LogStream, lines: Lines): void {
    // What was taken before must not get a later number.
    this.#writeRecord();
    const { ends } = lines;
    for (let from = 0, to = 0; from < ends.length; from = to) {
      const start = from === 0 ? 0 : (ends[from - 1] ?? 0);
      for (to = from + 1; to < ends.length && (ends[to] ?? 0) - start < RECORD_BYTES_MAX; ) to++;
      const block = sliceLines(lines, from, to);
      const out = this.#record;
      out.varint(stream.id);
      writeBlock(out, block);
      const { text, hasClosed } = stream.appendLines(block, timeSpanOf(block.timestamps), this.#wal.sequence + 1);
      this.#wal.append(RECORD_BLOCK, out.copy(), text);
      out.reset();
      if (hasClosed) this.#sealer.closed(stream);
    }
  }

  #timeLimits(): { newest: bigint; oldest: bigint; window: bigint } {
    const { clock, retention, limits } = this.#options;
    const nowNs = BigInt(Math.trunc(clock.now())) * 1_000_000n;
    return {
      newest: nowNs + BigInt(limits.maxFutureMs) * 1_000_000n,
      oldest: retention ? nowNs - BigInt(retention.maxAgeMs) * 1_000_000n : 0n,
      window: BigInt(limits.outOfOrderWindowMs) * 1_000_000n,
    };
  }

  async #acknowledge(accepted: number, refusals: Refusals, taken: readonly Taken[]): ReturnType<LogWriter['append']> {
    await this.#wal.flush();
    if (taken.length > 0) this.#publish(taken);
    await this.#sealer.catchUp();
    return { accepted, rejected: refusals.list() };
  }

  #appendStream(
    stream: LogStream,
    entries: readonly LogEntry[],
    allowed: number,
    refusals: Refusals,
    taken: Taken[],
  ): number {
    const { retention, limits } = this.#options;
    const { newest, oldest, window } = this.#timeLimits();
    const copies: LogEntry[] | undefined = this.#subscribers.size > 0 ? [] : undefined;
    if (copies) taken.push({ labels: stream.labels, entries: copies });
    const out = this.#record;
    const behind: bigint[] = [];
    let accepted = 0;
    for (let i = 0; i < allowed; ) {
      out.varint(stream.id);
      const countAt = out.reserveVarint();
      let count = 0;
      const sequence = this.#wal.sequence + 1;
      for (; i < allowed && out.length < RECORD_BYTES_MAX; i++) {
        const entry = entries[i];
        if (!entry) continue;
        const time = entry.timestampNs;
        if (retention) {
          if (time > newest) refusals.add(tooNew(stream.labels, time));
          else if (time < oldest) refusals.add(tooOld(stream.labels, time, oldest));
          else if (time < stream.maxTime - window) behind.push(time);
          if (time > newest || time < oldest || time < stream.maxTime - window) continue;
        }
        if (entry.line.length * 3 > limits.maxLineBytes && Buffer.byteLength(entry.line) > limits.maxLineBytes) {
          refusals.add(tooLong(stream.labels, Buffer.byteLength(entry.line), limits.maxLineBytes));
          continue;
        }
        out.u64(time);
        const metadata = entry.structuredMetadata?.size ? entry.structuredMetadata : undefined;
        if (metadata) out.lengthPrefixed(encodeLabels(metadata));
        else out.u8(0);
        const bytes = out.longString(entry.line);
        const line = out.view().subarray(out.length - bytes, out.length);
        if (stream.append(time, line, metadata, sequence)) this.#sealer.closed(stream);
        copies?.push(entry);
        count++;
      }
      out.setVarint(countAt, count);
      accepted += count;
      if (out.length >= RECORD_BYTES_MAX) this.#writeRecord();
    }
    if (behind.length > 0)
      refusals.add(tooFarBehind(stream.labels, behind, stream.maxTime - window, entries.length), behind.length);
    return accepted;
  }

  #writeRecord(): void {
    if (this.#record.length === 0) return;
    this.#wal.append(RECORD_LINES, this.#record.copy());
    this.#record.reset();
  }

  #create(labels: Labels, entries: number, refusals: Refusals): LogStream | undefined {
    const { limits } = this.#options;
    if (limits.maxStreams > 0 && this.#index.size >= limits.maxStreams) {
      refusals.add(tooManyStreams(labels), entries);
      return undefined;
    }
    const problem = problemOfLabels(labels, limits);
    if (problem !== undefined) {
      refusals.add(problem, entries);
      return undefined;
    }
    const stream = new LogStream(this.#nextId, labels, false);
    this.#add(stream);
    // The record of lines under way, if any, is written first, so that this one does not get its number.
    this.#writeRecord();
    const out = new ByteWriter(256);
    out.varint(stream.id);
    out.lengthPrefixed(encodeLabels(labels));
    this.#wal.append(RECORD_STREAMS, out.copy());
    return stream;
  }

  #publish(taken: readonly Taken[]): void {
    for (const subscriber of this.#subscribers)
      for (const { labels, entries } of taken) {
        if (entries.length === 0 || !matchesAll(labels, subscriber.matchers)) continue;
        try {
          subscriber.call(labels, entries);
        } catch (error) {
          this.#options.logger.warn('a reader of the live tail failed', { error });
        }
      }
  }

  subscribe(
    matchers: readonly LabelMatcher[],
    onEntries: (labels: Labels, entries: readonly LogEntry[]) => void,
  ): Disposable {
    const subscriber: Subscriber = { matchers, call: onEntries };
    this.#subscribers.add(subscriber);
    return { [Symbol.dispose]: () => this.#subscribers.delete(subscriber) };
  }

  // --- LogReader

  select(selection: LogSelection): Iterable<LogChunk> {
    const damaged = (error: unknown): void => this.#db.warnDamage(error);
    return selectChunks(this.#index.select(selection.matchers), selection, this.#file, damaged);
  }

  streams(selectors: readonly (readonly LabelMatcher[])[], startNs: bigint, endNs: bigint): readonly Labels[] {
    return this.#index
      .selectAny(selectors)
      .filter((stream) => stream.maxTime >= startNs && stream.minTime < endNs)
      .map((stream) => stream.labels);
  }

  volumes(matchers: readonly LabelMatcher[], startNs: bigint, endNs: bigint): ReturnType<LogReader['volumes']> {
    const damaged = (error: unknown): void => this.#db.warnDamage(error);
    return this.#index
      .select(matchers)
      .filter((stream) => stream.maxTime >= startNs && stream.minTime < endNs)
      .map((stream) => streamVolume(stream, startNs, endNs, this.#file, damaged))
      .filter((volume) => volume.entries > 0);
  }

  get fileBytes(): number {
    return this.#db.usedBytes;
  }

  /** Seals everything, so that the next start has nothing to replay. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#background[Symbol.dispose]();
    await this.#wal.flush().catch(() => undefined);
    try {
      await this.#sealer.sealAll();
    } catch (error) {
      this.#options.logger.warn('logs could not be sealed; the write-ahead log keeps them', { error });
    }
    await this.#wal[Symbol.asyncDispose]();
    this.#db[Symbol.dispose]();
  }
}
