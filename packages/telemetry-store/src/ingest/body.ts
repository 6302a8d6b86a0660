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

const unzip = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip);
const uninflate = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate);
const unzstd = promisify<Buffer, { maxOutputLength: number }, Buffer>(zstdDecompress);

/** The body of a request, as it came, up to the limit. */
export async function readRaw(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxBytes) throw tooLarge(maxBytes);
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
