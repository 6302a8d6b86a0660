import { silentLogger, systemClock } from '@kind-e2e/base';
import { waitFor } from '@kind-e2e/embedded';
import { type ApiObject, createInformer, RESOURCES } from '@kind-e2e/kube-client';
import type { Lab } from '@kind-e2e/lab';
import { beforeAll, expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';
import { SteadyTraffic } from '../support/steady-traffic.ts';

const NAMESPACE = 'kill-amid-writes';
const WRITERS = 24;
/** So many writes are acknowledged before the kill. */
const BEFORE_KILL = 1_500;

type ConfigMap = ApiObject & { data?: Record<string, string> };

let lab: Lab;

beforeAll(async () => {
  lab = await sharedLab();
});

it('kill -9 of the control plane amid writes loses none, watchers resume, pods keep serving', async () => {
  await lab.client.create(RESOURCES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await using informer = createInformer<ConfigMap>({
    client: lab.client,
    resource: RESOURCES.configmaps,
    namespace: NAMESPACE,
    logger: silentLogger,
  });
  await informer.synced;
  const acknowledged = new Map<string, number>();
  let isKilled = false;
  let next = 0;
  /** Writes as fast as it is answered, until a write is not. */
  const write = async (): Promise<void> => {
    while (!isKilled) {
      const name = `w${next++}`;
      const metadata = { name, namespace: NAMESPACE };
      try {
        const made = await lab.client.create<ConfigMap>(RESOURCES.configmaps, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata,
          data: { text: 'x'.repeat(200) },
        });
        acknowledged.set(name, Number(made.metadata?.resourceVersion));
      } catch (error) {
        if (isKilled) return;
        throw error;
      }
    }
  };
  const traffic = new SteadyTraffic(`${lab.gateway}/demo-app/fast-page`, 20);
  const before = await controlPlane();
  const writers = Promise.all(Array.from({ length: WRITERS }, write));
  await until('the writes before the kill', () => acknowledged.size >= BEFORE_KILL);
  process.kill(before, 'SIGKILL');
  isKilled = true;
  await writers;
  const latest = Math.max(...acknowledged.values());
  await until('the API server', async () => {
    if ((await controlPlane().catch(() => before)) === before) return false;
    return (await lab.client.request('GET', '/readyz').catch(() => undefined))?.ok ?? false;
  });

  const { items } = await lab.client.list<ConfigMap>(RESOURCES.configmaps, { namespace: NAMESPACE });
  const stored = new Map(items.map((item) => [item.metadata?.name ?? '', Number(item.metadata?.resourceVersion)]));
  expect([...acknowledged].filter(([name, version]) => stored.get(name) !== version)).toEqual([]);
  const late = await lab.client.create<ConfigMap>(RESOURCES.configmaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'late', namespace: NAMESPACE },
  });
  expect(Number(late.metadata?.resourceVersion)).toBeGreaterThan(Math.max(latest, ...stored.values()));

  await until('the watcher to know everything', () => informer.get('late', NAMESPACE) !== undefined);
  const seen = new Set(informer.list(NAMESPACE).map((item) => item.metadata?.name));
  expect([...stored.keys()].filter((name) => !seen.has(name))).toEqual([]);
  await traffic.stop();
  expect(traffic.outcomes.length).toBeGreaterThan(20);
  expect(traffic.failures).toEqual([]);
  await lab.client.delete(RESOURCES.namespaces, { name: NAMESPACE });
});

async function controlPlane(): Promise<number> {
  const found = (await lab.processes()).find(({ name }) => name === 'control-plane');
  if (!found) throw new Error('there is no control plane');
  return found.pid;
}

function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<true> {
  const ask = async (): Promise<true | undefined> => ((await isSo()) ? true : undefined);
  return waitFor(ask, { clock: systemClock, timeoutMs: 60_000, intervalMs: 20, what });
}
