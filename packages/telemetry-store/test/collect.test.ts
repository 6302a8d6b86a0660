import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FakeClock } from '@kind-e2e/base';
import { Labels, type LogChunk, type LogReader } from '@kind-e2e/telemetry';
import { describe, expect, it } from 'vitest';
import { createPipeline, LogCollector, openTelemetryStore, parsePipelineConfig } from '../src/index.ts';
import { matcher, temporaryDirectory } from './fixtures.ts';

function read(logs: LogReader): string[] {
  const lines: string[] = [];
  const chunks: Iterable<LogChunk> = logs.select({
    matchers: [matcher('namespace', 'default')],
    startNs: 0n,
    endNs: 1n << 62n,
    direction: 'forward',
  });
  for (const chunk of chunks) {
    let from = 0;
    for (const end of chunk.ends) {
      lines.push(`${chunk.labels.get('stream')}: ${Buffer.from(chunk.text.subarray(from, end)).toString()}`);
      from = end;
    }
  }
  return lines.sort();
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('LogCollector', () => {
  it('ships whole lines once, through rotation and restart, with stack traces joined', async () => {
    using directory = temporaryDirectory();
    const logs = join(directory.path, 'pods');
    const folder = join(logs, 'default_web-0_u1', 'main');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, '0.log');
    let n = 0;
    const time = (): string => `2026-01-01T00:00:00.${String(++n).padStart(9, '0')}Z`;
    await using store = openTelemetryStore({ directory: join(directory.path, 'store'), retention: 'off' });
    const options = {
      directory: logs,
      positionsFile: join(directory.path, 'positions.json'),
      writer: store.logs,
      pollMs: 10,
    };
    writeFileSync(
      file,
      `${time()} stdout F one\n${time()} stdout P par\n${time()} stdout F tial\n${time()} stderr F Error: bad\n${time()} stderr F     at x (y:1)\n`,
    );
    {
      await using _collector = new LogCollector(options);
      await until(() => read(store.logs).length === 3);
      appendFileSync(file, `${time()} stdout F torn`);
      renameSync(file, `${file}.20260101`);
      appendFileSync(`${file}.20260101`, ` line\n`);
      writeFileSync(file, `${time()} stdout F after rotation\n`);
      await until(() => read(store.logs).length === 5);
    }
    appendFileSync(file, `${time()} stdout F while away\n`);
    {
      await using _collector = new LogCollector(options);
      await until(() => read(store.logs).length === 6);
    }
    const labels = store.logs.streams([[matcher('stream', 'stdout')]], 0n, 1n << 62n);
    expect(labels.map((set) => set.toObject())).toEqual([
      { container: 'main', job: 'default/main', namespace: 'default', pod: 'web-0', stream: 'stdout' },
    ]);
    expect(read(store.logs)).toEqual([
      'stderr: Error: bad\n    at x (y:1)',
      'stdout: after rotation',
      'stdout: one',
      'stdout: partial',
      'stdout: torn line',
      'stdout: while away',
    ]);
  });

  it('misses nothing of a file that was rotated twice, and compressed, while it was away', async () => {
    using directory = temporaryDirectory();
    const logs = join(directory.path, 'pods');
    const folder = join(logs, 'default_web-0_u1', 'main');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, '0.log');
    let n = 0;
    const line = (text: string): string => `2026-01-01T00:00:00.${String(++n).padStart(9, '0')}Z stdout F ${text}\n`;
    await using store = openTelemetryStore({ directory: join(directory.path, 'store'), retention: 'off' });
    const options = {
      directory: logs,
      positionsFile: join(directory.path, 'positions.json'),
      writer: store.logs,
      pollMs: 10,
    };
    const wanted = ['before it came', 'one', 'two', 'three', 'four', 'five', 'six'];
    writeFileSync(`${file}.20251231-000000.000.gz`, gzipSync(line('before it came')));
    const first = line('one');
    writeFileSync(file, first);
    {
      await using _collector = new LogCollector(options);
      await until(() => read(store.logs).length === 2);
    }
    // Rotated; what came before the rotation; rotated again, which compresses the one before.
    const second = line('two');
    writeFileSync(`${file}.20260101-000000.000.gz`, gzipSync(first + second));
    rmSync(file);
    writeFileSync(`${file}.20260102-000000.000`, line('three') + line('four'));
    writeFileSync(file, line('five'));
    {
      await using _collector = new LogCollector(options);
      await until(() => read(store.logs).length === 6);
      appendFileSync(file, line('six'));
      await until(() => read(store.logs).length === 7);
    }
    expect(read(store.logs)).toEqual(wanted.map((text) => `stdout: ${text}`).sort());
  });
});

