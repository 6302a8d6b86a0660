/** Metrics that mean no good, by each way in: an answer in the protocol's form, soon, and what is taken can be read again. */
import { gzipSync } from 'node:zlib';
import { Labels, METRIC_NAME } from '@kind-e2e/telemetry';
import { expect, it } from 'vitest';
import { MalformedError } from '../src/bytes/byte-reader.ts';
import { openTelemetryStore, type TelemetryStore } from '../src/index.ts';
import { parseProtobufExposition } from '../src/scrape/protobuf-parser.ts';
import { ExpositionError, parseExposition } from '../src/scrape/text-parser.ts';
import { matcher, temporaryDirectory } from './fixtures.ts';
import { CASES, createDice, fixed64, MAX_CPU_MS, type Push, PushedStore, varint } from './hostile-pushes.ts';

const NOW_MS = 1_767_225_600_000;

const { random, pick, mostly, some, field, damaged, snapped } = createDice({
  ...{ seed: 11, choices: 6, bodies: 4, fields: 60, lengths: 90 },
  number: (value) => doubles([value]),
});
const message = (number: number, ...parts: readonly Buffer[]): Buffer => field(number, Buffer.concat(parts));
const zigzag = (value: bigint): bigint => (value << 1n) ^ (value >> 63n);
const doubles = (values: readonly number[]): Buffer => Buffer.from(Float64Array.from(values).buffer);

const value = (): number => mostly([1.5, 0, -0, Number.NaN, Infinity, -Infinity, 1e308, 5e-324]);
const time = (): bigint =>
  mostly([BigInt(NOW_MS + random(3_600_000)), 0n, -1n, 1n << 62n, (1n << 63n) - 1n, -(1n << 63n), BigInt(NOW_MS)]);
const name = (): string =>
  mostly([`m${random(20)}`, '', 'a.b', 'é', '\u0000', 'n'.repeat(3000), '1', 'm{}', '__name__', 'm 1']);
const text = (): string => mostly([`v${random(50)}`, '', 'v'.repeat(5000), '\u0000', '"\n\\', '\ud7ff']);
const labelPairs = (): [string, string][] => [
  ...(random(20) > 0 ? [[METRIC_NAME, name()] as [string, string]] : []),
  ...some(3, (): [string, string] => [mostly([`l${random(4)}`, name(), METRIC_NAME]), text()]),
];
const span = (): Buffer[] => [
  field(1, zigzag(mostly([0n, 3n, -5n, 1n << 40n, -(1n << 31n)]))),
  field(2, mostly([2n, 0n, 1n << 31n, 1n << 20n])),
];
const count = (): bigint => mostly([5n, 0n, 1n << 63n, -1n]);

/** prometheus.Histogram of prompb, and the same of version 2. */
function remoteHistogram(): Buffer[] {
  const isFloat = random(2) === 0;
  return [
    isFloat ? field(2, value()) : field(1, count()),
    field(3, value()),
    field(4, zigzag(mostly([0n, 8n, -4n, -53n, 100n, -1000n]))),
    field(5, value()),
    isFloat ? field(7, value()) : field(6, count()),
    ...some(3, () => message(8, ...span())),
    ...some(2, () => (isFloat ? field(10, doubles(some(4, value))) : message(9, ...some(4, () => varint(count()))))),
    ...some(3, () => message(11, ...span())),
    ...some(2, () => (isFloat ? field(13, doubles(some(4, value))) : message(12, ...some(4, () => varint(count()))))),
    field(14, pick([0n, 1n, 2n, 3n, 99n])),
    field(15, time()),
    ...some(1, () => field(16, doubles(some(4, value)))),
  ];
}

function remoteWrite(): Buffer {
  const label = ([key, content]: [string, string]): Buffer => message(1, field(1, key), field(2, content));
  const series = (): Buffer =>
    message(
      1,
      ...labelPairs().map(label),
      ...some(4, () => message(2, field(1, value()), field(2, time()))),
      ...some(1, () => message(3, ...labelPairs().map(label), field(2, value()), field(3, time()))),
      ...some(1, () => message(4, ...remoteHistogram())),
    );
  const metadata = (): Buffer => message(3, field(1, count()), field(2, name()), field(4, text()), field(5, text()));
  return Buffer.concat([...some(5, series), ...some(2, metadata)]);
}

