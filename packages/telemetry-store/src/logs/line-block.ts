import type { LogEntry } from '@kind-e2e/telemetry';
import type { ByteReader } from '../bytes/byte-reader.ts';
import { MalformedError } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import type { Lines } from './chunk-codec.ts';

/** The earliest and the latest time, and whether each is later than the one before. */
export interface TimeSpan {
  readonly minTime: bigint;
  readonly maxTime: bigint;
  readonly isRising: boolean;
}

/** Of times that are at least one. Times are compared as two words: a BigInt for each would cost more than all the rest. */
export function timeSpanOf(timestamps: BigInt64Array): TimeSpan {
  const words = new Int32Array(timestamps.buffer, timestamps.byteOffset, timestamps.length * 2);
  let least = 0;
  let most = 0;
  let isRising = true;
  for (let i = 1; i < timestamps.length; i++) {
    if (compareAt(words, i, most) > 0) {
      most = i;
      continue;
    }
    isRising = false;
    if (compareAt(words, i, least) < 0) least = i;
  }
  return { minTime: timestamps[least] ?? 0n, maxTime: timestamps[most] ?? 0n, isRising };
}

function compareAt(words: Int32Array, a: number, b: number): number {
  const high = (words[a * 2 + 1] ?? 0) - (words[b * 2 + 1] ?? 0);
  return high !== 0 ? high : ((words[a * 2] ?? 0) >>> 0) - ((words[b * 2] ?? 0) >>> 0);
}

/** Some of the lines; views of the same memory, save for where they end. */
export function sliceLines({ timestamps, ends, text, metadata }: Lines, from: number, to: number): Lines {
  const start = from === 0 ? 0 : (ends[from - 1] ?? 0);
  const own = ends.slice(from, to);
  if (start > 0) for (let i = 0; i < own.length; i++) own[i] = (own[i] ?? 0) - start;
  return {
    timestamps: timestamps.subarray(from, to),
    ends: own,
    text: text.subarray(start, ends[to - 1]),
    metadata: metadata?.slice(from, to),
  };
}

export function entriesOf({ timestamps, ends, text }: Lines): LogEntry[] {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  return Array.from(timestamps, (timestampNs, i) => ({
    timestampNs,
    line: bytes.toString('utf8', i === 0 ? 0 : ends[i - 1], ends[i]),
  }));
}

/**
 * Lines without structured metadata for the write-ahead log: each part in one piece, so that it is quickly written. The
 * text itself, which is the end of it, is left to the caller.
 */
export function writeBlock(out: ByteWriter, { timestamps, ends, text }: Lines): void {
  out.varint(ends.length);
  out.bytes(new Uint8Array(timestamps.buffer, timestamps.byteOffset, timestamps.byteLength));
  out.bytes(new Uint8Array(ends.buffer, ends.byteOffset, ends.byteLength));
  out.varint(text.length);
}

export function readBlock(reader: ByteReader): Lines {
  const count = reader.varint();
  const timestamps = new BigInt64Array(copyOf(reader.bytes(count * 8)));
  const ends = new Uint32Array(copyOf(reader.bytes(count * 4)));
  const text = reader.lengthPrefixed();
  if ((ends.at(-1) ?? 0) !== text.length) throw new MalformedError('a block of lines has the wrong length');
  return { timestamps, ends, text, metadata: undefined };
}

/** In memory of its own, since arrays of larger numbers cannot begin at any byte. */
function copyOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}
