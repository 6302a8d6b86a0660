/** Lists of what was: exact revisions, pages of a state that has passed (apiserver `storage/etcd3`, `GetList`). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type TestServer } from './harness.ts';
import { CORE, map } from './refused-requests.ts';

interface List {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly { readonly metadata: { readonly name: string }; readonly data?: unknown }[];
}

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function list(query: string): Promise<List> {
  return (await server.ask('GET', `${CORE}/configmaps?${query}`)).body as List;
}
const names = (body: List): string[] => body.items.map((item) => item.metadata.name);

test('a list at a revision shows what was there, whatever came after', async () => {
  for (const name of ['a', 'b', 'c']) await server.ask('POST', `${CORE}/configmaps`, map(name, { v: '1' }));
  const { resourceVersion } = (await list('')).metadata;
  await server.ask('DELETE', `${CORE}/configmaps/a`);
  await server.ask('PUT', `${CORE}/configmaps/b`, map('b', { v: '2' }));
  await server.ask('POST', `${CORE}/configmaps`, map('aa'));

  const exact = await list(`resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`);
  expect(names(exact)).toEqual(['a', 'b', 'c']);
  expect(exact.items[1]?.data).toEqual({ v: '1' });
  expect(exact.metadata.resourceVersion).toBe(resourceVersion);
  // A limit beside a revision means that revision as well.
  const first = await list(`resourceVersion=${resourceVersion}&limit=2`);
  expect(names(first)).toEqual(['a', 'b']);
  expect(names(await list(`limit=2&continue=${first.metadata.continue ?? ''}`))).toEqual(['c']);
  expect(names(await list(`resourceVersion=${resourceVersion}`))).toEqual(['aa', 'b', 'c']);
});

test('a page is of a state or at a revision, not both', async () => {
  const { continue: token } = (await list('limit=1')).metadata;
  const answer = await server.ask('GET', `${CORE}/configmaps?limit=1&resourceVersion=5&continue=${token ?? ''}`);
  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({
    message: 'specifying resource version is not allowed when using continue',
  });
});
