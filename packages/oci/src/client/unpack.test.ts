import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnsafeLayerError, unpackLayer } from './unpack.ts';

let directory: string;
let root: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'oci-unpack-'));
  root = await mkdtemp(join(directory, 'root-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

type TarEntry = Partial<Header> & { readonly name: string; readonly content?: string };

async function unpack(...entries: readonly TarEntry[]): Promise<void> {
  const tar = pack();
  for (const { content, ...header } of entries) tar.entry(header, content ?? '');
  tar.finalize();
  const file = join(directory, 'layer.tar');
  await pipeline(Readable.from(tar), createWriteStream(file));
  await unpackLayer(file, 'none', root);
}

describe('unpackLayer', () => {
  it.each([
    ['a path that climbs', [{ name: '../evil', content: 'x' }]],
    ['a path that climbs in the middle', [{ name: 'a/../../evil', content: 'x' }]],
    [
      'a link that climbs',
      [
        { name: 'a', type: 'symlink', linkname: '../../..' },
        { name: 'a/evil', content: 'x' },
      ],
    ],
    ['a hard link out of the image', [{ name: 'b', type: 'link', linkname: '../../etc/passwd' }]],
    ['a hard link to nothing', [{ name: 'b', type: 'link', linkname: 'etc/passwd' }]],
    ['a whiteout that climbs', [{ name: '.wh...', content: '' }]],
    [
      'links in a circle',
      [
        { name: 'a', type: 'symlink', linkname: 'b' },
        { name: 'b', type: 'symlink', linkname: 'a' },
        { name: 'a/x', content: 'x' },
      ],
    ],
  ] as [string, TarEntry[]][])('refuses %s', async (_name, entries) => {
    await expect(unpack(...entries)).rejects.toBeInstanceOf(UnsafeLayerError);
    expect((await readdir(directory)).filter((name) => name.includes('evil'))).toEqual([]);
  });

  it('follows absolute links as if the image were the root', async () => {
    await unpack(
      { name: 'etc', type: 'symlink', linkname: '/private/etc' },
      { name: 'etc/hosts', content: 'mine' },
      { name: 'hosts', type: 'link', linkname: 'etc/hosts' },
    );
    expect(await readFile(join(root, 'private/etc/hosts'), 'utf8')).toBe('mine');
    expect(await readFile(join(root, 'hosts'), 'utf8')).toBe('mine');
  });

  it('replaces a link by a file without writing through it', async () => {
    const outside = join(directory, 'outside');
    await writeFile(outside, 'before');
    await symlink(outside, join(root, 'a'));
    await unpack({ name: 'a', content: 'after' });
    expect(await readFile(outside, 'utf8')).toBe('before');
    expect(await readFile(join(root, 'a'), 'utf8')).toBe('after');
  });

  it('removes what whiteouts name, but not what the same layer brings', async () => {
    await unpack({ name: 'd/one', content: '1' }, { name: 'd/two', content: '2' }, { name: 'e/three', content: '3' });
    await unpack(
      { name: 'd/.wh.one' },
      { name: 'e/four', content: '4' },
      { name: 'e/.wh..wh..opq' },
      { name: 'e/.wh.four' },
    );
    expect(await readdir(join(root, 'd'))).toEqual(['two']);
    expect(await readdir(join(root, 'e'))).toEqual(['four']);
  });

  it('drops set-user-id bits and keeps folders usable', async () => {
    await unpack({ name: 'bin', type: 'directory', mode: 0o500 }, { name: 'bin/su', content: '#!', mode: 0o4755 });
    expect((await stat(join(root, 'bin/su'))).mode & 0o7777).toBe(0o755);
    expect((await stat(join(root, 'bin'))).mode & 0o700).toBe(0o700);
  });

  it('reads zstd, and refuses what is no archive', async () => {
    const tar = pack();
    tar.entry({ name: 'a' }, 'content');
    tar.finalize();
    const file = join(directory, 'layer.tar.zst');
    await pipeline(Readable.from(tar), createZstdCompress(), createWriteStream(file));
    await unpackLayer(file, 'zstd', root);
    expect(await readFile(join(root, 'a'), 'utf8')).toBe('content');
    await writeFile(file, 'no archive at all');
    await expect(unpackLayer(file, 'gzip', root)).rejects.toThrow();
    await expect(unpackLayer(file, 'none', root)).rejects.toThrow();
  });
});
