import { expect, it } from 'vitest';
import { completionPlace } from './logql-completion.ts';

it.each([
  ['{', { kind: 'label', text: '' }],
  ['{app="x", na', { kind: 'label', text: 'na' }],
  ['{app="bus', { kind: 'value', label: 'app', text: 'bus' }],
  ['{app=~"', { kind: 'value', label: 'app', text: '' }],
  ['{app="x"} |', { kind: 'stage', text: '' }],
  ['{app="x"} | js', { kind: 'stage', text: 'js' }],
  ['sum(ra', { kind: 'function', text: 'ra' }],
  ['{app="x"} |= "lit', undefined],
])('knows what comes next in %s', (before, place) => {
  expect(completionPlace(before)).toEqual(place);
});
