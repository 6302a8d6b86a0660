import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { browserPerTest, settled, slowTrace } from './browser-page.ts';

/**
 * WCAG 2.2 A and AA by axe-core, on every page and main state, light and dark: the rules are those of
 * https://github.com/dequelabs/axe-core/blob/develop/doc/rule-descriptions.md.
 */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const browser = browserPerTest();

interface State {
  name: string;
  path: () => string;
  isPhone?: boolean;
  act?: (page: Page) => Promise<void>;
}

const PAGES: readonly State[] = [
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
  {
    name: 'the mesh',
    path: () => '/kiali?node=service:default/business-logic',
    act: (page) => page.locator('[data-mesh-node]').first().waitFor(),
  },
  { name: 'Istio objects', path: () => '/kiali/config' },
  { name: 'an Istio object', path: () => '/kiali/config?object=virtualservices:default/reviews-typo' },
  { name: 'a wizard', path: () => '/kiali/config?wizard=weights&host=default/business-logic' },
  { name: 'pods', path: () => '/cluster' },
  { name: 'a pod', path: () => '/cluster?kind=pods&object=default/business-logic-7b5c6d4f98-9xvmp' },
  { name: 'a roll-out', path: () => '/cluster?kind=deployments&object=default/front-end&view=rollout' },
  { name: 'events', path: () => '/cluster?kind=events' },
  { name: 'no such page', path: () => '/nowhere' },
  {
    name: 'the search',
    path: () => '/',
    act: async (page) => {
      await page.keyboard.press('/');
      await page.getByRole('combobox', { name: 'Search' }).waitFor();
    },
  },
  { name: 'home on a phone', path: () => '/', isPhone: true },
  { name: 'a trace on a phone', path: () => `/jaeger/trace/${slowTrace()}`, isPhone: true },
  {
    name: 'the mesh on a phone',
    path: () => '/kiali?node=service:default/business-logic',
    act: (page) => page.getByRole('complementary', { name: 'Details' }).waitFor(),
    isPhone: true,
  },
  { name: 'the cluster on a phone', path: () => '/cluster', isPhone: true },
  {
    name: 'the keys',
    path: () => '/',
    act: async (page) => {
      await page.keyboard.press('?');
      await page.getByRole('dialog').getByText('Zoom out in time').waitFor();
    },
  },
];

/**
 * Targets that may be smaller than 24 pixels by the exceptions of WCAG 2.5.8: bars and dots of a chart, whose place and size
 * are what they say ("essential"), and which have a field or a list that does the same ("equivalent").
 */
const ESSENTIAL = /^<\w+ [^>]*\bdata-mark\b/;

it.each(PAGES)('has no barrier on $name, light and dark', async ({ path, act, isPhone }) => {
  const { page } = browser;
  if (isPhone) await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await browser.open(path());
  await page.locator('main').waitFor();
  await settled(page);
  await act?.(page);
  await settled(page);
  await page.evaluate(axe);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor({ state: 'attached' });
    await settled(page);
    const found: AxeResults = await page.evaluate(
      (tags) => (window as unknown as { axe: typeof import('axe-core') }).axe.run({ runOnly: tags }),
      TAGS,
    );
    const told = found.violations.flatMap((rule) =>
      rule.nodes
        .filter((node) => rule.id !== 'target-size' || !ESSENTIAL.test(node.html))
        .map(
          (node) =>
            `${colorScheme} ${rule.id}: ${node.target.join(' ')} ${node.html.slice(0, 160)}: ${node.failureSummary}`,
        ),
    );
    expect.soft(told).toEqual([]);
  }
});
