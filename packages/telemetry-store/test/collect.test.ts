import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Labels, type LogChunk, type LogReader } from '@kind-e2e/telemetry';
import { describe, expect, it } from 'vitest';
import { createPipeline, LogCollector, openTelemetryStore } from '../src/index.ts';
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
});

describe('createPipeline', () => {
  it('extracts, labels and dates', () => {
    const pipeline = createPipeline([
      { json: { expressions: { level: '', id: 'request.id', at: 'time' } } },
      { regex: { expression: 'user=(?P<user>\\w+)', source: 'id' } },
      { timestamp: { source: 'at', format: 'RFC3339Nano' } },
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
});
