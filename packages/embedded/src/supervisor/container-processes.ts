import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { labPaths } from '../config/lab-config.ts';

/** A process that the lab's kubelets started in a container, or that such a process started. */
export interface ContainerProcess {
  readonly pid: number;
  /** `namespace/pod/container`. */
  readonly name: string;
  /** Whether it is the shell that waits for the container's program. */
  readonly isLauncher: boolean;
}

/** What the kubelet writes of a run of a container, as far as it is read here. */
interface Record {
  readonly id: string;
  readonly name: string;
  readonly launcher?: { readonly pid: number };
}

/** The kubelet gives each container this variable with the container's id. */
const CONTAINER_VARIABLE = 'KIND_E2E_CONTAINER=';

/**
 * Finds them in /proc by their environment, so that those are found too that a kubelet does not know any more.
 * Empty where there is no /proc.
 */
export function containerProcesses(dataDir: string): readonly ContainerProcess[] {
  const known = knownContainers(dataDir);
  const found: ContainerProcess[] = [];
  for (const pid of numericEntries('/proc')) {
    const id = containerIdOf(pid);
    const container = id === undefined ? undefined : known.get(id);
    if (container) found.push({ pid, name: container.name, isLauncher: container.launcherPid === pid });
  }
  return found;
}

function knownContainers(dataDir: string): ReadonlyMap<string, { name: string; launcherPid: number | undefined }> {
  const paths = labPaths(dataDir);
  const podNames = new Map<string, string>();
  // Log folders are named `<namespace>_<pod>_<uid>`.
  for (const folder of entries(paths.podLogs)) {
    const [namespace, pod, uid] = folder.split('_');
    if (uid !== undefined) podNames.set(uid, `${namespace}/${pod}`);
  }
  const known = new Map<string, { name: string; launcherPid: number | undefined }>();
  for (const uid of entries(paths.pods)) {
    const containers = join(paths.pods, uid, 'containers');
    for (const container of entries(containers))
      for (const attempt of entries(join(containers, container))) {
        const record = readRecord(join(containers, container, attempt, 'state.json'));
        if (record)
          known.set(record.id, {
            name: `${podNames.get(uid) ?? uid}/${record.name}`,
            launcherPid: record.launcher?.pid,
          });
      }
  }
  return known;
}

function readRecord(path: string): Record | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record;
  } catch {
    // Being written, or removed meanwhile.
    return undefined;
  }
}

function containerIdOf(pid: number): string | undefined {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return variables.find((variable) => variable.startsWith(CONTAINER_VARIABLE))?.slice(CONTAINER_VARIABLE.length);
  } catch {
    // Of another user, or gone by now: not ours in either case.
    return undefined;
  }
}

function numericEntries(folder: string): readonly number[] {
  return entries(folder).map(Number).filter(Number.isInteger);
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
