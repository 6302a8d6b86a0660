import { expect, it } from 'vitest';
import { milliseconds } from '../units/brands.ts';
import {
  absolute,
  parseDuration,
  promDuration,
  rateInterval,
  resolveInstant,
  resolveRange,
  shifted,
  stepFor,
  timeTicks,
} from './range.ts';

const now = milliseconds(Date.UTC(2026, 0, 12, 11, 8, 57));

it('resolves relative, absolute and ISO instants', () => {
  expect(resolveInstant('now-1h', now)).toBe(now - 3_600_000);
  expect(resolveInstant('now-1h30m', now)).toBe(now - 5_400_000);
  expect(resolveInstant('1768216137000', now)).toBe(1_768_216_137_000);
  expect(resolveInstant('2026-01-12T11:00:00Z', now)).toBe(Date.UTC(2026, 0, 12, 11));
  expect(resolveInstant('yesterday-ish', now)).toBeUndefined();
});

it('falls back when the range is upside down', () => {
  expect(resolveRange({ from: 'now', to: 'now-1h' }, now)).toEqual({ from: now - 900_000, to: now });
});

it('chooses a step that keeps the number of points down', () => {
  expect(stepFor({ from: milliseconds(now - 900_000), to: now }, 200)).toBe(5);
  expect(stepFor({ from: milliseconds(now - 86_400_000), to: now }, 500)).toBe(300);
});

it('shifts by half the width', () => {
  expect(shifted({ from: milliseconds(1000), to: milliseconds(3000) }, -1)).toEqual(absolute(0, 2000));
});

it('reads and writes durations', () => {
  expect(parseDuration('1m30s')).toBe(90_000);
  expect(parseDuration('250ms')).toBe(250);
  expect(parseDuration('soon')).toBeUndefined();
  expect(promDuration(90)).toBe('90s');
  expect(promDuration(7200)).toBe('2h');
  expect(rateInterval(5)).toBe(20);
});

it('puts ticks on round times', () => {
  const range = { from: milliseconds(now - 900_000), to: now };
  const ticks = timeTicks(range, 4);
  expect(ticks.length).toBeGreaterThan(1);
  expect(ticks.length).toBeLessThanOrEqual(5);
  for (const at of ticks) expect(new Date(at).getSeconds()).toBe(0);
  expect(ticks.every((at) => at >= range.from && at <= range.to)).toBe(true);
});
