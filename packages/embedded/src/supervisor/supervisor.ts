import { join } from 'node:path';
import { Backoff, type Clock, type Logger } from '@kind-e2e/base';
import { bundleOf, type Installation } from '../config/installation.ts';
import { labPaths } from '../config/lab-config.ts';
import { endProcess } from './end-process.ts';
import { endStrays } from './end-strays.ts';
import { identityOf, isRunning, type ProcessIdentity } from './process-identity.ts';
import { readRunState, updateRunState } from './run-file.ts';
import { spawnDetached } from './spawn-detached.ts';

export interface SupervisorOptions {
  readonly dataDir: string;
  readonly installation: Installation;
  readonly clock: Clock;
  readonly logger: Logger;
}

const POLL_MS = 250;
/** A control plane that ran for so long ended for a new reason: the back-off starts over. */
const STEADY_MS = 30_000;
const STOP_LIMIT_MS = 40_000;

/**
 * Keeps the control plane running until it is stopped: starts it, or takes up one that runs already, and starts it
 * anew when it is gone. The control plane in turn revives a supervisor that was killed (`watchSupervisor`).
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #stopped = new AbortController();
  #controlPlane: ProcessIdentity | undefined;
  #loop: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { dataDir } = this.#options;
    const state = await readRunState(dataDir);
    const running = state.controlPlane && isRunning(state.controlPlane) ? state.controlPlane : undefined;
    this.#controlPlane = running ?? this.#spawn();
    await updateRunState(dataDir, {
      supervisor: identityOf(process.pid),
      controlPlane: this.#controlPlane,
      stopping: false,
    });
    this.#loop = this.#watch();
  }

  async #watch(): Promise<void> {
    const { clock, logger, dataDir } = this.#options;
    const backoff = new Backoff({ initialMs: POLL_MS, maxMs: 10_000 });
    let startedAt = clock.monotonic();
    while (!this.#stopped.signal.aborted) {
      await clock.sleep(POLL_MS, this.#stopped.signal).catch(() => undefined);
      if (this.#stopped.signal.aborted || (this.#controlPlane && isRunning(this.#controlPlane))) continue;
      if (clock.monotonic() - startedAt > STEADY_MS) backoff.reset();
      logger.warn('the control plane is gone and will be started anew', { pid: this.#controlPlane?.pid });
      this.#controlPlane = this.#spawn();
      startedAt = clock.monotonic();
      await updateRunState(dataDir, { controlPlane: this.#controlPlane });
      await clock.sleep(backoff.next(), this.#stopped.signal).catch(() => undefined);
    }
  }

  #spawn(): ProcessIdentity {
    const { dataDir, installation } = this.#options;
    return spawnDetached({
      file: installation.nodeBinary,
      args: [...CONTROL_PLANE_FLAGS, bundleOf(installation, 'control-plane'), dataDir, installation.root],
      cwd: dataDir,
      env: { ...process.env, ...CONTROL_PLANE_ALLOCATOR },
      logFile: join(labPaths(dataDir).logs, 'control-plane.log'),
    });
  }

  /** Asks the control plane to end the lab, pods and all, and waits for it; at last kills it. */
  async stop(): Promise<void> {
    const { clock, logger, dataDir } = this.#options;
    await updateRunState(dataDir, { stopping: true });
    this.#stopped.abort();
    await this.#loop;
    const controlPlane = this.#controlPlane;
    if (controlPlane) await endProcess(controlPlane, STOP_LIMIT_MS, clock, logger);
    await endStrays(dataDir, clock, logger);
    await updateRunState(dataDir, { supervisor: undefined, controlPlane: undefined, stopping: false });
  }
}

/** Young objects die young here: a small new space costs a little time and saves many megabytes. */
const CONTROL_PLANE_FLAGS = ['--max-semi-space-size=4', '--disable-warning=ExperimentalWarning'];

/**
 * glibc's allocator gives back what is free (mallopt(3)): one arena for the few threads there are, and thresholds that
 * stay where they are. A tenth of the process's memory.
 */
const CONTROL_PLANE_ALLOCATOR = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '131072',
};
