// Longer than most files: every case needs the same two sidecars and gateway, which one file starts once.
import { createHash } from 'node:crypto';
import { Agent, type IncomingHttpHeaders, type RequestListener, request } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import type { Route, Snapshot } from '../src/index.ts';
import { freshAddress, identitiesFor, listenHttp, listenTcp, until } from './fixture.ts';
import { cluster, FRONT_CLUSTER, startMesh, type TestMesh } from './mesh.ts';
import { openSocket } from './raw-client.ts';

let mesh: TestMesh;
let front: RequestListener;

beforeAll(async () => {
  mesh = await startMesh({ front: (q, s) => front(q, s), back: (_q, s) => s.end('back') });
});

afterAll(async () => {
  await mesh[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

function send(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: Buffer | string; agent?: Agent } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: mesh.gateway,
        port: mesh.gatewayPort,
        path,
        method: options.method ?? 'GET',
        headers: options.headers ?? {},
        ...(options.agent ? { agent: options.agent } : {}),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}

function routes(list: readonly Route[], more: (snapshot: Snapshot) => Partial<Snapshot> = () => ({})): Promise<void> {
  return mesh.apply((snapshot) => ({
    ...snapshot,
    routeTables: {
      ...snapshot.routeTables,
      gateway: { name: 'g', virtualHosts: [{ name: 'all', domains: ['*'], routes: list }] },
    },
    ...more(snapshot),
  }));
}

const toFront: Route = {
  match: {},
  operation: 'front/*',
  action: { kind: 'forward', destinations: [{ cluster: FRONT_CLUSTER, weight: 1 }] },
};

test('bodies of any size pass both ways unchanged', async () => {
  await routes([toFront]);
  front = (q, s) => {
    const hash = createHash('sha256');
    q.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      s.write(chunk);
    });
    q.on('end', () => s.end());
  };
  for (const size of [0, 1, 100, 16_385, 65_536, 1_000_000, 20_000_000]) {
    const body = Buffer.alloc(size, `${size}-`);
    for (const headers of [{ 'content-length': String(size) }, { 'transfer-encoding': 'chunked' }] as Record<
      string,
      string
    >[]) {
      const answer = await send('/', { method: 'POST', headers, body });
      expect(answer.status).toBe(200);
      expect(answer.body.equals(body)).toBe(true);
    }
  }
});

test('a slow reader does not fill the memory', async () => {
  await routes([toFront]);
  let written = 0;
  front = (_q, s) => {
    s.writeHead(200);
    const chunk = Buffer.alloc(65_536);
    const more = (): void => {
      while (written < 200_000_000 && !s.destroyed) {
        written += chunk.length;
        if (!s.write(chunk)) {
          s.once('drain', more);
          return;
        }
      }
      s.end();
    };
    more();
  };
  const socket = await openSocket(mesh.gateway, mesh.gatewayPort);
  socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  socket.pause();
  let before = -1;
  await until(async () => {
    const same = before === written && written > 0;
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 150));
    return same;
  }, 'the server waits');
  expect(written).toBeLessThan(100_000_000);
  socket.destroy();
});

test('HEAD, 204, 304 and early answers keep the connection', async () => {
  await routes([toFront]);
  front = (q, s) => {
    const status = Number((q.url ?? '').slice(1)) || 200;
    s.writeHead(status, status === 200 ? { 'content-length': '5' } : {});
    s.end(status === 200 && q.method !== 'HEAD' ? 'hello' : undefined);
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number>();
  for (const [method, path] of [
    ['HEAD', '/'],
    ['GET', '/204'],
    ['GET', '/304'],
    ['GET', '/'],
    ['POST', '/404'],
  ] as const) {
    const answer = await send(path, { method, agent });
    expect(answer.status).toBe(Number(path.slice(1)) || 200);
    if (method === 'HEAD') expect(answer.headers['content-length']).toBe('5');
  }
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) ports.add(socket.localPort ?? 0);
  expect(ports.size).toBe(1);
  agent.destroy();
});

