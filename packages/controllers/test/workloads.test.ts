import { RESOURCES } from '@kind-e2e/kube-client';
import type { ControllerRevision, DaemonSet, StatefulSet } from 'kubernetes-types/apps/v1.d.ts';
import type { Job } from 'kubernetes-types/batch/v1.d.ts';
import type { Event, PersistentVolume, PersistentVolumeClaim, Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster, testNode } from './cluster.ts';
import { until } from './objects.ts';

let cluster: TestCluster;
const failing = new Set<string>();
beforeAll(async () => {
  cluster = await startTestCluster({
    nodes: [
      testNode('node-1'),
      testNode('node-2'),
      testNode('tainted', { taints: [{ key: 'only', value: 'me', effect: 'NoSchedule' }] }),
    ],
    run: (pod) => {
      const owner = pod.metadata?.ownerReferences?.[0];
      if (owner?.kind !== 'Job') return { phase: 'Running', ready: true };
      if (owner.name === 'forever') return { phase: 'Running', ready: true };
      if (owner.name === 'one-bad') {
        const index = pod.metadata?.annotations?.['batch.kubernetes.io/job-completion-index'];
        return { phase: index === '1' ? 'Failed' : 'Succeeded', ready: false };
      }
      return { phase: failing.has(owner.name) ? 'Failed' : 'Succeeded', ready: false };
    },
  });
});
afterAll(() => cluster[Symbol.asyncDispose]());

const pods = async (selector: string): Promise<readonly Pod[]> =>
  (await cluster.client.list<Pod>(RESOURCES.pods, { namespace: 'default', labelSelector: selector })).items;
const names = (items: readonly { metadata?: { name?: string } }[]): string[] =>
  items.map((i) => i.metadata?.name ?? '').sort();
const template = (app: string, image = 'x:1') => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'main', image }], terminationGracePeriodSeconds: 0 },
});

describe('statefulset', () => {
  const set = (name: string, replicas: number, spec: Partial<NonNullable<StatefulSet['spec']>> = {}): StatefulSet => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace: 'default' },
    spec: { replicas, serviceName: name, selector: { matchLabels: { app: name } }, template: template(name), ...spec },
  });
  const get = (name: string): Promise<StatefulSet> =>
    cluster.client.get<StatefulSet>(RESOURCES.statefulsets, name, 'default');
  const settled = (name: string): Promise<StatefulSet> =>
    until(
      () => get(name),
      (s) =>
        s.status?.observedGeneration === s.metadata?.generation &&
        s.status?.readyReplicas === s.spec?.replicas &&
        s.status?.replicas === s.spec?.replicas &&
        s.status?.updateRevision === s.status?.currentRevision,
    );

  it('makes named pods in order, each with its claim', async () => {
    await cluster.client.create(
      RESOURCES.statefulsets,
      set('db', 3, {
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      }),
    );
    const done = await settled('db');
    const own = await pods('app=db');
    expect(names(own)).toEqual(['db-0', 'db-1', 'db-2']);
    const created = own.toSorted((a, b) => Number(a.metadata?.resourceVersion) - Number(b.metadata?.resourceVersion));
    expect(created).toHaveLength(3);
    const first = own.find((p) => p.metadata?.name === 'db-0');
    expect(first?.metadata?.labels).toMatchObject({
      'statefulset.kubernetes.io/pod-name': 'db-0',
      'apps.kubernetes.io/pod-index': '0',
      'controller-revision-hash': done.status?.currentRevision,
    });
    expect(first?.spec).toMatchObject({ hostname: 'db-0', subdomain: 'db' });
    const claims = (
      await cluster.client.list<PersistentVolumeClaim>(RESOURCES.persistentvolumeclaims, { namespace: 'default' })
    ).items;
    expect(names(claims)).toEqual(['data-db-0', 'data-db-1', 'data-db-2']);
    expect(claims.every((c) => c.status?.phase === 'Bound')).toBe(true);
    const volumes = (await cluster.client.list<PersistentVolume>(RESOURCES.persistentvolumes)).items;
    expect(volumes).toHaveLength(3);
    expect(volumes.every((v) => v.status?.phase === 'Bound' && v.spec?.storageClassName === 'standard')).toBe(true);
  });

  it('shrinks from the end and keeps the claims', async () => {
    await cluster.client.patch(RESOURCES.statefulsets, { name: 'db', namespace: 'default' }, 'merge', {
      spec: { replicas: 1 },
    });
    await until(
      () => pods('app=db'),
      (own) => names(own).join() === 'db-0',
    );
    const claims = (await cluster.client.list(RESOURCES.persistentvolumeclaims, { namespace: 'default' })).items;
    expect(claims).toHaveLength(3);
  });

  it('gives claims to the owners that its retention policy asks for', async () => {
    const claim = {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
    };
    await cluster.client.create(
      RESOURCES.statefulsets,
      set('kept', 2, {
        volumeClaimTemplates: [claim],
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
      }),
    );
    await settled('kept');
    const claims = async (): Promise<Record<string, string[]>> => {
      const { items } = await cluster.client.list<PersistentVolumeClaim>(RESOURCES.persistentvolumeclaims, {
        namespace: 'default',
        labelSelector: 'app=kept',
      });
      return Object.fromEntries(
        items.map((item) => [item.metadata?.name, (item.metadata?.ownerReferences ?? []).map((owner) => owner.kind)]),
      );
    };
    expect(await claims()).toEqual({ 'data-kept-0': ['StatefulSet'], 'data-kept-1': ['StatefulSet'] });
    const patch = (spec: object): Promise<unknown> =>
      cluster.client.patch(RESOURCES.statefulsets, { name: 'kept', namespace: 'default' }, 'merge', { spec });
    await patch({ replicas: 1 });
    await until(claims, (found) => !('data-kept-1' in found));
    await patch({ persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' } });
    await until(claims, (found) => found['data-kept-0']?.length === 0);
  });

  it('updates from the end, down to the partition', async () => {
    await cluster.client.create(
      RESOURCES.statefulsets,
      set('part', 3, {
        podManagementPolicy: 'Parallel',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
      }),
    );
    await settled('part');
    await cluster.client.patch(RESOURCES.statefulsets, { name: 'part', namespace: 'default' }, 'merge', {
      spec: { template: template('part', 'x:2') },
    });
    const own = await until(
      () => pods('app=part'),
      (list) => list.length === 3 && list.filter((p) => p.spec?.containers[0]?.image === 'x:2').length === 2,
    );
    expect(own.find((p) => p.metadata?.name === 'part-0')?.spec?.containers[0]?.image).toBe('x:1');
    const revisions = (
      await cluster.client.list<ControllerRevision>(RESOURCES.controllerrevisions, {
        namespace: 'default',
        labelSelector: 'app=part',
      })
    ).items;
    expect(revisions.map((r) => r.revision).sort()).toEqual([1, 2]);
    await cluster.client.patch(RESOURCES.statefulsets, { name: 'part', namespace: 'default' }, 'merge', {
      spec: { updateStrategy: { rollingUpdate: { partition: 0 } } },
    });
    await until(
      () => pods('app=part'),
      (list) => list.length === 3 && list.every((p) => p.spec?.containers[0]?.image === 'x:2'),
    );
    await settled('part');
  });
});

