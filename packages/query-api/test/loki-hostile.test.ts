/** Requests that mean no good, to every path of Loki's API: an error in Loki's form, soon, and no harm done. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Labels } from '@kind-e2e/telemetry';
import { createReceiver, openTelemetryStore, type TelemetryStore } from '@kind-e2e/telemetry-store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createQueryApi, listen, type RunningServer } from '../src/index.ts';

const CASES = Number(process.env.KIND_E2E_HOSTILE_CASES ?? 500);
/** Processor time that one request may take, on a slow machine. */
const MAX_CPU_MS = 5000;
const MAX_GROWTH_BYTES = 400 * 1024 * 1024;
const START = 1_767_268_800;
const directory = mkdtempSync(join(tmpdir(), 'loki-hostile-'));
let store: TelemetryStore;
let server: RunningServer;

/** The same numbers in every run. */
let state = Number(process.env.KIND_E2E_HOSTILE_SEED ?? 1);
function random(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}
function pick<T>(values: readonly [T, ...T[]]): T {
  return values[random(values.length)] ?? values[0];
}

beforeAll(async () => {
  store = openTelemetryStore({ directory, retention: 'off' });
  for (let pod = 0; pod < 20; pod++)
    await store.logs.append([
      {
        labels: Labels.fromObject({ app: 'web', pod: `web-${pod}` }),
        entries: Array.from({ length: 300 }, (_, i) => ({
          timestampNs: BigInt(START + i) * 1_000_000_000n,
          line:
            i % 2 === 0 ? `level=info took=${i}ms id=${pod}-${i}` : `{"level":"warn","n":${i},"deep":{"er":[${i}]}}`,
        })),
      },
    ]);
  const api = createQueryApi({ metrics: store.metrics, logs: store.logs, traces: store.traces });
  server = await listen({
    addresses: [{ host: '127.0.0.1', port: 0 }],
    handlers: [createReceiver({ store }), api.handle],
  });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function send(
  method: string,
  path: string,
  body: Uint8Array | string,
  headers: Record<string, string>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port: server.addresses[0]?.port, method, path, headers, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers['content-type'] ?? '',
            text: Buffer.concat(parts).toString(),
          }),
        );
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const PIECES: readonly [string, ...string[]] = [
  ...([
    '{app="web"}',
    '{',
    '}',
    '(',
    ')',
    '[5m]',
    '[1ns]',
    '[9999999h]',
    '|= "a"',
    '|~ "(a+)+$"',
    '!~ "',
    '| json',
  ] as const),
  ...[
    '| logfmt',
    '| json a="b[',
    '| line_format "{{',
    '| line_format "{{ .a | repeat 99999999 }}"',
    '| unwrap took',
    'sum',
  ],
  ...['| label_format a="{{ range $x := .a }}{{ end }}"', '| line_format "{{ repeat 100000 (repeat 100000 .level) }}"'],
  ...[
    'rate(',
    'count_over_time({app="web"}[5m])',
    'quantile_over_time(',
    'topk(1e99,',
    'by (',
    ' offset -99999999h',
    'bool',
  ],
  ...[
    '+',
    '/',
    '^',
    'and',
    'unless on()',
    'group_left()',
    'vector(1e308)',
    'label_replace(',
    '"\\u0000"',
    '\ud83d',
    '\u0000',
  ],
  ...[
    '| regexp "(?P<a>.*)*"',
    '| pattern "<_><a>"',
    '| decolorize',
    '| ip("::/0")',
    '|= ip("1.2.3.4-5")',
    '999999999999999999',
  ],
  ...[
    '#',
    '`',
    '\\',
    '%',
    '| drop',
    '| keep a=~"["',
    'approx_topk(1, ',
    'sort_desc(',
    'absent_over_time(',
    '=~"(.+)+x"',
  ],
];
const ODD: readonly [string, ...string[]] = [
  ...([
    '',
    '0',
    '-1',
    '1e400',
    'NaN',
    'inf',
    '1.7976931348623157e308',
    '9223372036854775807',
    '9223372036854775808',
  ] as const),
  ...[
    'abc',
    '2026-01-01T00:00:00Z',
    '2026-13-45T99:99:99Z',
    '١٢٣',
    '0x10',
    ' 5 ',
    '5m',
    '1y',
    '-5m',
    '\u0000',
    'a'.repeat(20_000),
  ],
  ...[String(START), String(START + 300), `${START}000000000`, '1', '1000', '5001', '4294967296'],
];
const PATHS: readonly [string, ...string[]] = [
  ...([
    'query',
    'query_range',
    'labels',
    'label/app/values',
    'label/%00/values',
    'series',
    'index/stats',
    'index/volume',
  ] as const),
  ...[
    'index/volume_range',
    'detected_fields',
    'detected_field/level/values',
    'detected_labels',
    'patterns',
    'format_query',
  ],
  ...['status/buildinfo', 'tail', 'label/%ff/values', 'nothing', '../../etc/passwd', 'query/'],
];
const NAMES: readonly [string, ...string[]] = [
  ...(['start', 'end', 'step', 'limit', 'time', 'direction', 'interval', 'since', 'match[]', 'targetLabels'] as const),
  ...['aggregateBy', 'line_limit', 'field_limit', 'delay_for'],
];