test('Expect: 100-continue is answered at once', async () => {
  await routes([toFront]);
  front = (q, s) => {
    expect(q.headers.expect).toBeUndefined();
    q.resume().on('end', () => s.end('done'));
  };
  const answer = await new Promise<string>((resolve, reject) => {
    const outgoing = request(
      {
        host: mesh.gateway,
        port: mesh.gatewayPort,
        method: 'POST',
        headers: { expect: '100-continue', 'content-length': '3' },
      },
      (response) => {
        response.on('data', (chunk: Buffer) => resolve(chunk.toString()));
      },
    );
    outgoing.on('error', reject);
    outgoing.on('continue', () => outgoing.end('abc'));
    outgoing.flushHeaders();
  });
  expect(answer).toBe('done');
});

test('WebSockets pass', async () => {
  const address = freshAddress();
  const server = new WebSocketServer({ host: address, port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)));
  const { port } = server.address() as { port: number };
  await routes(
    [{ ...toFront, action: { kind: 'forward', destinations: [{ cluster: 'ws', weight: 1 }] } }],
    (snapshot) => ({
      clusters: {
        ...snapshot.clusters,
        ws: cluster('ws', [{ address, port, ready: true }], { tls: { mode: 'disable' } }),
      },
    }),
  );
  const client = new WebSocket(`ws://${mesh.gateway}:${mesh.gatewayPort}/chat`);
  await new Promise((resolve) => client.once('open', resolve));
  const got = new Promise<string>((resolve) => client.once('message', (data) => resolve(String(data))));
  client.send('hello');
  expect(await got).toBe('echo hello');
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.close();
  await closed;
  server.close();
});

test('weights, rewrites, header operations, redirects, direct answers', async () => {
  front = (q, s) => s.end(JSON.stringify({ url: q.url, headers: q.headers }));
  await routes([
    { match: { path: { exact: '/old' } }, operation: 'r', action: { kind: 'redirect', status: 302, path: '/new' } },
    {
      match: { path: { prefix: '/teapot' } },
      operation: 'd',
      action: { kind: 'direct', status: 418, body: 'short and stout' },
    },
    {
      match: { path: { regex: '/api/v[0-9]+/.*' }, headers: [{ name: 'x-user', match: { exact: 'jason' } }] },
      operation: 'x',
      action: {
        kind: 'forward',
        destinations: [{ cluster: FRONT_CLUSTER, weight: 1 }],
        rewrite: { regex: { match: '/api/(v[0-9]+)/(.*)', rewrite: '/\\2/\\1' }, authority: 'elsewhere' },
      },
      requestHeaders: { set: { 'x-set': 'a%REQ(x-user)%' }, add: { 'x-add': 'b' }, remove: ['x-user'] },
      responseHeaders: { set: { 'x-answer': 'yes' }, remove: ['date'] },
    },
    toFront,
  ]);
  expect((await send('/old?q=1')).headers.location).toBe(`http://${mesh.gateway}:${mesh.gatewayPort}/new?q=1`);
  expect((await send('/teapot')).body.toString()).toBe('short and stout');
  const answer = await send('/api/v2/things?q=1', { headers: { 'x-user': 'jason' } });
  const seen = JSON.parse(answer.body.toString()) as { url: string; headers: Record<string, string> };
  expect(seen.url).toBe('/things/v2?q=1');
  expect(seen.headers).toMatchObject({ 'x-set': 'ajason', 'x-add': 'b', host: 'elsewhere' });
  expect(seen.headers['x-user']).toBeUndefined();
  expect(answer.headers['x-answer']).toBe('yes');
});

test('faults and timeouts', async () => {
  front = (_q, s) => void setTimeout(() => s.end('late'), 400);
  await routes([
    { ...toFront, match: { path: { prefix: '/abort' } }, fault: { abort: { percent: 100, httpStatus: 503 } } },
    {
      ...toFront,
      match: { path: { prefix: '/slow' } },
      action: { kind: 'forward', destinations: [{ cluster: FRONT_CLUSTER, weight: 1 }], timeoutMs: 50 },
    },
    {
      ...toFront,
      match: { path: { prefix: '/delay' } },
      fault: { delay: { percent: 100, ms: 100 }, abort: { percent: 100, httpStatus: 400 } },
    },
  ]);
  const aborted = await send('/abort');
  expect([aborted.status, aborted.body.toString()]).toEqual([503, 'fault filter abort']);
  expect(mesh.logs.at(-1)).toContain(' 503 FI fault_filter_abort ');
  const slow = await send('/slow');
  expect([slow.status, slow.body.toString()]).toEqual([504, 'upstream request timeout']);
  expect(mesh.logs.find((line) => line.includes('/slow') && line.includes(' 504 UT '))).toBeDefined();
  const start = performance.now();
  expect((await send('/delay')).status).toBe(400);
  expect(performance.now() - start).toBeGreaterThan(90);
  expect(mesh.logs.at(-1)).toContain(' DI,FI ');
});

