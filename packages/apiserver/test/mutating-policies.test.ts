/** MutatingAdmissionPolicies: refused where they are wrong, applied where they are bound; `authorizer` in expressions. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, startServer, type TestServer } from './harness.ts';

type Json = Record<string, unknown>;
const GROUP = '/apis/admissionregistration.k8s.io/v1';
const API_VERSION = 'admissionregistration.k8s.io/v1';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const post = (path: string, body: Json): Promise<Answer> => server.ask('POST', path, body);
const messageOf = (answer: Answer): string => (answer.body as { message?: string }).message ?? String(answer.status);

const apply = (expression: string): Json => ({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } });
const patch = (expression: string): Json => ({ patchType: 'JSONPatch', jsonPatch: { expression } });
const rules = (resources: readonly string[], apiGroups: readonly string[] = ['']): Json => ({
  resourceRules: [{ apiGroups, apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources }],
});
const policy = (name: string, mutations: readonly Json[], spec: Json = {}): Json => ({
  apiVersion: API_VERSION,
  kind: 'MutatingAdmissionPolicy',
  metadata: { name },
  spec: { matchConstraints: rules(['configmaps']), reinvocationPolicy: 'Never', mutations, ...spec },
});
const map = (name: string, data: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

/** Binds a policy while something is done in a namespace of its own. */
async function withPolicy<T>(
  name: string,
  mutations: readonly Json[],
  spec: Json,
  act: (space: string) => Promise<T>,
): Promise<T> {
  const metadata = { name, labels: { policy: name } };
  await post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
  const made = await post(`${GROUP}/mutatingadmissionpolicies`, policy(name, mutations, spec));
  expect(made.status, messageOf(made)).toBe(201);
  const bound = await post(`${GROUP}/mutatingadmissionpolicybindings`, {
    apiVersion: API_VERSION,
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, matchResources: { namespaceSelector: { matchLabels: { policy: name } } } },
  });
  expect(bound.status, messageOf(bound)).toBe(201);
  return await act(`/api/v1/namespaces/${name}`);
}

test.each<[string, Json, string]>([
  ['no mutations', policy('p', []), 'spec.mutations: Required value: mutations must contain at least one item'],
  [
    'no type of patch',
    policy('p', [{ applyConfiguration: { expression: 'Object{}' } }]),
    'spec.mutations[0].patchType: Required value',
  ],
  [
    'a patch of the other type',
    policy('p', [{ patchType: 'JSONPatch', applyConfiguration: { expression: 'Object{}' } }]),
    'spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch, spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch',
  ],
  [
    'a type of patch that there is not',
    policy('p', [{ patchType: 'Merge' }]),
    'spec.mutations[0].patchType: Unsupported value: "Merge": supported values: "ApplyConfiguration", "JSONPatch"',
  ],
  [
    'a configuration that is no object',
    policy('p', [apply('{"a": "b"}')]),
    'spec.mutations[0].applyConfiguration.expression: Invalid value: "{\\"a\\": \\"b\\"}": must evaluate to Object but got map(string, string)',
  ],
  [
    'a patch of no operations',
    policy('p', [patch('[1]')]),
    'spec.mutations[0].jsonPatch.expression: Invalid value: "[1]": must evaluate to list(JSONPatch) but got list(int)',
  ],
  [
    'a wrong reinvocation policy',
    policy('p', [apply('Object{}')], { reinvocationPolicy: 'Always' }),
    'spec.reinvocationPolicy: Unsupported value: "Always": supported values: "IfNeeded", "Never"',
  ],
])('refuses %s', async (_name, body, says) => {
  const answer = await post(`${GROUP}/mutatingadmissionpolicies`, body);
  expect(answer.status).toBe(422);
  expect(messageOf(answer)).toContain(says);
});

test('an apply configuration is merged into what is written, with the policy’s variables', async () => {
  const mutations = [
    apply(
      'Object{metadata: Object.metadata{labels: {"team": variables.team}}, data: {"added": string(size(object.data))}}',
    ),
  ];
  const spec = { variables: [{ name: 'team', expression: 'namespaceObject.metadata.name + "-team"' }] };
  await withPolicy('labelled', mutations, spec, async (space) => {
    const answer = await post(`${space}/configmaps`, map('m', { a: '1', b: '2' }));
    expect(answer.body).toMatchObject({
      metadata: { labels: { team: 'labelled-team' } },
      data: { a: '1', b: '2', added: '2' },
    });
    const other = await post('/api/v1/namespaces/default/configmaps', map('elsewhere', { a: '1' }));
    expect(other.body).toMatchObject({ data: { a: '1' } });
  });
});

