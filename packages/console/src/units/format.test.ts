import { expect, it } from 'vitest';
import { microseconds } from './brands.ts';
import { formatAge, formatDuration, formatNumber, formatRate, formatUnitText, isKnownUnit } from './format.ts';

it.each([
  [0, '0'],
  [1234.5, '1235'],
  [12.345, '12.3'],
  [0.00012345, '0.000123'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, '+Inf'],
])('formats %d with three significant digits', (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

it.each([
  [1536, 'bytes', undefined, '1.5 KiB'],
  [0.1234, 'percentunit', 1, '12.3%'],
  [0.25, 's', undefined, '250 ms'],
  [3.0, 's', undefined, '3 s'],
  [90, 's', undefined, '1.5 min'],
  [2500, 'ms', undefined, '2.5 s'],
  [0.05, 'cores', undefined, '50 mCPU'],
  [12_345, 'reqps', undefined, '12.3 K req/s'],
  [5, 'suffix:apples', undefined, '5 apples'],
  [5, 'prefix:v', undefined, 'v5'],
  [null, 'bytes', undefined, '–'],
] as const)('writes %s in %s', (value, unit, decimals, text) => {
  expect(formatUnitText(value, unit, decimals)).toBe(text);
});

it('knows which units it knows', () => {
  expect(isKnownUnit('bytes')).toBe(true);
  expect(isKnownUnit('suffix:x')).toBe(true);
  expect(isKnownUnit('flops')).toBe(false);
});

it.each([
  [412, '412 µs'],
  [3_004_120, '3 s'],
  [3_010_120, '3.01 s'],
  [12_340, '12.3 ms'],
  [75_000_000, '1 min 15 s'],
])('writes a span of %d µs', (us, text) => {
  expect(formatDuration(microseconds(us))).toBe(text);
});

it.each([
  [5_000, '5s'],
  [125_000, '2m5s'],
  [900_000, '15m'],
  [3 * 3600_000 + 60_000 * 20, '3h20m'],
  [50 * 3600_000, '2d2h'],
])('writes an age of %d ms as kubectl does', (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});

it('writes small rates per minute', () => {
  expect([formatRate(5.5), formatRate(0.01), formatRate(0)]).toEqual(['5.5 req/s', '0.6 req/min', '0 req/s']);
});
