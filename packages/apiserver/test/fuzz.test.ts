import { connect } from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, startServer, type TestServer } from './harness.ts';

/** `FUZZ_CASES=10000` for the long run. */
const CASES = Number(process.env.FUZZ_CASES ?? 500);

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await server.ask('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
  await server.ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.fuzz.example.com' },
    spec: {
      group: 'fuzz.example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {}, scale: { specReplicasPath: '.spec.n', statusReplicasPath: '.status.n' } },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: { type: 'object', properties: { n: { type: 'integer' } } } },
            },
          },
        },
      ],
    },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const COLLECTIONS = [
  '/api/v1/namespaces/default/configmaps',
  '/api/v1/namespaces/default/pods',
  '/api/v1/namespaces/default/services',
  '/api/v1/namespaces/default/secrets',
  '/api/v1/namespaces',
  '/api/v1/nodes',
  '/apis/apps/v1/namespaces/default/deployments',
  '/apis/apps/v1/namespaces/default/statefulsets',
  '/apis/batch/v1/namespaces/default/jobs',
  '/apis/batch/v1/namespaces/default/cronjobs',
  '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers',
  '/apis/policy/v1/namespaces/default/poddisruptionbudgets',
  '/apis/networking.k8s.io/v1/namespaces/default/ingresses',
  '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  '/apis/fuzz.example.com/v1/namespaces/default/widgets',
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
  '/apis/authentication.k8s.io/v1/tokenreviews',
  '/apis/events.k8s.io/v1/namespaces/default/events',
];
const SUFFIXES = [
  '',
  '/x',
  '/x/status',
  '/x/scale',
  '/x/log',
  '/x/exec',
  '/x/eviction',
  '/x/binding',
  '/x/finalize',
  '/x/token',
  '/x/ephemeralcontainers',
  '/x/proxy/a',
  '/%zz',
  '/%00',
  '/..',
  '/x/y/z',
];
const TYPES = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'text/csv',
  '',
];

const key = fc.constantFrom(
  'metadata',
  'spec',
  'status',
  'template',
  'containers',
  'name',
  'namespace',
  'labels',
  'annotations',
  'finalizers',
  'ports',
  'port',
  'selector',
  'matchLabels',
  'replicas',
  'data',
  'rules',
  'kind',
  'apiVersion',
  '$patch',
  '$setElementOrder/containers',
  '__proto__',
  'constructor',
  'managedFields',
  'ownerReferences',
  'resources',
  'limits',
  'cpu',
  'versions',
  'schema',
  'openAPIV3Schema',
  'names',
  'group',
);
const { node } = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.constantFrom('x', '1Gi', '-1', 'default', 'v1', 'Pod'),
    ),
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(key, tie('node'), { maxKeys: 5 }),
  ),
}));
const object = fc.record(
  {
    apiVersion: fc.oneof(fc.constant('v1'), fc.constant('apps/v1'), fc.string()),
    kind: fc.oneof(fc.constantFrom('Pod', 'Deployment', 'Widget'), fc.string()),
    metadata: fc.oneof(
      fc.record(
        {
          name: fc.constantFrom('x', 'X_', ''),
          labels: node,
          finalizers: node,
          managedFields: node,
          ownerReferences: node,
        },
        { requiredKeys: [] },
      ),
      node,
    ),
    spec: fc.dictionary(key, node, { maxKeys: 6 }),
    status: node,
    data: node,
  },
  { requiredKeys: [] },
);
const jsonPatch = fc.array(
  fc.record(
    {
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'jump'),
      path: fc.oneof(fc.constantFrom('/metadata/labels', '/spec', '/a/b/-', '', '/'), fc.string()),
      from: fc.string(),
      value: node,
    },
    { requiredKeys: ['op'] },
  ),
  { maxLength: 4 },
);
const body = fc.oneof(
  object.map((value) => JSON.stringify(value)),
  node.map((value) => JSON.stringify(value) ?? ''),
  jsonPatch.map((value) => JSON.stringify(value)),
  fc.string(),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([Buffer.from('k8s\0'), Buffer.from(bytes)])),
  fc.constant('['.repeat(20_000)),
  fc.constant('{"a":'.repeat(5_000)),
  fc.constant('a: &a [*a, *a]'),
);
const query = fc.oneof(
  fc.constant(''),
  fc.constantFrom(
    '?watch=1&timeoutSeconds=1&resourceVersion=x',
    '?limit=-1',
    '?limit=zz',
    '?continue=%00',
    '?labelSelector=%3D%3D',
    '?labelSelector=a%20in%20(',
    '?fieldSelector=a%3Db%5C',
    '?dryRun=All',
    '?fieldValidation=Strict',
    '?fieldManager=m&force=true',
    '?resourceVersion=99999999999999999999999',
    '?resourceVersionMatch=Exact&resourceVersion=1',
    '?propagationPolicy=x',
    '?gracePeriodSeconds=z',
    '?pretty=1&%',
    '?sinceSeconds=-1',
  ),
  fc.webQueryParameters().map((text) => `?${text}`),
);
const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'),
  path: fc.tuple(
    fc.constantFrom(...COLLECTIONS, '/apis', '/api', '/openapi/v3', '/'),
    fc.oneof(fc.constantFrom(...SUFFIXES), fc.webPath()),
  ),
  query,
  type: fc.constantFrom(...TYPES),
  accept: fc.constantFrom(
    'application/json',
    '*/*',
    'application/json;as=Table;v=v1;g=meta.k8s.io',
    'text/csv',
    'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
    'application/yaml',
    ';;,',
  ),
  body,
});

