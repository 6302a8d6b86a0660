import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './harness.ts';

/**
 * The few controllers that recorded conversations take for granted: each namespace gets its default service account,
 * and a namespace that is being deleted is emptied and finalized.
 */
export async function runMiniControllers(url: string, signal: AbortSignal): Promise<void> {
  const done = new Set<string>();
  while (!signal.aborted) {
    try {
      const list = (await ask(url, 'GET', '/api/v1/namespaces')).body as {
        items: { metadata: { name: string; deletionTimestamp?: string }; spec: unknown }[];
      };
      for (const { metadata } of list.items) {
        if (metadata.deletionTimestamp !== undefined) {
          const found = (await ask(url, 'GET', `/api/v1/namespaces/${metadata.name}`)).body as Record<string, unknown>;
          for (const kind of ['pods', 'configmaps', 'services', 'secrets', 'serviceaccounts'])
            await ask(url, 'DELETE', `/api/v1/namespaces/${metadata.name}/${kind}?gracePeriodSeconds=0`);
          await ask(url, 'PUT', `/api/v1/namespaces/${metadata.name}/finalize`, { ...found, spec: { finalizers: [] } });
          continue;
        }
        if (done.has(metadata.name)) continue;
        const made = await ask(url, 'POST', `/api/v1/namespaces/${metadata.name}/serviceaccounts`, {
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name: 'default' },
        });
        if (made.status === 201 || made.status === 409) done.add(metadata.name);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    await sleep(50);
  }
}
