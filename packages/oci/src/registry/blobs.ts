import { createReadStream } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { type Digest, isDigest } from '../image/digest.ts';
import { DigestMismatchError } from '../store/content-store.ts';
import { RegistryError } from './errors.ts';
import { type Exchange, sendEmpty } from './exchange.ts';

/** `GET`, `HEAD` and `DELETE` of `/v2/<name>/blobs/<digest>`. */
export async function handleBlob(exchange: Exchange, repository: string, text: string): Promise<void> {
  const digest = digestFrom(text);
  switch (exchange.method) {
    case 'HEAD':
    case 'GET':
      return sendBlob(exchange, repository, digest);
    case 'DELETE':
      if (!(await exchange.store.removeBlob(repository, digest))) throw unknownBlob(digest);
      return sendEmpty(exchange, 202, { 'Docker-Content-Digest': digest });
    default:
      throw methodNotAllowed('GET, HEAD, DELETE');
  }
}

async function sendBlob(exchange: Exchange, repository: string, digest: Digest): Promise<void> {
  const { request, response, store } = exchange;
  const size = await store.blobSize(repository, digest);
  if (size === undefined) throw unknownBlob(digest);
  const headers: Record<string, string | number> = {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=31536000',
  };
  const path = store.blobPath(digest);
  if (exchange.method === 'HEAD') {
    // A pusher that finds the blob here names it in a manifest soon: young content is not swept.
    const now = new Date();
    await utimes(path, now, now);
    sendEmpty(exchange, 200, { ...headers, 'Content-Length': size });
    return;
  }
  const range = parseRange(request.headers.range, size);
  if (range === 'unsatisfiable')
    throw new RegistryError('SIZE_INVALID', 'requested range not satisfiable', {
      status: 416,
      headers: { 'Content-Range': `bytes */${size}` },
    });
  const { start, end } = range ?? { start: 0, end: size - 1 };
  response.writeHead(range ? 206 : 200, {
    ...headers,
    'Content-Length': end - start + 1,
    ...(range ? { 'Content-Range': `bytes ${start}-${end}/${size}` } : {}),
  });
  if (size === 0) {
    response.end();
    return;
  }
  await pipeline(createReadStream(path, { start, end }), response);
}

/** RFC 9110 section 14.2 for one byte range; several ranges or another unit are answered whole, as they may be. */
export function parseRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  if (match[1] === '') {
    const last = Number(match[2]);
    return last === 0 || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - last), end: size - 1 };
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (start >= size) return 'unsatisfiable';
  return end < start ? undefined : { start, end };
}

/** `POST /v2/<name>/blobs/uploads/`: starts an upload, takes a whole blob, or mounts one of another repository. */
export async function handleUploads(exchange: Exchange, repository: string): Promise<void> {
  if (exchange.method !== 'POST') throw methodNotAllowed('POST');
  const { query, store, uploads, request } = exchange;
  const mount = query.get('mount');
  if (mount !== null) {
    const digest = digestFrom(mount);
    const from = query.get('from');
    const size = from === null ? await store.contentSize(digest) : await blobOf(exchange, from, digest);
    if (size !== undefined) {
      await store.linkBlob(repository, digest);
      return sendCreated(exchange, repository, digest);
    }
  }
  const whole = query.get('digest');
  const digest = whole === null ? undefined : digestFrom(whole);
  const id = await uploads.start();
  if (digest !== undefined) {
    await uploads.append(id, request);
    await finish(exchange, repository, id, digest);
    return;
  }
  sendEmpty(exchange, 202, { Location: uploadLocation(repository, id), 'Docker-Upload-UUID': id, Range: '0-0' });
}

async function blobOf(exchange: Exchange, from: string, digest: Digest): Promise<number | undefined> {
  try {
    return await exchange.store.blobSize(from, digest);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** `GET`, `PATCH`, `PUT` and `DELETE` of `/v2/<name>/blobs/uploads/<id>`. */
export async function handleUpload(exchange: Exchange, repository: string, id: string): Promise<void> {
  const { uploads, request } = exchange;
  switch (exchange.method) {
    case 'GET':
    case 'HEAD':
      return sendEmpty(exchange, 204, uploadHeaders(repository, id, await uploads.size(id)));
    case 'PATCH': {
      const expected = await checkChunk(exchange, repository, id);
      const size = await uploads.append(id, request, expected);
      return sendEmpty(exchange, 202, uploadHeaders(repository, id, size));
    }
    case 'PUT': {
      await uploads.size(id);
      const digest = digestFrom(exchange.query.get('digest') ?? '');
      const expected = await checkChunk(exchange, repository, id);
      await uploads.append(id, request, expected);
      return finish(exchange, repository, id, digest);
    }
    case 'DELETE':
      await uploads.cancel(id);
      return sendEmpty(exchange, 204);
    default:
      throw methodNotAllowed('GET, PATCH, PUT, DELETE');
  }
}

/** A chunk with a Content-Range must begin where the upload ends (`416` with the state otherwise). */
async function checkChunk(exchange: Exchange, repository: string, id: string): Promise<number | undefined> {
  const size = await exchange.uploads.size(id);
  const header = exchange.request.headers['content-range'];
  if (header === undefined) return undefined;
  const match = /^(?:bytes )?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/.exec(header);
  const start = Number(match?.[1] ?? Number.NaN);
  const end = Number(match?.[2] ?? Number.NaN);
  if (start !== size || !(end >= start))
    throw new RegistryError('BLOB_UPLOAD_INVALID', `the upload has ${size} bytes; the chunk's range is ${header}`, {
      status: 416,
      headers: uploadHeaders(repository, id, size),
    });
  return end - start + 1;
}

async function finish(exchange: Exchange, repository: string, id: string, digest: Digest): Promise<void> {
  try {
    await exchange.store.addBlob(repository, exchange.uploads.path(id), digest);
  } catch (error) {
    if (error instanceof DigestMismatchError)
      throw new RegistryError('DIGEST_INVALID', 'provided digest did not match uploaded content', {
        detail: error.message,
      });
    throw error;
  }
  sendCreated(exchange, repository, digest);
}

function sendCreated(exchange: Exchange, repository: string, digest: Digest): void {
  sendEmpty(exchange, 201, { Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest });
}

function uploadLocation(repository: string, id: string): string {
  return `/v2/${repository}/blobs/uploads/${id}`;
}

function uploadHeaders(repository: string, id: string, size: number): Record<string, string> {
  return {
    Location: uploadLocation(repository, id),
    'Docker-Upload-UUID': id,
    Range: `0-${Math.max(0, size - 1)}`,
  };
}

export function digestFrom(text: string): Digest {
  if (isDigest(text)) return text;
  throw new RegistryError('DIGEST_INVALID', 'provided digest is not a sha256 or sha512 digest', { detail: { text } });
}

export function methodNotAllowed(allow: string): RegistryError {
  return new RegistryError('UNSUPPORTED', 'the operation is unsupported', { headers: { Allow: allow } });
}

function unknownBlob(digest: Digest): RegistryError {
  return new RegistryError('BLOB_UNKNOWN', 'blob unknown to registry', { detail: { digest } });
}
