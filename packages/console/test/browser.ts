import chromium from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';

/** A headless Chromium that npm installed. */
export async function launchBrowser(): Promise<Browser> {
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [
      ...chromium.args.filter((argument) => !['--single-process', '--no-zygote'].includes(argument)),
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
    ],
    headless: true,
  });
}
