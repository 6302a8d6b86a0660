import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type TestServer } from './harness.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test('a service account token holds while its account and its pod live', async () => {
  const N = '/api/v1/namespaces/default';
  await server.ask('POST', `${N}/serviceaccounts`, { metadata: { name: 'app' } });
  const pod = await server.ask('POST', `${N}/pods`, {
    metadata: { name: 'p' },
    spec: { serviceAccountName: 'app', containers: [{ name: 'a', image: 'x' }] },
  });
  expect(pod.status).toBe(201);
  const made = await server.ask('POST', `${N}/serviceaccounts/app/token`, {
    spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' } },
  });
  const { token } = (made.body as { status: { token: string } }).status;
  const who = async () => server.ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, bearer(token));
  expect((await who()).body).toMatchObject({
    status: {
      userInfo: {
        username: 'system:serviceaccount:default:app',
        extra: { 'authentication.kubernetes.io/pod-name': ['p'] },
      },
    },
  });
  expect((await server.ask('GET', `${N}/pods`, undefined, bearer(token))).status).toBe(403);
  await server.ask('DELETE', `${N}/pods/p?gracePeriodSeconds=0`);
  expect((await who()).status).toBe(401);
});

test('nobody grants what he has not', async () => {
  const RBAC = '/apis/rbac.authorization.k8s.io/v1';
  await server.ask('POST', `${RBAC}/clusterroles`, {
    metadata: { name: 'role-maker' },
    rules: [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], verbs: ['create'] }],
  });
  await server.ask('POST', `${RBAC}/clusterrolebindings`, {
    metadata: { name: 'role-maker' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'role-maker' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'nobody' }],
  });
  const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }];
  const refused = await server.ask(
    'POST',
    `${RBAC}/clusterroles`,
    { metadata: { name: 'grab' }, rules },
    bearer('nobody-token'),
  );
  expect(refused.status).toBe(403);
  expect(refused.text).toContain('is attempting to grant RBAC permissions not currently held');
  const own = [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], verbs: ['create'] }];
  expect(
    (
      await server.ask(
        'POST',
        `${RBAC}/clusterroles`,
        { metadata: { name: 'same' }, rules: own },
        bearer('nobody-token'),
      )
    ).status,
  ).toBe(201);
});

test("acting as another user needs the right to, and has that user's rights", async () => {
  const asNobody = await server.ask('GET', '/api/v1/nodes', undefined, { 'impersonate-user': 'nobody' });
  expect(asNobody.status).toBe(403);
  const refused = await server.ask('GET', '/api/v1/nodes', undefined, {
    ...bearer('nobody-token'),
    'impersonate-user': 'admin',
  });
  expect(refused.text).toContain('cannot impersonate resource');
});

test('a flood of one user leaves others their answers', async () => {
  let isOpen = true;
  let flooded = 0;
  const flood = Array.from({ length: 60 }, async () => {
    while (isOpen) {
      await server.ask('GET', '/api/v1/namespaces/default/configmaps', undefined, bearer('nobody-token'));
      flooded++;
    }
  });
  for (let i = 0; i < 5; i++) {
    const answer = await server.ask('GET', '/api/v1/namespaces', undefined, bearer('controller-token'));
    expect(answer.status).toBe(200);
  }
  isOpen = false;
  await Promise.all(flood);
  expect(flooded).toBeGreaterThanOrEqual(60);
});

test('versions of a custom resource differ in their name only, and go with their definition', async () => {
  const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const schema = {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec: { type: 'object', properties: { n: { type: 'integer' } } } },
    },
  };
  const made = await server.ask('POST', CRDS, {
    metadata: { name: 'things.two.example.com' },
    spec: {
      group: 'two.example.com',
      scope: 'Cluster',
      names: { plural: 'things', kind: 'Thing' },
      versions: [
        { name: 'v1', served: true, storage: true, schema },
        { name: 'v1beta1', served: true, storage: false, schema },
      ],
    },
  });
  expect(made.status).toBe(201);
  await server.ask('POST', '/apis/two.example.com/v1beta1/things', {
    apiVersion: 'two.example.com/v1beta1',
    kind: 'Thing',
    metadata: { name: 't' },
    spec: { n: 1 },
  });
  for (const version of ['v1', 'v1beta1'])
    expect((await server.ask('GET', `/apis/two.example.com/${version}/things/t`)).body).toMatchObject({
      apiVersion: `two.example.com/${version}`,
      spec: { n: 1 },
    });
  expect((await server.ask('DELETE', `${CRDS}/things.two.example.com`)).status).toBe(200);
  expect((await server.ask('GET', '/apis/two.example.com/v1/things')).status).toBe(404);
  expect((await server.ask('GET', `${CRDS}/things.two.example.com`)).status).toBe(404);
});
