/** `npm run check`: format, lint, types, layers, generated files, file lengths. Runs all of them, then says what failed. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);
const node = process.execPath;

const CHECKS: readonly { readonly title: string; readonly file: string; readonly args: readonly string[] }[] = [
  { title: 'format and lint', file: bin('biome'), args: ['check', '--error-on-warnings', '.'] },
  { title: 'types', file: bin('tsc'), args: ['-p', 'tsconfig.json'] },
  { title: 'types of the console', file: bin('tsc'), args: ['-p', 'packages/console/tsconfig.json'] },
  { title: 'layers', file: node, args: ['scripts/check-layers.ts'] },
  { title: 'file lengths', file: node, args: ['scripts/check-lengths.ts'] },
  { title: 'generated files', file: node, args: ['scripts/check-generated.ts'] },
];

const failed: string[] = [];
for (const { title, file, args } of CHECKS) {
  if (title.endsWith('console') && !existsSync(join(root, 'packages/console/tsconfig.json'))) continue;
  const started = performance.now();
  const result = spawnSync(file, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`${result.status === 0 ? '✔' : '✖'} ${title} (${seconds} s)`);
  if (result.status !== 0) failed.push(title);
}
if (failed.length > 0) {
  console.error(`\nfailed: ${failed.join(', ')}`);
  process.exit(1);
}