test('mutations are made one after the other, and their result gets its defaults', async () => {
  const sidecar =
    'Object{spec: Object.spec{initContainers: [Object.spec.initContainers{name: "mesh", image: "mesh:1", restartPolicy: "Always"}]}}';
  const env = `[
    JSONPatch{op: "test", path: "/spec/initContainers/0/name", value: "mesh"},
    JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("example.com/mesh"), value: "yes"},
    JSONPatch{op: "add", path: "/spec/containers/0/ports/-", value: Object.spec.containers.ports{containerPort: 80}}
  ]`;
  const spec = { matchConstraints: rules(['pods']) };
  await withPolicy('mesh', [apply(sidecar), patch(env)], spec, async (space) => {
    await post(`${space}/serviceaccounts`, { metadata: { name: 'default' } });
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', annotations: { a: 'b' } },
      spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 8080 }] }] },
    };
    const answer = await post(`${space}/pods`, pod);
    expect(answer.body).toMatchObject({
      metadata: { annotations: { a: 'b', 'example.com/mesh': 'yes' } },
      spec: {
        initContainers: [{ name: 'mesh', restartPolicy: 'Always', imagePullPolicy: 'IfNotPresent' }],
        containers: [{ ports: [{ containerPort: 8080 }, { containerPort: 80, protocol: 'TCP' }] }],
      },
    });
  });
});

test('a patch whose test does not hold leaves the object alone', async () => {
  const mutations = [
    patch('[JSONPatch{op: "add", path: "/data/x", value: "1"}, JSONPatch{op: "test", path: "/data/a", value: "no"}]'),
  ];
  await withPolicy('tested', mutations, {}, async (space) => {
    expect((await post(`${space}/configmaps`, map('m', { a: 'b' }))).body).toMatchObject({ data: { a: 'b' } });
  });
});

test('a policy is asked again where one after it changed something', async () => {
  const count = 'Object{data: {"count": string(size(object.data))}}';
  await withPolicy('again-1', [apply(count)], { reinvocationPolicy: 'IfNeeded' }, async (space) => {
    const also: Json = {
      apiVersion: API_VERSION,
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name: 'again-2' },
      spec: { policyName: 'again-2', matchResources: { namespaceSelector: { matchLabels: { policy: 'again-1' } } } },
    };
    await post(`${GROUP}/mutatingadmissionpolicies`, policy('again-2', [apply('Object{data: {"late": "x"}}')]));
    await post(`${GROUP}/mutatingadmissionpolicybindings`, also);
    // The first time there is one key; the second time there are a, count and late.
    expect((await post(`${space}/configmaps`, map('m', { a: 'b' }))).body).toMatchObject({ data: { count: '3' } });
  });
});

