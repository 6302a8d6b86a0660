/**
 * Requests that nobody should send, at every endpoint of the Prometheus API: each is answered within the limits, in the
 * API's own form, and the server goes on. `HOSTILE_CASES=10000` for the soak.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '@kind-e2e/promql';
import { Labels } from '@kind-e2e/telemetry';
import { openTelemetryStore, type TelemetryStore } from '@kind-e2e/telemetry-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createQueryApi, listen, type RunningServer } from '../src/index.ts';

const CASES = Number(process.env.HOSTILE_CASES ?? 400);
const SECONDS_A_QUERY = 2;
const T = 1_767_228_300;
const directory = mkdtempSync(join(tmpdir(), 'prometheus-hostile-'));
const agent = new Agent({ keepAlive: true, maxSockets: 4 });
let store: TelemetryStore;
let server: RunningServer;
let port = 0;

beforeAll(async () => {
  store = openTelemetryStore({ directory, retention: 'off' });
  for (let t = 0; t < 40; t++)
    await store.metrics.append(
      Array.from({ length: 50 }, (_, i) => ({
        labels: Labels.fromObject({ __name__: i % 2 === 0 ? 'x_total' : 'y_bucket', i: String(i), le: String(i / 10) }),
        timestampMs: (T + t * 15) * 1000,
        value: t * i,
      })),
    );
  const promql = createEngine({ maxSamples: 500_000, timeoutMs: SECONDS_A_QUERY * 1000 });
  const { metrics, logs, traces } = store;
  const api = createQueryApi({ metrics, logs, traces, promql, maxQueryTimeoutMs: SECONDS_A_QUERY * 1000 });
  server = await listen({ addresses: [{ host: '127.0.0.1', port: 0 }], handlers: [api.handle] });
  port = server.addresses[0]?.port ?? 0;
});

afterAll(async () => {
  agent.destroy();
  await server[Symbol.asyncDispose]();
  await store.close();
  rmSync(directory, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function send(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request({ agent, port, path, method, headers: { ...length, ...headers } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: String(response.headers['content-type'] ?? ''),
          text: Buffer.concat(parts).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

let seed = 20_260_101;

function random(below: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}

function pick<T>(items: readonly T[]): T {
  return items[random(items.length)] as T;
}

const ENDPOINTS = [
  'query',
  'query_range',
  'query_exemplars',
  'series',
  'labels',
  'label/x/values',
  'label/%E2%98%83/values',
  'label/%ff%00/values',
  'metadata',
  'targets',
  'targets/metadata',
  'rules',
  'alerts',
  'status/tsdb',
  'status/config',
  'status/flags',
  'status/runtimeinfo',
  'format_query',
  'parse_query',
  'scrape_pools',
] as const;
const NAMES = [
  'query',
  'time',
  'start',
  'end',
  'step',
  'limit',
  'timeout',
  'match[]',
  'stats',
  'lookback_delta',
  'limit_per_metric',
  'metric',
  'state',
  'type',
  'match_target',
  'group_limit',
  'group_next_token',
  'dedup',
] as const;
const PIECES = [
  'x_total',
  '{__name__=~".*"}',
  '{__name__=~"(a+)+$"}',
  '{x=~"(.*)(.*)(.*)(.*)y"}',
  'rate(x_total[5m])',
  'sum by (le) (',
  'sum without () (',
  ')',
  '(',
  '[5m:1ms]',
  '[1y:1ms]',
  '[100y]',
  ' offset 99y',
  ' @ 1e300',
  ' @ -1',
  ' @ end()',
  ' and ',
  ' or ',
  ' * on () group_left () ',
  ' ^ ',
  'histogram_quantile(0.9, ',
  'label_replace(x_total, "a", "$1$1$1$1", "i", "(.*)")',
  'count_values("v", ',
  'topk(1e18, ',
  'quantile(NaN, ',
  '"\\xff\\u0000"',
  "'",
  '`',
  '\u0000',
  '\ud800',
  '☃',
  '/* */',
  '# comment',
  '0x',
  '1e999',
  '1_0',
  '-',
  '!',
  'absent_over_time(',
  'sort_by_label(',
] as const;
const VALUES = [
  '',
  '0',
  '-1',
  '1',
  '1e308',
  '1e-308',
  'NaN',
  'Inf',
  '9223372036854775807',
  '99999999999999999999999',
  '1h',
  '-5m',
  '1y1y',
  '0x10',
  '2026-01-01T00:00:00Z',
  '+292277026596-12-04T15:30:07.999999999Z',
  String(T),
  String(T + 600),
  'active',
  'alert',
  'true',
  '%',
  '\u0000',
] as const;

