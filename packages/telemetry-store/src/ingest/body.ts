import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate, zstdDecompress } from 'node:zlib';
import { systemCodeOf } from '@kind-e2e/base';
import { IngestError } from './ingest-error.ts';
import { decompressSnappy } from './snappy.ts';

export interface BodyLimits {
  /** Bytes on the wire. */
  readonly maxBodyBytes: number;
  /** Bytes after decompression. */
  readonly maxDecodedBytes: number;
}

export const DEFAULT_BODY_LIMITS: BodyLimits = { maxBodyBytes: 16 * 1024 * 1024, maxDecodedBytes: 64 * 1024 * 1024 };

const MAX_ROOMS = 4;
const MAX_ROOM_BYTES = 1024 * 1024;
const ROOM_UNIT = 64 * 1024;

/**
 * Memory for bodies, used again and again by those who are done with a body before they wait for anything: what is
 * taken anew for each makes the garbage collector work.
 */
export class BodyRooms {
  readonly #free: ArrayBuffer[] = [];
  readonly #lent = new WeakSet<ArrayBufferLike>();

  /** Larger bodies have memory of their own. */
  take(bytes: number): Buffer {
    if (bytes > MAX_ROOM_BYTES) return Buffer.allocUnsafeSlow(bytes);
    const at = this.#free.findIndex(({ byteLength }) => byteLength >= bytes);
    const [known] = at < 0 ? [] : this.#free.splice(at, 1);
    const room = known ?? new ArrayBuffer(Math.ceil(bytes / ROOM_UNIT) * ROOM_UNIT);
    this.#lent.add(room);
    return Buffer.from(room, 0, bytes);
  }

  /** Of a body that is looked at no more; what did not come from here is left alone. */
  give({ buffer }: Buffer): void {
    if (!(buffer instanceof ArrayBuffer) || !this.#lent.delete(buffer)) return;
    this.#free.push(buffer);
    if (this.#free.length > MAX_ROOMS) this.#free.shift();
  }
}

const unzip = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip);
const uninflate = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate);
const unzstd = promisify<Buffer, { maxOutputLength: number }, Buffer>(zstdDecompress);

/** The body of a request, as it came, up to the limit; in `rooms` where they are given and its length is known. */
export async function readRaw(request: IncomingMessage, maxBytes: number, rooms?: BodyRooms): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  if (rooms && declared > 0 && declared <= MAX_ROOM_BYTES) {
    const body = rooms.take(declared);
    let at = 0;
    for await (const part of request) at += (part as Buffer).copy(body, at);
    return body.subarray(0, at);
  }
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += (part as Buffer).length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    parts.push(part as Buffer);
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}

/** The body of a request with its Content-Encoding undone, within both limits. */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const raw = await readRaw(request, limits.maxBodyBytes);
  return decode(raw, String(request.headers['content-encoding'] ?? 'identity'), limits.maxDecodedBytes);
}

export async function decode(raw: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const options = { maxOutputLength: maxBytes };
  try {
    switch (encoding.trim().toLowerCase()) {
      case '':
      case 'identity':
        return raw;
      case 'gzip':
      case 'x-gzip':
        return await unzip(raw, options);
      case 'deflate':
        return await uninflate(raw, options);
      case 'zstd':
        return await unzstd(raw, options);
      case 'snappy':
        return decompressSnappy(raw, maxBytes);
      default:
        throw new IngestError(415, `unsupported Content-Encoding: ${encoding.slice(0, 64)}`);
    }
  } catch (error) {
    if (error instanceof IngestError) throw error;
    if (systemCodeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes, error);
    throw new IngestError(400, `the body cannot be decompressed: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

function tooLarge(maxBytes: number, cause?: unknown): IngestError {
  return new IngestError(413, `request body too large: the limit is ${maxBytes} bytes`, { cause });
}
