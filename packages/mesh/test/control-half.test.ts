import { silentLogger, systemClock } from '@kind-e2e/base';
import { isStatusError, type KubeObject } from '@kind-e2e/kube-api';
import { followSnapshots, type Snapshot } from '@kind-e2e/proxy';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApi, type TestApi } from './api.ts';
import { APP } from './world.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startApi();
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const BACK = 'outbound|8000||business-logic.default.svc.cluster.local';

test('objects in the API become a snapshot that a proxy can follow', async () => {
  await api.apply(`
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: istio-ingressgateway, namespace: istio-system}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: stranger}
`);
  await api.apply(APP);
  await until(() => api.mesh.snapshot?.clusters[BACK]?.endpoints.length === 2, 'a snapshot with the app');
  const token = await api.token('istio-system', 'istio-ingressgateway');
  const stop = new AbortController();
  const seen: Snapshot[] = [];
  const following = (async () => {
    for await (const snapshot of followSnapshots({
      address: `http://127.0.0.1:${api.mesh.port}`,
      token: () => token,
      clock: systemClock,
      logger: silentLogger,
      signal: stop.signal,
    }))
      seen.push(snapshot);
  })().catch(() => {});
  await until(() => seen.length > 0, 'the first snapshot');
  expect(seen[0]?.workloads).toHaveLength(4);
  await api.client.delete(
    api.resource('Pod'),
    { name: 'business-logic-1', namespace: 'default' },
    { gracePeriodSeconds: 30 },
  );
  await until(
    () => seen.at(-1)?.clusters[BACK]?.endpoints.some(({ ready }) => !ready) === true,
    'the deleted pod is not ready',
  );
  stop.abort();
  await following;
});

test('discovery is for service accounts of the root namespace only', async () => {
  const ask = (token?: string) =>
    fetch(
      `http://127.0.0.1:${api.mesh.port}/v1/snapshots`,
      token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
    );
  expect((await ask()).status).toBe(401);
  expect((await ask('garbage')).status).toBe(401);
  expect((await ask(await api.token('default', 'stranger'))).status).toBe(403);
});

test('what the webhook refuses is refused, with its words', async () => {
  await expect(
    api.apply('{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: bad}, spec: {hosts: [a]}}'),
  ).rejects.toSatisfy(
    (error) =>
      isStatusError(error) &&
      error.message ===
        'admission webhook "validation.istio.io" denied the request: configuration is invalid: http, tcp or tls must be provided in virtual service',
  );
});

test('findings are in the status of the objects, and go when they are mended', async () => {
  await api.apply(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: lost}
spec: {hosts: [business-logic], http: [{route: [{destination: {host: nowhere}}]}]}
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: lua}
spec: {configPatches: []}
`);
  type WithStatus = KubeObject & { status?: { validationMessages?: { type: { code: string } }[] } };
  const codes = async (kind: string, name: string) =>
    (await api.client.get<WithStatus>(api.resource(kind), name, 'default')).status?.validationMessages?.map(
      (m) => m.type.code,
    ) ?? [];
  await until(async () => (await codes('VirtualService', 'lost')).includes('IST0101'), 'a message in the status');
  await until(async () => (await codes('EnvoyFilter', 'lua')).includes('KE0001'), 'EnvoyFilter is reported');
  const answer = (await (await fetch(`http://127.0.0.1:${api.mesh.port}/v1/analysis`)).json()) as {
    messages: { code: string }[];
  };
  expect(answer.messages.some(({ code }) => code === 'KE0001')).toBe(true);
  await api.client.patch(api.resource('VirtualService'), { name: 'lost', namespace: 'default' }, 'merge', {
    spec: { http: [{ route: [{ destination: { host: 'business-logic' } }] }] },
  });
  await until(async () => (await codes('VirtualService', 'lost')).length === 0, 'the message is gone');
});

test('pods of a labelled namespace are injected at creation', async () => {
  await api
    .apply(`
apiVersion: v1
kind: Namespace
metadata: {name: injected, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: injected}
`)
    .catch(() => {});
  const pod = await api.client.create<KubeObject & { spec: unknown }>(api.resource('Pod'), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'injected', labels: { app: 'p' } },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  });
  expect(pod.metadata?.annotations?.['sidecar.istio.io/status']).toBeDefined();
  expect(pod.metadata?.labels?.['security.istio.io/tlsMode']).toBe('istio');
});
