import { expect, it } from 'vitest';
import { browserPerTest, settled } from './browser-page.ts';

const browser = browserPerTest();

const IMPORTED = {
  uid: 'mine',
  title: 'Mine',
  schemaVersion: 39,
  templating: {
    list: [{ name: 'app', type: 'custom', query: 'front-end,business-logic', current: { value: 'front-end' } }],
  },
  panels: [
    {
      id: 1,
      type: 'stat',
      title: 'Memory of $app',
      gridPos: { x: 0, y: 0, w: 12, h: 5 },
      datasource: { type: 'prometheus', uid: 'prometheus' },
      fieldConfig: { defaults: { unit: 'bytes' }, overrides: [] },
      targets: [{ refId: 'A', expr: 'sum(process_resident_memory_bytes{app="$app"})' }],
    },
    {
      id: 2,
      type: 'candlestick',
      title: 'Prices',
      gridPos: { x: 12, y: 0, w: 6, h: 5 },
      targets: [{ refId: 'A', expr: 'up' }],
    },
    {
      id: 3,
      type: 'table',
      title: 'Targets',
      gridPos: { x: 0, y: 5, w: 24, h: 6 },
      datasource: { type: 'prometheus', uid: 'prometheus' },
      transformations: [{ id: 'spatial', options: {} }],
      targets: [{ refId: 'A', expr: 'up', instant: true, format: 'table' }],
    },
  ],
};

it('imports a file, says on a panel what is not shown, and takes variables from the address and into it', async () => {
  const { page } = browser;
  await browser.open('/grafana');
  await page.locator('input[type="file"]').setInputFiles({
    name: 'mine.json',
    mimeType: 'application/json',
    buffer: Buffer.from(JSON.stringify(IMPORTED)),
  });
  await page.waitForURL(/\/grafana\/d\/mine/);
  await page.locator('[data-panel="Memory of front-end"]').getByText('MiB').waitFor();
  await page.locator('[data-panel="Prices"]').getByText('Panels of type “candlestick” are not shown').waitFor();
  await page
    .locator('[data-panel="Targets"]')
    .getByRole('button', { name: /The transformation “spatial” is not applied/ })
    .waitFor();
  await browser.open('/grafana/d/mine?var-app=business-logic');
  await page.locator('[data-panel="Memory of business-logic"]').getByText('MiB').waitFor();
});

it('refuses a file that is no dashboard', async () => {
  const { page } = browser;
  await browser.open('/grafana');
  await page.locator('input[type="file"]').setInputFiles({
    name: 'other.json',
    mimeType: 'application/json',
    buffer: Buffer.from('{"kind":"Pod"}'),
  });
  await page.getByRole('alert').waitFor();
  expect(new URL(page.url()).pathname).toBe('/grafana');
});

it('shows one panel alone, by the address too, and goes back', async () => {
  const { page } = browser;
  await browser.open('/grafana/d/business-logic');
  await page.getByRole('button', { name: 'Menu of Requests by view' }).click();
  await page.getByRole('menuitem', { name: 'View alone' }).click();
  await page.waitForURL(/viewPanel=/);
  await expect.poll(() => page.locator('[data-panel]').count()).toBe(1);
  await page.reload();
  await page.locator('[data-panel="Requests by view"] figure').waitFor();
  expect(await page.locator('[data-panel]').count()).toBe(1);
  await page.goBack();
  await page.locator('[data-panel="Total requests per second"]').waitFor();
});

it('opens the query of a panel in Explore, with its unit on the axis', async () => {
  const { page } = browser;
  await browser.open('/grafana/d/business-logic?from=now-30m&to=now');
  await page.getByRole('button', { name: 'Menu of Requests by view' }).click();
  await page.getByRole('menuitem', { name: 'Open in Explore' }).click();
  await page.waitForURL(/\/grafana\/explore\?.*from=now-30m/);
  await settled(page);
  await page
    .getByRole('group', { name: 'Shape' })
    .or(page.getByRole('radiogroup', { name: 'Shape' }))
    .getByText('Table')
    .click();
  await page.getByRole('cell').getByText('req/s').first().waitFor();
});
