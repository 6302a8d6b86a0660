import { RESOURCES } from '@kind-e2e/kube-client';
import type {
  ConfigMap,
  Namespace,
  Node,
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  Secret,
  Service,
  ServiceAccount,
} from 'kubernetes-types/core/v1.d.ts';
import type { EndpointSlice } from 'kubernetes-types/discovery/v1.d.ts';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.d.ts';
import type { ClusterRole } from 'kubernetes-types/rbac/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster, testNode } from './cluster.ts';
import { deployment, until } from './objects.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: [testNode('node-1'), testNode('node-2')], nodeGraceMs: 60_000 });
});
afterAll(() => cluster[Symbol.asyncDispose]());

const gone = (read: () => Promise<unknown>): Promise<boolean> =>
  until(
    () =>
      read().then(
        () => false,
        () => true,
      ),
    Boolean,
  );
const namespace = (name: string): Promise<Namespace> =>
  cluster.client.create<Namespace>(RESOURCES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
const configMap = (name: string, ns: string, metadata: object = {}): Promise<ConfigMap> =>
  cluster.client.create<ConfigMap>(RESOURCES.configmaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: ns, ...metadata },
  });

describe('namespace', () => {
  it('gets a service account and the root certificate', async () => {
    await namespace('fresh');
    const account = await until(
      () => cluster.client.get<ServiceAccount>(RESOURCES.serviceaccounts, 'default', 'fresh').catch(() => undefined),
      (found) => found !== undefined,
    );
    expect(account?.metadata?.name).toBe('default');
    const root = await until(
      () => cluster.client.get<ConfigMap>(RESOURCES.configmaps, 'kube-root-ca.crt', 'fresh').catch(() => undefined),
      (found) => found !== undefined,
    );
    expect(root?.data?.['ca.crt']).toContain('BEGIN CERTIFICATE');
    await cluster.client.delete(RESOURCES.configmaps, { name: 'kube-root-ca.crt', namespace: 'fresh' });
    await until(
      () => cluster.client.get<ConfigMap>(RESOURCES.configmaps, 'kube-root-ca.crt', 'fresh').catch(() => undefined),
      (found) => found !== undefined && found.metadata?.uid !== root?.metadata?.uid,
    );
  });

  it('goes with everything in it', async () => {
    await namespace('doomed');
    const web = deployment('web', 2);
    web.metadata!.namespace = 'doomed';
    await cluster.client.create(RESOURCES.deployments, web);
    await configMap('c', 'doomed');
    await until(
      async () => (await cluster.client.list<Pod>(RESOURCES.pods, { namespace: 'doomed' })).items,
      (pods) => pods.filter((p) => p.status?.phase === 'Running').length === 2,
    );
    await cluster.client.delete(RESOURCES.namespaces, { name: 'doomed' });
    await gone(() => cluster.client.get(RESOURCES.namespaces, 'doomed'));
    for (const resource of [RESOURCES.pods, RESOURCES.configmaps, RESOURCES.deployments, RESOURCES.replicasets])
      expect((await cluster.client.list(resource, { namespace: 'doomed' })).items).toEqual([]);
  });

  it('says what it waits for', async () => {
    await namespace('held');
    await configMap('c', 'held', { finalizers: ['example.com/hold'] });
    await cluster.client.delete(RESOURCES.namespaces, { name: 'held' });
    const waiting = await until(
      () => cluster.client.get<Namespace>(RESOURCES.namespaces, 'held'),
      (ns) =>
        ns.status?.conditions?.some((c) => c.type === 'NamespaceFinalizersRemaining' && c.status === 'True') ?? false,
    );
    const messages = Object.fromEntries((waiting.status?.conditions ?? []).map((c) => [c.type, c.message]));
    expect(messages).toMatchObject({
      NamespaceDeletionDiscoveryFailure: 'All resources successfully discovered',
      NamespaceContentRemaining: 'Some resources are remaining: configmaps. has 1 resource instances',
      NamespaceFinalizersRemaining:
        'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    });
    await cluster.client.patch(RESOURCES.configmaps, { name: 'c', namespace: 'held' }, 'merge', {
      metadata: { finalizers: null },
    });
    await gone(() => cluster.client.get(RESOURCES.namespaces, 'held'));
  });
});

describe('garbage collector', () => {
  const owner = (object: ConfigMap, block = false): object => ({
    ownerReferences: [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: object.metadata?.name,
        uid: object.metadata?.uid,
        ...(block ? { blockOwnerDeletion: true } : {}),
      },
    ],
  });

  it('deletes chains of dependents, and what names an owner that never was', async () => {
    const a = await configMap('a', 'default');
    const b = await configMap('b', 'default', owner(a));
    await configMap('c', 'default', owner(b));
    await configMap('stray', 'default', {
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'never', uid: 'no-such-uid' }],
    });
    await gone(() => cluster.client.get(RESOURCES.configmaps, 'stray', 'default'));
    await cluster.client.delete(RESOURCES.configmaps, { name: 'a', namespace: 'default' });
    await gone(() => cluster.client.get(RESOURCES.configmaps, 'c', 'default'));
  });

  it('keeps what still has an owner', async () => {
    const one = await configMap('one', 'default');
    const two = await configMap('two', 'default');
    const refs = [one, two].map((o) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: o.metadata?.name,
      uid: o.metadata?.uid,
    }));
    await configMap('shared', 'default', { ownerReferences: refs });
    await cluster.client.delete(RESOURCES.configmaps, { name: 'one', namespace: 'default' });
    const left = await until(
      () => cluster.client.get<ConfigMap>(RESOURCES.configmaps, 'shared', 'default'),
      (o) => o.metadata?.ownerReferences?.length === 1,
    );
    expect(left.metadata?.ownerReferences?.[0]?.name).toBe('two');
  });

  it('deletes in the foreground from the leaves up', async () => {
    const top = await configMap('top', 'default');
    const leaf = await configMap('leaf', 'default', { ...owner(top, true), finalizers: ['example.com/hold'] });
    await cluster.client.delete(
      RESOURCES.configmaps,
      { name: 'top', namespace: 'default' },
      { propagationPolicy: 'Foreground' },
    );
    await until(
      () => cluster.client.get<ConfigMap>(RESOURCES.configmaps, 'leaf', 'default'),
      (o) => o.metadata?.deletionTimestamp !== undefined,
    );
    const waiting = await cluster.client.get<ConfigMap>(RESOURCES.configmaps, 'top', 'default');
    expect(waiting.metadata?.finalizers).toEqual(['foregroundDeletion']);
    await cluster.client.patch(
      RESOURCES.configmaps,
      { name: leaf.metadata?.name ?? '', namespace: 'default' },
      'merge',
      { metadata: { finalizers: null } },
    );
    await gone(() => cluster.client.get(RESOURCES.configmaps, 'top', 'default'));
  });
});

