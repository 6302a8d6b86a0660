import { expect, it } from 'vitest';
import { browserPerTest, slowTrace } from './browser-page.ts';
import { nowSecond } from './fixture-clock.ts';
import { healthySlowTraces } from './fixture-traces.ts';

const browser = browserPerTest();

it('compares two traces that were ticked in the results', async () => {
  const { page } = browser;
  await browser.open('/jaeger/search?service=front-end&sort=longest&refresh=off');
  await page
    .getByRole('checkbox', { name: /^Compare trace/ })
    .first()
    .check();
  await page
    .getByRole('checkbox', { name: /^Compare trace/ })
    .nth(1)
    .check();
  await page.getByRole('button', { name: 'Compare the two' }).click();
  await page.waitForURL(/\/jaeger\/compare\/[0-9a-f]{32}\/[0-9a-f]{32}/);
  await page.getByRole('row', { name: /data_transformation/ }).waitFor();
});

it('shows a trace as JSON', async () => {
  const { page } = browser;
  const id = slowTrace();
  await browser.open(`/jaeger/trace/${id}`);
  await page.getByRole('button', { name: 'JSON' }).click();
  await page.getByRole('menuitem', { name: 'Show' }).click();
  await page.getByRole('dialog').getByText(`"traceID": "${id}"`).first().waitFor();
});

it('shows the lines around one line, and goes back to the search', async () => {
  const { page } = browser;
  const id = healthySlowTraces(nowSecond() - 60)[0]?.traceID ?? '';
  await browser.open(`/grafana/explore?expr=${encodeURIComponent(`{app="business-logic"} |= "${id}"`)}`);
  const line = page.locator('[data-log-line]', { hasText: id });
  await line.first().getByRole('button').first().click();
  await line.first().getByRole('button', { name: 'Lines around this one' }).click();
  await page.getByText('Lines around one line').waitFor();
  await page.locator('[data-log-line][data-anchor="true"]', { hasText: id }).waitFor();
  await expect.poll(() => page.locator('[data-log-line]').count()).toBeGreaterThan(2);
  await page.goBack();
  await page.getByText('1 line', { exact: false }).first().waitFor();
});

it('splits traffic by a wizard that shows its YAML, and sends it as server-side apply', async () => {
  const { page } = browser;
  await browser.open('/kiali/config?wizard=weights&host=default/business-logic');
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Makes a VirtualService').waitFor();
  await dialog.getByLabel('Weight').first().fill('70');
  await dialog.getByText('The weights add up to 80; they must add up to 100.').waitFor();
  await dialog.getByLabel('Weight').nth(1).fill('30');
  await dialog.getByRole('region', { name: 'YAML that will be applied' }).getByText('weight: 70').waitFor();
  await dialog.getByRole('button', { name: 'Apply' }).click();
  await dialog.waitFor({ state: 'hidden' });
  const write = browser.api.writes.at(-1);
  expect(write?.method).toBe('PATCH');
  expect(write?.path).toBe(
    '/api/kubernetes/apis/networking.istio.io/v1/namespaces/default/virtualservices/business-logic',
  );
  expect(write?.body).toContain('"weight":70');
});

it('goes back to an earlier revision of a Deployment', async () => {
  const { page } = browser;
  await browser.open('/cluster?kind=deployments&object=default/front-end&view=rollout');
  await page.getByRole('button', { name: 'Go back to it' }).click();
  await page.getByText('Going back to revision 1.').waitFor();
  expect(browser.api.writes.at(-1)).toMatchObject({
    method: 'PATCH',
    path: '/api/kubernetes/apis/apps/v1/namespaces/default/deployments/front-end',
  });
  expect(browser.api.writes.at(-1)?.body).toContain('front-end:0.0.9');
});

it('opens a shell in a pod', async () => {
  const { page } = browser;
  await browser.open('/cluster?kind=pods&object=default/business-logic-7b5c6d4f98-9xvmp&view=shell');
  await page.getByRole('dialog').getByText('open', { exact: true }).waitFor();
  await page.locator('.xterm-rows', { hasText: '/app $' }).waitFor();
  await page.keyboard.type('ls');
  await page.locator('.xterm-rows', { hasText: '/app $ ls' }).waitFor();
});

it('shows answers that take longer than the refresh interval', async () => {
  const { page } = browser;
  await page.route('**/prometheus/api/v1/query_range*', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 4500));
    await route.continue();
  });
  await browser.open('/?refresh=2s');
  await page.getByRole('region', { name: 'Golden signals' }).getByText('front-end').first().waitFor();
});

