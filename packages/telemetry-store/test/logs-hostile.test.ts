/** Pushes that mean no good, by each protocol for logs: an answer in its form, soon, and what is taken can be read again. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
// @ts-expect-error it has no types
import snappy from 'snappyjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createReceiver, openTelemetryStore, type TelemetryStore } from '../src/index.ts';
import { matcher, temporaryDirectory } from './fixtures.ts';

const CASES = Number(process.env.HOSTILE_CASES ?? 400);
const MAX_CPU_MS = 3000;
const MAX_GROWTH_BYTES = 300 * 1024 * 1024;
const NOW_S = 1_767_225_600;

/** The same numbers each run. */
let state = Number(process.env.HOSTILE_SEED ?? 7);
function random(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}
function pick<T>(values: readonly [T, ...T[]]): T {
  return values[random(values.length)] ?? values[0];
}
/** The first of them, mostly. */
function mostly<T>(values: readonly [T, ...T[]]): T {
  return random(5) > 0 ? values[0] : pick(values);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}
/** A field of protobuf; now and then of the wrong number, kind or length. */
function field(number: number, content: Buffer | string | bigint | number): Buffer {
  const isOdd = random(40) === 0;
  const tag = isOdd ? pick([0, 15, number + 1, 2 ** 29 - 1]) : number;
  const key = (kind: number): Buffer => varint(BigInt(tag) * 8n + BigInt(isOdd ? random(8) : kind));
  if (typeof content === 'bigint') return Buffer.concat([key(0), varint(content)]);
  if (typeof content === 'number') {
    const fixed = Buffer.alloc(8);
    fixed.writeBigUInt64LE(BigInt.asUintN(64, BigInt(content)));
    return Buffer.concat([key(1), fixed]);
  }
  const bytes = Buffer.from(content);
  const length = random(60) === 0 ? pick([0n, 1n << 31n, (1n << 63n) - 1n, -1n]) : BigInt(bytes.length);
  return Buffer.concat([key(2), varint(length), bytes]);
}

const SELECTORS: readonly [string, ...string[]] = [
  '{app="x"}',
  ...['{}', '', '{', '{app=}', '{app="x"', '{app="x",}', '{app=~"x"}', '{1="x"}', '{app="\\xff"}', '{app="x\\u0000"}'],
  ...['{app="x",app="y"}', '{app="x"} ', '{a="b"}}', `{a="${'v'.repeat(5000)}"}`, `{${'a="b",'.repeat(500)}}`],
  ...['{é="x"}', '{"quoted name"="x"}', '{app="\ud800"}', `{${'n'.repeat(2000)}="x"}`],
];
const LINES: readonly [string, ...string[]] = [
  'line',
  ...['', '\u0000', '\n', '\r\n', '\ud800', '𝒳', '\\"', '"', '\u2028', '﻿x', 'x'.repeat(70_000), '{"a":{"b":[1,2]}}'],
];
const TIMES: readonly [string, ...string[]] = [
  `${NOW_S}000000000`,
  ...['0', '-1', '9223372036854775807', '9223372036854775808', '-9223372036854775808', '1e18', '1.5', ''],
  ...['0x10', ' 5', '5 ', '٣', 'NaN', '99999999999999999999999999', `${NOW_S}`, 'null'],
];

function lokiProtobuf(): Buffer {
  const streams = Array.from({ length: random(4) }, () => {
    const entries = Array.from({ length: random(5) }, () => {
      const time = Buffer.concat([
        field(1, pick([BigInt(NOW_S), 0n, -1n, 1n << 62n, -(1n << 63n)])),
        field(2, pick([0n, 5n, 999_999_999n, 1_000_000_000n, -1n])),
      ]);
      const pair = Buffer.concat([field(1, pick(['a', '', 'a b', '__error__'])), field(2, pick(LINES))]);
      const extra = random(3) === 0 ? Array.from({ length: random(4) }, () => field(3, pair)) : [];
      return field(2, Buffer.concat([field(1, time), field(2, pick(LINES)), ...extra]));
    });
    return field(1, Buffer.concat([field(1, mostly(SELECTORS)), ...entries, field(3, 12_345n)]));
  });
  return Buffer.concat(streams);
}

function deepValue(depth: number): Buffer {
  let value = field(1, 'x');
  const kind = pick([5, 6]);
  for (let i = 0; i < depth; i++)
    value =
      kind === 5 ? field(5, field(1, value)) : field(6, field(1, Buffer.concat([field(1, 'k'), field(2, value)])));
  return value;
}

