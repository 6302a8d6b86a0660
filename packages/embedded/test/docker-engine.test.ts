/**
 * With a real Docker engine (and skopeo, where it is there): both apps by `docker build`, our registry as the engine's
 * own, and that `kind-e2e build` gives an image that behaves alike. Skipped where no engine answers.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { silentLogger, systemClock } from '@kind-e2e/base';
import { createRegistry, ImageStore, type Registry } from '@kind-e2e/oci';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../src/images/build-app.ts';
import { nodeBaseImage } from './node-base-image.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..', '..');
const APPS = ['front-end', 'business-logic'] as const;
const LABEL = 'kind-e2e.test=docker-engine';
const TIMEOUT_MS = 300_000;

/** The engine's own registry must be on its loopback, which is ours only where it runs on this machine's network. */
const answer = spawnSync('docker', ['info', '--format', '{{.OSType}}/{{.Architecture}}'], {
  encoding: 'utf8',
  timeout: 10_000,
});
const hasEngine = answer.status === 0 && answer.stdout.startsWith('linux/') && process.platform === 'linux';
const hasSkopeo = spawnSync('skopeo', ['--version'], { timeout: 10_000 }).status === 0;
const why = hasEngine ? '' : ' (skipped: `docker info` does not answer)';

interface Config {
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[] | null;
  readonly WorkingDir?: string;
  readonly ExposedPorts?: object;
  readonly Labels?: object;
}