it('keeps the focus on an exemplar over a refresh', async () => {
  const { page } = browser;
  await browser.open('/grafana/d/business-logic?from=now-5m&to=now&refresh=2s');
  const exemplar = page.locator('[data-panel="Latency quantiles"] a[href*="/jaeger/trace/"]').first();
  await exemplar.waitFor();
  const href = await exemplar.getAttribute('href');
  await exemplar.focus();
  const answer = () => page.waitForResponse((response) => response.url().includes('query_exemplars'));
  await answer();
  await answer();
  expect(await page.evaluate(() => document.activeElement?.getAttribute('href'))).toBe(href);
});

it('stands where it stood when the browser goes back', async () => {
  const { page } = browser;
  await browser.open('/jaeger/search?service=front-end&refresh=off');
  const result = page.locator('article').nth(30);
  await result.scrollIntoViewIfNeeded();
  const before = await page.evaluate(() => window.scrollY);
  expect(before).toBeGreaterThan(500);
  await result.getByRole('link').click();
  await page.waitForURL(/\/jaeger\/trace\//);
  await page.getByRole('tree').waitFor();
  expect(await page.evaluate(() => window.scrollY)).toBe(0);
  await page.goBack();
  await page.waitForURL(/\/jaeger\/search/);
  await expect.poll(() => page.evaluate(() => window.scrollY)).toBeGreaterThan(before - 200);
});

it('shows what was chosen in the graph on a phone, over its lower half', async () => {
  const { page } = browser;
  await page.setViewportSize({ width: 390, height: 844 });
  await browser.open('/kiali');
  await page.locator('[data-mesh-node="service:default/business-logic"]').click();
  const panel = page.getByRole('complementary', { name: 'Details' });
  await panel.getByText('From here').waitFor();
  const box = await panel.boundingBox();
  expect(box?.y).toBeGreaterThan(300);
  expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(844);
});

it('says of an unknown trace that nobody sent it, and looks again', async () => {
  const { page } = browser;
  await browser.open('/jaeger/trace/abcdefabcdefabcdefabcdefabcdefab');
  await page.getByText('Waiting for the first span').waitFor();
  await page.getByText('No such trace').waitFor();
  await page.getByRole('button', { name: 'Look again' }).waitFor();
});

it('narrows the log search by the labels of a line, to one value and away from it', async () => {
  const { page } = browser;
  await browser.open(`/grafana/explore?refresh=off&expr=${encodeURIComponent('{namespace="default"}')}`);
  const line = page.locator('[data-log-line]').first();
  await line.getByRole('button').first().click();
  const row = line.getByRole('row', { name: /^app / });
  const app = (await row.getByRole('cell').nth(1).textContent()) ?? '';
  await row.getByRole('button', { name: 'Not this' }).click();
  await expect.poll(() => new URL(page.url()).searchParams.get('expr')).toBe(`{namespace="default", app!="${app}"}`);
});

it.each([
  ['h7wzt', /\/cluster\?kind=pods&object=default%2Ffront-end-6d8f7c9b54-h7wzt/],
  ['business-logic.default', /\/jaeger\/search\?service=business-logic\.default/],
  ['time: last hour', /[?&]from=now-1h/],
])('finds %s by the search', async (text, address) => {
  const { page } = browser;
  await browser.open('/');
  await page.locator('main').waitFor();
  await page.keyboard.press('/');
  await page.getByRole('combobox', { name: 'Search' }).fill(text);
  await page.getByRole('option', { selected: true, name: new RegExp(text.slice(0, 8), 'i') }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(address);
});

it('goes back in time by the slider of the graph', async () => {
  const { page } = browser;
  await browser.open('/kiali?refresh=off');
  await page.locator('[data-mesh-node]').first().waitFor();
  await page.getByRole('slider', { name: 'Moment of the graph' }).focus();
  await page.keyboard.press('ArrowLeft');
  await page.waitForURL(/[?&]at=\d+/);
  await page.getByText('The minute before').waitFor();
  await page.locator('[data-mesh-node="service:default/business-logic"]').waitFor();
  await page.getByRole('button', { name: 'Whole range' }).click();
  await page.getByText('The whole range').waitFor();
});

it('holds the part of a trace that is looked at in the address', async () => {
  const { page } = browser;
  const id = slowTrace();
  await browser.open(`/jaeger/trace/${id}`);
  const map = page.getByTitle('Drag to look closer; double click for all');
  await page.getByRole('tree').waitFor();
  const box = await map.boundingBox();
  if (box === null) throw new Error('the minimap is not there');
  await page.mouse.move(box.x + box.width / 2, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/[?&]zoom=0\.5\d*-0\.7\d*/);
  await page.reload();
  await page.getByRole('button', { name: 'The whole trace' }).click();
  await expect.poll(() => new URL(page.url()).searchParams.get('zoom')).toBeNull();
});