function otlpProtobuf(): Buffer {
  const value = (): Buffer =>
    random(12) === 0
      ? deepValue(random(3000))
      : pick([field(1, pick(LINES)), field(2, 1n), field(3, -5n), field(7, 'b')]);
  const attribute = (): Buffer =>
    Buffer.concat([field(1, pick(['service.name', 'a.b', '', '0', '\u0000'])), field(2, value())]);
  const record = (): Buffer =>
    Buffer.concat([
      ...[field(1, pick([NOW_S * 1e9, 0, -1])), field(2, pick([9n, 0n, 99n, -1n])), field(3, pick(['INFO', '']))],
      ...[field(5, value()), ...Array.from({ length: random(4) }, () => field(6, attribute()))],
      ...[field(9, Buffer.alloc(random(20), 7)), field(10, Buffer.alloc(random(20), 7)), field(11, 5)],
    ]);
  const scope = Buffer.concat([field(1, 'lib'), field(3, attribute()), field(4, 3n)]);
  const logs = Array.from({ length: random(5) }, () => field(2, record()));
  return field(
    1,
    Buffer.concat([field(1, field(1, attribute())), field(2, Buffer.concat([field(1, scope), ...logs]))]),
  );
}

/** JSON of a sort that no library writes. */
function odd(value: unknown): string {
  const text = JSON.stringify(value);
  switch (random(12)) {
    case 0:
      return text.replaceAll(',', ` ,\n${' '.repeat(random(2000))}`);
    case 1:
      return text.replace(/[a-z]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
    case 2:
      return `${text}${pick([' ', ',', '}', 'x', '\u0000', text])}`;
    case 3:
      return `\ufeff${text}`;
    case 4:
      return text.replace('{', `{"__proto__":{"x":1},"constructor":${'['.repeat(random(20_000))},`);
    case 5:
      return text.replace(/"[^"]*"/g, (part) =>
        random(4) === 0 ? pick(['null', '1e999', '[]', '{}', 'true', "'x'"]) : part,
      );
    default:
      return text;
  }
}

function lokiJson(): string {
  const streams = Array.from({ length: random(4) }, () => ({
    stream: mostly<unknown>([
      { app: 'x' },
      {},
      { 'a b': 'c' },
      { app: 'x\u0000' },
      { app: '' },
      [],
      'x',
      { app: 1 },
      { é: 'x' },
    ]),
    values: Array.from({ length: random(5) }, () => [
      mostly(TIMES),
      pick(LINES),
      ...mostly<unknown[]>([[], [], [{ a: 'b' }], [{ a: 1 }], [[]], [{}, {}], [null]]),
    ]),
  }));
  return odd(
    pick<unknown>([{ streams }, { streams }, { streams }, { streams: streams[0] }, { streams: null }, streams]),
  );
}

function otlpJson(): string {
  const value = mostly<unknown>([
    { stringValue: 'x' },
    {},
    { intValue: '9'.repeat(30) },
    { bytesValue: '!!' },
    null,
    5,
    { arrayValue: {} },
  ]);
  const record = {
    timeUnixNano: mostly<unknown>([...TIMES, 5, 1e30, null]),
    body: value,
    severityNumber: mostly<unknown>([9, 'SEVERITY_NUMBER_INFO', 'x', -1, 1e9]),
    traceId: mostly<unknown>(['5b8efff798038103d269b633813fc60c', 'x', 5, 'z'.repeat(5000)]),
    attributes: pick<unknown>([[], [{ key: 'a', value }], [{}], {}, null, 'x', [{ key: 5, value: 5 }]]),
  };
  const scopeLogs = mostly<unknown>([
    [{ logRecords: [record] }],
    [{ scope: 5, logRecords: [record, record] }],
    {},
    null,
    [null],
  ]);
  return odd({
    resourceLogs: [
      { resource: pick<unknown>([{}, null, { attributes: [{ key: 'service.name', value }] }]), scopeLogs },
    ],
  });
}

function damaged(bytes: Buffer): Buffer {
  if (bytes.length === 0 || random(3) > 0) return bytes;
  if (random(3) === 0) return bytes.subarray(0, random(bytes.length));
  const copy = Buffer.from(bytes);
  for (let i = 1 + random(4); i > 0; i--) copy[random(copy.length)] = random(256);
  return copy;
}

interface Push {
  readonly path: string;
  readonly body: Buffer;
  readonly headers: Record<string, string>;
}

