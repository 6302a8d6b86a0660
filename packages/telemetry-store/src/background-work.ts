import type { Clock, Logger } from '@kind-e2e/base';

export interface BackgroundWorkOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Pause between rounds with nothing to do. Default 1,000 ms. */
  readonly idleMs?: number;
}

/**
 * Runs small steps of maintenance between other work. A step does a few milliseconds' worth and tells whether there is
 * more; ingest and queries get their turn after each. A step that throws is tried again later, with growing pauses.
 */
export class BackgroundWork implements Disposable {
  readonly #step: () => boolean;
  readonly #options: Required<BackgroundWorkOptions>;
  #timer: Disposable | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #failures = 0;
  #disposed = false;

  constructor(step: () => boolean, options: BackgroundWorkOptions) {
    this.#step = step;
    this.#options = { idleMs: 1000, ...options };
    this.#wait(this.#options.idleMs);
  }

  /** Does the next step soon instead of after the pause. */
  wake(): void {
    if (this.#disposed || this.#immediate || this.#failures > 0) return;
    this.#immediate = setImmediate(() => {
      this.#immediate = undefined;
      this.#run();
    });
  }

  #run(): void {
    if (this.#disposed) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    let more = false;
    try {
      more = this.#step();
      if (this.#failures > 0) this.#options.logger.info('telemetry can be stored again');
      this.#failures = 0;
    } catch (error) {
      if (this.#failures === 0)
        this.#options.logger.warn('telemetry cannot be stored; it stays in memory and will be tried again', { error });
      this.#failures++;
    }
    if (more && this.#failures === 0) this.wake();
    else this.#wait(Math.min(30_000, this.#options.idleMs * 2 ** Math.min(this.#failures, 5)));
  }

  #wait(ms: number): void {
    if (this.#disposed) return;
    this.#timer = this.#options.clock.after(ms, () => {
      this.#timer = undefined;
      this.#run();
    });
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer?.[Symbol.dispose]();
    if (this.#immediate) clearImmediate(this.#immediate);
  }
}
