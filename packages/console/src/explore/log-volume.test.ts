import { expect, it } from 'vitest';
import { milliseconds } from '../units/brands.ts';
import { byLevel, onEveryStep, volumeOfLines } from './log-volume.ts';

const line = (second: number, text: string) => ({
  key: String(second),
  ns: `${second}000000000`,
  at: milliseconds(second * 1000),
  line: text,
  labels: {},
  metadata: {},
});

it('counts lines by level at the end of their step', () => {
  expect(volumeOfLines([line(1, 'INFO a'), line(9, 'INFO b'), line(12, 'ERROR c'), line(3, 'INFO d')], 10)).toEqual([
    { labels: { detected_level: 'info' }, times: [10], values: [3] },
    { labels: { detected_level: 'error' }, times: [20], values: [1] },
  ]);
});

it('has a value at every step', () => {
  const range = { from: milliseconds(0), to: milliseconds(30_000) };
  expect(onEveryStep([{ labels: {}, times: [20], values: [3] }], range, 10)[0]).toEqual({
    labels: {},
    times: [0, 10, 20, 30, 40],
    values: [0, 0, 3, 0, 0],
  });
});

it('puts the words of a store for levels together', () => {
  const found = byLevel([
    { labels: { detected_level: 'INFO' }, times: [10, 20], values: [1, 2] },
    { labels: { detected_level: 'info' }, times: [20], values: [3] },
    { labels: { detected_level: 'warning' }, times: [10], values: [4] },
    { labels: {}, times: [10], values: [5] },
  ]);
  expect(found).toEqual([
    { labels: { detected_level: 'info' }, times: [10, 20], values: [1, 5] },
    { labels: { detected_level: 'warn' }, times: [10], values: [4] },
    { labels: { detected_level: 'unknown' }, times: [10], values: [5] },
  ]);
});