describe('budgets and quotas', () => {
  it('tells how many pods may go', async () => {
    await cluster.client.create(RESOURCES.deployments, deployment('budget', 3));
    await cluster.client.create<PodDisruptionBudget>(RESOURCES.poddisruptionbudgets, {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'budget', namespace: 'default' },
      spec: { maxUnavailable: '34%', selector: { matchLabels: { app: 'budget' } } },
    });
    const found = await until(
      () => cluster.client.get<PodDisruptionBudget>(RESOURCES.poddisruptionbudgets, 'budget', 'default'),
      (b) => b.status?.currentHealthy === 3,
    );
    expect(found.status).toMatchObject({ expectedPods: 3, desiredHealthy: 1, disruptionsAllowed: 2 });
    expect(found.status?.conditions?.[0]).toMatchObject({
      type: 'DisruptionAllowed',
      status: 'True',
      reason: 'SufficientPods',
    });
  });

  it('counts what a quota limits', async () => {
    await namespace('limited');
    await cluster.client.create<ResourceQuota>(RESOURCES.resourcequotas, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'q', namespace: 'limited' },
      spec: { hard: { pods: '5', 'requests.cpu': '2', 'count/configmaps': '10', services: '3' } },
    });
    await cluster.client.create<Pod>(RESOURCES.pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'limited' },
      spec: { containers: [{ name: 'a', image: 'x:1', resources: { requests: { cpu: '250m' } } }] },
    });
    const found = await until(
      () => cluster.client.get<ResourceQuota>(RESOURCES.resourcequotas, 'q', 'limited'),
      (q) => q.status?.used?.['requests.cpu'] === '250m' && q.status.used['count/configmaps'] === '1',
    );
    expect(found.status?.used).toEqual({ pods: '1', 'requests.cpu': '250m', 'count/configmaps': '1', services: '0' });
    expect(found.status?.hard).toEqual(found.spec?.hard);
  });
});

describe('endpoints', () => {
  const service = (name: string, spec: Service['spec']): Promise<Service> =>
    cluster.client.create<Service>(RESOURCES.services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'default' },
      ...(spec ? { spec } : {}),
    });
  const slicesOf = async (name: string): Promise<readonly EndpointSlice[]> =>
    (
      await cluster.client.list<EndpointSlice>(RESOURCES.endpointslices, {
        labelSelector: `kubernetes.io/service-name=${name}`,
      })
    ).items;

  it('resolves named ports and keeps one slice for a service without pods', async () => {
    await service('named', { selector: { app: 'named' }, ports: [{ name: 'web', port: 80, targetPort: 'http' }] });
    const [empty] = await until(
      () => slicesOf('named'),
      (slices) => slices.length === 1,
    );
    expect(empty?.endpoints ?? []).toEqual([]);
    await cluster.client.create<Pod>(RESOURCES.pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'named', namespace: 'default', labels: { app: 'named' } },
      spec: { containers: [{ name: 'a', image: 'x:1', ports: [{ name: 'http', containerPort: 8080 }] }] },
    });
    const [slice] = await until(
      () => slicesOf('named'),
      (slices) => (slices[0]?.endpoints ?? []).length === 1,
    );
    expect(slice?.ports).toEqual([{ name: 'web', port: 8080, protocol: 'TCP' }]);
    expect(slice?.endpoints?.[0]?.targetRef?.name).toBe('named');
  });

  it('copies endpoints that a user wrote', async () => {
    await service('manual', { ports: [{ port: 80 }] });
    await cluster.client.create(RESOURCES.endpoints, {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'manual', namespace: 'default' },
      subsets: [{ addresses: [{ ip: '127.1.2.3' }], ports: [{ port: 8080 }] }],
    } as never);
    const [slice] = await until(
      () => slicesOf('manual'),
      (slices) => (slices[0]?.endpoints ?? []).length === 1,
    );
    expect(slice?.endpoints?.[0]?.addresses).toEqual(['127.1.2.3']);
    expect(slice?.metadata?.labels?.['endpointslice.kubernetes.io/managed-by']).toBe(
      'endpointslicemirroring-controller.k8s.io',
    );
    await cluster.client.delete(RESOURCES.endpoints, { name: 'manual', namespace: 'default' });
    await until(
      () => slicesOf('manual'),
      (slices) => slices.length === 0,
    );
  });
});

