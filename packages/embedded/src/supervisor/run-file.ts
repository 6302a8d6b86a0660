import { LabError } from '@kind-e2e/base';
import { readIfThere, writeJson } from '../config/data-directory.ts';
import { labPaths } from '../config/lab-config.ts';
import { isRunning, type ProcessIdentity } from './process-identity.ts';

/** Who runs the lab: `run.json` of the data directory. Each of the two watches the other. */
export interface RunState {
  readonly supervisor?: ProcessIdentity;
  readonly controlPlane?: ProcessIdentity;
  /** Set by `down`: nothing is started again. */
  readonly stopping?: boolean;
}

export async function readRunState(dataDir: string): Promise<RunState> {
  const text = await readIfThere(labPaths(dataDir).run);
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as RunState;
  } catch (error) {
    throw new LabError(`${labPaths(dataDir).run} is damaged`, {
      code: 'RUN_STATE_DAMAGED',
      side: 'user',
      remedy: 'remove it after you have made sure that no process of the lab runs',
      cause: error,
    });
  }
}

/** Reads, changes and writes; only the supervisor, the control plane that revives it, and `down` do so. */
export async function updateRunState(dataDir: string, change: Partial<RunState>): Promise<RunState> {
  const next = { ...(await readRunState(dataDir)), ...change };
  await writeJson(labPaths(dataDir).run, next);
  return next;
}

export async function isLabRunning(dataDir: string): Promise<boolean> {
  const state = await readRunState(dataDir);
  return [state.supervisor, state.controlPlane].some((identity) => identity !== undefined && isRunning(identity));
}
