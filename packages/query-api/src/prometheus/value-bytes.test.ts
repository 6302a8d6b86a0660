import { describe, expect, it } from 'vitest';
import { MAX_VALUE_BYTES, timestampText, valueText, writeTimestamp, writeValue } from './value-bytes.ts';

const bytes = Buffer.alloc(MAX_VALUE_BYTES);

function written(value: number): string {
  return bytes.toString('latin1', 0, writeValue(bytes, 0, value));
}

describe('writeValue', () => {
  it.each([
    [0, '0'],
    [-0, '-0'],
    [7, '7'],
    [-12, '-12'],
    [2147483647, '2147483647'],
    [-2147483648, '-2147483648'],
    [4294967296.5, '4294967296.5'],
    [999999999999999, '999999999999999'],
    [1e20, '100000000000000000000'],
    [1e21, '1e+21'],
    [0.1 + 0.2, '0.30000000000000004'],
    [0.000001, '0.000001'],
    [0.0000001, '1e-07'],
    [-2.5e-9, '-2.5e-09'],
    [1e300, '1e+300'],
    [12.340001, '12.340001'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'],
    [5e-324, '5e-324'],
  ])('writes %d as %s', (value, text) => {
    expect(written(value)).toBe(text);
  });

  it('writes what the text of the number is, whatever the number', () => {
    let seed = 1;
    const random = (): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed / 2 ** 32;
    };
    for (let i = 0; i < 50_000; i++) {
      const places = 10 ** Math.floor(random() * 10);
      const size = 10 ** Math.floor(random() * 22 - 4);
      const value = (random() < 0.5 ? -1 : 1) * (i % 2 === 0 ? random() * size : Math.round(random() * size) / places);
      expect(written(value)).toBe(valueText(value));
      expect(Number(written(value))).toBe(value);
    }
  });
});

describe('writeTimestamp', () => {
  it.each([0, 1, -1, 999, 1000, -1500, 1767225600000, 1767225600123, 1767225600100, -9007199254740991, 8.64e15])(
    'writes %d ms as its text',
    (timeMs) => {
      expect(bytes.toString('latin1', 0, writeTimestamp(bytes, 0, timeMs))).toBe(timestampText(timeMs));
    },
  );
});
