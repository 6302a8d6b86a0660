import { RESOURCES } from '@kind-e2e/kube-client';
import type { Event, Pod, PodSpec } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster, testNode } from './cluster.ts';
import { until } from './objects.ts';

const CONTROL_PLANE = { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' };

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({
    only: ['scheduler', 'serviceaccount', 'root-ca'],
    nodes: [
      ...[1, 2, 3].map((i) => testNode(`control-plane-${i}`, { taints: [CONTROL_PLANE] })),
      ...[1, 2, 3].map((i) =>
        testNode(`worker-${i}`, {
          cpu: '2',
          labels: { 'topology.kubernetes.io/zone': i === 1 ? 'a' : 'b', disk: `d${i}` },
        }),
      ),
    ],
  });
  await until(
    () => cluster.client.list(RESOURCES.serviceaccounts, { namespace: 'default' }),
    (list) => list.items.length > 0,
  );
});
afterAll(() => cluster[Symbol.asyncDispose]());

const create = (name: string, spec: Partial<PodSpec> = {}, labels: Record<string, string> = {}): Promise<Pod> =>
  cluster.client.create<Pod>(RESOURCES.pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels },
    spec: { containers: [{ name: 'main', image: 'x:1' }], terminationGracePeriodSeconds: 0, ...spec },
  });
const get = (name: string): Promise<Pod> => cluster.client.get<Pod>(RESOURCES.pods, name, 'default');
const nodeOf = async (name: string): Promise<string> =>
  (
    await until(
      () => get(name),
      (pod) => pod.spec?.nodeName !== undefined,
    )
  ).spec?.nodeName ?? '';
const unschedulable = async (name: string): Promise<string> => {
  const pod = await until(
    () => get(name),
    (p) => p.status?.conditions?.some((c) => c.type === 'PodScheduled' && c.reason === 'Unschedulable') ?? false,
  );
  return pod.status?.conditions?.find((c) => c.type === 'PodScheduled')?.message ?? '';
};
const remove = async (...names: string[]): Promise<void> => {
  for (const name of names)
    await cluster.client
      .delete(RESOURCES.pods, { name, namespace: 'default' }, { gracePeriodSeconds: 0 })
      .catch(() => {});
  for (const name of names)
    await until(
      () =>
        get(name).then(
          () => false,
          () => true,
        ),
      Boolean,
    );
};
const cpu = (amount: string): PodSpec['containers'] => [
  { name: 'main', image: 'x:1', resources: { requests: { cpu: amount } } },
];

