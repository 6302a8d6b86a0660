import { copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabError } from '@kind-e2e/base';
import { type Digest, digestOf, parseDigest } from './digest.ts';
import { type LayerSource, writeLayer } from './layer.ts';
import { DOCKER_LAYER_GZIP, OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from './media-types.ts';
import { currentPlatform } from './platform.ts';
import type { Descriptor, ImageConfig, Manifest, Platform } from './types.ts';

/** An image to build on: its blobs lie in the folder under the hexadecimal digits of their digests. */
export interface BaseImage {
  readonly directory: string;
  readonly layers: readonly Descriptor[];
  readonly config: ImageConfig;
}

export interface BuildImageOptions {
  /** Its layers come first, its configuration is what the options leave out, and it says the platform. */
  readonly base?: BaseImage;
  /** Each source is a layer of its own: put what changes seldom first. */
  readonly layers: readonly LayerSource[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `uid`, `uid:gid` or a name. */
  readonly user?: string;
  readonly workingDir?: string;
  /** `8080`, `'8080/tcp'`, `'53/udp'`. */
  readonly exposedPorts?: readonly (number | string)[];
  readonly volumes?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly stopSignal?: string;
  /** Default: Linux on this machine's architecture. */
  readonly platform?: Platform;
  /** Time of the image and of every file in it. Default: the Unix epoch, so that builds are reproducible. */
  readonly createdAt?: Date;
  /** Owner of every file. Default 0:0. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Folder for the OCI image layout. Default: a temporary one that disposal removes. */
  readonly output?: string;
}

/** An image on disk, as an OCI image layout (image-spec image-layout.md). */
export interface BuiltImage extends AsyncDisposable {
  readonly layout: string;
  /** Digest of the manifest. */
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** Builds an image from folders and files, without Docker. The same input gives the same digest. */
export async function buildImage(options: BuildImageOptions): Promise<BuiltImage> {
  if (options.layers.length === 0)
    throw new LabError('an image needs at least one layer', { code: 'IMAGE_EMPTY', side: 'usage' });
  const layout = options.output ?? (await mkdtemp(join(tmpdir(), 'kind-e2e-image-')));
  const dispose = async (): Promise<void> => {
    if (options.output === undefined) await rm(layout, { recursive: true, force: true });
  };
  try {
    const blobs = join(layout, 'blobs', 'sha256');
    await mkdir(blobs, { recursive: true });
    const built = await writeImage(blobs, options);
    const { content, digest, manifest, config } = built;
    const entry: Descriptor = { mediaType: OCI_MANIFEST, digest, size: content.length, platform: platformOf(config) };
    await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    await writeFile(
      join(layout, 'index.json'),
      JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] }),
    );
    await removeStale(blobs, manifest, digest);
    return { layout, digest, manifest, config, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

interface WrittenImage {
  readonly content: Buffer;
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

async function writeImage(blobs: string, options: BuildImageOptions): Promise<WrittenImage> {
  const createdAt = options.createdAt ?? new Date(0);
  const owner = options.owner ?? { uid: 0, gid: 0 };
  const layers: Descriptor[] = [];
  const diffIds: Digest[] = [];
  for (const layer of options.base?.layers ?? []) {
    const { hex } = parseDigest(layer.digest);
    await copyFile(join(options.base?.directory ?? '', hex), join(blobs, hex));
    layers.push({ mediaType: ociLayerType(layer.mediaType), digest: layer.digest, size: layer.size });
  }
  for (const [index, source] of options.layers.entries()) {
    const temporary = join(blobs, `.layer-${index}`);
    const layer = await writeLayer(temporary, { sources: [source], mtime: createdAt, ...owner });
    await rename(temporary, join(blobs, parseDigest(layer.digest).hex));
    layers.push({ mediaType: OCI_LAYER_GZIP, digest: layer.digest, size: layer.size });
    diffIds.push(layer.diffId);
  }
  const config = configOf(options, createdAt, diffIds);
  const configContent = Buffer.from(JSON.stringify(config));
  const configDescriptor = await writeBlob(blobs, configContent, OCI_CONFIG);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: configDescriptor,
    layers,
    ...(options.annotations ? { annotations: options.annotations } : {}),
  };
  const content = Buffer.from(JSON.stringify(manifest));
  const { digest } = await writeBlob(blobs, content, OCI_MANIFEST);
  return { content, digest, manifest, config };
}

async function writeBlob(blobs: string, content: Buffer, mediaType: string): Promise<Descriptor> {
  const digest = digestOf(content);
  await writeFile(join(blobs, parseDigest(digest).hex), content);
  return { mediaType, digest, size: content.length };
}

function configOf(options: BuildImageOptions, createdAt: Date, diffIds: readonly Digest[]): ImageConfig {
  const ports = options.exposedPorts?.map((port) => (/\//.test(String(port)) ? String(port) : `${port}/tcp`));
  const asSet = (names: readonly string[]): Record<string, Record<string, never>> =>
    Object.fromEntries([...names].sort().map((name) => [name, {}]));
  const base = options.base?.config;
  // As Docker does: an entrypoint of one's own is not given the arguments of the base's.
  const { Cmd: baseCmd, ...inherited } = base?.config ?? {};
  const env = new Map((base?.config?.Env ?? []).map((entry) => [entry.slice(0, entry.indexOf('=')), entry]));
  for (const [name, value] of Object.entries(options.env ?? {})) env.set(name, `${name}=${value}`);
  return {
    created: createdAt.toISOString(),
    ...(options.platform ?? (base ? { architecture: base.architecture, os: base.os } : currentPlatform())),
    config: {
      ...inherited,
      ...(baseCmd && !options.entrypoint ? { Cmd: baseCmd } : {}),
      ...(options.user === undefined ? {} : { User: options.user }),
      ...(ports ? { ExposedPorts: { ...inherited.ExposedPorts, ...asSet(ports) } } : {}),
      Env: [...env.values()],
      ...(options.entrypoint ? { Entrypoint: options.entrypoint } : {}),
      ...(options.cmd && options.cmd.length > 0 ? { Cmd: options.cmd } : {}),
      ...(options.volumes ? { Volumes: { ...inherited.Volumes, ...asSet(options.volumes) } } : {}),
      ...(options.workingDir === undefined ? {} : { WorkingDir: options.workingDir }),
      ...(options.labels ? { Labels: { ...inherited.Labels, ...options.labels } } : {}),
      ...(options.stopSignal === undefined ? {} : { StopSignal: options.stopSignal }),
    },
    rootfs: { type: 'layers', diff_ids: [...(base?.rootfs.diff_ids ?? []), ...diffIds] },
    history: [
      ...(base?.history ?? []),
      ...diffIds.map(() => ({ created: createdAt.toISOString(), created_by: 'kind-e2e build' })),
    ],
  };
}

function platformOf(config: ImageConfig): Platform {
  return { architecture: config.architecture, os: config.os };
}

/** Docker's media types have the same layers under other names; an OCI manifest has OCI's. */
function ociLayerType(mediaType: string): string {
  return mediaType === DOCKER_LAYER_GZIP ? OCI_LAYER_GZIP : mediaType;
}

/** A layout that is built into again keeps only the new image. */
async function removeStale(blobs: string, manifest: Manifest, digest: Digest): Promise<void> {
  const needed = new Set(
    [digest, manifest.config?.digest, ...(manifest.layers ?? []).map((layer) => layer.digest)]
      .filter((each) => each !== undefined)
      .map((each) => parseDigest(each).hex),
  );
  for (const name of await readdir(blobs)) if (!needed.has(name)) await rm(join(blobs, name), { force: true });
}
