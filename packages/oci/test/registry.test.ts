import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@kind-e2e/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRegistry, digestOf, type Registry } from '../src/index.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

let directory: string;
let registry: Registry;
let base: string;

async function start(): Promise<void> {
  registry = await createRegistry({ directory, listen: { port: 0 }, clock: systemClock, logger: silentLogger });
  base = `http://${registry.address}`;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'oci-registry-'));
  await start();
});

afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

function call(method: string, path: string, body?: string | Uint8Array, headers: Record<string, string> = {}) {
  return fetch(new URL(path, base), { method, headers, ...(body === undefined ? {} : { body }) });
}

async function errorsOf(response: Response): Promise<string[]> {
  return ((await response.json()) as { errors: { code: string }[] }).errors.map((error) => error.code);
}

async function pushBlob(repository: string, content: string | Uint8Array): Promise<string> {
  const digest = digestOf(content);
  const response = await call('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, content);
  expect(response.status).toBe(201);
  return digest;
}

async function pushManifest(repository: string, target: string, extra: object = {}, type = MANIFEST) {
  const config = await pushBlob(repository, '{}');
  const layer = await pushBlob(repository, 'layer');
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: type,
    ...(type === INDEX
      ? {}
      : {
          config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 2 },
          layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer, size: 5 }],
        }),
    ...extra,
  });
  const digest = digestOf(manifest);
  const response = await call('PUT', `/v2/${repository}/manifests/${target || digest}`, manifest, {
    'Content-Type': type,
  });
  return { response, digest, manifest };
}

describe('blobs', () => {
  it('says that it is a registry', async () => {
    const response = await call('GET', '/v2/');
    expect([response.status, response.headers.get('docker-distribution-api-version')]).toEqual([200, 'registry/2.0']);
  });

  it('takes a blob in one request and gives it back, whole, in part, and its head', async () => {
    const digest = await pushBlob('a/b', 'hello world');
    const path = `/v2/a/b/blobs/${digest}`;
    const whole = await call('GET', path);
    expect(await whole.text()).toBe('hello world');
    expect(whole.headers.get('docker-content-digest')).toBe(digest);
    const head = await call('HEAD', path);
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '11']);
    const part = await call('GET', path, undefined, { Range: 'bytes=6-' });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 6-10/11',
      'world',
    ]);
    const tail = await call('GET', path, undefined, { Range: 'bytes=-3' });
    expect(await tail.text()).toBe('rld');
    const beyond = await call('GET', path, undefined, { Range: 'bytes=11-' });
    expect(beyond.status).toBe(416);
  });

  it('takes a blob in chunks, says how far it is, and refuses a chunk out of order', async () => {
    const begun = await call('POST', '/v2/a/blobs/uploads/', '');
    expect(begun.status).toBe(202);
    const location = begun.headers.get('location')!;
    const patch = (range: string, body: string) => call('PATCH', location, body, { 'Content-Range': range });
    expect((await patch('0-4', 'hello')).headers.get('range')).toBe('0-4');
    const wrong = await patch('7-9', 'xyz');
    expect([wrong.status, wrong.headers.get('range')]).toEqual([416, '0-4']);
    expect((await patch('5-9', 'too long for it')).status).toBe(400);
    const state = await call('GET', location);
    expect([state.status, state.headers.get('range')]).toEqual([204, '0-4']);
    expect((await patch('5-10', ' world')).status).toBe(202);
    const digest = digestOf('hello world');
    const done = await call('PUT', `${location}?digest=${digest}`, '');
    expect([done.status, done.headers.get('location')]).toEqual([201, `/v2/a/blobs/${digest}`]);
    expect((await call('GET', location)).status).toBe(404);
  });

  it('goes on with an upload after the registry was restarted', async () => {
    const location = (await call('POST', '/v2/a/blobs/uploads/', '')).headers.get('location')!;
    await call('PATCH', location, 'hello');
    await registry[Symbol.asyncDispose]();
    await start();
    expect((await call('GET', location)).headers.get('range')).toBe('0-4');
    const done = await call('PUT', `${location}?digest=${digestOf('hello world')}`, ' world');
    expect(done.status).toBe(201);
  });

  it('keeps what arrived before the connection broke', async () => {
    const location = (await call('POST', '/v2/a/blobs/uploads/', '')).headers.get('location')!;
    await new Promise<void>((resolve) => {
      const broken = request(new URL(location, base), { method: 'PATCH', headers: { 'Content-Length': '100' } });
      broken.on('error', () => resolve());
      broken.write('12345', () => setTimeout(() => broken.destroy(new Error('broken')), 50));
    });
    await expect.poll(async () => (await call('GET', location)).headers.get('range')).toBe('0-4');
    await expect
      .poll(async () => (await call('PUT', `${location}?digest=${digestOf('1234567')}`, '67')).status)
      .toBe(201);
  });

  it('refuses content that has another digest', async () => {
    const response = await call('POST', `/v2/a/blobs/uploads/?digest=${digestOf('other')}`, 'content');
    expect(response.status).toBe(400);
    expect(await errorsOf(response)).toEqual(['DIGEST_INVALID']);
    expect((await call('HEAD', `/v2/a/blobs/${digestOf('other')}`)).status).toBe(404);
    expect(await readdir(join(directory, 'uploads'))).toEqual([]);
  });

  it('mounts a blob of another repository and cancels an upload', async () => {
    const digest = await pushBlob('from', 'hello');
    expect((await call('HEAD', `/v2/to/blobs/${digest}`)).status).toBe(404);
    expect((await call('POST', `/v2/to/blobs/uploads/?mount=${digest}&from=from`)).status).toBe(201);
    expect((await call('HEAD', `/v2/to/blobs/${digest}`)).status).toBe(200);
    const missing = await call('POST', `/v2/to/blobs/uploads/?mount=${digestOf('x')}&from=from`);
    expect(missing.status).toBe(202);
    const location = missing.headers.get('location')!;
    expect((await call('DELETE', location)).status).toBe(204);
    expect((await call('DELETE', location)).status).toBe(404);
  });

  it('deletes a blob of one repository only', async () => {
    const digest = await pushBlob('one', 'hello');
    await pushBlob('two', 'hello');
    expect((await call('DELETE', `/v2/one/blobs/${digest}`)).status).toBe(202);
    expect((await call('HEAD', `/v2/one/blobs/${digest}`)).status).toBe(404);
    expect((await call('HEAD', `/v2/two/blobs/${digest}`)).status).toBe(200);
    expect((await call('DELETE', `/v2/one/blobs/${digest}`)).status).toBe(404);
  });

  it('takes sha512 digests', async () => {
    const digest = digestOf('hello', 'sha512');
    expect((await call('POST', `/v2/a/blobs/uploads/?digest=${digest}`, 'hello')).status).toBe(201);
    expect(await (await call('GET', `/v2/a/blobs/${digest}`)).text()).toBe('hello');
  });
});

