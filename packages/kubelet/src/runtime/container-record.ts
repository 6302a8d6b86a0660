import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessIdentity } from './processes.ts';

/** What a runtime knows of one run of a container, kept in `state.json` of its folder (CRI's ContainerStatus). */
export interface ContainerRecord {
  /** 64 hex digits, as containerd gives them. */
  readonly id: string;
  readonly name: string;
  /** 0 for the first run, then one more for each restart. */
  readonly attempt: number;
  readonly image: string;
  /** Name with digest, as the pod's status shows it. */
  readonly imageId: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** A `pause` container has no process. */
  readonly isPause: boolean;
  readonly hasTty: boolean;
  readonly hasStdin: boolean;
  startedAt?: number;
  /** The launch script, which stays; leader of the session of everything that the container starts. */
  launcher?: ProcessIdentity;
  main?: ProcessIdentity;
  finishedAt?: number;
  exitCode?: number;
  /** `Completed`, `Error`, `OOMKilled`, `StartError`, `ContainerStatusUnknown`. */
  reason?: string;
  message?: string;
  /** Why the kubelet stopped it, for the next sync (`liveness`, `startup`, `memory`). */
  stopCause?: string;
  /** Termination message file of the container, on the host. */
  readonly terminationMessageFile?: string;
  /** User as which `exec` starts programs. */
  readonly user?: string;
  readonly cwd?: string;
  readonly env?: readonly string[];
  /** Folder that stands for `/` where the view is direct. */
  readonly directRoot?: string;
}

export function newContainerId(): string {
  return randomBytes(32).toString('hex');
}

/** Folder of one run: `<pod folder>/containers/<name>/<attempt>`. */
export function containerFolder(podFolder: string, name: string, attempt: number): string {
  return join(podFolder, 'containers', name, String(attempt));
}

export async function writeRecord(folder: string, record: ContainerRecord): Promise<void> {
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, '.state.json');
  await writeFile(temporary, JSON.stringify(record), { mode: 0o600 });
  await rename(temporary, join(folder, 'state.json'));
}

/** All runs whose folders are there, by container, in order of attempts. */
export async function readRecords(podFolder: string): Promise<Map<string, ContainerRecord[]>> {
  const found = new Map<string, ContainerRecord[]>();
  const containers = join(podFolder, 'containers');
  for (const name of await readdir(containers).catch(() => [])) {
    const records: ContainerRecord[] = [];
    for (const attempt of await readdir(join(containers, name))) {
      const text = await readFile(join(containers, name, attempt, 'state.json'), 'utf8').catch(() => undefined);
      if (text !== undefined) records.push(JSON.parse(text) as ContainerRecord);
    }
    if (records.length > 0)
      found.set(
        name,
        records.sort((a, b) => a.attempt - b.attempt),
      );
  }
  return found;
}

export async function removeContainerFolder(folder: string): Promise<void> {
  // overlayfs leaves a folder without permissions in each work directory.
  for (const name of await readdir(join(folder, 'work')).catch(() => []))
    await chmod(join(folder, 'work', name, 'work'), 0o700).catch(() => undefined);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
