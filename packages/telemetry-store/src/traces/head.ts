import type { SpanCatalog } from './catalog.ts';
import { type WalkedSpan, walkRequest } from './request-walker.ts';

/** Spans at which a head is closed and sealed as one block. */
export const BLOCK_SPANS = 8192;
export const BLOCK_BYTES = 6 * 1024 * 1024;

/** What listeners (span metrics, for one) hear of each span as it comes in. */
export interface ArrivedSpan {
  readonly operation: number;
  readonly resource: number;
  /** Nanoseconds; negative where the clock went backwards. */
  readonly durationNs: number;
  readonly startUs: number;
  readonly isError: boolean;
  /** The bytes that hold the ids. */
  readonly bytes: Buffer;
  readonly traceIdAt: number;
  readonly spanIdAt: number;
}

/** Spans that are not sealed yet: their bytes as they came, and columns over them. */
export class SpanHead {
  readonly catalog: SpanCatalog;
  firstSequence = 0;
  lastSequence = 0;
  count = 0;
  bytes = 0;
  minStartUs = Infinity;
  maxStartUs = -Infinity;
  readonly buffers: Buffer[] = [];
  /** Rows of a trace: the first, and from each the next. By the id's sixteen bytes as latin1. */
  readonly traces = new Map<string, number>();
  traceIds: string[] = [];
  traceFirst: number[] = [];
  traceLast: number[] = [];
  trace = new Uint32Array(256);
  next = new Int32Array(256);
  buffer = new Uint32Array(256);
  at = new Uint32Array(256);
  end = new Uint32Array(256);
  operation = new Uint32Array(256);
  resource = new Uint32Array(256);
  scope = new Uint32Array(256);
  startUs = new Float64Array(256);
  durationNs = new Float64Array(256);
  isError = new Uint8Array(256);
  /** Places of the ids in the buffer; -1 for no parent. The start in two halves. */
  spanIdAt = new Uint32Array(256);
  parentIdAt = new Int32Array(256);
  startLow = new Uint32Array(256);
  startHigh = new Uint32Array(256);

  constructor(catalog: SpanCatalog) {
    this.catalog = catalog;
  }

  get full(): boolean {
    return this.count >= BLOCK_SPANS || this.bytes >= BLOCK_BYTES;
  }

  /** Takes a whole request, which was checked before; spans without usable ids are passed over. */
  append(request: Buffer, sequence: number, onSpan?: (span: ArrivedSpan) => void): void {
    if (this.firstSequence === 0) this.firstSequence = sequence;
    this.lastSequence = sequence;
    this.bytes += request.length;
    const bufferIndex = this.buffers.push(request) - 1;
    const { catalog } = this;
    let resource = catalog.resources[0];
    let scope = catalog.scopes[0];
    walkRequest(request, {
      resource: (bytes) => {
        resource = catalog.resource(bytes);
      },
      scope: (bytes) => {
        scope = catalog.scope(bytes);
      },
      span: (span) => {
        if (span.traceIdAt < 0 || span.spanIdAt < 0 || !resource || !scope) return;
        const row = this.#row(request, span);
        const operation = catalog.operation(resource.serviceId, span.kind, request, span.nameAt, span.nameEnd);
        this.buffer[row] = bufferIndex;
        this.operation[row] = operation.id;
        this.resource[row] = resource.id;
        this.scope[row] = scope.id;
        onSpan?.({
          operation: operation.id,
          resource: resource.id,
          durationNs: this.durationNs[row] ?? 0,
          startUs: this.startUs[row] ?? 0,
          isError: span.isError,
          bytes: request,
          traceIdAt: span.traceIdAt,
          spanIdAt: span.spanIdAt,
        });
      },
    });
  }

  #row(request: Buffer, span: WalkedSpan): number {
    const row = this.count++;
    if (row === this.trace.length) this.#grow();
    const key = request.toString('latin1', span.traceIdAt, span.traceIdAt + 16);
    let trace = this.traces.get(key);
    if (trace === undefined) {
      trace = this.traceIds.length;
      this.traces.set(key, trace);
      this.traceIds.push(key);
      this.traceFirst.push(row);
      this.traceLast.push(row);
    } else {
      this.next[this.traceLast[trace] ?? 0] = row;
      this.traceLast[trace] = row;
    }
    this.next[row] = -1;
    this.trace[row] = trace;
    this.at[row] = span.at;
    this.end[row] = span.end;
    this.isError[row] = span.isError ? 1 : 0;
    this.spanIdAt[row] = span.spanIdAt;
    this.parentIdAt[row] = span.parentIdAt;
    this.startLow[row] = span.startLow;
    this.startHigh[row] = span.startHigh;
    const startUs = span.startHigh * 4_294_967.296 + span.startLow / 1000;
    this.startUs[row] = startUs;
    this.durationNs[row] = (span.endHigh - span.startHigh) * 4_294_967_296 + (span.endLow - span.startLow);
    if (startUs < this.minStartUs) this.minStartUs = startUs;
    if (startUs > this.maxStartUs) this.maxStartUs = startUs;
    return row;
  }

  /** In hexadecimal. */
  traceIdOf(row: number): string {
    return Buffer.from(this.traceIds[this.trace[row] ?? 0] ?? '', 'latin1').toString('hex');
  }

  /** Rows of a trace in the order of arrival. */
  *rowsOf(trace: number): Generator<number> {
    for (let row = this.traceFirst[trace] ?? -1; row >= 0; row = this.next[row] ?? -1) yield row;
  }

  #grow(): void {
    const size = this.trace.length * 2;
    const grow = <A extends Uint32Array | Int32Array | Float64Array | Uint8Array>(from: A, to: A): A => {
      to.set(from);
      return to;
    };
    this.trace = grow(this.trace, new Uint32Array(size));
    this.next = grow(this.next, new Int32Array(size));
    this.buffer = grow(this.buffer, new Uint32Array(size));
    this.at = grow(this.at, new Uint32Array(size));
    this.end = grow(this.end, new Uint32Array(size));
    this.operation = grow(this.operation, new Uint32Array(size));
    this.resource = grow(this.resource, new Uint32Array(size));
    this.scope = grow(this.scope, new Uint32Array(size));
    this.startUs = grow(this.startUs, new Float64Array(size));
    this.durationNs = grow(this.durationNs, new Float64Array(size));
    this.isError = grow(this.isError, new Uint8Array(size));
    this.spanIdAt = grow(this.spanIdAt, new Uint32Array(size));
    this.parentIdAt = grow(this.parentIdAt, new Int32Array(size));
    this.startLow = grow(this.startLow, new Uint32Array(size));
    this.startHigh = grow(this.startHigh, new Uint32Array(size));
  }
}
