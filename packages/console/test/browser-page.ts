import { launchBrowser } from '@kind-e2e/lab/browser';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { FixtureApi } from './fixture-api.ts';
import { FIXTURE_OFFSET_MS, nowSecond, shiftBrowserDate } from './fixture-clock.ts';
import { type FixtureServer, startFixtureServer } from './fixture-server.ts';
import { healthySlowTraces } from './fixture-traces.ts';

export interface BrowserPage {
  /** The page of the test that runs; each test has its own, in a context of its own. */
  readonly page: Page;
  readonly api: FixtureApi;
  open(path: string): Promise<void>;
  /** A further page in a context with these options; closed after the test. */
  another(options: BrowserContextOptions): Promise<Page>;
}

/** The built console in a real browser against the fixture's APIs, for one test file; a fault in a page fails its test. */
export function browserPerTest(): BrowserPage {
  let fixture: FixtureServer;
  let browser: Browser;
  let page: Page;
  let problems: string[] = [];

  const another = async (options: BrowserContextOptions): Promise<Page> => {
    const context = await browser.newContext({ locale: 'en-GB', baseURL: fixture.url, ...options });
    if (FIXTURE_OFFSET_MS !== 0) await context.addInitScript(shiftBrowserDate, FIXTURE_OFFSET_MS);
    context.setDefaultTimeout(60_000);
    const made = await context.newPage();
    made.on('pageerror', (error) => problems.push(error.message));
    return made;
  };
  beforeAll(async () => {
    [fixture, browser] = await Promise.all([startFixtureServer(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await fixture?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    problems = [];
    page = await another({ viewport: { width: 1440, height: 900 } });
  });
  afterEach(async () => {
    fixture.api.failing.clear();
    fixture.api.empty.clear();
    for (const context of browser.contexts()) await context.close();
    expect(problems).toEqual([]);
  });
  return {
    get page() {
      return page;
    },
    get api() {
      return fixture.api;
    },
    another,
    async open(path) {
      await page.goto(path);
    },
  };
}

/** Waits until nothing on the page is a skeleton any more. */
export const settled = (page: Page): Promise<void> => expect.poll(() => page.locator('[data-loading]').count()).toBe(0);

/** A slow trace without errors: the log line of its work is the only one of business-logic. */
export const slowTrace = (): string => healthySlowTraces(nowSecond() - 60)[0]?.traceID ?? '';
