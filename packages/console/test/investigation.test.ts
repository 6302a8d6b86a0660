import { expect, it } from 'vitest';
import { browserPerTest, settled } from './browser-page.ts';

const browser = browserPerTest();

it('leads from a red edge to a failed span, to its log lines, to the pod and its CPU, one click each, and back', async () => {
  const { page } = browser;
  await browser.open('/kiali?from=now-30m&to=now');
  await page.locator('[data-mesh-edge="workload:default/front-end→service:default/business-logic"]').click();
  await page.getByRole('link', { name: 'Traces with errors' }).click();
  await page.waitForURL(/\/jaeger\/search/);
  expect(new URL(page.url()).searchParams.get('from')).toBe('now-30m');
  await page.locator('article', { hasText: 'error' }).first().getByRole('link').click();
  await page.waitForURL(/\/jaeger\/trace\/[0-9a-f]{32}/);
  const trace = page.url();
  await page.locator('[data-span-operation="data_transformation"]').click();
  await page.locator('[data-span-detail]').getByText('TransformationError', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Logs of this span' }).click();
  await page.waitForURL(/\/grafana\/explore/);
  const line = page.locator('[data-log-line]', { hasText: 'TransformationError: row 611 has no key' });
  await line.getByRole('button').first().click();
  await line.getByRole('link', { name: 'Pod', exact: true }).click();
  await page.waitForURL(/\/cluster\?/);
  await page.getByRole('dialog').getByRole('figure', { name: /^CPU/ }).waitFor();
  await page.goBack();
  await line.waitFor();
  await page.goBack();
  await page.locator('[data-span-detail]').waitFor();
  await page.goBack();
  await expect.poll(() => page.url()).toBe(trace);
  await page.goBack();
  await page.waitForURL(/\/jaeger\/search/);
  await page.goBack();
  await page.waitForURL(/\/kiali\?/);
  await page.getByRole('link', { name: 'Traces with errors' }).waitFor();
});

it('draws the services as a graph, and opens the traces of one', async () => {
  const { page } = browser;
  await browser.open('/jaeger/search?service=front-end');
  await page.getByText('Services', { exact: true }).click();
  await page.waitForURL(/\/jaeger\/dependencies/);
  const node = page.locator('[data-mesh-node="service:business-logic.default"]');
  await node.click();
  const panel = page.getByRole('complementary', { name: 'Details' });
  await panel.getByText('118 calls').first().waitFor();
  await panel.getByRole('link', { name: 'Traces', exact: true }).click();
  await page.waitForURL(/\/jaeger\/search\?.*service=business-logic\.default/);
});

it('names the identities of both sides of a service, and the policy that asks for mTLS', async () => {
  const { page } = browser;
  await browser.open('/kiali?node=service:default/business-logic');
  const security = page.locator('[data-mesh-security]');
  await security.getByText('spiffe://cluster.local/ns/default/sa/front-end').waitFor();
  await security.getByText('strict', { exact: true }).waitFor();
  await security.getByRole('link', { name: 'istio-system/default' }).click();
  await page.waitForURL(/\/kiali\/config\?.*object=peerauthentications/);
  await page.getByRole('dialog', { name: /PeerAuthentication default/ }).waitFor();
});

it('keeps the panel of a service within its frame', async () => {
  const { page } = browser;
  await browser.open('/kiali?node=service:default/business-logic');
  const panel = page.getByRole('complementary', { name: 'Details' });
  await panel.getByText('Endpoints (1)').waitFor();
  await settled(page);
  expect(await panel.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0);
});

it('puts what is wrong with an Istio object on the line that it concerns', async () => {
  const { page } = browser;
  await browser.open('/kiali/config?object=virtualservices:default/reviews-typo');
  const dialog = page.getByRole('dialog');
  const badge = dialog.getByText(/^line \d+$/).first();
  const line = Number((await badge.textContent())?.split(' ')[1]);
  const marked = dialog.locator('.cm-line', { has: page.locator('.cm-lintRange-error') });
  await marked.first().waitFor();
  expect(await marked.first().textContent()).toContain('host: bussiness-logic');
  const numbers = await dialog.locator('.cm-lineNumbers .cm-gutterElement').allTextContents();
  expect(numbers).toContain(String(line));
});

it('shows the last build of each pipeline on the home page', async () => {
  const { page } = browser;
  await browser.open('/');
  const card = page.getByRole('region', { name: 'Last build' });
  await card.getByRole('link', { name: /success demo-app #12/ }).waitFor();
  await card.getByRole('link', { name: /failure nightly #3/ }).waitFor();
});

it('lists autoscalers with what they measure, and of Secrets the keys alone', async () => {
  const { page } = browser;
  await browser.open('/cluster?kind=horizontalpodautoscalers');
  await page.getByText('cpu: 34 % / 70 %').waitFor();
  await page.getByRole('navigation', { name: 'Kinds' }).getByRole('link', { name: 'Secrets' }).click();
  await page.getByRole('button', { name: 'sh.helm.release.v1.app.v2' }).waitFor();
});
