import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FakeClock } from '@kind-e2e/base';
import { type BatchSeries, isStaleAt, Labels, type LogChunk, type Sample } from '@kind-e2e/telemetry';
import { describe, expect, it } from 'vitest';
import { openTelemetryStore } from '../src/index.ts';
import { compress } from '../src/logs/chunk-codec.ts';
import { makeTrace, matcher, temporaryDirectory } from './fixtures.ts';

const START = Date.UTC(2026, 0, 1);

function linesOf(chunks: Iterable<LogChunk>): string[] {
  const lines: string[] = [];
  for (const chunk of chunks) {
    let from = 0;
    chunk.ends.forEach((end, i) => {
      lines.push(`${chunk.timestamps[i]} ${Buffer.from(chunk.text.subarray(from, end)).toString()}`);
      from = end;
    });
  }
  return lines;
}

describe('metrics', () => {
  it('takes batches as it takes samples, and leaves no log behind when it is closed', async () => {
    using directory = temporaryDirectory();
    const options = { directory: directory.path, retention: 'off' as const, clock: new FakeClock(START) };
    const all = { matchers: [matcher('__name__', 'b_total')], startMs: 0, endMs: Infinity };
    const series = [1, 2].map((i) => ({ labels: Labels.fromObject({ __name__: 'b_total', i: String(i) }) }));
    const [first, second] = series as [BatchSeries, BatchSeries];
    const send = (store: ReturnType<typeof openTelemetryStore>, rows: readonly [BatchSeries, number, number][]) =>
      store.metrics.appendBatch({
        count: rows.length,
        series: rows.map(([one]) => one),
        timestampsMs: Float64Array.from(rows, ([, time]) => time),
        values: Float64Array.from(rows, ([, , value]) => value),
        stale: Uint8Array.from(rows, ([, , value]) => (Number.isNaN(value) ? 1 : 0)),
      });
    const read = (store: ReturnType<typeof openTelemetryStore>): unknown =>
      store.metrics
        .select(all)
        .map(({ labels, timestamps, values }) => [
          labels.get('i'),
          ...Array.from(timestamps, (time, at) => [time, isStaleAt(values, at) ? 'stale' : values[at]]),
        ]);
    const wanted = [
      ['1', [START, 1], [START + 500, 4], [START + 1000, 2.5], [START + 2000, 'stale']],
      ['2', [START, 7]],
    ];
    {
      await using store = openTelemetryStore(options);
      const rows: [BatchSeries, number, number][] = [
        [first, START, 1],
        [second, START, 7],
        [first, START + 1000, 2.5],
        [first, START + 2000, Number.NaN],
      ];
      expect(await send(store, rows)).toEqual({ accepted: 4, rejected: [] });
      expect(
        await send(store, [
          [first, START + 500, 4],
          [second, START, 7],
          [second, START, 8],
          [second, Number.NaN, 8],
        ]),
      ).toEqual({
        accepted: 2,
        rejected: [
          { reason: 'invalid timestamp', count: 1 },
          { reason: 'duplicate sample for timestamp', count: 1 },
        ],
      });
      expect(read(store)).toEqual(wanted);
    }
    expect(readdirSync(join(directory.path, 'wal')).filter((name) => name.startsWith('metrics'))).toEqual([]);
    await using store = openTelemetryStore(options);
    expect(read(store)).toEqual(wanted);
    expect(await send(store, [[second, START + 1000, 9]])).toEqual({ accepted: 1, rejected: [] });
  });

  it('gives back samples of heads and of the file, across a restart, in any order of arrival', async () => {
    using directory = temporaryDirectory();
    const clock = new FakeClock(START);
    const options = { directory: directory.path, retention: 'off' as const, clock };
    const seriesOf = (i: number): Labels => Labels.fromObject({ __name__: 'x_total', job: 'a', i: String(i) });
    const values = new Map<string, number>();
    const send = async (store: ReturnType<typeof openTelemetryStore>, from: number, to: number): Promise<void> => {
      const samples: Sample[] = [];
      for (let t = from; t < to; t++)
        for (let i = 0; i < 5; i++) {
          const value = t * i + (i === 3 ? 0.1 : 0);
          values.set(`${i} ${START + t * 5000}`, value);
          samples.push({ labels: seriesOf(i), timestampMs: START + t * 5000, value });
        }
      const result = await store.metrics.append(samples);
      expect(result).toEqual({ accepted: samples.length, rejected: [] });
    };
    const check = (store: ReturnType<typeof openTelemetryStore>, from: number, to: number): void => {
      const found = store.metrics.select({ matchers: [matcher('__name__', 'x_total')], startMs: from, endMs: to });
      expect(found).toHaveLength(5);
      for (const series of found) {
        const wanted = [...values]
          .filter(([key]) => key.startsWith(`${series.labels.get('i')} `))
          .map(([key, v]) => [Number(key.split(' ')[1]), v] as const)
          .filter(([t]) => t >= from && t <= to)
          .sort((a, b) => a[0] - b[0]);
        expect([...series.timestamps]).toEqual(wanted.map(([t]) => t));
        expect([...series.values]).toEqual(wanted.map(([, v]) => v));
      }
    };
    {
      await using store = openTelemetryStore(options);
      await send(store, 1000, 1700);
      await send(store, 100, 200);
      check(store, 0, Infinity);
      check(store, START + 1100 * 5000, START + 1500 * 5000);
    }
    {
      await using store = openTelemetryStore(options);
      check(store, 0, Infinity);
      await send(store, 1700, 2600);
      await send(store, 0, 50);
      check(store, 0, Infinity);
      check(store, START + 10 * 5000, START + 1650 * 5000);
      expect(store.metrics.labelValues('i', [], 0, Infinity)).toEqual(['0', '1', '2', '3', '4']);
      expect(store.metrics.labelNames([], 0, Infinity)).toEqual(['__name__', 'i', 'job']);
      expect(store.metrics.series([[matcher('i', '[12]', '=~')], [matcher('i', '4')]], 0, Infinity)).toHaveLength(3);
      // Again: the same samples are no news.
      await send(store, 2500, 2600);
      check(store, 0, Infinity);
    }
  });

  it('keeps stale markers, exemplars, native histograms and metadata', async () => {
    using directory = temporaryDirectory();
    const options = { directory: directory.path, clock: new FakeClock(START) };
    const labels = Labels.fromObject({ __name__: 'h', job: 'a' });
    const histogram = {
      counterResetHint: 'unknown',
      schema: 3,
      zeroThreshold: 1e-128,
      zeroCount: 1,
      count: 7,
      sum: 3.5,
      positiveSpans: [
        { offset: -2, length: 2 },
        { offset: 3, length: 1 },
      ],
      positiveBuckets: [1, 2, 3],
      negativeSpans: [],
      negativeBuckets: [],
      customValues: [],
    } as const;
    const exemplar = { labels: Labels.fromObject({ trace_id: 'abc' }), value: 0.3, timestampMs: START };
    {
      await using store = openTelemetryStore(options);
      await store.metrics.append([{ labels, timestampMs: START, value: 0, histogram, exemplar }]);
      await store.metrics.append([{ labels, timestampMs: START + 1000, value: 0, stale: true }]);
      store.metrics.setMetadata('h', { type: 'histogram', help: 'What it is.', unit: 's' });
    }
    {
      await using store = openTelemetryStore(options);
      const [series] = store.metrics.select({ matchers: [matcher('job', 'a')], startMs: 0, endMs: Infinity });
      expect(series?.histograms?.[0]).toEqual(histogram);
      expect(isStaleAt(series!.values, 1)).toBe(true);
      expect(store.metrics.exemplars([[matcher('job', 'a')]], 0, Infinity)).toEqual([
        { labels, exemplars: [exemplar] },
      ]);
      expect(store.metrics.metadata().get('h')).toEqual([{ type: 'histogram', help: 'What it is.', unit: 's' }]);
    }
  });

  it('refuses what is beyond the limits, and says so', async () => {
    using directory = temporaryDirectory();
    const clock = new FakeClock(START);
    await using store = openTelemetryStore({ directory: directory.path, clock, limits: { maxSeries: 2 } });
    const sample = (i: number, timestampMs: number): Sample => ({
      labels: Labels.fromObject({ __name__: 'x', i: String(i) }),
      timestampMs,
      value: timestampMs,
    });
    const result = await store.metrics.append([
      sample(0, START),
      sample(1, START + 3_600_000),
      sample(1, START),
      sample(2, START),
      sample(0, START - 7_200_000),
    ]);
    expect(result.accepted).toBe(2);
    expect(result.rejected).toEqual([
      { reason: 'timestamp too far in the future', count: 1 },
      { reason: 'limit of 2 series exceeded', count: 1 },
      { reason: 'out of order sample', count: 1 },
    ]);
  });
});

