import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@kind-e2e/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildImage, createRegistry, ImageStore, PullError, pushImage, type Registry } from '../src/index.ts';

let directory: string;
let registry: Registry;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'oci-test-'));
  registry = await createRegistry({
    directory: join(directory, 'registry'),
    listen: { port: 0 },
    clock: systemClock,
    logger: silentLogger,
  });
});

afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

function openStore(name = 'images'): Promise<ImageStore> {
  return ImageStore.open({ directory: join(directory, name), logger: silentLogger });
}

async function sourceFolder(): Promise<string> {
  const source = join(directory, 'source');
  await mkdir(join(source, 'lib'), { recursive: true });
  await writeFile(join(source, 'main.js'), 'console.log("hello")');
  await writeFile(join(source, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(join(source, 'lib', `${'long-'.repeat(40)}name.txt`), 'x'.repeat(100_000));
  await symlink('../main.js', join(source, 'lib', 'link.js'));
  return source;
}

describe('an image that is built, pushed and pulled', () => {
  it('has the same files, permissions, links and configuration', async () => {
    await using image = await buildImage({
      layers: [{ directory: await sourceFolder(), target: '/app' }],
      entrypoint: ['node', 'main.js'],
      env: { PORT: '8080' },
      user: '1000:1000',
      workingDir: '/app',
      exposedPorts: [8080, '53/udp'],
      labels: { a: 'b' },
    });
    const name = `${registry.address}/demo/app:dev`;
    expect(await pushImage(image.layout, name)).toBe(image.digest);
    const store = await openStore();
    const local = await store.pull(name);
    expect(local.digest).toBe(image.digest);
    expect(local.config.config).toEqual({
      User: '1000:1000',
      ExposedPorts: { '53/udp': {}, '8080/tcp': {} },
      Env: ['PORT=8080'],
      Entrypoint: ['node', 'main.js'],
      WorkingDir: '/app',
      Labels: { a: 'b' },
    });
    expect(await readFile(join(local.rootfs, 'app/main.js'), 'utf8')).toBe('console.log("hello")');
    expect((await lstat(join(local.rootfs, 'app/run.sh'))).mode & 0o777).toBe(0o755);
    expect(await readlink(join(local.rootfs, 'app/lib/link.js'))).toBe('../main.js');
    expect((await readFile(join(local.rootfs, 'app/lib', `${'long-'.repeat(40)}name.txt`))).length).toBe(100_000);
  });

  it('is the same to the last byte when it is built again', async () => {
    const source = await sourceFolder();
    await using first = await buildImage({ layers: [{ directory: source }] });
    await writeFile(join(source, 'main.js'), 'console.log("hello")');
    await using second = await buildImage({ layers: [{ directory: source }] });
    expect(second.digest).toBe(first.digest);
  });

  it('is unpacked once for many pulls at once, and found by name afterwards, by another process too', async () => {
    await using image = await buildImage({ layers: [{ files: { 'a.txt': 'a' } }] });
    const name = `${registry.address}/demo:1`;
    await pushImage(image.layout, name);
    const store = await openStore();
    expect(await store.find(name)).toBeUndefined();
    const pulled = await Promise.all(Array.from({ length: 10 }, () => store.pull(name)));
    expect(new Set(pulled.map((each) => each.rootfs)).size).toBe(1);
    expect((await readdir(join(directory, 'images'))).length).toBe(2);
    const other = await openStore();
    expect((await other.find(name))?.digest).toBe(image.digest);
  });

  it('follows a tag that moved, and a digest that did not', async () => {
    const name = `${registry.address}/demo:1`;
    await using first = await buildImage({ layers: [{ files: { 'a.txt': '1' } }] });
    await using second = await buildImage({ layers: [{ files: { 'a.txt': '2' } }] });
    await pushImage(first.layout, name);
    const store = await openStore();
    await store.pull(name);
    await pushImage(second.layout, name);
    expect((await store.find(name))?.digest).toBe(first.digest);
    expect((await store.pull(name)).digest).toBe(second.digest);
    expect((await store.pull(`${registry.address}/demo@${first.digest}`)).digest).toBe(first.digest);
    expect(await store.prune(new Set())).toBe(1);
    expect((await store.find(name))?.digest).toBe(second.digest);
  });

  it('fails with the words of containerd', async () => {
    const store = await openStore();
    const name = `${registry.address}/nope:1`;
    const missing = await store.pull(name).catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(PullError);
    expect((missing as PullError).grpcCode).toBe('NotFound');
    expect((missing as PullError).message).toBe(
      `failed to pull and unpack image "${name}": failed to resolve reference "${name}": ${name}: not found`,
    );
    await registry[Symbol.asyncDispose]();
    await expect(store.pull(name)).rejects.toThrow('connect: connection refused');
  });

  it('is refused when a blob rotted in the registry', async () => {
    await using image = await buildImage({ layers: [{ files: { 'a.txt': 'a' } }] });
    const name = `${registry.address}/demo:1`;
    await pushImage(image.layout, name);
    const layer = image.manifest.layers?.[0];
    const path = registry.store.blobPath(layer!.digest);
    const content = await readFile(path);
    content[content.length - 1]! ^= 1;
    await writeFile(path, content);
    const store = await openStore();
    await expect(store.pull(name)).rejects.toThrow('unexpected commit digest');
    expect((await readdir(join(directory, 'images'))).length).toBe(0);
  });
});
