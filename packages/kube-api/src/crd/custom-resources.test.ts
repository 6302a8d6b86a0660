import { describe, expect, test } from 'vitest';
import { fieldErrorText } from '../errors/field-error.ts';
import { customColumns, customRow } from '../printers/table.ts';
import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import { decodeCustomResource, validateScalePaths } from './custom-resource.ts';
import { evaluateJsonPath, parseJsonPath } from './json-path.ts';
import { validateAgainstSchema } from './validate-value.ts';

const schema: JsonSchemaProps = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 9 },
        colour: { type: 'string', enum: ['red', 'green'], default: 'green' },
        tags: { type: 'array', maxItems: 2, items: { type: 'string', pattern: '^[a-z]+$' } },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        port: { 'x-kubernetes-int-or-string': true },
        when: { type: 'string', format: 'date-time' },
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', properties: { name: { type: 'string' } } },
        },
        choice: { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }], properties: { a: {}, b: {} } },
        short: { type: 'string', maxLength: 3, minLength: 2 },
      },
    },
  },
};

describe('values', () => {
  test.each([
    [{ size: 3 }, []],
    [{ size: '3' }, ['spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"']],
    [{}, ['spec.size: Required value']],
    [{ size: 0 }, ['spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1']],
    [{ size: 3, colour: 'blue' }, ['spec.colour: Unsupported value: "blue": supported values: "red", "green"']],
    [
      { size: 3, tags: ['a', 'B', 'c'] },
      [
        'spec.tags: Too many: 3: must have at most 2 items',
        'spec.tags[1]: Invalid value: "B": spec.tags[1] in body should match \'^[a-z]+$\'',
      ],
    ],
    [{ size: 3, when: 'x' }, ['spec.when: Invalid value: "x": spec.when in body must be of type date-time: "x"']],
    [
      { size: 3, port: 1.5 },
      ['spec.port: Invalid value: "number": spec.port in body must be of type integer,string: "number"'],
    ],
    [{ size: 3, items: [{ name: 'a' }, { name: 'a' }] }, ['spec.items[1]: Duplicate value: {"name":"a"}']],
    [{ size: 3, short: 'x' }, ['spec.short: Invalid value: "x": spec.short in body should be at least 2 chars long']],
    [{ size: 3, short: 'long' }, ['spec.short: Too long: may not be more than 3 bytes']],
    [
      { size: 3, choice: { a: 1, b: 2 } },
      [
        'spec.choice: Invalid value: "": "spec.choice" must validate one and only one schema (oneOf). Found 2 valid alternatives',
      ],
    ],
  ])('%j', (spec, wanted) => {
    expect(validateAgainstSchema(schema, { spec }).map(fieldErrorText)).toEqual(wanted);
  });
});

test('unknown fields go, defaults come, metadata is typed', () => {
  const { object, strictErrors } = decodeCustomResource(schema, {
    apiVersion: 'x/v1',
    kind: 'X',
    metadata: { name: 'a', nope: 1 },
    spec: { size: 1, unknown: 1, free: { kept: [1] } },
    extra: 1,
  });
  expect(object.spec).toEqual({ size: 1, free: { kept: [1] }, colour: 'green' });
  expect(object.metadata).toEqual({ name: 'a' });
  expect(strictErrors).toEqual([
    'unknown field "metadata.nope"',
    'unknown field "extra"',
    'unknown field "spec.unknown"',
  ]);
});

test('the paths of the scale subresource', () => {
  const paths = { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' };
  expect(validateScalePaths({ spec: { size: 3 } }, paths)).toEqual([]);
  expect(validateScalePaths({ spec: { size: '3' } }, paths).map(fieldErrorText)).toEqual([
    '.spec.size: Invalid value: 0: .spec.size accessor error: 3 is of the type string, expected int64',
  ]);
});

test.each([
  ['.spec.size', [3]],
  ['{.items[*].name}', ['a', 'b']],
  [".items[?(@.name=='b')].value", [2]],
  ['.items[-1].name', ['b']],
  ['.items[0:1].name', ['a']],
  ['..name', ['a', 'b']],
  [".labels['a.b/c']", ['x']],
  ['.labels.a\\.b/c', ['x']],
  ['.none.at.all', []],
])('path %s', (path, values) => {
  const object = {
    spec: { size: 3 },
    items: [
      { name: 'a', value: 1 },
      { name: 'b', value: 2 },
    ],
    labels: { 'a.b/c': 'x' },
  };
  expect(evaluateJsonPath(parseJsonPath(path), object)).toEqual(values);
});

test('columns of a custom resource', () => {
  const columns = [
    { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
    { name: 'Colour', type: 'string', jsonPath: '.spec.colour', priority: 1 },
    { name: 'Since', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ];
  expect(customColumns(columns).map((column) => `${column.name}/${column.priority}`)).toEqual([
    'Name/0',
    'Size/0',
    'Colour/1',
    'Since/0',
  ]);
  const object = { metadata: { name: 'w', creationTimestamp: '2026-01-01T00:00:00Z' }, spec: { size: 3 } };
  expect(customRow(columns, object, Date.UTC(2026, 0, 1, 1))).toEqual(['w', 3, null, '60m']);
});