test(`${CASES} malformed requests: never a crash, never our fault`, async () => {
  const problems = new Set<string>();
  const existing = ['configmaps', 'secrets'];
  for (const plural of existing)
    await server.ask('POST', `/api/v1/namespaces/default/${plural}`, { metadata: { name: 'x' } });
  await fc.assert(
    fc.asyncProperty(request, async (one) => {
      // Deleting collections of namespaces would take the ground away from the other cases.
      if (one.method === 'DELETE' && one.path[0].includes('customresourcedefinitions')) return;
      const withBody = !['GET', 'HEAD', 'OPTIONS'].includes(one.method);
      let answer: Answer;
      try {
        answer = await server.ask(
          one.method,
          `${one.path.join('')}${one.query}`.replace(/[\s]/g, '%20'),
          withBody ? one.body : undefined,
          {
            accept: one.accept,
            ...(withBody ? { 'content-type': one.type } : {}),
          },
        );
      } catch (error) {
        // The client itself refuses some paths.
        if ((error as NodeJS.ErrnoException).code === 'ERR_UNESCAPED_CHARACTERS') return;
        throw error;
      }
      if (answer.status < 500 || (answer.status === 500 && KNOWN_500.test(answer.text))) return;
      // Nothing is reachable through a proxy here, and nobody waits for revisions of the future.
      if (answer.status === 503 || answer.status === 504) return;
      problems.add(
        `${one.method} ${one.path.join('')}${one.query} [${one.type}] ${String(one.body).slice(0, 400)} → ${answer.text.slice(0, 300)}`,
      );
    }),
    { numRuns: CASES, seed: Number(process.env.FUZZ_SEED ?? 42), endOnFailure: true },
  );
  expect([...problems]).toEqual([]);
  expect((await server.ask('GET', '/readyz')).text).toBe('ok');
}, 600_000);

/** What kube-apiserver answers with 500, too: problems that its libraries report without a status. */
const KNOWN_500 =
  /resourceVersion should not be set on objects to be created|failed to create typed patch object|does not contain declared merge key|but received a|unknown patch type|invalid patch|delete list|unable to find|retainKeys|strconv.ParseUint/;

test('bytes that are no HTTP end the connection, not the server', async () => {
  const { hostname, port } = new URL(server.api.url);
  for (const bytes of [
    '\x00\x01\x02',
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(5_000)}\r\n`,
    'POST /api/v1/namespaces HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nzz',
    'GET /api/v1/namespaces/default/pods/x/exec?command=a&stdin=1 HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: SPDY/3.1\r\n\r\n',
  ]) {
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () =>
        socket.write(bytes),
      );
      socket.on('close', () => resolve());
      socket.on('error', () => resolve());
      socket.on('data', () => socket.end());
      socket.setTimeout(10_000, () => reject(new Error(`the server keeps ${JSON.stringify(bytes.slice(0, 20))} open`)));
    });
  }
  expect((await server.ask('GET', '/readyz')).status).toBe(200);
});
