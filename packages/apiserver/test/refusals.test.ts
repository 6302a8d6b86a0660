/** Requests that are refused, each with the words of kube-apiserver 1.36 (upstream sources named in the validators). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type TestServer } from './harness.ts';
import { GROUP_CASES } from './refused-groups.ts';
import { KIND_CASES } from './refused-kinds.ts';
import { POD_ANNOTATION_CASES, POD_CASES } from './refused-pods.ts';
import { PROTOCOL_CASES } from './refused-protocol.ts';
import { APPS, CORE, map, of, template } from './refused-requests.ts';
import { SPEC_CASES } from './refused-specs.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await server.ask('POST', `${CORE}/serviceaccounts`, of('v1', 'ServiceAccount', 'default', {}));
  await server.ask('POST', `${CORE}/configmaps`, map('seed', { a: '1' }));
  await server.ask('POST', `${CORE}/services`, of('v1', 'Service', 'seed', { spec: { ports: [{ port: 80 }] } }));
  await server.ask(
    'POST',
    '/api/v1/persistentvolumes',
    of('v1', 'PersistentVolume', 'seed', {
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/a' } },
    }),
  );
  await server.ask('POST', '/api/v1/nodes', of('v1', 'Node', 'seed', { spec: { podCIDR: '10.1.0.0/24' } }));
  await server.ask(
    'POST',
    `${APPS}/replicasets`,
    of('apps/v1', 'ReplicaSet', 'seed', {
      spec: { replicas: 0, selector: { matchLabels: { a: 'r' } }, template: template({ a: 'r' }) },
    }),
  );
  await server.ask(
    'POST',
    '/apis/scheduling.k8s.io/v1/priorityclasses',
    of('scheduling.k8s.io/v1', 'PriorityClass', 'seed', { value: 1, globalDefault: true }),
  );
  await server.ask(
    'POST',
    '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers',
    of('autoscaling/v2', 'HorizontalPodAutoscaler', 'seed', {
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } },
    }),
  );
  await server.ask(
    'POST',
    `${APPS}/daemonsets`,
    of('apps/v1', 'DaemonSet', 'seed', {
      spec: { selector: { matchLabels: { a: 'd' } }, template: template({ a: 'd' }) },
    }),
  );
});
afterAll(() => server[Symbol.asyncDispose]());

test.each([...PROTOCOL_CASES, ...KIND_CASES, ...GROUP_CASES, ...POD_CASES, ...POD_ANNOTATION_CASES, ...SPEC_CASES])(
  '$name',
  async ({ method = 'POST', path, body, type = 'application/json', accept, status = 422, says }) => {
    const answer = await server.ask(method, path, body, {
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(accept === undefined ? {} : { accept }),
    });
    const message = (answer.body as { message?: string } | undefined)?.message ?? answer.text;
    expect(answer.status, message).toBe(status);
    if (typeof says === 'string') expect(message).toBe(says);
    else for (const part of says) expect(message).toContain(part);
  },
);

test('a name that the server made up is in the error', async () => {
  const answer = await server.ask('POST', `${APPS}/replicasets`, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { generateName: 'gen-' },
  });
  expect((answer.body as { message: string }).message).toMatch(
    /^ReplicaSet\.apps "gen-[bcdfghjklmnpqrstvwxz2456789]{5}" is invalid: /,
  );
});
