import type { Clock } from '@kind-e2e/base';

/** A token bucket that holds ten seconds' worth. A rate of 0 lets everything through. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#tokens = perSecond * 10;
    this.#at = clock.monotonic();
  }

  /** Takes up to `count`; gives how many were allowed. */
  take(count: number): number {
    if (this.#perSecond === 0) return count;
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#perSecond * 10, this.#tokens + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    const allowed = Math.min(count, Math.floor(this.#tokens));
    this.#tokens -= allowed;
    return allowed;
  }
}

/** Counts refusals by reason. */
export class Refusals {
  readonly #counts = new Map<string, number>();

  add(reason: string, count = 1): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + count);
  }

  list(): { reason: string; count: number }[] {
    return [...this.#counts].map(([reason, count]) => ({ reason, count }));
  }
}
