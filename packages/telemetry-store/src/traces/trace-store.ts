import { join } from 'node:path';
import {
  compareStrings,
  type Span,
  type SpanKind,
  type TraceReader,
  type TraceSearch,
  type TraceWriter,
} from '@kind-e2e/telemetry';
import { BackgroundWork } from '../background-work.ts';
import { Database } from '../database.ts';
import type { SignalStoreOptions } from '../metrics/metric-store.ts';
import { RateLimit, Refusals } from '../rate-limit.ts';
import { WriteAheadLog } from '../wal/write-ahead-log.ts';
import { assembleTrace } from './assemble.ts';
import { hashTraceId, type PackedBlock, packBlock } from './block.ts';
import { SpanCatalog } from './catalog.ts';
import { countEdges, EdgeCounter } from './dependencies.ts';
import { type Block, TRACES_SCHEMA, TracesFile } from './file.ts';
import { spansOfHead } from './group-codec.ts';
import { type ArrivedSpan, SpanHead } from './head.ts';
import { RECORD_SPANS_MAX, splitRequest } from './request-splitter.ts';
import { walkRequest } from './request-walker.ts';
import { searchTraces } from './search.ts';
import { encodeSpans } from './span-codec.ts';

const RECORD_REQUEST = 1;
const MAX_WAL_BYTES = 32 * 1024 * 1024;
/** Heads that wait to be sealed, beyond which writers wait. */
const MAX_WAITING_HEADS = 2;
const STEP_MS = 4;
const RETENTION_EVERY_MS = 60_000;

type AppendAnswer = Awaited<ReturnType<TraceWriter['append']>>;

/** Told of every span that is taken, before it is durable. */
export type SpanListener = (span: ArrivedSpan, catalog: SpanCatalog) => void;

/** Traces: OTLP bytes with columns over them in memory and in a write-ahead log, packed blocks in SQLite. */
export class TraceStore implements TraceReader, TraceWriter, AsyncDisposable {
  readonly #options: SignalStoreOptions;
  readonly #db: Database;
  readonly #file: TracesFile;
  readonly #wal: WriteAheadLog;
  readonly #catalog = new SpanCatalog();
  readonly #rate: RateLimit;
  readonly #background: BackgroundWork;
  readonly #listeners = new Set<SpanListener>();
  #blocks: Block[] = [];
  #head: SpanHead;
  #closed: SpanHead[] = [];
  #packing: Generator<undefined, PackedBlock> | undefined;
  #nextBlock = 1;
  #retentionAt: number;

