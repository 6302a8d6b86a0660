import { isStaleAt, markStaleAt } from '@kind-e2e/telemetry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packSamples, unpackSamples } from './packed-chunk.ts';

function roundTrip(
  times: readonly number[],
  values: Float64Array,
): { bytes: number; values: Float64Array } | undefined {
  const packed = packSamples(Float64Array.from(times), values, times.length);
  if (packed === undefined) return undefined;
  const outTimes = new Float64Array(times.length + 2);
  const outValues = new Float64Array(times.length + 2);
  unpackSamples(packed, times.length, outTimes, outValues, 1);
  expect([...outTimes.subarray(1, -1)]).toEqual(times);
  return { bytes: packed.length, values: outValues.slice(1, -1) };
}

const scrapes = (count: number): number[] => Array.from({ length: count }, (_, i) => 1_767_225_600_123 + i * 15_000);

describe('packed chunks', () => {
  it('take a byte a sample where a counter grows by less than 256, and none where nothing changes', () => {
    let count = 0;
    const counter = Float64Array.from({ length: 256 }, (_, i) => (count += (i * 97) % 256));
    const packed = roundTrip(scrapes(256), counter);
    expect(packed?.values).toEqual(counter);
    expect(packed?.bytes).toBeLessThan(256 + 40);
    const constant = roundTrip(scrapes(256), new Float64Array(256).fill(0.25));
    expect(constant?.bytes).toBeLessThan(40);
  });

  it('keep decimals, NaN and stale markers', () => {
    const values = Float64Array.from([20.25, Number.NaN, 20.3, -7.000001, Number.NaN, 1e9]);
    markStaleAt(values, 4);
    const packed = roundTrip([1, 2, 4, 8, 1000, 1001], values);
    expect(packed?.values).toEqual(values);
    expect([1, 4].map((i) => isStaleAt(packed?.values ?? values, i))).toEqual([false, true]);
  });

  it.each([[0.1 + 0.2], [1e20], [-0], [Number.POSITIVE_INFINITY]])('leave %d to the other coding', (value) => {
    expect(packSamples(Float64Array.from([1, 2]), Float64Array.from([1, value]), 2)).toBeUndefined();
  });

  it('give back whatever they take', () => {
    const value = fc.oneof(
      fc.integer(),
      fc.maxSafeInteger(),
      fc.integer({ min: -1e9, max: 1e9 }).map((whole) => whole / 1000),
      fc.constantFrom(0, 1, 1, 1, Number.NaN, 2 ** 49, -(2 ** 49)),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.oneof(fc.constant(15_000), fc.nat(100), fc.nat(1e12)), value), {
          minLength: 1,
          maxLength: 300,
        }),
        (steps) => {
          let time = 1_767_225_600_000;
          const times = steps.map(([step]) => (time += step + 1));
          const values = Float64Array.from(steps, ([, one]) => one);
          const packed = roundTrip(times, values);
          if (packed !== undefined) expect([...packed.values]).toEqual([...values].map((one) => one + 0));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are refused where they are damaged, whatever the damage', () => {
    const counter = Float64Array.from({ length: 256 }, (_, i) => i * 17 + (i % 5));
    const packed = packSamples(Float64Array.from(scrapes(256)), counter, 256) ?? new Uint8Array();
    const times = new Float64Array(256);
    const values = new Float64Array(256);
    for (let length = 0; length < packed.length; length++)
      expect(() => unpackSamples(packed.subarray(0, length), 256, times, values, 0)).toThrow('the data ends');
  });
});
