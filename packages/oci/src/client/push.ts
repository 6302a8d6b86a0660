import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError, messageOf } from '@kind-e2e/base';
import { type Digest, parseDigest } from '../image/digest.ts';
import { isIndexType, OCI_MANIFEST } from '../image/media-types.ts';
import { formatReference, parseReference, type Reference } from '../image/reference.ts';
import type { Descriptor, Manifest } from '../image/types.ts';
import { describeFailure, type RegistryClientOptions, registryUrl, send } from './transport.ts';

/** A push that did not succeed: the registry cannot be reached or refused something. */
export class PushError extends LabError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'IMAGE_PUSH_FAILED', side: 'user', cause, remedy: 'check that the registry runs' });
    this.name = 'PushError';
  }
}

/**
 * Pushes the image of an OCI image layout (`BuiltImage.layout`) under a name. Blobs that the registry has are not
 * sent. Gives the digest of the manifest. Throws PushError.
 */
export async function pushImage(layout: string, name: string, options: RegistryClientOptions = {}): Promise<Digest> {
  const reference = parseReference(name);
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as Manifest;
  const root = index.manifests?.[0];
  if (!root) throw new PushError(`${layout} holds no image`);
  try {
    await pushManifest(layout, reference, root, reference.tag ?? root.digest, options);
  } catch (error) {
    if (error instanceof PushError) throw error;
    throw new PushError(`cannot push ${formatReference(reference)}: ${messageOf(error)}`, error);
  }
  return root.digest;
}

async function pushManifest(
  layout: string,
  reference: Reference,
  descriptor: Descriptor,
  target: string,
  options: RegistryClientOptions,
): Promise<void> {
  const content = await readFile(blobFile(layout, descriptor.digest));
  const manifest = JSON.parse(content.toString('utf8')) as Manifest;
  for (const child of manifest.manifests ?? []) await pushManifest(layout, reference, child, child.digest, options);
  for (const blob of [...(manifest.layers ?? []), ...(manifest.config ? [manifest.config] : [])])
    await pushBlob(layout, reference, blob, options);
  const mediaType = manifest.mediaType ?? (isIndexType(descriptor.mediaType) ? descriptor.mediaType : OCI_MANIFEST);
  const response = await send(
    'PUT',
    registryUrl(reference, `manifests/${target}`, options),
    { headers: { 'Content-Type': mediaType, 'Content-Length': String(content.length) }, body: content },
    options,
  );
  if (response.statusCode !== 201) throw await refused(reference, `manifest ${descriptor.digest}`, response);
  response.resume();
}

async function pushBlob(
  layout: string,
  reference: Reference,
  blob: Descriptor,
  options: RegistryClientOptions,
): Promise<void> {
  const head = await send('HEAD', registryUrl(reference, `blobs/${blob.digest}`, options), {}, options);
  head.resume();
  if (head.statusCode === 200) return;
  const start = await send(
    'POST',
    registryUrl(reference, 'blobs/uploads/', options),
    { headers: { 'Content-Length': '0' } },
    options,
  );
  const location = start.headers.location;
  if (start.statusCode !== 202 || location === undefined) throw await refused(reference, `blob ${blob.digest}`, start);
  start.resume();
  const url = new URL(location, registryUrl(reference, '', options));
  url.searchParams.set('digest', blob.digest);
  const response = await send(
    'PUT',
    url,
    {
      headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': String(blob.size) },
      body: createReadStream(blobFile(layout, blob.digest)),
    },
    options,
  );
  if (response.statusCode !== 201) throw await refused(reference, `blob ${blob.digest}`, response);
  response.resume();
}

async function refused(
  reference: Reference,
  what: string,
  response: Parameters<typeof describeFailure>[0],
): Promise<PushError> {
  return new PushError(
    `cannot push ${formatReference(reference)}: the registry refused ${what}: ${await describeFailure(response)}`,
  );
}

function blobFile(layout: string, digest: Digest): string {
  const { algorithm, hex } = parseDigest(digest);
  return join(layout, 'blobs', algorithm, hex);
}
