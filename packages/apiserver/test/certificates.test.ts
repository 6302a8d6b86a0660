/** Certificate signing requests: whose they are, what is refused, who decides. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, startServer, type TestServer } from './harness.ts';

type Json = Record<string, unknown>;
const REQUESTS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const REQUEST = Buffer.from('-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n').toString(
  'base64',
);

/** `openssl req -new -subj /O=system:masters/CN=eve`. */
const ADMIN_REQUEST =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIak1JR0pBZ0VBTUNjeEZ6QVZCZ05WQkFvTURuTjVjM1JsYlRwdFlYTjBaWEp6TVF3d0NnWURWUVFEREFObApkbVV3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVJ2NXVsRVV0eW1QMTdCMk83RXg5aDZ6SXJGCmpWeXU5cHE5N2x4NnU4bWpsNUl5aVcwQjNhbndKbUl0K0dkMXNOUlhreXVHeGRiUjJzcU50RnRkV1IrSm9BQXcKQ2dZSUtvWkl6ajBFQXdJRFNRQXdSZ0loQU5UWTk1c3hGY0lTY1R0SWMxdVhPZGNCVVhXT0VLVEZWd1UzSWlQOQpYaHdVQWlFQXFiVFdXZWlJMEt1UURiTkV6UGJrYXMweXlKUHY0TjVYL0Yrejk2T3VJRzQ9Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=';

const csr = (name: string, spec: Json = {}): Json => ({
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: { name },
  spec: { request: REQUEST, signerName: 'example.com/me', usages: ['client auth'], ...spec },
});

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const messageOf = (answer: Answer): string => (answer.body as { message?: string }).message ?? String(answer.status);

test.each<[string, Json, string]>([
  ['no signer', { signerName: '' }, 'spec.signerName: Required value'],
  [
    'the signer of old',
    { signerName: 'kubernetes.io/legacy-unknown' },
    'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
  ],
  ['no usages', { usages: [] }, 'spec.usages: Required value'],
  ['a usage twice', { usages: ['any', 'any'] }, 'spec.usages[1]: Duplicate value: "any"'],
  [
    'a short life',
    { expirationSeconds: 5 },
    'spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 600 seconds (10 minutes)',
  ],
  ['no request', { request: 'eA==' }, 'PEM block type must be CERTIFICATE REQUEST'],
])('refuses %s', async (_name, spec, says) => {
  const answer = await server.ask('POST', REQUESTS, csr('x', spec));
  expect(answer.status).toBe(422);
  expect(messageOf(answer)).toContain(says);
});

test('refuses certificates of administrators', async () => {
  const spec = { request: ADMIN_REQUEST, signerName: 'kubernetes.io/kube-apiserver-client' };
  const answer = await server.ask('POST', REQUESTS, csr('eve', spec));
  expect(answer.status).toBe(403);
  expect(messageOf(answer)).toBe(
    'certificatesigningrequests.certificates.k8s.io "eve" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
  );
  const other = csr('eve', { ...spec, signerName: 'example.com/me' });
  expect((await server.ask('POST', `${REQUESTS}?dryRun=All`, other)).status).toBe(201);
});

test('says who asked, and is approved by the approval alone', async () => {
  const made = await server.ask('POST', REQUESTS, csr('mine', { username: 'somebody', groups: ['else'] }));
  expect(made.body).toMatchObject({
    spec: { username: 'kubernetes-admin', groups: expect.arrayContaining(['system:masters']) },
    status: {},
  });
  const object = made.body as Json;
  const approved = {
    ...object,
    spec: { ...(object.spec as Json), signerName: 'example.com/other' },
    status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Mine', message: 'ok' }] },
  };
  const asStatus = await server.ask('PUT', `${REQUESTS}/mine/status`, approved);
  expect(messageOf(asStatus)).toContain(
    'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
  );
  const decided = await server.ask('PUT', `${REQUESTS}/mine/approval`, approved);
  expect(decided).toMatchObject({
    status: 200,
    body: {
      spec: { signerName: 'example.com/me' },
      status: {
        conditions: [{ type: 'Approved', lastUpdateTime: expect.any(String), lastTransitionTime: expect.any(String) }],
      },
    },
  });
  const both = { ...(decided.body as Json), status: { conditions: [{ type: 'Denied', status: 'True' }] } };
  expect(messageOf(await server.ask('PUT', `${REQUESTS}/mine/approval`, both))).toContain(
    'updates may not remove a condition of type "Approved"',
  );
  const table = await server.ask('GET', REQUESTS, undefined, {
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  });
  const [row] = (table.body as { rows: { cells: unknown[] }[] }).rows;
  expect(row?.cells.filter((_cell, index) => index !== 1)).toEqual([
    'mine',
    'example.com/me',
    'kubernetes-admin',
    '<none>',
    'Approved',
  ]);
});

test('an autoscaler prints alike in each of its versions', async () => {
  const path = (version: string): string => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;
  await server.ask('POST', path('v1'), {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'h' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
      maxReplicas: 3,
      targetCPUUtilizationPercentage: 60,
    },
  });
  const cells = async (version: string): Promise<unknown[] | undefined> => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const table = await server.ask('GET', path(version), undefined, { accept });
    return (table.body as { rows: { cells: unknown[] }[] }).rows[0]?.cells.slice(0, 6);
  };
  expect(await cells('v1')).toEqual(['h', 'Deployment/d', 'cpu: <unknown>/60%', '1', 3, 0]);
  expect(await cells('v1')).toEqual(await cells('v2'));
});
