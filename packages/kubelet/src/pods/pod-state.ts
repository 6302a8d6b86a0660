import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the kubelet must know of a pod after it was killed: `pods/<uid>/pod.json`. */
export interface PodState {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly nodeName: string;
  readonly podIP: string;
  /** The address is the node's, not one of the pool. */
  readonly hostNetwork: boolean;
  /** RFC 3339. */
  readonly startTime: string;
}

export function podFolderOf(dataDir: string, uid: string): string {
  return join(dataDir, 'pods', uid);
}

export function podLogFolder(dataDir: string, pod: { namespace: string; name: string; uid: string }): string {
  return join(dataDir, 'log', 'pods', `${pod.namespace}_${pod.name}_${pod.uid}`);
}

export async function writePodState(dataDir: string, state: PodState): Promise<void> {
  const folder = podFolderOf(dataDir, state.uid);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, '.pod.json'), JSON.stringify(state));
  await rename(join(folder, '.pod.json'), join(folder, 'pod.json'));
}

/** Pods of a node whose folders are there. */
export async function readPodStates(dataDir: string, nodeName?: string): Promise<PodState[]> {
  const states: PodState[] = [];
  for (const uid of await readdir(join(dataDir, 'pods')).catch(() => [])) {
    const text = await readFile(join(podFolderOf(dataDir, uid), 'pod.json'), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const state = JSON.parse(text) as PodState;
    if (nodeName === undefined || state.nodeName === nodeName) states.push(state);
  }
  return states;
}
