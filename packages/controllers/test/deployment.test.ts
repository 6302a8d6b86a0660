import { RESOURCES } from '@kind-e2e/kube-client';
import type { Deployment, ReplicaSet } from 'kubernetes-types/apps/v1.d.ts';
import type { Event, Pod, Service } from 'kubernetes-types/core/v1.d.ts';
import type { EndpointSlice } from 'kubernetes-types/discovery/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from './cluster.ts';
import { deployment, until } from './objects.ts';

let cluster: TestCluster;
let isBroken = false;
beforeAll(async () => {
  cluster = await startTestCluster({
    run: (pod) => ({ phase: 'Running', ready: !(isBroken && pod.spec?.containers[0]?.image === 'x:bad') }),
  });
});
afterAll(() => cluster[Symbol.asyncDispose]());

const get = (name: string): Promise<Deployment> =>
  cluster.client.get<Deployment>(RESOURCES.deployments, name, 'default');
const setsOf = async (name: string): Promise<readonly ReplicaSet[]> =>
  (await cluster.client.list<ReplicaSet>(RESOURCES.replicasets, { namespace: 'default', labelSelector: `app=${name}` }))
    .items;
const podsOf = async (name: string): Promise<readonly Pod[]> =>
  (await cluster.client.list<Pod>(RESOURCES.pods, { namespace: 'default', labelSelector: `app=${name}` })).items;
const isRolledOut = (d: Deployment): boolean =>
  d.status?.observedGeneration === d.metadata?.generation &&
  (d.status?.updatedReplicas ?? 0) === d.spec?.replicas &&
  (d.status?.replicas ?? 0) === d.spec?.replicas &&
  (d.status?.availableReplicas ?? 0) === d.spec?.replicas;
const rolledOut = (name: string): Promise<Deployment> => until(() => get(name), isRolledOut);
const setImage = (name: string, image: string): Promise<Deployment> =>
  cluster.client.patch<Deployment>(RESOURCES.deployments, { name, namespace: 'default' }, 'strategic', {
    spec: { template: { spec: { containers: [{ name: 'main', image }] } } },
  });

