import { type Clock, type Logger, systemClock } from '@kind-e2e/base';
import { purgeDataDirectory } from '../config/data-directory.ts';
import { endProcess } from '../supervisor/end-process.ts';
import { endStrays } from '../supervisor/end-strays.ts';
import { isRunning, type ProcessIdentity } from '../supervisor/process-identity.ts';
import { readRunState, updateRunState } from '../supervisor/run-file.ts';

export interface DownOptions {
  readonly dataDir: string;
  /** Remove all data too. */
  readonly purge: boolean;
  readonly clock?: Clock;
  readonly logger: Logger;
}

export interface DownResult {
  /** False where no lab ran. */
  readonly wasRunning: boolean;
  /** Processes of pods that outlived the lab, because it had been killed, and were ended now. */
  readonly strays: number;
  readonly purged: boolean;
}

const SUPERVISOR_LIMIT_MS = 60_000;
const CONTROL_PLANE_LIMIT_MS = 40_000;

/** Ends the lab of a data directory, whatever state it is in. Safe to call twice. */
export async function down(options: DownOptions): Promise<DownResult> {
  const clock = options.clock ?? systemClock;
  const { dataDir, logger } = options;
  const state = await readRunState(dataDir);
  const supervisor = running(state.supervisor);
  const controlPlane = running(state.controlPlane);
  if (supervisor || controlPlane) await updateRunState(dataDir, { stopping: true });
  if (supervisor) await endProcess(supervisor, SUPERVISOR_LIMIT_MS, clock, logger);
  const left = running((await readRunState(dataDir)).controlPlane) ?? running(controlPlane);
  if (left) await endProcess(left, CONTROL_PLANE_LIMIT_MS, clock, logger);
  const strays = await endStrays(dataDir, clock, logger);
  if (supervisor || controlPlane)
    await updateRunState(dataDir, { supervisor: undefined, controlPlane: undefined, stopping: false });
  if (options.purge) await purgeDataDirectory(dataDir);
  return { wasRunning: supervisor !== undefined || controlPlane !== undefined, strays, purged: options.purge };
}

function running(identity: ProcessIdentity | undefined): ProcessIdentity | undefined {
  return identity && isRunning(identity) ? identity : undefined;
}
