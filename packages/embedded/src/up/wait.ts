import { type Clock, LabError, messageOf } from '@kind-e2e/base';

export interface WaitOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
  /** What is waited for, as in "nodes to be ready". */
  readonly what: string;
  readonly remedy?: string;
}

const DEFAULT_INTERVAL_MS = 100;

/**
 * Asks until the answer is not undefined, and gives it. A question that throws counts as "not yet"; when the time is up
 * the last reason is in the error.
 */
export async function waitFor<T>(ask: () => Promise<T | undefined>, options: WaitOptions): Promise<T> {
  const { clock } = options;
  const deadline = clock.monotonic() + options.timeoutMs;
  let lastReason: unknown;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      if (error instanceof LabError && error.side !== 'internal') throw error;
      lastReason = error;
    }
    if (clock.monotonic() > deadline)
      throw new LabError(
        `waited ${Math.round(options.timeoutMs / 1_000)} s for ${options.what}${lastReason === undefined ? '' : `; last: ${messageOf(lastReason)}`}`,
        {
          code: 'WAITED_TOO_LONG',
          side: 'internal',
          ...(options.remedy === undefined ? {} : { remedy: options.remedy }),
          cause: lastReason,
        },
      );
    await pause(options.intervalMs ?? DEFAULT_INTERVAL_MS);
  }
}

/** Keeps the process alive, unlike the clock's sleep: a command that waits must not end. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
