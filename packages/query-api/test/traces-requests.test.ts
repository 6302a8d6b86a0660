/** Requests as Grafana's data sources, Jaeger's UI and Zipkin's Lens send them, and wrong ones, with the real answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Labels, type Span } from '@kind-e2e/telemetry';
import { openTelemetryStore, readOtlpJsonTraces, type TelemetryStore } from '@kind-e2e/telemetry-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createQueryApi, listen, type RunningServer } from '../src/index.ts';

const NOW = Date.now();
/** A whole second. */
const RATES_END = Math.floor(NOW / 1000) * 1000;
const NOW_NS = BigInt(NOW) * 1_000_000n;
const FRONT = { attributes: { 'service.name': 'front-end' } };
const BACK = { attributes: { 'service.name': 'business-logic' } };
const ADJUSTED = {
  attributes: { 'service.name': 'adjusted', 'host.name': 'a', 'telemetry.sdk.name': 'opentelemetry' },
};
const SCOPE = { name: '', version: '' };
const directory = mkdtempSync(join(tmpdir(), 'traces-requests-'));
let store: TelemetryStore;
let server: RunningServer;
let base: string;

const hex = (n: number, digits = 16): string => n.toString(16).padStart(digits, '0');

function span(
  trace: number,
  id: number,
  parent: number,
  startMs: number,
  durationMs: number,
  extra: Partial<Span>,
): Span {
  const startTimeUnixNano = NOW_NS + BigInt(startMs) * 1_000_000n;
  return {
    traceId: hex(trace, 32),
    spanId: hex(id),
    parentSpanId: parent === 0 ? '' : hex(parent),
    traceState: '',
    name: 'GET /',
    kind: 'server',
    startTimeUnixNano,
    endTimeUnixNano: startTimeUnixNano + BigInt(durationMs) * 1_000_000n,
    status: { code: 'unset', message: '' },
    attributes: {},
    events: [],
    links: [],
    resource: FRONT,
    scope: SCOPE,
    ...extra,
  };
}