describe('daemonset', () => {
  it('runs one pod on each node that it tolerates, and updates them in turn', async () => {
    const object: DaemonSet = {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent', namespace: 'default' },
      spec: { selector: { matchLabels: { app: 'agent' } }, template: template('agent') },
    };
    await cluster.client.create(RESOURCES.daemonsets, object);
    const get = (): Promise<DaemonSet> => cluster.client.get<DaemonSet>(RESOURCES.daemonsets, 'agent', 'default');
    await until(get, (d) => d.status?.numberReady === 2 && d.status.desiredNumberScheduled === 2);
    expect((await pods('app=agent')).map((p) => p.spec?.nodeName).sort()).toEqual(['node-1', 'node-2']);
    const patch = {
      spec: {
        template: { spec: { ...template('agent', 'x:2').spec, tolerations: [{ key: 'only', operator: 'Exists' }] } },
      },
    };
    await cluster.client.patch(RESOURCES.daemonsets, { name: 'agent', namespace: 'default' }, 'merge', patch);
    const done = await until(
      get,
      (d) =>
        d.status?.observedGeneration === d.metadata?.generation &&
        d.status?.updatedNumberScheduled === 3 &&
        d.status.numberAvailable === 3,
    );
    expect(done.status).toMatchObject({ currentNumberScheduled: 3, desiredNumberScheduled: 3, numberMisscheduled: 0 });
    expect((await pods('app=agent')).map((p) => p.spec?.nodeName).sort()).toEqual(['node-1', 'node-2', 'tainted']);
  });
});

