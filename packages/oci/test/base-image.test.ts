import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@kind-e2e/base';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { buildImage, createRegistry, ImageStore, pullBase, pushImage, type Registry } from '../src/index.ts';

let directory: string;
let registry: Registry;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'oci-base-'));
  registry = await createRegistry({
    directory: join(directory, 'registry'),
    listen: { port: 0 },
    clock: systemClock,
    logger: silentLogger,
  });
  await using image = await buildImage({
    layers: [{ files: { 'os-release': Buffer.from('ID=debian') }, target: '/etc' }],
    entrypoint: ['docker-entrypoint.sh'],
    cmd: ['node'],
    env: { PATH: '/usr/local/bin:/usr/bin', NODE_VERSION: '24.18.0' },
    labels: { from: 'base', kept: 'yes' },
    user: '0:0',
    platform: { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch },
  });
  await pushImage(image.layout, `${registry.address}/library/node:24`);
});

afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

async function buildOn(name: string): Promise<{ readonly digest: string; readonly history: number }> {
  await using base = await pullBase(name);
  await using image = await buildImage({
    base,
    layers: [{ files: { 'main.js': Buffer.from('hello') }, target: '/srv' }],
    entrypoint: ['node', '/srv/main.js'],
    env: { NODE_VERSION: '25.0.0', PORT: '8080' },
    labels: { from: 'app' },
    user: '65532:65532',
  });
  expect(image.manifest.layers?.[0]).toEqual(base.layers[0]);
  await pushImage(image.layout, `${registry.address}/app:1`);
  return { digest: image.digest, history: image.config.history?.length ?? 0 };
}

it("an image on a base has the base's files and what the Dockerfile's rules keep of its configuration", async () => {
  const { digest, history } = await buildOn(`${registry.address}/library/node:24`);
  const store = await ImageStore.open({ directory: join(directory, 'images'), logger: silentLogger });
  const local = await store.pull(`${registry.address}/app:1`);
  expect(local.digest).toBe(digest);
  expect(await readdir(local.rootfs)).toEqual(expect.arrayContaining(['etc', 'srv']));
  expect(local.config.config).toEqual({
    User: '65532:65532',
    Env: ['PATH=/usr/local/bin:/usr/bin', 'NODE_VERSION=25.0.0', 'PORT=8080'],
    Entrypoint: ['node', '/srv/main.js'],
    Labels: { from: 'app', kept: 'yes' },
  });
  expect(local.config.rootfs.diff_ids).toHaveLength(2);
  expect(history).toBe(2);
  // The same again is the same image.
  expect((await buildOn(`${registry.address}/library/node:24`)).digest).toBe(digest);
});

it('a registry that wants a token gets an anonymous one, and storage behind it does not see it', async () => {
  const asked: string[] = [];
  const atStorage: (string | undefined)[] = [];
  const upstream = new URL(`http://${registry.address}`);
  const storage = createServer((incoming, outgoing) => {
    atStorage.push(incoming.headers.authorization);
    incoming.pipe(
      request(new URL(incoming.url ?? '/', upstream), (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      }),
    );
  }).listen(0, '127.0.0.1');
  const front = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', `http://${incoming.headers.host}`);
    if (url.pathname === '/token') {
      asked.push(url.search);
      outgoing.end(JSON.stringify({ token: 'anonymous' }));
    } else if (incoming.headers.authorization !== 'Bearer anonymous') {
      outgoing.writeHead(401, {
        'WWW-Authenticate': `Bearer realm="${url.origin}/token",service="registry.test",scope="repository:library/node:pull"`,
      });
      outgoing.end('{"errors":[{"code":"UNAUTHORIZED"}]}');
    } else {
      outgoing.writeHead(307, {
        Location: `http://127.0.0.1:${(storage.address() as AddressInfo).port}${url.pathname}`,
      });
      outgoing.end();
    }
  }).listen(0, '127.0.0.1');
  try {
    await Promise.all(
      [storage, front].map((server) => server.listening || new Promise((done) => server.once('listening', done))),
    );
    const host = `127.0.0.1:${(front.address() as AddressInfo).port}`;
    await using base = await pullBase(`${host}/library/node:24`);
    expect(base.config.config?.Env).toContain('NODE_VERSION=24.18.0');
    expect(await readdir(base.directory)).toHaveLength(2);
    expect(asked).toEqual(['?service=registry.test&scope=repository%3Alibrary%2Fnode%3Apull']);
    expect(atStorage).toEqual([undefined, undefined, undefined]);
  } finally {
    for (const server of [front, storage]) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }
});

it('a base that is not there is an error that names it', async () => {
  await expect(pullBase(`${registry.address}/library/none:1`)).rejects.toThrow(/library\/none:1.*not found/);
});
