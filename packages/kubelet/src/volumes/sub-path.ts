import { lstat, mkdir, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { ContainerConfigError } from '../env/container-env.ts';

const MAX_LINKS = 40;

/**
 * The place of `subPath` in a volume, made as a folder when nothing is there. Links in the volume are followed inside
 * it only (kubernetes pkg/volume/util/subpath). Throws ContainerConfigError where the path leads out.
 */
export async function resolveSubPath(volume: string, subPath: string): Promise<string> {
  const refuse = (): ContainerConfigError =>
    new ContainerConfigError(`failed to prepare subPath for volumeMount: "${subPath}" must not leave the volume`);
  if (posix.isAbsolute(subPath) || subPath.split('/').includes('..')) throw refuse();
  let resolved = '';
  const rest = subPath.split('/').filter((part) => part !== '' && part !== '.');
  for (let part = rest.shift(), links = 0; part !== undefined; part = rest.shift()) {
    if (part === '..') {
      if (resolved === '') throw refuse();
      resolved = posix.dirname(resolved) === '.' ? '' : posix.dirname(resolved);
      continue;
    }
    const next = posix.join(resolved, part);
    const info = await lstat(join(volume, next)).catch(() => undefined);
    if (info?.isSymbolicLink()) {
      const target = await readlink(join(volume, next));
      if (++links > MAX_LINKS || posix.isAbsolute(target)) throw refuse();
      rest.unshift(...target.split('/').filter((each) => each !== '' && each !== '.'));
      continue;
    }
    if (!info) await mkdir(join(volume, next), { mode: 0o750 });
    resolved = next;
  }
  return join(volume, resolved);
}