describe('deployment', () => {
  it('rolls out, and says so as kubectl and helm expect', async () => {
    await cluster.client.create(RESOURCES.deployments, deployment('first', 3));
    const done = await rolledOut('first');
    expect(done.metadata?.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' });
    const [rs] = await setsOf('first');
    const hash = rs?.metadata?.labels?.['pod-template-hash'];
    expect(rs?.metadata?.name).toBe(`first-${hash}`);
    expect(rs?.metadata?.annotations).toEqual({
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
      'deployment.kubernetes.io/revision': '1',
    });
    const conditions = Object.fromEntries((done.status?.conditions ?? []).map((c) => [c.type, c]));
    expect(conditions.Available).toMatchObject({
      status: 'True',
      reason: 'MinimumReplicasAvailable',
      message: 'Deployment has minimum availability.',
    });
    const progressing = await until(
      async () => (await get('first')).status?.conditions?.find((c) => c.type === 'Progressing'),
      (c) => c?.reason === 'NewReplicaSetAvailable',
    );
    expect(progressing?.message).toBe(`ReplicaSet "first-${hash}" has successfully progressed.`);
    const events = await until(
      async () => (await cluster.client.list<Event>(RESOURCES.events, { namespace: 'default' })).items,
      (all) => all.filter((e) => e.reason === 'Scheduled').length >= 3,
    );
    const texts = events.map((e) => `${e.involvedObject.kind} ${e.type} ${e.reason} ${e.message}`);
    expect(texts).toContain(`Deployment Normal ScalingReplicaSet Scaled up replica set first-${hash} from 0 to 3`);
    expect(texts.filter((t) => t.startsWith('ReplicaSet Normal SuccessfulCreate Created pod: first-'))).toHaveLength(3);
  });

  it('updates without ever having fewer ready endpoints than wanted', async () => {
    await cluster.client.create(RESOURCES.services, service('steady'));
    await cluster.client.create(RESOURCES.deployments, deployment('steady', 4, { maxSurge: 1, maxUnavailable: 0 }));
    await rolledOut('steady');
    const readiness: number[] = [];
    const totals: number[] = [];
    const abort = new AbortController();
    const readyOf = (slice: EndpointSlice): number =>
      (slice.endpoints ?? []).filter((e) => e.conditions?.ready !== false).length;
    await until(
      async () =>
        (
          await cluster.client.list<EndpointSlice>(RESOURCES.endpointslices, {
            labelSelector: 'kubernetes.io/service-name=steady',
          })
        ).items,
      (slices) => slices.some((slice) => readyOf(slice) === 4),
    );
    const watching = (async () => {
      for await (const { type, object } of cluster.client.watch<EndpointSlice>(RESOURCES.endpointslices, {
        labelSelector: 'kubernetes.io/service-name=steady',
        signal: abort.signal,
      })) {
        if (type === 'ADDED' || type === 'MODIFIED') readiness.push(readyOf(object));
        if (type !== 'BOOKMARK') totals.push((object.endpoints ?? []).length);
      }
    })();
    await setImage('steady', 'x:2');
    await rolledOut('steady');
    await until(
      () => podsOf('steady'),
      (pods) => pods.length === 4,
    );
    abort.abort();
    await watching;
    expect(readiness.length).toBeGreaterThan(3);
    expect(Math.min(...readiness)).toBe(4);
    const sets = await setsOf('steady');
    expect(
      sets.map((rs) => [rs.spec?.replicas, rs.metadata?.annotations?.['deployment.kubernetes.io/revision']]).sort(),
    ).toEqual([
      [0, '1'],
      [4, '2'],
    ]);
    expect((await get('steady')).metadata?.annotations?.['deployment.kubernetes.io/revision']).toBe('2');
  });

  it('goes back to an old template by taking its replica set up again, with a new revision', async () => {
    await setImage('steady', 'x:1');
    await rolledOut('steady');
    const sets = await until(
      () => setsOf('steady'),
      (found) => found.some((rs) => rs.metadata?.annotations?.['deployment.kubernetes.io/revision'] === '3'),
    );
    expect(sets).toHaveLength(2);
    const current = sets.find((rs) => rs.spec?.replicas === 4);
    expect(current?.metadata?.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    });
  });

  it('scales without a new revision', async () => {
    await cluster.client.patch(RESOURCES.deployments, { name: 'steady', namespace: 'default' }, 'merge', {
      spec: { replicas: 7 },
    });
    await rolledOut('steady');
    await cluster.client.patch(RESOURCES.deployments, { name: 'steady', namespace: 'default' }, 'merge', {
      spec: { replicas: 2 },
    });
    await rolledOut('steady');
    expect(await setsOf('steady')).toHaveLength(2);
    await until(
      () => podsOf('steady'),
      (pods) => pods.length === 2,
    );
  });

  it('stays up when the new pods are not ready, and says when it gave up', async () => {
    isBroken = true;
    const broken = deployment('stuck', 3, { maxSurge: 1, maxUnavailable: 0 });
    broken.spec!.progressDeadlineSeconds = 2;
    await cluster.client.create(RESOURCES.deployments, broken);
    await rolledOut('stuck');
    await setImage('stuck', 'x:bad');
    const given = await until(
      () => get('stuck'),
      (d) => d.status?.conditions?.some((c) => c.reason === 'ProgressDeadlineExceeded') ?? false,
    );
    const progressing = given.status?.conditions?.find((c) => c.type === 'Progressing');
    expect(progressing?.status).toBe('False');
    expect(progressing?.message).toMatch(/^ReplicaSet "stuck-\w+" has timed out progressing\.$/);
    expect(given.status?.availableReplicas).toBe(3);
    expect(given.status?.unavailableReplicas).toBe(1);
    await setImage('stuck', 'x:1');
    await rolledOut('stuck');
  });

  it('pauses and resumes', async () => {
    await cluster.client.create(RESOURCES.deployments, deployment('paused', 1));
    await rolledOut('paused');
    await cluster.client.patch(RESOURCES.deployments, { name: 'paused', namespace: 'default' }, 'merge', {
      spec: { paused: true },
    });
    await until(
      () => get('paused'),
      (d) => d.status?.conditions?.some((c) => c.reason === 'DeploymentPaused') ?? false,
    );
    await setImage('paused', 'x:2');
    await until(
      () => get('paused'),
      (d) => d.status?.observedGeneration === d.metadata?.generation,
    );
    expect(await setsOf('paused')).toHaveLength(1);
    await cluster.client.patch(RESOURCES.deployments, { name: 'paused', namespace: 'default' }, 'merge', {
      spec: { paused: null },
    });
    await rolledOut('paused');
    expect(await setsOf('paused')).toHaveLength(2);
  });

  it('recreates: no new pod before the last old one is gone', async () => {
    const object = deployment('again', 2);
    object.spec!.strategy = { type: 'Recreate' };
    await cluster.client.create(RESOURCES.deployments, object);
    await rolledOut('again');
    const images: string[][] = [];
    const abort = new AbortController();
    const live = new Map<string, string>();
    const watching = (async () => {
      for await (const { type, object: pod } of cluster.client.watch<Pod>(RESOURCES.pods, {
        labelSelector: 'app=again',
        signal: abort.signal,
      })) {
        const uid = pod.metadata?.uid ?? '';
        if (type === 'DELETED') live.delete(uid);
        else live.set(uid, pod.spec?.containers[0]?.image ?? '');
        images.push([...new Set(live.values())]);
      }
    })();
    await until(
      async () => live.size,
      (size) => size === 2,
    );
    await setImage('again', 'x:2');
    await rolledOut('again');
    abort.abort();
    await watching;
    expect(images.every((seen) => seen.length <= 1)).toBe(true);
  });

  it('keeps only so many old replica sets', async () => {
    const object = deployment('history', 1);
    object.spec!.revisionHistoryLimit = 2;
    await cluster.client.create(RESOURCES.deployments, object);
    for (const image of ['x:1', 'x:2', 'x:3', 'x:4', 'x:5']) {
      await setImage('history', image);
      await rolledOut('history');
    }
    const sets = await until(
      () => setsOf('history'),
      (found) => found.length === 3,
    );
    expect(sets.map((rs) => rs.metadata?.annotations?.['deployment.kubernetes.io/revision']).sort()).toEqual([
      '3',
      '4',
      '5',
    ]);
  });

  it('adopts orphans, lets go of what does not match any more, and replaces it', async () => {
    await cluster.client.create(RESOURCES.deployments, deployment('adopt', 2));
    await rolledOut('adopt');
    const [pod] = await podsOf('adopt');
    const name = pod?.metadata?.name ?? '';
    await cluster.client.patch(RESOURCES.pods, { name, namespace: 'default' }, 'merge', {
      metadata: { labels: { app: 'other' } },
    });
    const freed = await until(
      () => cluster.client.get<Pod>(RESOURCES.pods, name, 'default'),
      (p) => (p.metadata?.ownerReferences ?? []).length === 0,
    );
    expect(freed.metadata?.deletionTimestamp).toBeUndefined();
    await until(
      () => podsOf('adopt'),
      (pods) => pods.length === 2,
    );
    await cluster.client.patch(RESOURCES.pods, { name, namespace: 'default' }, 'merge', {
      metadata: { labels: { app: 'adopt' } },
    });
    await until(
      () => podsOf('adopt'),
      (pods) => pods.length === 2 && pods.every((p) => p.metadata?.ownerReferences?.length === 1),
    );
  });

  it('goes with all it owns', async () => {
    await cluster.client.create(RESOURCES.deployments, deployment('gone', 3));
    await rolledOut('gone');
    await cluster.client.delete(
      RESOURCES.deployments,
      { name: 'gone', namespace: 'default' },
      { propagationPolicy: 'Background' },
    );
    await until(
      () => setsOf('gone'),
      (sets) => sets.length === 0,
    );
    await until(
      () => podsOf('gone'),
      (pods) => pods.length === 0,
    );
  });

  it('goes last when it is deleted in the foreground', async () => {
    await cluster.client.create(RESOURCES.deployments, deployment('fore', 2));
    await rolledOut('fore');
    await cluster.client.delete(
      RESOURCES.deployments,
      { name: 'fore', namespace: 'default' },
      { propagationPolicy: 'Foreground' },
    );
    await until(
      () =>
        get('fore').then(
          () => false,
          () => true,
        ),
      Boolean,
    );
    expect(await setsOf('fore')).toEqual([]);
    expect(await podsOf('fore')).toEqual([]);
  });

  it('leaves its replica set when it is deleted with orphans', async () => {
    await cluster.client.create(RESOURCES.deployments, deployment('leave', 2));
    await rolledOut('leave');
    await cluster.client.delete(
      RESOURCES.deployments,
      { name: 'leave', namespace: 'default' },
      { propagationPolicy: 'Orphan' },
    );
    await until(
      () =>
        get('leave').then(
          () => false,
          () => true,
        ),
      Boolean,
    );
    const [rs] = await setsOf('leave');
    expect(rs?.metadata?.ownerReferences ?? []).toEqual([]);
    expect(await podsOf('leave')).toHaveLength(2);
  });
});

function service(name: string): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { selector: { app: name }, ports: [{ port: 80 }] },
  };
}
