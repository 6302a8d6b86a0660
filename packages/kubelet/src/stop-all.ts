import type { Clock } from '@kind-e2e/base';
import { podFolderOf, readPodStates } from './pods/pod-state.ts';
import { stopPodProcesses } from './runtime/stop-processes.ts';

/** Ends every container of a data directory, kubelet or not: SIGTERM, then SIGKILL after `graceMs`. For `down`. */
export async function stopAllContainers(dataDir: string, clock: Clock, graceMs = 5_000): Promise<void> {
  const states = await readPodStates(dataDir);
  await Promise.all(states.map((state) => stopPodProcesses(podFolderOf(dataDir, state.uid), clock, graceMs)));
}
