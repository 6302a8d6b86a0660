import { RESOURCES } from '@kind-e2e/kube-client';
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from './cluster.ts';
import { deployment, until } from './objects.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const available = (replicas: number): Promise<Deployment> =>
  until(
    () => cluster.client.get<Deployment>(RESOURCES.deployments, 'web', 'default'),
    (d) => d.status?.observedGeneration === d.metadata?.generation && d.status?.availableReplicas === replicas,
  );

describe('an API server that goes and comes back', () => {
  it('is found again by all controllers, which go on where they were', async () => {
    await cluster.client.create(RESOURCES.deployments, deployment('web', 3));
    await available(3);
    const before = (await cluster.client.list<Pod>(RESOURCES.pods, { namespace: 'default' })).items;
    await cluster.restartServer();
    const patch = { spec: { replicas: 5 } };
    await cluster.client.patch(RESOURCES.deployments, { name: 'web', namespace: 'default' }, 'merge', patch);
    await available(5);
    const after = (await cluster.client.list<Pod>(RESOURCES.pods, { namespace: 'default' })).items;
    const uids = new Set(after.map((pod) => pod.metadata?.uid));
    expect(after).toHaveLength(5);
    expect(before.every((pod) => uids.has(pod.metadata?.uid))).toBe(true);
  });
});
