import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_TOKEN, startServer, type TestServer } from './harness.ts';

/** A kubelet that says what it is asked, and echoes what an upgraded connection sends. */
let kubelet: Server;
const seen: { url: string; authorization: string | undefined }[] = [];
let server: TestServer;

beforeAll(async () => {
  kubelet = createServer((incoming, response) => {
    note(incoming);
    if (incoming.url === '/stats/summary') {
      const usage = {
        cpu: { time: '2026-01-01T00:00:00Z', usageNanoCores: 2_000_000 },
        memory: { workingSetBytes: 4096 },
      };
      response.end(
        JSON.stringify({
          node: usage,
          pods: [{ podRef: { name: 'p', namespace: 'default' }, containers: [{ name: 'a', ...usage }] }],
        }),
      );
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.write('first line\n');
    response.end('second line\n');
  });
  kubelet.on('upgrade', (incoming, socket) => {
    note(incoming);
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n',
    );
    socket.pipe(socket);
  });
  kubelet.listen(0, '127.0.0.1');
  await once(kubelet, 'listening');
  server = await startServer({ kubelet: { token: 'kubelet-token', scheme: 'http' } });
  const { port } = kubelet.address() as AddressInfo;
  await server.ask('POST', '/api/v1/nodes', { metadata: { name: 'n' } });
  await server.ask(
    'PATCH',
    '/api/v1/nodes/n/status',
    {
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
      },
    },
    { 'content-type': 'application/merge-patch+json' },
  );
  await server.ask('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
  const pod = await server.ask('POST', '/api/v1/namespaces/default/pods', {
    metadata: { name: 'p', labels: { app: 'p' } },
    spec: { nodeName: 'n', containers: [{ name: 'a', image: 'x' }] },
  });
  expect(pod.status).toBe(201);
  await server.ask(
    'PATCH',
    '/api/v1/namespaces/default/pods/p/status',
    { status: { phase: 'Running', podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] } },
    { 'content-type': 'application/merge-patch+json' },
  );
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  kubelet.closeAllConnections();
  await new Promise((resolve) => kubelet.close(resolve));
});

function note(incoming: IncomingMessage): void {
  seen.push({ url: incoming.url ?? '', authorization: incoming.headers.authorization });
}

test("logs come from the kubelet of the pod, asked with the API server's token", async () => {
  const answer = await server.ask('GET', '/api/v1/namespaces/default/pods/p/log?tailLines=2&timestamps=true');
  expect(answer.text).toBe('first line\nsecond line\n');
  expect(answer.headers['content-type']).toBe('text/plain');
  expect(seen.at(-1)).toEqual({
    url: '/containerLogs/default/p/a?timestamps=true&tailLines=2',
    authorization: 'Bearer kubelet-token',
  });
});

test('exec is passed through byte for byte', async () => {
  const sent = request(
    `${server.api.url}/api/v1/namespaces/default/pods/p/exec?command=sh&command=-c&stdin=true&stdout=true`,
    {
      method: 'POST',
      agent: false,
      rejectUnauthorized: false,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, connection: 'Upgrade', upgrade: 'SPDY/3.1' },
    },
  );
  sent.end();
  const [response, socket] = await once(sent, 'upgrade');
  expect(response.headers['x-stream-protocol-version']).toBe('v4.channel.k8s.io');
  const bytes = Buffer.from([0x80, 3, 0, 1, 0xff, 0]);
  socket.write(bytes);
  const [echo] = await once(socket, 'data');
  expect(Buffer.compare(echo, bytes)).toBe(0);
  expect(seen.at(-1)?.url).toBe('/exec/default/p/a?input=1&output=1&command=sh&command=-c');
  socket.destroy();
});

test('an upgrade that may not be is refused in words', async () => {
  const sent = request(`${server.api.url}/api/v1/namespaces/default/pods/none/portforward`, {
    method: 'POST',
    agent: false,
    rejectUnauthorized: false,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, connection: 'Upgrade', upgrade: 'SPDY/3.1' },
  });
  sent.end();
  const [response] = await once(sent, 'response');
  expect(response.statusCode).toBe(404);
  response.resume();
});

test("metrics come from the kubelet's summary", async () => {
  const answer = await server.ask('GET', '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/p');
  expect(answer.body).toMatchObject({
    kind: 'PodMetrics',
    metadata: { name: 'p', labels: { app: 'p' } },
    containers: [{ name: 'a', usage: { cpu: '2000000n', memory: '4Ki' } }],
  });
});

test('a pod can be asked through the API server', async () => {
  const { port } = kubelet.address() as AddressInfo;
  const answer = await server.ask('GET', `/api/v1/namespaces/default/pods/p:${port}/proxy/some/path?a=b`);
  expect(answer.text).toBe('first line\nsecond line\n');
  expect(seen.at(-1)).toEqual({ url: '/some/path?a=b', authorization: undefined });
});