test('a refused connection is tried elsewhere, and only idempotent requests after a reset', async () => {
  const bad = await listenTcp((socket) => socket.destroy(), freshAddress());
  const good = await listenHttp((_q, s) => s.end('good'), freshAddress());
  const badAddress = (bad.address() as { address: string }).address;
  const goodAddress = (good.address() as { address: string }).address;
  const set = (endpoints: readonly [string, number][]) =>
    routes(
      [{ ...toFront, action: { kind: 'forward', destinations: [{ cluster: 'two', weight: 1 }] } }],
      (snapshot) => ({
        clusters: {
          ...snapshot.clusters,
          two: cluster(
            'two',
            endpoints.map(([address, port]) => ({ address, port, ready: true })),
            { tls: { mode: 'disable' }, loadBalancer: { kind: 'round-robin' } },
          ),
        },
      }),
    );
  await set([
    [badAddress, 1],
    [goodAddress, good.port],
  ]);
  for (let i = 0; i < 6; i++) expect((await send('/', { method: 'POST', body: 'x' })).body.toString()).toBe('good');
  await set([
    [badAddress, bad.port],
    [goodAddress, good.port],
  ]);
  for (let i = 0; i < 6; i++) expect((await send('/')).status).toBe(200);
  const posts = await Promise.all(Array.from({ length: 6 }, () => send('/', { method: 'POST', body: 'x' })));
  expect(posts.filter(({ status }) => status === 503).length).toBeGreaterThan(0);
  await set([[badAddress, 1]]);
  const answer = await send('/');
  expect(answer.status).toBe(503);
  expect(answer.body.toString()).toContain('delayed connect error: Connection refused');
  expect(mesh.logs.at(-1)).toContain(' 503 UF,URX ');
  bad.close();
  good.closeAllConnections();
  good.close();
});

test('a client that goes away ends the request upstream', async () => {
  await routes([toFront]);
  let ended = false;
  front = (_q, s) => {
    s.on('close', () => {
      ended = true;
    });
  };
  const socket = await openSocket(mesh.gateway, mesh.gatewayPort);
  socket.write('GET /gone HTTP/1.1\r\nhost: a\r\n\r\n');
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  await until(() => ended, 'the application sees the end');
  await until(() => mesh.logs.some((line) => line.includes('/gone') && line.includes(' 0 DC ')), 'logged as DC');
});

test('HTTP/2 with trailers, as gRPC uses it, passes through gateway and sidecar', async () => {
  const server = createHttp2Server();
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.concat([Buffer.from(`${headers[':path']} `), ...chunks]));
    });
  });
  const app = freshAddress();
  const podAddress = freshAddress();
  await new Promise<void>((resolve) => server.listen(9000, app, resolve));
  await routes(
    [{ ...toFront, action: { kind: 'forward', destinations: [{ cluster: 'grpc', weight: 1 }] } }],
    (snapshot) => ({
      metadata: {
        ...snapshot.metadata,
        grpc: { ...(snapshot.metadata.back as Snapshot['metadata'][string]), address: podAddress },
      },
      clusters: {
        ...snapshot.clusters,
        grpc: cluster('grpc', [{ address: podAddress, port: 9000, ready: true, mtls: true }], { protocol: 'http2' }),
      },
      workloads: [
        ...snapshot.workloads,
        {
          ...(snapshot.workloads.find(({ id }) => id === 'back') as Snapshot['workloads'][number]),
          id: 'grpc',
          address: podAddress,
          appAddress: app,
          outboundAddress: freshAddress(),
          inbound: [
            {
              port: 9000,
              protocol: 'grpc',
              mtls: 'STRICT',
              service: { host: 'g.default', name: 'g', namespace: 'default' },
            },
          ],
        },
      ],
    }),
  );
  const client = connectHttp2(`http://${mesh.gateway}:${mesh.gatewayPort}`);
  const results = await Promise.all(
    Array.from(
      { length: 20 },
      (_, i) =>
        new Promise<string>((resolve, reject) => {
          const stream = client.request({
            ':method': 'POST',
            ':path': `/svc/${i}`,
            'content-type': 'application/grpc',
            te: 'trailers',
          });
          let body = '';
          let status = '';
          stream.on('trailers', (fields) => {
            status = String(fields['grpc-status']);
          });
          stream.on('data', (chunk: Buffer) => {
            body += chunk.toString();
          });
          stream.on('end', () => resolve(`${body} ${status}`));
          stream.on('error', reject);
          stream.end(`n${i}`);
        }),
    ),
  );
  expect(results).toEqual(Array.from({ length: 20 }, (_, i) => `/svc/${i} n${i} 0`));
  client.close();
  await mesh.apply((snapshot) => ({ ...snapshot, workloads: snapshot.workloads.filter(({ id }) => id !== 'grpc') }));
  server.close();
});

