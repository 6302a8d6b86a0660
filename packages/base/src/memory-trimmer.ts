import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

export interface MemoryTrimmerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Resident bytes that a busy process may reach before it is trimmed. Default: only a quiet one is. */
  readonly busyBytes?: number;
  /** Looks this often. Default 500 ms. */
  readonly everyMs?: number;
  /** Resident bytes, and microseconds of processor time so far. Default: those of this process. */
  readonly residentBytes?: () => number;
  readonly cpuMicros?: () => number;
  /** Gives back what can be given. Default: a collection of V8's kind for the last resort. */
  readonly collect?: () => void;
}

/** Growth that is worth a collection. */
const WORTH_BYTES = 16 * 1024 * 1024;
/** Share of a processor below which the process is quiet. */
const QUIET_SHARE = 0.1;
const QUIET_LOOKS = 3;
/** A collection takes about 25 ms with a heap of our size: at most one part in twenty-five of the time. */
const REST_FACTOR = 25;

/**
 * Gives memory back after a burst, and in the middle of one that grew large.
 *
 * V8 keeps the pages that a collection freed in a pool, in case they are needed again, and only its memory reducer
 * lets go of them; that one never starts in a process that allocated a lot and then stopped, because the rate of
 * allocation is measured at collections (v8 `src/heap/memory-reducer.cc`). A burst of ingest so costs 100 MB and more
 * for good. A collection "for the last resort" empties the pool.
 */
export class MemoryTrimmer implements Disposable {
  readonly #options: Required<MemoryTrimmerOptions>;
  #timer: Disposable | undefined;
  #disposed = false;
  /** What was resident after the last collection. */
  #floor: number;
  #cpuMicros: number;
  #lookedAt: number;
  #quietLooks = 0;
  #notBefore = 0;

  constructor(options: MemoryTrimmerOptions) {
    this.#options = {
      busyBytes: Number.POSITIVE_INFINITY,
      everyMs: 500,
      residentBytes: () => process.memoryUsage.rss(),
      cpuMicros: () => {
        const { user, system } = process.cpuUsage();
        return user + system;
      },
      collect: options.collect ?? createGarbageCollector(),
      ...options,
    };
    this.#floor = this.#options.residentBytes();
    this.#cpuMicros = this.#options.cpuMicros();
    this.#lookedAt = options.clock.monotonic();
    this.#wait();
  }

  #wait(): void {
    if (this.#disposed) return;
    this.#timer = this.#options.clock.after(this.#options.everyMs, () => {
      this.#look();
      this.#wait();
    });
  }

  #look(): void {
    const { clock, busyBytes } = this.#options;
    const now = clock.monotonic();
    const cpuMicros = this.#options.cpuMicros();
    const share = (cpuMicros - this.#cpuMicros) / 1000 / Math.max(1, now - this.#lookedAt);
    this.#cpuMicros = cpuMicros;
    this.#lookedAt = now;
    this.#quietLooks = share < QUIET_SHARE ? this.#quietLooks + 1 : 0;
    const resident = this.#options.residentBytes();
    if (resident < this.#floor) this.#floor = resident;
    if (resident < this.#floor + WORTH_BYTES || now < this.#notBefore) return;
    if (this.#quietLooks >= QUIET_LOOKS || resident > busyBytes) this.#trim(resident);
  }

  #trim(before: number): void {
    const { clock, logger } = this.#options;
    const began = clock.monotonic();
    this.#options.collect();
    const tookMs = clock.monotonic() - began;
    this.#floor = this.#options.residentBytes();
    this.#quietLooks = 0;
    this.#notBefore = began + tookMs * REST_FACTOR;
    logger.debug('memory was given back', { before, after: this.#floor, tookMs });
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer?.[Symbol.dispose]();
  }
}

/** A full collection of garbage by V8's `gc`, which a process that was not started with `--expose-gc` gets in a new context. */
export function createGarbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as (options: Readonly<Record<string, string>>) => void;
  setFlagsFromString('--no-expose-gc');
  return () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
