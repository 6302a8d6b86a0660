/** Pushes that mean no good, by each protocol for logs: an answer in its form, soon, and what is taken can be read again. */
import { deflateSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { TelemetryStore } from '../src/index.ts';
import { matcher } from './fixtures.ts';
import { CASES, createDice, fixed64, type Push, PushedStore } from './hostile-pushes.ts';

const NOW_S = 1_767_225_600;

const { random, pick, mostly, field, damaged, snapped } = createDice({
  ...{ seed: 7, choices: 5, bodies: 3, fields: 40, lengths: 60 },
  number: (value) => fixed64(BigInt(value)),
});

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
    body = snapped(plain, 10);
  } else if (random(4) === 0) {
    headers['content-encoding'] = pick(['gzip', 'gzip', 'deflate', 'br', 'zstd', 'x']);
    body = headers['content-encoding'] === 'deflate' ? deflateSync(body) : gzipSync(body);
  }
  return { path, body: damaged(body), headers };
}

const pushed = new PushedStore();

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
  await pushed.expectAnswers(makePush);
  const good = JSON.stringify({ streams: [{ stream: { app: 'end' }, values: [[TIMES[0], 'still here']] }] });
  const json = { 'content-type': 'application/json' };
  expect((await pushed.send({ path: '/loki/api/v1/push', body: Buffer.from(good), headers: json })).status).toBe(204);
  await pushed.expectKept(countLines);
});

it('does not unfold what is small only when packed', async () => {
  const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024, ' '));
  for (const path of ['/loki/api/v1/push', '/otlp/v1/logs', '/v1/logs']) {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect((await pushed.send({ path, body: bomb, headers })).status).toBe(413);
  }
});
