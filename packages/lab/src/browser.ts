import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import chromium, { inflate } from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';

const CACHE = join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'kind-e2e', 'browser');
const DONE = join(CACHE, 'unpacked');
const ARGS = [
  '--headless=shell',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--font-render-hinting=none',
];

/** The browser that npm installs, or the one that `KIND_E2E_CHROMIUM` names; it asks nobody for updates. */
export async function launchBrowser(): Promise<Browser> {
  const named = process.env.KIND_E2E_CHROMIUM;
  if (named) return playwright.launch({ executablePath: named, headless: true, args: ARGS });
  const executablePath = await unpackBrowser();
  const fonts = existsSync('/etc/fonts') ? {} : { FONTCONFIG_PATH: join(CACHE, 'fonts') };
  try {
    return await playwright.launch({ executablePath, headless: true, args: ARGS, env: { ...process.env, ...fonts } });
  } catch (error) {
    if (!String(error).includes('shared libraries')) throw error;
    // A machine without the libraries of a desktop: the package brings those that are most often missing.
    const env = { ...process.env, ...fonts, LD_LIBRARY_PATH: join(CACHE, 'al2023', 'lib') };
    return playwright.launch({ executablePath, headless: true, args: ARGS, env });
  }
}

/**
 * Unpacks once per checkout; the package itself unpacks to the system's temporary folder, which users share. Test files that
 * start at once on a fresh machine unpack each into a folder of its own, and the first to be ready gives it the name: nobody
 * starts a file that another still writes (`spawn ETXTBSY`).
 */
async function unpackBrowser(): Promise<string> {
  const executable = join(CACHE, 'chromium');
  if (existsSync(DONE)) return executable;
  await mkdir(dirname(CACHE), { recursive: true });
  const own = await mkdtemp(`${CACHE}-`);
  const systemFolder = process.env.TMPDIR;
  process.env.TMPDIR = own;
  try {
    const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
    await chromium.executablePath();
    await inflate(join(dirname(entry), '..', 'bin', 'al2023.tar.br'));
  } finally {
    if (systemFolder === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = systemFolder;
  }
  await writeFile(join(own, 'unpacked'), '');
  try {
    await rename(own, CACHE);
  } catch (error) {
    // Another was first, or an unpacking that was cut off has left its folder behind.
    if (existsSync(DONE)) await rm(own, { recursive: true, force: true });
    else {
      await rm(CACHE, { recursive: true, force: true });
      await rename(own, CACHE).catch(() => {
        if (!existsSync(DONE)) throw error;
      });
    }
  }
  return executable;
}
