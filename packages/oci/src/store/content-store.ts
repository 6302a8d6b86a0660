import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError, systemCodeOf } from '@kind-e2e/base';
import { type Digest, digestOf, digestOfFile, isDigest, parseDigest } from '../image/digest.ts';
import { isRepositoryName, isTag } from '../image/reference.ts';
import { moveDurably, writeDurably } from './durable-file.ts';

export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly content: Buffer;
}

/** The bytes do not have the digest that was claimed for them. */
export class DigestMismatchError extends LabError {
  constructor(claimed: Digest, actual: Digest) {
    super(`content has digest ${actual}, not ${claimed}`, { code: 'DIGEST_MISMATCH', side: 'user' });
    this.name = 'DigestMismatchError';
  }
}

/**
 * Blobs, manifests and tags on disk.
 *
 * | path | holds |
 * |---|---|
 * | `blobs/<algorithm>/<hex>` | content of blobs and manifests, shared by all repositories |
 * | `repositories/<name>/_blobs/<algorithm>/<hex>` | empty; the repository has the blob |
 * | `repositories/<name>/_manifests/<algorithm>/<hex>` | media type; the repository has the manifest |
 * | `repositories/<name>/_tags/<tag>` | digest of the manifest |
 * | `uploads/<id>` | content of unfinished uploads |
 *
 * Components of repository names never begin with `_`. Every file appears by rename after fsync, so a crash leaves
 * nothing half written in a place that is read.
 */
export class ContentStore {
  readonly directory: string;
  readonly uploadsDirectory: string;

  constructor(directory: string) {
    this.directory = directory;
    this.uploadsDirectory = join(directory, 'uploads');
  }

  async open(): Promise<void> {
    await mkdir(this.uploadsDirectory, { recursive: true });
    await mkdir(join(this.directory, 'repositories'), { recursive: true });
  }

  blobPath(digest: Digest): string {
    const { algorithm, hex } = parseDigest(digest);
    return join(this.directory, 'blobs', algorithm, hex);
  }

