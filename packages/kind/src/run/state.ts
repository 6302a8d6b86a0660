import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LabError, systemCodeOf } from '@kind-e2e/base';
import type { RealClusterPorts, RealEngine } from '../options.ts';

export interface StepRecord {
  /** Stands for all that the step did: the same again is not done again. */
  readonly fingerprint: string;
  readonly startedAt: string;
  /** Missing where the step was interrupted or failed. */
  readonly finishedAt?: string;
  readonly durationMs?: number;
}

/** What is known of a lab on a real cluster; kept after every step, so that any run can go on where another stopped. */
export interface LabState {
  readonly version: 1;
  readonly engine: RealEngine;
  readonly clusterName: string;
  readonly context: string;
  readonly ports: RealClusterPorts;
  readonly appNamespace: string;
  /** Missing in states of earlier versions. */
  readonly app?: boolean;
  /** What the job of Jenkins builds; missing where there is no job. */
  readonly repository?: string;
  readonly mergedKubeconfig: boolean;
  readonly steps: Readonly<Record<string, StepRecord>>;
  /** Releases that this lab installed (or adopted), `namespace/name`. */
  readonly releases: readonly string[];
}

/** The state, or undefined where no run has begun. Throws a LabError where the file is damaged. */
export async function readState(file: string): Promise<LabState | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const state = JSON.parse(text) as LabState;
    if (state.version === 1) return state;
  } catch {
    // Told below, with the same remedy.
  }
  throw new LabError(`${file} is damaged or of another version`, {
    code: 'KIND_STATE_DAMAGED',
    side: 'user',
    remedy: 'remove the cluster with `kind delete cluster --name kind-e2e` and that file, then run up again',
  });
}

/** Keeps the state in its file, whole or not at all. */
export class StateFile {
  readonly file: string;
  #state: LabState;
  #writes: Promise<void> = Promise.resolve();

  constructor(file: string, state: LabState) {
    this.file = file;
    this.#state = state;
  }

  get state(): LabState {
    return this.#state;
  }

  update(change: (state: LabState) => LabState): Promise<void> {
    this.#state = change(this.#state);
    const text = `${JSON.stringify(this.#state, null, 2)}\n`;
    this.#writes = this.#writes.then(async () => {
      await mkdir(dirname(this.file), { recursive: true, mode: 0o700 });
      const temporary = `${this.file}.${process.pid}.tmp`;
      await writeFile(temporary, text, { mode: 0o600 });
      await rename(temporary, this.file);
    });
    return this.#writes;
  }
}
