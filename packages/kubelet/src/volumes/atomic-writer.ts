import { randomUUID } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface ProjectedFile {
  readonly content: Buffer;
  readonly mode: number;
}

/**
 * Puts files into a folder so that a reader sees all of the old or all of the new: `..data` is a link to a folder with
 * the content, each visible name a link through it (kubernetes pkg/volume/util/atomic_writer.go). Gives whether
 * something changed.
 */
export async function writeAtomically(directory: string, files: ReadonlyMap<string, ProjectedFile>): Promise<boolean> {
  await mkdir(directory, { recursive: true });
  const data = join(directory, '..data');
  const current = await readlink(data).catch(() => undefined);
  if (current !== undefined && (await isSame(join(directory, current), files))) return false;
  const stamp = `..${new Date().toISOString().replaceAll(/[-:T]/g, '_').replace(/\..*/, '')}.${randomUUID().slice(0, 8)}`;
  const next = join(directory, stamp);
  await mkdir(next);
  for (const [name, file] of files) {
    const path = join(next, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file.content);
    await chmod(path, file.mode);
  }
  await symlink(stamp, `${data}_tmp`);
  await rename(`${data}_tmp`, data);
  const visible = new Set([...files.keys()].map((name) => name.split('/')[0] ?? name));
  for (const name of visible)
    if (!(await lstat(join(directory, name)).catch(() => undefined)))
      await symlink(join('..data', name), join(directory, name));
  for (const name of await readdir(directory))
    if (!name.startsWith('..') && !visible.has(name)) await rm(join(directory, name), { force: true });
  if (current !== undefined) await rm(join(directory, current), { recursive: true, force: true });
  return true;
}

async function isSame(directory: string, files: ReadonlyMap<string, ProjectedFile>): Promise<boolean> {
  const present = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (!present || present.filter((entry) => entry.isFile()).length !== files.size) return false;
  for (const [name, file] of files) {
    const content = await readFile(join(directory, name)).catch(() => undefined);
    if (!content?.equals(file.content)) return false;
    if (((await lstat(join(directory, name))).mode & 0o777) !== file.mode) return false;
  }
  return true;
}
