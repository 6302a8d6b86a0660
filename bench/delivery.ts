/**
 * From a change to running pods: `kind-e2e build` and `deploy` as a developer runs them, the pipeline without tests, and
 * Helm alone. Until the website itself answers with the change.
 *
 *   node bench/delivery.ts
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandResult, type Lab, startLab } from '@kind-e2e/lab';
import { execa } from 'execa';
import { figure } from './support/figures.ts';

const ROUNDS = 3;
/** Tilt's best without live update, as it states it. */
const TILT_SECONDS = 11;
const ROOT = join(import.meta.dirname, '..');
const PROGRAM = join(ROOT, 'packages', 'cli', 'bin', 'kind-e2e.mjs');
const CHANGED_FILE = join(ROOT, 'apps', 'front-end', 'src', 'views.ts');
const CHANGED_LINE = "response.set('x-trace-id', traceId)";

const dataDir = await mkdtemp(join(tmpdir(), 'kind-e2e-bench-'));
const source = await readFile(CHANGED_FILE, 'utf8');
try {
  figure('load of the machine', loadavg()[0] ?? 0);
  await using lab = await startLab({ dataDir });
  await measureHelm(lab);
  for (let round = 0; round < ROUNDS; round++) {
    const change = `round-${round}`;
    if (!source.includes(CHANGED_LINE)) throw new Error(`${CHANGED_FILE} has no ${CHANGED_LINE}`);
    await writeFile(CHANGED_FILE, source.replace(CHANGED_LINE, `${CHANGED_LINE}.set('x-change', '${change}')`));
    const started = performance.now();
    await kindE2e('build', 'apps/front-end');
    const built = performance.now();
    await kindE2e('deploy');
    figure('  kind-e2e build, s', (built - started) / 1_000);
    figure('  kind-e2e deploy, s', (performance.now() - built) / 1_000);
    await until(async () => (await lab.request('/demo-app/fast-page')).headers.get('x-change') === change);
    figure('change to running, s', (performance.now() - started) / 1_000, { target: '< 2', peer: TILT_SECONDS });
  }
  for (let round = 0; round < ROUNDS; round++) {
    const seconds = await timed(() => kindE2e('pipeline', 'run', '--param', 'TESTS=false'));
    const what = round === 0 ? 'pipeline without tests, the first, with its Jenkins, s' : 'pipeline without tests, s';
    figure(what, seconds, { target: '< 10' });
  }
} finally {
  await writeFile(CHANGED_FILE, source);
  await rm(dataDir, { recursive: true, force: true });
}

async function measureHelm(lab: Lab): Promise<void> {
  const values = join(dataDir, 'values.json');
  await writeFile(values, (await succeed(lab.helm('get', 'values', 'app', '--output', 'json'))).stdout);
  const upgrade = (...more: string[]): Promise<CommandResult> =>
    succeed(lab.helm('upgrade', '--install', 'app', join(ROOT, 'helm', 'app'), '--wait', '--values', values, ...more));
  for (let round = 0; round < ROUNDS; round++) {
    await succeed(lab.helm('uninstall', 'app', '--wait'));
    figure('helm upgrade --install --wait of the app, s', await timed(() => upgrade()), { target: '< 3' });
    const annotation = `front-end.podAnnotations.round=r${round}`;
    figure('helm upgrade --wait that replaces the front-end, s', await timed(() => upgrade('--set', annotation)));
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1_000;
}

async function kindE2e(...args: string[]): Promise<void> {
  await execa(process.execPath, [PROGRAM, ...args, '--data-dir', dataDir], { cwd: ROOT, stdin: 'ignore' });
}

async function succeed(command: Promise<CommandResult>): Promise<CommandResult> {
  const result = await command;
  if (result.exitCode !== 0) throw new Error(result.stderr);
  return result;
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20));
}
