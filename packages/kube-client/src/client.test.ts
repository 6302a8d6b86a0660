import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeClock, silentLogger } from '@kind-e2e/base';
import type { KubeObject } from '@kind-e2e/kube-api';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createKubeClient } from './client.ts';
import { createController, source } from './controller.ts';
import { createEventRecorder } from './events.ts';
import { createInformer } from './informer.ts';
import { keyOf } from './objects.ts';
import { RESOURCES } from './resources.ts';
import { retryOnConflict } from './retry.ts';
import type { KubeClient } from './types.ts';

interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
type Handler = (seen: Seen, response: ServerResponse) => void;

const cleanups: (() => PromiseLike<void> | void)[] = [];
afterEach(async () => {
  for (let call = cleanups.pop(); call; call = cleanups.pop()) await call();
});

async function serve(handler: Handler): Promise<{ client: KubeClient; seen: Seen[]; server: Server }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const entry = {
        method: request.method ?? '',
        url: new URL(request.url ?? '/', 'http://server'),
        headers: request.headers,
        body,
      };
      seen.push(entry);
      handler(entry, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = createKubeClient({
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: 'secret',
  });
  cleanups.push(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
    () => client[Symbol.asyncDispose](),
  );
  return { client, seen, server };
}

function answer(response: ServerResponse, code: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

const failure = (code: number, reason: string): unknown => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: `it is ${reason}`,
  reason,
  code,
});
const pod = (name: string, resourceVersion: string, uid = `uid-${name}`): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ns', uid, resourceVersion, managedFields: [{ manager: 'x' }] },
});

describe('client', () => {
  it('puts verbs, subresources and options where the API has them', async () => {
    const { client, seen } = await serve((_, response) => answer(response, 200, {}));
    await client.get(RESOURCES.deployments, 'web', 'ns');
    await client.list(RESOURCES.pods, { namespace: 'ns', labelSelector: 'a=b,c!=d', limit: 5 });
    await client.create(RESOURCES.pods, pod('a', ''), { subresource: 'binding', dryRun: true });
    await client.update(RESOURCES.pods, pod('a', '1'), { subresource: 'status', fieldManager: 'me' });
    await client.patch(RESOURCES.nodes, { name: 'n' }, 'strategic', { spec: {} });
    await client.delete(RESOURCES.pods, { name: 'a', namespace: 'ns' }, { propagationPolicy: 'Foreground' });
    await client.deleteCollection(RESOURCES.pods, { namespace: 'ns', gracePeriodSeconds: 0 });
    expect(seen.map((r) => `${r.method} ${r.url.pathname}${r.url.search}`)).toEqual([
      'GET /apis/apps/v1/namespaces/ns/deployments/web',
      'GET /api/v1/namespaces/ns/pods?labelSelector=a%3Db%2Cc%21%3Dd&limit=5',
      'POST /api/v1/namespaces/ns/pods/a/binding?dryRun=All',
      'PUT /api/v1/namespaces/ns/pods/a/status?fieldManager=me',
      'PATCH /api/v1/nodes/n',
      'DELETE /api/v1/namespaces/ns/pods/a',
      'DELETE /api/v1/namespaces/ns/pods',
    ]);
    expect(seen[0]?.headers.authorization).toBe('Bearer secret');
    expect(seen[4]?.headers['content-type']).toBe('application/strategic-merge-patch+json');
    expect(JSON.parse(seen[5]?.body ?? '')).toEqual({
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: 'Foreground',
    });
  });

  it('keeps its connection after a delete with options', async () => {
    const { client, server } = await serve((_request, response) => response.end('{}'));
    let connections = 0;
    server.on('connection', () => connections++);
    for (let i = 0; i < 20; i++)
      await client.delete(RESOURCES.pods, { name: `pod-${i}`, namespace: 'default' }, { gracePeriodSeconds: 0 });
    // A second one is opened where the first is not yet free.
    expect(connections).toBeLessThanOrEqual(2);
  });

  it('throws the Status of a failed answer, and makes one of other bodies', async () => {
    const { client } = await serve((seen, response) =>
      seen.url.pathname.endsWith('/text')
        ? response.writeHead(503).end('upstream is down')
        : answer(response, 404, failure(404, 'NotFound')),
    );
    await expect(client.get(RESOURCES.pods, 'a', 'ns')).rejects.toMatchObject({
      name: 'StatusError',
      code: 404,
      reason: 'NotFound',
      message: 'it is NotFound',
    });
    await expect(client.get(RESOURCES.pods, 'text', 'ns')).rejects.toMatchObject({
      code: 503,
      reason: 'ServiceUnavailable',
      message: 'upstream is down',
    });
  });

  it('sends again after 429 with Retry-After', async () => {
    let calls = 0;
    const { client } = await serve((_, response) =>
      ++calls < 3
        ? answer(response, 429, failure(429, 'TooManyRequests'), { 'retry-after': '0' })
        : answer(response, 200, pod('a', '1')),
    );
    expect((await client.get(RESOURCES.pods, 'a', 'ns')).metadata?.name).toBe('a');
    expect(calls).toBe(3);
  });

  it('fills the kind that list items lack', async () => {
    const { client } = await serve((_, response) =>
      answer(response, 200, {
        kind: 'PodList',
        apiVersion: 'v1',
        metadata: { resourceVersion: '7' },
        items: [{ metadata: { name: 'a' } }],
      }),
    );
    const list = await client.list(RESOURCES.pods);
    expect(list).toEqual({
      items: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }],
      resourceVersion: '7',
    });
  });

  it('reads watch events split at any byte and ends when aborted', async () => {
    const abort = new AbortController();
    const line = `${JSON.stringify({ type: 'ADDED', object: pod('ü', '2') })}\n`;
    const { client } = await serve((_, response) => {
      response.writeHead(200);
      const bytes = Buffer.from(line);
      const middle = bytes.indexOf(0xc3) + 1;
      response.write(bytes.subarray(0, middle));
      setImmediate(() => response.write(bytes.subarray(middle)));
    });
    const names: (string | undefined)[] = [];
    for await (const event of client.watch(RESOURCES.pods, { signal: abort.signal })) {
      names.push(event.object.metadata?.name);
      abort.abort();
    }
    expect(names).toEqual(['ü']);
  });

  it('throws the Status of an ERROR event', async () => {
    const { client } = await serve((_, response) =>
      response.end(`${JSON.stringify({ type: 'ERROR', object: failure(410, 'Expired') })}\n`),
    );
    await expect(client.watch(RESOURCES.pods)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 410 });
  });

  it('gives any answer of a plain request', async () => {
    const { client } = await serve((seen, response) => response.writeHead(418).end(`${seen.method} ${seen.body}`));
    const got = await client.request('POST', '/x?y=1', { body: { a: 1 } });
    expect([got.status, await got.text()]).toEqual([418, 'POST {"a":1}']);
  });
});