test('authorization decides by identity, path and method', async () => {
  front = (_q, s) => s.end('front');
  await routes([toFront], (snapshot) => ({
    workloads: snapshot.workloads.map((workload) =>
      workload.id === 'front'
        ? {
            ...workload,
            policies: [
              {
                name: 'p',
                namespace: 'default',
                action: 'ALLOW',
                rules: [
                  {
                    from: [{ principals: ['cluster.local/ns/default/sa/ingress'] }],
                    to: [{ methods: ['GET'], paths: ['/public/*'] }],
                  },
                ],
              },
            ],
          }
        : workload,
    ),
  }));
  expect((await send('/public/x')).status).toBe(200);
  const denied = await send('/private');
  expect([denied.status, denied.body.toString()]).toEqual([403, 'RBAC: access denied']);
  expect((await send('/public/x', { method: 'POST' })).status).toBe(403);
  expect((await send('/public/%2e%2e/private')).status).toBe(403);
  await mesh.apply((snapshot) => ({
    ...snapshot,
    workloads: snapshot.workloads.map((workload) => ({ ...workload, policies: [] })),
  }));
});

test('names are answered over UDP and TCP', async () => {
  const { Resolver } = await import('node:dns/promises');
  const resolver = new Resolver();
  resolver.setServers([`${mesh.frontOutbound}:15053`]);
  for (const name of [
    'business-logic',
    'business-logic.default',
    'business-logic.default.svc',
    'business-logic.default.svc.cluster.local',
  ])
    expect(await resolver.resolve4(name)).toEqual([mesh.frontOutbound]);
  await expect(resolver.resolve4('nobody.default.svc.cluster.local')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  await expect(resolver.resolve6('business-logic')).rejects.toMatchObject({ code: 'ENODATA' });
  expect(await resolver.resolveSrv('_http._tcp.business-logic.default.svc.cluster.local')).toMatchObject([
    { port: 8000 },
  ]);
});

/** Not 80, which an ordinary user may not listen on. */
const SERVICE_PORT = 8099;

test('a service address leads to ready endpoints', async () => {
  const service = freshAddress();
  const app = await listenHttp((_q, s) => s.end('forwarded'), freshAddress());
  const { address } = app.address() as { address: string };
  await mesh.apply((snapshot) => ({
    ...snapshot,
    forwarders: [{ address: service, port: SERVICE_PORT, endpoints: [`${address}:${app.port}`] }],
  }));
  expect(await (await fetch(`http://${service}:${SERVICE_PORT}/`)).text()).toBe('forwarded');
  await mesh.apply((snapshot) => ({
    ...snapshot,
    forwarders: [{ address: service, port: SERVICE_PORT, endpoints: [] }],
  }));
  await expect(fetch(`http://${service}:${SERVICE_PORT}/`)).rejects.toThrow();
  app.closeAllConnections();
  app.close();
});

test('TCP goes through both sidecars with mutual TLS and is counted', async () => {
  const app = freshAddress();
  const podAddress = freshAddress();
  const own = freshAddress();
  const server = await listenTcp((socket) => socket.pipe(socket), app);
  await mesh.apply((snapshot) => ({
    ...snapshot,
    clusters: {
      ...snapshot.clusters,
      tcp: cluster('outbound|7000||echo.default.svc.cluster.local', [
        { address: podAddress, port: 7000, ready: true, mtls: true },
      ]),
    },
    metadata: {
      ...snapshot.metadata,
      echo: { ...(snapshot.metadata.back as Snapshot['metadata'][string]), address: podAddress },
    },
    workloads: [
      ...snapshot.workloads.map((workload) =>
        workload.id === 'front'
          ? {
              ...workload,
              outbound: [
                ...workload.outbound,
                {
                  address: own,
                  port: 7000,
                  protocol: 'tcp' as const,
                  tcp: [{ destinations: [{ cluster: 'tcp', weight: 1 }] }],
                },
              ],
            }
          : workload,
      ),
      {
        ...(snapshot.workloads.find(({ id }) => id === 'back') as Snapshot['workloads'][number]),
        id: 'echo',
        address: podAddress,
        appAddress: app,
        outboundAddress: freshAddress(),
        inbound: [
          {
            port: 7000,
            appPort: server.port,
            protocol: 'tcp',
            mtls: 'STRICT',
            service: { host: 'echo.default.svc.cluster.local', name: 'echo', namespace: 'default' },
          },
        ],
      },
    ],
  }));
  const socket = await openSocket(own, 7000);
  const big = Buffer.alloc(3_000_000, 'tcp');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => socket.on('end', resolve));
  socket.end(big);
  await ended;
  expect(Buffer.concat(chunks).equals(big)).toBe(true);
  await until(
    async () =>
      (await (await fetch(`http://${podAddress}:15090/stats/prometheus`)).text()).includes(
        'istio_tcp_connections_closed_total',
      ),
    'counted',
  );
  const text = await (await fetch(`http://${podAddress}:15090/stats/prometheus`)).text();
  expect(text).toMatch(/istio_tcp_received_bytes_total\{.*connection_security_policy="mutual_tls"\} 3000000/);
  server.close();
});

