import { get, type IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from './fixture.ts';
import { BACK_HOST, FRONT_HOST, startMesh, type TestMesh } from './mesh.ts';

let mesh: TestMesh;
let seenByFront: IncomingHttpHeaders = {};
let seenByBack: IncomingHttpHeaders = {};

beforeAll(async () => {
  mesh = await startMesh({
    front: (request, response) => {
      seenByFront = request.headers;
      const headers: Record<string, string> = { host: 'business-logic:8000' };
      for (const name of ['x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled']) headers[name] = String(request.headers[name]);
      get({ host: mesh.frontOutbound, port: 8000, path: '/slow?x=1', headers }, (inner) => {
        let body = '';
        inner.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        inner.on('end', () => response.end(`front ${request.url} got ${inner.statusCode} ${body}`));
      });
    },
    back: (request, response) => {
      seenByBack = request.headers;
      response.end(`back ${request.url}`);
    },
  });
});

afterAll(async () => {
  await mesh[Symbol.asyncDispose]();
});

function send(
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    get({ host: mesh.gateway, port: mesh.gatewayPort, path, headers }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    }).on('error', reject);
  });
}

test('a request goes through gateway and sidecars and leaves one trace', async () => {
  const answer = await send('/demo-app/page');
  expect(answer.body).toBe('front /page got 200 back /slow?x=1');
  expect(answer.headers.server).toBe('istio-envoy');
  expect(answer.headers['x-envoy-upstream-service-time']).toMatch(/^\d+$/);
  expect(seenByFront['x-envoy-original-path']).toBe('/demo-app/page');
  expect(seenByFront['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(seenByFront['x-forwarded-proto']).toBe('http');
  expect(seenByFront['x-forwarded-client-cert']).toContain('URI=spiffe://cluster.local/ns/default/sa/ingress');
  expect(seenByBack['x-b3-traceid']).toBe(seenByFront['x-b3-traceid']);
  expect(seenByBack.traceparent).toContain(String(seenByFront['x-b3-traceid']));
  await until(() => mesh.spans.length >= 4, 'four spans');
  const byName = mesh.spans.map((span) => [
    (span.localEndpoint as { serviceName: string }).serviceName,
    span.name,
    span.kind,
  ]);
  expect(byName).toEqual(
    expect.arrayContaining([
      ['istio-ingressgateway.istio-system', `${FRONT_HOST}:8080/demo-app/*`, 'CLIENT'],
      ['front-end.default', `${FRONT_HOST}:8080/*`, 'SERVER'],
      ['front-end.default', `${BACK_HOST}:8000/*`, 'CLIENT'],
      ['business-logic.default', `${BACK_HOST}:8000/*`, 'SERVER'],
    ]),
  );
  const [root] = mesh.spans.filter((span) => span.parentId === undefined);
  expect(new Set(mesh.spans.map((span) => span.traceId)).size).toBe(1);
  const chain = [root];
  for (let at = root; at; at = mesh.spans.find((span) => span.parentId === at?.id)) chain.push(at);
  expect(chain).toHaveLength(5);
  expect(root?.tags).toMatchObject({
    component: 'proxy',
    'http.status_code': '200',
    response_flags: '-',
    'http.method': 'GET',
  });
});

test('metrics tell both sides, with mutual TLS', async () => {
  await send('/demo-app/page');
  const text = await (await fetch(`http://${mesh.back}:15090/stats/prometheus`)).text();
  const line = text.split('\n').find((l) => l.startsWith('istio_requests_total'));
  expect(line).toContain('reporter="destination"');
  expect(line).toContain('source_workload="front-end"');
  expect(line).toContain('source_principal="spiffe://cluster.local/ns/default/sa/front-end"');
  expect(line).toContain('connection_security_policy="mutual_tls"');
  expect(line).toContain('response_code="200"');
  const open = await fetch(`http://${mesh.front}:15090/stats/prometheus`, {
    headers: { accept: 'application/openmetrics-text; version=1.0.0' },
  });
  const openText = await open.text();
  expect(openText).toMatch(/istio_request_duration_milliseconds_bucket\{.*le="\+Inf"\} \d+/);
  expect(openText).toMatch(/# \{trace_id="[0-9a-f]{32}"/);
  expect(openText.endsWith('# EOF\n')).toBe(true);
  expect((await fetch(`http://${mesh.front}:15021/healthz/ready`)).status).toBe(200);
});

test('what no route matches is 404 NR', async () => {
  const answer = await send('/nothing');
  expect(answer.status).toBe(404);
  expect(mesh.logs.some((line) => line.includes('"GET /nothing HTTP/1.1" 404 NR route_not_found'))).toBe(true);
});

test('plain text is refused where mutual TLS is strict', async () => {
  await expect(fetch(`http://${mesh.back}:8000/`)).rejects.toThrow();
  expect((await fetch(`http://${mesh.front}:8080/x`)).status).toBe(200);
});

test('no ready endpoint answers 503 UH', async () => {
  await mesh.apply((snapshot) => ({
    ...snapshot,
    clusters: Object.fromEntries(
      Object.entries(snapshot.clusters).map(([key, cluster]) => [
        key,
        { ...cluster, endpoints: cluster.endpoints.map((endpoint) => ({ ...endpoint, ready: false })) },
      ]),
    ),
  }));
  const answer = await send('/demo-app/page');
  expect([answer.status, answer.body]).toEqual([503, 'no healthy upstream']);
  expect(mesh.logs.at(-1)).toContain(' 503 UH no_healthy_upstream ');
});
