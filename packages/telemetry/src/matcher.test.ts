import { describe, expect, it } from 'vitest';
import { Labels } from './labels.ts';
import { createMatcher, matchesAll } from './matcher.ts';

describe('createMatcher', () => {
  it.each([
    ['=', 'a', 'a', true],
    ['=', 'a', 'ab', false],
    ['!=', 'a', '', true],
    ['=~', 'a|b', 'b', true],
    ['=~', 'a|b', 'ab', false],
    ['=~', 'a.*', 'abc', true],
    ['=~', 'a.+', 'a', false],
    ['=~', '.*', '', true],
    ['=~', '.+', '', false],
    ['=~', 'a.c', 'a\nc', true],
    ['=~', '(?i)abc', 'ABC', true],
    ['=~', 'ab?c', 'ac', true],
    ['=~', 'ab*', 'a', true],
    ['=~', 'b', 'abc', false],
    ['!~', 'a|b', 'a', false],
    ['!~', 'a|b', '', true],
    ['=~', '', '', true],
    ['=~', '', 'x', false],
    ['=~', 'a|', '', true],
  ] as const)('%s %j on %j is %s', (operator, expression, value, wanted) => {
    expect(createMatcher('x', operator, expression).matches(value)).toBe(wanted);
  });

  it('tells an index what can match', () => {
    expect(createMatcher('x', '=', 'a').values).toEqual(['a']);
    expect(createMatcher('x', '=~', 'a|b').values).toEqual(['a', 'b']);
    expect(createMatcher('x', '=~', 'ab.*').prefix).toBe('ab');
    expect(createMatcher('x', '=~', 'abc+d').prefix).toBe('abc');
    expect(createMatcher('x', '=~', 'abc?d').prefix ?? '').not.toContain('abc');
    expect(createMatcher('x', '=~', 'a.*|b').prefix).toBeUndefined();
  });

  it('refuses what is not RE2', () => {
    expect(() => createMatcher('x', '=~', '(')).toThrow('error parsing regexp: missing closing ): `(`');
  });

  it('sees an absent label as empty', () => {
    const labels = Labels.fromObject({ a: '1' });
    expect(matchesAll(labels, [createMatcher('a', '=', '1'), createMatcher('b', '=', '')])).toBe(true);
    expect(matchesAll(labels, [createMatcher('b', '=~', '.+')])).toBe(false);
  });
});
