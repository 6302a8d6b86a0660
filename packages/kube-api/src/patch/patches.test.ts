import fc from 'fast-check';
import fastJsonPatch from 'fast-json-patch';
import { describe, expect, test } from 'vitest';
import { builtinSchema } from '../schema/builtin.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { PatchError } from './patch-error.ts';
import { applyStrategicMergePatch } from './strategic-merge.ts';

/** JSON without the keys that only matter to JavaScript. */
const value = fc
  .jsonValue({ maxDepth: 3 })
  .filter((json) => !JSON.stringify(json).includes('__proto__') && !Object.is(json, -0));
const document = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd/e', 'f~g'), value);

describe('JSON patch', () => {
  test('the difference of two documents leads from one to the other', () => {
    fc.assert(
      fc.property(document, document, (before, after) => {
        const from = JSON.parse(JSON.stringify(before)) as object;
        const to = JSON.parse(JSON.stringify(after)) as object;
        const patch = fastJsonPatch.compare(from, to);
        expect(applyJsonPatch(from, patch)).toEqual(to);
      }),
    );
  });

  test('never changes the given document', () => {
    const given = { a: { b: [1, 2] } };
    applyJsonPatch(given, [{ op: 'remove', path: '/a/b/0' }]);
    expect(given).toEqual({ a: { b: [1, 2] } });
  });

  test.each([
    [[{ op: 'add', path: '/list/-', value: 3 }], { list: [1, 2, 3] }],
    [[{ op: 'add', path: '/list/1', value: 9 }], { list: [1, 9, 2] }],
    [[{ op: 'remove', path: '/list/-1' }], { list: [1] }],
    [[{ op: 'copy', from: '/list', path: '/other' }], { list: [1, 2], other: [1, 2] }],
    [[{ op: 'move', from: '/list/0', path: '/first' }], { list: [2], first: 1 }],
    [[{ op: 'test', path: '/none', value: null }], { list: [1, 2] }],
    [[{ op: 'replace', path: '', value: { z: 1 } }], { z: 1 }],
    [null, { list: [1, 2] }],
  ])('%j', (patch, result) => {
    expect(applyJsonPatch({ list: [1, 2] }, patch)).toEqual(result);
  });

  test.each([
    [[{ op: 'remove', path: '/none' }], 'inapplicable'],
    [[{ op: 'replace', path: '/none/x', value: 1 }], 'inapplicable'],
    [[{ op: 'test', path: '/list/0', value: 2 }], 'inapplicable'],
    [[{ op: 'add', path: '/list/7', value: 2 }], 'inapplicable'],
    [[{ op: 'jump', path: '/list' }], 'inapplicable'],
    [[{ op: 'move', path: '/x' }], 'inapplicable'],
    [[{ op: 'add', path: 'list', value: 1 }], 'inapplicable'],
    [{ op: 'add' }, 'malformed'],
    [['add'], 'malformed'],
    [[{ op: 1 }], 'malformed'],
  ])('%j is %s', (patch, problem) => {
    try {
      applyJsonPatch({ list: [1] }, patch);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(PatchError);
      expect((error as PatchError).problem).toBe(problem);
    }
  });

  test('a key called __proto__ stays a key', () => {
    const out = applyJsonPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: true } }]);
    expect(Object.keys(out as object)).toEqual(['__proto__']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('merge patch', () => {
  // The examples of RFC 7386, appendix A, that have an object as patch.
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j', (target, patch, result) => {
    expect(applyMergePatch(target, patch)).toEqual(result);
  });

  test('null is no patch', () => {
    expect(() => applyMergePatch({}, null)).toThrow('Invalid JSON Patch');
  });

  test('applied twice is applied once', () => {
    fc.assert(
      fc.property(document, document, (target, patch) => {
        const once = applyMergePatch(target, patch);
        expect(applyMergePatch(once, patch)).toEqual(once);
      }),
    );
  });
});

describe('strategic merge', () => {
  const schema = builtinSchema({ group: '', version: 'v1', kind: 'Pod' })!;
  const pod = {
    spec: {
      containers: [
        { name: 'a', image: 'a:1' },
        { name: 'b', image: 'b:1' },
      ],
    },
    metadata: { finalizers: ['x/y', 'z/w'] },
  };

  test.each([
    [{ spec: { containers: [{ name: 'b', image: 'b:2' }] } }, ['a=a:1', 'b=b:2']],
    [{ spec: { containers: [{ name: 'c', image: 'c:1' }] } }, ['c=c:1', 'a=a:1', 'b=b:1']],
    [{ spec: { containers: [{ name: 'a', $patch: 'delete' }] } }, ['b=b:1']],
    [{ spec: { containers: [{ $patch: 'replace' }, { name: 'z', image: 'z:1' }] } }, ['z=z:1']],
    [{ spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] } }, ['b=b:1', 'a=a:1']],
  ])('%j', (patch, wanted) => {
    const out = applyStrategicMergePatch(pod, patch, schema) as {
      spec: { containers: { name: string; image: string }[] };
    };
    expect(out.spec.containers.map((entry) => `${entry.name}=${entry.image}`)).toEqual(wanted);
  });

  test('takes elements out of lists of texts, and adds them once', () => {
    const removed = applyStrategicMergePatch(
      pod,
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['x/y'] } },
      schema,
    );
    expect(removed.metadata).toEqual({ finalizers: ['z/w'] });
    const added = applyStrategicMergePatch(pod, { metadata: { finalizers: ['x/y', 'n/n'] } }, schema);
    expect((added.metadata as { finalizers: string[] }).finalizers.toSorted()).toEqual(['n/n', 'x/y', 'z/w']);
  });

  test.each([
    [{ spec: { containers: [{ image: 'x' }] } }, 'map: map[image:x] does not contain declared merge key: name'],
    [{ metadata: { $patch: 'nope' } }, 'unknown patch type: nope in map: map[$patch:nope]'],
    [{ spec: { $retainKeys: 'x' } }, 'invalid patch format of retainKeys'],
    [{ spec: { '$setElementOrder/containers': 3 } }, 'expected a []interface {}, but received a int64'],
  ])('%j is refused', (patch, message) => {
    expect(() => applyStrategicMergePatch(pod, patch, schema)).toThrow(message);
  });
});