function query(): string {
  switch (random(8)) {
    case 0:
      return '('.repeat(random(20_000)) + PIECES[0];
    case 1:
      return `${'sum('.repeat(random(3000))}rate({app="web"}[1m])`;
    case 2:
      return `{app="web"}${' | json | label_format a="{{.a}}{{.a}}"'.repeat(random(60))}`;
    case 3:
      return Array.from({ length: random(500) }, () => 'count_over_time({app="web"}[5m])').join(' + ');
    case 4:
      return `{app="web"} |~ ${JSON.stringify(`${'(a?'.repeat(random(500))}${')'.repeat(random(500))}{1,1000}`)}`;
    case 5:
      return `{${Array.from({ length: random(2000) }, (_, i) => `l${i}=~"a.*b.*c"`).join(',')}}`;
    default:
      return Array.from({ length: 1 + random(8) }, () => pick(PIECES)).join(' ');
  }
}

function readRequest(): [string, string, Uint8Array | string, Record<string, string>] {
  const parameters = new URLSearchParams({ query: query() });
  if (random(2) === 0) {
    parameters.set('start', String(START));
    parameters.set('end', String(START + 300));
  }
  for (let i = random(4); i > 0; i--) parameters.append(pick(NAMES), random(3) === 0 ? query() : pick(ODD));
  const text = parameters.toString();
  const path = `/loki/api/v1/${pick(PATHS)}`;
  if (text.length < 8000 && random(3) > 0) return [pick(['GET', 'GET', 'DELETE', 'HEAD']), `${path}?${text}`, '', {}];
  return ['POST', path, text, { 'content-type': 'application/x-www-form-urlencoded' }];
}

function pushRequest(): [string, string, Uint8Array | string, Record<string, string>] {
  const deep = '['.repeat(random(50_000));
  const good = JSON.stringify({ streams: [{ stream: { app: 'x' }, values: [[`${START}000000000`, 'line']] }] });
  const cut = good.slice(0, random(good.length));
  const flipped = Buffer.from(good);
  flipped[random(flipped.length)] = random(256);
  const bytes = Buffer.from(Array.from({ length: random(2000) }, () => random(256)));
  const body = pick<Uint8Array | string>([
    deep,
    cut,
    flipped,
    bytes,
    good.replace('"x"', '{}'),
    `{"streams":${deep}`,
    '{}',
  ]);
  const headers = {
    'content-type': pick([
      'application/json',
      'application/x-protobuf',
      'text/plain',
      '',
      'application/json; charset=x',
    ]),
    ...(random(4) === 0 && { 'content-encoding': pick(['gzip', 'deflate', 'snappy', 'zstd', 'br', 'x']) }),
  };
  return ['POST', pick(['/loki/api/v1/push', '/otlp/v1/logs', '/loki/otlp/v1/logs', '/api/prom/push']), body, headers];
}

const FINE = [200, 204, 400, 404, 405, 413, 415, 429];

it('is answered with an error in Loki’s form, within limits', { timeout: 60_000 + CASES * 200 }, async () => {
  const began = process.memoryUsage().rss;
  for (let i = 0; i < CASES; i++) {
    const [method, path, body, headers] = random(4) === 0 ? pushRequest() : readRequest();
    const cpu = process.cpuUsage();
    const { status, type, text } = await send(method, path, body, headers);
    const { user, system } = process.cpuUsage(cpu);
    const what = `${i} ${method} ${path.slice(0, 300)} ${String(body).slice(0, 300)}: ${status} ${text.slice(0, 300)}`;
    const isWordedBy = /approx_topk is not enabled/.test(text);
    expect(FINE.includes(status) || (status === 500 && isWordedBy), what).toBe(true);
    if (status >= 400 && status !== 404 && path.includes('/loki/api/v1/')) expect(type, what).toMatch(/^text\/plain/);
    expect((user + system) / 1000, what).toBeLessThan(MAX_CPU_MS);
    expect(text.length, what).toBeLessThan(16 * 1024 * 1024);
  }
  expect(process.memoryUsage().rss - began).toBeLessThan(MAX_GROWTH_BYTES);
  const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
  const bombed = await send('POST', '/loki/api/v1/push', bomb, {
    'content-type': 'application/json',
    'content-encoding': 'gzip',
  });
  expect(bombed.status).toBe(413);
  // It still does what it is for.
  const parameters = new URLSearchParams({ query: 'sum(count_over_time({app="web"}[5m]))', time: String(START + 300) });
  const well = await send('GET', `/loki/api/v1/query?${parameters}`, '', {});
  expect(JSON.parse(well.text).data.result[0].value[1]).toBe('5980');
});
