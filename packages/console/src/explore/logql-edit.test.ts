import { expect, it } from 'vitest';
import { addMatcher, exactSelector } from './logql-edit.ts';

it('adds a matcher and replaces one of the same label', () => {
  expect(addMatcher('{app="a"} |= "x"', 'pod', 'p-1')).toBe('{app="a", pod="p-1"} |= "x"');
  expect(addMatcher('rate({app="a", pod=~".+"}[1m])', 'pod', 'p')).toBe('rate({app="a", pod="p"}[1m])');
  expect(exactSelector({ app: 'a', detected_level: 'info' })).toBe('{app="a"}');
});
