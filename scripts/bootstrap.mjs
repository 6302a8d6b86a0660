// The first step of every `npm run` command, in plain JavaScript for whatever Node (>= 20) the machine has: installs
// the locked dependencies where they are not, builds what changed, then hands over to the pinned Node 24.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [command, ...args] = process.argv.slice(2);
const pinnedNode = join(root, 'node_modules', '.bin', 'node');
const stamps = join(root, 'node_modules', '.cache', 'kind-e2e');

function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

function stamp(name) {
  try {
    return readFileSync(join(stamps, `${name}.stamp`), 'utf8');
  } catch {
    return undefined;
  }
}

function writeStamp(name, value) {
  mkdirSync(stamps, { recursive: true });
  writeFileSync(join(stamps, `${name}.stamp`), value);
}

/** Runs to the end with our standard streams; exits with its code when it fails. */
function run(title, file, argv, options = {}) {
  const started = performance.now();
  process.stderr.write(`${title} …\n`);
  const result = spawnSync(file, argv, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (result.error) fail(`${file}: ${result.error.message}`);
  if (result.status !== 0) fail(`${title}: failed, see above`, result.status ?? 1);
  process.stderr.write(`${title}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

function ensureInstalled() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (stamp('installed') === lock && existsSync(pinnedNode)) return;
  // Without their scripts: nothing that we install needs one, and nothing of theirs runs unasked.
  run('Installing dependencies', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    shell: process.platform === 'win32',
  });
  writeStamp('installed', lock);
}

function ensureNode() {
  const node = existsSync(pinnedNode) ? pinnedNode : process.execPath;
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? '';
  if (Number(version.slice(1).split('.')[0]) < 24)
    fail(
      `kind-e2e runs on Node 24, and none is pinned for ${process.platform} ${process.arch}; found ${version}. Install Node 24 or newer and try again.`,
    );
  return node;
}

/** Names, sizes and times of the files that a build reads; contents would tell no more and cost more. */
function sourceState(folders) {
  const hash = createHash('sha256');
  const visit = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return;
    if (!stat.isDirectory()) {
      hash.update(`${path}\0${stat.size}\0${stat.mtimeMs}\n`);
      return;
    }
    for (const name of readdirSync(path).sort())
      if (name !== 'node_modules' && name !== 'dist' && !name.startsWith('.')) visit(join(path, name));
  };
  for (const folder of folders) visit(join(root, folder));
  return hash.digest('hex');
}

function ensureBuilt(node) {
  const state = sourceState(['packages', 'apps', 'scripts/build.ts', 'package-lock.json']);
  if (stamp('built') === state && existsSync(join(root, 'dist'))) return;
  run('Building', node, ['scripts/build.ts']);
  writeStamp('built', sourceState(['packages', 'apps', 'scripts/build.ts', 'package-lock.json']));
}

/** The real helm and kubectl, unless they are on PATH or there already. */
function ensureTools(node) {
  if (stamp('tools') !== undefined) return;
  run('Fetching helm and kubectl', node, ['scripts/fetch-tools.ts']);
  writeStamp('tools', new Date().toISOString());
}

/** Hands over: signals go to the child, its exit code becomes ours. */
function become(node, argv) {
  const child = spawn(node, argv, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH ?? ''}` },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`${node}: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 128 : 1)));
}

ensureInstalled();
const node = ensureNode();
switch (command) {
  case 'up':
    ensureTools(node);
    ensureBuilt(node);
    become(node, ['packages/cli/bin/kind-e2e.mjs', 'up', ...args]);
    break;
  case 'test':
    ensureTools(node);
    ensureBuilt(node);
    become(node, ['scripts/test.ts', ...args]);
    break;
  case 'bench':
    ensureTools(node);
    ensureBuilt(node);
    become(node, ['bench/run.ts', ...args]);
    break;
  case 'build':
    run('Building', node, ['scripts/build.ts']);
    writeStamp('built', sourceState(['packages', 'apps', 'scripts/build.ts', 'package-lock.json']));
    break;
  case 'check':
    become(node, ['scripts/check.ts', ...args]);
    break;
  default:
    fail(`bootstrap: unknown command ${command}; one of up, test, check, build, bench`, 2);
}
