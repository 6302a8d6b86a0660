import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
} from './quantity.ts';

describe('canonical text', () => {
  test.each([
    ['1000m', '1'],
    ['1', '1'],
    ['1.5', '1500m'],
    ['0.5Gi', '512Mi'],
    ['1024Mi', '1Gi'],
    ['1025Mi', '1025Mi'],
    ['1500Ki', '1500Ki'],
    ['0', '0'],
    ['0Gi', '0'],
    ['-1', '-1'],
    ['1e3', '1e3'],
    ['1E6', '1e6'],
    ['12e6', '12e6'],
    ['100k', '100k'],
    ['1000k', '1M'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['+5', '5'],
    ['.5', '500m'],
    ['5.', '5'],
    ['1E', '1E'],
    ['123456789', '123456789'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  test.each(['', '1Q', 'abc', '1 Gi', '--1', '1.2.3', '1KiB', '1e', '0x10', '1mm'])('%j is no quantity', (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  test('printing and reading again changes nothing', () => {
    const suffix = fc.constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'u', 'n', 'e3');
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), suffix, (number, unit) => {
        const first = parseQuantity(`${number}${unit}`)!;
        const again = parseQuantity(formatQuantity(first))!;
        expect(compareQuantities(first, again)).toBe(0);
        expect(formatQuantity(again)).toBe(formatQuantity(first));
      }),
    );
  });

  test('sums are exact', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (left, right) => {
        const sum = addQuantities(parseQuantity(`${left}m`)!, parseQuantity(`${right}m`)!);
        expect(quantityMilliValue(sum)).toBe(left + right);
      }),
    );
  });

  test('whole units are rounded up', () => {
    expect(quantityValue(parseQuantity('1500m')!)).toBe(2);
    expect(quantityValue(parseQuantity('1Ki')!)).toBe(1024);
  });
});
