/** One data set for the four APIs, hence longer than 400 lines. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Labels, type Span } from '@kind-e2e/telemetry';
import { openTelemetryStore, type TelemetryStore } from '@kind-e2e/telemetry-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createQueryApi, listen, type RunningServer } from '../src/index.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const NOW_NS = BigInt(NOW) * 1_000_000n;
const directory = mkdtempSync(join(tmpdir(), 'query-api-'));
let store: TelemetryStore;
let server: RunningServer;
let base: string;

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
type Json = any;

async function get(
  path: string,
  parameters: Record<string, string> = {},
  init?: RequestInit,
): Promise<{ status: number; body: Json }> {
  const query = new URLSearchParams(parameters);
  const response = await fetch(`${base}${path}${query.size > 0 ? `?${query}` : ''}`, init);
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    return { status: response.status, body: text };
  }
}

function span(
  id: number,
  parent: number,
  service: string,
  name: string,
  kind: Span['kind'],
  startMs: number,
  endMs: number,
  extra: Partial<Span> = {},
): Span {
  const hex = (n: number): string => n.toString(16).padStart(16, '0');
  return {
    traceId: `${'a'.repeat(16)}${hex(7)}`,
    spanId: hex(id),
    parentSpanId: parent === 0 ? '' : hex(parent),
    traceState: '',
    name,
    kind,
    startTimeUnixNano: NOW_NS + BigInt(startMs) * 1_000_000n,
    endTimeUnixNano: NOW_NS + BigInt(endMs) * 1_000_000n,
    status: { code: 'unset', message: '' },
    attributes: {},
    events: [],
    links: [],
    resource: { attributes: { 'service.name': service, 'host.name': service } },
    scope: { name: '', version: '' },
    ...extra,
  };
}

const TRACE_ID = `${'a'.repeat(16)}0000000000000007`;

beforeAll(async () => {
  store = openTelemetryStore({ directory, retention: 'off' });
  const api = createQueryApi({ metrics: store.metrics, logs: store.logs, traces: store.traces });
  server = await listen({
    addresses: [{ host: '127.0.0.1', port: 0 }],
    handlers: [api.handle],
    upgradeHandlers: [api.upgrade],
  });
  base = `http://127.0.0.1:${server.addresses[0]!.port}`;
  const labels = (code: string): Labels => Labels.fromObject({ __name__: 'requests_total', code });
  await store.metrics.append(
    Array.from({ length: 61 }, (_, i) =>
      ['200', '500'].map((code) => ({
        labels: labels(code),
        timestampMs: NOW - 600_000 + i * 10_000,
        value: i * (code === '200' ? 10 : 1),
        exemplar: {
          labels: Labels.fromObject({ trace_id: TRACE_ID }),
          value: 0.1,
          timestampMs: NOW - 600_000 + i * 10_000,
        },
      })),
    ).flat(),
  );
  store.metrics.setMetadata('requests_total', { type: 'counter', help: 'Requests.', unit: '' });
  await store.logs.append([
    {
      labels: Labels.fromObject({ app: 'web', namespace: 'default' }),
      entries: Array.from({ length: 10 }, (_, i) => ({
        timestampNs: NOW_NS + BigInt(i),
        line: i % 2 === 0 ? `level=info n=${i} took=${i}ms` : `{"level":"error","n":${i}}`,
        structuredMetadata: Labels.fromObject({ trace_id: TRACE_ID }),
      })),
    },
  ]);
  await store.traces.append([
    span(1, 0, 'front-end', 'GET /', 'server', 0, 100, { attributes: { 'http.method': 'GET', big: 2n ** 60n } }),
    span(2, 1, 'front-end', 'GET', 'client', 10, 90),
    // Its clock is a second ahead.
    span(3, 2, 'business-logic', 'GET /slow', 'server', 1020, 1080, {
      status: { code: 'error', message: 'bad' },
      events: [{ timeUnixNano: NOW_NS, name: 'boom', attributes: { a: 1 } }],
    }),
    span(4, 99, 'business-logic', 'orphan', 'internal', 20, 30),
  ]);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('Prometheus', () => {
  const time = String(NOW / 1000);
  it('answers queries by GET and POST, with and without its prefix', async () => {
    const wanted = {
      status: 'success',
      data: { resultType: 'vector', result: [{ metric: {}, value: [NOW / 1000, '660'] }] },
    };
    const query = 'sum(requests_total)';
    expect((await get('/api/v1/query', { query, time })).body).toEqual(wanted);
    const form = new URLSearchParams({ query, time });
    expect((await get('/prometheus/api/v1/query', {}, { method: 'POST', body: form })).body).toEqual(wanted);
    const range = await get('/api/v1/query_range', {
      query: 'requests_total{code="500"}',
      start: String(NOW / 1000 - 20),
      end: time,
      step: '10',
    });
    expect(range.body.data).toEqual({
      resultType: 'matrix',
      result: [
        {
          metric: { __name__: 'requests_total', code: '500' },
          values: [
            [NOW / 1000 - 20, '58'],
            [NOW / 1000 - 10, '59'],
            [NOW / 1000, '60'],
          ],
        },
      ],
    });
  });

  it('words errors as Prometheus', async () => {
    const error = async (path: string, parameters: Record<string, string>): Promise<unknown[]> => {
      const { status, body } = await get(path, parameters);
      return [status, body.errorType, body.error];
    };
    expect(await error('/api/v1/query', { query: 'sum(' })).toEqual([
      400,
      'bad_data',
      expect.stringMatching(/^invalid parameter "query": 1:5: parse error: /),
    ]);
    expect(await error('/api/v1/query', { query: '1', time: 'x' })).toEqual([
      400,
      'bad_data',
      'invalid parameter "time": invalid time value for \'time\': cannot parse "x" to a valid timestamp',
    ]);
    expect(await error('/api/v1/query_range', { query: '1', start: '2', end: '1', step: '1' })).toEqual([
      400,
      'bad_data',
      'invalid parameter "end": end timestamp must not be before start time',
    ]);
    expect((await error('/api/v1/query_range', { query: '1', start: '0', end: '1', step: '0' }))[2]).toContain(
      'zero or negative query resolution step widths',
    );
    expect((await error('/api/v1/query_range', { query: '1', start: '0', end: '100000', step: '1' }))[2]).toContain(
      'exceeded maximum resolution of 11,000 points per timeseries',
    );
    expect((await error('/api/v1/series', {}))[2]).toBe('no match[] parameter provided');
    expect((await error('/api/v1/series', { 'match[]': '{a=""}' }))[2]).toContain('match[]');
  });

  it('answers what Grafana and Kiali ask beside queries', async () => {
    const data = async (path: string, parameters: Record<string, string> = {}) =>
      (await get(path, parameters)).body.data;
    expect(await data('/api/v1/labels')).toEqual(['__name__', 'code']);
    expect(await data('/api/v1/label/code/values', { 'match[]': 'requests_total' })).toEqual(['200', '500']);
    expect(await data('/api/v1/series', { 'match[]': 'requests_total', limit: '1' })).toEqual([
      { __name__: 'requests_total', code: '200' },
    ]);
    expect(await data('/api/v1/metadata')).toEqual({
      requests_total: [{ type: 'counter', help: 'Requests.', unit: '' }],
    });
    const [exemplars] = await data('/api/v1/query_exemplars', {
      query: 'rate(requests_total{code="200"}[1m])',
      start: String(NOW / 1000 - 5),
      end: time,
    });
    expect(exemplars).toEqual({
      seriesLabels: { __name__: 'requests_total', code: '200' },
      exemplars: [{ labels: { trace_id: TRACE_ID }, value: '0.1', timestamp: NOW / 1000 }],
    });
    expect(await data('/api/v1/format_query', { query: 'sum  by(a)(x)' })).toBe('sum by (a) (x)');
    expect(await data('/api/v1/parse_query', { query: 'x{a="b"}' })).toMatchObject({
      type: 'vectorSelector',
      name: 'x',
      matchers: [{ name: 'a', value: 'b', type: '=' }, { name: '__name__' }],
    });
    expect((await data('/api/v1/status/buildinfo')).version).toBe('3.5.0');
    expect((await data('/api/v1/status/tsdb')).headStats.numSeries).toBe(2);
    expect(await data('/api/v1/targets')).toEqual({ activeTargets: [], droppedTargets: [], droppedTargetCounts: {} });
    expect(await data('/api/v1/rules')).toEqual({ groups: [] });
    expect((await get('/-/ready')).body).toBe('Prometheus Server is Ready.\n');
  });
});

describe('Jaeger', () => {
  it('gives traces with processes, references, warnings, and clocks set right', async () => {
    const { body } = await get(`/jaeger/api/traces/${TRACE_ID}`);
    const [trace] = body.data;
    expect(trace.traceID).toBe(TRACE_ID);
    expect(Object.values(trace.processes).map((process: Json) => process.serviceName)).toEqual([
      'front-end',
      'business-logic',
    ]);
    const byName = new Map<string, Json>(trace.spans.map((one: Json) => [one.operationName, one]));
    const server = byName.get('GET /slow');
    expect(server.references).toEqual([{ refType: 'CHILD_OF', traceID: TRACE_ID, spanID: '0000000000000002' }]);
    expect(server.startTime).toBe(NOW * 1000 + 20_000);
    expect(server.warnings).toEqual(["This span's timestamps were adjusted by -1s"]);
    expect(server.tags).toEqual([
      { key: 'span.kind', type: 'string', value: 'server' },
      { key: 'otel.status_code', type: 'string', value: 'ERROR' },
      { key: 'error', type: 'bool', value: true },
      { key: 'otel.status_description', type: 'string', value: 'bad' },
    ]);
    expect(server.logs[0].fields).toEqual([
      { key: 'event', type: 'string', value: 'boom' },
      { key: 'a', type: 'int64', value: 1 },
    ]);
    expect(byName.get('GET /').tags[0]).toEqual({ key: 'big', type: 'int64', value: '1152921504606846976' });
    expect(byName.get('orphan').warnings).toEqual([
      'parent span ID=0000000000000063 is not in the trace; skipping clock skew adjustment',
    ]);
  });

  it('searches, and words errors as Jaeger', async () => {
    const window = { start: String(NOW * 1000 - 1), end: String(NOW * 1000 + 10_000_000) };
    const count = async (parameters: Record<string, string>) =>
      (await get('/api/traces', { ...window, ...parameters })).body.data.length;
    expect(
      await count({ service: 'front-end', operation: 'GET /', tags: '{"http.method":"GET"}', minDuration: '100ms' }),
    ).toBe(1);
    expect(await count({ service: 'business-logic', tag: 'error:true' })).toBe(1);
    expect(await count({ service: 'front-end', minDuration: '101ms' })).toBe(0);
    expect((await get('/api/traces')).body).toEqual({
      data: null,
      total: 0,
      limit: 0,
      offset: 0,
      errors: [{ code: 400, msg: "parameter 'service' is required" }],
    });
    expect((await get('/api/traces/1')).status).toBe(404);
    expect((await get('/api/services')).body.data).toEqual(['business-logic', 'front-end']);
    expect((await get('/api/services/front-end/operations')).body.data).toEqual(['GET', 'GET /']);
    expect((await get('/api/dependencies', { endTs: String(NOW + 60_000), lookback: '3600000' })).body.data).toEqual([
      { parent: 'front-end', child: 'business-logic', callCount: 1 },
    ]);
    expect((await get('/api/metrics/minstep')).body.data).toBe(1);
    expect((await get('/api/metrics/calls', { service: 'front-end' })).body).toMatchObject({
      name: 'service_call_rate',
      type: 'GAUGE',
      metrics: [],
    });
  });

  it('answers version 3', async () => {
    const window = {
      'query.start_time_min': new Date(NOW - 1000).toISOString(),
      'query.start_time_max': new Date(NOW + 5000).toISOString(),
      'query.service_name': 'front-end',
    };
    const { body } = await get('/jaeger/api/v3/traces', window);
    expect(body.result.resourceSpans[0].scopeSpans[0].spans[0]).toMatchObject({
      traceId: TRACE_ID,
      kind: 2,
      startTimeUnixNano: String(NOW_NS),
    });
    const summaries = (await get('/api/v3/trace-summaries', window)).body.summaries;
    expect(summaries).toMatchObject([
      {
        traceId: TRACE_ID,
        rootServiceName: 'front-end',
        rootOperationName: 'GET /',
        spanCount: 4,
        errorSpanCount: 1,
        orphanSpanCount: 1,
      },
    ]);
    expect((await get('/api/v3/operations', { service: 'front-end' })).body.operations).toEqual([
      { name: 'GET', spanKind: 'client' },
      { name: 'GET /', spanKind: 'server' },
    ]);
  });

  it('answers as Zipkin', async () => {
    expect((await get('/api/v2/services')).body).toEqual(['business-logic', 'front-end']);
    const trace = (await get(`/zipkin/api/v2/trace/${TRACE_ID}`)).body;
    expect(trace).toHaveLength(4);
    expect(trace[0]).toMatchObject({
      id: '0000000000000001',
      kind: 'SERVER',
      duration: 100_000,
      localEndpoint: { serviceName: 'front-end' },
    });
    expect(
      (await get('/api/v2/traces', { serviceName: 'front-end', endTs: String(NOW + 9000), lookback: '20000' })).body,
    ).toHaveLength(1);
    expect((await get('/api/v2/trace/zz')).status).toBe(400);
  });
});

describe('Loki', () => {
  const window = { start: String(NOW_NS), end: String(NOW_NS + 1_000_000_000n) };
  it('answers queries, labels and volumes', async () => {
    const { body } = await get('/loki/api/v1/query_range', {
      query: '{app="web"} |= "level=info"',
      ...window,
      limit: '2',
      direction: 'forward',
    });
    expect(body.data.result).toEqual([
      {
        stream: { app: 'web', namespace: 'default', trace_id: TRACE_ID },
        values: [
          [String(NOW_NS), 'level=info n=0 took=0ms'],
          [String(NOW_NS + 2n), 'level=info n=2 took=2ms'],
        ],
      },
    ]);
    const categorized = await get(
      '/loki/api/v1/query_range',
      { query: '{app="web"}', ...window, limit: '1' },
      { headers: { 'X-Loki-Response-Encoding-Flags': 'categorize-labels' } },
    );
    expect(categorized.body.data.encodingFlags).toEqual(['categorize-labels']);
    expect(categorized.body.data.result).toEqual([
      {
        stream: { app: 'web', namespace: 'default' },
        values: [[String(NOW_NS + 9n), '{"level":"error","n":9}', { structuredMetadata: { trace_id: TRACE_ID } }]],
      },
    ]);
    expect((await get('/loki/api/v1/labels', window)).body.data).toEqual(['app', 'namespace']);
    expect((await get('/loki/api/v1/label/app/values', window)).body.data).toEqual(['web']);
    expect((await get('/loki/api/v1/series', { ...window, 'match[]': '{app="web"}' })).body.data).toEqual([
      { app: 'web', namespace: 'default' },
    ]);
    expect((await get('/loki/api/v1/index/stats', { ...window, query: '{app="web"}' })).body).toMatchObject({
      streams: 1,
      entries: 10,
    });
    expect(
      (await get('/loki/api/v1/index/volume', { ...window, query: '{app="web"}' })).body.data.result,
    ).toMatchObject([{ metric: { app: 'web' } }]);
    const { fields } = (await get('/loki/api/v1/detected_fields', { ...window, query: '{app="web"}' })).body;
    expect(fields.map((field: Json) => [field.label, field.type, field.parsers])).toEqual([
      ['level', 'string', ['json', 'logfmt']],
      ['n', 'int', ['json', 'logfmt']],
      ['took', 'duration', ['logfmt']],
      ['trace_id', 'string', null],
    ]);
    expect((await get('/loki/api/v1/detected_labels', window)).body.detectedLabels).toEqual([
      { label: 'app', cardinality: 1 },
      { label: 'namespace', cardinality: 1 },
    ]);
    expect((await get('/loki/api/v1/patterns', { ...window, query: '{app="web"}' })).body.data[0].samples[0][1]).toBe(
      5,
    );
    expect((await get('/loki/api/v1/format_query', { query: '{app="web"}|="x"' })).body.data).toContain('|= "x"');
    const wrong = await get('/loki/api/v1/query', { query: '{app=' });
    expect([wrong.status, wrong.body]).toEqual([400, expect.stringMatching(/^parse error at line 1/)]);
  });

  it('tails over a WebSocket', async () => {
    const socket = new WebSocket(
      `${base.replace('http', 'ws')}/loki/api/v1/tail?${new URLSearchParams({ query: '{app="live"} |= "yes"' })}`,
    );
    const messages: Json[] = [];
    const first = new Promise<void>((resolve) =>
      socket.on('message', (data) => {
        messages.push(JSON.parse(String(data)));
        resolve();
      }),
    );
    await new Promise((resolve) => socket.once('open', resolve));
    await store.logs.append([
      {
        labels: Labels.fromObject({ app: 'live' }),
        entries: [
          { timestampNs: BigInt(Date.now()) * 1_000_000n, line: 'yes 1' },
          { timestampNs: BigInt(Date.now()) * 1_000_000n, line: 'no' },
        ],
      },
    ]);
    await first;
    expect(
      messages[0].streams.map((stream: Json) => [stream.stream, stream.values.map((value: Json) => value[1])]),
    ).toEqual([[{ app: 'live' }, ['yes 1']]]);
    socket.close();
    const refused = await get('/loki/api/v1/tail');
    expect(refused.status).toBe(404);
  });
});
