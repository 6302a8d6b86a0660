import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { LabError } from '@kind-e2e/base';
import { type Pack, pack } from 'tar-stream';
import type { Digest } from './digest.ts';

/** What goes into a layer: a folder's content, files given as text or bytes, or both, below `target`. */
export interface LayerSource {
  readonly directory?: string;
  /** Path below `target` to content. A script that must be executable gives its mode. */
  readonly files?: Readonly<
    Record<string, string | Uint8Array | { readonly content: string | Uint8Array; readonly mode: number }>
  >;
  /** Where in the image. Default `/`. */
  readonly target?: string;
  /** Takes a path below `directory` (with `/`); false leaves it out, folders with what they hold. */
  readonly filter?: (path: string) => boolean;
}

export interface LayerOptions {
  readonly sources: readonly LayerSource[];
  readonly mtime: Date;
  readonly uid: number;
  readonly gid: number;
}

export interface WrittenLayer {
  /** Digest of the compressed file. */
  readonly digest: Digest;
  /** Digest of the tar inside it, as the configuration lists it. */
  readonly diffId: Digest;
  readonly size: number;
}

type Entry =
  | { readonly type: 'directory' }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'file'; readonly mode: number; readonly path: string; readonly size: number }
  | { readonly type: 'content'; readonly mode: number; readonly content: Uint8Array };

/**
 * Writes a gzip-compressed tar. The same content gives the same bytes on every machine: entries in order of their
 * names, one time and owner for all, permissions reduced to 0755 and 0644.
 */
export async function writeLayer(path: string, options: LayerOptions): Promise<WrittenLayer> {
  const entries = new Map<string, Entry>();
  for (const source of options.sources) await collect(source, entries);
  const tar = pack();
  const diff = createHash('sha256');
  const compressed = createHash('sha256');
  const written = pipeline(
    Readable.from(tar),
    tap(diff),
    createGzip({ level: 6 }),
    tap(compressed),
    createWriteStream(path),
  );
  try {
    await addEntries(tar, entries, options);
    tar.finalize();
  } catch (error) {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
    await written.catch(() => undefined);
    throw error;
  }
  await written;
  return {
    digest: `sha256:${compressed.digest('hex')}`,
    diffId: `sha256:${diff.digest('hex')}`,
    size: (await stat(path)).size,
  };
}

function tap(hash: { update(chunk: Buffer): unknown }): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

async function collect(source: LayerSource, entries: Map<string, Entry>): Promise<void> {
  const base = cleanPath(source.target ?? '/');
  addParents(entries, base === '' ? '' : `${base}/x`);
  if (source.directory !== undefined) await walk(source.directory, '', base, source.filter, entries);
  for (const [name, file] of Object.entries(source.files ?? {})) {
    const path = posix.join(base, cleanPath(name));
    addParents(entries, path);
    const isBare = typeof file === 'string' || file instanceof Uint8Array;
    const content = isBare ? file : file.content;
    entries.set(path, {
      type: 'content',
      mode: isBare ? 0o644 : normalMode(file.mode),
      content: typeof content === 'string' ? Buffer.from(content) : content,
    });
  }
}

async function walk(
  directory: string,
  below: string,
  base: string,
  filter: LayerSource['filter'],
  entries: Map<string, Entry>,
): Promise<void> {
  for (const name of (await readdir(directory)).sort()) {
    const relative = below === '' ? name : `${below}/${name}`;
    if (filter && !filter(relative)) continue;
    const path = join(directory, name);
    const target = base === '' ? relative : `${base}/${relative}`;
    const info = await lstat(path);
    if (info.isDirectory()) {
      entries.set(target, { type: 'directory' });
      await walk(path, relative, base, filter, entries);
    } else if (info.isSymbolicLink()) entries.set(target, { type: 'symlink', target: await readlink(path) });
    else if (info.isFile()) entries.set(target, { type: 'file', mode: normalMode(info.mode), path, size: info.size });
    else
      throw new LabError(`${path} is neither a file, a folder nor a link; an image cannot hold it`, {
        code: 'IMAGE_FILE_UNSUPPORTED',
        side: 'user',
        remedy: 'leave it out of the folder that is built',
      });
  }
}

async function addEntries(tar: Pack, entries: ReadonlyMap<string, Entry>, options: LayerOptions): Promise<void> {
  const names = [...entries.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  for (const name of names) {
    const entry = entries.get(name);
    if (!entry) continue;
    const common = { mtime: options.mtime, uid: options.uid, gid: options.gid, uname: '', gname: '' };
    switch (entry.type) {
      case 'directory':
        tar.entry({ ...common, name: `${name}/`, type: 'directory', mode: 0o755 });
        break;
      case 'symlink':
        tar.entry({ ...common, name, type: 'symlink', linkname: entry.target, mode: 0o777 });
        break;
      case 'content':
        tar.entry({ ...common, name, mode: entry.mode }, Buffer.from(entry.content));
        break;
      case 'file':
        await new Promise<void>((resolve, reject) => {
          const sink = tar.entry({ ...common, name, mode: entry.mode, size: entry.size }, (error) =>
            error ? reject(error) : resolve(),
          );
          pipeline(createReadStream(entry.path), sink).catch(reject);
        });
        break;
    }
  }
}

function addParents(entries: Map<string, Entry>, path: string): void {
  const parts = path.split('/');
  for (let length = 1; length < parts.length; length++) {
    const parent = parts.slice(0, length).join('/');
    if (!entries.has(parent)) entries.set(parent, { type: 'directory' });
  }
}

function cleanPath(path: string): string {
  const clean = posix.normalize(`/${path}`).slice(1);
  return clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

function normalMode(mode: number): number {
  return mode & 0o111 ? 0o755 : 0o644;
}
