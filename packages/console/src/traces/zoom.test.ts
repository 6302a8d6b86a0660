import { expect, it } from 'vitest';
import { formatZoom, parseZoom } from './zoom.ts';

it.each([
  ['0.25-0.5', [0.25, 0.5]],
  ['0-0.1', [0, 0.1]],
  ['0.5-1', [0.5, 1]],
  ['', [0, 1]],
  ['0.5-0.25', [0, 1]],
  ['0.5-0.5', [0, 1]],
  ['0.5-2', [0, 1]],
  ['-1-1', [0, 1]],
  ['a-b', [0, 1]],
])('reads %s', (text, zoom) => {
  expect(parseZoom(text)).toEqual(zoom);
});

it('writes what it reads, and nothing for the whole', () => {
  expect(formatZoom([0, 1])).toBeUndefined();
  expect(parseZoom(formatZoom([0.123_456_789, 0.9]) ?? '')).toEqual([0.123457, 0.9]);
});
