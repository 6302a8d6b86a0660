import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { countEdges, type Edge, EdgeCounter } from './dependencies.ts';
import { GroupWriter } from './group-codec.ts';
import { GroupExtentBuilder, GroupIndex } from './group-index.ts';
import type { SpanHead } from './head.ts';
import { TagPrintsBuilder } from './tag-prints.ts';

/** Bytes of spans, uncompressed, at which a group ends: a trace is read with all of its group. */
const GROUP_BYTES = 16 * 1024;
const GROUPS_A_STEP = 3;

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
  /** Where those begin whose highest byte is this one: a trace is looked for in every block. */
  readonly starts: Uint16Array;
  readonly groups: Uint16Array;
  readonly operations: ReadonlyMap<number, OperationSummary>;
}

/** A block ready to be written. */
export interface PackedBlock {
  readonly summary: BlockSummary;
  readonly packedSummary: Buffer;
  readonly index: GroupIndex;
  /** Which groups have which tags, in parts. */
  readonly prints: readonly Buffer[];
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
  const prints = new TagPrintsBuilder();
  const extent = new GroupExtentBuilder();
  const extents: ReturnType<GroupExtentBuilder['take']>[] = [];
  const edges = new EdgeCounter();
  const operations = new Map<number, OperationSummary>();
  const places: { hash: number; group: number }[] = [];
  const endGroup = (): void => {
    groups.push(writer.take());
    extents.push(extent.take());
    prints.endGroup();
  };
  for (let trace = 0; trace < traces; trace++) {
    const id = Buffer.from(head.traceIds[trace] ?? '', 'latin1');
    places.push({ hash: hashTraceId(id, 0), group: groups.length });
    countEdges(head, trace, edges);
    for (const row of head.rowsOf(trace)) {
      const operation = head.operation[row] ?? 0;
      summarize(operations, head, row);
      extent.add(operation, head.startUs[row] ?? 0, head.durationNs[row] ?? 0);
    }
    writer.addTrace(head, trace, prints);
    if (writer.bytes < GROUP_BYTES) continue;
    endGroup();
    if (groups.length % GROUPS_A_STEP === 0) yield undefined;
  }
  if (writer.rows > 0) endGroup();
  yield undefined;
  places.sort((a, b) => a.hash - b.hash);
  const hashes = Uint32Array.from(places, (place) => place.hash);
  const summary: BlockSummary = {
    count: head.count,
    minStartUs: head.minStartUs,
    maxStartUs: head.maxStartUs,
    hashes,
    starts: startsOf(hashes),
    groups: Uint16Array.from(places, (place) => place.group),
    operations,
  };
  yield undefined;
  return {
    summary,
    packedSummary: encodeSummary(summary),
    index: new GroupIndex(extents),
    prints: prints.build(),
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

function startsOf(hashes: Uint32Array): Uint16Array {
  const starts = new Uint16Array(257);
  for (const hash of hashes) starts[(hash >>> 24) + 1] = (starts[(hash >>> 24) + 1] ?? 0) + 1;
  for (let byte = 0; byte < 256; byte++) starts[byte + 1] = (starts[byte + 1] ?? 0) + (starts[byte] ?? 0);
  return starts;
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
  return { count, minStartUs, maxStartUs, hashes, starts: startsOf(hashes), groups, operations };
}