function query(): string {
  const kind = random(12);
  if (kind === 0) return '('.repeat(random(20_000));
  if (kind === 1) return `${'-'.repeat(random(5000))}1`;
  if (kind === 2) return `{${'a="b",'.repeat(random(5000))}}`;
  if (kind === 3) return `x_total${'[5m:1m]'.repeat(random(50))}`;
  if (kind === 4) return Array.from({ length: random(400) }, () => 'x_total').join(pick([' + ', ' or ', ' and ']));
  if (kind === 5) return `{a="${'y'.repeat(random(200_000))}"}`;
  if (kind === 6) return `${'sum('.repeat(random(300))}x_total${')'.repeat(random(300))}`;
  if (kind === 7) return `{__name__=~"${pick(['(', '[', 'a{1000}', '(a|b){500}', '\\', '(?i)x', '.*'.repeat(200)])}"}`;
  return Array.from({ length: 1 + random(8) }, () => pick(PIECES)).join('');
}

function value(name: string): string {
  if (name === 'query' || name === 'match[]' || name === 'match_target') return query();
  return pick(VALUES);
}

const ERROR_TYPES = ['bad_data', 'execution', 'timeout', 'canceled', 'not_found', 'unavailable', 'not_acceptable'];

function check({ status, type, text }: Answer, what: string): void {
  if (status === 404 || status === 405 || status === 431 || (status === 400 && text === '')) return;
  if (status === 204) return;
  expect(type, what).toContain('application/json');
  const body = JSON.parse(text) as { status: string; errorType?: string; error?: string };
  if (status === 200) expect(body.status, what).toBe('success');
  else {
    expect(body, what).toMatchObject({ status: 'error', error: expect.stringMatching(/./) });
    expect(ERROR_TYPES, what).toContain(body.errorType);
  }
}

describe('hostile requests', () => {
  it(`are answered in the API's own form (${CASES} cases)`, { timeout: 30_000 + CASES * 100 }, async () => {
    for (let i = 0; i < CASES; i++) {
      const parameters = new URLSearchParams();
      for (let n = random(7); n >= 0; n--) {
        const name = pick(NAMES);
        parameters.append(name, value(name));
      }
      if (random(2) === 0 && !parameters.has('start')) {
        parameters.set('start', String(T));
        parameters.set('end', String(T + random(40_000)));
        parameters.set('step', pick(['1', '15', '0.001', '60']));
      }
      if (random(3) > 0 && !parameters.has('query')) parameters.set('query', query());
      const endpoint = pick(ENDPOINTS);
      const method = pick(['GET', 'POST', 'POST', 'PUT', 'HEAD']);
      const text = parameters.toString();
      const what = `case ${i}: ${method} ${endpoint} ${text.slice(0, 200)}`;
      const path = `/api/v1/${endpoint}`;
      const form = {
        'content-type': pick(['application/x-www-form-urlencoded', 'application/json', 'text/plain; x=']),
      };
      const answer =
        method === 'POST'
          ? await send(method, path, random(10) === 0 ? text.slice(0, random(text.length)) : text, form)
          : await send(method, `${path}?${text.slice(0, 12_000)}`);
      if (method !== 'HEAD') check(answer, what);
    }
    const after = await send('GET', `/api/v1/query?query=count(x_total)&time=${T}`);
    expect(JSON.parse(after.text)).toMatchObject({ data: { result: [{ value: [T, '25'] }] } });
  });

  it('do not take more memory than the largest of them', async () => {
    const ask = (): Promise<Answer> =>
      send(
        'POST',
        '/api/v1/query',
        new URLSearchParams({ query: `sum({__name__=~".+"}) + ${'1 + '.repeat(500)}1` }).toString(),
        {
          'content-type': 'application/x-www-form-urlencoded',
        },
      );
    for (let i = 0; i < 20; i++) await ask();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 60; i++) await ask();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60e6);
  });
});
