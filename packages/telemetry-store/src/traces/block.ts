import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { compress, decompress } from '../logs/chunk-codec.ts';
import { countEdges, type Edge, EdgeCounter } from './dependencies.ts';
import { GroupWriter } from './group-codec.ts';
import type { SpanHead } from './head.ts';
import { TagFilterBuilder } from './tag-filter.ts';

/** Bytes of spans, uncompressed, at which a group ends. */
const GROUP_BYTES = 48 * 1024;

/** What a block knows of one operation, so that most searches need not open it. */
export interface OperationSummary {
  count: number;
  minStartUs: number;
  maxStartUs: number;
  minDurationNs: number;
  maxDurationNs: number;
}

/** What is kept in memory of a sealed block. */
export interface BlockSummary {
  readonly count: number;
  readonly minStartUs: number;
  readonly maxStartUs: number;
  /** Hashes of the trace ids, rising, and the group of each. */
  readonly hashes: Uint32Array;
  readonly groups: Uint16Array;
  readonly operations: ReadonlyMap<number, OperationSummary>;
}

/** A block ready to be written. */
export interface PackedBlock {
  readonly summary: BlockSummary;
  readonly packedSummary: Buffer;
  readonly columns: Buffer;
  /** The parts of the tag filter. */
  readonly tags: readonly Buffer[];
  readonly edges: readonly Edge[];
  readonly groups: readonly Buffer[];
}

export function hashTraceId(bytes: Buffer, at: number): number {
  return (bytes.readUInt32LE(at + 8) ^ bytes.readUInt32LE(at + 12)) >>> 0;
}

/** Packs a head that takes no more spans, in steps: each `next()` does about a millisecond's work. */
export function* packBlock(head: SpanHead): Generator<undefined, PackedBlock> {
  const traces = head.traceIds.length;
  const writer = new GroupWriter();
  const groups: Buffer[] = [];
  const tags = new TagFilterBuilder();
  const edges = new EdgeCounter();
  const columns = new ByteWriter(head.count * 10);
  const operations = new Map<number, OperationSummary>();
  const places: { hash: number; group: number }[] = [];
  columns.varint(head.count);
  columns.varint(traces);
  columns.f64(head.minStartUs);
  let before = head.minStartUs;
  const resources = new Set<number>();
  for (let trace = 0; trace < traces; trace++) {
    const id = Buffer.from(head.traceIds[trace] ?? '', 'latin1');
    places.push({ hash: hashTraceId(id, 0), group: groups.length });
    countEdges(head, trace, edges);
    columns.varint(groups.length);
    let rows = 0;
    for (const row of head.rowsOf(trace)) {
      rows++;
      resources.add(head.resource[row] ?? 0);
      summarize(operations, head, row);
    }
    columns.varint(rows);
    for (const row of head.rowsOf(trace)) {
      const start = Math.floor(head.startUs[row] ?? 0);
      columns.varint(head.operation[row] ?? 0);
      columns.zigzag(start - Math.floor(before));
      columns.zigzag(head.durationNs[row] ?? 0);
      before = start;
    }
    writer.addTrace(head, trace, tags);
    if (writer.bytes >= GROUP_BYTES) {
      groups.push(writer.take());
      yield undefined;
    }
  }
  if (writer.rows > 0) groups.push(writer.take());
  yield undefined;
  for (const id of resources) {
    const resource = head.catalog.resources[id];
    if (resource) tags.addResource(resource.bytes);
  }
  places.sort((a, b) => a.hash - b.hash);
  const summary: BlockSummary = {
    count: head.count,
    minStartUs: head.minStartUs,
    maxStartUs: head.maxStartUs,
    hashes: Uint32Array.from(places, (place) => place.hash),
    groups: Uint16Array.from(places, (place) => place.group),
    operations,
  };
  yield undefined;
  return {
    summary,
    packedSummary: encodeSummary(summary),
    columns: compress(columns.view()),
    tags: tags.build(),
    edges: edges.list(),
    groups,
  };
}

