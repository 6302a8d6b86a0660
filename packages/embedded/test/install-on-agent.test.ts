/** `jenkins/install.sh` on an agent whose image has no helm: the pinned one is fetched and found on PATH afterwards. */
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..', '..');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'install-'));
  for (const name of ['bin', 'scripts', 'home']) mkdirSync(join(folder, name));
  cpSync(join(ROOT, 'jenkins'), join(folder, 'jenkins'), { recursive: true });
  // What the agent's image has, and nothing else: node, and an npm that installs nothing.
  for (const program of ['rm', 'mkdir', 'cp', 'sh']) symlinkSync(`/bin/${program}`, join(folder, 'bin', program));
  symlinkSync(process.execPath, join(folder, 'bin', 'node'));
  program(join(folder, 'bin', 'npm'), 'exit 0');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function program(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

/** Stands for scripts/fetch-tools.ts. */
function fetchesHelm(does: boolean): void {
  const tools = "'node_modules/.cache/kind-e2e/tools/kubectl-1'";
  writeFileSync(
    join(folder, 'scripts', 'fetch-tools.ts'),
    does
      ? `import { mkdirSync, writeFileSync } from 'node:fs';
mkdirSync(${tools}, { recursive: true });
writeFileSync(${tools} + '/helm', '#!/bin/sh\\necho fetched', { mode: 0o755 });`
      : '',
  );
}

const env = (...path: readonly string[]): NodeJS.ProcessEnv => ({
  HOME: join(folder, 'home'),
  PATH: [...path, join(folder, 'bin')].join(':'),
});
const LOCAL = (): string => join(folder, 'home', '.local', 'bin');
const install = (environment: NodeJS.ProcessEnv): Promise<{ stdout: string; stderr: string }> =>
  run('/bin/sh', ['jenkins/install.sh'], { cwd: folder, env: environment, timeout: 60_000 });

it('fetches helm and puts it where PATH has it', async () => {
  fetchesHelm(true);
  await install(env(LOCAL()));
  expect((await run('/bin/sh', ['-c', 'helm'], { env: env(LOCAL()) })).stdout).toBe('fetched\n');
}, 90_000);

it('leaves a helm that is there alone', async () => {
  fetchesHelm(false);
  program(join(folder, 'bin', 'helm'), 'echo own');
  await install(env(LOCAL()));
  expect((await run('/bin/sh', ['-c', 'helm'], { env: env(LOCAL()) })).stdout).toBe('own\n');
}, 90_000);

it('says what is missing where no helm is pinned for the platform, or PATH lacks the folder', async () => {
  fetchesHelm(false);
  const stderr = (text: string): object => ({ code: 1, stderr: expect.stringContaining(text) as string });
  await expect(install(env(LOCAL()))).rejects.toMatchObject(stderr("add it to the agent's image"));
  fetchesHelm(true);
  await expect(install(env())).rejects.toMatchObject(stderr('.local/bin to PATH'));
}, 90_000);
