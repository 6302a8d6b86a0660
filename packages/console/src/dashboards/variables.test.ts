import { expect, it } from 'vitest';
import { milliseconds } from '../units/brands.ts';
import {
  ALL,
  customOptions,
  filterByRegex,
  type InterpolationContext,
  interpolate,
  sortOptions,
  variablesIn,
} from './variables.ts';

const context: InterpolationContext = {
  values: { app: ['front-end'], view: ['/a.b', '/c'], ns: [ALL], job: [ALL] },
  variables: [
    { name: 'app', type: 'query' },
    { name: 'view', type: 'query', multi: true },
    { name: 'ns', type: 'query', includeAll: true },
    { name: 'job', type: 'query', includeAll: true, allValue: '.*' },
  ],
  options: { ns: ['default', 'istio-system'] },
  range: { from: milliseconds(0), to: milliseconds(3_600_000) },
  stepSeconds: 15,
  scrapeSeconds: 5,
};

it.each([
  ['x{app="$app"}', 'x{app="front-end"}'],
  ['x{app="${app}"}', 'x{app="front-end"}'],
  ['x{app="[[app]]"}', 'x{app="front-end"}'],
  ['x{view=~"$view"}', 'x{view=~"(/a\\\\.b|/c)"}'],
  ['${view:csv} ${view:pipe} ${view:json}', '/a.b,/c /a.b|/c ["/a.b","/c"]'],
  ['x{ns=~"$ns",job=~"$job"}', 'x{ns=~"(default|istio-system)",job=~".*"}'],
  [
    'rate(x[$__rate_interval]) $__interval $__range ${__from} ${__to:date:iso}',
    'rate(x[20s]) 15s 3600s 0 1970-01-01T01:00:00.000Z',
  ],
  ['$unknown ${alsoUnknown}', '$unknown ${alsoUnknown}'],
  ['/d/x?${app:queryparam}', '/d/x?var-app=front-end'],
])('interpolates %s', (text, expected) => {
  expect(interpolate(text, context)).toBe(expected);
});

it('takes the value of a repeated panel first', () => {
  expect(interpolate('$ns', { ...context, scoped: { ns: ['default'] } })).toBe('default');
});

it('reads what variables say', () => {
  expect(variablesIn('a $b ${c:csv} [[d]] $__interval')).toEqual(['b', 'c', 'd']);
  expect(customOptions('5m, one : 1,a\\,b')).toEqual([
    { text: '5m', value: '5m' },
    { text: 'one', value: '1' },
    { text: 'a,b', value: 'a,b' },
  ]);
  expect(filterByRegex(['pod-1', 'pod-2', 'x'], '/pod-(\\d)/')).toEqual(['1', '2']);
  expect(sortOptions(['b10', 'b9', 'b2'], 3)).toEqual(['b2', 'b9', 'b10']);
  expect(sortOptions(['b', 'a'], 2)).toEqual(['b', 'a']);
});
