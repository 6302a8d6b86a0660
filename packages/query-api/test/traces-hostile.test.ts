/** Wrong requests to every trace endpoint over HTTP and gRPC: an answer in the protocol's own form, and nothing else. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  createReceiver,
  type GrpcReceiver,
  listenGrpc,
  openTelemetryStore,
  type TelemetryStore,
} from '@kind-e2e/telemetry-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createQueryApi, listen, type RunningServer } from '../src/index.ts';

/** `HOSTILE_CASES=10000` for a soak. */
const CASES = Number(process.env.HOSTILE_CASES ?? 500);
const WARM_CASES = 200;
const MAX_GROWTH_BYTES = 200 * 1024 * 1024;
const LIMITS = { maxBodyBytes: 1 << 20, maxDecodedBytes: 1 << 21 };
const directory = mkdtempSync(join(tmpdir(), 'traces-hostile-'));
let store: TelemetryStore;
let server: RunningServer;
let grpc: GrpcReceiver;
let base: string;

beforeAll(async () => {
  store = openTelemetryStore({ directory, retention: 'off' });
  const api = createQueryApi(store);
  server = await listen({
    addresses: [{ host: '127.0.0.1', port: 0 }],
    handlers: [createReceiver({ store, bodyLimits: LIMITS }), api.handle],
  });
  grpc = await listenGrpc({ store, addresses: [{ host: '127.0.0.1', port: 0 }], bodyLimits: LIMITS });
  base = `http://127.0.0.1:${server.addresses[0]?.port}`;
  const good = await fetch(`${base}/api/v2/spans`, { method: 'POST', headers: JSON_BODY, body: ZIPKIN });
  expect(good.status).toBe(202);
});

afterAll(async () => {
  await grpc[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

const JSON_BODY = { 'content-type': 'application/json' };
const ZIPKIN = JSON.stringify([
  {
    traceId: '463ac35c9f6413ad',
    id: '72485a3953bb6124',
    name: 'get',
    kind: 'SERVER',
    timestamp: Date.now() * 1000,
    duration: 1000,
    localEndpoint: { serviceName: 'front-end', ipv4: '10.0.0.1', port: 80 },
    annotations: [{ timestamp: 1, value: 'x' }],
    tags: { 'http.method': 'GET' },
  },
]);
const OTLP = JSON.stringify({
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'front-end' } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId: 'a'.repeat(32),
              spanId: 'b'.repeat(16),
              name: 'x',
              kind: 2,
              startTimeUnixNano: '1',
              endTimeUnixNano: '2',
              attributes: [{ key: 'a', value: { arrayValue: { values: [{ intValue: '1' }] } } }],
              events: [{ timeUnixNano: '1', name: 'e' }],
              links: [{ traceId: 'a'.repeat(32), spanId: 'c'.repeat(16) }],
              status: { code: 2, message: 'm' },
            },
          ],
        },
      ],
    },
  ],
});
/** An ExportTraceServiceRequest of one span, by hand. */
const PROTOBUF = Buffer.from(
  '0a360a180a160a0c736572766963652e6e616d6512060a0466726f6e121a12180a10aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1208bbbbbbbbbbbbbbbb',
  'hex',
);

