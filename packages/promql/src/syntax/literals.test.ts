import { describe, expect, it } from 'vitest';
import { parseExpr } from './index.ts';

describe('literals that Prometheus takes and the grammar does not', () => {
  it.each([
    ['vector(5.)', 5],
    ['vector(0x_1F)', 31],
    ['vector(0X1F)', 31],
    ['vector(1_000)', 1000],
    ['vector(017)', 15],
  ])('%s', (query, value) => {
    expect(parseExpr(query)).toMatchObject({ args: [{ kind: 'number', value }] });
  });
});

describe('words for bad literals', () => {
  it.each([
    ['0b11', '1:1: parse error: bad number or duration syntax: "0"'],
    ['5mx', '1:1: parse error: bad number or duration syntax: "5mx"'],
    ['1__0', '1:1: parse error: bad number or duration syntax: "1__"'],
    ['0x5e', '1:1: parse error: bad number or duration syntax: "0x5e"'],
    ['vector(1_)', '1:8: parse error: error parsing number: strconv.ParseFloat: parsing "1_": invalid syntax'],
    ['vector(0x.)', '1:8: parse error: error parsing number: strconv.ParseFloat: parsing "0x.": invalid syntax'],
    [
      'vector(1e400)',
      '1:8: parse error: error parsing number: strconv.ParseFloat: parsing "1e400": value out of range',
    ],
    ['vector(1eEs)', '1:8: parse error: unknown unit "eEs" in duration "1eEs"'],
    ['x[5m5m]', '1:3: parse error: not a valid duration string: "5m5m"'],
    ['x[1m1h]', '1:3: parse error: not a valid duration string: "1m1h"'],
    ['x offset .5h', '1:10: parse error: not a valid duration string: ".5h"'],
    ['x[300y]', '1:3: parse error: duration out of range'],
    ['x[0x+]', '1:3: parse error: error parsing number: strconv.ParseFloat: parsing "0x": invalid syntax'],
    ['x[1-g]', '1:5: parse error: unexpected "g" in subquery selector, expected number or duration'],
    ['x[1 mm]', "1:6: parse error: unexpected colon 'm'"],
    ['x[5m:.]', "1:6: parse error: unexpected character: '.'"],
    ['x offset 0xde', '1:10: parse error: bad number or duration syntax: "0xde"'],
  ])('%s', (query, message) => {
    expect(() => parseExpr(query)).toThrow(message);
  });
});

describe('where an operator is said to be', () => {
  it.each([
    ['sum(a) by (x) < on(s) group_right(s) c', '1:15'],
    ['count(a == ignoring() b) < on(s) group_right(s) c', '1:23'],
    ['count(a == on() b) by (x) < on(s) group_right(s) c', '1:20'],
    ['abs(a @ start()) < on(s) group_right(s) c', '1:16'],
    ['(abs(a)) + bool c', '1:10'],
  ])('%s', (query, position) => {
    expect(() => parseExpr(query)).toThrow(`${position}: parse error: `);
  });
});
