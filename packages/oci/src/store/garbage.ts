import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@kind-e2e/base';
import type { Digest } from '../image/digest.ts';
import type { ContentStore } from './content-store.ts';
import { referencedDigests } from './references.ts';

export interface GarbageOptions {
  /** Content and uploads younger than this stay, since a push may be under way. Default one hour. */
  readonly minAgeMs?: number;
  /** Also removes manifests that no tag, no index and no subject leads to. Default false. */
  readonly untagged?: boolean;
}

export interface GarbageReport {
  readonly blobs: number;
  readonly manifests: number;
  readonly uploads: number;
  readonly bytes: number;
}

const HOUR_MS = 3_600_000;

/** Removes what no manifest needs: mark from the manifests of all repositories, then sweep (distribution's `garbage-collect`). */
export async function collectGarbage(
  store: ContentStore,
  clock: Clock,
  options: GarbageOptions = {},
): Promise<GarbageReport> {
  const oldest = clock.now() - (options.minAgeMs ?? HOUR_MS);
  const marked = new Set<Digest>();
  let manifests = 0;
  for (const repository of await store.listRepositories()) {
    const kept = options.untagged ? await reachable(store, repository) : new Set(await store.listManifests(repository));
    const needed = new Set<Digest>();
    for (const digest of await store.listManifests(repository)) {
      const isYoung = !(await isOlder(store.blobPath(digest), oldest));
      if (!kept.has(digest) && !isYoung) {
        await store.removeManifest(repository, digest);
        manifests++;
        continue;
      }
      needed.add(digest);
      const manifest = await store.getManifest(repository, digest);
      for (const reference of manifest ? referencedDigests(manifest.content) : []) needed.add(reference);
    }
    for (const digest of await store.listBlobs(repository))
      if (!needed.has(digest) && (await isOlder(store.blobPath(digest), oldest)))
        await store.removeBlob(repository, digest);
    for (const digest of needed) marked.add(digest);
  }
  let blobs = 0;
  let bytes = 0;
  for (const digest of await store.listContent()) {
    if (marked.has(digest) || !(await isOlder(store.blobPath(digest), oldest))) continue;
    bytes += (await store.contentSize(digest)) ?? 0;
    await store.removeContent(digest);
    blobs++;
  }
  let uploads = 0;
  for (const name of await readdir(store.uploadsDirectory)) {
    const path = join(store.uploadsDirectory, name);
    if (!(await isOlder(path, oldest))) continue;
    await rm(path, { force: true });
    uploads++;
  }
  return { blobs, manifests, uploads, bytes };
}

/** Manifests that tags lead to, through indexes; and those whose subject is reachable. */
async function reachable(store: ContentStore, repository: string): Promise<Set<Digest>> {
  const found = new Set<Digest>();
  const visit = async (digest: Digest): Promise<void> => {
    if (found.has(digest)) return;
    const manifest = await store.getManifest(repository, digest);
    if (!manifest) return;
    found.add(digest);
    for (const child of referencedDigests(manifest.content)) await visit(child);
  };
  for (const tag of await store.listTags(repository)) {
    const digest = await store.resolveTag(repository, tag);
    if (digest) await visit(digest);
  }
  for (let grown = true; grown; ) {
    grown = false;
    for (const digest of await store.listManifests(repository)) {
      if (found.has(digest)) continue;
      const manifest = await store.getManifest(repository, digest);
      const subject =
        manifest && (JSON.parse(manifest.content.toString()) as { subject?: { digest?: string } }).subject;
      if (subject?.digest === undefined || !found.has(subject.digest)) continue;
      await visit(digest);
      grown = true;
    }
  }
  return found;
}

async function isOlder(path: string, than: number): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && info.mtimeMs <= than;
}
