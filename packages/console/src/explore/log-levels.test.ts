import { expect, it } from 'vitest';
import { highlightParts, levelOf, needlesOf, volumeQuery } from './log-levels.ts';

it.each([
  ['2026-01-12 11:08:57,516 INFO [views] [trace_id=abc] - Calling', 'info'],
  ['2026-01-12 WARNING slow', 'warn'],
  ['{"level":50,"msg":"x"}', 'error'],
  ['GET / 200', 'unknown'],
])('finds the level in %s', (line, level) => {
  expect(levelOf(line, {})).toBe(level);
});

it('believes labels first', () => {
  expect(levelOf('ERROR', { level: 'debug' })).toBe('debug');
});

it('marks what was searched for', () => {
  expect(needlesOf('{a="b"} |= "x\\"y" |= `z`')).toEqual(['x"y', 'z']);
  expect(highlightParts('a.b a', ['a.b'])).toEqual([
    { text: 'a.b', isHit: true },
    { text: ' a', isHit: false },
  ]);
});

it('asks for volume only for lines', () => {
  expect(volumeQuery('{app="x"} |= "y"', '15s')).toBe(
    'sum by (detected_level) (count_over_time({app="x"} |= "y"[15s]))',
  );
  expect(volumeQuery('rate({app="x"}[1m])', '15s')).toBeUndefined();
});
