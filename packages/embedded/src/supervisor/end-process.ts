import type { Clock, Logger } from '@kind-e2e/base';
import { isRunning, type ProcessIdentity, signal } from './process-identity.ts';

const POLL_MS = 50;

/** SIGTERM, then SIGKILL when the time is up; resolves when the process is gone. */
export async function endProcess(
  identity: ProcessIdentity,
  limitMs: number,
  clock: Clock,
  logger: Logger,
): Promise<void> {
  signal(identity, 'SIGTERM');
  const deadline = clock.monotonic() + limitMs;
  while (isRunning(identity)) {
    if (clock.monotonic() > deadline) {
      logger.warn('a process did not end in time and is killed', { pid: identity.pid, limitMs });
      signal(identity, 'SIGKILL');
    }
    await waitKeepingAlive(POLL_MS);
  }
}

/** Unlike the clock's sleep this keeps the process alive: what ends a lab must not end before it. */
function waitKeepingAlive(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
