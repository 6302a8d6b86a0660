import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import { showProblems } from './ast.ts';
import { checkCel } from './checker.ts';
import { evaluateCel } from './evaluator.ts';
import { parseCel } from './parser.ts';
import { celTypeOf, celValueOf } from './schema-values.ts';
import { CelError, type Value } from './values.ts';

const SCHEMA: JsonSchemaProps = {
  type: 'object',
  properties: {
    size: { type: 'integer' },
    ratio: { type: 'number' },
    name: { type: 'string' },
    tags: { type: 'array', items: { type: 'string' } },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    inner: { type: 'object', properties: { deep: { type: 'integer' }, namespace: { type: 'string' } } },
    port: { 'x-kubernetes-int-or-string': true },
    when: { type: 'string', format: 'date-time' },
    wait: { type: 'string', format: 'duration' },
    items: { type: 'array', items: { type: 'object', properties: { id: { type: 'integer' } } } },
    'dash-ed': { type: 'boolean' },
  },
};
const SELF = {
  size: 3,
  ratio: 0.5,
  name: 'Ann',
  tags: ['a', 'b'],
  labels: { k: 'v' },
  inner: { deep: 7 },
  port: 80,
  when: '2026-01-02T03:04:05Z',
  wait: '1h30m',
  items: [{ id: 1 }, { id: 2 }],
  'dash-ed': true,
};

function run(source: string): Value {
  const { expr, problems } = parseCel(source);
  if (expr === undefined) throw new Error(showProblems(source, problems));
  const type = celTypeOf(SCHEMA);
  if (type === undefined) throw new Error('no type');
  const checked = checkCel(expr, new Map([['self', type]]));
  if (checked.problems.length > 0) throw new Error(showProblems(source, checked.problems));
  return evaluateCel(expr, new Map([['self', celValueOf(SCHEMA, SELF)]]));
}

test.each([
  'self.size == 3 && self.ratio < 1.0',
  'self.size + 2 * 3 - 4 / 2 % 3 == 7',
  '-self.size == -3 && !(self.size > 3)',
  'self.size > 2.5 && 1u < self.size',
  "self.name.startsWith('A') && self.name.matches('^[A-Z][a-z]+$')",
  "self.name == 'Ann' ? true : false",
  "'a' in self.tags && !('c' in self.tags) && 'k' in self.labels",
  "self.tags.all(t, t.size() == 1) && self.tags.exists(t, t == 'b') && self.tags.exists_one(t, t == 'a')",
  "self.tags.map(t, t + '!') == ['a!', 'b!'] && self.tags.filter(t, t != 'a') == ['b']",
  "self.tags.map(t, t == 'a', t + t) == ['aa']",
  "self.labels.all(k, self.labels[k] == 'v')",
  'self.items.all(i, i.id > 0) && self.items[1].id == 2',
  'has(self.name) && !has(self.inner.__namespace__) && has(self.labels.k)',
  'self.port == 80 && type(self.port) == int',
  'self.dash__dash__ed',
  "self.when.getFullYear() == 2026 && self.when < timestamp('2026-02-01T00:00:00Z')",
  "self.when - timestamp('2026-01-02T03:04:00Z') == duration('5s')",
  "self.wait > duration('1h') && self.wait.getMinutes() == 90",
  "size(self.tags) == 2 && self.tags + ['c'] == ['a', 'b', 'c']",
  "string(self.size) == '3' && int('4') == 4 && double('1.5') == 1.5 && bool('true')",
  "'%s has %d of %.2f'.format([self.name, self.size, self.ratio]) == 'Ann has 3 of 0.50'",
  "'a,b'.split(',') == ['a', 'b'] && ['a', 'b'].join('-') == 'a-b' && 'abc'.substring(1, 2) == 'b'",
  "'Hello'.lowerAscii() == 'hello' && ' x '.trim() == 'x' && 'aXbX'.replace('X', '-', 1) == 'a-bX'",
  "'abc'.indexOf('c') == 2 && 'abc'.charAt(0) == 'a' && 'abc'.reverse() == 'cba'",
  '[1, 2, 3].isSorted() && [1, 2].sum() == 3 && [3, 1].min() == 1 && [3, 1].max() == 3 && [1, 2, 1].lastIndexOf(1) == 2',
  "'a1b22'.find('[0-9]+') == '1' && 'a1b22'.findAll('[0-9]+') == ['1', '22']",
  "isURL('https://a.example:80/p?q=1') && url('https://a.example:80/p?q=1').getPort() == '80' && url('https://a.example:80/p?q=1').getQuery()['q'] == ['1']",
  "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('50k').add(quantity('20k')) == quantity('70k') && isQuantity('1m') && !isQuantity('x')",
  "isIP('10.0.0.1') && ip('::1').family() == 6 && ip('127.0.0.1').isLoopback() && cidr('10.0.0.0/8').containsIP('10.1.2.3')",
  "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && string(cidr('10.1.2.3/8').masked()) == '10.0.0.0/8'",
  "!format.dns1123Label().validate('a-b').hasValue() && format.dns1123Label().validate('A').hasValue()",
  "self.?name.orValue('x') == 'Ann' && self.inner.?__namespace__.orValue('none') == 'none'",
  "self.?labels[?'k'].hasValue() && optional.of(1).optMap(x, x + 1).value() == 2",
  '{"a": 1}.a == 1 && {1: "b"}[1] == "b" && [1, 2][0] == 1',
  'sets.contains([1, 2], [2]) && sets.equivalent([1, 2], [2, 1])',
  'self.size == 0 || 1 / self.size == 0 || true',
  'false && 1 / 0 == 1 ? false : true',
  "['a', 'b'].all(i, v, i < 2 && v != 'c') && [1, 2].transformList(i, v, v * 2) == [2, 4]",
  "'it\\'s' == \"it's\" && r'\\d' == '\\\\d' && b'a' == bytes('a') && 0x10 == 16 && 1e2 == 100.0",
  "semver('1.2.3').isLessThan(semver('1.10.0'))",
])('%s', (source) => {
  expect(run(source)).toBe(true);
});

