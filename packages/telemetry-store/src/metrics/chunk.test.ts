import { isStaleAt } from '@kind-e2e/telemetry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSamples, SampleChunk } from './chunk.ts';

function roundTrip(samples: readonly (readonly [number, number, boolean?])[]): {
  chunk: SampleChunk;
  times: Float64Array;
  values: Float64Array;
} {
  const chunk = new SampleChunk();
  for (const [time, value, stale] of samples) chunk.append(time, value, stale ?? false, 1);
  const times = new Float64Array(samples.length);
  const values = new Float64Array(samples.length);
  decodeSamples(chunk.encoded().slice(), samples.length, times, values, 0);
  return { chunk, times, values };
}

describe('SampleChunk', () => {
  it('keeps what comes after a NaN of any payload', () => {
    // Go's math.NaN(), as remote write sends it; JavaScript's own ends in a zero.
    const nan = new Float64Array(new BigUint64Array([0x7ff8000000000001n]).buffer)[0] ?? 0;
    const { values } = roundTrip([
      [1, 5],
      [2, nan],
      [3, Infinity],
      [4, nan],
      [5, 0.1],
    ]);
    expect([...values]).toEqual([5, Number.NaN, Infinity, Number.NaN, 0.1]);
  });

  it('gives back any rising times and any values', () => {
    const value = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom(0, -0, 1, 1, 1, 0.1, Infinity, -Infinity, Number.NaN, 2 ** 53, -(2 ** 53), 1e300, 5e-324),
      fc.maxSafeInteger(),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.oneof(fc.constant(15000), fc.nat(100), fc.nat(1e12)), value, fc.boolean()), {
          minLength: 1,
          maxLength: 600,
        }),
        (steps) => {
          let time = 1_767_225_600_000;
          const samples = steps.map(([step, v, stale], i) => {
            time += step + 1;
            return [time, v, stale && i % 7 === 0] as const;
          });
          const { times, values } = roundTrip(samples);
          samples.forEach(([t, v, stale], i) => {
            expect(times[i]).toBe(t);
            if (stale) expect(isStaleAt(values, i)).toBe(true);
            else {
              expect(isStaleAt(values, i)).toBe(false);
              expect(values[i]).toBe(v);
            }
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes next to nothing for a constant and about two bytes for a counter', () => {
    const constant = roundTrip(Array.from({ length: 256 }, (_, i) => [1e12 + i * 5000, 42] as const));
    expect(constant.chunk.byteLength).toBeLessThan(40);
    let total = 0;
    const step = (i: number): number => {
      total += (i * 7919) % 23;
      return total;
    };
    const counter = roundTrip(Array.from({ length: 256 }, (_, i) => [1e12 + i * 5000, step(i)] as const));
    expect(counter.chunk.byteLength / 256).toBeLessThan(2.2);
  });
});
