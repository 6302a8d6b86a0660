import type { Clock } from '@kind-e2e/base';

interface Entry {
  delayMs: number;
  updatedAt: number;
}

/** Delays by key that double from `initialMs` to `maxMs` (client-go's flowcontrol.Backoff). */
export class BackoffTable {
  readonly #clock: Clock;
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, options: { readonly initialMs: number; readonly maxMs: number }) {
    this.#clock = clock;
    this.#initialMs = options.initialMs;
    this.#maxMs = options.maxMs;
  }

  /** Current delay of the key, 0 without one. */
  delayMs(key: string): number {
    return this.#entries.get(key)?.delayMs ?? 0;
  }

  /** What is left to wait since the last failure, or since `since` where that is given. */
  remainingMs(key: string, since?: number): number {
    const entry = this.#entries.get(key);
    return entry ? Math.max(0, (since ?? entry.updatedAt) + entry.delayMs - this.#clock.now()) : 0;
  }

  /** Notes a failure: the delay begins or doubles. */
  next(key: string): void {
    const entry = this.#entries.get(key);
    const now = this.#clock.now();
    if (!entry) this.#entries.set(key, { delayMs: this.#initialMs, updatedAt: now });
    else {
      entry.delayMs = Math.min(entry.delayMs * 2, this.#maxMs);
      entry.updatedAt = now;
    }
  }

  reset(key: string): void {
    this.#entries.delete(key);
  }

  /** Forgets all keys that begin so. */
  forget(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }
}
