import { expect, it } from 'vitest';
import { fromYaml, lineOfPath, toYaml } from './yaml.ts';

const text =
  'apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  namespace: n\nspec:\n  ports:\n    - port: 80\n    - port: 81\n';

it('writes and reads objects, without what the server owns', () => {
  const object = fromYaml(text);
  expect(object.metadata).toEqual({ name: 'a', namespace: 'n' });
  expect(
    fromYaml(
      toYaml({
        ...object,
        metadata: { ...object.metadata, managedFields: [1], resourceVersion: '5' },
        status: { x: 1 },
      }),
    ),
  ).toEqual(object);
  expect(() => fromYaml('kind: x')).toThrow('apiVersion');
  expect(() => fromYaml('a: [')).toThrow();
});

it('finds the line of a field', () => {
  expect(lineOfPath(text, ['spec', 'ports', 1, 'port'])).toBe(9);
  expect(lineOfPath(text, ['spec', 'selector'])).toBe(7);
});
