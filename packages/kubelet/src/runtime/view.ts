import { constants } from 'node:fs';
import {
  access,
  copyFile,
  cp,
  lstat,
  mkdir,
  readdir,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { fstabPath, overlayOptions, type ViewMode } from './view-probe.ts';

/** A file or folder of the host at a path of the container. */
export interface ContainerMount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface ViewOptions {
  readonly mode: ViewMode;
  /** Container folder; `root`, `upper` and `work` below it are the view's. */
  readonly directory: string;
  /** Unpacked image, shared and never written to. */
  readonly rootfs: string;
  readonly mounts: readonly ContainerMount[];
  readonly readOnlyRoot: boolean;
}

/** Top-level folders of the host that programs need to run at all. */
const HOST_FOLDERS = ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'nix', 'etc'];
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'ptmx'];
const OWN_FOLDERS = [
  'tmp',
  'var',
  'var/tmp',
  'var/log',
  'var/lib',
  'var/cache',
  'run',
  'home',
  'root',
  'mnt',
  'opt',
  'srv',
];
/** Where the view puts the lab's own files: the Node.js binary and the preload. */
export const LAB_FOLDER = '/.kind-e2e';

/**
 * Prepares what the launch script mounts: a root folder on disk, over which the host's program folders, /proc, /dev,
 * /sys, the image (below a writable layer) and the mounts are laid. What the program writes outside of mounts goes
 * with the container.
 */
export async function prepareNamespaceView(options: ViewOptions): Promise<void> {
  const view = new NamespaceView(options);
  await view.build();
}

class NamespaceView {
  readonly #options: ViewOptions;
  readonly #root: string;
  readonly #lines: string[] = [];
  /** Writable side of folders of the root, by top-level name: where a mount point must be made. */
  readonly #writable = new Map<string, string>();

  constructor(options: ViewOptions) {
    this.#options = options;
    this.#root = join(options.directory, 'root');
  }

