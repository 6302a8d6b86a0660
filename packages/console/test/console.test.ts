import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { browserPerTest, settled, slowTrace } from './browser-page.ts';
import { BIG_TRACE_ID } from './fixture-traces.ts';

const root = join(import.meta.dirname, '..');
const FIRST_PAGE_LIMIT = 500_000;
const browser = browserPerTest();

it('keeps the first page small', () => {
  const html = readFileSync(join(root, 'dist/index.html'), 'utf8');
  const files = [...html.matchAll(/\/console-assets\/([\w.-]+\.(?:js|css))/g)].map((match) => match[1] ?? '');
  const size = [...new Set(files)].reduce(
    (sum, file) => sum + gzipSync(readFileSync(join(root, 'dist', file))).length,
    0,
  );
  expect(size).toBeLessThan(FIRST_PAGE_LIMIT);
});

it('paints its frame before any script has run', async () => {
  const { page } = browser;
  await page.route('**/*.js', (route) => route.abort());
  await browser.open('/');
  await page.locator('.boot svg').waitFor();
  await expect.poll(() => page.evaluate(() => performance.getEntriesByName('first-contentful-paint').length)).toBe(1);
});

it('leads from a trace to its slow span, to its log lines, and from a line back to the trace', async () => {
  const { page } = browser;
  const id = slowTrace();
  await browser.open(`/jaeger/trace/${id}`);
  await page.locator('[data-span-operation="data_transformation"]').click();
  await expect.poll(() => page.locator('[data-span-operation]').count()).toBe(13);
  await page.getByRole('link', { name: 'Logs of this span' }).click();
  await page.waitForURL(/\/grafana\/explore/);
  expect(new URL(page.url()).searchParams.get('expr')).toBe(`{app="business-logic"} |= "${id}"`);
  const line = page.locator('[data-log-line]', { hasText: "Calling the slow function 'data_transformation'" });
  await line.getByRole('link', { name: 'Trace of this line' }).click();
  await page.waitForURL(new RegExp(`/jaeger/trace/${id}`));
  await page.goBack();
  await page.waitForURL(/\/grafana\/explore/);
  await page.goBack();
  await page.locator('[data-span-detail]').waitFor();
});

it('opens a trace by the exemplar of a latency panel', async () => {
  const { page } = browser;
  await browser.open('/grafana/d/business-logic');
  const panel = page.locator('[data-panel="Latency quantiles"]');
  await panel.scrollIntoViewIfNeeded();
  const exemplar = panel.locator('a[href*="/jaeger/trace/"]').first();
  await exemplar.waitFor();
  await exemplar.focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/jaeger\/trace\/[0-9a-f]{32}/);
  await page.locator('[data-span-operation="data_transformation"]').waitFor();
});

it('shows 10,000 spans with only those on screen in the document', async () => {
  const { page } = browser;
  await browser.open(`/jaeger/trace/${BIG_TRACE_ID}`);
  await page.locator('[role="treeitem"]').first().waitFor();
  expect(await page.locator('[role="treeitem"]').count()).toBeLessThan(120);
  await page.getByRole('tree').focus();
  await page.keyboard.press('End');
  await page.waitForFunction(() => window.scrollY > 100_000);
  expect(await page.locator('[role="treeitem"]').count()).toBeLessThan(120);
});

it('draws the mesh with its figures and opens a service by the keyboard', async () => {
  const { page } = browser;
  await browser.open('/kiali');
  await page.locator('[data-mesh-node="service:default/business-logic"]').waitFor();
  const edge = page.locator('[data-mesh-edge="workload:default/front-end→service:default/business-logic"]');
  await edge.filter({ hasText: /req\/(s|min).*p95/ }).waitFor();
  await edge.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Traces with errors' }).click();
  await page.waitForURL(/\/jaeger\/search\?.*service=business-logic/);
});