describe('logs', () => {
  it('gives lines once, in order of time, across a restart, however they arrive', async () => {
    using directory = temporaryDirectory();
    const options = { directory: directory.path, retention: 'off' as const, clock: new FakeClock(START) };
    const base = BigInt(START) * 1_000_000n;
    const labels = Labels.fromObject({ app: 'web', pod: 'web-0' });
    const metadata = Labels.fromObject({ trace_id: 'abc' });
    const entry = (i: number) => ({
      timestampNs: base + BigInt(i),
      line: `line ${i} ${'ä'.repeat(i % 50)}`,
      ...(i % 3 === 0 && { structuredMetadata: metadata }),
    });
    const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => entry(from + i));
    const wanted = range(0, 60_000).map((e) => `${e.timestampNs} ${e.line}`);
    const all = { matchers: [matcher('app', 'web')], startNs: 0n, endNs: 1n << 62n, direction: 'forward' as const };
    {
      await using store = openTelemetryStore(options);
      await store.logs.append([{ labels, entries: range(20_000, 40_000) }]);
      await store.logs.append([{ labels, entries: range(0, 10_000) }]);
      await store.logs.append([{ labels, entries: range(5_000, 20_000) }]);
      expect(linesOf(store.logs.select(all))).toEqual(wanted.slice(0, 40_000));
    }
    {
      await using store = openTelemetryStore(options);
      expect(linesOf(store.logs.select(all))).toEqual(wanted.slice(0, 40_000));
      await store.logs.append([{ labels, entries: range(35_000, 60_000) }]);
      expect(linesOf(store.logs.select(all))).toEqual(wanted);
      const part = { ...all, startNs: base + 100n, endNs: base + 20_100n };
      expect(linesOf(store.logs.select(part))).toEqual(wanted.slice(100, 20_100));
      const [volume] = store.logs.volumes(all.matchers, part.startNs, part.endNs);
      expect(volume?.entries).toBe(20_000);
      expect(volume?.bytes).toBe(range(100, 20_100).reduce((sum, e) => sum + Buffer.byteLength(e.line), 0));
      const [first] = store.logs.select(all);
      expect(first?.structuredMetadata?.slice(0, 2)).toEqual([metadata, undefined]);
      expect(store.logs.streams([], 0n, 1n << 62n)).toEqual([labels]);
    }
  });

  it('reads chunks of earlier versions, whose text is in one piece', async () => {
    using directory = temporaryDirectory();
    const options = { directory: directory.path, retention: 'off' as const, clock: new FakeClock(START) };
    const labels = Labels.fromObject({ app: 'web' });
    const entries = ['one', 'two 2', 'three'].map((line, i) => ({ timestampNs: BigInt(i + 1), line }));
    {
      await using store = openTelemetryStore(options);
      await store.logs.append([{ labels, entries }]);
    }
    const db = new DatabaseSync(join(directory.path, 'logs.db'));
    db.prepare('UPDATE chunks SET text = ?').run(compress(Buffer.from('onetwo 2three')));
    db.exec('DROP TABLE shaped; DROP TABLE shaped_parts; DROP TABLE shaped_words; DROP TRIGGER shaped_gone');
    db.close();
    await using store = openTelemetryStore(options);
    const all = { matchers: [matcher('app', 'web')], startNs: 0n, endNs: 1n << 62n, direction: 'forward' as const };
    expect(linesOf(store.logs.select(all))).toEqual(['1 one', '2 two 2', '3 three']);
    expect(linesOf(store.logs.select({ ...all, contains: [Buffer.from('four')] }))).toEqual([]);
    expect(linesOf(store.logs.select({ ...all, startNs: 2n, endNs: 3n }))).toEqual(['2 two 2']);
    await store.logs.append([{ labels, entries: [{ timestampNs: 2n, line: 'new' }] }]);
    expect(linesOf(store.logs.select(all))).toEqual(['1 one', '2 two 2', '2 new', '3 three']);
  });

  it('tells subscribers, and refuses what is too old, too new or too long', async () => {
    using directory = temporaryDirectory();
    await using store = openTelemetryStore({ directory: directory.path, clock: new FakeClock(START) });
    const now = BigInt(START) * 1_000_000n;
    const heard: string[] = [];
    using _subscription = store.logs.subscribe([matcher('app', 'web')], (_labels, entries) =>
      heard.push(...entries.map((e) => e.line)),
    );
    const day = 86_400_000_000_000n;
    const result = await store.logs.append([
      {
        labels: Labels.fromObject({ app: 'web' }),
        entries: [
          { timestampNs: now, line: 'good' },
          { timestampNs: now - 30n * day, line: 'old' },
          { timestampNs: now + day, line: 'new' },
          { timestampNs: now, line: 'x'.repeat(300_000) },
        ],
      },
      { labels: Labels.fromObject({ app: 'other' }), entries: [{ timestampNs: now, line: 'unheard' }] },
    ]);
    expect(result.accepted).toBe(2);
    expect(result.rejected.map(({ reason }) => reason)).toEqual([
      `entry for stream '{app="web"}' has timestamp too old: 2025-12-02T00:00:00Z, oldest acceptable timestamp is: 2025-12-25T00:00:00Z`,
      `entry for stream '{app="web"}' has timestamp too new: 2026-01-02T00:00:00Z`,
      `Max entry size '262144' bytes exceeded for stream '{app="web"}' while adding an entry with length '300000' bytes`,
    ]);
    expect(heard).toEqual(['good']);
  });
});

