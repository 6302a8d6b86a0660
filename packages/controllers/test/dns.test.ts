import { promises as dns } from 'node:dns';
import { RESOURCES } from '@kind-e2e/kube-client';
import type { Service } from 'kubernetes-types/core/v1.d.ts';
import type { EndpointSlice } from 'kubernetes-types/discovery/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from './cluster.ts';
import { until } from './objects.ts';

let cluster: TestCluster;
let resolver: dns.Resolver;
beforeAll(async () => {
  cluster = await startTestCluster({
    dns: {
      // In the range of service addresses, as the cluster's own DNS is.
      address: '127.11.0.10',
      port: 0,
      upstream: {
        resolve: async (name) => {
          if (name !== 'outside.example') throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
          return [{ address: '192.0.2.7', ttl: 30 }];
        },
      },
    },
  });
  resolver = new dns.Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers([`${cluster.controllers.dns?.address}:${cluster.controllers.dns?.port}`]);
});
afterAll(() => cluster[Symbol.asyncDispose]());

const service = (name: string, spec: Service['spec']): Promise<Service> =>
  cluster.client.create<Service>(RESOURCES.services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    ...(spec ? { spec } : {}),
  });
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'answered',
    (error: { code: string }) => error.code,
  );
const answers = (read: () => Promise<unknown>): Promise<unknown> =>
  until(
    () => read().catch(() => undefined),
    (found) => found !== undefined,
  );

describe('cluster DNS', () => {
  it('answers for a service with an address', async () => {
    const { spec } = await service('web', { selector: { app: 'web' }, ports: [{ name: 'http', port: 80 }] });
    const name = 'web.default.svc.cluster.local';
    expect(await answers(() => resolver.resolve4(name))).toEqual([spec?.clusterIP]);
    expect(await resolver.resolve4('WEB.default.svc.Cluster.Local')).toEqual([spec?.clusterIP]);
    expect(await resolver.resolveSrv(`_http._tcp.${name}`)).toMatchObject([
      { name, port: 80, priority: 0, weight: 100 },
    ]);
    expect(await resolver.reverse(spec?.clusterIP ?? '')).toEqual([name]);
    expect(await codeOf(resolver.resolve6(name))).toBe('ENODATA');
  });

  it('answers for the pods of a headless service, by name too', async () => {
    await service('db', { clusterIP: 'None', selector: { app: 'db' }, ports: [{ name: 'sql', port: 5432 }] });
    await cluster.client.create(RESOURCES.statefulsets, {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db', namespace: 'default' },
      spec: {
        replicas: 2,
        serviceName: 'db',
        selector: { matchLabels: { app: 'db' } },
        template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'a', image: 'x:1' }] } },
      },
    } as never);
    const all = (await until(
      () => resolver.resolve4('db.default.svc.cluster.local').catch(() => []),
      (found) => found.length === 2,
    )) as string[];
    const [first] = await resolver.resolve4('db-0.db.default.svc.cluster.local');
    expect(all).toContain(first);
    const srv = await resolver.resolveSrv('_sql._tcp.db.default.svc.cluster.local');
    expect(srv.map((entry) => entry.name).sort()).toEqual([
      'db-0.db.default.svc.cluster.local',
      'db-1.db.default.svc.cluster.local',
    ]);
    expect(await codeOf(resolver.resolve4('db-9.db.default.svc.cluster.local'))).toBe('ENOTFOUND');
  });

  it('gives an external name as an alias', async () => {
    await service('ext', { type: 'ExternalName', externalName: 'outside.example' });
    expect(await answers(() => resolver.resolveCname('ext.default.svc.cluster.local'))).toEqual(['outside.example']);
    expect(await resolver.resolve4('ext.default.svc.cluster.local')).toEqual(['192.0.2.7']);
  });

  it('knows addresses of pods, and what does not exist', async () => {
    expect(await resolver.resolve4('127-8-0-5.default.pod.cluster.local')).toEqual(['127.8.0.5']);
    expect(await codeOf(resolver.resolve4('none.default.svc.cluster.local'))).toBe('ENOTFOUND');
    expect(await codeOf(resolver.resolve4('web.none.svc.cluster.local'))).toBe('ENOTFOUND');
    expect(await codeOf(resolver.resolve4('what.cluster.local'))).toBe('ENOTFOUND');
  });

  it('is a service itself', async () => {
    expect(await answers(() => resolver.resolve4('kube-dns.kube-system.svc.cluster.local'))).toEqual(['127.11.0.10']);
    const slices = await until(
      async () =>
        (
          await cluster.client.list<EndpointSlice>(RESOURCES.endpointslices, {
            namespace: 'kube-system',
            labelSelector: 'kubernetes.io/service-name=kube-dns',
          })
        ).items,
      (found) => found.length === 1,
    );
    expect(slices[0]?.endpoints?.[0]?.addresses).toEqual(['127.11.0.10']);
  });

  it('asks others for other names', async () => {
    expect(await resolver.resolve4('outside.example')).toEqual(['192.0.2.7']);
    expect(await codeOf(resolver.resolve4('nowhere.example'))).toBe('ENOTFOUND');
    expect(await codeOf(resolver.resolveMx('outside.example'))).toBe('EREFUSED');
  });
});
