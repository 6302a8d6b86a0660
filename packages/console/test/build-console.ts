import { execFileSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

function newest(pattern: string): number {
  return Math.max(0, ...globSync(pattern, { cwd: root }).map((file) => statSync(join(root, file)).mtimeMs));
}

/** Vitest's global set-up: the browser tests look at `dist`, so it is built anew where a source is younger, once for all files. */
export default function setup(): void {
  if (newest('dist/index.html') >= Math.max(newest('src/**/*'), newest('dashboards/*'), newest('index.html'))) return;
  const vite = join(root, '../../node_modules/vite/bin/vite.js');
  execFileSync(process.execPath, [vite, 'build', '--logLevel', 'error'], { cwd: root });
}