/** The same numbers in each run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
const random = randomFrom(2026);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

const VALUES = [
  '',
  '0',
  '-1',
  '1',
  '10',
  '1e9',
  '99999999999999999999999',
  'NaN',
  'x',
  'front-end',
  '{"a":"b"}',
  '{"a":1}',
  '[',
  '{'.repeat(3000),
  '%00',
  '%F0%9F%92%A9',
  '%FF',
  '1s',
  '1h2m',
  '-5ms',
  '9999999h',
  'true',
  'a:b',
  ':',
  'a and b=c and =',
  'z'.repeat(5000),
  '2026-01-01T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999%2B14:00',
  '__proto__',
  '%7B%22__proto__%22%3A%22x%22%7D',
  "' OR 1=1 --",
  '../../etc/passwd',
  '(a%2B)%2B$',
];

interface Endpoint {
  readonly path: string;
  readonly parameters: readonly string[];
  readonly isRightError: (text: string, status: number) => boolean;
}

const parsed = (text: string): Record<string, unknown> | undefined => {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
};
const jaegerError = (text: string, status: number): boolean => {
  const [error] = (parsed(text)?.errors ?? []) as { code: number; msg: string }[];
  return error?.code === status && error.msg.length > 0;
};
const v3Error = (text: string, status: number): boolean => {
  const error = parsed(text)?.error as { httpCode: number; message: string } | undefined;
  return error?.httpCode === status && error.message.length > 0;
};
const plainError = (text: string): boolean => text.length > 0 && parsed(text) === undefined;

const JAEGER = [
  'service',
  'operation',
  'start',
  'end',
  'limit',
  'minDuration',
  'maxDuration',
  'tag',
  'tags',
  'traceID',
  'raw',
  'order',
  'prettyPrint',
  'lookback',
  'endTs',
  'spanKind',
];
const V3 = [
  'serviceName',
  'operationName',
  'startTimeMin',
  'startTimeMax',
  'searchDepth',
  'durationMin',
  'durationMax',
  'attributes',
  'rawTraces',
  'start_time_min',
  'start_time_max',
  'num_traces',
  'filter',
].map((name) => `query.${name}`);
const METRICS = ['service', 'quantile', 'groupByOperation', 'endTs', 'lookback', 'step', 'ratePer', 'spanKind'];
const READ = [
  'serviceName',
  'remoteServiceName',
  'spanName',
  'annotationQuery',
  'minDuration',
  'maxDuration',
  'endTs',
  'lookback',
  'limit',
  'traceIds',
  'key',
];
const ENDPOINTS: readonly Endpoint[] = [
  ...[
    '/api/services',
    '/api/services/*/operations',
    '/api/operations',
    '/api/traces',
    '/api/traces/*',
    '/jaeger/api/traces',
    '/api/dependencies',
  ].map((path) => ({ path, parameters: JAEGER, isRightError: jaegerError })),
  ...['latencies', 'calls', 'errors', 'minstep'].map((name) => ({
    path: `/api/metrics/${name}`,
    parameters: METRICS,
    isRightError: jaegerError,
  })),
  ...['services', 'operations', 'traces', 'traces/*', 'trace-summaries', 'dependencies'].map((name) => ({
    path: `/api/v3/${name}`,
    parameters: [...V3, 'service', 'spanKind', 'startTime', 'endTime', 'rawTraces'],
    isRightError: v3Error,
  })),
  ...[
    'services',
    'spans',
    'remoteServices',
    'traces',
    'traceMany',
    'trace/*',
    'dependencies',
    'autocompleteKeys',
    'autocompleteValues',
  ].map((name) => ({ path: `/zipkin/api/v2/${name}`, parameters: READ, isRightError: plainError })),
  { path: '/sampling', parameters: ['service'], isRightError: plainError },
  { path: '/api/sampling', parameters: ['service'], isRightError: plainError },
];

/** A body that is wrong in one of several ways. */
function damaged(good: Buffer): Buffer {
  const bytes = Buffer.from(good);
  switch (Math.floor(random() * 7)) {
    case 0:
      return bytes.subarray(0, Math.floor(random() * bytes.length));
    case 1:
      for (let i = 0; i < 4; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      return bytes;
    case 2:
      return Buffer.from(
        bytes
          .toString('latin1')
          .replace(/"[^"]*"|\d+/g, (text) =>
            random() < 0.2 ? pick(['null', '{}', '[]', '1e999', '-1', '"\\u0000"', '"\\ud800"', 'true', '""']) : text,
          ),
        'latin1',
      );
    case 3:
      return Buffer.from(Array.from({ length: 300 }, () => Math.floor(random() * 256)));
    case 4:
      return Buffer.from(`${pick(['[', '{"a":', '[{"tags":'])}`.repeat(20_000));
    case 5:
      return Buffer.alloc(LIMITS.maxBodyBytes + 1, 0x20);
    default:
      return Buffer.alloc(0);
  }
}

interface Target {
  readonly path: string;
  readonly type: string;
  readonly good: Buffer;
}

const TARGETS: readonly Target[] = [
  { path: '/api/v2/spans', type: 'application/json', good: Buffer.from(ZIPKIN) },
  { path: '/api/v2/spans', type: 'application/x-protobuf', good: PROTOBUF },
  { path: '/api/v1/spans', type: 'application/json', good: Buffer.from(ZIPKIN) },
  { path: '/v1/traces', type: 'application/json', good: Buffer.from(OTLP) },
  { path: '/v1/traces', type: 'application/x-protobuf', good: PROTOBUF },
];

