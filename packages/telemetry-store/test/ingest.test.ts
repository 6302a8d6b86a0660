/** One server and one store for every protocol, hence longer than 400 lines. */
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
// @ts-expect-error it has no types
import snappy from 'snappyjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createReceiver, listenGrpc, openTelemetryStore, type TelemetryStore } from '../src/index.ts';
import { decompressSnappy } from '../src/ingest/snappy.ts';
import { matcher, temporaryDirectory } from './fixtures.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let store: TelemetryStore;
let server: Server;
let base: string;

beforeEach(async () => {
  directory = temporaryDirectory();
  store = openTelemetryStore({ directory: directory.path, retention: 'off' });
  const receive = createReceiver({ store, bodyLimits: { maxBodyBytes: 1 << 20, maxDecodedBytes: 1 << 21 } });
  server = createServer((req, res) => {
    if (!receive(req, res)) res.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.close().closeAllConnections();
  await store.close();
  directory[Symbol.dispose]();
});

function post(
  path: string,
  body: string | Uint8Array,
  type: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(base + path, { method: 'POST', body: body as string, headers: { 'content-type': type, ...headers } });
}

const TRACE_ID = '5b8efff798038103d269b633813fc60c';

/** A span as the SDK hands it to its serializers. */
function sdkSpan() {
  const context = (spanId: string) => ({ traceId: TRACE_ID, spanId, traceFlags: TraceFlags.SAMPLED });
  return {
    name: 'GET /slow-page',
    kind: SpanKind.SERVER,
    spanContext: () => context('eee19b7ec3c1b174'),
    parentSpanContext: context('eee19b7ec3c1b173'),
    startTime: [1767225600, 5] as [number, number],
    endTime: [1767225603, 250] as [number, number],
    duration: [3, 245] as [number, number],
    status: { code: SpanStatusCode.ERROR, message: 'broken' },
    attributes: { text: 'ä', int: 42, float: 0.5, yes: true, list: ['a', 'b'] },
    links: [{ context: context('eee19b7ec3c1b175'), attributes: { x: 1 } }],
    events: [
      { name: 'exception', time: [1767225601, 0] as [number, number], attributes: { 'exception.type': 'Error' } },
    ],
    ended: true,
    resource: resourceFromAttributes({ 'service.name': 'front-end' }),
    instrumentationScope: { name: 'http', version: '1.2' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function expectSdkSpan(): void {
  const [span, ...more] = store.traces.trace(TRACE_ID);
  expect(more).toEqual([]);
  expect(span).toEqual({
    traceId: TRACE_ID,
    spanId: 'eee19b7ec3c1b174',
    parentSpanId: 'eee19b7ec3c1b173',
    traceState: '',
    name: 'GET /slow-page',
    kind: 'server',
    startTimeUnixNano: 1767225600_000000005n,
    endTimeUnixNano: 1767225603_000000250n,
    status: { code: 'error', message: 'broken' },
    attributes: { text: 'ä', int: 42, float: 0.5, yes: true, list: ['a', 'b'] },
    events: [{ timeUnixNano: 1767225601_000000000n, name: 'exception', attributes: { 'exception.type': 'Error' } }],
    links: [{ traceId: TRACE_ID, spanId: 'eee19b7ec3c1b175', traceState: '', attributes: { x: 1 } }],
    resource: { attributes: { 'service.name': 'front-end' } },
    scope: { name: 'http', version: '1.2' },
  });
}

describe('OTLP traces', () => {
  it('takes what the SDK’s protobuf serializer writes, gzipped too', async () => {
    const bytes = ProtobufTraceSerializer.serializeRequest([sdkSpan() as never]);
    const response = await post('/v1/traces', gzipSync(bytes!), 'application/x-protobuf', {
      'content-encoding': 'gzip',
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-protobuf');
    expect((await response.arrayBuffer()).byteLength).toBe(0);
    expectSdkSpan();
  });

  it('takes what the SDK’s JSON serializer writes', async () => {
    const bytes = JsonTraceSerializer.serializeRequest([sdkSpan() as never]);
    const response = await post('/v1/traces', bytes!, 'application/json');
    expect(await response.json()).toEqual({});
    expectSdkSpan();
  });

  it('refuses single spans as partial success, and bad bodies in its own form', async () => {
    const span = {
      traceId: TRACE_ID,
      spanId: '0000000000000001',
      name: 'good',
      startTimeUnixNano: '1',
      endTimeUnixNano: '2',
    };
    const body = {
      resourceSpans: [{ scopeSpans: [{ spans: [span, { ...span, traceId: 'xyz' }, { ...span, spanId: '00' }] }] }],
    };
    const partial = await post('/v1/traces', JSON.stringify(body), 'application/json');
    expect(partial.status).toBe(200);
    expect(await partial.json()).toEqual({
      partialSuccess: { rejectedSpans: '2', errorMessage: 'invalid trace id (1); invalid span id (1)' },
    });
    expect(store.traces.trace(TRACE_ID)).toHaveLength(1);
    expect((await post('/v1/traces', Buffer.from([0x0a, 0xff, 0x01]), 'application/x-protobuf')).status).toBe(400);
    const json = await post('/v1/traces', '{', 'application/json');
    expect([json.status, await json.json()]).toEqual([400, { code: 3, message: expect.stringContaining('JSON') }]);
    const refused = await post('/v1/traces', 'x', 'text/plain');
    expect([refused.status, await refused.text()]).toEqual([
      415,
      '415 unsupported media type, supported: [application/json, application/x-protobuf]',
    ]);
    const read = await fetch(`${base}/v1/traces`);
    expect([read.status, await read.text()]).toEqual([405, '405 method not allowed, supported: [POST]']);
    const bomb = gzipSync(Buffer.alloc(8 << 20));
    expect((await post('/v1/traces', bomb, 'application/x-protobuf', { 'content-encoding': 'gzip' })).status).toBe(413);
  });

  it('serves gRPC', async () => {
    await using grpc = await listenGrpc({ store, addresses: [{ host: '127.0.0.1', port: 0 }] });
    const client = new Client(`127.0.0.1:${grpc.addresses[0]!.port}`, credentials.createInsecure());
    const call = (path: string, bytes: Buffer) =>
      promisify((done: (error: Error | null, answer?: Buffer) => void) =>
        client.makeUnaryRequest(
          path,
          (b: Buffer) => b,
          (b: Buffer) => b,
          bytes,
          new Metadata(),
          done,
        ),
      )();
    const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
    expect(await call(path, Buffer.from(ProtobufTraceSerializer.serializeRequest([sdkSpan() as never])!))).toEqual(
      Buffer.alloc(0),
    );
    expectSdkSpan();
    await expect(call(path, Buffer.from([0x0a, 0xff]))).rejects.toMatchObject({ code: 3 });
    await expect(call('/x.Y/Z', Buffer.alloc(0))).rejects.toMatchObject({ code: 12 });
    client.close();
  });
});

describe('Zipkin', () => {
  it('takes v2 and v1 JSON and v2 protobuf', async () => {
    const v2 = {
      traceId: '463ac35c9f6413ad',
      id: '72485a3953bb6124',
      name: 'get',
      kind: 'CLIENT',
      timestamp: 1767225600000123,
      duration: 1001,
      localEndpoint: { serviceName: 'a', ipv4: '10.0.0.1', port: 80 },
      remoteEndpoint: { serviceName: 'b' },
      tags: { 'http.method': 'GET', error: 'bad' },
      annotations: [{ timestamp: 1767225600000200, value: 'wire' }],
    };
    expect((await post('/api/v2/spans', JSON.stringify([v2]), 'application/json')).status).toBe(202);
    const [span] = store.traces.trace('463ac35c9f6413ad');
    expect(span).toMatchObject({
      traceId: '0000000000000000463ac35c9f6413ad',
      kind: 'client',
      startTimeUnixNano: 1767225600000123000n,
      endTimeUnixNano: 1767225600001124000n,
      status: { code: 'error', message: 'bad' },
      attributes: {
        'net.host.ip': '10.0.0.1',
        'net.host.port': 80,
        'peer.service': 'b',
        'http.method': 'GET',
        error: 'bad',
      },
      events: [{ timeUnixNano: 1767225600000200000n, name: 'wire' }],
      resource: { attributes: { 'service.name': 'a' } },
    });
    const endpoint = { serviceName: 'old', ipv4: '10.0.0.2' };
    const v1 = {
      traceId: '1',
      id: '2',
      name: 'v1',
      annotations: [
        { timestamp: 1767225600000000, value: 'sr', endpoint },
        { timestamp: 1767225600000500, value: 'ss', endpoint },
      ],
      binaryAnnotations: [{ key: 'k', value: 'v', endpoint }],
    };
    expect((await post('/api/v1/spans', JSON.stringify([v1]), 'application/json')).status).toBe(202);
    const [old] = store.traces.trace('1');
    expect(old).toMatchObject({
      kind: 'server',
      attributes: { k: 'v' },
      resource: { attributes: { 'service.name': 'old' } },
    });
    expect(old!.endTimeUnixNano - old!.startTimeUnixNano).toBe(500_000n);
    const proto = Buffer.from('0a1f0a080000000000000abc1a08000000000000000128012a01702a01703100000000', 'hex').subarray(
      0,
      0,
    );
    expect((await post('/api/v2/spans', proto, 'application/x-protobuf')).status).toBe(400);
    const message = Buffer.concat([
      Buffer.from([0x0a, 8]),
      Buffer.from('0000000000000abc', 'hex'),
      Buffer.from([0x1a, 8]),
      Buffer.from('0000000000000001', 'hex'),
      Buffer.from([0x20, 2, 0x2a, 1, 112]),
    ]);
    expect(
      (
        await post(
          '/api/v2/spans',
          Buffer.concat([Buffer.from([0x0a, message.length]), message]),
          'application/x-protobuf',
        )
      ).status,
    ).toBe(202);
    expect(store.traces.trace('abc')).toMatchObject([{ name: 'p', kind: 'server' }]);
  });

  it('says what is wrong', async () => {
    for (const body of ['', '{', '{}', '[{"traceId":"zz","id":"1"}]', '[{"id":"1"}]', '[null]'])
      expect((await post('/api/v2/spans', body, 'application/json')).status, body).toBe(400);
    const thrift = await post('/api/traces?format=jaeger.thrift', 'x', 'application/x-thrift');
    expect([thrift.status, await thrift.text()]).toEqual([415, expect.stringContaining('OTLP')]);
    const sampling = await fetch(`${base}/sampling?service=a`);
    expect(await sampling.json()).toEqual({
      strategyType: 'PROBABILISTIC',
      probabilisticSampling: { samplingRate: 1 },
    });
    for (const query of ['', '?service=a&service=b']) {
      const refused = await fetch(`${base}/sampling${query}`);
      expect([refused.status, await refused.text()]).toEqual([400, "'service' parameter must be provided once\n"]);
    }
  });
});

describe('metrics and logs', () => {
  it('takes remote write 1 and 2', async () => {
    const varint = (n: number): number[] => (n < 128 ? [n] : [(n % 128) | 128, ...varint(Math.floor(n / 128))]);
    const field = (n: number, bytes: Buffer): Buffer =>
      Buffer.concat([Buffer.from([(n << 3) | 2, ...varint(bytes.length)]), bytes]);
    const double = (n: number, value: number): Buffer => {
      const bytes = Buffer.alloc(9);
      bytes[0] = (n << 3) | 1;
      bytes.writeDoubleLE(value, 1);
      return bytes;
    };
    const sample = Buffer.concat([double(1, 1.5), Buffer.from([2 << 3, ...varint(1767225600000)])]);
    const pair = (name: string, value: string): Buffer =>
      field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))]));
    const v1 = field(1, Buffer.concat([pair('__name__', 'one'), pair('a', 'b'), field(2, sample)]));
    const headers = { 'content-encoding': 'snappy' };
    const compress = (bytes: Buffer): Uint8Array => snappy.compress(new Uint8Array(bytes));
    expect((await post('/api/v1/write', compress(v1), 'application/x-protobuf', headers)).status).toBe(204);
    const symbols = ['', '__name__', 'two', 'a', 'b'].map((text) => field(4, Buffer.from(text)));
    const v2 = Buffer.concat([
      ...symbols,
      field(5, Buffer.concat([field(1, Buffer.from([1, 2, 3, 4])), field(2, sample)])),
    ]);
    const response = await post(
      '/prometheus/api/v1/write',
      compress(v2),
      'application/x-protobuf;proto=io.prometheus.write.v2.Request',
      headers,
    );
    expect([response.status, response.headers.get('x-prometheus-remote-write-samples-written')]).toEqual([204, '1']);
    const found = store.metrics.select({ matchers: [matcher('a', 'b')], startMs: 0, endMs: Infinity });
    expect(found.map((series) => [series.labels.get('__name__'), series.timestamps[0], series.values[0]])).toEqual([
      ['one', 1767225600000, 1.5],
      ['two', 1767225600000, 1.5],
    ]);
    // Series whose labels are no good are left out, of which only version 2 hears.
    const nameless = field(1, Buffer.concat([pair('a', 'left out'), field(2, sample)]));
    const other = field(1, Buffer.concat([pair('__name__', 'three'), pair('a', 'b'), field(2, sample)]));
    const mixed = await post(
      '/api/v1/write',
      compress(Buffer.concat([nameless, other])),
      'application/x-protobuf',
      headers,
    );
    expect(mixed.status).toBe(204);
    expect(store.metrics.series([[matcher('__name__', 'three')]], 0, Infinity)).toHaveLength(1);
    expect(store.metrics.series([[matcher('a', 'left out')]], 0, Infinity)).toHaveLength(0);
    const partial = Buffer.concat([
      ...symbols,
      field(5, Buffer.concat([field(1, Buffer.from([3, 4])), field(2, sample)])),
      field(5, Buffer.concat([field(1, Buffer.from([1, 2, 3, 4, 3, 4])), field(2, sample)])),
    ]);
    const told = await post(
      '/api/v1/write',
      compress(partial),
      'application/x-protobuf;proto=io.prometheus.write.v2.Request',
      headers,
    );
    expect([told.status, await told.text()]).toEqual([
      400,
      'invalid metric name or labels, got {a="b"}\ninvalid labels for series, labels {__name__="two", a="b", a="b"}, duplicated label a\n',
    ]);
    expect((await post('/api/v1/write', 'rubbish', 'application/x-protobuf', headers)).status).toBe(400);
    expect((await post('/api/v1/write', 'x', 'text/plain', headers)).status).toBe(415);
  });

  it('takes OTLP metrics and logs', async () => {
    const resource = {
      attributes: [
        { key: 'service.name', value: { stringValue: 'shop' } },
        { key: 'host.name', value: { stringValue: 'h' } },
      ],
    };
    const point = {
      timeUnixNano: '1767225600000000000',
      asInt: '7',
      attributes: [{ key: 'http.method', value: { stringValue: 'GET' } }],
    };
    const metrics = {
      resourceMetrics: [
        {
          resource,
          scopeMetrics: [
            {
              metrics: [
                {
                  name: 'http.requests',
                  unit: '1',
                  sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [point] },
                },
                {
                  name: 'http.server.request.duration',
                  unit: 's',
                  histogram: {
                    aggregationTemporality: 2,
                    dataPoints: [
                      {
                        ...point,
                        count: '3',
                        sum: 0.6,
                        bucketCounts: ['1', '2', '0'],
                        explicitBounds: [0.1, 1],
                        exemplars: [
                          {
                            timeUnixNano: '1767225600000000000',
                            asDouble: 0.4,
                            traceId: TRACE_ID,
                            spanId: 'eee19b7ec3c1b174',
                          },
                        ],
                      },
                    ],
                  },
                },
                { name: 'delta', sum: { aggregationTemporality: 1, dataPoints: [point] } },
              ],
            },
          ],
        },
      ],
    };
    const answer = await post('/v1/metrics', JSON.stringify(metrics), 'application/json');
    expect(await answer.json()).toMatchObject({ partialSuccess: { rejectedDataPoints: '1' } });
    const names = store.metrics.labelValues('__name__', [], 0, Infinity);
    expect(names).toEqual([
      'http_requests_total',
      'http_server_request_duration_seconds_bucket',
      'http_server_request_duration_seconds_count',
      'http_server_request_duration_seconds_sum',
      'target_info',
    ]);
    const [exemplars] = store.metrics.exemplars([[matcher('le', '1')]], 0, Infinity);
    expect(exemplars?.exemplars[0]?.labels.get('trace_id')).toBe(TRACE_ID);
    const logs = {
      resourceLogs: [
        {
          resource,
          scopeLogs: [
            {
              logRecords: [
                {
                  timeUnixNano: '1767225600000000000',
                  severityText: 'INFO',
                  body: { stringValue: 'hello' },
                  traceId: TRACE_ID,
                },
              ],
            },
          ],
        },
      ],
    };
    expect((await post('/otlp/v1/logs', JSON.stringify(logs), 'application/json')).status).toBe(204);
    expect((await post('/v1/logs', JSON.stringify(logs), 'application/json')).status).toBe(200);
    const [chunk] = store.logs.select({
      matchers: [matcher('service_name', 'shop')],
      startNs: 0n,
      endNs: 1n << 62n,
      direction: 'forward',
    });
    expect(Buffer.from(chunk!.text).toString()).toBe('hello');
    expect(chunk!.structuredMetadata?.[0]?.toObject()).toEqual({
      host_name: 'h',
      severity_text: 'INFO',
      trace_id: TRACE_ID,
    });
  });

  it('takes Loki pushes, and words refusals as Loki', async () => {
    const push = (body: unknown) => post('/loki/api/v1/push', JSON.stringify(body), 'application/json');
    expect(
      (await push({ streams: [{ stream: { app: 'x' }, values: [['1767225600000000000', 'a', { trace_id: 't' }]] }] }))
        .status,
    ).toBe(204);
    expect((await push({ streams: [{ stream: {}, values: [] }] })).status).toBe(400);
    expect((await push({ streams: [{ stream: { app: 'x' }, values: [[1, 'a']] }] })).status).toBe(400);
    expect((await post('/loki/api/v1/push', '{', 'application/json')).status).toBe(400);
    const entry = Buffer.concat([Buffer.from([0x0a, 6, 8, 0x80, 0xc6, 0xd7, 0xca, 6]), Buffer.from([0x12, 1, 98])]);
    const stream = Buffer.concat([
      Buffer.from([0x0a, 9]),
      Buffer.from('{app="x"}'),
      Buffer.from([0x12, entry.length]),
      entry,
    ]);
    const body = Buffer.concat([Buffer.from([0x0a, stream.length]), stream]);
    expect(
      (await post('/loki/api/v1/push', snappy.compress(new Uint8Array(body)), 'application/x-protobuf')).status,
    ).toBe(204);
    expect(store.logs.volumes([matcher('app', 'x')], 0n, 1n << 62n)).toMatchObject([{ entries: 2, bytes: 2 }]);
  });

  it('does not read bodies beyond the limit', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const req = request(
        `${base}/api/v2/spans`,
        { method: 'POST', headers: { 'content-length': String(1 << 30) } },
        (res) => resolve(res.statusCode ?? 0),
      );
      req.on('error', reject);
      req.write('[');
    });
    expect(status).toBe(413);
  });
});

describe('decompressSnappy', () => {
  it('reads what snappyjs writes and refuses what is damaged', () => {
    for (const size of [0, 1, 60, 61, 100, 70_000, 300_000]) {
      const data = Buffer.from(Array.from({ length: size }, (_, i) => (i * i * 31) % (1 + (i % 97))));
      const packed = snappy.compress(new Uint8Array(data));
      expect(decompressSnappy(packed, 1 << 20).equals(data)).toBe(true);
      for (let cut = 0; cut < packed.length; cut += 1 + Math.floor(packed.length / 20))
        if (size > 0) expect(() => decompressSnappy(packed.subarray(0, cut), 1 << 20)).toThrow('snappy');
    }
    expect(() => decompressSnappy(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f, 0]), 1 << 20)).toThrow('limit');
  });
});
