// Bundles the service into dist/: main.cjs, and beside it express as a package of its own, because OpenTelemetry's
// instrumentations wrap modules as they are required by name.
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const here = import.meta.dirname;
const out = join(here, 'dist');
rmSync(out, { recursive: true, force: true });
const shared = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  logLevel: 'warning',
  // The same here and in `docker build`, which sees no tsconfig.json.
  tsconfigRaw: { compilerOptions: { strict: true } },
  // `debug` does without it, and it is there only where other packages brought it.
  external: ['supports-color'],
  // OpenTelemetry names spans after functions.
  keepNames: true,
};
const require = createRequire(import.meta.url);
const expressEntry = require.resolve('express');
const expressFolder = join(out, 'app/node_modules/express');
const application = build({
  ...shared,
  entryPoints: [join(here, 'src/main.ts')],
  outfile: join(out, 'app/main.cjs'),
  external: [...shared.external, 'express'],
  sourcemap: true,
  sourcesContent: false,
  define: { 'import.meta.dirname': '__dirname' },
});
const express = build({ ...shared, entryPoints: [expressEntry], outfile: join(expressFolder, 'index.js') });
await Promise.all([application, express]);
const { name, version, license } = JSON.parse(readFileSync(join(dirname(expressEntry), 'package.json'), 'utf8'));
writeFileSync(
  join(expressFolder, 'package.json'),
  `${JSON.stringify({ name, version, license, main: 'index.js' }, null, 2)}\n`,
);
if (existsSync(join(here, 'public'))) cpSync(join(here, 'public'), join(out, 'public'), { recursive: true });