it('says why the graph is empty and what to do', async () => {
  const { page } = browser;
  browser.api.empty.add('prometheus');
  await browser.open('/kiali');
  await page.getByText('No traffic to draw').waitFor();
  await page.getByText('Injection is on in default.').waitFor();
  await page.locator('a[href="/demo-app/"]', { hasText: 'Open the website' }).waitFor();
});

it('stays usable while backends are away', async () => {
  const { page } = browser;
  for (const backend of ['prometheus', 'loki', 'jaeger']) browser.api.failing.add(backend);
  await browser.open('/');
  await page.getByText('no healthy upstream').first().waitFor();
  await page.getByText('front-end-6d8f7c9b54-2kq8x').first().waitFor();
  await browser.open('/grafana/explore');
  await page.getByRole('button', { name: 'Try again' }).first().waitFor();
});

it('is driven by the keyboard: palette, pages, help', async () => {
  const { page } = browser;
  const id = slowTrace();
  await browser.open('/');
  await page.locator('main').waitFor();
  await page.keyboard.press('/');
  await page.getByRole('combobox', { name: 'Search' }).fill(`… [trace_id=${id} span_id=…`);
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`/jaeger/trace/${id}`));
  await page.keyboard.press('g');
  await page.keyboard.press('m');
  await page.waitForURL(/\/kiali/);
  await page.keyboard.press('?');
  await page.getByRole('dialog').getByText('Zoom out in time').waitFor();
});

it('keeps the time range in the address from page to page', async () => {
  const { page } = browser;
  await browser.open('/?from=now-1h&to=now&refresh=30s');
  await page.getByRole('link', { name: 'Traces', exact: true }).first().click();
  await page.waitForURL(/\/jaeger\?from=now-1h&to=now&refresh=30s/);
  await page.getByRole('button', { name: 'Last hour' }).waitFor();
});

it('scales a Deployment through the subresource, with its header', async () => {
  const { page } = browser;
  await browser.open('/cluster?kind=deployments&object=default/front-end&view=rollout');
  await page.getByLabel('Replicas').fill('3');
  await page.getByRole('button', { name: 'Scale', exact: true }).click();
  await page.getByText('Scaled to 3.').waitFor();
  expect(browser.api.writes.at(-1)).toMatchObject({
    method: 'PATCH',
    path: '/api/kubernetes/apis/apps/v1/namespaces/default/deployments/front-end/scale',
    body: '{"spec":{"replicas":3}}',
    header: 'kind-e2e-console',
  });
});

it('follows lines as they are written', async () => {
  const { page } = browser;
  await browser.open(`/grafana/explore?expr=${encodeURIComponent('{namespace=~".+"}')}`);
  await page.getByRole('button', { name: 'Live' }).click();
  await page.waitForURL(/[?&]live=1/);
  // The store's own lines are gone from the list by now: what is counted came by the tail.
  await page.locator('[aria-live]', { hasText: /^Live [1-9]\d* line/ }).waitFor();
  await page.locator('[data-log-line]').first().waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('Newest first').waitFor();
});

it.each([
  ['/', 'Your lab'],
  ['/jaeger', 'Traces'],
  ['/grafana', 'Dashboards'],
  ['/grafana/explore', 'Explore'],
  ['/kiali/config', 'Mesh'],
  ['/prometheus/targets', 'Metrics'],
  ['/cluster', 'Cluster'],
  ['/jenkins', 'Pipelines'],
])('fits %s on a phone', async (path, heading) => {
  const { page } = browser;
  await page.setViewportSize({ width: 390, height: 844 });
  await browser.open(path);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  await page.locator('main .card').first().waitFor();
  await settled(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
});

it.each(['/', '/jenkins'])('asks nothing of a pipeline that is not there on %s', async (path) => {
  const { page } = browser;
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.route('**/namespaces/jenkins/endpointslices?*', (route) => route.fulfill({ json: { items: [] } }));
  await page.route('**/jenkins/api/json?*', (route) => route.fulfill({ status: 503, body: 'no pipeline' }));
  await browser.open(path);
  await page.getByText(/^No (build|pipeline) yet$/).waitFor();
  await settled(page);
  expect(errors).toEqual([]);
});
