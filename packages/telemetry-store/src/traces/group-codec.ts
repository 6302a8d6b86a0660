import type { Span } from '@kind-e2e/telemetry';
import { ByteReader, MalformedError } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { ProtobufReader, WIRE_BYTES } from '../bytes/protobuf.ts';
import { compress, decompress } from '../logs/chunk-codec.ts';
import { bodyHasTag, type WantedTag } from './body-tag.ts';
import type { SpanCatalog } from './catalog.ts';
import { addStatusTags, addTraceStateTag, ScopeTags } from './derived-tags.ts';
import type { SpanHead } from './head.ts';
import { type WalkedSpan, walkSpan } from './request-walker.ts';
import { decodeSpanFields } from './span-codec.ts';
import type { TagPrintsBuilder } from './tag-prints.ts';

/**
 * A group: whole traces (as far as their block has them), compressed together, small enough that reading one trace is
 * quick. Ids, times and references are columns ahead of the bodies; a body is the span's protobuf without them.
 */
const PARENT_NONE = 0;
const PARENT_OUTSIDE = 1;
/** And up: index of the parent in the trace, plus this. */
const PARENT_INSIDE = 2;
/** Higher levels make groups of this size no smaller, and take twice the time. */
const GROUP_LEVEL = 1;
/** What a group has usually, decompressed. */
const USUAL_GROUP_BYTES = 24 * 1024;
const MAX_GROUP_BYTES = 64 * 1024 * 1024;

export class GroupWriter {
  readonly #columns = new ByteWriter(16 * 1024);
  readonly #bodies = new ByteWriter(128 * 1024);
  readonly #scopeTags = new ScopeTags();
  #traces = 0;
  rows = 0;

  get bytes(): number {
    return this.#columns.length + this.#bodies.length;
  }

  addTrace(head: SpanHead, trace: number, prints: TagPrintsBuilder): void {
    const columns = this.#columns;
    const rows = [...head.rowsOf(trace)];
    columns.bytes(Buffer.from(head.traceIds[trace] ?? '', 'latin1'));
    columns.varint(rows.length);
    const bufferOf = (row: number): Buffer => head.buffers[head.buffer[row] ?? 0] ?? NO_BYTES;
    const idOf = (row: number, at: number): string => bufferOf(row).toString('latin1', at, at + 8);
    const byId = new Map(rows.map((row, i) => [idOf(row, head.spanIdAt[row] ?? 0), i]));
    const first = rows[0] ?? 0;
    const baseHigh = head.startHigh[first] ?? 0;
    const baseLow = head.startLow[first] ?? 0;
    columns.u32(baseLow);
    columns.u32(baseHigh);
    for (const row of rows) {
      const buffer = bufferOf(row);
      const spanIdAt = head.spanIdAt[row] ?? 0;
      const parentIdAt = head.parentIdAt[row] ?? -1;
      columns.bytes(buffer.subarray(spanIdAt, spanIdAt + 8));
      const parent = parentIdAt < 0 ? PARENT_NONE : byId.get(idOf(row, parentIdAt));
      if (parentIdAt < 0) columns.varint(PARENT_NONE);
      else if (parent !== undefined) columns.varint(parent + PARENT_INSIDE);
      else {
        columns.varint(PARENT_OUTSIDE);
        columns.bytes(buffer.subarray(parentIdAt, parentIdAt + 8));
      }
      const high = (head.startHigh[row] ?? 0) - baseHigh;
      writeSigned(columns, high * 4_294_967_296 + ((head.startLow[row] ?? 0) - baseLow));
      writeSigned(columns, head.durationNs[row] ?? 0);
      columns.varint(head.operation[row] ?? 0);
      columns.varint(head.resource[row] ?? 0);
      columns.varint(head.scope[row] ?? 0);
      prints.beginSpan(head.operation[row] ?? 0, this.rows++, head.durationNs[row] ?? 0);
      prints.addResource(head.resource[row] ?? 0);
      this.#scopeTags.add(prints, head.scope[row] ?? 0, head.catalog);
      const keepName = head.catalog.operations[head.operation[row] ?? 0]?.name === undefined;
      this.#body(buffer, head.at[row] ?? 0, head.end[row] ?? 0, keepName, prints);
    }
    this.#traces++;
  }

