import { type Clock, systemClock } from '@kind-e2e/base';
import { type ApiObject, RESOURCES } from '@kind-e2e/kube-client';
import type { Lease } from 'kubernetes-types/coordination/v1.d.ts';
import type { Node } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PodWorker } from '../src/pods/pod-worker.ts';
import { isAlive, type ProcessIdentity } from '../src/runtime/processes.ts';
import { askKubelet, isReady, startLab, statusOf, type TestLab } from './lab.ts';

let lab: TestLab;
let beats = 0;

/** Heartbeats, which are 10 s apart, come every 50 ms and are counted. */
const clock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => {
    if (ms !== 10_000) return systemClock.sleep(ms, signal);
    beats++;
    return systemClock.sleep(50, signal);
  },
};

/** The process of the one pod's container. */
function runningMain(): ProcessIdentity | undefined {
  const [worker] = [...lab.kubelet.pods.values()];
  return worker?.slots[0]?.record?.main;
}

beforeAll(async () => {
  lab = await startLab({ block: 28, shared: { clock } });
});

afterAll(() => lab?.[Symbol.asyncDispose]());

describe('a node', () => {
  it('is registered with what it is and a lease', async () => {
    const node = await lab.client.get<Node>(RESOURCES.nodes, 'worker-1');
    expect(node.metadata?.labels).toMatchObject({
      'kubernetes.io/hostname': 'worker-1',
      'kubernetes.io/os': 'linux',
      'node-role.kubernetes.io/worker': '',
    });
    expect(node.spec?.podCIDR).toBe(lab.nodeOptions.podCidr);
    expect(node.status?.addresses).toContainEqual({ type: 'InternalIP', address: lab.nodeAddress });
    expect(node.status?.daemonEndpoints?.kubeletEndpoint?.Port).toBe(lab.kubelet.apiPort);
    expect(node.status?.capacity?.pods).toBe('250');
    expect(node.status?.nodeInfo?.kubeletVersion).toMatch(/^v1\.36\./);
    expect(node.status?.conditions?.map((each) => [each.type, each.status])).toEqual([
      ['MemoryPressure', 'False'],
      ['DiskPressure', 'False'],
      ['PIDPressure', 'False'],
      ['Ready', 'True'],
    ]);
    const lease = await lab.client.get<Lease>(RESOURCES.leases, 'worker-1', 'kube-node-lease');
    expect(lease.spec).toMatchObject({ holderIdentity: 'worker-1', leaseDurationSeconds: 40 });
  });

  it('tells that it was cordoned and uncordoned', async () => {
    for (const [unschedulable, reason] of [
      [true, 'NodeNotSchedulable'],
      [false, 'NodeSchedulable'],
    ] as const) {
      await lab.client.patch(RESOURCES.nodes, { name: 'worker-1' }, 'merge', { spec: { unschedulable } });
      const message = `Node worker-1 status is now: ${reason}`;
      await expect
        .poll(() => lab.events('worker-1'), { timeout: 10_000 })
        .toContainEqual({ type: 'Normal', reason, message });
    }
  });

  it('answers service accounts as their roles allow', async () => {
    const rbac = 'rbac.authorization.k8s.io';
    const token = async (name: string): Promise<string> => {
      const metadata = { name, namespace: 'default' };
      await lab.client.create(RESOURCES.serviceaccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
      const request: ApiObject & { spec: object; status?: { token: string } } = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata,
        spec: {},
      };
      const answer = await lab.client.create(RESOURCES.serviceaccounts, request, { subresource: 'token', name });
      return answer.status?.token ?? '';
    };
    const role = {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: { name: 'scraper' },
      rules: [{ apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] }],
    };
    await lab.client.create(RESOURCES.clusterroles, role);
    const binding = {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'scraper' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'scraper' },
      subjects: [{ kind: 'ServiceAccount', name: 'scraper', namespace: 'default' }],
    };
    await lab.client.create(RESOURCES.clusterrolebindings, binding);
    const scraper = await token('scraper');
    expect(await askKubelet(lab, '/metrics/resource', 'nobody')).toEqual({ status: 401, text: 'Unauthorized' });
    expect(await askKubelet(lab, '/metrics/resource', await token('other'))).toEqual({
      status: 403,
      text: 'Forbidden (user=system:serviceaccount:default:other, verb=get, resource=nodes, subresource(s)=[metrics])\n',
    });
    expect((await askKubelet(lab, '/metrics/resource', scraper)).status).toBe(200);
    expect((await askKubelet(lab, '/stats/summary', scraper)).status).toBe(403);
  });

  it('that is stopped loses its containers, and runs them again when it comes back', async () => {
    const image = await lab.image('sleeper:1', 'setInterval(() => {}, 1000)');
    await lab.pod('sleeper', { containers: [{ name: 'app', image }] });
    await expect.poll(async () => isReady(await lab.get('sleeper')), { timeout: 10_000 }).toBe(true);
    const [worker] = [...lab.kubelet.pods.values()];
    const main = worker!.slots[0]!.record!.main!;
    await lab.kubelet.stopNode();
    expect(isAlive(main)).toBe(false);
    expect(isReady(await lab.get('sleeper'))).toBe(true);
    await lab.kubelet.startNode();
    await expect
      .poll(
        async () => {
          const pod = await lab.get('sleeper');
          return isReady(pod) && statusOf(pod)?.restartCount === 1;
        },
        { timeout: 10_000 },
      )
      .toBe(true);
    expect(statusOf(await lab.get('sleeper'))?.lastState?.terminated?.exitCode).toBe(137);
  });

  it('that was deleted stays away until its kubelet starts anew, and its containers go on', async () => {
    const [worker] = [...lab.kubelet.pods.values()];
    const main = worker!.slots[0]!.record!.main!;
    await lab.client.delete(RESOURCES.nodes, { name: 'worker-1' });
    await lab.client.delete(RESOURCES.leases, { name: 'worker-1', namespace: 'kube-node-lease' });
    const seen = beats;
    await expect.poll(() => beats, { timeout: 5_000 }).toBeGreaterThan(seen + 2);
    await expect(lab.client.get(RESOURCES.nodes, 'worker-1')).rejects.toThrow('nodes "worker-1" not found');
    await lab.kubelet.restart();
    const node = await lab.client.get<Node>(RESOURCES.nodes, 'worker-1');
    expect(node.status?.conditions?.find((each) => each.type === 'Ready')?.status).toBe('True');
    const lease = await lab.client.get<Lease>(RESOURCES.leases, 'worker-1', 'kube-node-lease');
    expect(lease.metadata?.ownerReferences?.[0]?.uid).toBe(node.metadata?.uid);
    await expect.poll(runningMain, { timeout: 5_000 }).toEqual(main);
    expect(isAlive(main)).toBe(true);
    expect(statusOf(await lab.get('sleeper'))?.restartCount).toBe(1);
  });

  it('that somebody made by hand is filled in', async () => {
    await lab.client.delete(RESOURCES.nodes, { name: 'worker-1' });
    await lab.client.create<Node>(RESOURCES.nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker-1' } });
    await lab.kubelet.restart();
    const node = await lab.client.get<Node>(RESOURCES.nodes, 'worker-1');
    expect(node.spec).toMatchObject({ podCIDR: lab.nodeOptions.podCidr, providerID: 'kind-e2e://embedded/worker-1' });
    expect(node.metadata?.labels?.['kubernetes.io/hostname']).toBe('worker-1');
    await expect.poll(runningMain, { timeout: 5_000 }).toBeDefined();
  });

  it('that goes down in order leaves no process and takes its pods up later', async () => {
    const [worker] = [...lab.kubelet.pods.values()];
    const main = worker!.slots[0]!.record!.main!;
    const before = (await lab.get('sleeper')).status?.podIP;
    await lab.kubelet.stopPods();
    expect(isAlive(main)).toBe(false);
    await lab.restartKubelet();
    await expect.poll(async () => statusOf(await lab.get('sleeper'))?.restartCount, { timeout: 10_000 }).toBe(2);
    expect((await lab.get('sleeper')).status?.podIP).toBe(before);
  });

  it('that comes back ends a pod that is deleted before it has looked what runs of it', async () => {
    const image = await lab.image('sleeper:1', 'setInterval(() => {}, 1000)');
    await lab.pod('early', { containers: [{ name: 'app', image }], terminationGracePeriodSeconds: 1 });
    await expect.poll(async () => isReady(await lab.get('early')), { timeout: 10_000 }).toBe(true);
    const pods = lab.kubelet.pods as Map<string, PodWorker>;
    const uid = (await lab.get('early')).metadata?.uid ?? '';
    const main = pods.get(uid)?.slots[0]?.record?.main;
    if (main === undefined) throw new Error('it does not run');
    const set = pods.set.bind(pods);
    pods.set = (key, worker) => {
      if (key === uid)
        queueMicrotask(() =>
          worker.update({
            ...worker.pod,
            metadata: { ...worker.pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
          }),
        );
      return set(key, worker);
    };
    try {
      await lab.kubelet.restart();
      await expect.poll(() => isAlive(main), { timeout: 10_000 }).toBe(false);
    } finally {
      pods.set = set;
    }
  });

  it('that goes down does not wait for a pod that takes an hour to end', async () => {
    const image = await lab.image('sleeper:1', 'setInterval(() => {}, 1000)');
    const preStop = { sleep: { seconds: 3_600 } };
    await lab.pod('lingering', {
      terminationGracePeriodSeconds: 3_600,
      containers: [{ name: 'app', image, lifecycle: { preStop } }],
    });
    await expect.poll(async () => isReady(await lab.get('lingering')), { timeout: 10_000 }).toBe(true);
    const worker = [...lab.kubelet.pods.values()].find(({ pod }) => pod.metadata?.name === 'lingering');
    const main = worker?.slots[0]?.record?.main;
    if (main === undefined) throw new Error('it does not run');
    await lab.client.delete(RESOURCES.pods, { name: 'lingering', namespace: 'default' });
    await expect.poll(() => worker?.slots[0]?.isStopping, { timeout: 5_000 }).toBe(true);
    await lab.kubelet.restart();
    expect(isAlive(main)).toBe(true);
    await expect
      .poll(() => [...lab.kubelet.pods.values()].some((each) => each !== worker && each.slots[0]?.isStopping))
      .toBe(true);
    await lab.kubelet.stopPods();
    expect(isAlive(main)).toBe(false);
  });
});
