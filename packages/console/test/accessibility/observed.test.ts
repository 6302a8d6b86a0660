import { it } from 'vitest';
import { browserPerTest, slowTrace } from '../browser-page.ts';
import { expectNoBarrier, type State } from './no-barrier.ts';

const browser = browserPerTest();

const OBSERVED: readonly State[] = [
  { name: 'home', path: () => '/' },
  { name: 'trace search', path: () => '/jaeger/search?service=front-end' },
  { name: 'a trace', path: () => `/jaeger/trace/${slowTrace()}` },
  {
    name: 'a span',
    path: () => `/jaeger/trace/${slowTrace()}`,
    act: async (page) => {
      await page.locator('[data-span-operation="data_transformation"]').click();
      await page.locator('[data-span-detail]').waitFor();
    },
  },
  { name: 'two traces', path: () => `/jaeger/compare/${slowTrace()}/${slowTrace()}` },
  {
    name: 'the services',
    path: () => '/jaeger/dependencies?node=service:front-end.default',
    act: (page) => page.locator('[data-mesh-node]').first().waitFor(),
  },
  { name: 'dashboards', path: () => '/grafana' },
  { name: 'a dashboard', path: () => '/grafana/d/business-logic' },
  { name: 'logs', path: () => '/grafana/explore', act: (page) => page.locator('[data-log-line]').first().click() },
  { name: 'metrics', path: () => '/prometheus/graph?g0.expr=up' },
  { name: 'metrics as a table', path: () => '/prometheus/graph?g0.expr=up&tab=table' },
  { name: 'targets', path: () => '/prometheus/targets' },
  { name: 'alerts', path: () => '/prometheus/alerts' },
];

it.each(OBSERVED)('has no barrier on $name, light and dark', (state) => expectNoBarrier(browser, state));
