/** Headers, encodings, federation and pages of rules, as a running Prometheus 3.5.3 answered. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { get, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, inflateSync } from 'node:zlib';
import { Labels } from '@kind-e2e/telemetry';
import { openTelemetryStore, type TelemetryStore } from '@kind-e2e/telemetry-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createQueryApi, listen, type RunningServer } from '../src/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'prometheus-headers-'));
let store: TelemetryStore;
let server: RunningServer;
let port: number;

const group = (name: string, rules: readonly string[]) => ({
  name,
  file: '/rules.yaml',
  interval: 60,
  limit: 0,
  evaluationTime: 0,
  lastEvaluation: '0001-01-01T00:00:00Z',
  rules: rules.map((rule) => ({
    type: 'recording' as const,
    name: rule,
    query: '1',
    labels: { team: rule },
    health: 'ok' as const,
    evaluationTime: 0,
    lastEvaluation: '0001-01-01T00:00:00Z',
  })),
});

beforeAll(async () => {
  store = openTelemetryStore({ directory, retention: 'off' });
  const histogram = {
    counterResetHint: 'unknown' as const,
    schema: 1,
    zeroThreshold: 0.5,
    zeroCount: 2,
    count: 5,
    sum: -3.5,
    positiveSpans: [{ offset: -2, length: 1 }],
    positiveBuckets: [3],
    negativeSpans: [],
    negativeBuckets: [],
    customValues: [],
  };
  const timestampMs = Date.now() - 1000;
  await store.metrics.append([
    { labels: Labels.fromObject({ __name__: 'a', x: '1' }), timestampMs, value: 5 },
    { labels: Labels.fromObject({ __name__: 'a', instance: 'i' }), timestampMs, value: -0 },
    { labels: Labels.fromObject({ __name__: 'h' }), timestampMs, value: 0, histogram },
  ]);
  const rules = { groups: () => [group('a', ['x']), group('b', ['y']), group('c', ['x', 'z'])], alerts: () => [] };
  const active = {
    discoveredLabels: {},
    labels: {},
    scrapePool: 'a',
    scrapeUrl: 'http://a/metrics',
    globalUrl: 'http://a/metrics',
    lastError: '',
    lastScrape: '0001-01-01T00:00:00Z',
    lastScrapeDuration: 0,
    health: 'up' as const,
    scrapeInterval: '15s',
    scrapeTimeout: '10s',
  };
  const targets = {
    activeTargets: () => [active],
    droppedTargets: () => [{ discoveredLabels: {}, scrapePool: 'b' }],
    targetMetadata: () => [],
    configYaml: () => '',
  };
  const api = createQueryApi({ metrics: store.metrics, logs: store.logs, traces: store.traces, rules, targets });
  server = await listen({ addresses: [{ host: '127.0.0.1', port: 0 }], handlers: [api.handle] });
  port = server.addresses[0]?.port ?? 0;
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await store.close();
  rmSync(directory, { recursive: true });
});

function ask(
  path: string,
  headers: Record<string, string> = {},
): Promise<{ headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => resolve({ headers: answer.headers, body: Buffer.concat(parts) }));
    }).on('error', reject);
  });
}

const QUERY = '/api/v1/query?query=1';

describe('headers', () => {
  it.each([
    ['gzip', 'gzip'],
    ['br, deflate', 'deflate'],
    ['gzip;q=1', undefined],
    ['br', undefined],
  ])('Accept-Encoding: %s is answered with %s', async (accepted, encoding) => {
    for (const path of [QUERY, '/federate?match[]=a', '/api/v1/query?query=(']) {
      const { headers, body } = await ask(path, { 'accept-encoding': accepted });
      expect(headers['content-encoding']).toBe(encoding);
      const plain = encoding === 'gzip' ? gunzipSync(body) : encoding === 'deflate' ? inflateSync(body) : body;
      expect(plain.toString()).toMatch(/success|error|# TYPE a untyped/);
    }
  });

  it('let pages of other origins read the API, and nothing else', async () => {
    expect((await ask(QUERY)).headers).toMatchObject({ vary: 'Origin' });
    expect((await ask(QUERY)).headers['access-control-allow-origin']).toBeUndefined();
    const { headers } = await ask(QUERY, { origin: 'http://elsewhere' });
    expect(headers).toMatchObject({
      'access-control-allow-headers': 'Accept, Authorization, Content-Type, Origin',
      'access-control-allow-methods': 'GET, POST, OPTIONS',
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'Date',
    });
    expect((await ask('/federate', { origin: 'http://elsewhere' })).headers.vary).toBeUndefined();
  });
});

describe('federation', () => {
  const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

  it('has no sign for zero in the text format', async () => {
    const { body } = await ask('/federate?match[]=a');
    expect(body.toString()).toMatch(/^# TYPE a untyped\na\{instance="i"\} 0 \d+\na\{x="1",instance=""\} 5 \d+\n$/);
  });

  it.each([
    [PROTOBUF, true],
    [`${PROTOBUF};q=0.6,text/plain;version=0.0.4;q=0.5`, true],
    [`text/plain;version=0.0.4,${PROTOBUF};q=0.5`, false],
    ['application/openmetrics-text;version=1.0.0', false],
    ['', false],
  ])('Accept: %s', async (accept, binary) => {
    const { headers, body } = await ask('/federate?match[]=h', { accept });
    expect(headers['content-type']).toBe(
      binary ? `${PROTOBUF}; escaping=underscores` : 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores',
    );
    if (!binary) {
      expect(body.toString()).toBe('');
      return;
    }
    // Family: name h, type histogram; metric: label instance, then the histogram in the order of its fields.
    expect(body.subarray(1, 6).toString('hex')).toBe('0a01681804');
    expect(body.toString('hex')).toContain(
      [
        '11 0000000000000cc0', // sum
        '21 0000000000001440', // count
        '28 02', // schema 1, zigzag
        '31 000000000000e03f', // zero threshold
        '41 0000000000000040', // zero count
        '62 04 0803 1001', // positive span
        '71 0000000000000840', // positive count
      ]
        .join('')
        .replaceAll(' ', ''),
    );
  });
});

describe('targets', () => {
  it.each([
    ['', 1, 1, { a: 0, b: 1 }],
    ['state=ANY', 1, 1, { a: 0, b: 1 }],
    ['state=active', 1, 0, null],
    ['state=dropped', 0, 1, { a: 0, b: 1 }],
    ['state=x', 0, 0, null],
    ['scrapePool=b', 0, 1, { a: 0, b: 1 }],
  ])('?%s', async (query, active, dropped, counts) => {
    const { data } = JSON.parse((await ask(`/api/v1/targets?${query}`)).body.toString());
    expect([data.activeTargets.length, data.droppedTargets.length]).toEqual([active, dropped]);
    expect(data.droppedTargetCounts).toEqual(counts);
  });
});

describe('rules', () => {
  const token = (name: string): string => createHash('sha1').update(`/rules.yaml;${name}`).digest('hex');
  it.each([
    ['', ['a', 'b', 'c'], undefined],
    ['group_limit=2', ['a', 'b'], token('c')],
    ['group_limit=3', ['a', 'b', 'c'], undefined],
    [`group_limit=1&group_next_token=${token('b')}`, ['b'], token('c')],
    ['match[]={team="x"}', ['a', 'c'], undefined],
    ['match[]={team="y"}&match[]={team="z"}', ['b', 'c'], undefined],
    ['rule_name[]=x&rule_group[]=c', ['c'], undefined],
    ['exclude_alerts=T', ['a', 'b', 'c'], undefined],
  ])('?%s', async (query, groups, next) => {
    const { data } = JSON.parse((await ask(`/api/v1/rules?${query}`)).body.toString());
    expect(data.groups.map(({ name }: { name: string }) => name)).toEqual(groups);
    expect(data.groupNextToken).toBe(next);
  });

  it.each([
    [
      'group_limit=x',
      'invalid parameter "group_limit": group_limit needs to be a valid number: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    ['group_limit=-1', 'invalid parameter "group_limit": group_limit needs to be greater than 0'],
    [
      'group_next_token=a',
      'invalid parameter "group_next_token": group_limit needs to be present in order to paginate over the groups',
    ],
    [
      'group_limit=1&group_next_token=a',
      `invalid parameter "group_next_token": invalid group_next_token 'a'. were rule groups changed?`,
    ],
    [
      'exclude_alerts=x',
      'invalid parameter "exclude_alerts": error converting exclude_alerts: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    ['match[]={', '1:2: parse error: unexpected end of input inside braces'],
  ])('?%s is refused', async (query, error) => {
    expect(JSON.parse((await ask(`/api/v1/rules?${query}`)).body.toString())).toMatchObject({ error });
  });
});