describe('createPipeline', () => {
  it('extracts, labels and dates', () => {
    const pipeline = createPipeline([
      { json: { expressions: { level: '', id: 'request.id', at: 'time' } } },
      { regex: { expression: 'user=(?P<user>\\w+)', source: 'id' } },
      { timestamp: { source: 'at', format: 'RFC3339Nano', action_on_failure: 'skip' } },
      { labels: { level: '' } },
      { structured_metadata: { user: '' } },
      { drop: { expression: '"drop":true' } },
    ]);
    const entry = (line: string) => ({ labels: Labels.fromObject({ app: 'a' }), timestampNs: 5n, line });
    const found = pipeline(entry('{"level":"info","request":{"id":"user=eve"},"time":"2026-01-01T00:00:00.5Z"}'));
    expect(found?.labels.toObject()).toEqual({ app: 'a', level: 'info' });
    expect(found?.structuredMetadata?.toObject()).toEqual({ user: 'eve' });
    expect(found?.timestampNs).toBe(BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n + 500_000_000n);
    expect(pipeline(entry('{"drop":true}'))).toBeUndefined();
    expect(pipeline(entry('plain'))).toEqual(entry('plain'));
    expect(() => createPipeline([{ regex: { expression: '(' } }])).toThrow('log pipeline');
  });

  const entry = (line: string) => ({ labels: Labels.fromObject({ app: 'a' }), timestampNs: 5n, line });
  const nanos = (iso: string): bigint => BigInt(Date.parse(iso)) * 1_000_000n;

  it('undoes the formats of container runtimes, and keeps their parts for later stages', () => {
    const docker = createPipeline([{ docker: {} }, { structured_metadata: { at: 'timestamp' } }]);
    const found = docker(entry('{"log":"hello\\n","stream":"stderr","time":"2026-01-01T00:00:00.5Z"}'));
    expect(found).toMatchObject({ line: 'hello', timestampNs: nanos('2026-01-01T00:00:00Z') + 500_000_000n });
    expect(found?.labels.toObject()).toEqual({ app: 'a', stream: 'stderr' });
    expect(found?.structuredMetadata?.toObject()).toEqual({ at: '2026-01-01T00:00:00.5Z' });
    const cri = createPipeline([{ cri: {} }, { structured_metadata: { flags: '' } }]);
    const record = cri(entry('2026-01-01T00:00:00.5Z stdout F a line'));
    expect(record).toMatchObject({ line: 'a line', timestampNs: nanos('2026-01-01T00:00:00Z') + 500_000_000n });
    expect(record?.structuredMetadata?.toObject()).toEqual({ flags: 'F' });
    expect(cri(entry('no record'))).toMatchObject({ line: 'no record', timestampNs: 5n });
  });

  it.each([
    ['RFC3339', '2026-03-01T10:00:00+02:00', '2026-03-01T08:00:00Z'],
    ['RFC1123', 'Sun, 01 Mar 2026 10:00:00 UTC', '2026-03-01T10:00:00Z'],
    ['ANSIC', 'Sun Mar  1 10:00:00 2026', '2026-03-01T10:00:00Z'],
    ['UnixMs', '1772359200000', '2026-03-01T10:00:00Z'],
    ['02/Jan/2006:15:04:05 -0700', '01/Mar/2026:10:00:00 +0100', '2026-03-01T09:00:00Z'],
    ['2006-01-02 15:04:05', '2026-03-01 10:00:00', '2026-03-01T10:00:00Z'],
    ['Jan _2 15:04:05', 'Mar  1 10:00:00', '2026-03-01T10:00:00Z'],
    ['Jan _2 15:04:05', 'Dec 31 23:00:00', '2026-12-31T23:00:00Z'],
  ])('reads times as %s', (format, text, expected) => {
    const clock = new FakeClock(Date.UTC(2026, 5, 1));
    const stages = [{ regex: { expression: '^(?P<at>.*)$' } }, { timestamp: { source: 'at', format } }];
    expect(createPipeline(stages, clock)(entry(text))?.timestampNs).toBe(nanos(expected));
  });

  it('tells the year around the new year, the zone, other formats, and what to do with a line without a time', () => {
    const at = { regex: { expression: '^(?P<at>[^|]*)' } };
    const january = new FakeClock(Date.UTC(2026, 0, 1, 1));
    const layout = 'Jan _2 15:04:05';
    expect(
      createPipeline([at, { timestamp: { source: 'at', format: layout } }], january)(entry('Dec 31 23:59:00'))
        ?.timestampNs,
    ).toBe(nanos('2025-12-31T23:59:00Z'));
    const berlin = { source: 'at', format: '2006-01-02 15:04', location: 'Europe/Berlin' };
    expect(createPipeline([at, { timestamp: berlin }])(entry('2026-07-01 10:00'))?.timestampNs).toBe(
      nanos('2026-07-01T08:00:00Z'),
    );
    const several = { source: 'at', format: 'RFC3339', fallback_formats: ['Unix', '2006-01-02'] };
    const fudging = createPipeline([at, { timestamp: several }]);
    expect(fudging(entry('never'))?.timestampNs).toBe(5n);
    expect(fudging(entry('2026-07-01'))?.timestampNs).toBe(nanos('2026-07-01T00:00:00Z'));
    expect(fudging(entry('never'))?.timestampNs).toBe(nanos('2026-07-01T00:00:00Z') + 1n);
    expect(fudging(entry('never'))?.timestampNs).toBe(nanos('2026-07-01T00:00:00Z') + 2n);
    const skipping = createPipeline([at, { timestamp: { ...several, action_on_failure: 'skip' } }]);
    skipping(entry('2026-07-01'));
    expect(skipping(entry('never'))?.timestampNs).toBe(5n);
  });

  it('is written in YAML', () => {
    const stages = parsePipelineConfig(`
pipeline_stages:
  - cri:
  - json:
      expressions: { level:, first: 'items[0]."odd name"' }
      drop_malformed: true
  - timestamp: { source: at, format: Unix, fallback_formats: [UnixMs], action_on_failure: skip }
  - labels: { level: }
`);
    const pipeline = createPipeline(stages);
    const found = pipeline(entry('2026-01-01T00:00:00Z stdout F {"level":"info","items":[{"odd name":7}]}'));
    expect(found?.labels.toObject()).toEqual({ app: 'a', level: 'info', stream: 'stdout' });
    expect(pipeline(entry('2026-01-01T00:00:00Z stdout F no json'))).toBeUndefined();
    expect(parsePipelineConfig('')).toEqual([]);
  });

  it.each([
    ['pipeline_stages: [{ multiline: {} }]', 'log pipeline.pipeline_stages[0]: there is no stage "multiline"'],
    ['pipeline_stages: [{ cri: , docker: }]', 'a stage has one name, not cri and docker'],
    ['pipeline_stages: [{ regex: {} }]', 'log pipeline.pipeline_stages[0].regex.expression: is required'],
    ['pipeline_stages: [{ output: { source: a, more: b } }]', 'output.more: this field is not supported'],
    ['pipeline_stages: [{ timestamp: { source: a, format: b, action_on_failure: c } }]', 'expected skip or fudge'],
    ['stages: []', 'log pipeline.stages: this field is not supported'],
    ['pipeline_stages: {', 'log pipeline: '],
  ])('refuses %s', (yaml, message) => {
    expect(() => parsePipelineConfig(yaml)).toThrow(message);
  });

  it.each([
    [{ json: { expressions: { a: 'a.b | length(@)' } } }, 'is more than names and indexes'],
    [{ timestamp: { source: 'a', format: 'Unix', location: 'Nowhere/City' } }, 'unknown time zone Nowhere/City'],
    [{ regex: { expression: 'no group' } }, 'has no named group'],
  ])('refuses the stage %o', (stage, message) => {
    expect(() => createPipeline([stage])).toThrow(message);
  });
});