test.each<[string, Json, Json, string | undefined]>([
  [
    'an expression that fails',
    apply('Object{data: {"x": object.data.missing}}'),
    {},
    `policy 'NAME' with binding 'NAME' denied request: expression 'Object{data: {"x": object.data.missing}}' resulted in error: no such key: missing`,
  ],
  [
    'an expression that may fail',
    apply('Object{data: {"x": object.data.missing}}'),
    { failurePolicy: 'Ignore' },
    undefined,
  ],
  [
    'a field that there is not',
    apply('Object{nope: "x"}'),
    {},
    "policy 'NAME' with binding 'NAME' denied request: error applying patch: failed to convert patch object to typed object: .nope: field not declared in schema",
  ],
  [
    'a list that is only replaced as a whole',
    apply('Object{spec: Object.spec{containers: [Object.spec.containers{name: "c", args: ["-v"]}]}}'),
    { matchConstraints: rules(['pods']) },
    `policy 'NAME' with binding 'NAME' denied request: error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.containers[name="c"].args`,
  ],
  [
    'an object that is called wrong',
    apply('Object{metadata: Object.meta{labels: {"a": "b"}}}'),
    {},
    `policy 'NAME' with binding 'NAME' denied request: type mismatch: unexpected type name "Object.meta", expected "Object.metadata", which matches field name path from root Object type`,
  ],
])('a write with %s', async (name, mutation, spec, says) => {
  const id = name.replaceAll(' ', '-');
  await withPolicy(id, [mutation], spec, async (space) => {
    const isPod = 'matchConstraints' in spec;
    if (isPod) await post(`${space}/serviceaccounts`, { metadata: { name: 'default' } });
    const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const answer = await post(`${space}/${isPod ? 'pods' : 'configmaps'}`, isPod ? pod : map('m', { a: 'b' }));
    if (says === undefined) {
      expect(answer.status).toBe(201);
      return;
    }
    const message = says.replaceAll('NAME', id);
    expect(answer).toMatchObject({ status: 403, body: { reason: 'Invalid', message, code: 403 } });
    expect(answer.body).toMatchObject({ details: { causes: [{ message }] } });
  });
});

test('policies say nothing of policies', async () => {
  const constraints = rules(['*'], ['admissionregistration.k8s.io']);
  await withPolicy(
    'ours',
    [apply('Object{metadata: Object.metadata{labels: {"a": "b"}}}')],
    { matchConstraints: constraints },
    async () => {
      const other = await post(`${GROUP}/mutatingadmissionpolicies`, policy('unlabelled', [apply('Object{}')]));
      expect((other.body as { metadata: Json }).metadata.labels).toBeUndefined();
    },
  );
});

test('an expression asks what else the user may do', async () => {
  const spec = {
    matchConstraints: rules(['configmaps']),
    variables: [
      { name: 'may', expression: 'authorizer.group("").resource("secrets").namespace(request.namespace).check("get")' },
    ],
    validations: [
      {
        expression: 'authorizer.requestResource.check("delete").allowed()',
        message: 'who writes must be able to delete',
      },
      { expression: '!authorizer.serviceAccount("default", "default").path("/metrics").check("get").allowed()' },
      { expression: 'object.metadata.name != "secretive" || variables.may.allowed()', message: 'no secrets' },
    ],
  };
  await post('/api/v1/namespaces', { metadata: { name: 'asked', labels: { policy: 'asked' } } });
  const named = { apiVersion: API_VERSION, metadata: { name: 'asked' } };
  const made = await post(`${GROUP}/validatingadmissionpolicies`, {
    ...named,
    kind: 'ValidatingAdmissionPolicy',
    spec,
  });
  expect(made.status, messageOf(made)).toBe(201);
  const matchResources = { namespaceSelector: { matchLabels: { policy: 'asked' } } };
  await post(`${GROUP}/validatingadmissionpolicybindings`, {
    ...named,
    kind: 'ValidatingAdmissionPolicyBinding',
    spec: { policyName: 'asked', validationActions: ['Deny'], matchResources },
  });
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/asked';
  const write = { apiGroups: [''], resources: ['configmaps'], verbs: ['create'] };
  const remove = { apiGroups: [''], resources: ['configmaps'], verbs: ['delete'] };
  await post(`${rbac}/roles`, { metadata: { name: 'writer' }, rules: [write] });
  await post(`${rbac}/rolebindings`, {
    metadata: { name: 'jane-writes' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'writer' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
  });
  const asJane = (name: string): Promise<Answer> =>
    server.ask('POST', '/api/v1/namespaces/asked/configmaps', map(name), { 'impersonate-user': 'jane' });
  expect(messageOf(await asJane('m'))).toContain('denied request: who writes must be able to delete');
  await server.ask('PUT', `${rbac}/roles/writer`, { metadata: { name: 'writer' }, rules: [write, remove] });
  expect((await asJane('m')).status).toBe(201);
  expect(messageOf(await asJane('secretive'))).toContain('denied request: no secrets');

  const review = await post('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    spec: { user: 'jane', resourceAttributes: { namespace: 'asked', verb: 'create', resource: 'configmaps' } },
  });
  expect(review.body).toMatchObject({
    status: {
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "jane-writes/asked" of Role "writer" to User "jane"',
    },
  });
});