function summarize(operations: Map<number, OperationSummary>, head: SpanHead, row: number): void {
  const id = head.operation[row] ?? 0;
  const start = head.startUs[row] ?? 0;
  const duration = head.durationNs[row] ?? 0;
  const known = operations.get(id);
  if (!known) {
    operations.set(id, {
      count: 1,
      minStartUs: start,
      maxStartUs: start,
      minDurationNs: duration,
      maxDurationNs: duration,
    });
    return;
  }
  known.count++;
  if (start < known.minStartUs) known.minStartUs = start;
  if (start > known.maxStartUs) known.maxStartUs = start;
  if (duration < known.minDurationNs) known.minDurationNs = duration;
  if (duration > known.maxDurationNs) known.maxDurationNs = duration;
}

function encodeSummary(summary: BlockSummary): Buffer {
  const out = new ByteWriter(summary.hashes.length * 6 + summary.operations.size * 40 + 64);
  out.varint(summary.count);
  out.f64(summary.minStartUs);
  out.f64(summary.maxStartUs);
  out.varint(summary.hashes.length);
  for (const hash of summary.hashes) out.u32(hash);
  for (const group of summary.groups) out.u16(group);
  out.varint(summary.operations.size);
  for (const [id, operation] of summary.operations) {
    out.varint(id);
    out.varint(operation.count);
    out.f64(operation.minStartUs);
    out.f64(operation.maxStartUs);
    out.f64(operation.minDurationNs);
    out.f64(operation.maxDurationNs);
  }
  return out.copy();
}

export function decodeSummary(bytes: Uint8Array): BlockSummary {
  const reader = new ByteReader(bytes);
  const count = reader.varint();
  const minStartUs = reader.f64();
  const maxStartUs = reader.f64();
  const traces = reader.varint();
  const hashes = new Uint32Array(Math.min(traces, bytes.length));
  for (let i = 0; i < traces; i++) hashes[i] = reader.u32();
  const groups = new Uint16Array(hashes.length);
  for (let i = 0; i < traces; i++) groups[i] = reader.u16();
  const operations = new Map<number, OperationSummary>();
  for (let left = reader.varint(); left > 0; left--) {
    operations.set(reader.varint(), {
      count: reader.varint(),
      minStartUs: reader.f64(),
      maxStartUs: reader.f64(),
      minDurationNs: reader.f64(),
      maxDurationNs: reader.f64(),
    });
  }
  return { count, minStartUs, maxStartUs, hashes, groups, operations };
}

/** A block's spans as search sees them. */
export interface SearchColumns {
  readonly operation: Uint32Array;
  readonly startUs: Float64Array;
  readonly durationNs: Float64Array;
  /** Place of the span's trace in the block, and per trace its group and its place in that group. */
  readonly trace: Uint32Array;
  readonly traceFirstRow: Uint32Array;
  readonly traceGroup: Uint16Array;
  readonly traceInGroup: Uint16Array;
}

export function decodeColumns(packed: Uint8Array): SearchColumns {
  const reader = new ByteReader(decompress(packed));
  const count = reader.varint();
  const traces = reader.varint();
  if (count > 1 << 24 || traces > count) throw new RangeError('a block of spans claims too many rows');
  let start = Math.floor(reader.f64());
  const columns: SearchColumns = {
    operation: new Uint32Array(count),
    startUs: new Float64Array(count),
    durationNs: new Float64Array(count),
    trace: new Uint32Array(count),
    traceFirstRow: new Uint32Array(traces),
    traceGroup: new Uint16Array(traces),
    traceInGroup: new Uint16Array(traces),
  };
  let row = 0;
  let lastGroup = -1;
  let inGroup = 0;
  for (let trace = 0; trace < traces; trace++) {
    const group = reader.varint();
    inGroup = group === lastGroup ? inGroup + 1 : 0;
    lastGroup = group;
    columns.traceGroup[trace] = group;
    columns.traceInGroup[trace] = inGroup;
    columns.traceFirstRow[trace] = row;
    for (let rows = reader.varint(); rows > 0; rows--) {
      columns.operation[row] = reader.varint();
      start += reader.zigzag();
      columns.startUs[row] = start;
      columns.durationNs[row] = reader.zigzag();
      columns.trace[row] = trace;
      row++;
    }
  }
  return columns;
}
