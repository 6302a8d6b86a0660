import { describe, expect, it } from 'vitest';
import { CronSchedule, CronSyntaxError } from './cron-schedule.ts';

const next = (schedule: string, after: string, zone?: string): string | undefined => {
  const at = new CronSchedule(schedule, zone).next(Date.parse(after));
  return at === undefined ? undefined : new Date(at).toISOString().slice(0, 16);
};

describe('cron schedule', () => {
  it.each([
    ['*/5 * * * *', '2026-01-01T00:01:00Z', '2026-01-01T00:05'],
    ['*/5 * * * *', '2026-01-01T00:05:00Z', '2026-01-01T00:10'],
    ['0 0 * * *', '2026-01-01T00:00:00Z', '2026-01-02T00:00'],
    ['30 9-17/4 * * mon-fri', '2026-01-03T00:00:00Z', '2026-01-05T09:30'],
    ['0 12 13 * 5', '2026-01-01T13:00:00Z', '2026-01-02T12:00'],
    ['0 0 29 feb *', '2026-01-01T00:00:00Z', '2028-02-29T00:00'],
    ['@hourly', '2026-01-01T00:30:00Z', '2026-01-01T01:00'],
    ['@weekly', '2026-01-01T00:30:00Z', '2026-01-04T00:00'],
    ['@every 1.5h', '2026-01-01T00:00:00Z', '2026-01-01T01:30'],
    ['@every 90m', '2026-01-01T00:00:00Z', '2026-01-01T01:30'],
  ])('%s after %s is %s', (schedule, after, expected) => {
    expect(next(schedule, after)).toBe(expected);
  });

  it('counts in the time zone, over changes of the clock', () => {
    expect(next('0 9 * * *', '2026-07-01T00:00:00Z', 'Europe/Berlin')).toBe('2026-07-01T07:00');
    expect(next('0 9 * * *', '2026-01-01T00:00:00Z', 'Europe/Berlin')).toBe('2026-01-01T08:00');
    expect(next('0 12 29 3 *', '2026-03-28T00:00:00Z', 'Europe/Berlin')).toBe('2026-03-29T10:00');
  });

  it('never comes for a day that is not', () => {
    expect(next('0 0 30 2 *', '2026-01-01T00:00:00Z')).toBeUndefined();
  });

  it.each(['whenever', '* * * *', '60 * * * *', '*/0 * * * *', '5-1 * * * *', 'a * * * *', '0 0 * * 7'])(
    'refuses %s',
    (text) => {
      expect(() => new CronSchedule(text)).toThrow(CronSyntaxError);
    },
  );
});
