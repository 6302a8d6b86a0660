import { expect, it } from 'vitest';
import { alignLines, pickReduced, reduceValues, stackColumns, withGaps } from './align.ts';

it('lays lines of different times on one axis with holes', () => {
  const aligned = alignLines([
    { times: [10, 20], values: [1, 2] },
    { times: [20, 30], values: [5, Number.NaN] },
  ]);
  expect(aligned).toEqual({
    times: [10, 20, 30],
    columns: [
      [1, 2, null],
      [null, 5, null],
    ],
  });
});

it('cuts lines at an outage', () => {
  expect(withGaps({ times: [0, 5, 60], columns: [[1, 1, 1]] }, 15)).toEqual({
    times: [0, 5, 12.5, 60],
    columns: [[1, 1, null, 1]],
  });
});

it('stacks from the last to the first, holes counting as nothing', () => {
  expect(
    stackColumns([
      [4, 4],
      [null, 3],
      [1, 2],
    ]),
  ).toEqual([
    [5, 9],
    [null, 5],
    [1, 2],
  ]);
});

it('reduces as a legend shows it', () => {
  const reduced = reduceValues([1, null, 3, null]);
  expect(reduced).toMatchObject({ last: null, lastNotNull: 3, min: 1, max: 3, mean: 2, sum: 4, count: 2 });
  expect(pickReduced(reduced, 'mean')).toBe(2);
  expect(pickReduced(reduced, 'nonsense')).toBe(3);
});
