import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf, systemCodeOf } from '@kind-e2e/base';
import { type Digest, digestOf, isDigest, parseDigest } from '../image/digest.ts';
import { isIndexType, isManifestType, layerCompressionOf, MANIFEST_ACCEPT } from '../image/media-types.ts';
import { currentPlatform, selectManifest } from '../image/platform.ts';
import { formatReference, type Reference } from '../image/reference.ts';
import type { Descriptor, ImageConfig, Manifest } from '../image/types.ts';
import { PullError } from './pull-error.ts';
import { describeFailure, type RegistryClientOptions, readAll, registryUrl, send } from './transport.ts';
import { unpackLayer } from './unpack.ts';

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

export interface ResolvedImage {
  /** Digest of the manifest of this platform. */
  readonly digest: Digest;
  /** Digest that the name led to: the index, where there is one. */
  readonly nameDigest: Digest;
  readonly manifest: Manifest;
  readonly manifestContent: Buffer;
}

/** Asks the registry what a name means and gives the manifest for this machine. Throws PullError. */
export async function resolveImage(reference: Reference, options: RegistryClientOptions): Promise<ResolvedImage> {
  const name = formatReference(reference);
  const top = await fetchManifest(reference, reference.digest ?? reference.tag ?? 'latest', options);
  if (isManifestType(top.mediaType))
    return { digest: top.digest, nameDigest: top.digest, manifest: top.manifest, manifestContent: top.content };
  const platform = currentPlatform();
  const chosen = isIndexType(top.mediaType) ? selectManifest(top.manifest.manifests ?? [], platform) : undefined;
  if (!chosen)
    throw new PullError(
      name,
      'NotFound',
      `no match for platform in manifest: ${platform.os}/${platform.architecture} not found`,
    );
  const inner = await fetchManifest(reference, chosen.digest, options);
  return { digest: inner.digest, nameDigest: top.digest, manifest: inner.manifest, manifestContent: inner.content };
}

interface FetchedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly manifest: Manifest;
  readonly content: Buffer;
}

