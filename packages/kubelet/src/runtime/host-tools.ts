import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin'];
const found = new Map<string, string>();

/** Path of a program of the host, whatever PATH says in a container; the bare name when it is nowhere. */
export function hostTool(name: string): string {
  let path = found.get(name);
  if (path === undefined) {
    path = [...(process.env.PATH ?? '').split(':'), ...FOLDERS]
      .filter((folder) => folder.startsWith('/'))
      .map((folder) => join(folder, name))
      .find((each) => isExecutable(each));
    path ??= name;
    found.set(name, path);
  }
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