function remoteWrite2(): Buffer {
  const symbols = ['', METRIC_NAME, ...some(8, name), ...some(8, text)];
  const reference = (): bigint => BigInt(mostly([random(symbols.length), 2 ** 31, symbols.length, 0]));
  const references = (): Buffer =>
    Buffer.concat([
      ...(random(10) > 0 ? [varint(1n), varint(2n)] : []),
      ...some(3, reference).flatMap((one) => [varint(one), varint(reference())]),
      ...(random(30) === 0 ? [varint(1n)] : []),
    ]);
  const series = (): Buffer =>
    message(
      5,
      field(1, references()),
      ...some(4, () => message(2, field(1, value()), field(2, time()))),
      ...some(1, () => message(3, ...remoteHistogram())),
      ...some(1, () => message(4, field(1, references()), field(2, value()), field(3, time()))),
      ...some(1, () => message(5, field(1, count()), field(3, reference()), field(4, reference()))),
    );
  return Buffer.concat([...symbols.map((symbol) => field(4, symbol)), ...some(5, series)]);
}

const nanoseconds = (): bigint => time() * 1_000_000n;

const fixed = (number: number, content: bigint): Buffer =>
  Buffer.concat([varint(BigInt(number) * 8n + 1n), fixed64(content)]);

function otlpProtobuf(): Buffer {
  const attribute = (number: number): Buffer =>
    message(number, field(1, name()), message(2, pick([field(1, text()), field(3, count()), field(4, value())])));
  const common = (): Buffer[] => [fixed(2, nanoseconds()), fixed(3, nanoseconds())];
  const point = (): Buffer =>
    message(1, ...common(), pick([field(4, value()), fixed(6, count())]), ...some(3, () => attribute(7)));
  const histogram = (): Buffer =>
    message(
      1,
      ...common(),
      fixed(4, count()),
      field(5, value()),
      field(6, doubles(some(4, value))),
      field(7, doubles(some(4, value))),
      ...some(2, () => attribute(9)),
    );
  const exponential = (): Buffer => {
    const buckets = (number: number): Buffer =>
      message(number, field(1, zigzag(count())), message(2, ...some(5, () => varint(count()))));
    const scale = zigzag(mostly([3n, 20n, -4n, -11n, 1n << 31n]));
    return message(
      1,
      ...common(),
      ...[fixed(4, count()), field(5, value()), field(6, scale), fixed(7, count()), buckets(8), buckets(9)],
      ...some(2, () => attribute(1)),
    );
  };
  const summary = (): Buffer =>
    message(
      1,
      ...common(),
      fixed(4, count()),
      field(5, value()),
      ...some(3, () => message(6, field(1, value()), field(2, value()))),
    );
  const temporality = (): Buffer => field(2, mostly([2n, 1n, 0n, 99n]));
  const metric = (): Buffer =>
    message(
      2,
      ...[field(1, name()), field(2, text()), field(3, mostly(['s', 'By', '1', '{a}', 'm/s', '\u0000']))],
      pick([
        () => message(5, ...some(3, point)),
        () => message(7, ...some(3, point), temporality(), field(3, 1n)),
        () => message(9, ...some(3, histogram), temporality()),
        () => message(10, ...some(3, exponential), temporality()),
        () => message(11, ...some(3, summary)),
      ])(),
    );
  return message(1, message(1, attribute(1)), message(2, message(1, field(1, 'lib')), ...some(4, metric)));
}

