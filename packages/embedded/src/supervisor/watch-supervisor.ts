import { join } from 'node:path';
import { type Clock, type Logger, messageOf } from '@kind-e2e/base';
import { bundleOf, type Installation } from '../config/installation.ts';
import { labPaths } from '../config/lab-config.ts';
import { isRunning } from './process-identity.ts';
import { readRunState, updateRunState } from './run-file.ts';
import { spawnDetached } from './spawn-detached.ts';

const CHECK_MS = 1_000;

/** The control plane's side: when the supervisor was killed, and nobody is stopping the lab, a new one is started. */
export function watchSupervisor(options: {
  readonly dataDir: string;
  readonly installation: Installation;
  readonly clock: Clock;
  readonly logger: Logger;
}): Disposable {
  const { dataDir, installation, clock, logger } = options;
  const stopped = new AbortController();
  const check = async (): Promise<void> => {
    const state = await readRunState(dataDir);
    if (state.stopping || (state.supervisor && isRunning(state.supervisor))) return;
    logger.warn('the supervisor is gone and is started anew', { pid: state.supervisor?.pid });
    const supervisor = spawnDetached({
      file: installation.nodeBinary,
      args: [...SUPERVISOR_FLAGS, bundleOf(installation, 'supervisor'), dataDir, installation.root],
      cwd: dataDir,
      env: process.env,
      logFile: join(labPaths(dataDir).logs, 'supervisor.log'),
    });
    await updateRunState(dataDir, { supervisor });
  };
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await clock.sleep(CHECK_MS, stopped.signal).catch(() => undefined);
      if (stopped.signal.aborted) return;
      await check().catch((error: unknown) =>
        logger.error('the supervisor could not be looked after', { error: messageOf(error) }),
      );
    }
  };
  loop();
  return { [Symbol.dispose]: () => stopped.abort() };
}

/** It only waits: no optimising compiler, the smallest heap. */
export const SUPERVISOR_FLAGS = ['--max-semi-space-size=1', '--max-old-space-size=64', '--single-threaded', '--no-opt'];
