/** CRDs that are refused, and custom resources against their rules (apiextensions-apiserver 1.36). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type TestServer } from './harness.ts';

type Json = Record<string, unknown>;
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const THINGS = '/apis/rules.example.com/v1/namespaces/default/things';

function crd(schema: Json | undefined, version: Json = {}, more: Json = {}): Json {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.rules.example.com' },
    spec: {
      group: 'rules.example.com',
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          ...(schema === undefined ? {} : { schema: { openAPIV3Schema: schema } }),
          ...version,
        },
      ],
      ...more,
    },
  };
}

const spec = (properties: Json, more: Json = {}): Json => ({
  type: 'object',
  properties: { spec: { type: 'object', properties, ...more } },
});
const rules = (...list: Json[]): Json => ({ 'x-kubernetes-validations': list });
const AT = 'spec.validation.openAPIV3Schema.properties[spec]';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function message(method: string, path: string, body: Json, headers?: Record<string, string>): Promise<string> {
  const answer = await server.ask(method, path, body, headers);
  return (answer.body as { message?: string }).message ?? `${answer.status}`;
}

test.each<[string, Json, string | string[]]>([
  [
    'a field without type',
    crd(spec({ a: {} })),
    `${AT}.properties[a].type: Required value: must not be empty for specified object fields`,
  ],
  [
    'a list without items and an unknown type',
    crd(spec({ a: { type: 'array' }, b: { type: 'text' } })),
    [
      `${AT}.properties[a].items: Required value: must be specified`,
      `${AT}.properties[b].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`,
    ],
  ],
  [
    'a type inside of anyOf, for a field that is not there',
    crd(spec({ a: { type: 'string' } }, { anyOf: [{ properties: { b: { type: 'string' } } }] })),
    [
      `${AT}.anyOf[0].properties[b].type: Forbidden: must be empty to be structural`,
      `${AT}.properties[b]: Required value: because it is defined in ${AT}.anyOf[0].properties[b]`,
    ],
  ],
  [
    'a default of another type, and one with unknown fields',
    crd(
      spec({
        a: { type: 'integer', default: 'x' },
        b: { type: 'object', properties: { c: { type: 'string' } }, default: { d: 1 } },
      }),
    ),
    [
      `${AT}.properties[a].default: Invalid value: "string": ${AT}.properties[a].default in body must be of type integer: "string"`,
      `${AT}.properties[b].default: Invalid value: {"d":1}: must not have unknown fields`,
    ],
  ],
  [
    'a bad pattern',
    crd(spec({ a: { type: 'string', pattern: '(' } })),
    `${AT}.properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`(\``,
  ],
  [
    'lists by keys that are not there',
    crd(
      spec({
        a: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['id'],
          items: { type: 'object', properties: { name: { type: 'string' } } },
        },
        b: { type: 'array', 'x-kubernetes-list-type': 'heap', items: { type: 'string' } },
      }),
    ),
    [
      `${AT}.properties[a].x-kubernetes-list-map-keys: Invalid value: ["id"]: entries must all be names of item properties`,
      `${AT}.properties[b].x-kubernetes-list-type: Unsupported value: "heap": supported values: "atomic", "set", "map"`,
    ],
  ],
  [
    'metadata with more than names',
    crd({ type: 'object', properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } }),
    'spec.validation.openAPIV3Schema.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
  ],
  [
    'columns that are no columns',
    crd(spec({}), { additionalPrinterColumns: [{ name: '', type: 'x', jsonPath: 'spec' }] }),
    [
      'spec.additionalPrinterColumns[0].name: Required value',
      'spec.additionalPrinterColumns[0].type: Invalid value: "x": must be one of boolean,date,integer,number,string',
      'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec": must be a simple json path starting with .',
    ],
  ],
  [
    'scale paths elsewhere',
    crd(spec({}), { subresources: { scale: { specReplicasPath: '.status.a', statusReplicasPath: '' } } }),
    [
      'spec.subresources.scale.specReplicasPath: Invalid value: ".status.a": should be a json path under .spec',
      'spec.subresources.scale.statusReplicasPath: Required value',
    ],
  ],
  [
    'fields that cannot be selected by',
    crd(spec({ a: { type: 'array', items: { type: 'string' } } }), {
      selectableFields: [{ jsonPath: '.spec.a' }, { jsonPath: '.spec.b' }],
    }),
    [
      'spec.selectableFields[0].jsonPath: Invalid value: ".spec.a": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      'spec.selectableFields[1].jsonPath: Invalid value: ".spec.b": is an invalid path: does not refer to a valid field',
    ],
  ],
  [
    'no version that is stored',
    crd(spec({}), { storage: false }),
    [
      'spec.versions: Invalid value: [{"Name":"v1","Served":true,"Storage":false,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}]: must have exactly one version marked as storage version',
      'status.storedVersions: Invalid value: null: must have at least one stored version',
    ],
  ],
  [
    'a rule about a field that is not there',
    crd(spec({ a: { type: 'integer' } }, rules({ rule: 'self.b > 1' }))),
    `CustomResourceDefinition.apiextensions.k8s.io "things.rules.example.com" is invalid: ${AT}.x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.b \\u003e 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:5: undefined field 'b'\n | self.b > 1\n | ....^`,
  ],
  [
    'a rule that is no bool, and a message that is no string',
    crd(spec({ a: { type: 'integer' } }, rules({ rule: 'self.a' }, { rule: 'true', messageExpression: 'self.a' }))),
    [
      `x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.a","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: cel expression must evaluate to a bool`,
      `x-kubernetes-validations[1].messageExpression: Invalid value: {"Rule":"true","Message":"","MessageExpression":"self.a","Reason":null,"FieldPath":"","OptionalOldSelf":null}: messageExpression must evaluate to a string`,
    ],
  ],
  [
    'rules that lack or have too much',
    crd(
      spec(
        { a: { type: 'integer' } },
        rules(
          { rule: ' ' },
          { rule: 'true', message: ' ' },
          { rule: 'true', reason: 'Nope' },
          { rule: 'true', fieldPath: '.b' },
        ),
      ),
    ),
    [
      'x-kubernetes-validations[0].rule: Required value: rule is not specified',
      'x-kubernetes-validations[1].message: Invalid value: " ": message must be non-empty if specified',
      'x-kubernetes-validations[2].reason: Unsupported value: "Nope": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
      'x-kubernetes-validations[3].fieldPath: Invalid value: ".b": fieldPath must be a valid path',
    ],
  ],
  [
    'an old value where there is none',
    crd(spec({ a: { type: 'array', items: { type: 'string', ...rules({ rule: 'self == oldSelf' }) } } })),
    `${AT}.properties[a].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within ${AT}.properties[a]`,
  ],
  [
    'a conversion webhook that is nowhere',
    crd(
      spec({}),
      {},
      {
        conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v2'], clientConfig: {} } },
      },
    ),
    [
      'spec.conversion.webhookClientConfig: Required value: exactly one of url or service is required',
      'spec.conversion.conversionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1',
    ],
  ],
  [
    'a group of the community',
    {
      ...crd(spec({}), {}, { group: 'x.k8s.io' }),
      metadata: { name: 'things.x.k8s.io' },
    },
    'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
  ],
])('refuses %s', async (_name, body, says) => {
  const text = await message('POST', CRDS, body);
  if (typeof says === 'string') expect(text).toContain(says);
  else for (const part of says) expect(text).toContain(part);
});

test('rules of a custom resource', async () => {
  const schema = spec(
    {
      min: { type: 'integer' },
      max: { type: 'integer' },
      name: { type: 'string', ...rules({ rule: "self.startsWith('a')", message: 'must begin with a' }) },
      fixed: { type: 'string', ...rules({ rule: 'self == oldSelf', message: 'is immutable' }) },
      once: {
        type: 'string',
        ...rules({ rule: '!oldSelf.hasValue() || self == oldSelf.value()', optionalOldSelf: true }),
      },
      kind: { type: 'string', enum: ['a', 'b'] },
      hosts: {
        type: 'object',
        additionalProperties: { type: 'integer', ...rules({ rule: 'self > 0' }) },
      },
      parts: {
        type: 'array',
        items: { type: 'object', properties: { size: { type: 'integer', ...rules({ rule: 'self < 10' }) } } },
      },
    },
    rules(
      { rule: 'self.min <= self.max', messageExpression: "'min %d above max %d'.format([self.min, self.max])" },
      { rule: 'self.max < 100', reason: 'FieldValueForbidden', fieldPath: '.max', message: 'too much' },
      { rule: "!has(self.name) || self.name != 'abc'" },
    ),
  );
  expect(await message('POST', CRDS, crd(schema))).toBe('201');
  await expect.poll(() => server.ask('GET', THINGS).then((answer) => answer.status)).toBe(200);
  const make = (name: string, values: Json): Json => ({
    apiVersion: 'rules.example.com/v1',
    kind: 'Thing',
    metadata: { name },
    spec: { min: 1, max: 2, ...values },
  });
  const refused = (name: string, values: Json): Promise<string> => message('POST', THINGS, make(name, values));
  expect(await refused('ok', { name: 'ann', fixed: 'x', once: 'y' })).toBe('201');
  expect(await refused('t', { min: 5 })).toBe(
    'Thing.rules.example.com "t" is invalid: spec: Invalid value: min 5 above max 2',
  );
  expect(await refused('t', { max: 200 })).toBe(
    'Thing.rules.example.com "t" is invalid: spec.max: Forbidden: too much',
  );
  expect(await refused('t', { name: 'bob' })).toBe(
    'Thing.rules.example.com "t" is invalid: spec.name: Invalid value: "bob": must begin with a',
  );
  expect(await refused('t', { name: 'abc' })).toBe(
    `Thing.rules.example.com "t" is invalid: spec: Invalid value: failed rule: !has(self.name) || self.name != 'abc'`,
  );
  expect(await refused('t', { hosts: { x: 0 }, parts: [{ size: 1 }, { size: 11 }] })).toBe(
    'Thing.rules.example.com "t" is invalid: [spec.hosts[x]: Invalid value: 0: failed rule: self > 0, spec.parts[1].size: Invalid value: 11: failed rule: self < 10]',
  );
  expect(await refused('t', { kind: 'c', min: 5 })).toBe(
    'Thing.rules.example.com "t" is invalid: [spec.kind: Unsupported value: "c": supported values: "a", "b", <nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]',
  );
  const patch = (values: Json): Promise<string> =>
    message('PATCH', `${THINGS}/ok`, { spec: values }, { 'content-type': 'application/merge-patch+json' });
  expect(await patch({ fixed: 'z' })).toBe(
    'Thing.rules.example.com "ok" is invalid: spec.fixed: Invalid value: "z": is immutable',
  );
  expect(await patch({ once: 'z' })).toBe(
    'Thing.rules.example.com "ok" is invalid: spec.once: Invalid value: "z": failed rule: !oldSelf.hasValue() || self == oldSelf.value()',
  );
  expect(await patch({ max: 3 })).toBe('200');
});

test('names that another CRD has, and the version that a new one stores', async () => {
  const other = {
    ...crd(spec({}), {}, { names: { plural: 'others', kind: 'Thing' } }),
    metadata: { name: 'others.rules.example.com' },
  };
  const made = await server.ask('POST', CRDS, other);
  expect((made.body as { status: unknown }).status).toEqual({
    conditions: null,
    acceptedNames: { plural: '', kind: '' },
    storedVersions: ['v1'],
  });
  const conditions = async (): Promise<unknown> => {
    const answer = await server.ask('GET', `${CRDS}/others.rules.example.com`);
    const { status } = answer.body as { status: { conditions: Json[] | null; acceptedNames: Json } };
    return {
      names: status.acceptedNames,
      conditions: status.conditions?.map(({ type, status: state, reason, message: text }) => [
        type,
        state,
        reason,
        text,
      ]),
    };
  };
  await expect.poll(conditions).toEqual({
    names: { plural: 'others', kind: '' },
    conditions: [
      ['NamesAccepted', 'False', 'ListKindConflict', '"ThingList" is already in use'],
      ['Established', 'False', 'NotAccepted', 'not all names are accepted'],
    ],
  });
});

test('a custom resource says what it is', async () => {
  const make = (more: Json): Json => ({
    apiVersion: 'rules.example.com/v1',
    kind: 'Thing',
    metadata: { name: 't' },
    ...more,
  });
  expect(await message('POST', THINGS, { metadata: { name: 't' } })).toBe(
    "Object 'Kind' is missing in 'unstructured object has no kind'",
  );
  expect(await message('POST', THINGS, make({ apiVersion: 'rules.example.com/v2' }))).toBe(
    'the API version in the data (rules.example.com/v2) does not match the expected API version (rules.example.com/v1)',
  );
  expect(await message('POST', THINGS, make({ kind: 'Other' }))).toBe(
    'Other.rules.example.com "t" is invalid: kind: Invalid value: "Other": must be Thing',
  );
});
