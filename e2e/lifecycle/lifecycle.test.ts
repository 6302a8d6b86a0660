import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, isPortTaken, labProcesses, readLabConfig } from '@kind-e2e/embedded';
import { startLab } from '@kind-e2e/lab';
import { execa } from 'execa';
import { afterEach, describe, expect, inject, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const CLI = join(ROOT, 'packages', 'cli', 'bin', 'kind-e2e.mjs');

describe('the life of a lab', () => {
  const folders: string[] = [];

  afterEach(async () => {
    for (const folder of folders.splice(0)) {
      await cli('down', '--purge', '--data-dir', folder);
      await rm(folder, { recursive: true, force: true });
    }
  });

  async function newFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'kind-e2e-life-'));
    folders.push(folder);
    return folder;
  }

  function cli(...args: string[]): Promise<{ exitCode?: number; stdout: string; stderr: string }> {
    return execa(process.execPath, [CLI, ...args], { reject: false, stdin: 'ignore' });
  }

  async function ports(): Promise<string[]> {
    const flags: string[] = [];
    for (const name of ['gateway', 'api', 'registry']) flags.push(`--${name}-port`, String(await freePort()));
    for (const name of ['zipkin', 'otlp-grpc', 'otlp-http', 'jaeger', 'prometheus', 'loki'])
      flags.push(`--${name}-port`, '0');
    return flags;
  }

  it('keeps everything over a restart, and leaves nothing when purged', async () => {
    const dataDir = await newFolder();
    let traceId = '';
    {
      await using lab = await startLab({ dataDir });
      await lab.kubectl('create', 'configmap', 'kept', '--from-literal=a=b');
      const click = await lab.request('/demo-app/fast-page');
      traceId = click.traceId ?? '';
      await lab.telemetry.waitForTrace(traceId, { minSpans: 8 });
      await lab.telemetry.waitForLines(`{app="front-end"} |= "${traceId}"`);
      await lab.telemetry.waitForSamples('sum(istio_requests_total)');
    }
    expect(await labProcesses(dataDir)).toEqual([]);
    {
      await using lab = await startLab({ dataDir });
      expect((await lab.kubectl('get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}')).stdout).toBe('b');
      expect((await lab.helm('list', '-o', 'json')).stdout).toContain('"revision":"1"');
      expect((await lab.telemetry.waitForTrace(traceId)).spans.length).toBeGreaterThanOrEqual(8);
      expect(await lab.telemetry.waitForLines(`{app="front-end"} |= "${traceId}"`)).toHaveLength(1);
    }
    const config = await readLabConfig(dataDir);
    const purged = await cli('down', '--purge', '--data-dir', dataDir);
    expect(purged.exitCode).toBe(0);
    await expect(readdir(dataDir)).rejects.toThrow('ENOENT');
    for (const port of Object.values(config?.ports ?? {})) expect(await isPortTaken('127.0.0.1', port)).toBe(false);
  });

  it('says that a port is taken', async () => {
    const dataDir = await newFolder();
    const flags = await ports();
    const port = Number(flags[1]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const result = await cli('up', '--detach', '--data-dir', dataDir, ...flags);
    server.close();
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(`port ${port} of 127.0.0.1, for the gateway, is taken by another program`);
    expect(result.stderr).toContain('--gateway-port');
  });

  it('says that the data directory is of another version', async () => {
    const dataDir = await newFolder();
    await writeFile(join(dataDir, 'version'), '999\n');
    const result = await cli('up', '--detach', '--data-dir', dataDir, ...(await ports()));
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('was written by another version of kind-e2e (format 999');
    expect(await readdir(dataDir)).toEqual(['version']);
  });

  it('says that Helm was not found', async () => {
    const result = await execa(
      process.execPath,
      [CLI, 'up', '--detach', '--data-dir', await newFolder(), ...(await ports())],
      {
        reject: false,
        stdin: 'ignore',
        env: { KIND_E2E_HELM: '/nowhere/helm' },
      },
    );
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('KIND_E2E_HELM names /nowhere/helm, which is not a program');
  });

  it('says that a lab already runs', async () => {
    const dataDir = inject('labDataDir');
    const result = await cli('up', '--detach', '--data-dir', dataDir);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(`a lab already runs in ${dataDir}`);
  });

  it('tells wrong usage from what the user can mend', async () => {
    expect((await cli('up', '--gateway-port', 'many')).exitCode).toBe(2);
    expect((await cli('nonsense')).exitCode).toBe(2);
    const folder = await newFolder();
    const result = await cli('status', '--data-dir', folder);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('there is no lab in');
    expect((await cli('down', '--data-dir', folder)).stderr).toContain('No lab was running.');
  });

  it('prints its kubeconfig, its state and its help', async () => {
    const dataDir = inject('labDataDir');
    expect((await cli('kubeconfig', '--data-dir', dataDir)).stdout).toContain('current-context: kind-e2e');
    const status = JSON.parse((await cli('status', '--json', '--data-dir', dataDir)).stdout);
    expect(status).toMatchObject({ running: true, ready: true });
    expect(status.nodes).toHaveLength(6);
    for (const command of ['up', 'down', 'status', 'doctor', 'kubeconfig', 'logs', 'build'])
      expect((await cli(command, '--help')).stdout).toContain(`kind-e2e ${command}`);
  });
});
