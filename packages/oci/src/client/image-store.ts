import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@kind-e2e/base';
import type { Digest } from '../image/digest.ts';
import { formatReference, parseReference } from '../image/reference.ts';
import type { ImageConfig } from '../image/types.ts';
import { writeDurably } from '../store/durable-file.ts';
import { type ResolvedImage, resolveImage, unpackImage } from './pull.ts';
import { PullError } from './pull-error.ts';
import type { RegistryClientOptions } from './transport.ts';

export interface ImageStoreOptions {
  /** Where images are unpacked, one folder each; made when it is not there. */
  readonly directory: string;
  readonly logger: Logger;
  readonly isPlainHttp?: (registry: string) => boolean;
  /** Which registries may be asked at all. Default: every one. */
  readonly isAllowed?: (registry: string) => boolean;
}

/** An image on this machine. */
export interface LocalImage {
  /** Name, complete: `localhost:5001/front-end:dev`. */
  readonly name: string;
  /** Digest of the manifest; also the image's identity in container statuses. */
  readonly digest: Digest;
  /** `localhost:5001/front-end@sha256:…` */
  readonly nameWithDigest: string;
  readonly config: ImageConfig;
  /** Folder with the unpacked file system. Read-only for everybody. */
  readonly rootfs: string;
  /** Sum of the compressed blobs. */
  readonly sizeBytes: number;
}

interface NameEntry {
  readonly digest: Digest;
  readonly nameDigest: Digest;
}

/**
 * Images unpacked under `<directory>/<algorithm>-<hex>`, each once, whoever asks and how often: a folder appears by
 * rename when it is whole. `names.json` keeps which digest a name last led to, for pull policy IfNotPresent.
 */
export class ImageStore {
  readonly #options: ImageStoreOptions;
  readonly #names = new Map<string, NameEntry>();
  readonly #unpacking = new Map<Digest, Promise<void>>();
  readonly #loaded = new Map<Digest, { config: ImageConfig; sizeBytes: number }>();
  #saving: Promise<void> = Promise.resolve();

  private constructor(options: ImageStoreOptions) {
    this.#options = options;
  }

  static async open(options: ImageStoreOptions): Promise<ImageStore> {
    const store = new ImageStore(options);
    await mkdir(options.directory, { recursive: true });
    for (const name of await readdir(options.directory))
      if (name.startsWith('.unpack-')) await rm(join(options.directory, name), { recursive: true, force: true });
    const text = await readFile(store.#namesFile, 'utf8').catch(() => '{}');
    for (const [name, entry] of Object.entries(JSON.parse(text) as Record<string, NameEntry>))
      store.#names.set(name, entry);
    return store;
  }

  get #namesFile(): string {
    return join(this.#options.directory, 'names.json');
  }

  #folder(digest: Digest): string {
    return join(this.#options.directory, digest.replace(':', '-'));
  }

  /** The image that a name last led to, when it is here. Throws InvalidReferenceError. */
  async find(name: string): Promise<LocalImage | undefined> {
    const reference = parseReference(name);
    const full = formatReference(reference);
    const entry =
      this.#names.get(full) ??
      (reference.digest === undefined ? undefined : { digest: reference.digest, nameDigest: reference.digest });
    return entry && this.#load(full, entry);
  }

  /** Asks the registry what the name means now and unpacks that image unless it is here. Throws PullError. */
  async pull(name: string, signal?: AbortSignal): Promise<LocalImage> {
    const reference = parseReference(name);
    const full = formatReference(reference);
    const known = reference.digest === undefined ? undefined : await this.find(name);
    if (known) return known;
    if (this.#options.isAllowed && !this.#options.isAllowed(reference.registry))
      throw new PullError(
        full,
        'NotFound',
        `failed to resolve reference "${full}": the embedded engine pulls from local registries only, not from ${reference.registry}: not found`,
      );
    const options: RegistryClientOptions = {
      ...(this.#options.isPlainHttp ? { isPlainHttp: this.#options.isPlainHttp } : {}),
      ...(signal ? { signal } : {}),
    };
    const resolved = await resolveImage(reference, options);
    const running = this.#unpacking.get(resolved.digest) ?? this.#unpack(name, resolved, options);
    this.#unpacking.set(resolved.digest, running);
    try {
      await running;
    } finally {
      this.#unpacking.delete(resolved.digest);
    }
    const entry: NameEntry = { digest: resolved.digest, nameDigest: resolved.nameDigest };
    const before = this.#names.get(full);
    if (before?.digest !== entry.digest || before.nameDigest !== entry.nameDigest) {
      this.#names.set(full, entry);
      await this.#saveNames();
    }
    const image = await this.#load(full, entry);
    if (!image) throw new PullError(full, 'Unknown', 'the unpacked image vanished');
    return image;
  }

  async #unpack(name: string, resolved: ResolvedImage, options: RegistryClientOptions): Promise<void> {
    const folder = this.#folder(resolved.digest);
    if (await isFolder(folder)) return;
    const temporary = join(this.#options.directory, `.unpack-${randomUUID()}`);
    await mkdir(temporary);
    try {
      await unpackImage(parseReference(name), resolved, temporary, options);
      await rename(temporary, folder);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      // Another process was first.
      if (!(await isFolder(folder))) throw error;
    }
    this.#options.logger.debug('image unpacked', { image: name, digest: resolved.digest });
  }

  async #load(name: string, entry: NameEntry): Promise<LocalImage | undefined> {
    const folder = this.#folder(entry.digest);
    let loaded = this.#loaded.get(entry.digest);
    if (!loaded) {
      const config = await readFile(join(folder, 'config.json'), 'utf8').catch(() => undefined);
      const manifest = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => undefined);
      if (config === undefined || manifest === undefined) return undefined;
      const { layers = [] } = JSON.parse(manifest) as { layers?: { size: number }[] };
      loaded = {
        config: JSON.parse(config) as ImageConfig,
        sizeBytes: layers.reduce((sum, layer) => sum + layer.size, Buffer.byteLength(config)),
      };
      this.#loaded.set(entry.digest, loaded);
    }
    const reference = parseReference(name);
    return {
      name,
      digest: entry.digest,
      nameWithDigest: `${reference.registry}/${reference.repository}@${entry.nameDigest}`,
      config: loaded.config,
      rootfs: join(folder, 'rootfs'),
      sizeBytes: loaded.sizeBytes,
    };
  }

  /** Everything that is here, by name. */
  async list(): Promise<LocalImage[]> {
    const images = await Promise.all([...this.#names].map(([name, entry]) => this.#load(name, entry)));
    return images.filter((image) => image !== undefined);
  }

  /** Removes unpacked images that are not among `inUse` and not what a name leads to. Gives how many. */
  async prune(inUse: ReadonlySet<Digest>): Promise<number> {
    const kept = new Set([...inUse, ...[...this.#names.values()].map((entry) => entry.digest)]);
    const keptFolders = new Set([...kept].map((digest) => this.#folder(digest)));
    let removed = 0;
    for (const name of await readdir(this.#options.directory)) {
      const folder = join(this.#options.directory, name);
      if (!/^sha(?:256|512)-/.test(name) || keptFolders.has(folder)) continue;
      this.#loaded.delete(name.replace('-', ':'));
      await rm(folder, { recursive: true, force: true });
      removed++;
    }
    return removed;
  }

  #saveNames(): Promise<void> {
    this.#saving = this.#saving
      .catch(() => undefined)
      .then(() => writeDurably(this.#namesFile, JSON.stringify(Object.fromEntries(this.#names), null, 1)));
    return this.#saving;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
