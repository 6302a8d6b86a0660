/** What Loki's frontend does to a request and its answer, over HTTP (pkg/querier/queryrange, pkg/util/marshal). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Labels } from '@kind-e2e/telemetry';
import { openTelemetryStore, type TelemetryStore } from '@kind-e2e/telemetry-store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createQueryApi, listen, type RunningServer } from '../src/index.ts';

const START = 1_767_268_800;
const SECOND_NS = 1_000_000_000n;
const directory = mkdtempSync(join(tmpdir(), 'loki-api-'));
let store: TelemetryStore;
let server: RunningServer;

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
type Json = any;

async function ask(path: string, parameters: Record<string, string>): Promise<{ status: number; body: Json }> {
  const [address] = server.addresses;
  const response = await fetch(
    `http://127.0.0.1:${address?.port}/loki/api/v1/${path}?${new URLSearchParams(parameters).toString()}`,
  );
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  return { status: response.status, body: isJson ? JSON.parse(text) : text };
}

const range = { start: String(START), end: String(START + 100) };

beforeAll(async () => {
  store = openTelemetryStore({ directory, retention: 'off' });
  const lines = ['n=1 size=1000', 'n=0.0000001 size=1023', 'n=3 size=2048 a=', 'n=1e21 size=5'];
  for (const pod of ['a', 'b'])
    await store.logs.append([
      {
        labels: Labels.fromObject({ app: 'x', pod }),
        entries: lines.map((line, i) => ({ timestampNs: BigInt(START + 10 * i) * SECOND_NS, line })),
      },
    ]);
  const api = createQueryApi({ metrics: store.metrics, logs: store.logs, traces: store.traces });
  server = await listen({ addresses: [{ host: '127.0.0.1', port: 0 }], handlers: [api.handle] });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

it('puts metric queries on a grid of steps, beyond both ends of the range', async () => {
  const { body } = await ask('query_range', {
    query: 'vector(1)',
    start: String(START + 7),
    end: String(START + 61),
    step: '30',
  });
  const [series] = body.data.result;
  expect(series.values.map(([time]: [number]) => time - START)).toEqual([0, 30, 60, 90]);
});

it('keeps labels without a value, in lines and in series', async () => {
  const query = '{app="x", pod="a"} | logfmt --keep-empty | n="3" | keep a';
  const { body } = await ask('query_range', { query, ...range });
  expect(body.data.result[0].stream).toEqual({ a: '' });
  const sum = await ask('query', {
    query: 'sum by (s) (count_over_time({app="x"} | logfmt s="size" [5m]))',
    time: range.end,
  });
  // As in Loki: asked for by its new name alone the key is not read.
  expect(sum.body.data.result).toMatchObject([{ metric: { s: '' }, value: [START + 100, '8'] }]);
});

it('compares sizes as they print', async () => {
  const count = async (filter: string): Promise<string | undefined> => {
    const query = `sum(count_over_time({app="x", pod="a"} | logfmt | size ${filter} [5m]))`;
    const { body } = await ask('query', { query, time: range.end });
    return body.data.result[0]?.value[1];
  };
  expect(await count('>= 1KiB')).toBe('3');
  expect(await count('>= 1001B')).toBe('3');
  expect(await count('> 2KB')).toBe('1');
});

it('writes numbers without exponents', async () => {
  const value = async (text: string): Promise<string> => {
    const query = `sum(sum_over_time({app="x", pod="a"} | logfmt | n="${text}" | unwrap n [5m]))`;
    const { body } = await ask('query', { query, time: range.end });
    return body.data.result[0].value[1];
  };
  expect(await value('0.0000001')).toBe('0.0000001');
  expect(await value('1e21')).toBe('1000000000000000000000');
});

it('says what cannot be, with the status that Loki gives it', async () => {
  const refused = async (query: string): Promise<{ status: number; body: Json }> =>
    await ask('query', { query, time: range.end });
  expect(await refused('approx_topk(1, count_over_time({app="x"}[5m]))')).toEqual({
    status: 500,
    body: 'approx_topk is not enabled. See -limits.shard_aggregations',
  });
  expect(await refused('variants(rate({app="x"}[5m])) of ({app="x"}[5m])')).toEqual({
    status: 400,
    body: 'multi variant queries are disabled for this instance',
  });
  const many = await refused('count_over_time({app="x"}[5m]) / on(app) count_over_time({app="x"}[5m])');
  expect(many.status).toBe(500);
  expect(many.body).toContain('many-to-many matching not allowed');
  const errors = await refused('count_over_time({app="x"} | json [5m])');
  expect(errors.status).toBe(400);
  expect(errors.body).toContain("pipeline error: 'JSONParserErr' for series: '{__error__=\"JSONParserErr\"");
});

it('leaves out data where there are no names', async () => {
  const before = { start: '1000', end: '2000' };
  expect(await ask('labels', before)).toEqual({ status: 200, body: { status: 'success' } });
  expect(await ask('label/nope/values', range)).toEqual({ status: 200, body: { status: 'success' } });
  expect(await ask('series', { 'match[]': '{app="nope"}', ...range })).toEqual({
    status: 200,
    body: { status: 'success', data: [] },
  });
});

it.each<[string, Record<string, string>, string]>([
  [
    'query_range',
    { query: '{app="x"}', start: '20', end: '10' },
    'end timestamp must not be before or equal to start time',
  ],
  ['query_range', { query: '{', ...range, limit: 'x' }, 'strconv.Atoi: parsing "x": invalid syntax'],
  ['query_range', { query: '{', ...range, limit: '0', direction: 'x' }, 'limit must be a positive value'],
  ['query_range', { query: '{', ...range, step: 'x', direction: 'up' }, "invalid direction 'up'"],
  ['query_range', { query: '{', ...range, step: 'x', interval: '-1' }, 'cannot parse "x" to a valid duration'],
  [
    'query_range',
    { query: '{', ...range, step: '0', interval: '-1' },
    'zero or negative query resolution step widths are not accepted. Try a positive integer',
  ],
  [
    'query_range',
    { query: '{', ...range, step: '0.001' },
    'exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter',
  ],
  ['query_range', { query: '{', ...range, interval: '-1' }, 'interval must be >= 0'],
  [
    'query_range',
    { query: '{app="x"}', ...range, since: 'x' },
    `could not parse 'since' parameter: not a valid duration string: "x"`,
  ],
  [
    'query_range',
    { query: '{app="x"}', start: '1', end: '25920010' },
    'the query time range exceeds the limit (query length: 7200h0m9s, limit: 30d1h)',
  ],
  ['query', { query: '{', limit: '-1', time: 'x' }, 'limit must be a positive value'],
  ['query', { query: '{', time: 'x', direction: 'up' }, 'strconv.ParseInt: parsing "x": invalid syntax'],
  ['series', { 'match[]': '{app="x"} | json', ...range }, 'only label matchers are supported'],
  ['series', { 'match[]': 'rate({app="x"}[1m])', ...range }, 'only label matchers are supported'],
  ['labels', { query: '{app="x"} |= "a"', ...range }, 'only label matchers are supported'],
  ['label/app/values', { query: '{app="x"} | logfmt', ...range }, 'only label matchers are supported'],
  ['index/stats', { query: '{app="x"} |= "a"', ...range }, 'only label matchers are supported'],
  [
    'index/stats',
    { query: '{app="x"}', ...range, step: '-1' },
    'zero or negative query resolution step widths are not accepted. Try a positive integer',
  ],
  ['index/volume', { query: '{app="x"} |= "a"', ...range }, 'only label matchers are supported'],
  ['index/volume', { query: '{app="x"}', ...range, limit: '-1' }, 'limit must be a positive value'],
  ['index/volume', { query: '{app="x"}', ...range, aggregateBy: 'x' }, 'invalid aggregation option'],
  [
    'index/volume',
    { query: '{app="x"}', start: '20', end: '10' },
    'end timestamp must not be before or equal to start time',
  ],
  [
    'detected_labels',
    { query: '{app="x"}', start: '20', end: '10' },
    'end timestamp must not be before or equal to start time',
  ],
  [
    'detected_fields',
    { query: '{app="x"}', start: '20', end: '10' },
    'end timestamp must not be before or equal to start time',
  ],
])('refuses in the order in which Loki looks: %s %j', async (path, parameters, words) => {
  expect(await ask(path, parameters)).toEqual({ status: 400, body: words });
});

it('asks at one point where start and end are the same', async () => {
  const at = { start: range.end, end: range.end };
  const { body } = await ask('query_range', { query: 'sum(count_over_time({app="x"}[5m]))', ...at });
  expect(body.data).toMatchObject({ resultType: 'matrix', result: [{ values: [[START + 100, '8']] }] });
  expect((await ask('query_range', { query: '{app="x"}', ...at })).body.data.result).toEqual([]);
});

it('has volumes at the ends of periods', async () => {
  const query = { query: '{app="x"}', start: String(START), end: String(START + 40) };
  const { body } = await ask('index/volume_range', { ...query, step: '20' });
  expect(body.data).toEqual({
    resultType: 'matrix',
    result: [
      {
        metric: { app: 'x' },
        values: [
          [START + 19.999, '68'],
          [START + 40, '58'],
        ],
      },
    ],
  });
  const instant = await ask('index/volume', { ...query, aggregateBy: 'labels', limit: '0' });
  expect(instant.body.data).toEqual({
    resultType: 'vector',
    result: [
      { metric: { app: '' }, value: [START + 40, '126'] },
      { metric: { pod: '' }, value: [START + 40, '126'] },
    ],
  });
  const none = await ask('index/volume_range', { ...query, query: '{app="none"}', step: '20' });
  expect(none.body.data).toEqual({ resultType: 'vector', result: [] });
});
