/**
 * `npm run bench [name …]`: runs the benchmarks of this folder, or those named, one after another, each in a process of
 * its own. A benchmark prints its figures, each as a ratio to a peer of the same run where there is one.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';

const wanted = process.argv.slice(2);
const files = globSync('*.ts', { cwd: import.meta.dirname })
  .filter((file) => file !== 'run.ts')
  .filter((file) => wanted.length === 0 || wanted.includes(basename(file, '.ts')))
  .sort();
if (files.length === 0) {
  console.error(`no benchmark is called ${wanted.join(', ')}`);
  process.exit(2);
}
let failed = false;
for (const file of files) {
  console.log(`\n# ${basename(file, '.ts')}`);
  const result = spawnSync(process.execPath, [join(import.meta.dirname, file)], { stdio: 'inherit' });
  failed ||= result.status !== 0;
}
process.exit(failed ? 1 : 0);