describe.skipIf(!hasEngine)(`a real Docker engine${why}`, { timeout: TIMEOUT_MS }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'docker-engine-'));
  const base = `kind-e2e-test/node-base:${process.pid}`;
  const made = new Set<string>([base]);
  const running: { readonly containers: string[]; readonly processes: ChildProcess[] } = {
    containers: [],
    processes: [],
  };
  let registry: Registry;
  let host = '';

  // Never the synchronous kind: the registry answers from this process.
  const docker = async (...args: string[]): Promise<string> =>
    (await run('docker', args, { cwd: ROOT, maxBuffer: 64e6, timeout: 120_000 })).stdout;
  const skopeo = async (...args: string[]): Promise<string> => (await run('skopeo', args, { timeout: 60_000 })).stdout;
  const failureOf = (command: Promise<string>): Promise<string> =>
    command.then(
      () => 'it went well',
      (error: { stderr?: string }) => error.stderr ?? '',
    );
  const configOf = async (image: string): Promise<Config> =>
    JSON.parse(await docker('image', 'inspect', '--format', '{{json .Config}}', image)) as Config;
  const digestOf = async (reference: string): Promise<string | undefined> =>
    (JSON.parse(await docker('image', 'inspect', '--format', '{{json .RepoDigests}}', reference)) as string[])
      .find((digest) => digest.startsWith(reference.slice(0, reference.lastIndexOf(':'))))
      ?.split('@')[1];
  const image = (app: string, tag: string): string => {
    const reference = `${host}/${app}:${tag}`;
    made.add(reference);
    return reference;
  };

  beforeAll(async () => {
    registry = await createRegistry({
      directory: join(directory, 'registry'),
      listen: { port: 0 },
      clock: systemClock,
      logger: silentLogger,
    });
    host = `localhost:${registry.port}`;
    const load = spawn('docker', ['import', '--change', 'ENV PATH=/usr/local/bin:/bin', '-', base], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    const said = text(load.stderr);
    const ended = new Promise<number | null>((resolve) => load.once('close', resolve));
    await pipeline(nodeBaseImage(ROOT, join(ROOT, 'apps', 'front-end')), load.stdin);
    expect(await ended, await said).toBe(0);
    for (const app of APPS) {
      const args = [
        '--build-arg',
        `NODE_IMAGE=${base}`,
        '--label',
        LABEL,
        '--tag',
        image(app, 'docker'),
        join('apps', app),
      ];
      await docker('build', '--network', 'none', ...args);
      await buildApp({ folder: join(ROOT, 'apps', app), registry: host, tag: 'kind-e2e', sbom: true });
    }
  }, TIMEOUT_MS);

  afterAll(async () => {
    for (const process of running.processes) process.kill('SIGKILL');
    for (const container of running.containers) spawnSync('docker', ['rm', '--force', container]);
    for (const reference of made) spawnSync('docker', ['rmi', '--force', reference]);
    spawnSync('docker', ['image', 'prune', '--force', '--filter', `label=${LABEL}`]);
    await registry[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }, TIMEOUT_MS);

  it('pushes to our registry and pulls back the same image', async () => {
    for (const app of APPS) {
      const reference = image(app, 'docker');
      await docker('push', reference);
      const digest = await digestOf(reference);
      expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      const found = await fetch(`http://127.0.0.1:${registry.port}/v2/${app}/manifests/docker`, {
        method: 'HEAD',
        headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
      });
      expect(found.headers.get('docker-content-digest')).toBe(digest);
      const id = await docker('image', 'inspect', '--format', '{{.Id}}', reference);
      await docker('rmi', reference);
      await docker('pull', `${host}/${app}@${digest}`);
      await docker('pull', reference);
      expect(await docker('image', 'inspect', '--format', '{{.Id}}', reference)).toBe(id);
    }
    const catalog = await fetch(`http://127.0.0.1:${registry.port}/v2/_catalog`);
    expect(await catalog.json()).toEqual({ repositories: [...APPS].sort() });
  });

  it('pushes again what is there already, and mounts layers of another repository', async () => {
    const reference = image('front-end', 'docker');
    await docker('push', reference);
    const other = image('elsewhere/front-end', 'docker');
    await docker('tag', reference, other);
    expect(await docker('push', other)).toMatch(/Mounted from front-end|Layer already exists/);
    expect(await digestOf(other)).toBe(await digestOf(reference));
  });

  it('says what docker says of an image that is not there', async () => {
    expect(await failureOf(docker('pull', `${host}/front-end:nobody`))).toContain('manifest unknown');
  });

  it.each(APPS)('docker build and kind-e2e build of %s have the same configuration and the same files', async (app) => {
    const byDocker = await configOf(image(app, 'docker'));
    await docker('pull', image(app, 'kind-e2e'));
    const byUs = await configOf(image(app, 'kind-e2e'));
    for (const key of ['User', 'WorkingDir', 'Entrypoint', 'ExposedPorts'] as const)
      expect(byUs[key], key).toEqual(byDocker[key]);
    expect(byUs.Cmd ?? null).toEqual(byDocker.Cmd ?? null);
    const ofBase = new Set((await configOf(base)).Env);
    expect([...(byUs.Env ?? [])].sort()).toEqual((byDocker.Env ?? []).filter((one) => !ofBase.has(one)).sort());
    const [key = '', value = ''] = LABEL.split('=');
    expect({ ...byUs.Labels, [key]: value }).toEqual(byDocker.Labels);
    expect(byUs.User).toBe('65532:65532');
    const [ours, theirs] = [await filesOf(image(app, 'kind-e2e')), await filesOf(image(app, 'docker'))];
    expect([...theirs.keys()].sort()).toEqual([...ours.keys()].sort());
    for (const [name, content] of ours) {
      // The map names the sources by their place, the bill the time and what npm found installed: those differ.
      if (name.endsWith('.map') || name.endsWith('sbom.cdx.json')) continue;
      expect(firstDifference(withoutPlaces(content), withoutPlaces(theirs.get(name) ?? '')), name).toBeUndefined();
    }
  });

  it.each(APPS)(
    '%s runs by its Docker image, read-only and not as root, and answers as the one without Docker',
    async (app) => {
      const port = await freePort();
      const name = `kind-e2e-test-${app}-${process.pid}`;
      running.containers.push(name);
      const safe = [
        '--read-only',
        '--cap-drop',
        'ALL',
        '--security-opt',
        'no-new-privileges',
        '--health-interval',
        '1s',
      ];
      await docker(
        'run',
        '--detach',
        '--name',
        name,
        '--network',
        'host',
        ...safe,
        '--env',
        `PORT=${port}`,
        image(app, 'docker'),
      );
      await until(
        async () => (await docker('inspect', '--format', '{{.State.Health.Status}}', name)).trim() === 'healthy',
      );
      expect((await docker('exec', name, 'node', '-p', 'process.getuid()')).trim()).toBe('65532');
      const ownPort = await freePort();
      await runByUs(image(app, 'kind-e2e'), ownPort);
      for (const path of ['/', '/healthz', '/nowhere']) {
        const [docker, own] = await Promise.all([port, ownPort].map((one) => fetch(`http://127.0.0.1:${one}${path}`)));
        expect([own?.status, own?.headers.get('content-type'), await own?.text()]).toEqual([
          docker?.status,
          docker?.headers.get('content-type'),
          await docker?.text(),
        ]);
      }
      await docker('stop', '--time', '10', name);
      expect((await docker('inspect', '--format', '{{.State.ExitCode}}', name)).trim()).toBe('0');
    },
  );

  it.skipIf(!hasSkopeo)('skopeo copies out, in and across, inspects, lists and deletes', async () => {
    const loose = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    const source = `docker://${image('front-end', 'docker')}`;
    const layout = join(directory, 'layout');
    await skopeo('copy', ...loose, source, `oci:${layout}:one`);
    await skopeo('copy', ...loose, `oci:${layout}:one`, `docker://${host}/copied:one`);
    await skopeo('copy', ...loose, '--preserve-digests', source, `docker://${host}/across/front-end:two`);
    await skopeo('copy', ...loose, `docker://${image('front-end', 'kind-e2e')}`, `dir:${join(directory, 'folder')}`);
    const inspect = async (reference: string): Promise<{ Digest: string; Labels: Record<string, string> }> =>
      JSON.parse(await skopeo('inspect', '--tls-verify=false', reference)) as never;
    const [index] = (
      JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as { manifests: { digest: string }[] }
    ).manifests;
    expect((await inspect(`docker://${host}/copied:one`)).Digest).toBe(index?.digest);
    expect((await inspect(`docker://${host}/across/front-end:two`)).Digest).toBe((await inspect(source)).Digest);
    expect((await inspect(source)).Labels['org.opencontainers.image.title']).toBe('front-end');
    await docker('pull', image('copied', 'one'));
    expect((await configOf(image('copied', 'one'))).Entrypoint).toEqual(
      (await configOf(image('front-end', 'docker'))).Entrypoint,
    );
    expect(JSON.parse(await skopeo('list-tags', '--tls-verify=false', `docker://${host}/front-end`))).toMatchObject({
      Tags: ['docker', 'kind-e2e'],
    });
    await skopeo('delete', '--tls-verify=false', `docker://${host}/copied:one`);
    expect(await failureOf(skopeo('inspect', '--tls-verify=false', `docker://${host}/copied:one`))).toContain(
      'manifest unknown',
    );
    const swept = await registry.collectGarbage({ minAgeMs: 0 });
    expect(swept.blobs).toBeGreaterThan(0);
    // What other tags share is still there.
    await docker('rmi', '--force', image('front-end', 'docker'));
    await docker('pull', image('front-end', 'docker'));
  });

  /** Files of an image below /srv, read from a container that never runs. */
  async function filesOf(reference: string): Promise<ReadonlyMap<string, string>> {
    const container = (await docker('create', reference)).trim();
    try {
      const files = new Map<string, string>();
      const child = spawn('docker', ['export', container], { stdio: ['ignore', 'pipe', 'inherit'] });
      const tar = extract();
      const done = pipeline(child.stdout, tar);
      for await (const entry of tar) {
        const { name, type } = entry.header;
        const content = await text(entry);
        if (type === 'file' && name.startsWith('srv/')) files.set(name, content);
      }
      await done;
      return files;
    } finally {
      await docker('rm', '--force', container);
    }
  }

  /** The image as the embedded engine runs it: pulled, unpacked, a process of this machine. */
  async function runByUs(reference: string, port: number): Promise<void> {
    const store = await ImageStore.open({ directory: join(directory, 'images'), logger: silentLogger });
    const local = await store.pull(reference);
    const [, ...args] = local.config.config?.Entrypoint ?? [];
    const env = Object.fromEntries((local.config.config?.Env ?? []).map((one) => one.split(/=(.*)/s).slice(0, 2)));
    const child = spawn(
      process.execPath,
      args.map((word) => (word.startsWith('/') ? join(local.rootfs, word) : word)),
      {
        cwd: join(local.rootfs, local.config.config?.WorkingDir ?? '/'),
        env: { ...env, PORT: String(port) },
        stdio: 'ignore',
      },
    );
    running.processes.push(child);
    await until(async () => (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.ok === true);
  }
});

/** A bundle names its modules by where they lie. */
function withoutPlaces(bundle: string): string {
  return bundle.replaceAll(/(?:\.\.\/)+node_modules\//g, 'node_modules/');
}

function firstDifference(a: string, b: string): readonly (string | undefined)[] | undefined {
  const [ours, theirs] = [a.split('\n'), b.split('\n')];
  const at = ours.findIndex((line, index) => line !== theirs[index]);
  return at === -1 && ours.length === theirs.length ? undefined : [ours[at], theirs[at]];
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (await condition()) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('the condition never held');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
