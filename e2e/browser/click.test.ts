import type { Lab } from '@kind-e2e/lab';
import { launchBrowser } from '@kind-e2e/lab/browser';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';

const SLOW_MS = 20_000;

describe('in the browser', () => {
  let lab: Lab;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    lab = await sharedLab();
    browser = await launchBrowser();
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, baseURL: lab.gateway });
    page = await context.newPage();
    page.on('pageerror', (error) => errors.push(String(error)));
  });

  afterAll(async () => {
    await browser?.close();
  });

  it('clicks the slow page and follows it to its trace and its log line', async () => {
    await page.goto('/demo-app/');
    await page.getByRole('button', { name: 'Slow page' }).click();
    const link = page.getByRole('link', { name: 'See the trace of this request' });
    await link.waitFor({ timeout: SLOW_MS });
    const id = page.locator('.id', { hasText: /^[0-9a-f]{32}$/ }).first();
    await id.waitFor({ timeout: SLOW_MS });
    const traceId = (await id.textContent()) ?? '';
    await lab.telemetry.waitForTrace(traceId, { minSpans: 11 });
    await link.click();
    await page.getByText('data_transformation').first().waitFor({ timeout: SLOW_MS });
    for (const text of ['slow-page-custom-span', 'business-logic.default.svc.cluster.local:8000/*'])
      await page.getByText(text).first().waitFor({ timeout: SLOW_MS });
    await lab.telemetry.waitForLines(`{app="business-logic"} |= "${traceId}"`);
    await page.getByText('data_transformation').first().click();
    await page
      .getByRole('link', { name: /logs of this span/i })
      .first()
      .click();
    await page.getByText("Calling the slow function 'data_transformation'").first().waitFor({ timeout: SLOW_MS });
    await page.goBack();
    await page.getByText('data_transformation').first().waitFor({ timeout: SLOW_MS });
    expect(errors).toEqual([]);
  });

  it('sees the mesh graph', async () => {
    await lab.telemetry.waitForSamples('sum(istio_requests_total{destination_service_name="zipkin"})');
    await page.goto('/kiali');
    for (const node of ['service:default/front-end', 'service:default/business-logic', 'service:istio-system/zipkin'])
      await page.locator(`[data-mesh-node="${node}"]`).waitFor({ timeout: SLOW_MS });
    for (const workload of ['istio-ingressgateway', 'front-end', 'business-logic', 'jaeger'])
      await page.locator(`[data-mesh-node^="workload:"][data-mesh-node*="/${workload}"]`).waitFor({ timeout: SLOW_MS });
    expect(errors).toEqual([]);
  });

  it.each([
    ['/', /your lab/i],
    ['/jaeger', /traces/i],
    ['/grafana', /dashboards/i],
    ['/grafana/explore', /explore/i],
    ['/kiali', /mesh/i],
    ['/prometheus', /query/i],
    ['/prometheus/targets', /targets/i],
    ['/cluster', /cluster/i],
  ])('shows %s without an error, light and dark, wide and narrow', async (path, text) => {
    for (const colorScheme of ['light', 'dark'] as const)
      for (const size of [
        { width: 1440, height: 900 },
        { width: 390, height: 844 },
      ]) {
        await page.setViewportSize(size);
        await page.emulateMedia({ colorScheme });
        await page.goto(path);
        await page.getByRole('main').waitFor({ timeout: SLOW_MS });
        await page.getByText(text).first().waitFor({ state: 'attached', timeout: SLOW_MS });
        const wider = await page.evaluate('document.documentElement.scrollWidth > window.innerWidth + 1');
        expect(wider, `${path} scrolls sideways at ${size.width}`).toBe(false);
      }
    expect(errors).toEqual([]);
  });
});