function otlpJson(): string {
  const odd = (): unknown => pick<unknown>([null, 5, 'x', [], {}, '9'.repeat(40), -1, true]);
  const attributes = (): unknown =>
    mostly<unknown>([[{ key: name(), value: { stringValue: text() } }], odd(), [odd()]]);
  const point = (): unknown => ({
    timeUnixNano: mostly<unknown>([String(nanoseconds()), odd()]),
    attributes: attributes(),
    asDouble: mostly<unknown>([1.5, 'NaN', 'Infinity', odd()]),
    count: mostly<unknown>(['5', odd()]),
    explicitBounds: mostly<unknown>([[1, 2], odd(), [odd()]]),
    bucketCounts: mostly<unknown>([['1', '2', '2'], odd(), [odd()]]),
    scale: mostly<unknown>([0, odd(), 1e9]),
    positive: mostly<unknown>([{ offset: 0, bucketCounts: ['1'] }, odd()]),
    quantileValues: mostly<unknown>([[{ quantile: 0.5, value: 1 }], odd()]),
  });
  const data = (): unknown =>
    mostly<unknown>([{ dataPoints: some(3, point), aggregationTemporality: mostly<unknown>([2, 1, odd()]) }, odd()]);
  const metric = (): unknown => ({
    name: mostly<unknown>([name(), odd()]),
    unit: mostly<unknown>(['s', odd()]),
    [pick(['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary', 'x'])]: data(),
  });
  return JSON.stringify({
    resourceMetrics: mostly<unknown>([
      [
        {
          resource: mostly<unknown>([{ attributes: attributes() }, odd()]),
          scopeMetrics: [{ metrics: some(3, metric) }],
        },
      ],
      odd(),
      [odd()],
    ]),
  });
}

function makePush(): Push {
  const kind = random(4);
  if (kind < 2) {
    const type = kind === 0 ? 'application/x-protobuf' : 'application/x-protobuf;proto=io.prometheus.write.v2.Request';
    const plain = damaged(random(10) === 0 ? Buffer.from('x') : kind === 0 ? remoteWrite() : remoteWrite2());
    const body = snapped(plain, 12);
    const headers = {
      'content-type': mostly([type, '', 'text/plain', 'application/x-protobuf;proto=x']),
      'content-encoding': mostly(['snappy', 'gzip', 'x']),
    };
    return { path: '/api/v1/write', body: damaged(body), headers };
  }
  const isJson = kind === 3;
  const headers: Record<string, string> = {
    'content-type': mostly([isJson ? 'application/json' : 'application/x-protobuf', 'text/plain', '']),
  };
  let body = damaged(isJson ? Buffer.from(otlpJson()) : otlpProtobuf());
  if (random(4) === 0) {
    headers['content-encoding'] = mostly(['gzip', 'x']);
    body = gzipSync(body);
  }
  return { path: pick(['/v1/metrics', '/api/v1/otlp/v1/metrics']), body: damaged(body), headers };
}

const pushed = new PushedStore();

/** All that is kept, whose order must be right. */
function countSamples(from: TelemetryStore): number {
  let count = 0;
  const all = { matchers: [matcher('nothing', '')], startMs: -(2 ** 53), endMs: 2 ** 53 };
  for (const { labels, timestamps, values } of from.metrics.select(all)) {
    expect(timestamps.toSorted()).toEqual(timestamps);
    expect(values.length).toBe(timestamps.length);
    expect([...labels].every(([, content]) => content !== '')).toBe(true);
    count += timestamps.length;
  }
  return count;
}

it(`is answered, and what is taken is kept (${CASES} pushes)`, { timeout: 60_000 + CASES * 50 }, async () => {
  await pushed.expectAnswers(makePush);
  await pushed.expectKept(countSamples);
});

it('refuses times that are none, which would cost all that is read after them', async () => {
  using own = temporaryDirectory();
  const options = { directory: own.path, retention: 'off' as const };
  const labels = Labels.fromObject({ [METRIC_NAME]: 'far' });
  {
    await using store = openTelemetryStore(options);
    for (const timestampMs of [2 ** 62, -(2 ** 62), 2 ** 53, Infinity, Number.NaN])
      expect((await store.metrics.append([{ labels, timestampMs, value: 1 }])).accepted).toBe(0);
    for (const timestampMs of [-(2 ** 50), 0, 2 ** 50])
      expect((await store.metrics.append([{ labels, timestampMs, value: 1 }])).accepted).toBe(1);
  }
  await using store = openTelemetryStore(options);
  const [series] = store.metrics.select({
    matchers: [matcher(METRIC_NAME, 'far')],
    startMs: -(2 ** 53),
    endMs: 2 ** 53,
  });
  expect([...(series?.timestamps ?? [])]).toEqual([-(2 ** 50), 0, 2 ** 50]);
});