  async build(): Promise<void> {
    await mkdir(join(this.#root, '.kind-e2e', 'old'), { recursive: true });
    this.#bind(this.#root, this.#root);
    const image: string[] = await readdir(this.#options.rootfs).catch(() => []);
    for (const name of new Set([...HOST_FOLDERS, ...image])) await this.#topLevel(name, image.includes(name));
    for (const name of OWN_FOLDERS) await this.#ownFolder(name);
    await this.#system();
    const mounts = [...this.#options.mounts].sort((a, b) => depth(a.target) - depth(b.target));
    for (const mount of mounts) await this.#mount(mount);
    await writeFile(join(this.#options.directory, 'fstab'), `${this.#lines.join('\n')}\n`);
  }

  #bind(source: string, target: string, readOnly = false, recursive = false): void {
    const kind = readOnly ? this.#options.mode.readOnlyBind : recursive ? 'rbind' : 'bind';
    this.#lines.push(`${fstabPath(source)} ${fstabPath(target)} none ${kind} 0 0`);
  }

  async #topLevel(name: string, isInImage: boolean): Promise<void> {
    if (['proc', 'sys', 'dev', '.kind-e2e'].includes(name)) return;
    const target = join(this.#root, name);
    const inImage = isInImage ? join(this.#options.rootfs, name) : undefined;
    const imageInfo = inImage === undefined ? undefined : await lstat(inImage);
    const onHost = HOST_FOLDERS.includes(name) ? await lstat(`/${name}`).catch(() => undefined) : undefined;
    if (inImage !== undefined && imageInfo?.isSymbolicLink()) return symlink(await readlink(inImage), target);
    if (inImage !== undefined && imageInfo?.isFile()) return copyFile(inImage, target, constants.COPYFILE_FICLONE);
    if (inImage === undefined || !imageInfo?.isDirectory()) {
      if (onHost?.isSymbolicLink()) return symlink(await readlink(`/${name}`), target);
      if (!onHost) return;
      await mkdir(target);
      if (name === 'etc') return this.#layer(name, ['/etc']);
      return this.#bind(`/${name}`, target, false, true);
    }
    await mkdir(target, { mode: imageInfo.mode & 0o7777 });
    await this.#layer(name, onHost ? [inImage, await realpath(`/${name}`)] : [inImage]);
  }

  /** Lays a writable layer over folders; without overlayfs the image's folder is copied over what the host has. */
  async #layer(name: string, lower: readonly string[]): Promise<void> {
    const { directory, mode, readOnlyRoot } = this.#options;
    const target = join(this.#root, name);
    if (!mode.hasOverlay) {
      for (const source of [...lower].reverse())
        await cp(source, target, {
          recursive: true,
          verbatimSymlinks: true,
          mode: constants.COPYFILE_FICLONE,
          filter: isReadable,
        });
      this.#writable.set(name, target);
      return;
    }
    const upper = join(directory, 'upper', name);
    const work = join(directory, 'work', name);
    await mkdir(upper, { recursive: true });
    await mkdir(work, { recursive: true });
    this.#lines.push(
      `overlay ${fstabPath(target)} overlay ${overlayOptions(lower, upper, work)}${readOnlyRoot ? ',ro' : ''} 0 0`,
    );
    this.#writable.set(name, upper);
  }

  async #ownFolder(name: string): Promise<void> {
    const [top = name] = name.split('/');
    const base = this.#writable.get(top);
    if (base !== undefined) {
      if (name === top || (await lstat(join(this.#options.rootfs, name)).catch(() => undefined))) return;
      await mkdir(join(base, name.slice(top.length)), { recursive: true });
      return;
    }
    const made = await mkdir(join(this.#root, name), {
      recursive: true,
      mode: /(?:^|\/)tmp$/.test(name) ? 0o777 : 0o755,
    });
    if (made === undefined) return;
    if (name === 'var') await symlink('../run', join(this.#root, 'var', 'run')).catch(() => undefined);
  }

  async #system(): Promise<void> {
    for (const name of ['proc', 'sys']) {
      await mkdir(join(this.#root, name), { recursive: true });
      this.#bind(`/${name}`, join(this.#root, name), false, true);
    }
    const dev = join(this.#root, 'dev');
    await mkdir(dev, { recursive: true });
    for (const name of DEVICES) {
      if (!(await lstat(`/dev/${name}`).catch(() => undefined))) continue;
      await writeFile(join(dev, name), '');
      this.#bind(`/dev/${name}`, join(dev, name));
    }
    for (const name of ['pts', 'shm']) {
      if (!(await lstat(`/dev/${name}`).catch(() => undefined))) continue;
      await mkdir(join(dev, name));
      this.#bind(`/dev/${name}`, join(dev, name));
    }
    await symlink('/proc/self/fd', join(dev, 'fd'));
    for (const [index, name] of ['stdin', 'stdout', 'stderr'].entries())
      await symlink(`/proc/self/fd/${index}`, join(dev, name));
  }

  async #mount(mount: ContainerMount): Promise<void> {
    const info = await stat(mount.source);
    const target = await this.#resolve(mount.target);
    const place = await this.#placeOf(target);
    await mkdir(info.isDirectory() ? place : dirname(place), { recursive: true });
    if (!info.isDirectory()) await writeFile(place, '', { flag: 'a' });
    this.#bind(mount.source, join(this.#root, target), mount.readOnly, info.isDirectory());
  }

  /** Where a mount point must be made so that it is there in the view. */
  async #placeOf(target: string): Promise<string> {
    const outer = this.#options.mounts
      .filter((other) => target !== other.target && target.startsWith(`${other.target.replace(/\/$/, '')}/`))
      .sort((a, b) => b.target.length - a.target.length)[0];
    if (outer) return join(outer.source, target.slice(outer.target.length));
    const [, top = '', ...rest] = target.split('/');
    const base = this.#writable.get(top);
    return base === undefined ? join(this.#root, target) : join(base, ...rest);
  }

  /** Follows links of the view's own folders (`/var/run` is `/run`), as a mount would. */
  async #resolve(path: string): Promise<string> {
    let resolved = '/';
    const rest = posix.normalize(path).split('/').filter(Boolean);
    for (let part = rest.shift(), links = 0; part !== undefined; part = rest.shift()) {
      const next = posix.join(resolved, part);
      const link =
        (await readlink(join(this.#root, next)).catch(() => undefined)) ??
        (await readlink(join(this.#options.rootfs, next)).catch(() => undefined));
      if (link === undefined || ++links > 40) {
        resolved = next;
        continue;
      }
      if (link.startsWith('/')) resolved = '/';
      rest.unshift(...link.split('/').filter((each) => each !== '' && each !== '.'));
      while (rest[0] === '..') {
        rest.shift();
        resolved = posix.dirname(resolved);
      }
    }
    return resolved;
  }
}

async function isReadable(path: string): Promise<boolean> {
  const info = await lstat(path).catch(() => undefined);
  if (!info || !(info.isFile() || info.isDirectory() || info.isSymbolicLink())) return false;
  return (
    info.isSymbolicLink() ||
    access(path, constants.R_OK).then(
      () => true,
      () => false,
    )
  );
}

function depth(path: string): number {
  return path.split('/').filter(Boolean).length;
}

/**
 * The view without namespaces: a copy of the image in which every mount is a link to its source. Gives the folder that
 * stands for `/`; paths are rewritten by `rewritePath`.
 */
export async function prepareDirectView(options: ViewOptions): Promise<string> {
  const root = join(options.directory, 'root');
  await cp(options.rootfs, root, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });
  for (const mount of [...options.mounts].sort((a, b) => depth(a.target) - depth(b.target))) {
    const target = join(root, mount.target);
    if (await lstat(target).catch(() => undefined)) {
      if ((await realpath(target).catch(() => '')) === mount.source) continue;
      await rm(target, { recursive: true, force: true });
    }
    await mkdir(dirname(target), { recursive: true });
    await symlink(mount.source, target);
  }
  return root;
}

/** Replaces a leading container path by its place on the host: only paths that the copy of the image or a mount has. */
export function rewritePath(text: string, prefixes: readonly string[], root: string): string {
  for (const prefix of prefixes) if (text === prefix || text.startsWith(`${prefix}/`)) return join(root, text);
  return text;
}
