import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { LabError } from '@kind-e2e/base';
import { identityOf, type ProcessIdentity } from './process-identity.ts';

export interface SpawnDetachedOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Standard output and error are appended to it. */
  readonly logFile: string;
}

/** Starts a process in a session of its own, so that neither our end nor the terminal's Ctrl-C reaches it. */
export function spawnDetached(options: SpawnDetachedOptions): ProcessIdentity {
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    const child = spawn(options.file, options.args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['ignore', log, log],
    });
    child.unref();
    if (child.pid === undefined)
      throw new LabError(`${options.file} could not be started`, { code: 'SPAWN_FAILED', side: 'internal' });
    return identityOf(child.pid);
  } finally {
    closeSync(log);
  }
}
