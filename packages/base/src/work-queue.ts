import { Backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How many keys are worked on at once. Default 4. */
  readonly concurrency?: number;
  /** Delay of the first retry of a key that failed. Default 20 ms. */
  readonly initialRetryMs?: number;
  /** Longest delay between retries. Default 30,000 ms. */
  readonly maxRetryMs?: number;
}

/**
 * Keys to be worked on, each once at a time, however often it is added (client-go's workqueue).
 * A key added while it is worked on runs again afterwards. A key whose work throws is tried again with back-off.
 */
export class WorkQueue implements AsyncDisposable {
  readonly #work: (key: string) => Promise<{ requeueAfterMs?: number } | undefined | undefined>;
  readonly #options: Required<WorkQueueOptions>;
  readonly #waiting = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, Backoff>();
  readonly #delayed = new Map<string, { at: number; timer: Disposable }>();
  #disposed = false;

  constructor(
    work: (key: string) => Promise<{ requeueAfterMs?: number } | undefined | undefined>,
    options: WorkQueueOptions,
  ) {
    this.#work = work;
    this.#options = { concurrency: 4, initialRetryMs: 20, maxRetryMs: 30_000, ...options };
  }

  /** Number of keys waiting or running. */
  get size(): number {
    return this.#waiting.size + this.#running.size;
  }

  add(key: string): void {
    if (this.#disposed) return;
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#waiting.add(key);
    this.#pump();
  }

  /** Adds the key after a delay; the earliest of several delays wins. */
  addAfter(key: string, ms: number): void {
    if (this.#disposed) return;
    const at = this.#options.clock.now() + ms;
    const known = this.#delayed.get(key);
    if (known && known.at <= at) return;
    known?.timer[Symbol.dispose]();
    const timer = this.#options.clock.after(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { at, timer });
  }

  #pump(): void {
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#options.concurrency) return;
      this.#waiting.delete(key);
      this.#running.set(key, this.#run(key));
    }
  }

  async #run(key: string): Promise<void> {
    await undefined;
    try {
      const result = await this.#work(key);
      this.#failures.delete(key);
      if (result?.requeueAfterMs !== undefined) this.addAfter(key, result.requeueAfterMs);
    } catch (error) {
      if (!this.#disposed) {
        const backoff =
          this.#failures.get(key) ??
          new Backoff({ initialMs: this.#options.initialRetryMs, maxMs: this.#options.maxRetryMs });
        this.#failures.set(key, backoff);
        const retryMs = backoff.next();
        this.#options.logger.warn('work failed, will be tried again', { key, retryMs, error });
        this.addAfter(key, retryMs);
      }
    } finally {
      this.#running.delete(key);
      if (this.#again.delete(key) && !this.#disposed) this.#waiting.add(key);
      if (!this.#disposed) this.#pump();
    }
  }

  /** Takes no more keys and waits for the running ones. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#waiting.clear();
    this.#again.clear();
    for (const { timer } of this.#delayed.values()) timer[Symbol.dispose]();
    this.#delayed.clear();
    await Promise.allSettled(this.#running.values());
  }
}