  #repositoryPath(repository: string, ...parts: readonly string[]): string {
    if (!isRepositoryName(repository)) throw new RangeError(`"${repository}" is not a repository name`);
    return join(this.directory, 'repositories', repository, ...parts);
  }

  #linkPath(repository: string, kind: '_blobs' | '_manifests', digest: Digest): string {
    const { algorithm, hex } = parseDigest(digest);
    return this.#repositoryPath(repository, kind, algorithm, hex);
  }

  #tagPath(repository: string, tag: string): string {
    if (!isTag(tag)) throw new RangeError(`"${tag}" is not a tag`);
    return this.#repositoryPath(repository, '_tags', tag);
  }

  /** Size in bytes of the content, in whichever repository; undefined when it is not there. */
  async contentSize(digest: Digest): Promise<number | undefined> {
    const info = await stat(this.blobPath(digest)).catch(absent);
    return info?.size;
  }

  /** Size of a blob that the repository has. */
  async blobSize(repository: string, digest: Digest): Promise<number | undefined> {
    if (!(await exists(this.#linkPath(repository, '_blobs', digest)))) return undefined;
    return this.contentSize(digest);
  }

  /** Takes the file at `path` as a blob of the repository; throws DigestMismatchError and removes the file otherwise. */
  async addBlob(repository: string, path: string, digest: Digest): Promise<void> {
    const actual = await digestOfFile(path, parseDigest(digest).algorithm);
    if (actual !== digest) {
      await rm(path, { force: true });
      throw new DigestMismatchError(digest, actual);
    }
    await moveDurably(path, this.blobPath(digest));
    await this.linkBlob(repository, digest);
  }

  /** Gives the repository a blob whose content the store has. */
  async linkBlob(repository: string, digest: Digest): Promise<void> {
    await writeDurably(this.#linkPath(repository, '_blobs', digest), '');
  }

  /** Whether the repository had the blob. The content goes with the next garbage collection. */
  async removeBlob(repository: string, digest: Digest): Promise<boolean> {
    return removeFile(this.#linkPath(repository, '_blobs', digest));
  }

  /** Stores a manifest under its digest, and under the tag when one is given. */
  async putManifest(
    repository: string,
    content: Uint8Array,
    mediaType: string,
    options: { readonly tag?: string; readonly digest?: Digest } = {},
  ): Promise<Digest> {
    const digest = digestOf(content, options.digest === undefined ? 'sha256' : parseDigest(options.digest).algorithm);
    if (options.digest !== undefined && options.digest !== digest)
      throw new DigestMismatchError(options.digest, digest);
    await writeDurably(this.blobPath(digest), content);
    await writeDurably(this.#linkPath(repository, '_manifests', digest), mediaType);
    if (options.tag !== undefined) await writeDurably(this.#tagPath(repository, options.tag), digest);
    return digest;
  }

  async resolveTag(repository: string, tag: string): Promise<Digest | undefined> {
    const text = await readFile(this.#tagPath(repository, tag), 'utf8').catch(absent);
    return text !== undefined && isDigest(text) ? text : undefined;
  }

  /** A manifest by tag or digest. Content that rotted on disk throws DigestMismatchError. */
  async getManifest(repository: string, tagOrDigest: string): Promise<StoredManifest | undefined> {
    const digest = isDigest(tagOrDigest) ? tagOrDigest : await this.resolveTag(repository, tagOrDigest);
    if (digest === undefined) return undefined;
    const mediaType = await readFile(this.#linkPath(repository, '_manifests', digest), 'utf8').catch(absent);
    if (mediaType === undefined) return undefined;
    const content = await readFile(this.blobPath(digest)).catch(absent);
    if (content === undefined) return undefined;
    const actual = digestOf(content, parseDigest(digest).algorithm);
    if (actual !== digest) throw new DigestMismatchError(digest, actual);
    return { digest, mediaType, content };
  }

  async removeTag(repository: string, tag: string): Promise<boolean> {
    return removeFile(this.#tagPath(repository, tag));
  }

  /** Removes the manifest and the tags that name it. */
  async removeManifest(repository: string, digest: Digest): Promise<boolean> {
    for (const tag of await this.listTags(repository))
      if ((await this.resolveTag(repository, tag)) === digest) await this.removeTag(repository, tag);
    return removeFile(this.#linkPath(repository, '_manifests', digest));
  }

  /** In lexical order. */
  async listTags(repository: string): Promise<string[]> {
    return (await namesIn(this.#repositoryPath(repository, '_tags'))).filter(isTag).sort();
  }

  async listManifests(repository: string): Promise<Digest[]> {
    return this.#listDigests(this.#repositoryPath(repository, '_manifests'));
  }

  async listBlobs(repository: string): Promise<Digest[]> {
    return this.#listDigests(this.#repositoryPath(repository, '_blobs'));
  }

  /** Digests of all content, whichever repository it belongs to. */
  async listContent(): Promise<Digest[]> {
    return this.#listDigests(join(this.directory, 'blobs'));
  }

  async #listDigests(directory: string): Promise<Digest[]> {
    const digests: Digest[] = [];
    for (const algorithm of await namesIn(directory))
      for (const hex of await namesIn(join(directory, algorithm)))
        if (isDigest(`${algorithm}:${hex}`)) digests.push(`${algorithm}:${hex}`);
    return digests;
  }

  /** Whether anything was ever pushed to the repository. */
  async hasRepository(repository: string): Promise<boolean> {
    return (
      (await exists(this.#repositoryPath(repository, '_manifests'))) ||
      (await exists(this.#repositoryPath(repository, '_blobs')))
    );
  }

  /** Repositories that have manifests, in lexical order. */
  async listRepositories(): Promise<string[]> {
    const root = join(this.directory, 'repositories');
    const found: string[] = [];
    const visit = async (path: string, name: string): Promise<void> => {
      for (const entry of await namesIn(path)) {
        if (entry === '_manifests') found.push(name);
        else if (!entry.startsWith('_')) await visit(join(path, entry), name === '' ? entry : `${name}/${entry}`);
      }
    };
    await visit(root, '');
    return found.sort();
  }

  async removeContent(digest: Digest): Promise<void> {
    await rm(this.blobPath(digest), { force: true });
  }

  newUploadPath(): { readonly id: string; readonly path: string } {
    const id = randomUUID();
    return { id, path: join(this.uploadsDirectory, id) };
  }
}

function absent(error: unknown): undefined {
  const code = systemCodeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
  throw error;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(absent)) !== undefined;
}

async function removeFile(path: string): Promise<boolean> {
  const there = await exists(path);
  await rm(path, { force: true });
  return there;
}

async function namesIn(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(absent)) ?? [];
}
