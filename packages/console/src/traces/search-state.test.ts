import { expect, it } from 'vitest';
import { durationBins, isSearchDuration, parseTags, sortRows } from './search-state.ts';

it('reads tags with and without quotes', () => {
  expect(parseTags('error=true http.url="a b \\"c\\""').tags).toEqual({ error: 'true', 'http.url': 'a b "c"' });
  expect(parseTags('error').problem).toContain('error');
  expect(parseTags('  ')).toEqual({ tags: {}, problem: undefined });
});

it('knows a duration', () => {
  expect(['', '1.5s', '100ms', '20us'].every(isSearchDuration)).toBe(true);
  expect(isSearchDuration('fast')).toBe(false);
});

const rows = [
  { id: 'a', start: 1, duration: 3_000_000, spans: 13, errors: 0 },
  { id: 'b', start: 2, duration: 4000, spans: 9, errors: 1 },
  { id: 'c', start: 3, duration: 5000, spans: 9, errors: 0 },
];

it('sorts', () => {
  expect(sortRows(rows, 'longest').map((row) => row.id)).toEqual(['a', 'c', 'b']);
  expect(sortRows(rows, 'errors').map((row) => row.id)).toEqual(['b', 'c', 'a']);
  expect(sortRows(rows, 'newest').map((row) => row.id)).toEqual(['c', 'b', 'a']);
});

it('counts every trace in one bin', () => {
  const bins = durationBins(rows, 10);
  expect(bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(3);
  expect(bins[0]?.count).toBe(2);
  expect(bins.at(-1)?.count).toBe(1);
  expect(durationBins(rows.slice(0, 1)).reduce((sum, bin) => sum + bin.count, 0)).toBe(1);
});
