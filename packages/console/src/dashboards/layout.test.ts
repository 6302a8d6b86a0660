import { expect, it } from 'vitest';
import { milliseconds } from '../units/brands.ts';
import { layOut } from './layout.ts';
import { parseDashboard } from './model.ts';

const context = {
  values: { pod: ['a', 'b', 'c'] },
  variables: [{ name: 'pod', type: 'query', multi: true }],
  options: {},
  range: { from: milliseconds(0), to: milliseconds(1000) },
  stepSeconds: 5,
  scrapeSeconds: 5,
};
const panelsOf = (panels: object[]) => {
  const parsed = parseDashboard({ title: 't', panels });
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.dashboard.panels;
};

it('keeps panels at their places and below their rows', () => {
  const rows = layOut(
    panelsOf([
      { id: 1, type: 'stat', title: 'one', gridPos: { x: 0, y: 0, w: 6, h: 4 } },
      { id: 2, type: 'row', title: 'Row', gridPos: { x: 0, y: 4, w: 24, h: 1 } },
      { id: 3, type: 'stat', title: 'two', gridPos: { x: 6, y: 5, w: 6, h: 4 } },
      {
        id: 4,
        type: 'row',
        title: 'Closed',
        collapsed: true,
        gridPos: { x: 0, y: 9, w: 24, h: 1 },
        panels: [{ id: 5, type: 'stat', title: 'three', gridPos: { x: 0, y: 10, w: 6, h: 4 } }],
      },
    ]),
    context,
  );
  expect(rows.map((row) => [row.title, row.isCollapsed, row.panels.map((panel) => panel.panel.title)])).toEqual([
    ['', false, ['one']],
    ['Row', false, ['two']],
    ['Closed', true, ['three']],
  ]);
  expect(rows[1]?.panels[0]).toMatchObject({ x: 6, y: 0 });
});

it('repeats a panel for each value and moves the rest down', () => {
  const rows = layOut(
    panelsOf([
      { id: 1, type: 'stat', title: '$pod', repeat: 'pod', maxPerRow: 2, gridPos: { x: 0, y: 0, w: 24, h: 4 } },
      { id: 2, type: 'stat', title: 'below', gridPos: { x: 0, y: 4, w: 24, h: 4 } },
    ]),
    context,
  );
  expect(rows[0]?.panels.map((panel) => [panel.scoped.pod?.[0], panel.x, panel.y, panel.w])).toEqual([
    ['a', 0, 0, 12],
    ['b', 12, 0, 12],
    ['c', 0, 4, 12],
    [undefined, 0, 8, 24],
  ]);
});

it('refuses what is no dashboard, and says so of old ones', () => {
  expect(parseDashboard({ hello: 1 })).toHaveProperty('problem');
  expect(parseDashboard({ title: 'old', rows: [{}] })).toHaveProperty('problem');
  expect(parseDashboard({ dashboard: { title: 'Wrapped it' } })).toMatchObject({ dashboard: { uid: 'wrapped-it' } });
});
