import { expect, it } from 'vitest';
import { addMatcher, exactSelector } from './logql-edit.ts';

it('adds a matcher and replaces one of the same label', () => {
  expect(addMatcher('{app="a"} |= "x"', 'pod', 'p-1')).toBe('{app="a", pod="p-1"} |= "x"');
  expect(addMatcher('rate({app="a", pod=~".+"}[1m])', 'pod', 'p')).toBe('rate({app="a", pod="p"}[1m])');
  expect(exactSelector({ app: 'a', detected_level: 'info' })).toBe('{app="a"}');
});

it('takes a value out', () => {
  expect(addMatcher('{app="a"}', 'pod', 'p', '!=')).toBe('{app="a", pod!="p"}');
  expect(addMatcher('{app="a"}', 'app', 'a', '!=')).toBe('{namespace=~".+", app!="a"}');
  expect(addMatcher('{namespace="default"}', 'namespace', 'default', '!=')).toBe('{app=~".+", namespace!="default"}');
});
