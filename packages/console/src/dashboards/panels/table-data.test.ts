import { expect, it } from 'vitest';
import { tableOf } from './table-data.ts';

const frame = (refId: string, labels: Record<string, string>, value: number, unit?: string) => ({
  refId,
  name: refId,
  labels,
  times: [1],
  values: [value],
  config: unit ? { unit } : {},
  isHidden: false,
});

it('joins the queries of a table by labels and organises columns', () => {
  const table = tableOf(
    [
      frame('A', { pod: 'x', ns: 'd' }, 1, 'bytes'),
      frame('B', { pod: 'x', ns: 'd' }, 2),
      frame('A', { pod: 'y', ns: 'd' }, 3, 'bytes'),
    ],
    {
      excludeByName: { ns: true },
      renameByName: { 'Value #A': 'Memory' },
    },
  );
  expect(table.columns.map((column) => column.name)).toEqual(['pod', 'Memory', 'Value #B']);
  expect(table.columns[1]?.unit).toBe('bytes');
  expect(table.rows.map((row) => row.cells)).toEqual([
    { ns: 'd', pod: 'x', 'Value #A': 1, 'Value #B': 2 },
    { ns: 'd', pod: 'y', 'Value #A': 3 },
  ]);
});