  /** The fields that are not columns, as they came; runs of them are copied at once. */
  #body(buffer: Buffer, at: number, end: number, keepName: boolean, prints: TagPrintsBuilder): void {
    const out = this.#bodies;
    const lengthAt = out.reserveVarint();
    const start = out.length;
    const reader = new ProtobufReader(buffer, at, end);
    let from = at;
    let run = at;
    while (reader.next()) {
      const { field } = reader;
      if (field === 9) {
        reader.expect(WIRE_BYTES);
        const length = reader.varint();
        const from = reader.at;
        reader.skip(length);
        prints.addAttributeAt(buffer, from, reader.at);
      } else if (field === 11) prints.addEvent(reader.message());
      else if (field === 15) addStatusTags(prints, reader.message());
      else if (field === 3) addTraceStateTag(prints, reader.text());
      else reader.skipField();
      const isColumn =
        field === 1 || field === 2 || field === 4 || (field >= 6 && field <= 8) || (field === 5 && !keepName);
      if (isColumn) {
        if (from > run) out.bytes(buffer.subarray(run, from));
        run = reader.at;
      }
      from = reader.at;
    }
    if (from > run) out.bytes(buffer.subarray(run, from));
    out.setVarint(lengthAt, out.length - start);
  }

  take(): Buffer {
    const out = new ByteWriter(this.bytes + 16);
    out.varint(this.#traces);
    out.varint(this.#columns.length);
    out.bytes(this.#columns.view());
    out.bytes(this.#bodies.view());
    this.#columns.reset();
    this.#bodies.reset();
    this.#traces = 0;
    this.rows = 0;
    return compress(out.view(), GROUP_LEVEL);
  }
}

const EMPTY: WalkedSpan = {
  at: 0,
  end: 0,
  traceIdAt: -1,
  spanIdAt: -1,
  parentIdAt: -1,
  nameAt: 0,
  nameEnd: 0,
  kind: 0,
  startLow: 0,
  startHigh: 0,
  endLow: 0,
  endHigh: 0,
  isError: false,
};

const NO_BYTES = Buffer.alloc(0);

/** Beyond 2^50 (eleven days in nanoseconds) a whole 64-bit number follows. */
function writeSigned(out: ByteWriter, value: number): void {
  if (Math.abs(value) < 2 ** 50) out.zigzag(value * 2);
  else {
    out.zigzag(1);
    out.u64(BigInt(value));
  }
}

function readSigned(from: ByteReader): bigint {
  const value = from.zigzag();
  return value === 1 ? from.i64() : BigInt(value / 2);
}

/** One trace's rows in a group, before their bodies are read. */
export interface GroupTrace {
  readonly traceId: Buffer;
  readonly firstRow: number;
  readonly rows: number;
}

/** A decompressed group. */
export class SpanGroup {
  readonly traces: GroupTrace[] = [];
  /** By row: place of its trace, operation, resource, and times, the start as exact as a double has it. */
  readonly trace: number[] = [];
  readonly operation: number[] = [];
  readonly resource: number[] = [];
  readonly startUs: number[] = [];
  readonly durationNs: number[] = [];
  readonly #bytes: Buffer;
  readonly #columnsAt: number[] = [];
  readonly #bodyAt: number[] = [];
  readonly #bodyEnd: number[] = [];

  constructor(packed: Uint8Array) {
    this.#bytes = decompress(packed, MAX_GROUP_BYTES, USUAL_GROUP_BYTES);
    const reader = new ByteReader(this.#bytes);
    const traces = reader.varint();
    const columns = reader.varint();
    const bodies = new ByteReader(this.#bytes, reader.at + columns);
    let row = 0;
    for (let t = 0; t < traces; t++) {
      this.#columnsAt.push(reader.at);
      const traceId = reader.bytes(16);
      const rows = reader.varint();
      if (rows > 1 << 24) throw new MalformedError('a group of spans claims too many rows');
      this.traces.push({ traceId, firstRow: row, rows });
      const baseLow = reader.u32();
      const baseUs = reader.u32() * 4_294_967.296 + baseLow / 1000;
      for (let i = 0; i < rows; i++) {
        reader.skip(8);
        if (reader.varint() === PARENT_OUTSIDE) reader.skip(8);
        this.trace.push(t);
        this.startUs.push(baseUs + readSignedNumber(reader) / 1000);
        this.durationNs.push(readSignedNumber(reader));
        this.operation.push(reader.varint());
        this.resource.push(reader.varint());
        reader.varint();
        const length = bodies.varint();
        this.#bodyAt.push(bodies.at);
        bodies.skip(length);
        this.#bodyEnd.push(bodies.at);
        row++;
      }
    }
  }

  get rows(): number {
    return this.operation.length;
  }

  get byteLength(): number {
    return this.#bytes.length;
  }

  /** Whether a row has the tag, without decoding it. */
  hasTag(row: number, tag: WantedTag): boolean {
    return bodyHasTag(this.#bytes, this.#bodyAt[row] ?? 0, this.#bodyEnd[row] ?? 0, tag);
  }

  indexOf(traceId: Buffer): number {
    return this.traces.findIndex((trace) => trace.traceId.equals(traceId));
  }

  /** The spans of a trace, decoded. */
  spans(index: number, catalog: SpanCatalog): Span[] {
    const trace = this.traces[index];
    if (!trace) return [];
    const reader = new ByteReader(this.#bytes, this.#columnsAt[index]);
    const traceId = reader.bytes(16).toString('hex');
    const rows = reader.varint();
    const base = reader.i64();
    const columns = Array.from({ length: rows }, () => {
      const spanId = reader.bytes(8).toString('hex');
      const parent = reader.varint();
      const outside = parent === PARENT_OUTSIDE ? reader.bytes(8).toString('hex') : '';
      const start = base + readSigned(reader);
      const duration = readSigned(reader);
      const operation = reader.varint();
      const resource = reader.varint();
      return { spanId, parent, outside, start, end: start + duration, operation, resource, scope: reader.varint() };
    });
    return columns.map((column, i) => {
      const row = trace.firstRow + i;
      const fields = decodeSpanFields(this.#bytes, this.#bodyAt[row] ?? 0, this.#bodyEnd[row] ?? 0);
      const operation = catalog.operations[column.operation];
      const inside = column.parent >= PARENT_INSIDE ? (columns[column.parent - PARENT_INSIDE]?.spanId ?? '') : '';
      return {
        traceId,
        spanId: column.spanId,
        parentSpanId: inside || column.outside,
        traceState: fields.traceState,
        name: operation?.name ?? fields.name,
        kind: operation?.kind ?? 'unspecified',
        startTimeUnixNano: column.start,
        endTimeUnixNano: column.end,
        status: fields.status,
        attributes: fields.attributes,
        events: fields.events,
        links: fields.links,
        resource: catalog.resources[column.resource]?.resource ?? NO_RESOURCE,
        scope: catalog.scopes[column.scope]?.scope ?? NO_SCOPE,
      };
    });
  }
}

const NO_RESOURCE = { attributes: {} };
const NO_SCOPE = { name: '', version: '' };

function readSignedNumber(reader: ByteReader): number {
  const value = reader.zigzag();
  return value === 1 ? Number(reader.i64()) : value / 2;
}

/** The spans of a trace that are still in a head. */
export function spansOfHead(head: SpanHead, trace: number): Span[] {
  return [...head.rowsOf(trace)].map((row) => spanOfHead(head, row));
}

/** One span that is still in a head. */
export function spanOfHead(head: SpanHead, row: number): Span {
  const { catalog } = head;
  const buffer = head.buffers[head.buffer[row] ?? 0] ?? Buffer.alloc(0);
  const span = { ...EMPTY };
  walkSpan(new ProtobufReader(buffer, head.at[row], head.end[row]), span);
  const fields = decodeSpanFields(buffer, span.at, span.end);
  const operation = catalog.operations[head.operation[row] ?? 0];
  return {
    traceId: head.traceIdOf(row),
    spanId: buffer.toString('hex', span.spanIdAt, span.spanIdAt + 8),
    parentSpanId: span.parentIdAt < 0 ? '' : buffer.toString('hex', span.parentIdAt, span.parentIdAt + 8),
    traceState: fields.traceState,
    name: fields.name,
    kind: operation?.kind ?? 'unspecified',
    startTimeUnixNano: (BigInt(span.startHigh) << 32n) | BigInt(span.startLow),
    endTimeUnixNano: (BigInt(span.endHigh) << 32n) | BigInt(span.endLow),
    status: fields.status,
    attributes: fields.attributes,
    events: fields.events,
    links: fields.links,
    resource: catalog.resources[head.resource[row] ?? 0]?.resource ?? NO_RESOURCE,
    scope: catalog.scopes[head.scope[row] ?? 0]?.scope ?? NO_SCOPE,
  };
}
