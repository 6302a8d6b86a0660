import type { Clock } from '@kind-e2e/base';
import type { ObjectStore } from './object-store.ts';

/** How long events are kept (`--event-ttl`), and how often old ones are looked for. */
const EVENT_TTL_MS = 3_600_000;
const SWEEP_EVERY_MS = 60_000;

/** Takes away events that are older than an hour, as etcd's leases do upstream. */
export function expireEvents(store: ObjectStore, clock: Clock): Disposable {
  let timer: Disposable;
  const sweep = (): void => {
    const oldest = clock.now() - EVENT_TTL_MS;
    for (const record of [...store.collection('events').records()]) {
      const { creationTimestamp, managedFields } = record.object.metadata ?? {};
      const written = Math.max(
        ...[creationTimestamp, ...(managedFields ?? []).map(({ time }) => time)].map(
          (time) => Date.parse(time ?? '') || 0,
        ),
      );
      if (written < oldest) store.remove('events', record, record.object);
    }
    timer = clock.after(SWEEP_EVERY_MS, sweep);
  };
  timer = clock.after(SWEEP_EVERY_MS, sweep);
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