test.each([
  ['self.nope == 1', "ERROR: <input>:1:5: undefined field 'nope'\n | self.nope == 1\n | ....^"],
  ['foo == 1', "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo == 1\n | ^"],
  [
    'self.size == 1 || has(self.inner.nope)',
    "ERROR: <input>:1:22: undefined field 'nope'\n | self.size == 1 || has(self.inner.nope)\n | .....................^",
  ],
  [
    "self.size + 'a' == 3",
    "ERROR: <input>:1:11: found no matching overload for '_+_' applied to '(int, string)'\n | self.size + 'a' == 3\n | ..........^",
  ],
  [
    'self.name.startsWith(1)',
    "ERROR: <input>:1:21: found no matching overload for 'startsWith' applied to 'string.(int)'\n | self.name.startsWith(1)\n | ....................^",
  ],
  [
    "self.size == 'x'",
    "ERROR: <input>:1:11: found no matching overload for '_==_' applied to '(int, string)'\n | self.size == 'x'\n | ..........^",
  ],
  ['self.size.x', "ERROR: <input>:1:10: type 'int' does not support field selection\n | self.size.x\n | .........^"],
  [
    'size(self.size)',
    "ERROR: <input>:1:5: found no matching overload for 'size' applied to '(int)'\n | size(self.size)\n | ....^",
  ],
  [
    'self.name.nope()',
    "ERROR: <input>:1:15: undeclared reference to 'nope' (in container '')\n | self.name.nope()\n | ..............^",
  ],
  [
    'self.size.all(x, x)',
    "ERROR: <input>:1:5: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)\n | self.size.all(x, x)\n | ....^",
  ],
  ["[1, 'a']", "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a']\n | ....^"],
  ['has(self)', 'ERROR: <input>:1:5: invalid argument to has() macro\n | has(self)\n | ....^'],
  [
    'self.size ==',
    "ERROR: <input>:1:13: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | self.size ==\n | ............^",
  ],
])('refuses %s', (source, message) => {
  expect(() => run(source)).toThrow(message);
});

test.each([
  ['1 / (self.size - 3) == 1', 'division by zero'],
  ['self.tags[5] == "a"', 'index out of bounds: 5'],
  ["self.labels['x'] == 'y'", 'no such key: x'],
  ['self.inner.__namespace__ == "x"', 'no such key: __namespace__'],
  ['9223372036854775807 + self.size > 0', 'integer overflow'],
  ["self.port.startsWith('x')", 'no such overload'],
])('%s fails', (source, message) => {
  expect(() => run(source)).toThrow(new CelError(message));
});

test('too deep and too long expressions are refused, not walked', () => {
  const deep = `self${'.a'.repeat(20_000)}`;
  expect(parseCel(deep).problems[0]?.message).toBe('expression recursion limit exceeded: 250');
  expect(parseCel('('.repeat(5_000)).problems[0]?.message).toBe('expression recursion limit exceeded: 250');
  expect(parseCel('1 + '.repeat(10_000).concat('1')).problems[0]?.message).toBe(
    'expression recursion limit exceeded: 250',
  );
  expect(parseCel('a'.repeat(200_000)).problems[0]?.message).toContain('exceeds limit');
});

test('whatever is written: a tree or problems, a value or an error of CEL', () => {
  const word = fc.constantFrom(
    ...[
      'self',
      'self.size',
      'self.tags',
      'self.name',
      'x',
      '1',
      '-1',
      '9223372036854775807',
      '1.5',
      "'a'",
      "b'\\x00'",
      'true',
    ],
    ...[
      'null',
      '[',
      ']',
      '{',
      '}',
      '(',
      ')',
      '.',
      '?',
      ':',
      ',',
      '+',
      '-',
      '*',
      '/',
      '%',
      '<',
      '==',
      '!=',
      '&&',
      '||',
      '!',
      ' in ',
    ],
    ...[
      '.all(',
      '.map(',
      '.exists(',
      '.filter(',
      'has(',
      'size(',
      '.format(',
      '.matches(',
      'timestamp(',
      'duration(',
      'int(',
    ],
    ...[
      '.getHours(',
      '.split(',
      '.substring(',
      'quantity(',
      'ip(',
      'cidr(',
      'url(',
      '"%.500f %e %x"',
      'optional.of(',
      '.orValue(',
    ],
  );
  const type = celTypeOf(SCHEMA);
  if (type === undefined) throw new Error('no type');
  const self = celValueOf(SCHEMA, SELF);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(word, { maxLength: 14 }).map((words) => words.join('')),
        fc.string(),
      ),
      (source) => {
        const { expr, problems } = parseCel(source);
        if (expr === undefined) {
          expect(showProblems(source, problems)).toContain('ERROR: <input>:');
          return;
        }
        checkCel(expr, new Map([['self', type]]));
        try {
          evaluateCel(expr, new Map([['self', self]]));
        } catch (error) {
          expect(error).toBeInstanceOf(CelError);
        }
      },
    ),
    { numRuns: 3_000, seed: 42 },
  );
});
