/** Builds all that a lab runs: the processes into dist/, the console, the apps. */
import { cp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { execa } from 'execa';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

/** CommonJS packages inside an ES module bundle need a `require`. */
const REQUIRE_BANNER =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  banner: { js: REQUIRE_BANNER },
  external: ['@lydell/node-pty', 'pino-pretty'] as string[],
  // Its CommonJS form gives a dynamic import no names.
  alias: { yaml: join(root, 'node_modules', 'yaml', 'browser', 'index.js') },
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: 'linked',
  sourcesContent: false,
  splitting: true,
  logLevel: 'warning',
} as const;

async function bundle(entry: string, folder: string): Promise<void> {
  const outdir = join(dist, folder);
  await rm(outdir, { recursive: true, force: true });
  const { metafile } = await build({ ...shared, metafile: true, entryPoints: { main: join(root, entry) }, outdir });
  const modules = Object.keys(metafile.outputs).filter((file) => file.endsWith('.mjs'));
  await Promise.all(modules.map((file) => escapeNonAscii(resolve(file))));
}

/**
 * V8 keeps a program's source; one character beyond Latin-1 makes it twice as large. esbuild escapes them in strings,
 * but not in regular expressions and comments of licences, where an escape means the same.
 */
async function escapeNonAscii(file: string): Promise<void> {
  const source = await readFile(file, 'utf8');
  const escaped = source.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  if (escaped !== source) await writeFile(file, escaped);
}

async function buildConsole(): Promise<void> {
  await execa('vite', ['build', '--logLevel', 'warn'], {
    cwd: join(root, 'packages', 'console'),
    preferLocal: true,
    localDir: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

const apps = ['front-end', 'business-logic'].map((app) =>
  execa(process.execPath, ['build.mjs'], { cwd: join(root, 'apps', app), stdio: ['ignore', 'inherit', 'inherit'] }),
);
await Promise.all([
  bundle('packages/embedded/src/supervisor/main.ts', 'supervisor'),
  bundle('packages/embedded/src/control-plane/main.ts', 'control-plane'),
  bundle('packages/proxy/src/main.ts', 'images/data-plane'),
  bundle('packages/embedded/src/observability/main.ts', 'images/observability'),
  bundle('packages/pipelines/src/controller-main.ts', 'images/jenkins'),
  bundle('packages/pipelines/src/agent-main.ts', 'images/jenkins-agent'),
  bundle('packages/cli/src/main.ts', 'cli'),
  buildConsole(),
  ...apps,
]);
await cp(join(root, 'packages', 'console', 'dist'), join(dist, 'images', 'observability', 'console'), {
  recursive: true,
});
// What no process reads: source maps of the images stay out of them, the console's are its own.
for (const image of ['data-plane', 'observability', 'jenkins', 'jenkins-agent'])
  await rm(join(dist, 'images', image, 'main.mjs.map'), { force: true });
await stat(join(dist, 'cli', 'main.mjs'));
