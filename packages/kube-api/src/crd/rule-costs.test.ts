/** What rules may cost; the figures were measured with real servers (envtest and others) by those who met them. */
import { expect, test } from 'vitest';
import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import { validateCrdSchema } from './validate-schema.ts';

const AT = 'spec.validation.openAPIV3Schema';
const HINT =
  '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)';

const text = (maxLength?: number): JsonSchemaProps => ({
  type: 'string',
  ...(maxLength === undefined ? {} : { maxLength }),
});
const list = (items: JsonSchemaProps, maxItems?: number, ...rules: string[]): JsonSchemaProps => ({
  type: 'array',
  items,
  ...(maxItems === undefined ? {} : { maxItems }),
  ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules.map((rule) => ({ rule })) }),
});
const object = (properties: Record<string, JsonSchemaProps>, ...rules: string[]): JsonSchemaProps => ({
  type: 'object',
  properties,
  ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules.map((rule) => ({ rule })) }),
});

function problems(spec: JsonSchemaProps): string[] {
  return validateCrdSchema({ type: 'object', properties: { spec } }, AT, false).map(
    ({ field, detail }) => `${field}: ${detail ?? ''}`,
  );
}

const cases = (contains: number): JsonSchemaProps =>
  object({
    cases: list(
      object(
        { message: text(4096), expect: object({ contains: text(contains), equals: text(4096) }) },
        '(!has(self.expect.contains) || !self.message.contains(self.expect.contains)) && (!has(self.expect.equals) || self.message != self.expect.equals)',
      ),
      20,
    ),
  });

test.each<[string, JsonSchemaProps, string[]]>([
  [
    'a text in each of twenty texts',
    cases(4096),
    [
      `${AT}.properties[spec].properties[cases].items.x-kubernetes-validations[0].rule: estimated rule cost exceeds budget by factor of 5.4x ${HINT}`,
    ],
  ],
  ['a shorter text in each of twenty texts', cases(512), []],
  [
    'every text of a list without limits',
    object({ foo: list(text(), undefined, "self.all(x, x.contains('a string'))") }),
    [
      `${AT}.properties[spec].properties[foo].x-kubernetes-validations[0].rule: estimated rule cost exceeds budget by factor of more than 100x ${HINT}`,
      `${AT}.properties[spec].properties[foo].x-kubernetes-validations[0].rule: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema`,
      `${AT}: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x ${HINT}`,
    ],
  ],
  ['every text of a short list', object({ foo: list(text(10), 25, "self.all(x, x.contains('a string'))") }), []],
  [
    'a message with numbers as text',
    {
      ...object({ min: { type: 'integer' }, max: { type: 'integer' } }),
      'x-kubernetes-validations': [
        { rule: 'self.min <= self.max', messageExpression: "'min (' + string(self.min) + ') is too much'" },
      ],
    },
    [
      `${AT}.properties[spec].x-kubernetes-validations[0].messageExpression: estimated messageExpression cost exceeds budget by factor of more than 100x ${HINT}`,
      `${AT}.properties[spec].x-kubernetes-validations[0].messageExpression: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema`,
      `${AT}: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x ${HINT}`,
    ],
  ],
  [
    'the paths of routes, as the Gateway API limits them',
    object({
      rules: list(
        object({
          matches: list(
            object(
              { type: { type: 'string', enum: ['Exact', 'PathPrefix', 'RegularExpression'] }, value: text(1024) },
              `(self.type in ['Exact','PathPrefix']) ? self.value.matches(r"""^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$""") : true`,
            ),
            64,
          ),
        }),
        16,
      ),
    }),
    [],
  ],
  [
    'names that are there once, as the Gateway API wants them',
    object({
      listeners: list(
        object({ name: text(253), hostname: text(253), port: { type: 'integer' }, protocol: text(255) }),
        64,
        'self.all(l1, self.exists_one(l2, l1.name == l2.name))',
        'self.all(l1, !has(l1.hostname) || self.exists_one(l2, has(l2.hostname) && l1.port == l2.port && l1.protocol == l2.protocol && l1.hostname == l2.hostname))',
      ),
    }),
    [],
  ],
])('%s', (_name, spec, says) => {
  expect(problems(spec)).toEqual(says);
});

test('literals that no call can use', () => {
  const rules = [
    "self.matches('([')",
    "duration('x') < duration('1s')",
    "timestamp('x') < timestamp('2026-01-01T00:00:00Z')",
  ];
  const spec: JsonSchemaProps = { ...text(10), 'x-kubernetes-validations': rules.map((rule) => ({ rule })) };
  expect(problems(object({ a: spec })).map((problem) => problem.split('compilation failed: ')[1])).toEqual([
    "ERROR: <input>:1:14: invalid matches argument\n | self.matches('([')\n | .............^",
    "ERROR: <input>:1:10: invalid duration argument\n | duration('x') < duration('1s')\n | .........^",
    "ERROR: <input>:1:11: invalid timestamp argument\n | timestamp('x') < timestamp('2026-01-01T00:00:00Z')\n | ..........^",
  ]);
});
