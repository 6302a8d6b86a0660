import { RESOURCES } from '@kind-e2e/kube-client';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isReady, startLab, type TestLab } from './lab.ts';

const COUNT = 200;
let lab: TestLab;

beforeAll(async () => {
  lab = await startLab({ block: 24 });
});

afterAll(() => lab?.[Symbol.asyncDispose]());

async function pods(): Promise<readonly Pod[]> {
  return (await lab.client.list<Pod>(RESOURCES.pods, { namespace: 'default' })).items;
}

describe('pause pods', () => {
  it('run without a process, each with an address of its own', async () => {
    await Promise.all(
      Array.from({ length: COUNT }, (_, index) =>
        lab.pod(`pause-${index}`, { containers: [{ name: 'app', image: 'registry.k8s.io/pause:3.10' }] }),
      ),
    );
    await expect.poll(async () => (await pods()).filter(isReady).length, { timeout: 20_000 }).toBe(COUNT);
    const all = await pods();
    expect(new Set(all.map((pod) => pod.status?.podIP)).size).toBe(COUNT);
    await lab.restartKubelet();
    expect((await pods()).every(isReady)).toBe(true);
    await Promise.all(all.map((pod) => lab.deletePod(pod.metadata?.name ?? '')));
    await expect.poll(async () => (await pods()).length, { timeout: 20_000 }).toBe(0);
    await expect.poll(() => lab.kubelet.pods.size, { timeout: 10_000 }).toBe(0);
  });
});
