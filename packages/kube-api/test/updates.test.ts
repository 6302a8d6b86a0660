/** Recorded updates that are refused, on the objects as they were recorded. */
import { expect, test } from 'vitest';
import {
  applyDefaults,
  applyMergePatch,
  builtinSchema,
  decodeObject,
  fieldErrorBody,
  prepareForUpdate,
  validateUpdate,
} from '../src/index.ts';
import { recordedSteps } from './recorded.ts';

type Json = Record<string, unknown>;

const steps = new Map(
  (await Promise.all(['pods', 'objects', 'workloads', 'access'].map(recordedSteps)))
    .flat()
    .map((step) => [step.name.split(' ')[0] ?? '', step]),
);

test.each([
  ['pods/2', 'pods/33'],
  ['pods/2', 'pods/34'],
  ['pods/2', 'pods/35'],
  ['objects/3', 'objects/4'],
  ['objects/6', 'objects/9'],
  ['objects/12', 'objects/22'],
  ['workloads/0', 'workloads/6'],
  ['workloads/14', 'workloads/15'],
  ['access/12', 'access/16'],
])('from the answer of %s, %s', (before, id) => {
  const time = '2026-01-02T03:04:05Z';
  const text = JSON.stringify(steps.get(before)!.answer!.body)
    .replaceAll('<time>', time)
    .replaceAll('<ip>', '10.0.0.1');
  const stored = JSON.parse(text.replaceAll('<resourceVersion>', '1')) as Json;
  const [group = '', version = ''] = String(stored.apiVersion).includes('/')
    ? String(stored.apiVersion).split('/')
    : ['', String(stored.apiVersion)];
  const gvk = { group, version, kind: String(stored.kind) };
  const schema = builtinSchema(gvk)!;
  const live = decodeObject(schema, stored).object;
  const step = steps.get(id)!;
  const { object } = decodeObject(schema, applyMergePatch(live, step.body));
  applyDefaults(gvk, object);
  prepareForUpdate(gvk, object, live);
  const found = validateUpdate(gvk, object, live)
    // The recorded names stand for random ones and are no names themselves.
    .filter((error) => !/volumes\[|volumeMounts\[/.test(error.field))
    .map((error) => ({ field: error.field, message: fieldErrorBody(error), reason: error.type }));
  const wanted = (step.answer!.body as { details: { causes: Json[] } }).details.causes;
  const order = (list: readonly Json[]): string[] =>
    list.map((cause) => JSON.stringify(cause, ['field', 'message', 'reason']).replaceAll('10.0.0.1', '<ip>')).sort();
  expect(order(found)).toEqual(order(wanted));
});

test('metadata is checked as often as upstream does it', () => {
  const causes = (kind: string, group = ''): number => {
    const old = { metadata: { name: 'a', namespace: 'n', uid: 'u', resourceVersion: '1' } };
    const next = { metadata: { ...old.metadata, labels: { 'b c': 'd' } } };
    const problems = validateUpdate({ group, version: 'v1', kind }, next, old);
    return problems.filter(({ field }) => field === 'metadata.labels').length;
  };
  expect(causes('ConfigMap')).toBe(3);
  expect(causes('Deployment', 'apps')).toBe(2);
  expect(causes('PodDisruptionBudget', 'policy')).toBe(1);
});

test('noughts that are always written are kept', () => {
  const schema = builtinSchema({ group: 'policy', version: 'v1', kind: 'PodDisruptionBudget' });
  const status = { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 0, expectedPods: 1 };
  expect(schema && decodeObject(schema, { status }).object.status).toEqual(status);
});

test('lists that are always written are null where they have no entries, as protobuf gives them back', () => {
  const schema = builtinSchema({ group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'Role' });
  expect(schema && decodeObject(schema, { rules: [] }).object.rules).toBeNull();
});