describe('manifests', () => {
  it('are there by tag and digest, until they are deleted', async () => {
    const { response, digest, manifest } = await pushManifest('app', 'dev');
    expect([response.status, response.headers.get('docker-content-digest')]).toEqual([201, digest]);
    for (const target of ['dev', digest]) {
      const got = await call('GET', `/v2/app/manifests/${target}`);
      expect([got.status, got.headers.get('content-type'), await got.text()]).toEqual([200, MANIFEST, manifest]);
      const head = await call('HEAD', `/v2/app/manifests/${target}`);
      expect([head.status, head.headers.get('docker-content-digest')]).toEqual([200, digest]);
    }
    expect((await call('DELETE', '/v2/app/manifests/dev')).status).toBe(202);
    expect((await call('GET', '/v2/app/manifests/dev')).status).toBe(404);
    expect((await call('GET', `/v2/app/manifests/${digest}`)).status).toBe(200);
    expect((await call('DELETE', `/v2/app/manifests/${digest}`)).status).toBe(202);
    expect(await errorsOf(await call('GET', `/v2/app/manifests/${digest}`))).toEqual(['MANIFEST_UNKNOWN']);
  });

  it('are refused when something in them is wrong', async () => {
    const missing = { mediaType: 'x/y', digest: digestOf('missing'), size: 7 };
    const unknown = (await pushManifest('app', 'dev', { layers: [missing] })).response;
    expect([unknown.status, await errorsOf(unknown)]).toEqual([404, ['MANIFEST_BLOB_UNKNOWN']]);
    for (const body of ['{', '[]', '{}', '{"schemaVersion":1}', '{"schemaVersion":2,"config":3,"layers":[]}']) {
      const response = await call('PUT', '/v2/app/manifests/dev', body, { 'Content-Type': MANIFEST });
      expect([body, response.status, await errorsOf(response)]).toEqual([body, 400, ['MANIFEST_INVALID']]);
    }
    const digest = (await pushManifest('app', digestOf('another'))).response;
    expect(await errorsOf(digest)).toEqual(['DIGEST_INVALID']);
    const large = await call('PUT', '/v2/app/manifests/dev', randomBytes(5_000_000), { 'Content-Type': MANIFEST });
    expect(large.status).toBe(413);
    const type = await call('PUT', '/v2/app/manifests/dev', '{}', { 'Content-Type': 'text/plain' });
    expect(await errorsOf(type)).toEqual(['MANIFEST_INVALID']);
    expect(await errorsOf(await call('PUT', '/v2/app/manifests/-bad', '{}'))).toEqual(['TAG_INVALID']);
    expect(await errorsOf(await call('GET', '/v2/APP/manifests/dev'))).toEqual(['NAME_INVALID']);
    expect(await errorsOf(await call('GET', '/v2/nope/manifests/dev'))).toEqual(['NAME_UNKNOWN']);
    expect((await call('GET', '/v2/../../etc/passwd')).status).toBe(404);
    expect((await call('POST', '/v2/app/manifests/dev')).status).toBe(405);
  });

  it('may be an index of manifests that are there', async () => {
    const { digest, manifest } = await pushManifest('app', '');
    const child = { mediaType: MANIFEST, digest, size: manifest.length };
    const index = await pushManifest('app', 'multi', { manifests: [child] }, INDEX);
    expect(index.response.status).toBe(201);
    const got = await call('GET', '/v2/app/manifests/multi');
    expect(got.headers.get('content-type')).toBe(INDEX);
    const none = await pushManifest('app', 'm', { manifests: [{ ...child, digest: digestOf('no') }] }, INDEX);
    expect(none.response.status).toBe(404);
  });

  it('lists referrers of a subject, by type', async () => {
    const { digest, manifest } = await pushManifest('app', 'dev');
    const subject = { mediaType: MANIFEST, digest, size: manifest.length };
    const signed = await pushManifest('app', '', { subject, artifactType: 'sig/v1', annotations: { a: 'b' } });
    expect(signed.response.headers.get('oci-subject')).toBe(digest);
    await pushManifest('app', '', { subject, artifactType: 'sbom/v1' });
    const all = await call('GET', `/v2/app/referrers/${digest}`);
    expect(all.headers.get('content-type')).toBe(INDEX);
    expect(((await all.json()) as { manifests: unknown[] }).manifests).toHaveLength(2);
    const some = await call('GET', `/v2/app/referrers/${digest}?artifactType=sig%2Fv1`);
    expect(some.headers.get('oci-filters-applied')).toBe('artifactType');
    expect(await some.json()).toEqual({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [
        {
          mediaType: MANIFEST,
          digest: signed.digest,
          size: signed.manifest.length,
          artifactType: 'sig/v1',
          annotations: { a: 'b' },
        },
      ],
    });
    const none = await call('GET', `/v2/app/referrers/${digestOf('none')}`);
    expect(((await none.json()) as { manifests: unknown[] }).manifests).toEqual([]);
  });
});

