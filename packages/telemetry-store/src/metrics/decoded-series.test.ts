import { Labels } from '@kind-e2e/telemetry';
import { describe, expect, it } from 'vitest';
import { DecodedSeries } from './decoded-series.ts';
import { Series } from './series.ts';

function seriesOf(id: number, samples: number): Series {
  const series = new Series(id, Labels.fromObject({ __name__: 'x', id: String(id) }), false);
  for (let i = 0; i < samples; i++) series.append(i * 1000, i * id, false, undefined, i + 1);
  return series;
}

const read = (series: Series, decoded: DecodedSeries, from = 0, to = 1e9) =>
  series.read(
    from,
    to,
    () => [],
    () => undefined,
    decoded,
  );

describe('DecodedSeries', () => {
  it('shares the times of series that have the same, and sees what is new', () => {
    const decoded = new DecodedSeries();
    const [a, b] = [seriesOf(1, 100), seriesOf(2, 100)];
    const first = read(a, decoded, 10_000, 20_000);
    const second = read(b, decoded, 10_000, 20_000);
    expect(second?.timestamps).toBe(first?.timestamps);
    expect([...(second?.values ?? [])]).toEqual([20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40]);
    a.append(200_000, 7, false, undefined, 101);
    expect(read(a, decoded, 99_000)?.values).toEqual(Float64Array.of(99, 7));
    expect(read(b, decoded, 99_000)?.values).toEqual(Float64Array.of(198));
  });

  it('stays within its size, and gives it back when nobody asks', () => {
    const decoded = new DecodedSeries();
    decoded.forScan(1, 1000);
    const all = Array.from({ length: 300 }, (_, i) => seriesOf(i + 1, 5000 + i));
    for (const series of all) read(series, decoded);
    expect(decoded.bytes).toBeGreaterThan(1e6);
    expect(decoded.bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
    decoded.dropIdle(30_000);
    expect(decoded.bytes).toBeGreaterThan(1e6);
    decoded.dropIdle(62_000);
    expect(decoded.bytes).toBe(0);
    expect(all.every((series) => series.decoded === undefined)).toBe(true);
    expect(read(all[4] ?? seriesOf(1, 1), decoded)?.values).toHaveLength(5004);
  });
});