describe('job', () => {
  const job = (name: string, spec: Partial<NonNullable<Job['spec']>> = {}): Job => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: 'default' },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'x:1' }] } }, ...spec },
  });
  const get = (name: string): Promise<Job> => cluster.client.get<Job>(RESOURCES.jobs, name, 'default');
  const ended = (name: string, type: string): Promise<Job> =>
    until(
      () => get(name),
      (j) => j.status?.conditions?.some((c) => c.type === type && c.status === 'True') ?? false,
    );

  it('runs to its number of completions', async () => {
    await cluster.client.create(RESOURCES.jobs, job('plain', { completions: 4, parallelism: 2 }));
    const done = await ended('plain', 'Complete');
    expect(done.status).toMatchObject({ succeeded: 4 });
    expect(done.status?.completionTime).toBeDefined();
    expect(done.status?.conditions?.map((c) => [c.type, c.reason])).toEqual([
      ['SuccessCriteriaMet', 'CompletionsReached'],
      ['Complete', 'CompletionsReached'],
    ]);
    const own = await until(
      () => pods('job-name=plain'),
      (list) => list.every((p) => (p.metadata?.finalizers ?? []).length === 0),
    );
    expect(own).toHaveLength(4);
    const events = await until(
      async () =>
        (await cluster.client.list<Event>(RESOURCES.events, { fieldSelector: 'involvedObject.name=plain' })).items,
      (items) => items.some((e) => e.reason === 'Completed'),
    );
    expect(events.filter((e) => e.reason === 'SuccessfulCreate')).toHaveLength(4);
  });

  it('gives each pod of an indexed job its index', async () => {
    await cluster.client.create(
      RESOURCES.jobs,
      job('indexed', { completions: 3, parallelism: 3, completionMode: 'Indexed' }),
    );
    const done = await ended('indexed', 'Complete');
    expect(done.status).toMatchObject({ succeeded: 3, completedIndexes: '0-2' });
    const own = await pods('job-name=indexed');
    expect(own.map((p) => p.metadata?.annotations?.['batch.kubernetes.io/job-completion-index']).sort()).toEqual([
      '0',
      '1',
      '2',
    ]);
    expect(
      own.every((p) =>
        p.metadata?.name?.startsWith(`indexed-${p.metadata.labels?.['batch.kubernetes.io/job-completion-index']}-`),
      ),
    ).toBe(true);
  });

  it('counts the failures of each index by itself', async () => {
    await cluster.client.create(
      RESOURCES.jobs,
      job('one-bad', { completions: 3, parallelism: 3, completionMode: 'Indexed', backoffLimitPerIndex: 0 }),
    );
    const done = await ended('one-bad', 'Failed');
    expect(done.status).toMatchObject({ succeeded: 2, failed: 1, completedIndexes: '0,2', failedIndexes: '1' });
    expect(done.status?.conditions?.at(-1)).toMatchObject({
      reason: 'FailedIndexes',
      message: 'Job has failed indexes',
    });
    const counts = (await pods('job-name=one-bad')).map(
      (pod) => pod.metadata?.annotations?.['batch.kubernetes.io/job-index-failure-count'],
    );
    expect(counts).toEqual(['0', '0', '0']);
  });

  it('is done as soon as its success policy says so', async () => {
    await cluster.client.create(
      RESOURCES.jobs,
      job('leader', {
        completions: 5,
        parallelism: 1,
        completionMode: 'Indexed',
        successPolicy: { rules: [{ succeededIndexes: '0' }] },
      }),
    );
    const done = await ended('leader', 'Complete');
    expect(done.status?.conditions?.at(-1)).toMatchObject({
      reason: 'SuccessPolicy',
      message: 'Matched rules at index 0',
    });
  });

  it('fails when its pods do', async () => {
    failing.add('bad');
    await cluster.client.create(RESOURCES.jobs, job('bad', { backoffLimit: 0 }));
    const done = await ended('bad', 'Failed');
    expect(done.status).toMatchObject({ failed: 1 });
    expect(done.status?.conditions?.at(-1)).toMatchObject({
      type: 'Failed',
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    });
  });

  it('is suspended, resumed, and ended by its deadline', async () => {
    await cluster.client.create(RESOURCES.jobs, job('forever', { suspend: true }));
    await ended('forever', 'Suspended');
    expect(
      (
        await until(
          () => get('forever'),
          (j) => j.status?.ready !== undefined,
        )
      ).status,
    ).toMatchObject({ ready: 0, terminating: 0 });
    expect(await pods('job-name=forever')).toEqual([]);
    await cluster.client.patch(RESOURCES.jobs, { name: 'forever', namespace: 'default' }, 'merge', {
      spec: { suspend: false, activeDeadlineSeconds: 2 },
    });
    await until(
      () => get('forever'),
      (j) => j.status?.active === 1,
    );
    const done = await ended('forever', 'Failed');
    expect(done.status?.conditions?.at(-1)?.reason).toBe('DeadlineExceeded');
    // What was still running counts as failed.
    expect(done.status).toMatchObject({ failed: 1 });
    expect(done.status?.active).toBeUndefined();
    await until(
      () => pods('job-name=forever'),
      (list) => list.length === 0,
    );
  });

  it('goes after its time to live', async () => {
    await cluster.client.create(RESOURCES.jobs, job('short', { ttlSecondsAfterFinished: 1 }));
    await until(
      () =>
        get('short').then(
          () => false,
          () => true,
        ),
      Boolean,
    );
    await until(
      () => pods('job-name=short'),
      (list) => list.length === 0,
    );
  });
});
