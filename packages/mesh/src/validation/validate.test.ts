import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { istioValidator, validateIstioObject } from './validate.ts';

const cases = parse(readFileSync(join(import.meta.dirname, '..', '..', 'testdata', 'validation.yaml'), 'utf8')) as {
  problems: string[];
  object: Parameters<typeof validateIstioObject>[0];
}[];

test.each(
  cases.map(({ problems, object }, i) => ({
    name: `${i} ${object.kind}: ${problems[0] ?? 'valid'}`,
    problems,
    object,
  })),
)('$name', ({ problems, object }) => {
  expect(validateIstioObject(object)).toEqual(problems);
});

test('a write is told what of it has no effect', () => {
  const warningsOf = (kind: string, resource: string, spec: unknown): string[] => {
    const warnings: string[] = [];
    const object = { apiVersion: 'networking.istio.io/v1', kind, metadata: { name: 'x', namespace: 'default' }, spec };
    const gvr = { group: 'networking.istio.io', version: 'v1', resource };
    istioValidator({ resource: gvr, operation: 'CREATE', object, warn: (text) => warnings.push(text) });
    return warnings;
  };
  expect(warningsOf('EnvoyFilter', 'envoyfilters', {})).toEqual([
    'EnvoyFilter is not supported by the embedded engine: it has no effect. Use the kind engine for it.',
  ]);
  const route = [{ destination: { host: 'a' } }];
  const http = [{ match: [{ statPrefix: 'x', uri: { exact: '/' } }], route }];
  expect(warningsOf('VirtualService', 'virtualservices', { hosts: ['a'], http })).toEqual([
    'spec.http[0].match[0].statPrefix is not enforced by the embedded engine',
  ]);
  expect(warningsOf('VirtualService', 'virtualservices', { hosts: ['a'], http: [{ route }] })).toEqual([]);
});