/** A server of pods whose list and watches the test drives. */
async function podServer(): Promise<{
  client: KubeClient;
  seen: Seen[];
  list: { resourceVersion: string; items: KubeObject[] };
  watches: ServerResponse[];
  send(type: string, object: unknown): void;
}> {
  const list = { resourceVersion: '1', items: [] as KubeObject[] };
  const watches: ServerResponse[] = [];
  const { client, seen } = await serve((request, response) => {
    if (request.url.searchParams.get('watch') !== 'true') {
      answer(response, 200, {
        kind: 'PodList',
        apiVersion: 'v1',
        metadata: { resourceVersion: list.resourceVersion },
        items: list.items,
      });
      return;
    }
    response.writeHead(200);
    response.flushHeaders();
    watches.push(response);
  });
  return {
    client,
    seen,
    list,
    watches,
    send: (type, object) => void watches.at(-1)?.write(`${JSON.stringify({ type, object })}\n`),
  };
}

function record(log: string[]): Parameters<ReturnType<typeof createInformer<KubeObject>>['addHandler']>[0] {
  return {
    added: (o) => void log.push(`+${o.metadata?.name}@${o.metadata?.resourceVersion}`),
    updated: (b, o) =>
      void log.push(`~${o.metadata?.name}@${b.metadata?.resourceVersion}>${o.metadata?.resourceVersion}`),
    deleted: (o) => void log.push(`-${o.metadata?.name}@${o.metadata?.resourceVersion}`),
  };
}

