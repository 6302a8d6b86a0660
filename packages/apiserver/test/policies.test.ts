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
    'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
  ],
  [
    'parameters of no kind',
    policy('p', { paramKind: { apiVersion: 'a/b/c', kind: 'Config_Map' }, validations: [{ expression: 'true' }] }),
    'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
  ],
  [
    'parameters where there are none',
    policy('p', { validations: [{ expression: 'params.data.a == object.data.a' }] }),
    "undeclared reference to 'params'",
  ],
  [
    'an audit annotation that is no text',
    policy('p', { auditAnnotations: [{ key: 'k', valueExpression: '1' }] }),
    'spec.auditAnnotations[0].valueExpression: Invalid value: "1": must evaluate to one of [string null_type]',
  ],
  [
    'a binding with parameters of two sorts',
    binding('b', 'p', { paramRef: { name: 'x', selector: {}, parameterNotFoundAction: 'Deny' } }),
    'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
  ],
  [
    'a binding that does nothing',
    binding('b', 'p', { validationActions: [] }),
    'spec.validationActions: Required value: at least one validation action is required',
  ],
])('refuses %s', async (_name, body, says) => {
  const plural = `${String(body.kind).toLowerCase().replace(/y$/, 'ie')}s`;
  const answer = await post(`${GROUP}/${plural}`, body);
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

test('parameters come from where a binding says, and are missed where it says so', async () => {
  const secrets = '/api/v1/namespaces/default/secrets';
  const secret = (name: string, level: string): Json => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    stringData: { level },
  });
  const rules = {
    matchConstraints: {
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['secrets'] }],
    },
    validations: [
      {
        expression: "string(object.data['level']) in params.data.levels.split(',')",
        messageExpression: "'not one of ' + params.data.levels",
      },
    ],
  };
  await post(
    `${GROUP}/validatingadmissionpolicies`,
    policy('levels', { ...rules, paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } }),
  );
  const bindings = `${GROUP}/validatingadmissionpolicybindings`;
  const bound = (paramRef: Json): Json => binding('levels', 'levels', { paramRef });
  const place = "ValidatingAdmissionPolicy 'levels' with binding 'levels' denied request:";
  await post(bindings, bound({ name: 'allowed', parameterNotFoundAction: 'Deny' }));
  expect(messageOf(await post(secrets, secret('p1', 'low')))).toContain(
    `${place} failed to configure binding: no params found for policy binding with \`Deny\` parameterNotFoundAction`,
  );
  await post(MAPS, {
    ...map('allowed', { levels: 'aGlnaA==,eA==' }),
    metadata: { name: 'allowed', labels: { p: 'a' } },
  });
  expect(messageOf(await post(secrets, secret('p2', 'low')))).toContain(`${place} not one of aGlnaA==,eA==`);
  expect((await post(secrets, secret('p3', 'high'))).status).toBe(201);

  await server.ask('DELETE', `${bindings}/levels`);
  await post(bindings, bound({ selector: { matchLabels: { p: 'b' } }, parameterNotFoundAction: 'Allow' }));
  expect((await post(secrets, secret('p4', 'low'))).status).toBe(201);
  await server.ask('DELETE', `${bindings}/levels`);
  await post(
    bindings,
    bound({ selector: { matchLabels: { p: 'a' } }, namespace: 'default', parameterNotFoundAction: 'Allow' }),
  );
  expect((await post(secrets, secret('p5', 'low'))).status).toBe(422);
  await server.ask('DELETE', `${bindings}/levels`);

  await post(
    `${GROUP}/validatingadmissionpolicies`,
    policy('unknown', { ...rules, paramKind: { apiVersion: 'example.com/v1', kind: 'Level' } }),
  );
  await post(bindings, binding('unknown', 'unknown', { paramRef: { name: 'x', parameterNotFoundAction: 'Allow' } }));
  expect(messageOf(await post(secrets, secret('p6', 'low')))).toContain(
    "ValidatingAdmissionPolicy 'unknown' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'example.com/v1, Kind=Level'",
  );
});