describe('traces', () => {
  it('gives whole traces by id and by search, from memory and from blocks, across a restart', async () => {
    using directory = temporaryDirectory();
    const options = { directory: directory.path, retention: 'off' as const, clock: new FakeClock(START) };
    const base = BigInt(START) * 1_000_000n;
    const traces = Array.from({ length: 6000 }, (_, n) =>
      makeTrace(n, base + BigInt(n) * 10_000_000n, 100 + (n % 977)),
    );
    {
      await using store = openTelemetryStore(options);
      for (let i = 0; i < traces.length; i += 100) {
        const spans = traces.slice(i, i + 100).flat();
        expect(await store.traces.append(spans)).toEqual({ accepted: spans.length, rejected: [] });
      }
      expect(store.traces.trace(traces[5999]![0]!.traceId)).toEqual(traces[5999]);
    }
    {
      await using store = openTelemetryStore(options);
      for (const n of [0, 1, 4321, 5999]) expect(store.traces.trace(traces[n]![0]!.traceId)).toEqual(traces[n]);
      expect(store.traces.trace('f'.repeat(32))).toEqual([]);
      expect(store.traces.services()).toEqual(['business-logic', 'front-end']);
      expect(store.traces.operations('front-end')).toEqual([
        { name: 'GET', kind: 'client' },
        { name: 'GET /slow-page', kind: 'server' },
      ]);
      const all = { startNs: 0n, endNs: 1n << 62n, limit: 3 };
      const idsOf = (found: readonly (readonly { traceId: string }[])[]) => found.map((trace) => trace[0]!.traceId);
      const newest = [5999, 5998, 5997].map((n) => traces[n]![0]!.traceId);
      expect(idsOf(store.traces.search({ ...all, service: 'front-end' }))).toEqual(newest);
      expect(
        idsOf(
          store.traces.search({
            ...all,
            service: 'business-logic',
            operation: 'data_transformation',
            tags: { error: 'true' },
          }),
        ),
      ).toEqual([5995, 5990, 5985].map((n) => traces[n]![0]!.traceId));
      expect(idsOf(store.traces.search({ ...all, tags: { 'request.id': 'r-17-0' } }))).toEqual([
        traces[17]![0]!.traceId,
      ]);
      for (let n = 0; n < traces.length; n += 97)
        expect(
          idsOf(
            store.traces.search({ ...all, tags: { 'request.id': `r-${n}-2`, 'http.response.status_code': '200' } }),
          ),
        ).toEqual([traces[n]![0]!.traceId]);
      expect(idsOf(store.traces.search({ ...all, tags: { 'process.pid': '42', n: '1200', ok: 'true' } }))).toEqual([
        traces[1200]![0]!.traceId,
      ]);
      expect(store.traces.search({ ...all, tags: { 'request.id': 'nothing' } })).toEqual([]);
      const longest = traces.toSorted(
        (a, b) =>
          Number(b[0]!.endTimeUnixNano - b[0]!.startTimeUnixNano) -
          Number(a[0]!.endTimeUnixNano - a[0]!.startTimeUnixNano),
      );
      const found = store.traces.search({ ...all, limit: 6, service: 'front-end', order: 'longest' });
      expect(found.map((t) => t[0]!.endTimeUnixNano - t[0]!.startTimeUnixNano)).toEqual(
        longest.slice(0, 6).map((t) => t[0]!.endTimeUnixNano - t[0]!.startTimeUnixNano),
      );
      expect(
        store.traces.search({ ...all, limit: 100, service: 'front-end', minDurationNs: 1_075_000_000n }),
      ).toHaveLength(12);
      expect(store.traces.dependencies(0n, 1n << 62n)).toEqual([
        { parent: 'front-end', child: 'business-logic', callCount: 6000, errorCount: 0 },
      ]);
    }
  });

  it('gives Zipkin’s shared spans ids of their own and leaves out repeats', async () => {
    using directory = temporaryDirectory();
    await using store = openTelemetryStore({ directory: directory.path, clock: new FakeClock(START) });
    const [root, client, server, inner] = makeTrace(1, BigInt(START) * 1_000_000n) as [never, never, never, never];
    const spans = [
      root,
      client,
      {
        ...(server as object),
        spanId: (client as { spanId: string }).spanId,
        parentSpanId: (root as { spanId: string }).spanId,
      },
      { ...(inner as object), parentSpanId: (client as { spanId: string }).spanId },
    ] as never[];
    await store.traces.append(spans);
    await store.traces.append(spans);
    const trace = store.traces.trace((root as { traceId: string }).traceId);
    expect(trace).toHaveLength(4);
    expect(new Set(trace.map((span) => span.spanId)).size).toBe(4);
    expect(trace[2]!.parentSpanId).toBe(trace[1]!.spanId);
    expect(trace[3]!.parentSpanId).toBe(trace[2]!.spanId);
    expect(store.traces.dependencies(0n, 1n << 62n)).toEqual([
      { parent: 'front-end', child: 'business-logic', callCount: 2, errorCount: 0 },
    ]);
  });
});
