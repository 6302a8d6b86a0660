import { expect, it } from 'vitest';
import { configFor, legendOf, mapValue, thresholdColor } from './field-config.ts';
import { parseDashboard } from './model.ts';

function panelOf(extra: object) {
  const parsed = parseDashboard({
    title: 't',
    panels: [{ type: 'timeseries', gridPos: { x: 0, y: 0, w: 1, h: 1 }, ...extra }],
  });
  const panel = 'dashboard' in parsed ? parsed.dashboard.panels[0] : undefined;
  if (!panel) throw new Error('no panel');
  return panel;
}

it('writes legends', () => {
  expect(legendOf({ method: 'GET', view: '/a' }, '{{method}} {{ view }}', '')).toBe('GET /a');
  expect(legendOf({ status: '200' }, undefined, 'q')).toBe('200');
  expect(legendOf({}, '__auto', 'sum(x)')).toBe('sum(x)');
});

it('lays overrides over the defaults', () => {
  const panel = panelOf({
    fieldConfig: {
      defaults: { unit: 's', custom: { fillOpacity: 5 } },
      overrides: [
        {
          matcher: { id: 'byRegexp', options: '/^5/' },
          properties: [
            { id: 'color', value: { mode: 'fixed', fixedColor: 'red' } },
            { id: 'custom.fillOpacity', value: 40 },
          ],
        },
        { matcher: { id: 'byName', options: 'hidden' }, properties: [{ id: 'custom.hideFrom', value: { viz: true } }] },
      ],
    },
  });
  expect(configFor(panel, { name: '5xx', refId: 'A' }).config).toMatchObject({
    unit: 's',
    color: { fixedColor: 'red' },
    custom: { fillOpacity: 40 },
  });
  expect(configFor(panel, { name: '2xx', refId: 'A' }).config.custom?.fillOpacity).toBe(5);
  expect(configFor(panel, { name: 'hidden', refId: 'A' }).isHidden).toBe(true);
});

it('maps values and thresholds', () => {
  const config = {
    thresholds: {
      mode: 'absolute',
      steps: [
        { color: 'green', value: null },
        { color: '#ff0000', value: 80 },
      ],
    },
    mappings: [
      { type: 'value', options: { '1': { text: 'Up' } } },
      { type: 'range', options: { from: 50, to: 60, result: { text: 'Half', color: 'blue' } } },
      { type: 'special', options: { match: 'null', result: { text: 'N/A' } } },
    ],
  };
  expect(thresholdColor(config, 90)).toBe('#ff0000');
  expect(thresholdColor(config, 10)).toBe('#73BF69');
  expect(mapValue(config, 1)?.text).toBe('Up');
  expect(mapValue(config, 55)?.text).toBe('Half');
  expect(mapValue(config, null)?.text).toBe('N/A');
  expect(mapValue(config, 3)).toBeUndefined();
});
