import type { Clock } from '@kind-e2e/base';
import { readRecords } from './container-record.ts';
import { findStragglers, isAlive, signalProcess } from './processes.ts';

/**
 * Ends all containers of a pod by what is on disk, without a kubelet that knows them: SIGTERM, then SIGKILL after
 * `graceMs` for those that are left.
 */
export async function stopPodProcesses(podFolder: string, clock: Clock, graceMs: number): Promise<void> {
  const runs = [...(await readRecords(podFolder)).values()].flat().filter((each) => each.finishedAt === undefined);
  const running = runs.filter((each) => each.main && isAlive(each.main));
  if (graceMs > 0) {
    for (const each of running) if (each.main) signalProcess(each.main, 'SIGTERM');
    const deadline = clock.monotonic() + graceMs;
    while (clock.monotonic() < deadline && running.some((each) => each.main && isAlive(each.main)))
      await clock.sleep(20);
  }
  for (const each of runs) {
    if (each.main) signalProcess(each.main, 'SIGKILL');
    if (!each.launcher) continue;
    // The launch script gets the time to write down the exit code.
    const deadline = clock.monotonic() + 500;
    while (clock.monotonic() < deadline && isAlive(each.launcher)) await clock.sleep(5);
    for (const left of findStragglers(each.launcher.pid, `KIND_E2E_CONTAINER=${each.id}`))
      signalProcess(left, 'SIGKILL');
  }
}
