/** Requests as clients send them, Grafana's data source among them, and what a running Prometheus 3.5.3 answered. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Labels } from '@kind-e2e/telemetry';
import { openTelemetryStore, type TelemetryStore } from '@kind-e2e/telemetry-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createQueryApi, listen, type RunningServer } from '../src/index.ts';

const T = 1_767_228_300;
const directory = mkdtempSync(join(tmpdir(), 'prometheus-requests-'));
let store: TelemetryStore;
let server: RunningServer;
let base: string;

beforeAll(async () => {
  store = openTelemetryStore({ directory, retention: 'off' });
  const samples = ['a', 'b', 'c'].flatMap((service, i) =>
    [0, 15, 30].map((seconds) => ({
      labels: Labels.fromObject({ __name__: 'queue_depth', service }),
      timestampMs: (T + seconds) * 1000,
      value: i + seconds,
    })),
  );
  await store.metrics.append(samples);
  const api = createQueryApi({ metrics: store.metrics, logs: store.logs, traces: store.traces });
  server = await listen({ addresses: [{ host: '127.0.0.1', port: 0 }], handlers: [api.handle] });
  base = `http://127.0.0.1:${server.addresses[0]?.port}`;
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await store.close();
  rmSync(directory, { recursive: true });
});

type Parameters = Readonly<Record<string, string | number>>;

function encoded(parameters: Parameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) query.set(name, String(value));
  return query.toString();
}

async function ask(path: string, parameters: Parameters = {}, init: RequestInit = {}): Promise<[number, string]> {
  const query = encoded(parameters);
  const response = await fetch(`${base}${path}${query !== '' ? `?${query}` : ''}`, init);
  return [response.status, await response.text()];
}

describe('mistakes', () => {
  const q = 'queue_depth';
  const range = { query: q, start: T, end: T + 60 };
  it.each<[path: string, parameters: Parameters, error: string]>([
    [
      'query',
      { query: q, time: 'abc' },
      `invalid parameter "time": invalid time value for 'time': cannot parse "abc" to a valid timestamp`,
    ],
    ['query', { query: q, limit: 'x' }, 'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax'],
    [
      'query',
      { query: q, limit: '99999999999999999999' },
      'invalid parameter "limit": strconv.Atoi: parsing "99999999999999999999": value out of range',
    ],
    ['query', { query: q, limit: -1 }, 'invalid parameter "limit": limit must be non-negative'],
    ['query', { query: q, timeout: 'x' }, 'invalid parameter "timeout": cannot parse "x" to a valid duration'],
    [
      'query',
      { query: q, lookback_delta: 'x' },
      'error parsing lookback delta duration: cannot parse "x" to a valid duration',
    ],
    [
      'query_range',
      { ...range, step: 'Inf' },
      'invalid parameter "step": cannot parse "Inf" to a valid duration. It overflows int64',
    ],
    [
      'query_range',
      { ...range, step: 'NaN' },
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
    [
      'query_range',
      { ...range, step: '1e-4' },
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    ],
    [
      'query_range',
      { ...range, step: 15, query: 'queue_depth[5m]' },
      'invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    ],
    ['series', {}, 'no match[] parameter provided'],
    ['series', { 'match[]': '{}' }, 'invalid parameter "match[]": match[] must contain at least one non-empty matcher'],
    ['series', { 'match[]': 'rate(x[1m])' }, 'invalid parameter "match[]": 1:5: parse error: unexpected "("'],
    ['labels', { 'match[]': 'queue_depth[5m]' }, '1:12: parse error: unexpected "["'],
    ['labels', { 'match[]': 'queue_depth offset 1m' }, '1:13: parse error: unexpected <offset>'],
    ['labels', { 'match[]': '' }, 'unknown position: parse error: unexpected end of input'],
    ['label/service/values', { 'match[]': '{service=""}' }, 'match[] must contain at least one non-empty matcher'],
    ['label/U__/values', {}, 'invalid label name: ""'],
    ['query_exemplars', { query: q, start: T, end: T - 1 }, 'end timestamp must not be before start timestamp'],
    ['metadata', { limit: 'x' }, 'limit must be a number'],
    ['metadata', { limit_per_metric: 'x' }, 'limit_per_metric must be a number'],
    ['status/tsdb', { limit: 0 }, 'limit must be a positive number'],
  ])('of %s with %o', async (path, parameters, error) => {
    const [status, body] = await ask(`/api/v1/${path}`, parameters);
    expect([status, JSON.parse(body)]).toEqual([400, { status: 'error', errorType: 'bad_data', error }]);
  });

  it('are plain text where the API is', async () => {
    expect(await ask('/federate', { 'match[]': 'a{' })).toEqual([
      400,
      '1:3: parse error: unexpected end of input inside braces\n',
    ]);
    expect(await ask('/api/v1/rules', {}, { method: 'POST' })).toEqual([405, 'Method Not Allowed\n']);
    expect(await ask('/api/v1/label/a%2Fb/values')).toEqual([404, '404 page not found\n']);
    expect(await ask('/api/v1/query', {}, { method: 'OPTIONS' })).toEqual([204, '']);
  });
});

describe('answers', () => {
  const data = async (path: string, parameters: Parameters, init?: RequestInit): Promise<unknown> => {
    const [status, body] = await ask(`/api/v1/${path}`, parameters, init);
    expect(status).toBe(200);
    return JSON.parse(body);
  };
  const form = (parameters: Parameters): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: encoded(parameters),
  });

  it('Grafana, which sends its queries as forms', async () => {
    const step = { query: 'sum(queue_depth)', start: `${T}.000`, end: T + 30, step: '15.000' };
    const values = [
      [T, '3'],
      [T + 15, '48'],
      [T + 30, '93'],
    ];
    const matrix = { status: 'success', data: { resultType: 'matrix', result: [{ metric: {}, values }] } };
    expect(await data('query_range', {}, form(step))).toEqual(matrix);
    expect(await data('query_range', step)).toEqual(matrix);
    expect(await data('labels', {}, form({ 'match[]': '{__name__="queue_depth"}', start: T, end: T + 30 }))).toEqual({
      status: 'success',
      data: ['__name__', 'service'],
    });
    expect(await data('label/__name__/values', { start: T, end: T + 30 })).toEqual({
      status: 'success',
      data: ['queue_depth'],
    });
    expect(await data('series', {}, form({ 'match[]': 'queue_depth{service="a"}', start: T, end: T + 30 }))).toEqual({
      status: 'success',
      data: [{ __name__: 'queue_depth', service: 'a' }],
    });
    expect(await data('query_exemplars', {}, form({ query: 'queue_depth', start: T, end: T + 30 }))).toEqual({
      status: 'success',
      data: [],
    });
    expect(await data('metadata', { limit: -1 })).toEqual({ status: 'success', data: {} });
    expect(await data('rules', {})).toEqual({ status: 'success', data: { groups: [] } });
    expect(await data('status/buildinfo', {})).toMatchObject({ data: { version: expect.stringMatching(/^3\./) } });
  });

  it('of times and limits that are hardly any', async () => {
    const scalar = async (time: string): Promise<unknown> => data('query', { query: '1', time });
    const at = (time: number): unknown => ({ status: 'success', data: { resultType: 'scalar', result: [time, '1'] } });
    expect(await scalar('1_000')).toEqual(at(1000));
    expect(await scalar('NaN')).toEqual(at(-9_223_372_036.854));
    expect(await scalar('1e20')).toEqual(at(0));
    expect(await scalar('2026-01-01T00:45:00.5+01:00')).toEqual(at(1_767_224_700.5));
    expect(await data('query', { query: 'queue_depth', time: T, limit: 1 })).toEqual({
      status: 'success',
      data: { resultType: 'vector', result: [{ metric: { __name__: 'queue_depth', service: 'a' }, value: [T, '0'] }] },
      warnings: ['results truncated due to limit'],
    });
    expect(await data('query', { query: 'sum(queue_depth)', time: T, stats: 'all' })).toMatchObject({
      data: { stats: { timings: { evalTotalTime: expect.any(Number) }, samples: { totalQueryableSamples: 3 } } },
    });
    // A lookback that is not positive is the server's own.
    expect(await data('query', { query: 'count(queue_depth)', time: T + 100, lookback_delta: 0 })).toMatchObject({
      data: { result: [{ value: [T + 100, '3'] }] },
    });
    expect((await ask('/api/v1/query_exemplars', { query: '1' }))[0]).toBe(204);
  });

  it('the tree of a query', async () => {
    expect(await data('parse_query', { query: 'rate(a[5m]) / b' })).toMatchObject({
      data: {
        type: 'binaryExpr',
        matching: { card: 'one-to-one', labels: [], on: false, include: [] },
        lhs: { func: { name: 'rate', argTypes: ['matrix'], variadic: 0, returnType: 'vector' } },
      },
    });
    expect(await data('parse_query', { query: '-Inf' })).toEqual({
      status: 'success',
      data: { type: 'numberLiteral', val: '-Inf' },
    });
  });
});

describe('methods', () => {
  it.each<[method: string, path: string, status: number, text: string]>([
    ['HEAD', '/api/v1/query', 405, ''],
    ['HEAD', '/-/ready', 200, ''],
    ['PUT', '/api/v1/query', 405, 'Method Not Allowed\n'],
    ['POST', '/-/reload', 403, 'Lifecycle API is not enabled.'],
    ['GET', '/-/quit', 405, 'Only POST or PUT requests allowed'],
    ['DELETE', '/api/v1/series', 500, '{"status":"error","errorType":"internal","error":"not implemented"}'],
    [
      'POST',
      '/api/v1/admin/tsdb/snapshot',
      500,
      '{"status":"error","errorType":"unavailable","error":"admin APIs disabled"}',
    ],
    ['GET', '/api/v1/write', 405, 'Method Not Allowed\n'],
    ['OPTIONS', '/api/v1/query', 204, ''],
    ['OPTIONS', '/-/ready', 200, ''],
    [
      'GET',
      '/api/v1/label/%ff/values',
      400,
      '{"status":"error","errorType":"bad_data","error":"invalid label name: \\"\\\\xff\\""}',
    ],
  ])('%s %s gives %d', async (method, path, status, text) => {
    expect(await ask(path, {}, { method })).toEqual([status, text]);
  });
});

describe('stats', () => {
  const range = { start: T, end: T + 60, step: 15 };
  it.each<[query: string, samples: number]>([
    ['queue_depth', 15],
    ['sum(queue_depth)', 15],
    ['queue_depth @ 1767228300', 15],
    ['sum_over_time(queue_depth[30s])', 18],
    ['max_over_time(sum(queue_depth)[30s:15s])', 9],
    ['1', 0],
  ])('%s counts %d samples', async (query, samples) => {
    const [, text] = await ask('/api/v1/query_range', { ...range, query, stats: 1 });
    expect(JSON.parse(text)).toMatchObject({ data: { stats: { samples: { totalQueryableSamples: samples } } } });
  });
});
