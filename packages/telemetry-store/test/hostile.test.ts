import { closeSync, openSync, readdirSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createLogger } from '@kind-e2e/base';
import { Labels } from '@kind-e2e/telemetry';
import { describe, expect, it } from 'vitest';
import { createReceiver, openTelemetryStore } from '../src/index.ts';
import { encodeSpans } from '../src/traces/span-codec.ts';
import { makeTrace, matcher, temporaryDirectory } from './fixtures.ts';

/** The same numbers each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const CASES = Number(process.env.HOSTILE_CASES ?? 600);

describe('hostile input', () => {
  it(`is answered in the protocol's own form (${CASES} cases)`, { timeout: 20_000 + CASES * 50 }, async () => {
    using directory = temporaryDirectory();
    await using store = openTelemetryStore({ directory: directory.path, retention: 'off' });
    const receive = createReceiver({ store, bodyLimits: { maxBodyBytes: 1 << 20, maxDecodedBytes: 1 << 21 } });
    const server = createServer((request, response) => {
      if (!receive(request, response)) response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const next = random(42);
    const zipkin = JSON.stringify([
      {
        traceId: '463ac35c9f6413ad',
        id: '72485a3953bb6124',
        name: 'get',
        timestamp: 1,
        tags: { a: 'b' },
        annotations: [{ timestamp: 1, value: 'x' }],
      },
    ]);
    const loki = JSON.stringify({ streams: [{ stream: { app: 'x' }, values: [['1', 'a', { b: 'c' }]] }] });
    const otlp = encodeSpans(makeTrace(1, 5n)).copy();
    const otlpJson = JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'a', value: { kvlistValue: { values: [] } } }] },
          scopeSpans: [{ spans: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), events: [{}] }] }],
        },
      ],
    });
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const targets: [string, string, Buffer | string, string?][] = [
      ['/api/v2/spans', 'application/json', zipkin],
      ['/api/v2/spans', 'application/x-protobuf', otlp],
      ['/api/v1/spans', 'application/json', zipkin],
      ['/v1/traces', 'application/x-protobuf', otlp],
      ['/v1/traces', 'application/json', otlpJson],
      ['/v1/metrics', 'application/x-protobuf', otlp],
      ['/v1/metrics', 'application/json', otlpJson.replaceAll('Spans', 'Metrics').replaceAll('spans', 'metrics')],
      ['/v1/logs', 'application/x-protobuf', otlp],
      ['/loki/api/v1/push', 'application/json', loki],
      ['/loki/api/v1/push', 'application/x-protobuf', otlp],
      ['/api/v1/write', 'application/x-protobuf', otlp, 'snappy'],
      ['/v1/traces', 'application/x-protobuf', otlp, 'gzip'],
    ];
    for (let i = 0; i < CASES; i++) {
      const [path, type, good, encoding] = targets[i % targets.length]!;
      const bytes = Buffer.from(good);
      const mode = Math.floor(next() * 5);
      let body = bytes;
      if (mode === 0) body = bytes.subarray(0, Math.floor(next() * bytes.length));
      else if (mode === 1)
        for (let k = 0; k < 5; k++) bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
      else if (mode === 2)
        body = Buffer.from(
          String(good).replace(/"[^"]*"/g, (text) =>
            next() < 0.2 ? ['null', '{}', '[]', '1e999', '-1', '"\\u0000"'][Math.floor(next() * 6)]! : text,
          ),
        );
      else if (mode === 3) body = Buffer.from(Array.from({ length: 200 }, () => Math.floor(next() * 256)));
      else body = Buffer.from(deep);
      const response = await fetch(base + path, {
        method: 'POST',
        body,
        headers: { 'content-type': type, ...(encoding && { 'content-encoding': encoding }) },
      });
      await response.arrayBuffer();
      expect(response.status, `case ${i}: ${path} ${type} mode ${mode}`).toBeLessThan(500);
    }
    server.close().closeAllConnections();
  });
});

describe('damage', () => {
  it('to files costs only what is damaged, with a warning', async () => {
    using directory = temporaryDirectory();
    const warnings: string[] = [];
    const logger = createLogger({ write: (line) => warnings.push(JSON.parse(line).msg) });
    const options = { directory: directory.path, retention: 'off' as const, logger };
    const base = 1_767_225_600_000;
    {
      await using store = openTelemetryStore(options);
      for (let i = 0; i < 30; i++) {
        const samples = Array.from({ length: 2000 }, (_, k) => ({
          labels: Labels.fromObject({ __name__: 'm', i: String(k % 50) }),
          timestampMs: base + i * 100_000 + Math.floor(k / 50) * 1000,
          value: Math.sin(i * k),
        }));
        await store.metrics.append(samples);
        await store.logs.append([
          {
            labels: Labels.fromObject({ app: `a${i % 3}` }),
            entries: Array.from({ length: 500 }, (_, k) => ({
              timestampNs: BigInt(base) * 1_000_000n + BigInt(i * 1000 + k),
              line: `${Math.sin(i * 1000 + k)}`.repeat(10),
            })),
          },
        ]);
        await store.traces.append(
          Array.from({ length: 100 }, (_, k) => makeTrace(i * 100 + k, BigInt(base) * 1_000_000n)).flat(),
        );
      }
    }
    const next = random(7);
    for (const file of ['metrics.db', 'logs.db', 'traces.db']) {
      const path = join(directory.path, file);
      const fd = openSync(path, 'r+');
      const { size } = statSync(path);
      // Not the first pages: those hold the tables' roots.
      for (let k = 0; k < 6; k++)
        writeSync(fd, Buffer.alloc(3000, 0xee), 0, 3000, 65_536 + Math.floor(next() * (size - 70_000)));
      closeSync(fd);
    }
    for (const file of readdirSync(join(directory.path, 'wal')))
      truncateSync(
        join(directory.path, 'wal', file),
        Math.floor(statSync(join(directory.path, 'wal', file)).size * 0.7),
      );
    {
      await using store = openTelemetryStore(options);
      const series = store.metrics.select({ matchers: [matcher('__name__', 'm')], startMs: 0, endMs: Infinity });
      expect(series.length).toBeGreaterThan(10);
      const chunks = [
        ...store.logs.select({
          matchers: [matcher('app', 'a.', '=~')],
          startNs: 0n,
          endNs: 1n << 62n,
          direction: 'forward',
        }),
      ];
      expect(chunks.length).toBeGreaterThan(0);
      store.traces.search({ startNs: 0n, endNs: 1n << 62n, limit: 20 });
      let found = 0;
      for (let n = 0; n < 3000; n += 10)
        if (store.traces.trace(makeTrace(n, 0n)[0]?.traceId ?? '').length === 4) found++;
      expect(found).toBeGreaterThan(50);
      await store.metrics.append([{ labels: Labels.fromObject({ __name__: 'after' }), timestampMs: base, value: 1 }]);
      expect(warnings.some((message) => message.includes('cannot be read'))).toBe(true);
    }
    writeFileSync(join(directory.path, 'logs.db'), 'no database at all '.repeat(1000));
    {
      await using store = openTelemetryStore(options);
      expect(warnings.some((message) => message.includes('put aside'))).toBe(true);
      await store.logs.append([
        { labels: Labels.fromObject({ app: 'new' }), entries: [{ timestampNs: 1n, line: 'x' }] },
      ]);
      expect(
        store.metrics.select({ matchers: [matcher('__name__', 'after')], startMs: 0, endMs: Infinity }),
      ).toHaveLength(1);
    }
  });
});
