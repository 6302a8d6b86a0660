import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cronProblem } from '../validation/cron.ts';
import { base64Problem } from './base64.ts';
import { duplicateFields } from './duplicate-fields.ts';
import { formatGoDuration, humanDuration, parseGoDuration } from './duration.ts';
import { goJsonProblem } from './go-json.ts';
import { unifiedDiff } from './text-diff.ts';
import { formatMicroTime, formatTime, parseRfc3339 } from './time.ts';

describe('JSON problems in the words of Go', () => {
  test.each([
    ['{"kind":', 'unexpected end of JSON input'],
    ['not json', "invalid character 'o' in literal null (expecting 'u')"],
    ['x', "invalid character 'x' looking for beginning of value"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{} {}', "invalid character '{' after top-level value"],
    ['{a: 1}', "invalid character 'a' looking for beginning of object key string"],
    ['01', "invalid character '1' after top-level value"],
    ['"\\x"', "invalid character 'x' in string escape code"],
  ])('%s', (text, message) => {
    expect(goJsonProblem(text)).toBe(message);
  });

  test('agrees with JSON.parse on what is JSON', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        let good = true;
        try {
          JSON.parse(text);
        } catch {
          good = false;
        }
        expect(goJsonProblem(text) === undefined).toBe(good);
      }),
    );
  });
});

test('duplicate fields', () => {
  expect(duplicateFields('{"a":1,"b":{"c":[{"d":1,"d":2}],"c":3},"a":2}')).toEqual([
    'duplicate field "b.c[0].d"',
    'duplicate field "b.c"',
    'duplicate field "a"',
  ]);
  expect(duplicateFields('{"a":{"b":1},"c":{"b":2},"d":["a","a"]}')).toEqual([]);
});

test.each([
  ['YQ==', undefined],
  ['', undefined],
  ['***', 'illegal base64 data at input byte 0'],
  ['YWJj*', 'illegal base64 data at input byte 4'],
  ['YQ=x', 'illegal base64 data at input byte 3'],
])('base64 %j', (text, problem) => {
  expect(base64Problem(text)).toBe(problem);
});

test.each([
  ['*/5 * * * *', undefined],
  ['@hourly', undefined],
  ['0 0 1 jan mon-fri', undefined],
  ['whenever', 'expected exactly 5 fields, found 1: [whenever]'],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['@nope', 'unrecognized descriptor: @nope'],
])('schedule %j', (schedule, problem) => {
  expect(cronProblem(schedule)).toBe(problem);
});

test('durations and ages', () => {
  expect(parseGoDuration('1h30m')).toBe(5_400_000);
  expect(parseGoDuration('1.5s')).toBe(1500);
  expect(parseGoDuration('5')).toBeUndefined();
  expect(formatGoDuration(5_400_000)).toBe('1h30m0s');
  const minute = 60_000;
  const hour = 60 * minute;
  const ages: [number, string][] = [
    [0, '0s'],
    [119_000, '119s'],
    [2 * minute, '2m'],
    [5 * minute + 3000, '5m3s'],
    [20 * minute, '20m'],
    [3 * hour + 5 * minute, '3h5m'],
    [30 * hour, '30h'],
    [50 * hour, '2d2h'],
    [400 * 24 * hour, '400d'],
    [800 * 24 * hour, '2y70d'],
    [-5000, '<invalid>'],
  ];
  for (const [ms, text] of ages) expect(humanDuration(ms)).toBe(text);
});

test('times', () => {
  expect(formatTime(parseRfc3339('2026-01-02T03:04:05+02:00')!.ms)).toBe('2026-01-02T01:04:05Z');
  expect(parseRfc3339('2026-02-30T00:00:00Z')).toBeUndefined();
  expect(formatMicroTime(1.5)).toBe('1970-01-01T00:00:00.001500Z');
});

test('diffs show three lines around a change', () => {
  const before = Array.from({ length: 12 }, (_, index) => `line ${index}`).join('\n');
  expect(unifiedDiff(before, before.replace('line 5', 'changed'))).toBe(
    '@@ -3,7 +3,7 @@\n line 2\n line 3\n line 4\n-line 5\n+changed\n line 6\n line 7\n line 8\n',
  );
  expect(unifiedDiff(before, before)).toBe('');
});