  constructor(options: SignalStoreOptions) {
    this.#options = options;
    const path = join(options.directory, 'traces.db');
    this.#db = new Database({ path, schema: TRACES_SCHEMA, clock: options.clock, logger: options.logger });
    this.#file = new TracesFile(this.#db);
    this.#wal = new WriteAheadLog({
      directory: join(options.directory, 'wal'),
      name: 'traces',
      logger: options.logger,
    });
    this.#rate = new RateLimit(options.limits.maxSpansPerSecond, options.clock);
    this.#file.loadCatalog(this.#catalog);
    this.#blocks = this.#file.blocks();
    this.#head = new SpanHead(this.#catalog);
    this.#retentionAt = options.clock.monotonic() + 5000;
    this.#replay();
    this.#background = new BackgroundWork(() => this.#step(), options);
  }

  #replay(): void {
    let sealed = this.#file.state('sealed_sequence');
    for (const block of this.#blocks) {
      sealed = Math.max(sealed, block.sequence);
      this.#nextBlock = Math.max(this.#nextBlock, block.id + 1);
    }
    for (const { sequence, kind, payload } of this.#wal.replay()) {
      if (kind !== RECORD_REQUEST || sequence <= sealed) continue;
      try {
        this.#appendToHead(payload, sequence);
      } catch (error) {
        this.#options.logger.warn('a record of the write-ahead log makes no sense and was left out', {
          sequence,
          error,
        });
      }
    }
    this.#wal.continueAfter(sealed);
  }

  #appendToHead(request: Buffer, sequence: number, onSpan?: (span: ArrivedSpan) => void): void {
    if (this.#head.full) this.#closeHead();
    this.#head.append(request, sequence, onSpan);
  }

  #closeHead(): void {
    if (this.#head.count === 0) return;
    this.#closed.push(this.#head);
    this.#head = new SpanHead(this.#catalog);
  }

  /** Calls for each span that comes in; dispose to stop. */
  listen(listener: SpanListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  get catalog(): SpanCatalog {
    return this.#catalog;
  }

  // --- TraceWriter

  append(spans: readonly Span[]): Promise<AppendAnswer> {
    return this.appendRequest(encodeSpans(spans).copy());
  }

  /**
   * Takes an OTLP ExportTraceServiceRequest as it is. Spans without valid ids, or too large, are refused and counted;
   * bytes that are no such message throw a MalformedError and nothing is taken. The bytes must not change afterwards.
   */
  async appendRequest(request: Buffer): Promise<AppendAnswer> {
    const refusals = new Refusals();
    const { spans, bad } = this.#inspect(request, refusals);
    const allowed = this.#rate.take(spans - bad);
    if (bad === 0 && allowed === spans && spans <= RECORD_SPANS_MAX) {
      if (spans > 0) this.#take(request);
    } else {
      refusals.add('rate limit exceeded', spans - bad - allowed);
      for (const part of splitRequest(request, allowed, this.#options.limits.maxSpanBytes)) this.#take(part);
    }
    await this.#wal.flush();
    while (this.#closed.length > MAX_WAITING_HEADS && !this.#wal.failing) {
      this.#step();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return { accepted: allowed, rejected: refusals.list().filter((refusal) => refusal.count > 0) };
  }

  #inspect(request: Buffer, refusals: Refusals): { spans: number; bad: number } {
    const { maxSpanBytes } = this.#options.limits;
    let spans = 0;
    let bad = 0;
    walkRequest(request, {
      resource: (bytes) => {
        this.#catalog.resource(bytes);
      },
      scope: (bytes) => {
        this.#catalog.scope(bytes);
      },
      span: (span) => {
        spans++;
        const reason =
          span.traceIdAt < 0
            ? 'invalid trace id'
            : span.spanIdAt < 0
              ? 'invalid span id'
              : span.end - span.at > maxSpanBytes
                ? `span larger than ${maxSpanBytes} bytes`
                : undefined;
        if (reason === undefined) return;
        bad++;
        refusals.add(reason);
      },
    });
    return { spans, bad };
  }

  #take(request: Buffer): void {
    const sequence = this.#wal.append(RECORD_REQUEST, request);
    const listeners = this.#listeners;
    const onSpan =
      listeners.size === 0
        ? undefined
        : (span: ArrivedSpan): void => {
            for (const listener of listeners) listener(span, this.#catalog);
          };
    this.#appendToHead(request, sequence, onSpan);
    if (this.#head.full) {
      this.#closeHead();
      this.#background.wake();
    }
  }

  // --- sealing

  #step(): boolean {
    const head = this.#closed[0];
    if (head) {
      this.#sealSome(head);
      return true;
    }
    if (this.#wal.bytes > MAX_WAL_BYTES && this.#head.count > 0) {
      this.#closeHead();
      return true;
    }
    const now = this.#options.clock.monotonic();
    if (now >= this.#retentionAt) {
      this.#retentionAt = now + RETENTION_EVERY_MS;
      this.#expire();
    }
    return false;
  }

  #sealSome(head: SpanHead): void {
    const { clock } = this.#options;
    this.#packing ??= packBlock(head);
    const until = clock.monotonic() + STEP_MS;
    while (clock.monotonic() < until) {
      const { done, value } = this.#packing.next();
      if (!done) continue;
      this.#packing = undefined;
      const id = this.#nextBlock;
      try {
        this.#file.writeBlock(id, head.lastSequence, value, this.#catalog);
      } catch (error) {
        // Packed again next time: the disk may be full for long, and memory is dearer than time.
        this.#packing = undefined;
        throw error;
      }
      this.#nextBlock++;
      this.#blocks.push({ id, sequence: head.lastSequence, summary: value.summary });
      this.#closed.shift();
      this.#wal.removeThrough(head.lastSequence);
      return;
    }
  }

  #expire(): void {
    const { retention, clock } = this.#options;
    if (!retention) return;
    const cut = (clock.now() - retention.maxAgeMs) * 1000;
    const tooLarge = this.#db.usedBytes > retention.maxBytes ? Math.ceil(this.#blocks.length / 10) : 0;
    const oldest = [...this.#blocks].sort((a, b) => a.summary.maxStartUs - b.summary.maxStartUs);
    const gone = new Set(oldest.filter((block, i) => block.summary.maxStartUs < cut || i < tooLarge).slice(0, 50));
    if (gone.size === 0) return;
    // What was sealed stays sealed, though the block that says so goes.
    this.#file.setState('sealed_sequence', Math.max(...this.#blocks.map((block) => block.sequence)));
    for (const block of gone) this.#file.deleteBlock(block.id);
    this.#blocks = this.#blocks.filter((block) => !gone.has(block));
    this.#db.shrink(512);
  }

  // --- TraceReader

  trace(traceId: string, ids: 'unique' | 'as-sent' = 'unique'): readonly Span[] {
    const id = Buffer.from(traceId.padStart(32, '0'), 'hex');
    if (id.length !== 16) return [];
    const key = id.toString('latin1');
    const spans: Span[] = [];
    for (const head of this.#heads) {
      const trace = head.traces.get(key);
      if (trace !== undefined) spans.push(...spansOfHead(head, trace));
    }
    const hash = hashTraceId(id, 0);
    for (const block of this.#blocks) {
      const { hashes, starts, groups } = block.summary;
      const end = starts[(hash >>> 24) + 1] ?? 0;
      for (let at = starts[hash >>> 24] ?? 0; at < end; at++) {
        if (hashes[at] !== hash) continue;
        const group = this.#file.group(block.id, groups[at] ?? 0);
        const index = group?.indexOf(id) ?? -1;
        if (!group || index < 0) continue;
        try {
          spans.push(...group.spans(index, this.#catalog));
        } catch (error) {
          this.#db.warnDamage(error);
        }
      }
    }
    return assembleTrace(spans, ids);
  }

  search(search: TraceSearch): readonly (readonly Span[])[] {
    const ids = searchTraces(search, this.#catalog, this.#heads, this.#blocks, this.#file);
    return ids.map((id) => this.trace(id));
  }

  get #heads(): readonly SpanHead[] {
    return [...this.#closed, this.#head];
  }

  services(): readonly string[] {
    const services = new Set<string>();
    for (const id of this.#operationsInUse()) services.add(this.#catalog.operations[id]?.service ?? '');
    services.delete('');
    return [...services].sort(compareStrings);
  }

  operations(service: string, kind?: SpanKind): readonly { readonly name: string; readonly kind: SpanKind }[] {
    const found: { name: string; kind: SpanKind }[] = [];
    for (const id of this.#operationsInUse()) {
      const operation = this.#catalog.operations[id];
      if (operation?.name === undefined || operation.service !== service) continue;
      if (kind === undefined || operation.kind === kind) found.push({ name: operation.name, kind: operation.kind });
    }
    return found.sort((a, b) => compareStrings(a.name, b.name) || compareStrings(a.kind, b.kind));
  }

  /** Operations of which a span is still kept. */
  #operationsInUse(): Set<number> {
    const ids = new Set<number>();
    for (const block of this.#blocks) for (const id of block.summary.operations.keys()) ids.add(id);
    for (const head of this.#heads) for (let row = 0; row < head.count; row++) ids.add(head.operation[row] ?? 0);
    return ids;
  }

  dependencies(startNs: bigint, endNs: bigint): ReturnType<TraceReader['dependencies']> {
    const startUs = Number(startNs) / 1000;
    const endUs = Number(endNs) / 1000;
    const edges = new EdgeCounter();
    for (const { id, summary } of this.#blocks) {
      if (summary.maxStartUs < startUs || summary.minStartUs > endUs) continue;
      for (const { parent, child, callCount, errorCount } of this.#file.edges(id))
        edges.add(parent, child, callCount, errorCount);
    }
    for (const head of this.#heads)
      for (let trace = 0; trace < head.traceIds.length; trace++) countEdges(head, trace, edges, startUs, endUs);
    return edges.list().sort((a, b) => compareStrings(a.parent, b.parent) || compareStrings(a.child, b.child));
  }

  get fileBytes(): number {
    return this.#db.usedBytes;
  }

  get spanCount(): number {
    return (
      this.#blocks.reduce((sum, block) => sum + block.summary.count, 0) + this.#heads.reduce((n, h) => n + h.count, 0)
    );
  }

  /** Seals everything, so that the next start has nothing to replay. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#background[Symbol.dispose]();
    await this.#wal.flush().catch(() => undefined);
    try {
      // A small head stays in the log: a block of its own for a few spans would be a waste.
      if (this.#head.count >= BLOCK_WORTH_SPANS) this.#closeHead();
      for (let head = this.#closed[0]; head; head = this.#closed[0]) {
        this.#sealSome(head);
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      this.#options.logger.warn('spans could not be sealed; the write-ahead log keeps them', { error });
    }
    await this.#wal[Symbol.asyncDispose]();
    this.#db[Symbol.dispose]();
  }
}

const BLOCK_WORTH_SPANS = 4096;
