import { Resolver } from 'node:dns/promises';
import { createServer as createHttpServer, get, type Server } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { appAddressOf, createAddressPlan, outboundAddressOf, silentLogger, systemClock } from '@kind-e2e/base';
import { followSnapshots, startProxy } from '@kind-e2e/proxy';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApi, type TestApi } from './api.ts';
import { pod, service } from './world.ts';

/** A block of addresses that labs of this machine are unlikely to use at the moment. */
const plan = createAddressPlan(20 + (process.pid % 10));
const prefix = plan.podCidr(3).split('.').slice(0, 2).join('.');
const FRONT = `${prefix}.3.11`;
const BACK = `${prefix}.4.12`;
const ECHO = `${prefix}.4.13`;
const GATEWAY = `${prefix}.3.14`;

let api: TestApi;
let gatewayPort: number;
const closers: (() => void | Promise<void>)[] = [];

async function listen(
  server: Server | ReturnType<typeof createTcpServer>,
  address: string,
  port: number,
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  closers.push(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

async function until<T>(look: () => Promise<T | undefined> | T | undefined, what: string): Promise<T> {
  const end = Date.now() + 15_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function ask(
  address: string,
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    get({ host: address, port, path, headers, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    }).on('error', reject);
  });
}

beforeAll(async () => {
  const probe = createTcpServer();
  gatewayPort = await new Promise((resolve) =>
    probe.listen(0, '127.0.0.1', () => resolve((probe.address() as { port: number }).port)),
  );
  await new Promise((resolve) => probe.close(resolve));
  api = await startApi({
    addressPlan: plan,
    gatewayAddresses: [{ servicePort: 80, address: '127.0.0.1', port: gatewayPort }],
  });
  await listen(
    createHttpServer((request, response) => {
      get(
        {
          host: outboundAddressOf(FRONT),
          port: 8000,
          path: '/from-front',
          headers: { host: 'business-logic' },
          agent: false,
        },
        (inner) => {
          inner.resume().on('end', () => response.end(`front ${request.url}, back ${inner.statusCode}`));
        },
      );
    }),
    appAddressOf(FRONT),
    8080,
  );
  await listen(
    createHttpServer((request, response) => response.end(`back ${request.url}`)),
    appAddressOf(BACK),
    8000,
  );
  await listen(
    createTcpServer((socket) => socket.pipe(socket)),
    appAddressOf(ECHO),
    7000,
  );
  await api.apply(`
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: istio-ingressgateway, namespace: istio-system}
`);
  await api.apply(
    [
      pod('front-end-1', FRONT, { port: 8080 }),
      pod('business-logic-1', BACK, { port: 8000 }),
      pod('echo-1', ECHO, { port: 7000 }),
      pod('istio-ingressgateway-1', GATEWAY, {
        namespace: 'istio-system',
        injected: false,
        labels: { istio: 'ingressgateway', app: 'istio-ingressgateway' },
      }),
      service('front-end', 8080, [{ name: 'front-end-1', ip: FRONT }], { clusterIP: '' }),
      service('business-logic', 8000, [{ name: 'business-logic-1', ip: BACK }], { clusterIP: '' }),
      service('echo', 7000, [{ name: 'echo-1', ip: ECHO }], { clusterIP: '', portName: 'tcp-echo' }),
      service('istio-ingressgateway', 80, [{ name: 'istio-ingressgateway-1', ip: GATEWAY }], {
        namespace: 'istio-system',
        target: 8080,
        clusterIP: '',
      }),
      `
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: app-gateway}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: app}
spec:
  hosts: ["*"]
  gateways: [app-gateway]
  http:
    - match: [{uri: {prefix: /demo-app/}}]
      rewrite: {uri: /}
      route: [{destination: {host: front-end.default.svc.cluster.local, port: {number: 8080}}}]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: only-front-end}
spec:
  selector: {matchLabels: {app: business-logic}}
  rules: [{from: [{source: {principals: [cluster.local/ns/default/sa/front-end]}}]}]
`,
    ].join('\n'),
  );
  const token = await api.token('istio-system', 'istio-ingressgateway');
  const stop = new AbortController();
  const proxy = startProxy({
    drainMs: 200,
    snapshots: followSnapshots({
      address: `http://127.0.0.1:${api.mesh.port}`,
      token: () => token,
      clock: systemClock,
      logger: silentLogger,
      signal: stop.signal,
    }),
  });
  closers.push(async () => {
    stop.abort();
    await proxy[Symbol.asyncDispose]();
  });
});

afterAll(async () => {
  for (const close of closers.toReversed()) await close();
  await api[Symbol.asyncDispose]();
});

test('manifests become a way through gateway and sidecars, with strict mutual TLS and a policy', async () => {
  const answer = await until(async () => {
    const found = await ask('127.0.0.1', gatewayPort, '/demo-app/page').catch(() => undefined);
    return found?.status === 200 ? found : undefined;
  }, 'the app answers');
  expect(answer.body).toBe('front /page, back 200');
  await expect(ask(BACK, 8000, '/')).rejects.toThrow();
});

test('the policy lets no other in', async () => {
  const back = await ask(outboundAddressOf(ECHO), 8000, '/', { host: 'business-logic' });
  expect(back).toEqual({ status: 403, body: 'RBAC: access denied' });
});

test('a TCP service is found by name and reached through its own address', async () => {
  const resolver = new Resolver();
  resolver.setServers([`${outboundAddressOf(FRONT)}:15053`]);
  const [address] = await resolver.resolve4('echo.default');
  expect(address?.startsWith(`${plan.tcpOutboundCidrs[0]?.split('.')[0]}.`)).toBe(true);
  const echoed = await new Promise<string>((resolve, reject) => {
    const socket = connect(7000, address ?? '', () => socket.end('hello'));
    socket.on('data', (chunk) => resolve(chunk.toString()));
    socket.on('error', reject);
  });
  expect(echoed).toBe('hello');
});

test('a change of routes is in force at once', async () => {
  await api.client.patch(api.resource('VirtualService'), { name: 'app', namespace: 'default' }, 'merge', {
    spec: { http: [{ directResponse: { status: 418, body: { string: 'teapot' } } }] },
  });
  await until(
    async () => ((await ask('127.0.0.1', gatewayPort, '/')).status === 418 ? true : undefined),
    'the new route',
  );
});