describe('lists', () => {
  it('pages tags and repositories', async () => {
    for (const tag of ['c', 'a', 'b']) await pushManifest('z/app', tag);
    await pushManifest('app', 'x');
    expect(await (await call('GET', '/v2/_catalog')).json()).toEqual({ repositories: ['app', 'z/app'] });
    const first = await call('GET', '/v2/z/app/tags/list?n=2');
    expect(await first.json()).toEqual({ name: 'z/app', tags: ['a', 'b'] });
    const next = /<(.*)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1];
    const second = await call('GET', next!);
    expect([await second.json(), second.headers.get('link')]).toEqual([{ name: 'z/app', tags: ['c'] }, null]);
    expect(await (await call('GET', '/v2/z/app/tags/list?n=0')).json()).toEqual({ name: 'z/app', tags: [] });
    expect(await errorsOf(await call('GET', '/v2/z/app/tags/list?n=x'))).toEqual(['PAGINATION_NUMBER_INVALID']);
    expect((await call('GET', '/v2/nope/tags/list')).status).toBe(404);
  });
});

describe('garbage collection', () => {
  it('removes what nothing needs, and nothing that is young', async () => {
    const { digest } = await pushManifest('app', 'dev');
    const orphan = await pushBlob('app', 'orphan');
    const location = (await call('POST', '/v2/app/blobs/uploads/', '')).headers.get('location')!;
    await pushManifest('app', '', { annotations: { untagged: 'yes' } });
    expect(await registry.collectGarbage()).toMatchObject({ blobs: 0, manifests: 0, uploads: 0 });
    const old = new Date(Date.now() - 7_200_000);
    for (const each of await registry.store.listContent()) await utimes(registry.store.blobPath(each), old, old);
    expect(await registry.collectGarbage()).toMatchObject({ blobs: 1, manifests: 0 });
    expect((await call('HEAD', `/v2/app/blobs/${orphan}`)).status).toBe(404);
    expect(await registry.collectGarbage({ untagged: true })).toMatchObject({ blobs: 1, manifests: 1, uploads: 0 });
    expect((await call('GET', location)).status).toBe(204);
    expect((await call('GET', `/v2/app/manifests/${digest}`)).status).toBe(200);
    expect(await registry.collectGarbage({ minAgeMs: -60_000 })).toMatchObject({ uploads: 1, blobs: 0 });
  });
});
