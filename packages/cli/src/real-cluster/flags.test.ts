import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@kind-e2e/base';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import type { CommandContext } from '../context.ts';
import { addRealClusterOptions, engineOption, type RealClusterFlags, realLabOf } from './flags.ts';

it('--repository reaches the lab; the help says what it is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flags-'));
  try {
    const command = new Command('up').addOption(engineOption());
    addRealClusterOptions(command);
    const url = 'https://git.example/you/kind-e2e.git';
    const flags = command.parse(['--engine', 'kind', '--repository', url], { from: 'user' }).opts<RealClusterFlags>();
    const context = {
      cwd: folder,
      env: { PATH: '' },
      logger: silentLogger,
      installation: { root: folder, tools: folder },
    } as unknown as CommandContext;
    expect((await realLabOf(flags, context)).settings.repository).toBe(url);
    await expect(realLabOf({ ...flags, repository: '/srv/git' }, context)).rejects.toMatchObject({ side: 'usage' });
    expect(command.helpInformation()).toMatch(/--repository <url>\s+kind, cluster: what Jenkins builds/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