describe('scheduler', () => {
  it('keeps pods off tainted nodes and spreads them over the others', async () => {
    const nodes: string[] = [];
    for (const name of ['s1', 's2', 's3']) {
      await create(name);
      nodes.push(await nodeOf(name));
    }
    expect(nodes.sort()).toEqual(['worker-1', 'worker-2', 'worker-3']);
    const events = await until(
      async () =>
        (
          await cluster.client.list<Event>(RESOURCES.events, {
            namespace: 'default',
            fieldSelector: 'involvedObject.name=s1',
          })
        ).items,
      (items) => items.length > 0,
    );
    expect(events[0]).toMatchObject({
      reason: 'Scheduled',
      type: 'Normal',
      message: `Successfully assigned default/s1 to ${(await get('s1')).spec?.nodeName}`,
      source: { component: 'default-scheduler' },
    });
    await remove('s1', 's2', 's3');
  });

  it('says why a pod fits nowhere, in the words of the real one', async () => {
    await create('big', { containers: cpu('3') });
    expect(await unschedulable('big')).toBe(
      '0/6 nodes are available: 3 Insufficient cpu, 3 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling.',
    );
    await create('elsewhere', { nodeSelector: { disk: 'none' } });
    expect(await unschedulable('elsewhere')).toBe(
      "0/6 nodes are available: 3 node(s) didn't match Pod's node affinity/selector, 3 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling.",
    );
    const events = await until(
      async () =>
        (await cluster.client.list<Event>(RESOURCES.events, { fieldSelector: 'involvedObject.name=big' })).items,
      (items) => items.length > 0,
    );
    expect(events[0]).toMatchObject({ reason: 'FailedScheduling', type: 'Warning' });
    await remove('big', 'elsewhere');
  });

  it('follows nodeSelector, tolerations and affinities', async () => {
    await create('selected', { nodeSelector: { disk: 'd2' } });
    expect(await nodeOf('selected')).toBe('worker-2');
    await create('tolerant', {
      tolerations: [{ operator: 'Exists' }],
      nodeSelector: { 'kubernetes.io/hostname': 'control-plane-2' },
    });
    expect(await nodeOf('tolerant')).toBe('control-plane-2');
    const affinity = (kind: 'podAffinity' | 'podAntiAffinity', app: string): PodSpec['affinity'] => ({
      [kind]: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app } } },
        ],
      },
    });
    await create('db', {}, { app: 'db' });
    const home = await nodeOf('db');
    await create('near', { affinity: affinity('podAffinity', 'db') });
    expect(await nodeOf('near')).toBe(home);
    await create('far', { affinity: affinity('podAntiAffinity', 'db') }, { app: 'far' });
    expect(await nodeOf('far')).not.toBe(home);
    await create('lonely', { affinity: affinity('podAffinity', 'nobody') });
    expect(await unschedulable('lonely')).toContain("3 node(s) didn't match pod affinity rules");
    await remove('selected', 'tolerant', 'db', 'near', 'far', 'lonely');
  });

  it('keeps hard topology constraints', async () => {
    const spread: Partial<PodSpec> = {
      nodeSelector: {},
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'zoned' } },
        },
      ],
    };
    const zones: string[] = [];
    for (const name of ['z1', 'z2', 'z3', 'z4']) {
      await create(name, spread, { app: 'zoned' });
      zones.push((await nodeOf(name)) === 'worker-1' ? 'a' : 'b');
    }
    expect(zones.sort()).toEqual(['a', 'a', 'b', 'b']);
    await remove('z1', 'z2', 'z3', 'z4');
  });

  it('gives a host port once per node', async () => {
    const port: Partial<PodSpec> = {
      containers: [{ name: 'main', image: 'x:1', ports: [{ containerPort: 80, hostPort: 8080 }] }],
    };
    for (const name of ['p1', 'p2', 'p3']) await create(name, port);
    const nodes = new Set([await nodeOf('p1'), await nodeOf('p2'), await nodeOf('p3')]);
    expect(nodes.size).toBe(3);
    await create('p4', port);
    expect(await unschedulable('p4')).toContain("3 node(s) didn't have free ports for the requested pod ports");
    await remove('p1');
    await nodeOf('p4');
    await remove('p2', 'p3', 'p4');
  });

  it('makes room for important pods', async () => {
    await cluster.client.create(RESOURCES.priorityclasses, {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'high' },
      value: 1000,
    } as never);
    for (const i of [1, 2, 3]) await create(`low-${i}`, { containers: cpu('1500m') });
    for (const i of [1, 2, 3]) await nodeOf(`low-${i}`);
    await create('important', { containers: cpu('1'), priorityClassName: 'high' });
    const home = await nodeOf('important');
    const left = (await cluster.client.list<Pod>(RESOURCES.pods, { namespace: 'default' })).items.filter((p) =>
      p.metadata?.name?.startsWith('low-'),
    );
    expect(left).toHaveLength(2);
    expect(left.every((p) => p.spec?.nodeName !== home)).toBe(true);
    await remove('important', 'low-1', 'low-2', 'low-3');
  });

  it('waits for scheduling gates to go', async () => {
    await create('gated', { schedulingGates: [{ name: 'example.com/wait' }] });
    await until(
      () => get('gated'),
      (p) => p.status?.conditions?.some((c) => c.reason === 'SchedulingGated') ?? false,
    );
    await cluster.client.patch(RESOURCES.pods, { name: 'gated', namespace: 'default' }, 'merge', {
      spec: { schedulingGates: null },
    });
    await nodeOf('gated');
    await remove('gated');
  });

  it('leaves pods of other schedulers and cordoned nodes alone', async () => {
    await create('foreign', { schedulerName: 'nobody' });
    for (const name of ['worker-1', 'worker-2', 'worker-3'])
      await cluster.client.patch(RESOURCES.nodes, { name }, 'merge', { spec: { unschedulable: true } });
    await create('cordoned');
    expect(await unschedulable('cordoned')).toContain('3 node(s) were unschedulable');
    await cluster.client.patch(RESOURCES.nodes, { name: 'worker-3' }, 'merge', { spec: { unschedulable: null } });
    expect(await nodeOf('cordoned')).toBe('worker-3');
    expect((await get('foreign')).spec?.nodeName).toBeUndefined();
    for (const name of ['worker-1', 'worker-2'])
      await cluster.client.patch(RESOURCES.nodes, { name }, 'merge', { spec: { unschedulable: null } });
    await remove('foreign', 'cordoned');
  });
});
