import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Labels } from '@kind-e2e/telemetry';
import { ByteReader, MalformedError } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { decodeLabels, encodeLabels } from '../metrics/file.ts';

/** Lines of one stream in order of time; the parts of a `LogChunk`. */
export interface Lines {
  readonly timestamps: BigInt64Array;
  readonly ends: Uint32Array;
  readonly text: Uint8Array;
  readonly metadata: readonly (Labels | undefined)[] | undefined;
}

const WIDE_STEP = 1;
const MAX_LINES = 1 << 24;
const MAX_TEXT_BYTES = 1 << 28;
/** Z_MIN_CHUNK of zlib. */
const MIN_ZLIB_CHUNK = 64;

export function compress(bytes: Uint8Array, level = 3): Buffer {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}

/** Where the length of the result is known, one buffer of it is filled at once, which is twice as fast. */
export function decompress(bytes: Uint8Array, maxBytes = MAX_TEXT_BYTES, length?: number): Buffer {
  // A byte more than is needed, or zlib asks for a second buffer to learn that there is no more.
  const chunkSize = length === undefined ? undefined : Math.max(MIN_ZLIB_CHUNK, Math.min(maxBytes, length + 1));
  return zstdDecompressSync(bytes, { maxOutputLength: maxBytes, ...(chunkSize === undefined ? {} : { chunkSize }) });
}

/** Times, lengths and structured metadata of a chunk, compressed; the text is apart, so that it is read only if needed. */
export function encodeLineTable(lines: Lines): Buffer {
  const { timestamps, ends, metadata } = lines;
  const out = new ByteWriter(timestamps.length * 8 + 64);
  out.varint(timestamps.length);
  let before = timestamps[0] ?? 0n;
  out.u64(before);
  for (const time of timestamps) {
    const step = time - before;
    before = time;
    if (step < 1n << 51n) out.varint(Number(step) * 2);
    else {
      out.varint(WIDE_STEP);
      out.u64(step);
    }
  }
  let start = 0;
  for (const end of ends) {
    out.varint(end - start);
    start = end;
  }
  const table = new Map<string, number>();
  const distinct: Labels[] = [];
  for (const labels of metadata ?? [])
    if (labels && !table.has(labels.key)) {
      distinct.push(labels);
      table.set(labels.key, distinct.length);
    }
  out.varint(distinct.length);
  for (const labels of distinct) out.lengthPrefixed(encodeLabels(labels));
  if (metadata && distinct.length > 0)
    for (let i = 0; i < timestamps.length; i++) out.varint(table.get(metadata[i]?.key ?? '\0') ?? 0);
  return compress(out.view());
}

export function decodeLineTable(bytes: Uint8Array): Omit<Lines, 'text'> {
  const reader = new ByteReader(decompress(bytes));
  const count = reader.varint();
  if (count > MAX_LINES) throw new MalformedError('a chunk of lines claims too many lines');
  const timestamps = new BigInt64Array(count);
  const ends = new Uint32Array(count);
  decodeTimes(reader, timestamps);
  let end = 0;
  for (let i = 0; i < count; i++) {
    end += reader.varint();
    ends[i] = end;
  }
  const distinct = reader.varint();
  if (distinct === 0) return { timestamps, ends, metadata: undefined };
  if (distinct > count) throw new MalformedError('a chunk of lines claims too much metadata');
  const table: Labels[] = [];
  for (let i = 0; i < distinct; i++) table.push(decodeLabels(reader.lengthPrefixed()));
  const metadata: (Labels | undefined)[] = [];
  for (let i = 0; i < count; i++) {
    const at = reader.varint();
    metadata.push(at === 0 ? undefined : table[at - 1]);
  }
  return { timestamps, ends, metadata };
}

/** Times as two words each: adding up BigInts would cost more than all the rest. */
function decodeTimes(reader: ByteReader, timestamps: BigInt64Array): void {
  const words = new Uint32Array(timestamps.buffer, timestamps.byteOffset, timestamps.length * 2);
  let base = reader.i64();
  let low = Number(BigInt.asUintN(32, base));
  let high = Number(base >> 32n);
  for (let i = 0; i < timestamps.length; i++) {
    const step = reader.varint();
    if (step === WIDE_STEP) {
      base = ((BigInt(high) << 32n) | BigInt(low)) + reader.u64();
      low = Number(BigInt.asUintN(32, base));
      high = Number(base >> 32n);
    } else {
      low += step / 2;
      if (low >= 4_294_967_296) {
        const carry = Math.floor(low / 4_294_967_296);
        high += carry;
        low -= carry * 4_294_967_296;
      }
    }
    words[i * 2] = low;
    words[i * 2 + 1] = high;
  }
}

/** Several runs of lines as one, in order of time; of lines that are wholly the same one stays, as in Loki. */
export function mergeLines(runs: readonly Lines[]): Lines {
  const total = runs.reduce((sum, run) => sum + run.timestamps.length, 0);
  const owner = new Uint32Array(total);
  const index = new Uint32Array(total);
  let at = 0;
  runs.forEach((run, r) => {
    for (let i = 0; i < run.timestamps.length; i++) {
      owner[at] = r;
      index[at++] = i;
    }
  });
  const timeOf = (i: number): bigint => runs[owner[i] ?? 0]?.timestamps[index[i] ?? 0] ?? 0n;
  const textOf = (i: number): Uint8Array => {
    const run = runs[owner[i] ?? 0];
    const line = index[i] ?? 0;
    return run ? run.text.subarray(line === 0 ? 0 : run.ends[line - 1], run.ends[line]) : new Uint8Array(0);
  };
  const metadataOf = (i: number): Labels | undefined => runs[owner[i] ?? 0]?.metadata?.[index[i] ?? 0];
  const order = Array.from({ length: total }, (_, i) => i).sort((a, b) => {
    const left = timeOf(a);
    const right = timeOf(b);
    return left < right ? -1 : left > right ? 1 : a - b;
  });
  const text = Buffer.allocUnsafeSlow(runs.reduce((sum, run) => sum + run.text.length, 0));
  const timestamps = new BigInt64Array(total);
  const ends = new Uint32Array(total);
  const metadata: (Labels | undefined)[] = [];
  let anyMetadata = false;
  let count = 0;
  let bytes = 0;
  for (const i of order) {
    const time = timeOf(i);
    const line = textOf(i);
    const labels = metadataOf(i);
    let same = false;
    for (let j = count - 1; j >= 0 && timestamps[j] === time && !same; j--) {
      const before = text.subarray(j === 0 ? 0 : ends[j - 1], ends[j]);
      same = before.equals(line) && (metadata[j]?.key ?? '') === (labels?.key ?? '');
    }
    if (same) continue;
    text.set(line, bytes);
    bytes += line.length;
    timestamps[count] = time;
    ends[count] = bytes;
    metadata.push(labels);
    if (labels) anyMetadata = true;
    count++;
  }
  return {
    timestamps: timestamps.subarray(0, count),
    ends: ends.subarray(0, count),
    text: text.subarray(0, bytes),
    metadata: anyMetadata ? metadata : undefined,
  };
}