const LINES: readonly [string, ...string[]] = [
  'm{a="b"} 1',
  ...['# TYPE m counter', '# HELP m x', '# UNIT m s', '# EOF', '#', '# ', '', ' ', '\t'],
  ...['m{a="b"', 'm{', 'm{a=', 'm{a="', 'm{a="\\', 'm{a="b",} 1', 'm{,} 1', '{"m"} 1', '{"m","a"} 1', '{"m', '{} 1'],
  ...['m', 'm ', 'm x', 'm 1 2 3', 'm 1e999', 'm 0x1p-2', 'm 1_0', 'm NaN', 'm +Inf', 'm\u0000 1', '\ufeffm 1', 'é 1'],
  ...[
    'm 1 # {a="b"} 1',
    'm 1 # {',
    'm 1 # {} 1 1',
    'm_total 1 1 # {a="b"} 1 1',
    '# TYPE m histogram',
    'm_bucket{le="x"} 1',
  ],
  ...['m 1 99999999999999999999', `m{${'a="b",'.repeat(2000)}} 1`, `${'m'.repeat(50_000)} 1`, '#'.repeat(50_000)],
];

function exposition(): Buffer {
  const lines = some(12, () => (random(3) === 0 ? LINES[0] : pick(LINES)));
  return damaged(Buffer.from(lines.join(pick(['\n', '\n', '\n', '\r\n', '\r', '']))));
}

function families(): Buffer {
  const pair = ([key, content]: [string, string]): Buffer => message(1, field(1, key), field(2, content));
  const exemplar = (): Buffer => message(3, ...labelPairs().map(pair), field(2, value()));
  const histogram = (): Buffer =>
    message(
      7,
      ...[field(1, count()), field(2, value()), field(5, zigzag(mostly([0n, 100n, -53n]))), field(6, value())],
      ...some(3, () => message(3, field(1, count()), field(2, value()), ...some(1, exemplar))),
      ...some(2, () => message(12, ...span())),
      ...some(3, () => field(13, zigzag(count()))),
      ...some(2, () => field(14, value())),
    );
  const metric = (): Buffer =>
    message(
      4,
      ...labelPairs().map(pair),
      pick([
        () => message(2, field(1, value())),
        () => message(3, field(1, value()), ...some(1, exemplar)),
        () => message(4, field(1, count()), message(3, field(1, value()), field(2, value()))),
        histogram,
      ])(),
      field(6, time()),
    );
  return damaged(
    Buffer.concat(
      some(3, () => {
        const body = Buffer.concat([
          field(1, name()),
          field(2, text()),
          field(3, BigInt(random(7))),
          ...some(3, metric),
        ]);
        return Buffer.concat([varint(random(60) === 0 ? 1n << 60n : BigInt(body.length)), body]);
      }),
    ),
  );
}

it(`is read or refused when it is scraped (${CASES} bodies of each format)`, { timeout: 60_000 + CASES * 20 }, () => {
  let read = 0;
  let samples = 0;
  const out = { sample: () => samples++, metadata: () => undefined };
  for (let i = 0; i < CASES * 3; i++) {
    const body = i % 3 === 0 ? families() : exposition();
    const cpu = process.cpuUsage();
    try {
      if (i % 3 === 0) parseProtobufExposition(body, true, out);
      else parseExposition(body.toString('utf8'), i % 3 === 1, out);
      read++;
    } catch (error) {
      if (!(error instanceof ExpositionError || error instanceof MalformedError))
        throw new Error(`${i % 3} ${body.toString('base64').slice(0, 2000)}`, { cause: error });
    }
    const { user, system } = process.cpuUsage(cpu);
    expect((user + system) / 1000, body.toString('base64').slice(0, 300)).toBeLessThan(MAX_CPU_MS);
  }
  expect(read).toBeGreaterThan(CASES / 10);
  expect(samples).toBeGreaterThan(CASES);
});
