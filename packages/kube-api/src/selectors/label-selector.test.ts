import { describe, expect, test } from 'vitest';
import {
  formatLabelSelector,
  formatLabelSelectorObject,
  labelSelectorOf,
  matchesLabels,
  parseLabelSelector,
} from './label-selector.ts';

describe('text', () => {
  test.each([
    ['a=b', { a: 'b' }, true],
    ['a=b,c!=d', { a: 'b', c: 'd' }, false],
    ['a in (b,c),tier!=y', { a: 'c', tier: 'x' }, true],
    ['a notin (b)', {}, true],
    ['!a', { a: 'x' }, false],
    ['a', { a: '' }, true],
    ['a>3', { a: '4' }, true],
    ['a<3', { a: '4' }, false],
    ['a==', { a: '' }, true],
    ['in in (in)', { in: 'in' }, true],
    ['', { any: 'thing' }, true],
  ])('%s', (text, labels, matches) => {
    expect(matchesLabels(parseLabelSelector(text), labels)).toBe(matches);
  });

  test.each([
    ['a===', "unable to parse requirement: found '=', expected: identifier"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a=b,,', "found ',', expected: identifier after ','"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
  ])('%s is refused', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message);
  });
});

test('objects', () => {
  const selector = { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'c', operator: 'In', values: ['e', 'd'] }] };
  expect(formatLabelSelector(labelSelectorOf(selector)!)).toBe('a=b,c in (d,e)');
  expect(formatLabelSelectorObject(undefined)).toBe('<none>');
  expect(formatLabelSelectorObject({})).toBe('<none>');
  expect(matchesLabels(labelSelectorOf(undefined), { a: 'b' })).toBe(false);
});