function makePush(): Push {
  const isJson = random(2) === 0;
  const isLoki = random(2) === 0;
  const path = isLoki ? '/loki/api/v1/push' : pick(['/otlp/v1/logs', '/loki/otlp/v1/logs', '/v1/logs']);
  const plain = damaged(
    isJson ? Buffer.from(isLoki ? lokiJson() : otlpJson()) : isLoki ? lokiProtobuf() : otlpProtobuf(),
  );
  const type =
    random(30) === 0 ? pick(['text/plain', '', 'x']) : isJson ? 'application/json' : 'application/x-protobuf';
  const headers: Record<string, string> = { 'content-type': type };
  let body = plain;
  if (isLoki && !isJson) {
    body = Buffer.from(snappy.compress(new Uint8Array(plain)) as Uint8Array);
    // Says how long it is, which need not be true.
    if (random(10) === 0) body = Buffer.concat([varint(pick([1n << 40n, 1n << 31n, 0n, 5n])), body.subarray(1)]);
  } else if (random(4) === 0) {
    headers['content-encoding'] = pick(['gzip', 'gzip', 'deflate', 'br', 'zstd', 'x']);
    body = headers['content-encoding'] === 'deflate' ? deflateSync(body) : gzipSync(body);
  }
  return { path, body: damaged(body), headers };
}

let directory: ReturnType<typeof temporaryDirectory>;
let store: TelemetryStore;
let server: Server;

beforeAll(async () => {
  directory = temporaryDirectory();
  store = openTelemetryStore({ directory: directory.path, retention: 'off' });
  const receive = createReceiver({ store, bodyLimits: { maxBodyBytes: 1 << 20, maxDecodedBytes: 1 << 21 } });
  server = createServer((request, response) => void receive(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  server.close().closeAllConnections();
  await store.close();
  directory[Symbol.dispose]();
});

async function send({ path, body, headers }: Push): Promise<{ status: number; text: string }> {
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers,
  });
  return { status: answer.status, text: await answer.text() };
}

/** All that is kept, whose order and parts must be right. */
function countLines(from: TelemetryStore): number {
  let count = 0;
  const all = { matchers: [matcher('nothing', '')], startNs: -(1n << 63n), endNs: (1n << 63n) - 1n };
  for (const { timestamps, ends, text, structuredMetadata } of from.logs.select({ ...all, direction: 'forward' })) {
    expect(timestamps.toSorted()).toEqual(timestamps);
    expect(ends.at(-1) ?? 0).toBe(text.length);
    for (const metadata of structuredMetadata ?? []) metadata?.toObject();
    count += ends.length;
  }
  return count;
}

it(`is answered, and what is taken is kept (${CASES} pushes)`, { timeout: 60_000 + CASES * 50 }, async () => {
  let began = 0;
  let taken = 0;
  for (let i = 0; i < CASES; i++) {
    // What it takes to do this at all is no growth.
    if (i === Math.floor(CASES / 3)) began = process.memoryUsage().rss;
    const push = makePush();
    const cpu = process.cpuUsage();
    const { status, text } = await send(push);
    const { user, system } = process.cpuUsage(cpu);
    const what = `${i} ${push.path} ${JSON.stringify(push.headers)} ${push.body.toString('latin1', 0, 300)}: ${status} ${text.slice(0, 300)}`;
    expect([200, 204, 400, 413, 415, 429], what).toContain(status);
    if (status === 204 || status === 200) taken++;
    else expect(text.trim(), what).not.toBe('');
    expect((user + system) / 1000, what).toBeLessThan(MAX_CPU_MS);
    expect(text.length, what).toBeLessThan(1 << 20);
  }
  expect(taken).toBeGreaterThan(CASES / 20);
  expect(process.memoryUsage().rss - began).toBeLessThan(MAX_GROWTH_BYTES);
  const good = JSON.stringify({ streams: [{ stream: { app: 'end' }, values: [[TIMES[0], 'still here']] }] });
  const json = { 'content-type': 'application/json' };
  expect((await send({ path: '/loki/api/v1/push', body: Buffer.from(good), headers: json })).status).toBe(204);
  const count = countLines(store);
  expect(count).toBeGreaterThan(20);
  await store.close();
  store = openTelemetryStore({ directory: directory.path, retention: 'off' });
  expect(countLines(store)).toBe(count);
});

it('does not unfold what is small only when packed', async () => {
  const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024, ' '));
  for (const path of ['/loki/api/v1/push', '/otlp/v1/logs', '/v1/logs']) {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect((await send({ path, body: bomb, headers })).status).toBe(413);
  }
});
