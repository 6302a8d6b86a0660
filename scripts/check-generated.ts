/**
 * Regenerates every generated file into memory and compares. A package that generates has `scripts/generate*.ts`, which
 * takes `--check` and exits with 1 where a file is not what it would write.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

const failed = globSync('packages/*/scripts/generate*.ts').filter((script) => {
  const result = spawnSync(process.execPath, [script, '--check'], { stdio: ['ignore', 'inherit', 'inherit'] });
  return result.status !== 0;
});
for (const script of failed) console.error(`${script}: its files are not what it writes; run it without --check`);
process.exit(failed.length > 0 ? 1 : 0);
