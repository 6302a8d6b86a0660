import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, link, lstat, mkdir, open, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { LabError, systemCodeOf } from '@kind-e2e/base';
import { type Extract, extract } from 'tar-stream';
import type { Digest } from '../image/digest.ts';
import type { LayerCompression } from '../image/media-types.ts';

type Entry = Extract extends AsyncIterable<infer Item> ? Item : never;

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const MAX_LINKS = 40;

/** A layer holds something that must not be unpacked; nothing outside the target was touched. */
export class UnsafeLayerError extends LabError {
  constructor(message: string) {
    super(message, { code: 'UNSAFE_LAYER', side: 'user' });
    this.name = 'UnsafeLayerError';
  }
}

/**
 * Unpacks one layer over what earlier layers left in `root` (image-spec layer.md): whiteouts remove, opaque whiteouts
 * empty a folder. Links in paths are followed as if `root` were `/`; a path or a link in a path that climbs out of it
 * throws UnsafeLayerError. Device files and set-user-id bits are left out, owners are not kept. Gives the digest of
 * the uncompressed layer.
 */
export async function unpackLayer(file: string, compression: LayerCompression, root: string): Promise<Digest> {
  const hash = createHash('sha256');
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const tar = extract();
  const source = createReadStream(file);
  const reading =
    compression === 'gzip'
      ? pipeline(source, createGunzip(), tap, tar)
      : compression === 'zstd'
        ? pipeline(source, createZstdDecompress(), tap, tar)
        : pipeline(source, tap, tar);
  const layer = new LayerWriter(root);
  try {
    for await (const entry of tar) await layer.add(entry);
    await reading;
  } catch (error) {
    tar.destroy();
    const failure = await reading.then(
      () => undefined,
      (readError: unknown) => readError,
    );
    if (error instanceof UnsafeLayerError || !failure) throw error;
    throw systemCodeOf(error) === undefined && error instanceof Error ? error : failure;
  }
  return `sha256:${hash.digest('hex')}`;
}

class LayerWriter {
  readonly #root: string;
  /** Folders known to be real, by their path in the image; emptied when anything but a file is made or removed. */
  readonly #folders = new Map<string, string>();
  /** What this layer made: its own whiteouts must not remove it. */
  readonly #made = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  async add(entry: Entry): Promise<void> {
    const { header } = entry;
    const path = safePath(header.name);
    const base = posix.basename(path);
    const parent = await this.#folder(posix.dirname(path));
    if (base === OPAQUE) await this.#empty(parent);
    else if (base.startsWith(WHITEOUT)) await this.#remove(parent, base.slice(WHITEOUT.length));
    else if (path === '.') await drain(entry);
    else await this.#write(entry, parent, base);
    await drain(entry);
  }

  async #write(entry: Entry, parent: string, base: string): Promise<void> {
    const { header } = entry;
    const target = join(parent, base);
    const existing = await lstat(target).catch(() => undefined);
    const isFolder = header.type === 'directory';
    if (existing && !(isFolder && existing.isDirectory())) {
      await rm(target, { recursive: true, force: true });
      this.#folders.clear();
    }
    const mode = (header.mode ?? 0o644) & 0o777;
    this.#made.add(target);
    switch (header.type) {
      case 'directory':
        await mkdir(target, { recursive: true });
        await chmod(target, mode | 0o700);
        break;
      case 'file':
      case 'contiguous-file':
        await writeContent(entry, target, mode | 0o400);
        break;
      case 'symlink':
        await symlink(header.linkname ?? '', target);
        this.#folders.clear();
        break;
      case 'link':
        await this.#hardLink(header.linkname ?? '', target);
        break;
      default:
        // Device files and pipes need rights that a kubelet of this kind does not have; containers get /dev of the host.
        break;
    }
  }

  async #hardLink(name: string, target: string): Promise<void> {
    const path = safePath(name);
    const source = join(await this.#folder(posix.dirname(path)), posix.basename(path));
    const info = await lstat(source).catch(() => undefined);
    if (!info || info.isDirectory())
      throw new UnsafeLayerError(`hard link to "${name}", which is no file of the image`);
    await link(source, target);
  }

  async #remove(parent: string, base: string): Promise<void> {
    if (base === '' || base === '.' || base === '..') throw new UnsafeLayerError(`whiteout of "${base}"`);
    const target = join(parent, base);
    if (this.#made.has(target)) return;
    await rm(target, { recursive: true, force: true });
    this.#folders.clear();
  }

  async #empty(folder: string): Promise<void> {
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (![...this.#made].some((made) => made === path || made.startsWith(`${path}/`)))
        await rm(path, { recursive: true, force: true });
    }
    this.#folders.clear();
  }

  /** The real folder for a path in the image, made when it is not there. */
  async #folder(path: string): Promise<string> {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const real = await makeFolder(this.#root, path);
    this.#folders.set(path, real);
    return real;
  }
}

async function drain(entry: Entry): Promise<void> {
  if (entry.destroyed) return;
  for await (const _ of entry) {
    // The next entry begins when this one was read.
  }
}

async function writeContent(entry: Entry, target: string, mode: number): Promise<void> {
  const handle = await open(target, 'wx', mode);
  try {
    for await (const chunk of entry as AsyncIterable<Buffer>) await handle.write(chunk);
    await handle.chmod(mode);
    if (entry.header.mtime) await handle.utimes(entry.header.mtime, entry.header.mtime);
  } finally {
    await handle.close();
  }
}

/** A name of a tar entry as a path below the root; throws for names that climb out of it. */
function safePath(name: string): string {
  if (name.includes('\0')) throw new UnsafeLayerError('a name with a zero byte');
  const path = posix.normalize(name.replace(/^\/+/, '') || '.').replace(/\/$/, '');
  if (path === '..' || path.startsWith('../')) throw new UnsafeLayerError(`"${name}" leaves the image`);
  return path;
}

/** Walks down from `root`, following links inside it, making folders that are missing. */
async function makeFolder(root: string, path: string): Promise<string> {
  let rest = path.split('/').filter((part) => part !== '' && part !== '.');
  let real: string[] = [];
  let links = 0;
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '.' || part === '') continue;
    if (part === '..') {
      if (real.pop() === undefined) throw new UnsafeLayerError(`"${path}" leads out of the image through a link`);
      continue;
    }
    const next = join(root, ...real, part);
    const info = await lstat(next).catch(() => undefined);
    if (info?.isSymbolicLink()) {
      if (++links > MAX_LINKS) throw new UnsafeLayerError(`"${path}" goes through too many links`);
      const target = await readlink(next);
      if (target.startsWith('/')) real = [];
      rest = [...target.split('/'), ...rest];
      continue;
    }
    if (info && !info.isDirectory()) await rm(next, { force: true });
    if (!info?.isDirectory()) await mkdir(next, { mode: 0o755 });
    real.push(part);
  }
  return join(root, ...real);
}
