import { messageOf } from '@kind-e2e/base';
import { ignoreNotFound, RESOURCES } from '@kind-e2e/kube-client';
import type { Event } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';

/** kube-apiserver's --event-ttl. */
const TTL_MS = 3_600_000;
const SWEEP_MS = 300_000;
const PAGE_SIZE = 500;

/**
 * Deletes Events an hour after they last happened. Upstream gives them a lease in etcd; here it is done from outside,
 * so that a lab that runs for days does not fill up.
 */
export function startEventTtlController(context: ControllerContext): AsyncDisposable {
  const { client, clock, logger } = context;
  const abort = new AbortController();
  const { signal } = abort;

  async function sweep(): Promise<void> {
    const before = clock.now() - TTL_MS;
    let next: string | undefined;
    do {
      const page = await client.list<Event>(RESOURCES.events, {
        limit: PAGE_SIZE,
        signal,
        ...(next === undefined ? {} : { continue: next }),
      });
      for (const event of page.items) {
        const { name = '', namespace } = event.metadata ?? {};
        if (lastSeen(event) < before)
          await ignoreNotFound(client.delete(RESOURCES.events, { name, namespace }, { signal }));
      }
      next = page.continue;
    } while (next !== undefined);
  }

  const loop = (async (): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(SWEEP_MS, signal).catch(() => {});
      if (signal.aborted) return;
      await sweep().catch((error: unknown) => {
        if (!signal.aborted) logger.debug('old events were not deleted', { error: messageOf(error) });
      });
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      abort.abort(new Error('the event sweeper was disposed'));
      await loop;
    },
  };
}

function lastSeen(event: Event): number {
  const times = [
    event.series?.lastObservedTime,
    event.lastTimestamp,
    event.eventTime,
    event.metadata?.creationTimestamp,
  ];
  return Math.max(0, ...times.flatMap((time) => Date.parse(time ?? '') || []));
}
