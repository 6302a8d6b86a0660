#!/usr/bin/env node
// Starts the command line on the pinned Node 24, whatever Node the shell found; the bundle where it was built, else the
// sources.
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(realpathSync(fileURLToPath(import.meta.url))), '..', '..', '..');
if (Number(process.versions.node.split('.')[0]) >= 24) {
  const bundle = join(root, 'dist', 'cli', 'main.mjs');
  const main = existsSync(bundle) ? bundle : join(root, 'packages', 'cli', 'src', 'main.ts');
  const { main: run } = await import(pathToFileURL(main).href);
  await run(process.argv, root);
} else {
  const pinned = join(root, 'node_modules', '.bin', 'node');
  if (!existsSync(pinned)) {
    process.stderr.write(
      `kind-e2e needs Node 24, this is ${process.version}, and no pinned one is installed. Run npm ci in ${root} first.\n`,
    );
    process.exit(1);
  }
  const { status, signal } = spawnSync(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exit(status ?? (signal ? 130 : 1));
}
