import { expect, it } from 'vitest';
import { hrefTo } from './url-state.ts';

it('carries the time range from page to page and drops the rest', () => {
  expect(hrefTo('/jaeger', { service: 'front-end' }, '?from=now-1h&to=now&q=x')).toBe(
    '/jaeger?from=now-1h&to=now&service=front-end',
  );
});

it('lets a link set or clear what travels', () => {
  expect(hrefTo('/grafana/explore', { from: '1', to: '2' }, '?from=now-1h&to=now&refresh=5s')).toBe(
    '/grafana/explore?from=1&to=2&refresh=5s',
  );
  expect(hrefTo('/', { from: undefined, to: undefined }, '?from=now-1h&to=now')).toBe('/');
});
