import { crc32 } from 'node:zlib';

/** Bytes before a record's payload: magic (2), kind (1), zero (1), length (4), CRC-32 (4), sequence number (8). */
export const RECORD_HEADER_BYTES = 20;
const MAGIC = 0x4c57;
/** A length beyond this in a header means that the header is damaged. */
export const MAX_RECORD_BYTES = 256 * 1024 * 1024;

export interface WalRecord {
  readonly sequence: number;
  readonly kind: number;
  readonly payload: Buffer;
}

/** The payload may be in two pieces. */
export function encodeRecordHeader(sequence: number, kind: number, payload: Uint8Array, more?: Uint8Array): Buffer {
  const header = Buffer.allocUnsafe(RECORD_HEADER_BYTES);
  header.writeUInt16LE(MAGIC, 0);
  header[2] = kind;
  header[3] = 0;
  header.writeUInt32LE(payload.length + (more?.length ?? 0), 4);
  const sum = checksum(kind, sequence, payload);
  header.writeUInt32LE(more ? crc32(more, sum) : sum, 8);
  header.writeDoubleLE(sequence, 12);
  return header;
}

function checksum(kind: number, sequence: number, payload: Uint8Array): number {
  return crc32(payload, (Math.imul(sequence | 0, 31) + kind) >>> 0);
}

/**
 * The records of a segment in order. A damaged one is left out and the search goes on at the next that is whole;
 * `onDamage` hears of it, save for a torn one at the very end, which is what a crash leaves of a write that nobody was
 * told had succeeded.
 */
export function* decodeRecords(bytes: Buffer, onDamage: (at: number) => void): Generator<WalRecord> {
  let at = 0;
  while (at + RECORD_HEADER_BYTES <= bytes.length) {
    const record = recordAt(bytes, at);
    if (record) {
      yield record;
      at += RECORD_HEADER_BYTES + record.payload.length;
      continue;
    }
    const next = findRecord(bytes, at + 1);
    if (next < 0) {
      if (!isTorn(bytes, at)) onDamage(at);
      return;
    }
    onDamage(at);
    at = next;
  }
}

function recordAt(bytes: Buffer, at: number): WalRecord | undefined {
  if (at + RECORD_HEADER_BYTES > bytes.length || bytes.readUInt16LE(at) !== MAGIC) return undefined;
  const length = bytes.readUInt32LE(at + 4);
  const start = at + RECORD_HEADER_BYTES;
  if (length > MAX_RECORD_BYTES || start + length > bytes.length) return undefined;
  const kind = bytes[at + 2] ?? 0;
  const sequence = bytes.readDoubleLE(at + 12);
  const payload = bytes.subarray(start, start + length);
  if (bytes.readUInt32LE(at + 8) !== checksum(kind, sequence, payload)) return undefined;
  return { sequence, kind, payload };
}

function isTorn(bytes: Buffer, at: number): boolean {
  if (bytes.readUInt16LE(at) !== MAGIC) return bytes.subarray(at).every((byte) => byte === 0);
  return at + RECORD_HEADER_BYTES + bytes.readUInt32LE(at + 4) > bytes.length;
}

function findRecord(bytes: Buffer, from: number): number {
  const magic = Buffer.from([MAGIC & 0xff, MAGIC >> 8]);
  for (let at = bytes.indexOf(magic, from); at >= 0; at = bytes.indexOf(magic, at + 1))
    if (recordAt(bytes, at)) return at;
  return -1;
}