async function fetchManifest(
  reference: Reference,
  target: string,
  options: RegistryClientOptions,
): Promise<FetchedManifest> {
  const name = formatReference(reference);
  const url = registryUrl(reference, `manifests/${target}`, options);
  const fail = (code: PullError['grpcCode'], reason: string, cause?: unknown): PullError =>
    new PullError(name, code, `failed to resolve reference "${name}": ${reason}`, cause);
  let response: IncomingMessage;
  try {
    response = await send('GET', url, { headers: { Accept: MANIFEST_ACCEPT } }, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw fail('Unknown', `failed to do request: Get "${url}": ${dialError(error, url)}`, error);
  }
  if (response.statusCode === 404) {
    response.resume();
    throw fail('NotFound', `${name}: not found`);
  }
  if (response.statusCode === 401 || response.statusCode === 403) {
    response.resume();
    throw fail(
      'Unknown',
      'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
    );
  }
  if (response.statusCode !== 200)
    throw fail('Unknown', `unexpected status from GET request to ${url}: ${await describeFailure(response)}`);
  const content = await readAll(response, MAX_MANIFEST_BYTES);
  const digest = digestOf(content, isDigest(target) ? parseDigest(target).algorithm : 'sha256');
  if (isDigest(target) && digest !== target)
    throw fail('FailedPrecondition', `unexpected manifest digest ${digest}, expected ${target}: failed precondition`);
  const manifest = JSON.parse(content.toString('utf8')) as Manifest;
  const mediaType = manifest.mediaType ?? (response.headers['content-type'] ?? '').split(';')[0] ?? '';
  return { digest, mediaType, manifest, content };
}

/** Go's words for a connection that failed, which the kubelet's events carry. */
function dialError(error: unknown, url: URL): string {
  const code = systemCodeOf(error) ?? (error instanceof AggregateError ? systemCodeOf(error.errors[0]) : undefined);
  switch (code) {
    case 'ECONNREFUSED':
      return `dial tcp ${url.host}: connect: connection refused`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${url.hostname}: no such host`;
    default:
      return messageOf(error);
  }
}

/**
 * Downloads the image's blobs and unpacks them: `target/rootfs`, `target/config.json`, `target/manifest.json`.
 * Every blob is checked against its descriptor's digest and size, every layer against its diff id. Throws PullError.
 */
export async function unpackImage(
  reference: Reference,
  image: ResolvedImage,
  target: string,
  options: RegistryClientOptions,
): Promise<ImageConfig> {
  const name = formatReference(reference);
  const { config: configDescriptor, layers = [] } = image.manifest;
  if (!configDescriptor) throw new PullError(name, 'Unknown', 'the manifest has no config');
  const root = join(target, 'rootfs');
  await mkdir(root, { recursive: true });
  const configFile = join(target, 'config.json');
  await fetchBlob(reference, configDescriptor, configFile, options);
  if (configDescriptor.size > MAX_CONFIG_BYTES) throw new PullError(name, 'Unknown', 'the config is too large');
  const config = JSON.parse(await readFile(configFile, 'utf8')) as ImageConfig;
  const diffIds = config.rootfs?.diff_ids ?? [];
  if (diffIds.length !== layers.length)
    throw new PullError(name, 'Unknown', `mismatched image rootfs and manifest layers`);
  for (const [index, layer] of layers.entries()) {
    const compression = layerCompressionOf(layer.mediaType);
    if (!compression)
      throw new PullError(name, 'Unknown', `layer media type "${layer.mediaType}" is no file system layer`);
    const file = join(target, `layer-${index}`);
    await fetchBlob(reference, layer, file, options);
    let diffId: Digest;
    try {
      diffId = await unpackLayer(file, compression, root);
    } catch (error) {
      throw new PullError(name, 'Unknown', `failed to extract layer ${layer.digest}: ${messageOf(error)}`, error);
    }
    if (diffId !== diffIds[index])
      throw new PullError(
        name,
        'FailedPrecondition',
        `failed to extract layer ${layer.digest}: wrong diff id ${diffId}, expected ${diffIds[index]}`,
      );
    await rm(file);
  }
  await writeFile(join(target, 'manifest.json'), image.manifestContent);
  return config;
}

/** Downloads a blob and checks it against its descriptor. Throws PullError. */
export async function fetchBlob(
  reference: Reference,
  descriptor: Descriptor,
  file: string,
  options: RegistryClientOptions,
): Promise<void> {
  const name = formatReference(reference);
  const fail = (code: PullError['grpcCode'], reason: string, cause?: unknown): PullError =>
    new PullError(name, code, `failed to copy: ${reason}`, cause);
  const url = registryUrl(reference, `blobs/${descriptor.digest}`, options);
  const { algorithm } = parseDigest(descriptor.digest);
  const hash = createHash(algorithm);
  let size = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done(
        size > descriptor.size ? new Error(`more than the ${descriptor.size} bytes of its descriptor`) : null,
        chunk,
      );
    },
  });
  try {
    const response = await send('GET', url, {}, options);
    if (response.statusCode !== 200) {
      if (response.statusCode === 404) {
        response.resume();
        throw fail('NotFound', `httpReadSeeker: failed open: content at ${url} not found: not found`);
      }
      throw fail('Unknown', `httpReadSeeker: failed open: unexpected status ${await describeFailure(response)}`);
    }
    await pipeline(response, check, createWriteStream(file));
  } catch (error) {
    if (error instanceof PullError) throw error;
    options.signal?.throwIfAborted();
    throw fail('Unknown', `Get "${url}": ${dialError(error, url)}`, error);
  }
  const digest = `${algorithm}:${hash.digest('hex')}`;
  const written = (await stat(file)).size;
  if (digest !== descriptor.digest || written !== descriptor.size)
    throw fail(
      'FailedPrecondition',
      `commit failed: unexpected commit digest ${digest}, expected ${descriptor.digest}: failed precondition`,
    );
}
