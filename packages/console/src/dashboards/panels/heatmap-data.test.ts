import { expect, it } from 'vitest';
import { heatmapOf } from './heatmap-data.ts';

it('takes the cumulative buckets apart', () => {
  const frame = (le: string, value: number) => ({
    refId: 'A',
    name: le,
    labels: { le },
    times: [10],
    values: [value],
    config: {},
    isHidden: false,
  });
  const map = heatmapOf([frame('+Inf', 10), frame('0.5', 7), frame('0.1', 4)], 5);
  expect(map.cells).toEqual([
    { time: 10, from: 0, to: 0.1, value: 4 },
    { time: 10, from: 0.1, to: 0.5, value: 3 },
    { time: 10, from: 0.5, to: Number.POSITIVE_INFINITY, value: 3 },
  ]);
  expect(map.max).toBe(4);
});
