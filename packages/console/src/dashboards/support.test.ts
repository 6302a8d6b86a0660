import { expect, it } from 'vitest';
import { parseDashboard } from './model.ts';
import { unsupportedIn, unsupportedVariables } from './support.ts';

it('says what a panel uses and we do not show', () => {
  const parsed = parseDashboard({
    title: 't',
    panels: [
      {
        type: 'timeseries',
        targets: [{ refId: 'A', datasource: { type: 'mysql', uid: 'm' } }],
        fieldConfig: { defaults: { unit: 'flops' }, overrides: [] },
        transformations: [{ id: 'groupingToMatrix', options: {} }],
      },
    ],
  });
  const panel = 'dashboard' in parsed ? parsed.dashboard.panels[0] : undefined;
  expect(panel && unsupportedIn(panel)).toHaveLength(3);
  expect(
    unsupportedVariables([
      { name: 'f', type: 'adhoc' },
      { name: 'q', type: 'query' },
    ]),
  ).toHaveLength(1);
});
