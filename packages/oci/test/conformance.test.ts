/**
 * What the conformance tests of OCI's distribution-spec 1.1 ask of a registry, workflow by workflow: pull, push, content
 * discovery, content management (github.com/opencontainers/distribution-spec, conformance/).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@kind-e2e/base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRegistry, digestOf, type Registry } from '../src/index.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const EMPTY = 'application/vnd.oci.empty.v1+json';
const NAME = 'conformance/test';
const OTHER = 'conformance/other';
const ABSENT = `sha256:${'0'.repeat(64)}`;

let directory: string;
let registry: Registry;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'oci-conformance-'));
  registry = await createRegistry({ directory, listen: { port: 0 }, clock: systemClock, logger: silentLogger });
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const call = (
  method: string,
  path: string,
  body?: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  fetch(new URL(path, `http://${registry.address}`), {
    method,
    headers,
    redirect: 'manual',
    ...(body === undefined ? {} : { body }),
  });
const status = async (method: string, path: string): Promise<number> => (await call(method, path)).status;
const location = (response: Response): string => response.headers.get('location') ?? '';
const withDigest = (at: string, digest: string): string => `${at}${at.includes('?') ? '&' : '?'}digest=${digest}`;

async function pushBlob(content: string, name = NAME): Promise<string> {
  const digest = digestOf(content);
  const begun = await call('POST', `/v2/${name}/blobs/uploads/`, '');
  expect(begun.status).toBe(202);
  const done = await call('PUT', withDigest(location(begun), digest), content, {
    'Content-Type': 'application/octet-stream',
  });
  expect(done.status).toBe(201);
  return digest;
}

async function pushManifest(
  reference: string | undefined,
  extra: object = {},
): Promise<{ digest: string; response: Response }> {
  const config = await pushBlob('{}');
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: EMPTY, digest: config, size: 2 },
    layers: [],
    ...extra,
  });
  const digest = digestOf(manifest);
  const response = await call('PUT', `/v2/${NAME}/manifests/${reference ?? digest}`, manifest, {
    'Content-Type': MANIFEST,
  });
  return { digest, response };
}

describe('pull', () => {
  it('answers 404 for blobs and manifests that are not there, by HEAD and GET', async () => {
    await pushBlob('there');
    for (const method of ['HEAD', 'GET']) {
      expect(await status(method, `/v2/${NAME}/blobs/${ABSENT}`)).toBe(404);
      expect(await status(method, `/v2/${NAME}/manifests/${ABSENT}`)).toBe(404);
      expect(await status(method, `/v2/${NAME}/manifests/.INVALID_MANIFEST_NAME`)).toBe(404);
      expect(await status(method, '/v2/nobody/manifests/latest')).toBe(404);
    }
  });

  it('gives manifests by tag and by digest with their digest, type and length', async () => {
    const { digest } = await pushManifest('pulled');
    for (const reference of ['pulled', digest]) {
      const head = await call('HEAD', `/v2/${NAME}/manifests/${reference}`, undefined, { Accept: MANIFEST });
      const whole = await call('GET', `/v2/${NAME}/manifests/${reference}`, undefined, { Accept: MANIFEST });
      expect(digestOf(await whole.text())).toBe(digest);
      for (const answer of [head, whole])
        expect([
          answer.status,
          answer.headers.get('docker-content-digest'),
          answer.headers.get('content-type'),
        ]).toEqual([200, digest, MANIFEST]);
    }
  });

  it('says errors as the specification has them', async () => {
    const answer = await call('GET', `/v2/${NAME}/manifests/${ABSENT}`);
    expect(await answer.json()).toMatchObject({ errors: [{ code: 'MANIFEST_UNKNOWN', message: expect.any(String) }] });
  });
});

describe('push', () => {
  it('takes a blob as one stream', async () => {
    const begun = await call('POST', `/v2/${NAME}/blobs/uploads/`, '');
    const patched = await call('PATCH', location(begun), 'streamed', { 'Content-Type': 'application/octet-stream' });
    expect(patched.status).toBe(202);
    const done = await call('PUT', withDigest(location(patched), digestOf('streamed')), '');
    expect(done.status).toBe(201);
    expect((await call('GET', location(done))).status).toBe(200);
  });

  it('takes a blob in chunks: in order only, none twice, and says where it is', async () => {
    const begun = await call('POST', `/v2/${NAME}/blobs/uploads/`, '', { 'Content-Length': '0' });
    const chunk = (at: string, range: string, body: string): Promise<Response> =>
      call('PATCH', at, body, { 'Content-Range': range, 'Content-Type': 'application/octet-stream' });
    expect((await chunk(location(begun), '3-5', 'def')).status).toBe(416);
    const first = await chunk(location(begun), '0-2', 'abc');
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-2']);
    expect((await chunk(location(first), '0-2', 'abc')).status).toBe(416);
    const state = await call('GET', location(first));
    expect([state.status, state.headers.get('range'), location(state) !== '']).toEqual([204, '0-2', true]);
    const second = await chunk(location(state), '3-5', 'def');
    expect([second.status, second.headers.get('range')]).toEqual([202, '0-5']);
    const done = await call('PUT', withDigest(location(second), digestOf('abcdefghi')), 'ghi', {
      'Content-Range': '6-8',
    });
    expect(done.status).toBe(201);
    expect(await (await call('GET', location(done))).text()).toBe('abcdefghi');
  });

  it('takes a blob with the POST, or begins an upload', async () => {
    const digest = digestOf('at once');
    const whole = await call('POST', `/v2/${NAME}/blobs/uploads/?digest=${digest}`, 'at once');
    expect(whole.status).toBe(201);
    expect(whole.headers.get('location')).toContain(digest);
  });

  it('mounts what another repository has, and begins an upload where it has not', async () => {
    const digest = await pushBlob('mounted', OTHER);
    const mounted = await call('POST', `/v2/${NAME}/blobs/uploads/?mount=${digest}&from=${OTHER}`, '');
    expect([mounted.status, location(mounted)]).toEqual([201, `/v2/${NAME}/blobs/${digest}`]);
    expect(await (await call('GET', location(mounted))).text()).toBe('mounted');
    for (const query of [`mount=${ABSENT}&from=${OTHER}`, `mount=${digest}&from=nobody`, `mount=${ABSENT}`]) {
      const begun = await call('POST', `/v2/${NAME}/blobs/uploads/?${query}`, '');
      expect([begun.status, location(begun).includes('/blobs/uploads/')], query).toEqual([202, true]);
    }
  });

  it('refuses digests that are none or are of something else', async () => {
    for (const digest of [digestOf('other'), 'sha256:abc', 'md5:d41d8cd98f00b204e9800998ecf8427e', '']) {
      const begun = await call('POST', `/v2/${NAME}/blobs/uploads/`, '');
      expect((await call('PUT', withDigest(location(begun), digest), 'content')).status, digest).toBe(400);
    }
    const { digest } = await pushManifest(undefined);
    const other = await call('PUT', `/v2/${NAME}/manifests/${digest}`, '{"schemaVersion":2}', {
      'Content-Type': MANIFEST,
    });
    expect(other.status).toBe(400);
  });

  it('takes manifests whose subject is not there, with types and fields of artifacts', async () => {
    const subject = { mediaType: MANIFEST, digest: ABSENT, size: 1 };
    const { response } = await pushManifest(undefined, {
      subject,
      artifactType: 'application/vnd.example',
      annotations: { a: 'b' },
    });
    expect([response.status, response.headers.get('oci-subject')]).toEqual([201, ABSENT]);
  });
});

describe('content discovery', () => {
  it('lists tags in order, in pages', async () => {
    for (const tag of ['t3', 't1', 't2', 'T0']) await pushManifest(tag);
    const all = (await (await call('GET', `/v2/${NAME}/tags/list`)).json()) as { name: string; tags: string[] };
    expect(all.name).toBe(NAME);
    expect(all.tags).toEqual([...all.tags].sort());
    const paged: string[] = [];
    let next: string | undefined = `/v2/${NAME}/tags/list?n=2`;
    while (next !== undefined) {
      const page = await call('GET', next);
      paged.push(...((await page.json()) as { tags: string[] }).tags);
      next = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(paged).toEqual(all.tags);
    const after = (await (await call('GET', `/v2/${NAME}/tags/list?last=t1`)).json()) as { tags: string[] };
    expect(after.tags).toEqual(all.tags.filter((tag) => tag > 't1'));
    expect(await status('GET', '/v2/nobody/tags/list')).toBe(404);
    expect(await status('GET', `/v2/${NAME}/tags/list?n=two`)).toBe(400);
  });

  it('lists referrers, of nothing too, by type where that is asked', async () => {
    const of = async (
      digest: string,
      query = '',
    ): Promise<{ manifests: { digest: string; artifactType: string }[]; filters: string | null }> => {
      const answer = await call('GET', `/v2/${NAME}/referrers/${digest}${query}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, INDEX]);
      const { manifests } = (await answer.json()) as { manifests: { digest: string; artifactType: string }[] };
      return { manifests, filters: answer.headers.get('oci-filters-applied') };
    };
    expect((await of(digestOf('nothing refers to this'))).manifests).toEqual([]);
    const { digest } = await pushManifest('subject');
    const subject = { mediaType: MANIFEST, digest, size: 1 };
    const one = await pushManifest(undefined, { subject, artifactType: 'application/one' });
    const two = await pushManifest(undefined, { subject, artifactType: 'application/two' });
    const byConfig = await pushManifest(undefined, { subject });
    expect((await of(digest)).manifests.map((found) => found.digest).sort()).toEqual(
      [one.digest, two.digest, byConfig.digest].sort(),
    );
    const filtered = await of(digest, '?artifactType=application/two');
    expect(filtered).toMatchObject({
      manifests: [{ digest: two.digest, artifactType: 'application/two' }],
      filters: 'artifactType',
    });
    expect(
      (await of(digest, `?artifactType=${encodeURIComponent(EMPTY)}`)).manifests.map((found) => found.digest),
    ).toEqual([byConfig.digest]);
    await call('DELETE', `/v2/${NAME}/manifests/${one.digest}`);
    expect((await of(digest)).manifests).toHaveLength(2);
    expect(await status('GET', `/v2/${NAME}/referrers/sha256:nonsense`)).toBe(400);
  });
});

describe('content management', () => {
  it('deletes a tag alone, a manifest with its tags, a blob', async () => {
    const { digest } = await pushManifest('first');
    await pushManifest('second');
    expect(await status('DELETE', `/v2/${NAME}/manifests/first`)).toBe(202);
    expect(await status('GET', `/v2/${NAME}/manifests/first`)).toBe(404);
    expect(await status('GET', `/v2/${NAME}/manifests/${digest}`)).toBe(200);
    expect(await status('DELETE', `/v2/${NAME}/manifests/${digest}`)).toBe(202);
    expect(await status('GET', `/v2/${NAME}/manifests/second`)).toBe(404);
    expect(await status('DELETE', `/v2/${NAME}/manifests/${digest}`)).toBe(404);
    const blob = await pushBlob('to be deleted');
    expect(await status('DELETE', `/v2/${NAME}/blobs/${blob}`)).toBe(202);
    expect(await status('GET', `/v2/${NAME}/blobs/${blob}`)).toBe(404);
    expect(await status('DELETE', `/v2/${NAME}/blobs/${blob}`)).toBe(404);
  });

  it('refuses methods and names that there are not', async () => {
    expect(await status('POST', `/v2/${NAME}/manifests/latest`)).toBe(405);
    expect(await status('PUT', '/v2/')).toBe(405);
    expect(await status('GET', '/v2/UPPER/manifests/latest')).toBe(400);
    expect(await status('GET', '/v1/anything')).toBe(404);
    const upload = await call('POST', `/v2/${NAME}/blobs/uploads/`, '');
    expect(await status('DELETE', location(upload))).toBe(204);
    expect(await status('GET', location(upload))).toBe(404);
  });
});
