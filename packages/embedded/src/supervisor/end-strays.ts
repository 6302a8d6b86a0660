import type { Clock, Logger } from '@kind-e2e/base';
import { containerProcesses } from './container-processes.ts';
import { endProcess } from './end-process.ts';
import { identityOf, signal } from './process-identity.ts';

const STRAY_LIMIT_MS = 5_000;

/** Ends processes of pods that no kubelet ended, because the control plane was killed; gives their number. */
export async function endStrays(dataDir: string, clock: Clock, logger: Logger): Promise<number> {
  const strays = containerProcesses(dataDir).map(({ pid }) => identityOf(pid));
  for (const stray of strays) signal(stray, 'SIGTERM');
  await Promise.all(strays.map((stray) => endProcess(stray, STRAY_LIMIT_MS, clock, logger)));
  return strays.length;
}