test('outliers are ejected', async () => {
  const bad = await listenHttp((_q, s) => s.writeHead(500).end(), freshAddress());
  const good = await listenHttp((_q, s) => s.end('good'), freshAddress());
  const at = (server: typeof bad) => ({
    address: (server.address() as { address: string }).address,
    port: server.port,
    ready: true,
  });
  await routes(
    [{ ...toFront, action: { kind: 'forward', destinations: [{ cluster: 'o', weight: 1 }] } }],
    (snapshot) => ({
      clusters: {
        ...snapshot.clusters,
        o: cluster('o', [at(bad), at(good)], {
          tls: { mode: 'disable' },
          loadBalancer: { kind: 'round-robin' },
          outlier: { consecutive5xx: 2, maxEjectionPercent: 100 },
        }),
      },
    }),
  );
  const answers: number[] = [];
  for (let i = 0; i < 12; i++) answers.push((await send('/')).status);
  expect(answers.filter((status) => status === 500)).toHaveLength(2);
  for (const server of [bad, good]) {
    server.closeAllConnections();
    server.close();
  }
});

test('the mirror gets a copy, the client does not notice', async () => {
  const mirrored: string[] = [];
  const shadow = await listenHttp((q, s) => {
    let body = '';
    q.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    q.on('end', () => {
      mirrored.push(`${q.headers.host} ${q.url} ${body}`);
      s.writeHead(500).end();
    });
  }, freshAddress());
  front = (q, s) => q.resume().on('end', () => s.end('front'));
  await routes(
    [
      {
        ...toFront,
        action: {
          kind: 'forward',
          destinations: [{ cluster: FRONT_CLUSTER, weight: 1 }],
          mirrors: [{ cluster: 'shadow', percent: 100 }],
        },
      },
    ],
    (snapshot) => ({
      clusters: {
        ...snapshot.clusters,
        shadow: cluster(
          'shadow',
          [{ address: (shadow.address() as { address: string }).address, port: shadow.port, ready: true }],
          { tls: { mode: 'disable' } },
        ),
      },
    }),
  );
  expect((await send('/m', { method: 'POST', body: 'data', headers: { host: 'site' } })).status).toBe(200);
  await until(() => mirrored.length === 1, 'the copy');
  expect(mirrored).toEqual(['site-shadow /m data']);
  shadow.closeAllConnections();
  shadow.close();
});

test('certificates can be renewed under traffic', async () => {
  front = (_q, s) => s.end('front');
  await routes([toFront]);
  expect((await send('/')).status).toBe(200);
  const next = identitiesFor(Object.keys(mesh.identities));
  await mesh.apply((snapshot) => ({ ...snapshot, identities: next }));
  expect((await send('/')).status).toBe(200);
});
