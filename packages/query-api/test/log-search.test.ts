import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createEngine, LogqlError } from '@kind-e2e/logql';
import { Labels, type LogChunk, type LogEntry, type LogReader } from '@kind-e2e/telemetry';
import { openTelemetryStore } from '@kind-e2e/telemetry-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const engine = createEngine();
const BASE = 1_700_000_000_000_000_000n;
const SECOND = 1_000_000_000n;
const directory = mkdtempSync(join(tmpdir(), 'log-search-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const LEVELS = ['info', 'warn', 'error'];

function lineOf(i: number): string {
  if (i % 41 === 0) return '';
  if (i % 13 === 0)
    return `{"level":"${LEVELS[i % 3]}","took":"${i % 900}ms","size":"${i % 70}KB","user":{"id":${i % 11}}}\r`;
  if (i % 7 === 0) return `level=${LEVELS[i % 3]} took=${i % 300}ms path=/api/${i % 5} café=${i % 3}`;
  const id = (BigInt(i) * 0x9e3779b97f4a7c15n).toString(16).slice(-16).padStart(16, '0');
  return `2026-01-12 11:08:57,${String(i % 1000).padStart(3, '0')} ${i % 37 === 0 ? 'WARN' : 'INFO'} [trace_id=${id}] shard-${i % 97} 10.0.${i % 4}.${i % 250} took ${i % 911}ms`;
}

/** Ten streams, whose lines come in batches that overlap, some of them twice. */
function batches(): { labels: Labels; entries: LogEntry[] }[] {
  const all: { labels: Labels; entries: LogEntry[] }[] = [];
  for (let k = 0; k < 60; k++) {
    const labels = Labels.fromObject({ app: 'web', pod: `web-${k % 3}` });
    const first = Math.floor(k / 3) * 90 - (k % 4 === 0 ? 20 : 0);
    const entries = Array.from({ length: 100 }, (_, i): LogEntry => {
      const n = Math.max(0, first + i) * 3 + (k % 3);
      const timestampNs = BASE + BigInt(n) * 70_000_000n;
      const line = lineOf(n);
      return n % 5 === 0 && k % 3 === 1
        ? { timestampNs, line, structuredMetadata: Labels.fromObject({ trace: `t${n % 3}`, pod: 'other' }) }
        : { timestampNs, line };
    });
    all.push({ labels, entries });
  }
  return all;
}

/** The same lines without a store: whole chunks, unpacked. */
function plainReader(): LogReader {
  const streams = new Map<string, { labels: Labels; entries: Map<string, LogEntry> }>();
  for (const { labels, entries } of batches()) {
    const stream = streams.get(labels.key) ?? { labels, entries: new Map<string, LogEntry>() };
    streams.set(labels.key, stream);
    for (const entry of entries)
      stream.entries.set(`${entry.timestampNs} ${entry.line} ${entry.structuredMetadata?.key}`, entry);
  }
  const sorted = [...streams.values()].map(({ labels, entries }) => ({
    labels,
    entries: [...entries.values()].sort((a, b) => Number(a.timestampNs - b.timestampNs)),
  }));
  return {
    *select({ startNs, endNs }) {
      for (const { labels, entries } of sorted) {
        const wanted = entries.filter(({ timestampNs }) => timestampNs >= startNs && timestampNs < endNs);
        if (wanted.length > 0) yield chunkOf(labels, wanted);
      }
    },
    streams: () => [],
    volumes: () => [],
  };
}

function chunkOf(labels: Labels, entries: readonly LogEntry[]): LogChunk {
  const lines = entries.map(({ line }) => Buffer.from(line));
  let end = 0;
  return {
    labels,
    timestamps: BigInt64Array.from(entries, ({ timestampNs }) => timestampNs),
    text: Buffer.concat(lines),
    ends: Uint32Array.from(lines, ({ length }) => {
      end += length;
      return end;
    }),
    structuredMetadata: entries.map(({ structuredMetadata }) => structuredMetadata),
  };
}

const FILTERS = [
  '',
  '|= "took 7ms"',
  '|= "WARN"',
  '|= "shard-1" != "INFO"',
  '!= "took"',
  '|= ""',
  '|= "café" or "WARN"',
  '|~ "shard-[0-9]*7 10"',
  '|~ "(?i)warn|ERROR"',
  '|~ "^level=(info|warn) took=2"',
  '!~ "[0-9]ms$"',
  '|~ "took=1\\\\b" or "size"',
  '|~ "9e3.*took"',
  '|> "<_> INFO <_> took <_>ms"',
  '|= ip("10.0.2.0/25")',
  '|~ "\\r$"',
  '|= "4a7c15"',
];
/** What is counted of lines. */
function kindsOf(log: string): string[] {
  return [
    `sum(count_over_time(${log} [4m]))`,
    `rate(${log} | keep pod [10s])`,
    `sum by (pod) (bytes_over_time(${log} [35s] offset 5s))`,
    `absent_over_time(${log} [1s])`,
  ];
}

const STAGES = ['| logfmt', '| json', '| json | level="error"', '| pattern "<_> <_> <level> <_>" | level="WARN"'];

describe('a store answers as its lines', () => {
  const plain = plainReader();
  let store: ReturnType<typeof openTelemetryStore>;
  const options = { directory, retention: 'off' as const };

  beforeAll(async () => {
    const all = batches();
    // Each time that it is closed there is a chunk more.
    for (const part of [0, 15, 30]) {
      await using one = openTelemetryStore(options);
      await one.logs.append(all.slice(part, part + 15));
    }
    store = openTelemetryStore(options);
    await store.logs.append(all.slice(45));
  });
  afterAll(() => store.close());

  const startNs = BASE + 3n * SECOND;
  const endNs = BASE + 300n * SECOND;

  const both = async (run: (reader: LogReader) => Promise<unknown>, what: string): Promise<void> => {
    const [own, wanted] = await Promise.all([store.logs, plain].map((reader) => run(reader)));
    expect([what, own]).toEqual([what, wanted]);
  };

  it('log queries, in both directions, with every limit', async () => {
    for (const filter of [...FILTERS, '|= "took" | logfmt', '| json | __error__="" | took > 200ms'])
      for (const direction of ['forward', 'backward'] as const)
        for (const limit of direction === 'forward' ? [3] : [7, 5000]) {
          const query = `{app="web"} ${filter}`;
          const run = async (reader: LogReader): Promise<unknown> => {
            const { value } = await engine.range(reader, query, startNs, endNs, SECOND, { limit, direction });
            if (value.type !== 'streams') throw new Error('not streams');
            return value.streams.map(({ labels, entries }) => [labels.toObject(), entries]);
          };
          await both(run, `${query} ${direction} ${limit}`);
        }
  });

  it('metric queries, at one time and over a range', async () => {
    const inner = [...FILTERS, ...STAGES].map((filter) => `{app="web"} ${filter}`);
    // Each filter with one kind of query, each kind with many filters.
    const queries = inner.map((log, i) => kindsOf(log)[i % 4] ?? '');
    queries.push('sum by (trace, pod) (count_over_time({app="web"} |= "took" [90s]))');
    queries.push('max_over_time({app="web"} | logfmt | unwrap duration(took) | __error__="" [1m]) by (level)');
    for (const query of queries) {
      const result = (run: Promise<Awaited<ReturnType<typeof engine.range>>>): Promise<unknown> =>
        run.then(
          ({ value }) => JSON.stringify(value),
          (error: unknown) => (error instanceof LogqlError ? error.message : Promise.reject(error)),
        );
      await both((reader) => result(engine.instant(reader, query, endNs)), query);
      for (const step of [SECOND / 2n, 7n * SECOND])
        await both((reader) => result(engine.range(reader, query, startNs, endNs, step)), `${query} ${step}`);
    }
  });

  it('and leaves out what it cannot read', async () => {
    const damaged = mkdtempSync(join(tmpdir(), 'log-search-damaged-'));
    try {
      {
        await using whole = openTelemetryStore({ directory: damaged, retention: 'off' });
        await whole.logs.append(batches().slice(0, 3));
      }
      const db = new DatabaseSync(join(damaged, 'logs.db'));
      db.exec("UPDATE shaped_parts SET data = x'00112233' WHERE id % 8 = 0 AND id < 16");
      db.exec("UPDATE shaped SET line_order = x'00' WHERE id = 2");
      db.close();
      await using opened = openTelemetryStore({ directory: damaged, retention: 'off' });
      const count = async (query: string): Promise<number> => {
        const { value } = await engine.instant(opened.logs, query, BASE + 3600n * SECOND);
        return value.type === 'vector' ? (value.samples[0]?.value ?? 0) : Number.NaN;
      };
      // What the shapes tell is still known of all chunks, what stands in the damaged part of one no more.
      expect(await count('sum(count_over_time({app="web"} |= "shard-" [2h]))')).toBeGreaterThan(200);
      const known = await count('sum(count_over_time({app="web"} |~ "took [0-9]+ms" [2h]))');
      expect(known).toBeGreaterThan(0);
      const lines = await engine.range(opened.logs, '{app="web"}', BASE, BASE + 3600n * SECOND, SECOND, {
        limit: 5000,
      });
      expect(lines.stats.entriesReturned).toBeGreaterThanOrEqual(90);
      expect(lines.stats.entriesReturned).toBeLessThanOrEqual(100);
    } finally {
      rmSync(damaged, { recursive: true, force: true });
    }
  });
});
