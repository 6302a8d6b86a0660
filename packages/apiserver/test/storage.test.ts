import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ADMIN_TOKEN, ask, startServer } from './harness.ts';

const SERVER_PROCESS = fileURLToPath(new URL('./server-process.ts', import.meta.url));
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'apiserver-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface ListBody {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly { readonly metadata: { readonly name: string; readonly resourceVersion: string } }[];
}

async function startProcess(dataFile: string): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(SERVER_PROCESS, [dataFile], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [message] = (await once(child, 'message')) as [{ url: string }];
  return { child, url: message.url };
}

/** Events of a watch until it ends, or `count` of them came. */
function watch(
  url: string,
  path: string,
  count: number,
): Promise<{ type: string; object: { metadata: { name: string } } }[]> {
  return new Promise((resolve, reject) => {
    let text = '';
    const events = () =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    const sent = request(
      `${url}${path}`,
      { agent: false, rejectUnauthorized: false, headers: { authorization: `Bearer ${ADMIN_TOKEN}` } },
      (response) => {
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (events().length >= count) {
            sent.destroy();
            resolve(events());
          }
        });
        response.on('end', () => resolve(events()));
        response.on('error', () => resolve(events()));
      },
    );
    sent.on('error', (error) => (text === '' ? reject(error) : resolve(events())));
    sent.end();
  });
}

test('after kill -9 every acknowledged write is there, versions go on rising, and watches resume', async () => {
  const dataFile = join(folder, 'api.db');
  const first = await startProcess(dataFile);
  const acknowledged = new Map<string, number>();
  let isOpen = true;
  let next = 0;
  const writer = async (): Promise<void> => {
    while (isOpen) {
      const name = `w${next++}`;
      try {
        const answer = await ask(first.url, 'POST', CONFIG_MAPS, { metadata: { name }, data: { a: 'x'.repeat(200) } });
        if (answer.status === 201)
          acknowledged.set(
            name,
            Number((answer.body as { metadata: { resourceVersion: string } }).metadata.resourceVersion),
          );
      } catch {
        return;
      }
    }
  };
  const writers = Array.from({ length: 8 }, writer);
  while (acknowledged.size < 150) await new Promise((resolve) => setImmediate(resolve));
  const seen = Math.max(...acknowledged.values());
  const resumeFrom = [...acknowledged.values()].sort((a, b) => a - b)[50] ?? 0;
  first.child.kill('SIGKILL');
  isOpen = false;
  await Promise.all(writers);
  const second = await startProcess(dataFile);
  try {
    const list = (await ask(second.url, 'GET', CONFIG_MAPS)).body as ListBody;
    const names = new Set(list.items.map((item) => item.metadata.name));
    expect([...acknowledged.keys()].filter((name) => !names.has(name))).toEqual([]);
    expect(Number(list.metadata.resourceVersion)).toBeGreaterThanOrEqual(seen);
    const late = await ask(second.url, 'POST', CONFIG_MAPS, { metadata: { name: 'late' } });
    const lateVersion = Number((late.body as { metadata: { resourceVersion: string } }).metadata.resourceVersion);
    expect(lateVersion).toBeGreaterThan(Math.max(...acknowledged.values()));
    const expected = list.items.filter((item) => Number(item.metadata.resourceVersion) > resumeFrom).length + 1;
    const events = await watch(second.url, `${CONFIG_MAPS}?watch=1&resourceVersion=${resumeFrom}`, expected);
    expect(events.length).toBe(expected);
    expect(new Set(events.map((event) => event.type))).toEqual(new Set(['ADDED']));
  } finally {
    second.child.kill('SIGKILL');
  }
});

test('deletions are seen by a watch that resumes after a restart', async () => {
  const dataFile = join(folder, 'api.db');
  let version = '';
  {
    await using server = await startServer({ dataFile });
    await server.ask('POST', CONFIG_MAPS, { metadata: { name: 'gone' } });
    const stays = await server.ask('POST', CONFIG_MAPS, { metadata: { name: 'stays' } });
    version = (stays.body as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
    await server.ask('DELETE', `${CONFIG_MAPS}/gone`);
    await server.ask(
      'PATCH',
      `${CONFIG_MAPS}/stays`,
      { data: { a: 'b' } },
      { 'content-type': 'application/merge-patch+json' },
    );
  }
  await using server = await startServer({ dataFile });
  const events = await watch(server.api.url, `${CONFIG_MAPS}?watch=1&resourceVersion=${version}`, 2);
  expect(events.map((event) => `${event.type} ${event.object.metadata.name}`)).toEqual([
    'DELETED gone',
    'MODIFIED stays',
  ]);
});

test('versions do not go back where the last change was a deletion', async () => {
  const dataFile = join(folder, 'api.db');
  let last = 0;
  {
    await using server = await startServer({ dataFile });
    await server.ask('POST', CONFIG_MAPS, { metadata: { name: 'gone' } });
    await server.ask('DELETE', `${CONFIG_MAPS}/gone`);
    last = server.api.revision;
  }
  await using server = await startServer({ dataFile });
  expect(server.api.revision).toBeGreaterThanOrEqual(last);
});

test('a data file that is open is refused', async () => {
  const dataFile = join(folder, 'api.db');
  await using server = await startServer({ dataFile });
  await expect(startServer({ dataFile })).rejects.toMatchObject({ code: 'DATA_FILE_IN_USE' });
  expect(server.api.revision).toBeGreaterThan(0);
});

test('pages of a list are of one moment', async () => {
  await using server = await startServer({ dataFile: join(folder, 'api.db') });
  for (let i = 0; i < 6; i++) await server.ask('POST', CONFIG_MAPS, { metadata: { name: `p${i}` } });
  const first = (await server.ask('GET', `${CONFIG_MAPS}?limit=2`)).body as ListBody & {
    metadata: { continue: string; remainingItemCount: number };
  };
  expect(first.items.map((item) => item.metadata.name)).toEqual(['p0', 'p1']);
  expect(first.metadata.remainingItemCount).toBe(4);
  await server.ask('DELETE', `${CONFIG_MAPS}/p3`);
  await server.ask('POST', CONFIG_MAPS, { metadata: { name: 'p2a' } });
  const second = (await server.ask('GET', `${CONFIG_MAPS}?limit=5&continue=${first.metadata.continue}`))
    .body as ListBody;
  expect(second.items.map((item) => item.metadata.name)).toEqual(['p2', 'p3', 'p4', 'p5']);
  expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
});
