/** Webhooks of admission: asked, believed, and missed where they do not answer. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '@kind-e2e/pki';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Answer, startServer, type TestServer } from './harness.ts';

type Json = Record<string, unknown>;
interface Review {
  readonly kind: string;
  readonly apiVersion: string;
  readonly request: Json & { readonly uid: string; readonly object: Json | null; readonly oldObject: Json | null };
}
type Hook = (review: Review, path: string) => Json | string | undefined;

const GROUP = '/apis/admissionregistration.k8s.io/v1';
const MAPS = '/api/v1/namespaces/default/configmaps';
const MAP_RULE = {
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  resources: ['configmaps'],
};

const authority = createAuthority({ commonName: 'hooks' });
const stranger = createAuthority({ commonName: 'somebody else' });
const caBundle = Buffer.from(authority.certPem).toString('base64');
let server: TestServer;
let hooks: Server;
let port: number;
let hook: Hook = () => ({ allowed: true });
const seen: Review[] = [];

beforeAll(async () => {
  server = await startServer();
  const issued = authority.issue({
    subject: { commonName: 'hook' },
    altNames: { dnsNames: ['hook.default.svc', 'localhost'], ipAddresses: ['127.0.0.1'] },
    use: 'server',
  });
  hooks = createServer({ cert: issued.certPem, key: issued.keyPem });
  hooks.on('request', (request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => {
      const review = JSON.parse(text) as Review;
      seen.push(review);
      const answer = hook(review, request.url ?? '');
      if (answer === undefined) return;
      if (typeof answer === 'string') {
        response.statusCode = 500;
        response.end(answer);
        return;
      }
      const { kind, apiVersion, request: asked } = review;
      response.end(JSON.stringify({ kind, apiVersion, response: { uid: asked.uid, ...answer } }));
    });
  });
  await new Promise<void>((resolve) => hooks.listen(0, '0.0.0.0', resolve));
  ({ port } = hooks.address() as AddressInfo);
});
afterEach(async () => {
  for (const plural of ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'])
    await server.ask('DELETE', `${GROUP}/${plural}`);
  hook = () => ({ allowed: true });
  seen.length = 0;
});
afterAll(async () => {
  hooks.closeAllConnections();
  hooks.close();
  await server[Symbol.asyncDispose]();
});

const messageOf = (answer: Answer): string => (answer.body as { message?: string }).message ?? String(answer.status);
const map = (name: string, data: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});
const patchOf = (operations: unknown): Json => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});

async function configure(kind: 'Validating' | 'Mutating', webhooks: readonly Json[], name = 'c'): Promise<void> {
  const answer = await server.ask('POST', `${GROUP}/${kind.toLowerCase()}webhookconfigurations`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name },
    webhooks: webhooks.map((webhook) => ({
      name: 'hook.example.com',
      clientConfig: { url: `https://127.0.0.1:${port}/check`, caBundle },
      rules: [MAP_RULE],
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      ...webhook,
    })),
  });
  expect(answer.status).toBe(201);
}

test('a validating webhook is shown the write and may refuse it', async () => {
  await configure('Validating', [{}]);
  hook = () => ({ allowed: false, warnings: ['mind the gap'], status: { message: 'no maps today', code: 403 } });
  const refused = await server.ask('POST', `${MAPS}?fieldManager=me`, map('refused', { a: 'b' }));
  expect(refused.status).toBe(403);
  expect(refused.body).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'admission webhook "hook.example.com" denied the request: no maps today',
    code: 403,
  });
  expect(refused.headers.warning).toBe('299 - "mind the gap"');
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
      requestResource: { group: '', version: 'v1', resource: 'configmaps' },
      name: 'refused',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'kubernetes-admin', groups: expect.arrayContaining(['system:masters']) },
      object: {
        kind: 'ConfigMap',
        apiVersion: 'v1',
        metadata: { name: 'refused', uid: expect.any(String) },
        data: { a: 'b' },
      },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'me' },
    },
  });
});

test('words of refusals', async () => {
  await configure('Validating', [{}]);
  const denied = 'admission webhook "hook.example.com" denied the request';
  hook = () => ({ allowed: false });
  expect(await server.ask('POST', MAPS, map('x'))).toMatchObject({
    status: 400,
    body: { message: `${denied} without explanation`, status: 'Failure', code: 400 },
  });
  hook = () => ({ allowed: false, status: { reason: 'Forbidden' } });
  expect(await server.ask('POST', MAPS, map('x'))).toMatchObject({ body: { message: `${denied}: Forbidden` } });
});

test('updates and deletions are shown with what was there', async () => {
  await server.ask('POST', MAPS, map('old', { v: '1' }));
  await configure('Validating', [{}]);
  await server.ask('PATCH', `${MAPS}/old`, { data: { v: '2' } }, { 'content-type': 'application/merge-patch+json' });
  expect(seen.at(-1)?.request).toMatchObject({
    operation: 'UPDATE',
    object: { data: { v: '2' } },
    oldObject: { data: { v: '1' } },
    options: { kind: 'UpdateOptions' },
  });
  hook = () => ({ allowed: false, status: { message: 'kept' } });
  expect(messageOf(await server.ask('DELETE', `${MAPS}/old`))).toBe(
    'admission webhook "hook.example.com" denied the request: kept',
  );
  expect(seen.at(-1)?.request).toMatchObject({ operation: 'DELETE', object: null, oldObject: { data: { v: '2' } } });
});

test('a mutating webhook changes the object, and sees it before it has a name', async () => {
  await configure('Mutating', [{}]);
  hook = () => patchOf([{ op: 'add', path: '/metadata/labels', value: { touched: 'yes' } }]);
  const made = await server.ask('POST', MAPS, { ...map(''), metadata: { generateName: 'gen-' } });
  expect(made).toMatchObject({ status: 201, body: { metadata: { labels: { touched: 'yes' } } } });
  const { request } = seen[0] as Review;
  expect(request.name).toBeUndefined();
  expect(request.object?.metadata).toEqual(expect.not.objectContaining({ uid: expect.anything() }));
  hook = () => patchOf([{ op: 'remove', path: '/metadata/nothing' }]);
  expect(messageOf(await server.ask('POST', MAPS, map('broken')))).toMatch(/^Internal error occurred: /);
  hook = () => ({ allowed: true, patch: 'W10=' });
  expect(messageOf(await server.ask('POST', MAPS, map('broken')))).toBe(
    'Internal error occurred: failed calling webhook "hook.example.com": received invalid webhook response: webhook returned response.patch but not response.patchType',
  );
});

test('webhooks that may be asked again see what later ones changed', async () => {
  const url = (path: string): Json => ({ url: `https://127.0.0.1:${port}${path}`, caBundle });
  await configure('Mutating', [
    { name: 'first.example.com', clientConfig: url('/first'), reinvocationPolicy: 'IfNeeded' },
    { name: 'second.example.com', clientConfig: url('/second') },
  ]);
  const asked: string[] = [];
  hook = ({ request }, path) => {
    asked.push(path);
    const data = (request.object as { data?: Json }).data ?? {};
    if (path.startsWith('/second')) return patchOf([{ op: 'add', path: '/data/second', value: 'yes' }]);
    return patchOf([{ op: 'add', path: '/data/saw', value: data.second === undefined ? 'nothing' : 'second' }]);
  };
  const made = await server.ask('POST', MAPS, map('again', { a: '1' }));
  expect(made.body).toMatchObject({ data: { a: '1', saw: 'second', second: 'yes' } });
  expect(asked).toEqual(['/first?timeout=10s', '/second?timeout=10s', '/first?timeout=10s']);
});

test.each<[string, Json, Hook | undefined, (at: number) => string]>([
  [
    'nobody listens',
    { clientConfig: { url: 'https://127.0.0.1:1/x', caBundle }, timeoutSeconds: 5 },
    undefined,
    () =>
      'failed to call webhook: Post "https://127.0.0.1:1/x?timeout=5s": dial tcp 127.0.0.1:1: connect: connection refused',
  ],
  [
    'a service is not there',
    { clientConfig: { service: { name: 'nobody', namespace: 'default', path: '/p' }, caBundle } },
    undefined,
    () => 'failed to call webhook: Post "https://nobody.default.svc:443/p?timeout=10s": service "nobody" not found',
  ],
  [
    'it takes too long',
    { timeoutSeconds: 1 },
    () => undefined,
    (at) => `failed to call webhook: Post "https://127.0.0.1:${at}/check?timeout=1s": context deadline exceeded`,
  ],
  [
    'it answers with an error',
    {},
    () => 'out of order',
    () => 'failed to call webhook: an error on the server ("out of order") has prevented the request from succeeding',
  ],
  [
    'it answers another question',
    {},
    () => ({ uid: 'other', allowed: true }),
    () => 'received invalid webhook response: expected response.uid=',
  ],
])('refuses a write where %s, unless failures are ignored', async (_name, webhook, answers, says) => {
  await configure('Validating', [webhook]);
  if (answers) hook = answers;
  const answer = await server.ask('POST', MAPS, map('failed'));
  expect(answer.status).toBe(500);
  expect(messageOf(answer)).toContain(
    `Internal error occurred: failed calling webhook "hook.example.com": ${says(port)}`,
  );
  await server.ask('DELETE', `${GROUP}/validatingwebhookconfigurations/c`);
  await configure('Validating', [{ ...webhook, failurePolicy: 'Ignore' }]);
  expect((await server.ask('POST', MAPS, map('ignored'))).status).toBe(201);
  await server.ask('DELETE', `${MAPS}/ignored`);
});

test('certificates of strangers are not believed', async () => {
  const bundle = Buffer.from(stranger.certPem).toString('base64');
  await configure('Validating', [{ clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: bundle } }]);
  expect(messageOf(await server.ask('POST', MAPS, map('strange')))).toBe(
    `Internal error occurred: failed calling webhook "hook.example.com": failed to call webhook: Post "https://127.0.0.1:${port}/?timeout=10s": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
  );
});

test('a service is asked at its address, as who it is', async () => {
  const service = (await server.ask('POST', '/api/v1/namespaces/default/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'hook' },
    spec: { ports: [{ port }] },
  })) as { body: { spec: { clusterIP: string } } };
  expect(service.body.spec.clusterIP).toMatch(/^127\./);
  await configure('Validating', [
    { clientConfig: { service: { name: 'hook', namespace: 'default', path: '/in', port }, caBundle } },
  ]);
  let path = '';
  hook = (_review, at) => {
    path = at;
    return { allowed: true };
  };
  expect((await server.ask('POST', MAPS, map('by-service'))).status).toBe(201);
  expect(path).toBe('/in?timeout=10s');
});

test('only those are asked who are concerned', async () => {
  await configure('Validating', [
    { name: 'rule.example.com', rules: [{ ...MAP_RULE, operations: ['DELETE'] }] },
    { name: 'space.example.com', namespaceSelector: { matchLabels: { team: 'x' } } },
    { name: 'object.example.com', objectSelector: { matchLabels: { team: 'x' } } },
    { name: 'cel.example.com', matchConditions: [{ name: 'never', expression: 'object.metadata.name == "other"' }] },
  ]);
  expect((await server.ask('POST', MAPS, map('unconcerned'))).status).toBe(201);
  expect(seen).toEqual([]);
  expect((await server.ask('POST', MAPS, map('other'))).status).toBe(201);
  expect(seen).toHaveLength(1);
});

test('what is only tried is shown as that', async () => {
  await configure('Validating', [{}]);
  expect((await server.ask('POST', `${MAPS}?dryRun=All`, map('tried'))).status).toBe(201);
  expect(seen[0]?.request).toMatchObject({ dryRun: true, options: { dryRun: ['All'] } });
});

test('a patch that overtook another while a webhook was asked is lost by neither', async () => {
  await server.ask('POST', MAPS, map('race', { a: '0' }));
  await configure('Validating', [{ matchConditions: [{ name: 'slow', expression: "'slow' in object.data" }] }]);
  let overtake: Promise<unknown> | undefined;
  const headers = { 'content-type': 'application/merge-patch+json' };
  hook = () => {
    overtake ??= server.ask('PATCH', `${MAPS}/race`, { data: { fast: '1' } }, headers);
    void overtake.then(() => undefined);
    return { allowed: true };
  };
  const slow = await server.ask('PATCH', `${MAPS}/race`, { data: { slow: '1' } }, headers);
  await overtake;
  expect(slow.status).toBe(200);
  expect((await server.ask('GET', `${MAPS}/race`)).body).toMatchObject({ data: { a: '0', fast: '1', slow: '1' } });
});
