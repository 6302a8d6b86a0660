import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { type BrowserPage, settled } from '../browser-page.ts';

/**
 * WCAG 2.2 A and AA by axe-core, on every page and main state, light and dark: the rules are those of
 * https://github.com/dequelabs/axe-core/blob/develop/doc/rule-descriptions.md.
 */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** A page of the console, or what a reader made of it. */
export interface State {
  name: string;
  path: () => string;
  isPhone?: boolean;
  act?: (page: Page) => Promise<void>;
}

/**
 * Targets that may be smaller than 24 pixels by the exceptions of WCAG 2.5.8: bars and dots of a chart, whose place and size
 * are what they say ("essential"), and which have a field or a list that does the same ("equivalent").
 */
const ESSENTIAL = /^<\w+ [^>]*\bdata-mark\b/;

/** Expects that axe finds no barrier in this state, light and dark. */
export async function expectNoBarrier(browser: BrowserPage, { path, act, isPhone }: State): Promise<void> {
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
}