async function sendBody(): Promise<string | undefined> {
  const { path, type, good } = pick(TARGETS);
  const encoding = pick([undefined, undefined, 'gzip', 'gzip', 'deflate', 'zstd', 'br', 'x'.repeat(3000)]);
  let body = damaged(good);
  const bomb = encoding === 'gzip' && random() < 0.2;
  if (bomb) body = gzipSync(Buffer.alloc(LIMITS.maxDecodedBytes * 8));
  else if (encoding === 'gzip' && random() < 0.7) body = gzipSync(body);
  const response = await fetch(base + path, {
    method: 'POST',
    body,
    headers: { 'content-type': random() < 0.1 ? 'text/html' : type, ...(encoding && { 'content-encoding': encoding }) },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const what = `${path} ${type} ${encoding?.slice(0, 10)} ${response.status} ${bytes.toString('latin1', 0, 200)}`;
  if (response.status >= 500) return what;
  if (bomb && response.status !== 413 && response.status !== 415) return what;
  if (response.status < 300) return undefined;
  const answered = response.headers.get('content-type') ?? '';
  if (path.startsWith('/api/')) return answered.startsWith('text/plain') && bytes.length > 0 ? undefined : what;
  if (response.status === 415 && answered === 'text/plain') return bytes.length > 0 ? undefined : what;
  if (answered === 'application/x-protobuf') return bytes[0] === 0x08 ? undefined : what;
  return typeof parsed(bytes.toString())?.message === 'string' ? undefined : what;
}

async function ask(): Promise<string | undefined> {
  const { path, parameters, isRightError } = pick(ENDPOINTS);
  const query = Array.from({ length: 1 + Math.floor(random() * 5) }, () => `${pick(parameters)}=${pick(VALUES)}`);
  const target = `${path.replace('*', encodeURIComponent(pick(VALUES)) || 'x')}?${query.join('&')}`;
  const response = await fetch(base + target, { method: random() < 0.05 ? 'DELETE' : 'GET' });
  const text = await response.text();
  if (response.status < 400 || response.status === 405) return undefined;
  // A path that is none of the API's is the server's to refuse.
  if (response.status === 404 && text.startsWith('404')) return undefined;
  return response.status < 500 && isRightError(text, response.status)
    ? undefined
    : `${target.slice(0, 300)} ${response.status} ${text.slice(0, 300)}`;
}

/** One gRPC call with whatever frames; gives what was wrong about the answer. */
function callGrpc(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const session = connect(`http://127.0.0.1:${grpc.addresses[0]?.port}`);
    const body = damaged(PROTOBUF).subarray(0, 200_000);
    const head = Buffer.alloc(5);
    head[0] = pick([0, 0, 1, 7]);
    head.writeUInt32BE(pick([body.length, body.length, 0, 5, 0xffffffff]), 1);
    const stream = session.request({
      ':method': pick(['POST', 'POST', 'GET']),
      ':path': pick(['/opentelemetry.proto.collector.trace.v1.TraceService/Export', '/x/y', '/']),
      'content-type': pick(['application/grpc', 'application/grpc+proto', 'text/plain']),
      te: 'trailers',
      'grpc-encoding': pick(['identity', 'gzip', 'snappy']),
    });
    let status: string | undefined;
    let http = 0;
    const see = (headers: Record<string, unknown>): void => {
      http = Number(headers[':status'] ?? http);
      if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status']);
    };
    stream.on('response', see);
    stream.on('trailers', see);
    stream.on('error', () => undefined);
    session.on('error', () => undefined);
    stream.on('close', () => {
      session.close();
      // 13 and 2 would be our fault, and nothing here is.
      const isRight = http === 415 || (http === 200 && status !== undefined && !['2', '13'].includes(status));
      resolve(isRight ? undefined : `gRPC answered ${http} with status ${status}`);
    });
    stream.resume();
    if (!stream.endAfterHeaders) stream.end(Buffer.concat([head, body]));
  });
}

describe('hostile requests to the trace endpoints', () => {
  it(`are answered in the form of their protocol (${CASES})`, { timeout: 30_000 + CASES * 60 }, async () => {
    const wrong: string[] = [];
    let residentBefore = 0;
    for (let i = 0; i < CASES; i++) {
      if (i === WARM_CASES) residentBefore = process.memoryUsage.rss();
      const dice = random();
      const problem = await (dice < 0.55 ? ask() : dice < 0.9 ? sendBody() : callGrpc());
      if (problem !== undefined) wrong.push(`case ${i}: ${problem}`);
    }
    expect(wrong).toEqual([]);
    // And it goes on as if nothing had been.
    const { status } = await fetch(`${base}/api/v2/spans`, { method: 'POST', headers: JSON_BODY, body: ZIPKIN });
    expect(status).toBe(202);
    expect((await fetch(`${base}/api/traces/463ac35c9f6413ad`)).status).toBe(200);
    // Bodies of a megabyte come and go; what is left is of the process, not of them.
    expect(process.memoryUsage.rss() - residentBefore).toBeLessThan(MAX_GROWTH_BYTES);
  });
});