describe('informer', () => {
  it('lists, watches from the list and keeps indices', async () => {
    const server = await podServer();
    server.list.items = [pod('a', '1')];
    const informer = createInformer<KubeObject>({
      client: server.client,
      resource: RESOURCES.pods,
      logger: silentLogger,
      indexers: { letter: (o) => [o.metadata?.name?.[0] ?? ''] },
    });
    cleanups.push(() => informer[Symbol.asyncDispose]());
    await informer.synced;
    const log: string[] = [];
    informer.addHandler(record(log));
    await vi.waitFor(() => expect(server.watches).toHaveLength(1));
    expect(server.seen[1]?.url.searchParams.get('resourceVersion')).toBe('1');
    server.send('ADDED', pod('ab', '2'));
    server.send('MODIFIED', pod('a', '3'));
    server.send('DELETED', pod('ab', '4'));
    await vi.waitFor(() => expect(log).toEqual(['+a@1', '+ab@2', '~a@1>3', '-ab@4']));
    expect(informer.byIndex('letter', 'a').map((o) => o.metadata?.name)).toEqual(['a']);
    expect(informer.get('a', 'ns')?.metadata?.managedFields).toBeUndefined();
    expect(informer.list('other')).toEqual([]);
  });

  it('resumes where the watch broke off, without a new list', async () => {
    const server = await podServer();
    const informer = createInformer<KubeObject>({
      client: server.client,
      resource: RESOURCES.pods,
      logger: silentLogger,
    });
    cleanups.push(() => informer[Symbol.asyncDispose]());
    await vi.waitFor(() => expect(server.watches).toHaveLength(1));
    server.send('ADDED', pod('a', '5'));
    server.send('BOOKMARK', { metadata: { resourceVersion: '9' } });
    await vi.waitFor(() => expect(informer.get('a', 'ns')).toBeDefined());
    server.watches[0]?.destroy();
    await vi.waitFor(() => expect(server.watches).toHaveLength(2));
    expect(server.seen.at(-1)?.url.searchParams.get('resourceVersion')).toBe('9');
    expect(server.seen.filter((r) => !r.url.searchParams.has('watch'))).toHaveLength(1);
  });

  it('lists anew after 410 and tells what was deleted or replaced meanwhile', async () => {
    const server = await podServer();
    server.list.items = [pod('a', '1'), pod('b', '1'), pod('c', '1')];
    const informer = createInformer<KubeObject>({
      client: server.client,
      resource: RESOURCES.pods,
      logger: silentLogger,
    });
    cleanups.push(() => informer[Symbol.asyncDispose]());
    await informer.synced;
    const log: string[] = [];
    informer.addHandler(record(log));
    log.length = 0;
    await vi.waitFor(() => expect(server.watches).toHaveLength(1));
    server.list.items = [pod('a', '1'), pod('c', '8', 'another')];
    server.list.resourceVersion = '9';
    server.send('ERROR', failure(410, 'Expired'));
    await vi.waitFor(() => expect(log).toEqual(['-c@1', '+c@8', '-b@1']));
    await vi.waitFor(() => expect(server.watches).toHaveLength(2));
    expect(server.seen.at(-1)?.url.searchParams.get('resourceVersion')).toBe('9');
  });
});

describe('controller', () => {
  it('reconciles each key once at a time, after the first list, and again after a failure', async () => {
    const server = await podServer();
    server.list.items = [pod('a', '1'), pod('b', '1')];
    const informer = createInformer<KubeObject>({
      client: server.client,
      resource: RESOURCES.pods,
      logger: silentLogger,
    });
    cleanups.push(() => informer[Symbol.asyncDispose]());
    const runs: string[] = [];
    const controller = createController({
      name: 'test',
      logger: silentLogger,
      sources: [source(informer, (o) => [keyOf(o)])],
      reconcile: async ({ namespace, name }) => {
        runs.push(`${namespace}:${name}`);
        if (runs.length === 1) throw new Error('first');
        return undefined;
      },
    });
    cleanups.push(() => controller[Symbol.asyncDispose]());
    await vi.waitFor(() => expect(runs).toEqual(['ns:a', 'ns:b', 'ns:a']));
  });

  it('retries conflicts and nothing else', async () => {
    let calls = 0;
    const { client } = await serve((_, response) =>
      ++calls < 3 ? answer(response, 409, failure(409, 'Conflict')) : answer(response, 404, failure(404, 'NotFound')),
    );
    await expect(retryOnConflict(() => client.update(RESOURCES.pods, pod('a', '1')))).rejects.toMatchObject({
      code: 404,
    });
    expect(calls).toBe(3);
  });
});

describe('event recorder', () => {
  it('counts equal events and combines floods of similar ones', async () => {
    const { client, seen } = await serve((_, response) => answer(response, 201, {}));
    const clock = new FakeClock();
    const recorder = createEventRecorder({ client, component: 'tester', logger: silentLogger, clock });
    cleanups.push(() => recorder[Symbol.asyncDispose]());
    recorder.event(pod('a', '1'), 'Normal', 'Done', 'it is done');
    await recorder.flush();
    await clock.advance(5000);
    recorder.event(pod('a', '1'), 'Normal', 'Done', 'it is done');
    await recorder.flush();
    expect(seen.map((r) => r.method)).toEqual(['POST', 'PATCH']);
    const first = JSON.parse(seen[0]?.body ?? '');
    expect(first).toMatchObject({
      involvedObject: { kind: 'Pod', namespace: 'ns', name: 'a', uid: 'uid-a' },
      reason: 'Done',
      message: 'it is done',
      type: 'Normal',
      count: 1,
      source: { component: 'tester' },
      metadata: { namespace: 'ns' },
    });
    expect(JSON.parse(seen[1]?.body ?? '')).toEqual({
      count: 2,
      message: 'it is done',
      lastTimestamp: '2026-01-01T00:00:05Z',
    });
    for (let i = 0; i < 20; i++) recorder.event(pod('a', '1'), 'Normal', 'Made', `made ${i}`);
    await recorder.flush();
    const messages = seen.map((r) => JSON.parse(r.body).message as string);
    expect(messages.filter((m) => m.startsWith('made'))).toHaveLength(10);
    expect(messages.at(-1)).toBe('(combined from similar events): made 19');
  });
});
