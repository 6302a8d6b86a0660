/**
 * The requests of Grafana's Loki data source (grafana/grafana pkg/tsdb/loki/api.go and
 * public/app/plugins/datasource/loki): Explore with its volume histogram, the label browser, the context of a line, the
 * health check and the live tail, as they come over the wire.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Labels } from '@kind-e2e/telemetry';
import { openTelemetryStore, type TelemetryStore } from '@kind-e2e/telemetry-store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createQueryApi, listen, type RunningServer } from '../src/index.ts';

const START_NS = 1_767_268_800_000_000_000n;
const SECOND_NS = 1_000_000_000n;
const END_NS = START_NS + 300n * SECOND_NS;
const directory = mkdtempSync(join(tmpdir(), 'grafana-loki-'));
let store: TelemetryStore;
let server: RunningServer;

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
type Json = any;

const base = (): string => `127.0.0.1:${server.addresses[0]?.port}`;
const window = { start: String(START_NS), end: String(END_NS) };

async function ask(
  path: string,
  parameters: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Json> {
  const response = await fetch(`http://${base()}/loki/api/v1/${path}?${new URLSearchParams(parameters)}`, {
    headers: {
      'accept-encoding': 'gzip',
      'user-agent': 'Grafana/12.0.0',
      'x-loki-response-encoding-flags': 'categorize-labels',
      ...headers,
    },
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text}`);
  return JSON.parse(text);
}

beforeAll(async () => {
  store = openTelemetryStore({ directory, retention: 'off' });
  for (const pod of ['web-0', 'web-1'])
    await store.logs.append([
      {
        labels: Labels.fromObject({ app: 'web', pod, level: pod === 'web-0' ? 'info' : 'error' }),
        entries: Array.from({ length: 60 }, (_, i) => ({
          timestampNs: START_NS + BigInt(i) * 5n * SECOND_NS,
          line: `took=${i}ms path=/a/${i % 3} msg="line ${i}"`,
          structuredMetadata: Labels.fromObject({ trace_id: `t${i}` }),
        })),
      },
    ]);
  const api = createQueryApi({ metrics: store.metrics, logs: store.logs, traces: store.traces });
  server = await listen({
    addresses: [{ host: '127.0.0.1', port: 0 }],
    handlers: [api.handle],
    upgradeHandlers: [api.upgrade],
  });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

it('health check', async () => {
  const { data } = await ask('query', { direction: 'backward', query: 'vector(1)+vector(1)', time: '4000000000' });
  expect(data.resultType).toBe('vector');
  expect(data.result).toEqual([{ metric: {}, value: [4_000_000_000, '2'] }]);
});

it('log lines of Explore, with labels by where they come from', async () => {
  const { status, data } = await ask('query_range', {
    direction: 'backward',
    ...window,
    limit: '1000',
    query: '{app="web"} | logfmt',
    step: '1m0s',
  });
  expect(status).toBe('success');
  expect(data.encodingFlags).toEqual(['categorize-labels']);
  expect(data.result).toHaveLength(2);
  const [first] = data.result;
  expect(first.stream).toEqual({ app: 'web', pod: expect.stringMatching(/^web-/), level: expect.any(String) });
  expect(first.values).toHaveLength(60);
  expect(first.values[0]).toEqual([
    String(START_NS + 295n * SECOND_NS),
    'took=59ms path=/a/2 msg="line 59"',
    { structuredMetadata: { trace_id: 't59' }, parsed: { took: '59ms', path: '/a/2', msg: 'line 59' } },
  ]);
  expect(data.stats.summary.totalLinesProcessed).toBe(120);
  expect(data.stats.summary.totalEntriesReturned).toBe(120);
  expect(data.stats.querier.store.chunk.decompressedLines).toBe(120);
  expect(data.stats.ingester.totalReached).toBe(0);
});

it('the volume histogram', async () => {
  const { data } = await ask(
    'query_range',
    {
      direction: 'backward',
      ...window,
      query: 'sum by (level, detected_level) (count_over_time({app="web"} | drop __error__[1m]))',
      step: '60000ms',
    },
    { 'x-query-tags': 'Source=logvolhist' },
  );
  expect(data.resultType).toBe('matrix');
  expect(data.result.map(({ metric }: Json) => metric)).toEqual([{ level: 'error' }, { level: 'info' }]);
  expect(data.result[0].values.slice(1, 5).map(([, value]: [number, string]) => value)).toEqual([
    '12',
    '12',
    '12',
    '12',
  ]);
});

it('the label browser, and what it is told of sizes', async () => {
  expect((await ask('labels', window)).data).toEqual(['app', 'level', 'pod']);
  expect((await ask('labels', { ...window, query: '{app="web"}' })).data).toEqual(['app', 'level', 'pod']);
  expect((await ask('label/pod/values', { ...window, query: '{level="error"}' })).data).toEqual(['web-1']);
  const series = await ask('series', { ...window, 'match[]': '{app="web", level=~".+"}' });
  expect(series.data).toHaveLength(2);
  expect(await ask('index/stats', { ...window, query: '{app="web"}' })).toMatchObject({ streams: 2, entries: 120 });
  const volume = await ask('index/volume', { ...window, query: '{app="web"}', limit: '5000', targetLabels: 'level' });
  expect(volume.data.result.map(({ metric }: Json) => metric.level).sort()).toEqual(['error', 'info']);
  const fields = await ask('detected_fields', { ...window, query: '{app="web"}', line_limit: '1000', limit: '100' });
  expect(
    fields.fields.map(({ label, type, cardinality, parsers }: Json) => [label, type, cardinality, parsers]),
  ).toEqual([
    ['msg', 'string', 60, ['logfmt']],
    ['path', 'string', 3, ['logfmt']],
    ['took', 'duration', 60, ['logfmt']],
    ['trace_id', 'string', 60, null],
  ]);
  const values = await ask('detected_field/path/values', { ...window, query: '{app="web"}', line_limit: '1000' });
  expect(values.values.sort()).toEqual(['/a/0', '/a/1', '/a/2']);
  const { detectedLabels } = await ask('detected_labels', { ...window, query: '{app="web"}' });
  expect(detectedLabels).toContainEqual({ label: 'pod', cardinality: 2 });
});

it('the context of a line, before and after it', async () => {
  const at = START_NS + 150n * SECOND_NS;
  const query = '{app="web",pod="web-0"}';
  const context = async (direction: string, start: bigint, end: bigint): Promise<string[]> => {
    const { data } = await ask(
      'query_range',
      { direction, start: String(start), end: String(end), limit: '10', query, step: '1s' },
      { 'x-query-tags': 'Source=logRowContext' },
    );
    return data.result[0].values.map(([time]: [string]) => String((BigInt(time) - START_NS) / SECOND_NS));
  };
  expect(await context('backward', at - 7200n * SECOND_NS, at)).toEqual(
    Array.from({ length: 10 }, (_, i) => String(145 - 5 * i)),
  );
  expect(await context('forward', at, at + 7200n * SECOND_NS)).toEqual(
    Array.from({ length: 10 }, (_, i) => String(150 + 5 * i)),
  );
});

it('the live tail', async () => {
  const parameters = new URLSearchParams({ query: '{app="live"} |= "new"', limit: '100', start: String(START_NS) });
  const socket = new WebSocket(`ws://${base()}/loki/api/v1/tail?${parameters}`, { headers: { origin: 'http://x' } });
  const message = new Promise<Json>((resolve, reject) => {
    socket.on('message', (data) => resolve(JSON.parse(String(data))));
    socket.on('error', reject);
  });
  await new Promise<void>((resolve) => socket.on('open', () => resolve()));
  const time = BigInt(Date.now()) * 1_000_000n;
  await store.logs.append([
    { labels: Labels.fromObject({ app: 'live' }), entries: [{ timestampNs: time, line: 'a new line' }] },
  ]);
  expect(await message).toEqual({ streams: [{ stream: { app: 'live' }, values: [[String(time), 'a new line']] }] });
  socket.close();
  const refused = await fetch(`http://${base()}/loki/api/v1/tail?${parameters}`);
  expect(refused.status).toBeGreaterThanOrEqual(400);
});
