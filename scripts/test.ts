/**
 * `npm test`: unit and integration tests of the packages, the console's, then the whole lab and the browser. Arguments
 * go to vitest and choose unit tests (`npm test promql`); `npm test -- --e2e` runs only the whole-lab tests.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const args = process.argv.slice(2);
const onlyE2e = args.includes('--e2e');
const filters = args.filter((argument) => argument !== '--e2e');

const SUITES = [
  { title: 'packages', config: 'vitest.config.ts', e2e: false },
  { title: 'console', config: 'packages/console/vitest.config.ts', e2e: false },
  { title: 'whole lab', config: 'e2e/vitest.config.ts', e2e: true },
];

let failed = false;
for (const suite of SUITES) {
  if (!existsSync(join(root, suite.config)) || (onlyE2e && !suite.e2e) || (filters.length > 0 && suite.e2e && !onlyE2e))
    continue;
  const started = performance.now();
  const folder = suite.config.includes('/') ? join(root, suite.config, '..') : root;
  const result = spawnSync(process.execPath, [vitest, 'run', '--root', folder, '--passWithNoTests', ...filters], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  console.log(
    `${suite.title}: ${result.status === 0 ? 'passed' : 'FAILED'} in ${((performance.now() - started) / 1_000).toFixed(0)} s`,
  );
  failed ||= result.status !== 0;
}
process.exit(failed ? 1 : 0);
