/** ValidatingAdmissionPolicies: refused where they are wrong, enforced where they are bound. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, startServer, type TestServer } from './harness.ts';

type Json = Record<string, unknown>;
const GROUP = '/apis/admissionregistration.k8s.io/v1';
const MAPS = '/api/v1/namespaces/default/configmaps';

const policy = (name: string, spec: Json): Json => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name },
  spec: {
    matchConstraints: {
      resourceRules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE', 'DELETE'], resources: ['configmaps'] },
      ],
    },
    ...spec,
  },
});
const binding = (name: string, policyName: string, spec: Json = {}): Json => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name },
  spec: { policyName, validationActions: ['Deny'], ...spec },
});
const map = (name: string, data: Json): Json => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const post = (path: string, body: Json): Promise<Answer> => server.ask('POST', path, body);
const messageOf = (answer: Answer): string => (answer.body as { message?: string }).message ?? String(answer.status);

test.each<[string, Json, string]>([
  [
    'an expression that cannot be read',
    policy('p', { validations: [{ expression: '1 +' }] }),
    `spec.validations[0].expression: Invalid value: "1 +": compilation failed: ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting`,
  ],
  [
    'an expression that is no bool',
    policy('p', { validations: [{ expression: "'a'" }] }),
    'spec.validations[0].expression: Invalid value: "\'a\'": must evaluate to bool',
  ],
  [
    'no validations',
    policy('p', {}),
    'spec.validations: Required value: validations or auditAnnotations must be non-empty',
  ],
  [
    'parameters, which this lab does not have',
    policy('p', { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, validations: [{ expression: 'true' }] }),
    'spec.paramKind: Forbidden: policies with parameters are not supported by kind-e2e',
  ],
])('refuses %s', async (_name, body, says) => {
  const answer = await post(`${GROUP}/validatingadmissionpolicies`, body);
  expect(answer.status).toBe(422);
  expect(messageOf(answer)).toContain(says);
});

test('refuses a webhook with a short name and no client', async () => {
  const answer = await post(`${GROUP}/validatingwebhookconfigurations`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'w' },
    webhooks: [{ name: 'a.b', clientConfig: {}, sideEffects: 'None', admissionReviewVersions: ['v1'] }],
  });
  for (const part of [
    'webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots',
    'webhooks[0].clientConfig: Required value: exactly one of url or service is required',
  ])
    expect(messageOf(answer)).toContain(part);
});

test('a bound policy denies, warns and lets pass', async () => {
  const limits = policy('limits', {
    matchConditions: [{ name: 'not-exempt', expression: "!object.metadata.name.startsWith('free-')" }],
    variables: [{ name: 'keys', expression: 'object.?data.orValue({}).size()' }],
    validations: [
      { expression: 'variables.keys < 3', messageExpression: "'%d keys are too many'.format([variables.keys])" },
      { expression: "request.operation != 'UPDATE' || object.data.a == oldObject.data.a", reason: 'Forbidden' },
    ],
  });
  expect((await post(`${GROUP}/validatingadmissionpolicies`, limits)).status).toBe(201);
  const full = { a: '1', b: '2', c: '3' };
  expect((await post(MAPS, map('unbound', full))).status).toBe(201);
  expect((await post(`${GROUP}/validatingadmissionpolicybindings`, binding('all', 'limits'))).status).toBe(201);

  const denied = await post(MAPS, map('x', full));
  expect(denied.status).toBe(422);
  expect(denied.body).toMatchObject({
    reason: 'Invalid',
    message:
      "configmaps \"x\" is forbidden: ValidatingAdmissionPolicy 'limits' with binding 'all' denied request: 3 keys are too many",
  });
  expect((await post(MAPS, map('free-x', full))).status).toBe(201);
  expect((await post(MAPS, map('y', { a: '1' }))).status).toBe(201);
  const changed = await server.ask('PUT', `${MAPS}/y`, map('y', { a: '2' }));
  expect(changed.status).toBe(403);
  expect(messageOf(changed)).toContain('failed expression: request.operation != ');

  await server.ask('DELETE', `${GROUP}/validatingadmissionpolicybindings/all`);
  await post(`${GROUP}/validatingadmissionpolicybindings`, binding('soft', 'limits', { validationActions: ['Warn'] }));
  const warned = await post(MAPS, map('z', full));
  expect(warned.status).toBe(201);
  expect(warned.headers.warning).toContain(
    "Validation failed for ValidatingAdmissionPolicy 'limits' with binding 'soft': 3 keys are too many",
  );
});

test('an expression that fails is a refusal, unless the policy ignores failures', async () => {
  const broken = (name: string, more: Json): Json =>
    policy(name, {
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['secrets'] }],
      },
      validations: [{ expression: "object.data.none == 'x'" }],
      ...more,
    });
  const secret = (name: string): Json => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: {} });
  await post(`${GROUP}/validatingadmissionpolicies`, broken('broken', {}));
  await post(`${GROUP}/validatingadmissionpolicybindings`, binding('broken', 'broken'));
  expect(messageOf(await post('/api/v1/namespaces/default/secrets', secret('s')))).toContain(
    "expression 'object.data.none == 'x'' resulted in error: no such key: ",
  );
  await server.ask(
    'PATCH',
    `${GROUP}/validatingadmissionpolicies/broken`,
    { spec: { failurePolicy: 'Ignore' } },
    { 'content-type': 'application/merge-patch+json' },
  );
  expect((await post('/api/v1/namespaces/default/secrets', secret('s'))).status).toBe(201);
});