describe('node lifecycle', () => {
  it('taints a lost node, takes its pods out of service and moves them', async () => {
    const own = await startTestCluster({ nodes: [testNode('stays'), testNode('dies')], nodeGraceMs: 1500 });
    try {
      const beat = async (): Promise<void> => {
        const lease = {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: 'stays', namespace: 'kube-node-lease' },
          spec: { renewTime: `${new Date().toISOString().slice(0, 23)}000Z` },
        };
        await own.client
          .patch(RESOURCES.leases, { name: 'stays', namespace: 'kube-node-lease' }, 'merge', { spec: lease.spec })
          .catch(() => own.client.create(RESOURCES.leases, lease as never));
      };
      const web = deployment('web', 2);
      web.spec!.template.spec!.tolerations = [
        { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 1 },
      ];
      await own.client.create(RESOURCES.deployments, web);
      const node = await until(
        async () => {
          await beat();
          return await own.client.get<Node>(RESOURCES.nodes, 'dies');
        },
        (n) => (n.spec?.taints ?? []).length === 2,
      );
      expect(node.status?.conditions?.find((c) => c.type === 'Ready')).toMatchObject({
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
      });
      expect(node.spec?.taints?.map((t) => `${t.key}:${t.effect}`).sort()).toEqual([
        'node.kubernetes.io/unreachable:NoExecute',
        'node.kubernetes.io/unreachable:NoSchedule',
      ]);
      await until(
        async () => {
          await beat();
          return (await own.client.list<Pod>(RESOURCES.pods, { namespace: 'default' })).items;
        },
        (pods) => pods.length === 2 && pods.every((p) => p.spec?.nodeName === 'stays'),
      );
      expect((await own.client.get<Node>(RESOURCES.nodes, 'stays')).spec?.taints ?? []).toEqual([]);
    } finally {
      await own[Symbol.asyncDispose]();
    }
  });
});

describe('small controllers', () => {
  it('fill token secrets, aggregate roles and make claims of ephemeral volumes', async () => {
    await cluster.client.create(RESOURCES.secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: {
        name: 'token',
        namespace: 'default',
        annotations: { 'kubernetes.io/service-account.name': 'default' },
      },
    } as never);
    const secret = await until(
      () => cluster.client.get<Secret>(RESOURCES.secrets, 'token', 'default'),
      (found) => found.data?.token !== undefined,
    );
    expect(Buffer.from(secret.data?.token ?? '', 'base64').toString()).toMatch(/^ey[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(Buffer.from(secret.data?.namespace ?? '', 'base64').toString()).toBe('default');

    const role = (name: string, more: object): Promise<unknown> =>
      cluster.client.create(RESOURCES.clusterroles, {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name, labels: { into: name === 'whole' ? 'none' : 'whole' } },
        ...more,
      } as never);
    await role('whole', { rules: [], aggregationRule: { clusterRoleSelectors: [{ matchLabels: { into: 'whole' } }] } });
    await role('part', { rules: [{ apiGroups: ['example.com'], resources: ['things'], verbs: ['get'] }] });
    const whole = await until(
      () => cluster.client.get<ClusterRole>(RESOURCES.clusterroles, 'whole'),
      (found) => (found.rules ?? []).length === 1,
    );
    expect(whole.rules?.[0]?.resources).toEqual(['things']);

    await cluster.client.create<Pod>(RESOURCES.pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'scratch', namespace: 'default' },
      spec: {
        containers: [{ name: 'a', image: 'x:1' }],
        volumes: [
          {
            name: 'tmp',
            ephemeral: {
              volumeClaimTemplate: {
                spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
              },
            },
          },
        ],
      },
    });
    await until(
      () => cluster.client.get<Pod>(RESOURCES.pods, 'scratch', 'default'),
      (pod) => pod.status?.phase === 'Running',
    );
    const claim = await cluster.client.get<PersistentVolumeClaim>(
      RESOURCES.persistentvolumeclaims,
      'scratch-tmp',
      'default',
    );
    expect(claim.status?.phase).toBe('Bound');
  });
});
