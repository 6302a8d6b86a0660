import { Backoff, type Clock, systemClock } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';

/** Runs a read-change-write again while it loses with `Conflict`, at most five times (client-go's retry.DefaultRetry). */
export async function retryOnConflict<T>(
  attempt: () => Promise<T>,
  options: { readonly clock?: Clock; readonly attempts?: number; readonly signal?: AbortSignal } = {},
): Promise<T> {
  const backoff = new Backoff({ initialMs: 10, maxMs: 1000, jitter: 0.1 });
  for (let left = (options.attempts ?? 5) - 1; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left <= 0 || !isStatusError(error, 409) || error.reason !== 'Conflict') throw error;
      await (options.clock ?? systemClock).sleep(backoff.next(), options.signal);
    }
  }
}

/** The answer, or undefined where the server says 404. */
export async function ignoreNotFound<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isStatusError(error, 404)) return undefined;
    throw error;
  }
}
