import type { IncomingMessage } from 'node:http';
import { isDigest } from '../image/digest.ts';
import { isIndexType, isManifestType, isNonDistributable } from '../image/media-types.ts';
import { isTag } from '../image/reference.ts';
import type { Descriptor, Manifest } from '../image/types.ts';
import { DigestMismatchError } from '../store/content-store.ts';
import { methodNotAllowed } from './blobs.ts';
import { RegistryError } from './errors.ts';
import { type Exchange, sendEmpty } from './exchange.ts';

/** The least that a registry must take is 4 MB (distribution-spec 1.1, "Pushing Manifests"). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** `GET`, `HEAD`, `PUT` and `DELETE` of `/v2/<name>/manifests/<tag or digest>`. */
export async function handleManifest(exchange: Exchange, repository: string, reference: string): Promise<void> {
  if (reference.includes(':') ? !isDigest(reference) : !isTag(reference))
    throw reference.includes(':')
      ? new RegistryError('DIGEST_INVALID', 'invalid digest', { detail: { reference } })
      : exchange.method === 'PUT'
        ? new RegistryError('TAG_INVALID', 'invalid tag name', { detail: { reference } })
        : unknownManifest(reference);
  switch (exchange.method) {
    case 'GET':
    case 'HEAD':
      return sendManifest(exchange, repository, reference);
    case 'PUT':
      return putManifest(exchange, repository, reference);
    case 'DELETE':
      return deleteManifest(exchange, repository, reference);
    default:
      throw methodNotAllowed('GET, HEAD, PUT, DELETE');
  }
}

async function sendManifest(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const manifest = await exchange.store.getManifest(repository, reference);
  if (!manifest) {
    if (!(await exchange.store.hasRepository(repository))) throw unknownRepository(repository);
    throw unknownManifest(reference);
  }
  const { response, request } = exchange;
  const etag = `"${manifest.digest}"`;
  const headers = { 'Docker-Content-Digest': manifest.digest, ETag: etag };
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, {
    ...headers,
    'Content-Type': manifest.mediaType,
    'Content-Length': manifest.content.length,
  });
  response.end(exchange.method === 'HEAD' ? undefined : manifest.content);
}

async function putManifest(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const { request, store } = exchange;
  const content = await readBody(request);
  const { manifest, mediaType } = parseManifest(content, request.headers['content-type']);
  await checkReferences(exchange, repository, manifest);
  const digest = await store
    .putManifest(repository, content, mediaType, isDigest(reference) ? { digest: reference } : { tag: reference })
    .catch((error: unknown) => {
      if (error instanceof DigestMismatchError)
        throw new RegistryError('DIGEST_INVALID', 'provided digest did not match uploaded content', {
          detail: error.message,
        });
      throw error;
    });
  sendEmpty(exchange, 201, {
    Location: `/v2/${repository}/manifests/${digest}`,
    'Docker-Content-Digest': digest,
    ...(manifest.subject ? { 'OCI-Subject': manifest.subject.digest } : {}),
  });
}

async function deleteManifest(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const isGone = isDigest(reference)
    ? await exchange.store.removeManifest(repository, reference)
    : await exchange.store.removeTag(repository, reference);
  if (!isGone) throw unknownManifest(reference);
  sendEmpty(exchange, 202);
}

/** Checks the form of a manifest or index: JSON, schema 2, a known media type, whole descriptors. */
export function parseManifest(
  content: Buffer,
  contentType: string | undefined,
): { readonly manifest: Manifest; readonly mediaType: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content.toString('utf8'));
  } catch (error) {
    throw invalid(`manifest is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw invalid('manifest is not a JSON object');
  const fields = parsed as Record<string, unknown>;
  const declared = (contentType ?? '').split(';')[0]?.trim() ?? '';
  const own = fields.mediaType;
  if (own !== undefined && typeof own !== 'string') throw invalid('mediaType is not a string');
  const mediaType = declared !== '' && declared !== 'application/json' ? declared : (own ?? declared);
  if (own !== undefined && own !== mediaType)
    throw invalid(`mediaType in manifest should be '${mediaType}' not '${own}'`);
  if (!isManifestType(mediaType) && !isIndexType(mediaType))
    throw invalid(`media type "${mediaType}" is not supported`);
  if (fields.schemaVersion !== 2) throw invalid('schemaVersion is not 2');
  if (fields.subject !== undefined) checkDescriptor(fields.subject, 'subject');
  if (isIndexType(mediaType)) {
    if (fields.layers !== undefined || fields.config !== undefined)
      throw invalid('an index has neither config nor layers');
    checkDescriptors(fields.manifests, 'manifests');
  } else {
    if (fields.manifests !== undefined) throw invalid('an image manifest has no manifests');
    checkDescriptor(fields.config, 'config');
    checkDescriptors(fields.layers, 'layers');
  }
  return { manifest: fields as unknown as Manifest, mediaType };
}

function checkDescriptors(value: unknown, field: string): void {
  if (!Array.isArray(value)) throw invalid(`${field} is not a list`);
  for (const [index, entry] of value.entries()) checkDescriptor(entry, `${field}[${index}]`);
}

function checkDescriptor(value: unknown, field: string): void {
  if (typeof value !== 'object' || value === null) throw invalid(`${field} is not a descriptor`);
  const { mediaType, digest, size } = value as Partial<Descriptor>;
  if (typeof mediaType !== 'string') throw invalid(`${field}.mediaType is not a string`);
  if (typeof digest !== 'string' || !isDigest(digest)) throw invalid(`${field}.digest is not a digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw invalid(`${field}.size is not a size`);
}

async function checkReferences(exchange: Exchange, repository: string, manifest: Manifest): Promise<void> {
  const missing: Descriptor[] = [];
  for (const blob of [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])]) {
    if (isNonDistributable(blob.mediaType) && (blob.urls?.length ?? 0) > 0) continue;
    const size = await exchange.store.blobSize(repository, blob.digest);
    if (size === undefined) missing.push(blob);
    else if (size !== blob.size)
      throw new RegistryError('SIZE_INVALID', `blob ${blob.digest} has ${size} bytes, the manifest says ${blob.size}`);
  }
  for (const child of manifest.manifests ?? [])
    if (!(await exchange.store.getManifest(repository, child.digest))) missing.push(child);
  if (missing.length > 0)
    throw new RegistryError('MANIFEST_BLOB_UNKNOWN', 'manifest references a manifest or blob unknown to registry', {
      detail: missing.map((blob) => ({ digest: blob.digest })),
    });
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_MANIFEST_BYTES)
      throw new RegistryError('MANIFEST_INVALID', `manifest is larger than ${MAX_MANIFEST_BYTES} bytes`, {
        status: 413,
        headers: { Connection: 'close' },
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function invalid(reason: string): RegistryError {
  return new RegistryError('MANIFEST_INVALID', 'manifest invalid', { detail: reason });
}

function unknownManifest(reference: string): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', 'manifest unknown', { detail: { reference } });
}

export function unknownRepository(name: string): RegistryError {
  return new RegistryError('NAME_UNKNOWN', 'repository name not known to registry', { detail: { name } });
}
