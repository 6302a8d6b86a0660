import { launchBrowser } from '@kind-e2e/lab/browser';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type PipelinesLab, SHOWCASE, startPipelinesLab } from './pipelines-lab.ts';

vi.setConfig({ testTimeout: 90_000 });

/** The page of pipelines in a real browser, before a real controller with agents that run the builds. */
let lab: PipelinesLab;
let browser: Browser;
let page: Page;
let problems: string[];
beforeAll(async () => {
  [lab, browser] = await Promise.all([startPipelinesLab(), launchBrowser()]);
  lab.pipelines.define({ name: 'showcase', script: SHOWCASE });
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await lab?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  problems = [];
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB' });
  page = await context.newPage();
  page.on('pageerror', (error) => problems.push(error.message));
});
afterEach(async () => {
  await page.context().close();
  expect(problems).toEqual([]);
});

async function finished(parameters: Readonly<Record<string, string>> = {}): Promise<number> {
  const item = lab.pipelines.request('showcase', {
    cause: { kind: 'UserIdCause', text: 'Started by user admin' },
    parameters,
  });
  await expect.poll(() => item.build, { timeout: 20_000 }).toBeDefined();
  await lab.pipelines.finished('showcase', item.build ?? 0);
  return item.build ?? 0;
}
const open = (number: number): Promise<unknown> =>
  page.goto(`${lab.fixture.url}/jenkins?build=${encodeURIComponent(`showcase/${number}`)}`);
const stages = (): Promise<string[]> =>
  page
    .getByRole('table', { name: 'Stages' })
    .locator('tbody tr')
    .evaluateAll((rows) =>
      rows.map((row) =>
        [...row.querySelectorAll('td')]
          .slice(0, 2)
          .map((cell) => cell.textContent)
          .join(': '),
      ),
    );
const build = (number: number): Locator => page.locator(`[data-build="${number}"]`);

it('shows a build: stages with result, agent and time, causes, parameters, tests, artifacts, log, trace', async () => {
  const number = await finished({ RESULT: 'unstable' });
  // As BUILD_URL names it.
  await page.goto(`${lab.fixture.url}/jenkins/job/showcase/${number}/`);
  await page.waitForURL(/\/jenkins\?build=showcase(%2F|\/)\d+/);
  await expect
    .poll(stages, { timeout: 20_000 })
    .toEqual([
      'Build: success',
      'Check: unstable',
      'unit: unstable',
      'lint: success',
      'Long: not executed',
      'Deploy: not executed',
    ]);
  const unit = page.locator('[data-stage="Build"] td');
  expect(await unit.nth(2).textContent()).toMatch(/^agent-[01]$/);
  expect(await unit.nth(3).textContent()).toMatch(/^\d+(\.\d+)?\s?(ms|s)$/);
  await expect.poll(() => page.getByText('Started by user admin · WHO=the world').count()).toBe(1);
  const tests = page.getByRole('region', { name: 'Tests' });
  await expect.poll(() => tests.textContent()).toContain('1 passed, 1 failed, 0 skipped');
  expect(await tests.textContent()).toContain('expected 1 to be 2');
  const log = page.getByRole('log', { name: 'Console log' });
  await expect.poll(() => log.textContent()).toContain('Finished: UNSTABLE');
  const artifact = page.getByRole('link', { name: 'out.txt' });
  expect(await (await page.request.get(`${lab.fixture.url}${await artifact.getAttribute('href')}`)).text()).toBe(
    'artifact\n',
  );
  const { traceId } = lab.pipelines.build('showcase', number) ?? {};
  expect(await page.getByRole('link', { name: 'Trace of this build' }).getAttribute('href')).toContain(traceId);
});

it('starts a build with parameters, follows its log while it runs, aborts it', async () => {
  const number = lab.pipelines.store.state('showcase').nextNumber;
  await page.goto(`${lab.fixture.url}/jenkins`);
  await page.getByRole('button', { name: 'Build now' }).click();
  await page.getByRole('textbox', { name: 'WHO' }).fill('Ann');
  await page.getByRole('checkbox', { name: 'LONG' }).check();
  await page.getByRole('button', { name: 'Build', exact: true }).click();
  await build(number).getByRole('button').click();
  const log = page.getByRole('log', { name: 'Console log' });
  await expect.poll(() => log.textContent(), { timeout: 20_000 }).toContain('line 3');
  expect(await log.textContent()).toContain('hello Ann');
  expect(await build(number).textContent()).toContain('running');
  await expect.poll(stages).toContain('Long: in progress');
  await page.getByRole('button', { name: 'Abort', exact: true }).click();
  await expect.poll(() => build(number).textContent(), { timeout: 20_000 }).toContain('aborted');
  await expect.poll(() => log.textContent()).toContain('Finished: ABORTED');
  await expect.poll(stages).toContain('Long: aborted');
  expect(await page.getByRole('alert').count()).toBe(0);
});

it('asks what an input asks, with its parameters', async () => {
  const item = lab.pipelines.request('showcase', {
    cause: { kind: 'UserIdCause', text: 'Started by user admin' },
    parameters: { ASK: 'true' },
  });
  await expect.poll(() => item.build, { timeout: 20_000 }).toBeDefined();
  const number = item.build ?? 0;
  await open(number);
  const question = page.getByRole('region', { name: 'Deploy to production?' });
  await question.getByRole('textbox', { name: 'REASON' }).fill('it is time');
  await expect.poll(stages).toContain('Deploy: paused pending input');
  await question.getByRole('button', { name: 'Deploy' }).click();
  await expect.poll(() => build(number).textContent(), { timeout: 20_000 }).toContain('success');
  await expect
    .poll(() => page.getByRole('log', { name: 'Console log' }).textContent())
    .toContain('deployed: it is time');
  await expect.poll(() => question.count()).toBe(0);
});

it('replays a build, and restarts one from a stage', async () => {
  const number = await finished();
  await open(number);
  await page.getByRole('button', { name: 'Replay' }).click();
  await expect.poll(() => build(number + 1).textContent(), { timeout: 20_000 }).toContain('success');
  await page.getByRole('combobox', { name: 'Restart from stage' }).click();
  await page.getByRole('option', { name: 'Check' }).click();
  await expect.poll(() => build(number + 2).textContent(), { timeout: 20_000 }).toMatch(/success|failure/);
  await build(number + 2)
    .getByRole('button')
    .click();
  await expect.poll(stages).toContain('Build: not executed');
});

it('says what starts builds by itself, and switches it', async () => {
  await page.goto(`${lab.fixture.url}/jenkins`);
  await expect.poll(() => page.getByText('Starts by itself: cron H 3 * * *').count(), { timeout: 20_000 }).toBe(1);
  await page.getByRole('button', { name: 'Disable' }).click();
  await expect.poll(() => page.getByText('Disabled: nothing starts a build').count()).toBe(1);
  expect(lab.pipelines.store.job('showcase')?.disabled).toBe(true);
  expect(await page.getByRole('button', { name: 'Build now' }).isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Enable' }).click();
  await expect.poll(() => lab.pipelines.store.job('showcase')?.disabled).toBe(false);
});

it('fits a narrow screen', async () => {
  const number = await finished({ RESULT: 'bad' });
  await page.setViewportSize({ width: 390, height: 844 });
  await open(number);
  await expect.poll(stages, { timeout: 20_000 }).toContain('lint: failed');
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});