beforeAll(async () => {
  store = openTelemetryStore({ directory, retention: 'off' });
  const api = createQueryApi({ ...store, readOtlpTraces: readOtlpJsonTraces });
  server = await listen({ addresses: [{ host: '127.0.0.1', port: 0 }], handlers: [api.handle] });
  base = `http://127.0.0.1:${server.addresses[0]?.port}`;
  // Calls each second for eleven minutes: of `calm` without errors, of `stormy` every fourth with one.
  const calls = (service: string, status: string, perSecond: number) =>
    Array.from({ length: 661 }, (_, second) => ({
      labels: Labels.fromObject({
        __name__: 'traces_span_metrics_calls_total',
        service_name: service,
        span_name: 'GET /',
        span_kind: 'SPAN_KIND_SERVER',
        status_code: status,
      }),
      timestampMs: RATES_END - 660_000 + second * 1000,
      value: second * perSecond,
    }));
  await store.metrics.append([
    ...calls('calm', 'STATUS_CODE_UNSET', 2),
    ...calls('stormy', 'STATUS_CODE_UNSET', 3),
    ...calls('stormy', 'STATUS_CODE_ERROR', 1),
  ]);
  await store.traces.append([
    span(1, 0x11, 0, -5000, 100, {
      attributes: { zebra: 1, 'http.method': 'GET' },
      events: [{ timeUnixNano: NOW_NS, name: 'cache.miss', attributes: {} }],
    }),
    // Zipkin's shared span: client and server by one id; the inner one names it as its parent.
    span(1, 0x12, 0x11, -4990, 80, { kind: 'client', name: 'GET', attributes: { 'peer.service': 'business-logic' } }),
    span(1, 0x12, 0x11, -4980, 60, { resource: BACK, name: 'GET /slow', attributes: { error: 'timeout' } }),
    span(1, 0x13, 0x12, -4970, 10, { resource: BACK, kind: 'internal', name: 'query' }),
    span(2, 0x21, 0, -3000, 20, { attributes: { 'http.method': 'POST' } }),
    // Of an hour ago, out of the window of the searches: what Jaeger's adjusters are for.
    span(5, 0x51, 0, -3_600_000, 100, {
      resource: ADJUSTED,
      attributes: { 'telemetry.sdk.name': 'other', 'telemetry.sdk.language': 'nodejs', ip: 0x01020304 },
    }),
    span(5, 0x52, 0x51, -3_600_500, 50, {
      resource: { attributes: { ...ADJUSTED.attributes, 'host.name': 'b' } },
      kind: 'internal',
      name: 'late',
      events: [
        { timeUnixNano: NOW_NS - 3_600_460_000_000n, name: 'second', attributes: { b: 1, a: 2 } },
        { timeUnixNano: NOW_NS - 3_600_480_000_000n, name: 'first', attributes: {} },
      ],
      links: [{ traceId: hex(0, 32), spanId: hex(0), traceState: '', attributes: {} }],
    }),
    span(6, 0x61, 0x99, -3_600_000, 1, { resource: ADJUSTED, status: { code: 'error', message: '' } }),
  ]);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function get(path: string, init?: RequestInit): Promise<{ status: number; type: string; text: string }> {
  const response = await fetch(base + path, init);
  return { status: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() };
}

async function data(path: string): Promise<unknown> {
  const { status, text } = await get(path);
  expect(status, text).toBe(200);
  return (JSON.parse(text) as { data: unknown }).data;
}

const US = NOW * 1000;
const WINDOW = `start=${US - 60_000_000}&end=${US}`;

describe('Jaeger', () => {
  it('answers what Grafana asks', async () => {
    const ids = async (query: string): Promise<string[]> =>
      ((await data(`/api/traces?${query}`)) as { traceID: string }[]).map(({ traceID }) => traceID);
    expect(await data('/api/services')).toEqual(['adjusted', 'business-logic', 'front-end']);
    expect(await data('/api/services/front-end/operations')).toEqual(['GET', 'GET /']);
    expect(await data('/api/services/a%20b/operations')).toEqual([]);
    const search = `operation=GET+%2F&service=front-end&${WINDOW}&lookback=custom&limit=20`;
    expect(await ids(search)).toEqual([hex(2), hex(1)]);
    expect(await ids(`${search}&tags=${encodeURIComponent('{"http.method":"GET"}')}&minDuration=1ms`)).toEqual([
      hex(1),
    ]);
    expect(await ids(`traceID=${hex(1)}&traceID=2&traceID=3`)).toEqual([hex(1), hex(2)]);
    expect(await data(`/api/traces/${hex(1)}?start=${US}&end=${US}&prettyPrint=true`)).toHaveLength(1);
    const dependencies = `/api/dependencies?endTs=${NOW}&lookback=3600000`;
    const edge = { parent: 'front-end', child: 'business-logic', callCount: 1 };
    expect(await data(dependencies)).toEqual([edge]);
    expect(await data(`${dependencies}&service=front-end`)).toEqual([edge]);
    expect(await data(`${dependencies}&service=other`)).toEqual([]);
    expect((await get(dependencies)).text).toContain('"total":0');
    expect(await data('/api/operations?service=front-end&spanKind=client')).toEqual([
      { name: 'GET', spanKind: 'client' },
    ]);
    expect(await data('/api/operations?service=front-end&spanKind=other')).toEqual([]);
  });

  it('gives the server of a shared span an id of its own, and its children to it', async () => {
    const [trace] = (await data(`/api/traces/1`)) as { spans: Record<string, unknown>[] }[];
    const spans = new Map(trace?.spans.map((one) => [one.operationName, one]));
    expect(spans.get('GET /slow')).toMatchObject({
      spanID: '0000000000000001',
      references: [{ refType: 'CHILD_OF', traceID: hex(1), spanID: hex(0x12) }],
    });
    expect(spans.get('query')).toMatchObject({ references: [{ spanID: '0000000000000001' }] });
    expect(spans.get('GET')).toMatchObject({ spanID: hex(0x12), references: [{ spanID: hex(0x11) }] });
    const tags = (spans.get('GET /')?.tags ?? []) as { key: string }[];
    const [raw] = (await data(`/api/traces/1?raw=true`)) as { spans: Record<string, unknown>[] }[];
    expect(raw?.spans.map(({ spanID }) => spanID)).toEqual([0x11, 0x12, 0x12, 0x13].map((id) => hex(id)));
    expect(raw?.spans.map(({ warnings }) => warnings)).toEqual([null, null, null, null]);
    expect(tags.map(({ key }) => key)).toEqual(['http.method', 'zebra', 'span.kind']);
  });

  it('adjusts a trace unless it is wanted raw, in both of its forms', async () => {
    interface Tags {
      readonly operationName: string;
      readonly startTime: number;
      readonly tags: readonly { readonly key: string; readonly value: unknown }[];
      readonly logs: readonly { readonly timestamp: number; readonly fields: readonly { readonly key: string }[] }[];
      readonly references: readonly unknown[];
      readonly warnings: readonly string[] | null;
    }
    const [adjusted] = (await data('/api/traces/5')) as { spans: Tags[]; processes: Record<string, unknown> }[];
    const late = adjusted?.spans.find(({ operationName }) => operationName === 'late');
    const root = adjusted?.spans.find(({ operationName }) => operationName === 'GET /');
    expect(root?.tags.map(({ key, value }) => [key, value])).toEqual([
      ['ip', '1.2.3.4'],
      ['telemetry.sdk.name', 'other'],
      ['span.kind', 'server'],
    ]);
    const conflict = 'conflicting values between Span and Resource for attribute telemetry.sdk.name';
    const moved = "This span's timestamps were adjusted by 525ms";
    expect(root?.warnings).toEqual([conflict]);
    expect(late?.warnings).toEqual([moved, 'Invalid span link removed']);
    expect(late?.startTime).toBe(US - 3_600_000_000 + 25_000);
    expect(late?.logs.map(({ timestamp, fields }) => [timestamp, fields.map(({ key }) => key)])).toEqual([
      [US - 3_600_480_000 + 525_000, ['event']],
      [US - 3_600_460_000 + 525_000, ['event', 'a', 'b']],
    ]);
    expect(Object.values(adjusted?.processes ?? {})).toContainEqual({
      serviceName: 'adjusted',
      tags: [
        { key: 'host.name', type: 'string', value: 'a' },
        { key: 'telemetry.sdk.name', type: 'string', value: 'opentelemetry' },
        { key: 'telemetry.sdk.language', type: 'string', value: 'nodejs' },
      ],
    });
    const v3 = async (query: string): Promise<Record<string, unknown>[]> => {
      const answer = JSON.parse((await get(`/api/v3/traces/5${query}`)).text) as {
        result: { resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[] };
      };
      return answer.result.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
    };
    const lateOf = (spans: Record<string, unknown>[]): unknown => spans.find(({ name }) => name === 'late');
    const warnings = (...said: string[]): unknown => ({
      key: '@jaeger@warnings',
      value: { arrayValue: { values: said.map((stringValue) => ({ stringValue })) } },
    });
    const start = NOW_NS - 3_600_500_000_000n;
    expect(lateOf(await v3(''))).toEqual({
      traceId: hex(5, 32),
      spanId: hex(0x52),
      parentSpanId: hex(0x51),
      name: 'late',
      kind: 1,
      startTimeUnixNano: String(start + 525_000_000n),
      endTimeUnixNano: String(start + 575_000_000n),
      attributes: [warnings(moved, 'Invalid span link removed')],
      events: [
        { timeUnixNano: String(start + 545_000_000n), name: 'first' },
        {
          timeUnixNano: String(start + 565_000_000n),
          name: 'second',
          attributes: [
            { key: 'a', value: { intValue: '2' } },
            { key: 'b', value: { intValue: '1' } },
          ],
        },
      ],
      status: {},
    });
    expect(lateOf(await v3('?rawTraces=true'))).toMatchObject({
      startTimeUnixNano: String(start),
      events: [{ name: 'second' }, { name: 'first' }],
      links: [{ traceId: hex(0, 32) }],
    });
    expect(
      (await get(`/api/v3/traces/${Buffer.from(hex(5, 32), 'hex').toString('base64').replace('==', '')}`)).status,
    ).toBe(200);
  });

  it('gives rates of calls and errors', async () => {
    const ask = async (path: string): Promise<Record<string, unknown>> =>
      JSON.parse((await get(`/api/metrics/${path}&endTs=${RATES_END}&lookback=1500&step=1500&ratePer=90000`)).text);
    const point = (ms: number, doubleValue: number): unknown => ({
      gaugeValue: { doubleValue },
      timestamp: new Date(RATES_END + ms).toISOString().replace('.000Z', 'Z'),
    });
    const service = (value: string): unknown => ({ name: 'service_name', value });
    expect(await ask('calls?service=stormy&groupByOperation=true')).toEqual({
      name: 'service_operation_call_rate',
      type: 'GAUGE',
      help: 'calls/sec, grouped by service & operation',
      metrics: [
        {
          labels: [service('stormy'), { name: 'operation', value: 'GET /' }],
          metricPoints: [point(-1500, 4), point(0, 4)],
        },
      ],
    });
    const errors = (await ask('errors?service=stormy&service=calm')).metrics;
    expect(errors).toEqual([{ labels: [service('stormy')], metricPoints: [point(-1500, 0.25), point(0, 0.25)] }]);
    // Without any error the rates are 0.
    expect((await ask('errors?service=calm')).metrics).toEqual([
      { labels: [service('calm')], metricPoints: [point(-1500, 0), point(0, 0)] },
    ]);
    expect(await ask('latencies?service=calm&quantile=0.999')).toEqual({
      name: 'service_latencies',
      type: 'GAUGE',
      help: '1.00th quantile latency, grouped by service',
      metrics: [],
    });
  });

  it('shows a file of OTLP as it is', async () => {
    const one = (spanId: string, traceId: string): unknown => ({
      traceId,
      spanId,
      parentSpanId: '909541b92cf05311',
      name: 'okey-dokey-0',
      kind: 2,
      startTimeUnixNano: '1706678909209712000',
      endTimeUnixNano: '1706678909209835000',
      attributes: [
        { key: 'peer.service', value: { stringValue: 'client' } },
        { key: 'net.peer.ip', value: { stringValue: '1.2.3.4' } },
      ],
      status: {},
    });
    const [first, second] = ['83a9efd15c1c98a977e0711cc93ee28b', '83a9efd15c1c98a977e0711cc93ee28c'] as const;
    const body = {
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'telemetrygen' } }] },
          scopeSpans: [
            {
              scope: { name: 'gen' },
              spans: [one('e127af99e3b3e074', first), one('e127af99e3b3e075', second), one('e127af99e3b3e074', first)],
            },
          ],
        },
      ],
    };
    const transform = (text: string) => get('/api/transform', { method: 'POST', body: text });
    const { text } = await transform(JSON.stringify(body));
    const span = {
      traceID: first,
      spanID: 'e127af99e3b3e074',
      operationName: 'okey-dokey-0',
      references: [{ refType: 'CHILD_OF', traceID: first, spanID: '909541b92cf05311' }],
      startTime: 1706678909209712,
      duration: 123,
      tags: [
        { key: 'otel.scope.name', type: 'string', value: 'gen' },
        { key: 'peer.service', type: 'string', value: 'client' },
        { key: 'net.peer.ip', type: 'string', value: '1.2.3.4' },
        { key: 'span.kind', type: 'string', value: 'server' },
      ],
      logs: [],
      processID: 'p1',
      warnings: null,
    };
    const processes = { p1: { serviceName: 'telemetrygen', tags: [] } };
    expect(JSON.parse(text)).toEqual({
      data: [
        { traceID: first, spans: [span, span], processes, warnings: null },
        expect.objectContaining({ traceID: second, processes }),
      ],
      total: 0,
      limit: 0,
      offset: 0,
      errors: null,
    });
    expect(JSON.parse((await transform('{}')).text)).toMatchObject({ data: [] });
    const refused = await transform('not JSON');
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.text)).toMatchObject({
      data: null,
      errors: [{ code: 400, msg: expect.stringMatching(/^cannot unmarshal OTLP : ./) }],
    });
  });

  it('summarizes traces, with the times of the adjusted spans', async () => {
    const iso = (ms: number): string => new Date(NOW + ms).toISOString();
    const query = `query.serviceName=adjusted&query.startTimeMin=${iso(-7_200_000)}&query.startTimeMax=${iso(0)}`;
    const { summaries } = JSON.parse((await get(`/api/v3/trace-summaries?${query}`)).text) as { summaries: unknown[] };
    const start = NOW_NS - 3_600_000_000_000n;
    expect(summaries).toHaveLength(2);
    expect(summaries).toContainEqual({
      traceId: hex(5, 32),
      rootServiceName: 'adjusted',
      rootOperationName: 'GET /',
      minStartTimeUnixNano: String(start),
      maxEndTimeUnixNano: String(start + 100_000_000n),
      spanCount: 2,
      errorSpanCount: 0,
      orphanSpanCount: 0,
      services: [{ name: 'adjusted', spanCount: 2, errorSpanCount: 0 }],
    });
    // Without a root there is no name of one.
    expect(summaries).toContainEqual(
      expect.objectContaining({
        traceId: hex(6, 32),
        rootServiceName: '',
        rootOperationName: '',
        errorSpanCount: 1,
        orphanSpanCount: 1,
      }),
    );
  });

  it.each([
    ['/api/traces', 400, "parameter 'service' is required"],
    ['/api/traces?service=a&limit=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['/api/traces?service=a&limit=99999999999', 400, 'strconv.ParseInt: parsing "99999999999": value out of range'],
    ['/api/traces?service=a&limit=0', 400, 'invalid parameter: limit must be greater than 0'],
    ['/api/traces?service=a&limit=-1', 400, 'invalid parameter: limit must be greater than 0'],
    ['/api/traces?start=a', 400, `unable to parse param 'start': strconv.ParseInt: parsing "a": invalid syntax`],
    ['/api/traces?end=1.5', 400, `unable to parse param 'end': strconv.ParseInt: parsing "1.5": invalid syntax`],
    ['/api/traces?service=a&start=2&end=1', 400, 'invalid parameter: start time must be before end time'],
    ['/api/traces?tag=x', 400, "malformed 'tag' parameter, expecting key:value, received: x"],
    [
      '/api/traces?tags=[]',
      400,
      "malformed 'tags' parameter, cannot unmarshal JSON: json: cannot unmarshal array into Go value of type map[string]string",
    ],
    [
      `/api/traces?tags=${encodeURIComponent('{"a":1}')}`,
      400,
      "malformed 'tags' parameter, cannot unmarshal JSON: json: cannot unmarshal number into Go value of type string",
    ],
    [
      '/api/traces?tags={service:x}',
      400,
      "malformed 'tags' parameter, cannot unmarshal JSON: invalid character 's' looking for beginning of object key string",
    ],
    [
      `/api/traces?tags=${encodeURIComponent('{"a":"b"')}`,
      400,
      "malformed 'tags' parameter, cannot unmarshal JSON: unexpected end of JSON input",
    ],
    ['/api/traces?minDuration=5', 400, `unable to parse param 'minDuration': time: missing unit in duration "5"`],
    ['/api/traces?maxDuration=5d', 400, `unable to parse param 'maxDuration': time: unknown unit "d" in duration "5d"`],
    ['/api/traces?minDuration=x', 400, `unable to parse param 'minDuration': time: invalid duration "x"`],
    ['/api/traces?service=a&minDuration=2s&maxDuration=1s', 400, "'maxDuration' should be greater than 'minDuration'"],
    ['/api/traces?traceID=zz', 400, 'cannot parse traceID param: strconv.ParseUint: parsing "zz": invalid syntax'],
    ['/api/traces?raw=2', 400, `unable to parse param 'raw': strconv.ParseBool: parsing "2": invalid syntax`],
    ['/api/traces/zz', 400, 'strconv.ParseUint: parsing "zz": invalid syntax'],
    [
      `/api/traces/${'1'.repeat(16)}z${'1'.repeat(15)}`,
      400,
      `strconv.ParseUint: parsing "z${'1'.repeat(15)}": invalid syntax`,
    ],
    [`/api/traces/${'1'.repeat(33)}`, 400, `TraceID cannot be longer than 32 hex characters: ${'1'.repeat(33)}`],
    ['/api/traces/1?raw=no', 400, `unable to parse param 'raw': strconv.ParseBool: parsing "no": invalid syntax`],
    ['/api/traces/abc', 404, 'trace not found'],
    ['/api/operations', 400, "parameter 'service' is required"],
    ['/api/dependencies?endTs=x', 400, `unable to parse param 'endTs': strconv.ParseInt: parsing "x": invalid syntax`],
    ['/api/metrics/calls', 400, "unable to parse param 'service': please provide at least one service name"],
    [
      '/api/metrics/latencies?service=a',
      400,
      `unable to parse param 'quantile': strconv.ParseFloat: parsing "": invalid syntax`,
    ],
    [
      '/api/metrics/errors?service=a&spanKind=foo',
      400,
      `unable to parse param 'spanKind': unsupported span kind: 'foo'`,
    ],
    [
      '/api/metrics/calls?service=a&groupByOperation=maybe',
      400,
      `unable to parse param 'groupByOperation': strconv.ParseBool: parsing "maybe": invalid syntax`,
    ],
    [
      '/api/metrics/calls?service=a&step=0',
      400,
      'failed executing metrics query: bad_data: invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
    [
      '/api/metrics/calls?service=a&step=1',
      400,
      'failed executing metrics query: bad_data: exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    ],
    [
      '/api/metrics/calls?service=a&step=x',
      400,
      `unable to parse param 'step': strconv.ParseInt: parsing "x": invalid syntax`,
    ],
  ])('%s is refused with %i', async (path, status, msg) => {
    const answer = await get(path);
    expect(JSON.parse(answer.text)).toEqual({
      data: null,
      total: 0,
      limit: 0,
      offset: 0,
      errors: [{ code: status, msg }],
    });
    // Go's http.Error sends it as text.
    expect(answer).toMatchObject({ status, type: 'text/plain; charset=utf-8' });
  });

  it.each([
    ['/api/v3/traces', 400, 'query.startTimeMin and query.startTimeMax are required'],
    [
      '/api/v3/traces?query.start_time_min=x&query.start_time_max=y',
      400,
      'malformed parameter query.start_time_min: parsing time "x" as "2006-01-02T15:04:05.999999999Z07:00": cannot parse "x" as "2006"',
    ],
    [
      '/api/v3/traces?query.startTimeMin=2026-01-01&query.startTimeMax=y',
      400,
      'malformed parameter query.startTimeMin: parsing time "2026-01-01" as "2006-01-02T15:04:05.999999999Z07:00": cannot parse "" as "T"',
    ],
    [
      '/api/v3/traces?query.startTimeMin=2026-13-01T00:00:00Z&query.startTimeMax=y',
      400,
      'malformed parameter query.startTimeMin: parsing time "2026-13-01T00:00:00Z": month out of range',
    ],
    [
      '/api/v3/traces?query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2026-01-01T00:00:00Z&query.searchDepth=-1',
      400,
      'malformed parameter query.searchDepth: strconv.ParseUint: parsing "-1": invalid syntax',
    ],
    [
      '/api/v3/traces?query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2026-01-01T00:00:00Z&query.num_traces=x',
      400,
      'malformed parameter query.num_traces: strconv.ParseUint: parsing "x": invalid syntax',
    ],
    [
      '/api/v3/traces?query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2026-01-01T00:00:00Z&query.duration_min=1',
      400,
      'malformed parameter query.duration_min: time: missing unit in duration "1"',
    ],
    [
      '/api/v3/traces?query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2026-01-01T00:00:00Z&query.rawTraces=x',
      400,
      'malformed parameter query.rawTraces: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    [
      '/api/v3/traces?query.attributes=x',
      400,
      "malformed parameter query.attributes: invalid character 'x' looking for beginning of value",
    ],
    [
      '/api/v3/traces?query.startTimeMin=2020-01-01T00:00:00Z&query.startTimeMax=2020-01-01T00:00:00.5Z',
      404,
      'No traces found',
    ],
    ['/api/v3/traces/zz', 400, 'malformed parameter trace_id: strconv.ParseUint: parsing "zz": invalid syntax'],
    [
      '/api/v3/traces/1?startTime=x',
      400,
      'malformed parameter startTime: parsing time "x" as "2006-01-02T15:04:05.999999999Z07:00": cannot parse "x" as "2006"',
    ],
    ['/api/v3/traces/abc', 404, 'No traces found'],
  ])('%s is refused with %i in the form of version 3', async (path, httpCode, message) => {
    const answer = await get(path);
    expect(JSON.parse(answer.text)).toEqual({ error: { httpCode, message } });
    expect(answer).toMatchObject({ status: httpCode, type: 'text/plain; charset=utf-8' });
  });
});

describe('Zipkin', () => {
  const search = async (query: string): Promise<string[]> => {
    const { status, text } = await get(`/zipkin/api/v2/traces?endTs=${NOW}&lookback=60000&${query}`);
    expect(status, text).toBe(200);
    return (JSON.parse(text) as { traceId: string }[][]).map(([first]) => first?.traceId ?? '');
  };

  it('searches as Lens and Grafana ask, by conditions that several spans may meet', async () => {
    expect(await search('serviceName=front-end&limit=10')).toEqual([hex(2), hex(1)]);
    expect(await search('serviceName=FRONT-END&spanName=get%20/&limit=1')).toEqual([hex(2)]);
    expect(await search('spanName=all')).toEqual([hex(2), hex(1)]);
    expect(await search('annotationQuery=http.method%3DGET')).toEqual([hex(1)]);
    expect(await search('annotationQuery=http.method%3DGET+and+error')).toEqual([hex(1)]);
    expect(await search('annotationQuery=cache.miss+and+error%3Dtimeout')).toEqual([hex(1)]);
    expect(await search('serviceName=front-end&annotationQuery=error')).toEqual([]);
    expect(await search('serviceName=front-end&remoteServiceName=business-logic')).toEqual([hex(1)]);
    expect(await search('minDuration=15000&maxDuration=25000')).toEqual([hex(2)]);
    expect(await search('serviceName=nothing')).toEqual([]);
    const sent = JSON.parse((await get(`/api/v2/trace/${hex(1)}`)).text) as Record<string, unknown>[];
    expect(sent.map(({ id, parentId, shared }) => [id, parentId, shared])).toEqual([
      [hex(0x11), undefined, undefined],
      [hex(0x12), hex(0x11), undefined],
      [hex(0x12), hex(0x11), true],
      [hex(0x13), hex(0x12), undefined],
    ]);
    expect(JSON.parse((await get(`/api/v2/traceMany?traceIds=1,2,3`)).text)).toHaveLength(2);
    expect(JSON.parse((await get('/api/v2/autocompleteKeys')).text)).toEqual([]);
    const keys = await fetch(`${base}/api/v2/autocompleteKeys`);
    expect(keys.headers.get('cache-control')).toBe('max-age=300, must-revalidate');
    expect((await fetch(`${base}/api/v2/services`)).headers.get('cache-control')).toBeNull();
    expect(JSON.parse((await get('/api/v2/autocompleteValues?key=environment')).text)).toEqual([]);
    expect(JSON.parse((await get('/api/v2/spans?serviceName=Front-End')).text)).toEqual(['GET', 'GET /']);
    const answer = await fetch(`${base}/api/v2/services`, { headers: { origin: 'http://lens.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });

  it.each([
    ['/api/v2/traces?limit=0', 400, 'limit <= 0'],
    ['/api/v2/traces?endTs=0', 400, 'endTs <= 0'],
    ['/api/v2/traces?lookback=0', 400, 'lookback <= 0'],
    ['/api/v2/traces?minDuration=0', 400, 'minDuration <= 0'],
    ['/api/v2/traces?maxDuration=5', 400, 'maxDuration is only valid with minDuration'],
    ['/api/v2/traces?minDuration=6&maxDuration=5', 400, 'maxDuration < minDuration'],
    ['/api/v2/trace/xyz', 400, 'xyz should be lower-hex encoded with no prefix'],
    ['/api/v2/trace/ABC', 400, 'ABC should be lower-hex encoded with no prefix'],
    [`/api/v2/trace/${'1'.repeat(33)}`, 400, 'traceId.length > 32'],
    ['/api/v2/trace/abc', 404, '0000000000000abc not found'],
    ['/api/v2/trace/abc%20', 404, '0000000000000abc not found'],
    [`/api/v2/trace/${hex(0xabc, 32)}`, 404, '0000000000000abc not found'],
    [`/api/v2/trace/${'1'.repeat(17)}`, 404, `${'1'.repeat(17).padStart(32, '0')} not found`],
    ['/api/v2/trace/000', 400, 'traceId is all zeros'],
    ['/api/v2/traces?limit=x', 400, 'For input string: "x"'],
    ['/api/v2/traces?limit=2147483648', 400, 'For input string: "2147483648"'],
    ['/api/v2/traces?endTs=1.5', 400, 'For input string: "1.5"'],
    ['/api/v2/traces?lookback=9223372036854775808', 400, 'For input string: "9223372036854775808"'],
    ['/api/v2/spans', 400, 'Mandatory parameter/header is missing: serviceName'],
    ['/api/v2/remoteServices', 400, 'Mandatory parameter/header is missing: serviceName'],
    ['/api/v2/traceMany', 400, 'Mandatory parameter/header is missing: traceIds'],
    ['/api/v2/dependencies', 400, 'Mandatory parameter/header is missing: endTs'],
    ['/api/v2/autocompleteValues', 400, 'Mandatory parameter/header is missing: key'],
    ['/api/v2/traceMany?traceIds=1,', 400, 'traceId is empty'],
    ['/api/v2/traceMany?traceIds=', 400, 'traceIds parameter is empty'],
    ['/api/v2/traceMany?traceIds=1,01', 400, 'redundant traceId: 01'],
    ['/api/v2/traceMany?traceIds=1', 400, 'Use /api/v2/trace/{traceId} endpoint to retrieve a single trace'],
    ['/api/v2/autocompleteValues?key=', 400, 'key was empty'],
    ['/api/v2/dependencies?endTs=1&lookback=0', 400, 'lookback <= 0'],
  ])('%s is refused with %i', async (path, status, text) => {
    expect(await get(path)).toMatchObject({ status, text, type: 'text/*' });
  });
});
