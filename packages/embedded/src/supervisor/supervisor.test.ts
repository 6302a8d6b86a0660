import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@kind-e2e/base';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { prepareDataDirectory } from '../config/data-directory.ts';
import { type Installation, installationAt } from '../config/installation.ts';
import { down } from '../up/down.ts';
import { identityOf, isRunning, signal } from './process-identity.ts';
import { isLabRunning, readRunState, updateRunState } from './run-file.ts';
import { Supervisor } from './supervisor.ts';
import { watchSupervisor } from './watch-supervisor.ts';

const WAIT = { timeout: 10_000, interval: 20 };

describe('supervisor and control plane', () => {
  let root: string;
  let dataDir: string;
  let installation: Installation;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'kind-e2e-supervisor-'));
    dataDir = join(root, 'data');
    await prepareDataDirectory(dataDir);
    installation = installationAt(root);
    // A process that only waits stands for the control plane, and for the supervisor that it revives.
    for (const name of ['control-plane', 'supervisor']) {
      await mkdir(join(root, 'dist', name), { recursive: true });
      await writeFile(join(root, 'dist', name, 'main.mjs'), 'setInterval(() => {}, 1000);\n');
    }
  });

  afterEach(async () => {
    await down({ dataDir, purge: true, logger: silentLogger });
    await rm(root, { recursive: true, force: true });
  });

  const newSupervisor = (): Supervisor =>
    new Supervisor({ dataDir, installation, clock: systemClock, logger: silentLogger });

  it('starts the control plane, and starts it anew when it was killed', async () => {
    const supervisor = newSupervisor();
    await supervisor.start();
    const first = (await readRunState(dataDir)).controlPlane;
    expect(first && isRunning(first)).toBe(true);
    if (first) signal(first, 'SIGKILL');
    await vi.waitFor(async () => {
      const next = (await readRunState(dataDir)).controlPlane;
      expect(next?.pid).not.toBe(first?.pid);
      expect(next && isRunning(next)).toBe(true);
    }, WAIT);
    await supervisor.stop();
    expect(await isLabRunning(dataDir)).toBe(false);
  });

  it('takes up a control plane that runs already', async () => {
    const before = newSupervisor();
    await before.start();
    const running = (await readRunState(dataDir)).controlPlane;
    const after = newSupervisor();
    await after.start();
    expect((await readRunState(dataDir)).controlPlane).toEqual(running);
    await before.stop();
    await after.stop();
  });

  it('is revived by the control plane, unless the lab is being ended', async () => {
    await updateRunState(dataDir, { supervisor: { pid: 2 ** 22 + 1, startTime: '1' } });
    using _watch = watchSupervisor({ dataDir, installation, clock: systemClock, logger: silentLogger });
    const revived = await vi.waitFor(async () => {
      const { supervisor } = await readRunState(dataDir);
      if (!supervisor || !isRunning(supervisor)) throw new Error('not yet');
      return supervisor;
    }, WAIT);
    expect(signal(revived, 'SIGKILL')).toBe(true);
  });
});

describe('process identity', () => {
  it('tells a process from another with the same number', () => {
    const own = identityOf(process.pid);
    expect(isRunning(own)).toBe(true);
    expect(isRunning({ pid: process.pid, startTime: '1' })).toBe(process.platform !== 'linux');
    expect(isRunning({ pid: 2 ** 22 + 1, startTime: '' })).toBe(false);
  });
});
