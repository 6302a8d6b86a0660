import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/**
 * Renames the log to `<n>.log.<YYYYMMDD-HHMMSS.mmm>`, compresses the one rotated before, and removes the oldest (kubelet's
 * pkg/kubelet/logs/container_log_manager.go). The latest rotated file stays uncompressed for who still reads it.
 */
export async function rotateLog(path: string, nowMs: number, maxFiles: number): Promise<void> {
  const rotated = await rotatedLogs(path);
  for (const old of rotated.slice(0, Math.max(0, rotated.length - (maxFiles - 2)))) await rm(old, { force: true });
  for (const old of rotated.slice(Math.max(0, rotated.length - (maxFiles - 2))))
    if (!old.endsWith('.gz')) await compress(old);
  let at = nowMs;
  let target = rotatedName(path, at);
  while ((await stat(target).catch(() => undefined)) ?? (await stat(`${target}.gz`).catch(() => undefined)))
    target = rotatedName(path, ++at);
  await rename(path, target);
}

function rotatedName(path: string, ms: number): string {
  return `${path}.${new Date(ms).toISOString().slice(0, 23).replaceAll(/[-:]/g, '').replace('T', '-')}`;
}

/** Rotated files of a log, oldest first. */
export async function rotatedLogs(path: string): Promise<string[]> {
  const prefix = `${basename(path)}.`;
  const names = await readdir(dirname(path)).catch(() => []);
  return names
    .filter((name) => name.startsWith(prefix) && !name.endsWith('.tmp'))
    .sort((a, b) => (a.replace(/\.gz$/, '') < b.replace(/\.gz$/, '') ? -1 : 1))
    .map((name) => join(dirname(path), name));
}

export async function findRotated(path: string, inode: number): Promise<string | undefined> {
  for (const each of await rotatedLogs(path)) if ((await stat(each)).ino === inode) return each;
  return undefined;
}

async function compress(path: string): Promise<void> {
  await pipeline(createReadStream(path), createGzip(), createWriteStream(`${path}.tmp`));
  await rename(`${path}.tmp`, `${path}.gz`);
  await rm(path);
}
