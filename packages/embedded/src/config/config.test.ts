import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIRST_BLOCK, LAST_BLOCK } from '@kind-e2e/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findTool } from '../tools/find-tool.ts';
import { prepareDataDirectory, purgeDataDirectory, readLabConfig, writeLabConfig } from './data-directory.ts';
import { DEFAULT_PORTS, preferredBlock } from './lab-config.ts';
import { claimPorts, freePort } from './ports.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kind-e2e-config-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('data directory', () => {
  it('is made once and read again', async () => {
    await prepareDataDirectory(folder);
    await prepareDataDirectory(folder);
    expect(await readLabConfig(folder)).toBeUndefined();
    const config = { dataDir: folder, ports: DEFAULT_PORTS, addressBlock: 4, retention: '7d' };
    await writeLabConfig(config);
    expect(await readLabConfig(folder)).toEqual(config);
  });

  it('of another version is refused and left alone', async () => {
    await writeFile(join(folder, 'version'), '999\n');
    await expect(prepareDataDirectory(folder)).rejects.toMatchObject({ code: 'DATA_VERSION', side: 'user' });
    expect(await readdir(folder)).toEqual(['version']);
  });

  it('is purged only where it is one of ours', async () => {
    await writeFile(join(folder, 'holiday.jpg'), '');
    await purgeDataDirectory(folder);
    expect(await readdir(folder)).toEqual(['holiday.jpg']);
    await prepareDataDirectory(folder);
    await purgeDataDirectory(folder);
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });

  it('says that its configuration is damaged', async () => {
    await writeFile(join(folder, 'lab.json'), '{');
    await expect(readLabConfig(folder)).rejects.toMatchObject({ code: 'LAB_CONFIG_DAMAGED' });
  });
});

describe('ports', () => {
  it('taken ones are an error where they are needed, and left out where they are not', async () => {
    const none = {
      ...DEFAULT_PORTS,
      gateway: 0,
      api: 0,
      registry: 0,
      zipkin: 0,
      otlpGrpc: 0,
      otlpHttp: 0,
      jaeger: 0,
      prometheus: 0,
      loki: 0,
    };
    const port = await freePort();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await expect(claimPorts({ ...none, api: port })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: `port ${port} of 127.0.0.1, for the api, is taken by another program`,
    });
    const { ports, leftOut } = await claimPorts({ ...none, zipkin: port });
    expect(ports.zipkin).toBe(0);
    expect(leftOut[0]).toContain('--zipkin-port');
    server.close();
  });
});

describe('address block', () => {
  it('is the same for the same directory and always one that exists', () => {
    for (const name of ['/a', '/b', '/some/long/path']) {
      const block = preferredBlock(name, FIRST_BLOCK, LAST_BLOCK);
      expect(block).toBe(preferredBlock(name, FIRST_BLOCK, LAST_BLOCK));
      expect(block).toBeGreaterThanOrEqual(FIRST_BLOCK);
      expect(block).toBeLessThanOrEqual(LAST_BLOCK);
    }
  });
});

describe('findTool', () => {
  it('takes the named one, else the one on PATH, else says what to do', async () => {
    const helm = join(folder, 'helm');
    await writeFile(helm, '#!/bin/sh\n', { mode: 0o755 });
    const directory = join(folder, 'none');
    expect(await findTool('helm', { directory, env: { KIND_E2E_HELM: helm } })).toBe(helm);
    expect(await findTool('helm', { directory, env: { PATH: folder } })).toBe(helm);
    await expect(findTool('kubectl', { directory, env: { PATH: folder } })).rejects.toMatchObject({
      code: 'TOOL_NOT_FOUND',
      remedy: expect.stringContaining('npm run up'),
    });
    await expect(findTool('helm', { directory, env: { KIND_E2E_HELM: '/nowhere/helm' } })).rejects.toThrow(
      'KIND_E2E_HELM names /nowhere/helm',
    );
  });
});
