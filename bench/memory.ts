/**
 * The whole observability process: a million spans, a million lines and 5,000 series, then what it holds, at rest and
 * after questions, and how long it takes to open again.
 *
 *     node bench/memory.ts [thousands of spans and of lines, default 1000] [series, default 5000] [quiet seconds, default 60]
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTelemetryServer, type TelemetryServer } from './support/telemetry-server.ts';

const BATCH = 1000;
const SAMPLES_A_SERIES = 240;
const SCRAPE_MS = 15_000;
const START_MS = Date.now() - SAMPLES_A_SERIES * SCRAPE_MS;
const START_NS = BigInt(START_MS) * 1_000_000n;

function hex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

const traceIds: string[] = [];

function spans(batch: number): string {
  const all: unknown[] = [];
  for (let t = 0; t < BATCH / 10; t++) {
    const traceId = hex(16);
    if (traceIds.length < 1000) traceIds.push(traceId);
    let parentId: string | undefined;
    for (let i = 0; i < 10; i++) {
      const id = hex(8);
      all.push({
        traceId,
        id,
        ...(parentId && { parentId }),
        name: `GET /${i % 4}`,
        kind: i % 2 ? 'CLIENT' : 'SERVER',
        timestamp: (START_MS + batch * 10) * 1000 + i * 1000,
        duration: 50_000 + i * 1000 + (batch % 97) * 100,
        localEndpoint: { serviceName: `service-${i % 5}` },
        tags: {
          component: 'proxy',
          'http.method': 'GET',
          'http.status_code': '200',
          'guid:x-request-id': hex(16),
        },
      });
      parentId = id;
    }
  }
  return JSON.stringify(all);
}

function lines(batch: number): string {
  const values = Array.from({ length: BATCH }, (_, i) => [
    String(START_NS + BigInt(batch * BATCH + i) * 1_000_000n),
    `2026-01-12 11:08:57,516 INFO [views] [views.ts:47] [trace_id=${hex(16)} span_id=${hex(8)} resource.service.name=business-logic] - Calling the slow function took ${i}ms`,
  ]);
  return JSON.stringify({ streams: [{ stream: { app: `app-${batch % 5}`, pod: `pod-${batch % 5}` }, values }] });
}

/** One scrape of all series, as OTLP sends a gauge. */
function samples(scrape: number, series: number): string {
  const timeUnixNano = String(START_NS + BigInt(scrape * SCRAPE_MS) * 1_000_000n);
  const dataPoints = Array.from({ length: series }, (_, i) => ({
    timeUnixNano,
    asDouble: Math.round(Math.sin((scrape + i) / 20) * 1000) + i,
    attributes: [
      { key: 'pod', value: { stringValue: `pod-${i % 100}` } },
      { key: 'path', value: { stringValue: `/path/${Math.floor(i / 100)}` } },
    ],
  }));
  return JSON.stringify({
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'bench_value', gauge: { dataPoints } }] }] }],
  });
}

async function load(server: TelemetryServer, path: string, bodies: Iterable<string>): Promise<void> {
  const iterator = bodies[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let next = iterator.next(); !next.done; next = iterator.next()) {
        const { status, text } = await server.call('POST', path, next.value);
        if (status >= 300) throw new Error(`${path} answered ${status} ${text}`);
      }
    }),
  );
}

function* repeat(count: number, make: (i: number) => string): Generator<string> {
  for (let i = 0; i < count; i++) yield make(i);
}

async function ask(server: TelemetryServer): Promise<void> {
  const end = String(Date.now() * 1000);
  const paths = [
    `/api/traces?service=service-1&limit=20&start=0&minDuration=55ms&end=${end}`,
    '/loki/api/v1/query_range?' +
      new URLSearchParams({ query: '{app="app-1"} |= "took 7"', start: String(START_NS), limit: '100' }).toString(),
    '/loki/api/v1/query?' +
      new URLSearchParams({ query: 'sum by (app) (count_over_time({app=~".+"} |= "took 99" [2h]))' }).toString(),
    '/api/v1/query_range?' +
      new URLSearchParams({
        query: 'sum by (pod) (rate(bench_value[5m]))',
        start: String(START_MS / 1000),
        end: String(Date.now() / 1000),
        step: '15',
      }).toString(),
    ...traceIds.slice(0, 50).map((id) => `/api/traces/${id}`),
  ];
  for (const path of paths) {
    const { status, text } = await server.call('GET', path);
    if (status !== 200) throw new Error(`${path} answered ${status} ${text.slice(0, 200)}`);
  }
}

const QUIET_MS = Number(process.argv[4] ?? 60) * 1000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function main(): Promise<void> {
  const count = Number(process.argv[2] ?? 1000) * 1000;
  const series = Number(process.argv[3] ?? 5000);
  const directory = mkdtempSync(join(tmpdir(), 'bench-memory-'));
  let server = await startTelemetryServer(directory);
  const say = async (what: string): Promise<void> => {
    const { heapUsed, heapTotal, external, arrayBuffers } = await server.memorySplit();
    const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);
    console.log(
      `${what}: ${server.memoryMb()} MB PSS (target 200); heap ${mb(heapUsed)} of ${mb(heapTotal)} MB, external ${mb(external)} MB, of it buffers ${mb(arrayBuffers)} MB`,
    );
  };
  try {
    await say('empty');
    await load(server, '/api/v2/spans', repeat(count / BATCH, spans));
    await say('after the spans');
    await load(server, '/loki/api/v1/push', repeat(count / BATCH, lines));
    await say('after the lines');
    await load(
      server,
      '/v1/metrics',
      repeat(SAMPLES_A_SERIES, (i) => samples(i, series)),
    );
    await say('after the samples');
    await pause(QUIET_MS);
    await say('after a quiet minute');
    await ask(server);
    await say('after questions');
    await pause(QUIET_MS);
    await say('a quiet minute after them');
    await server.stop();
    const bytes = readdirSync(directory).map(
      (name) => `${name} ${Math.round(statSync(join(directory, name)).size / 1e6)} MB`,
    );
    console.log(`files: ${bytes.join(', ')}`);
    server = await startTelemetryServer(directory);
    console.log(`open: ${server.openMs.toFixed(0)} ms (target 1,000)`);
    await say('opened');
    await ask(server);
    await say('after questions');
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
