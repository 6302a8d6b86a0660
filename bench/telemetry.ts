/**
 * The telemetry stores end to end: a server process of its own, spans, lines and samples over HTTP with durable
 * acknowledgement, then questions. Prints one line for each figure, with the target of the design beside it.
 *
 *     node bench/telemetry.ts [thousands of spans, default 300]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createQueryApi, listen } from '@kind-e2e/query-api';
import { createReceiver, openTelemetryStore } from '@kind-e2e/telemetry-store';

const BATCH = 1000;
const CONNECTIONS = 8;

async function serve(directory: string): Promise<void> {
  const store = openTelemetryStore({ directory, retention: 'off' });
  const api = createQueryApi(store);
  const server = await listen({
    addresses: [{ host: '127.0.0.1', port: 0 }],
    handlers: [createReceiver({ store }), api.handle],
  });
  console.log(server.addresses[0]?.port);
  process.on('SIGTERM', () => {
    void server[Symbol.asyncDispose]()
      .then(() => store.close())
      .then(() => process.exit(0));
  });
}

function hex(digits: number): string {
  let text = '';
  while (text.length < digits)
    text += Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return text.slice(0, digits);
}

const traceIds: string[] = [];

/** A thousand spans in traces of ten, as Zipkin's JSON or OTLP's. */
function spans(isZipkin: boolean): string {
  const now = Date.now() * 1000;
  const all: unknown[] = [];
  for (let t = 0; t < BATCH / 10; t++) {
    const traceId = hex(32);
    traceIds.push(traceId);
    let parent: string | undefined;
    for (let i = 0; i < 10; i++) {
      const id = hex(16);
      const start = now + i * 1000;
      const duration = 50_000 + Math.floor(Math.random() * 100_000);
      const tags = {
        component: 'proxy',
        'http.method': 'GET',
        'http.status_code': '200',
        'guid:x-request-id': hex(32),
      };
      all.push(
        isZipkin
          ? {
              traceId,
              id,
              parentId: parent,
              name: `GET /${i % 4}`,
              kind: i % 2 ? 'CLIENT' : 'SERVER',
              timestamp: start,
              duration,
              localEndpoint: { serviceName: `service-${i % 5}` },
              tags,
            }
          : {
              traceId,
              spanId: id,
              parentSpanId: parent,
              name: `GET /${i % 4}`,
              kind: 2,
              startTimeUnixNano: `${start}000`,
              endTimeUnixNano: `${start + duration}000`,
              attributes: Object.entries(tags).map(([key, value]) => ({ key, value: { stringValue: value } })),
            },
      );
      parent = id;
    }
  }
  if (isZipkin) return JSON.stringify(all);
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'service-0' } }] };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: all }] }] });
}

function lines(k: number): string {
  const now = BigInt(Date.now()) * 1_000_000n;
  const values = Array.from({ length: BATCH }, (_, i) => [
    String(now + BigInt(i)),
    `2026-01-12 11:08:57,516 INFO [views] [views.ts:47] [trace_id=${hex(32)} span_id=${hex(16)} resource.service.name=business-logic] - Calling the slow function took ${i}ms`,
  ]);
  return JSON.stringify({ streams: [{ stream: { app: `app-${k % 5}`, pod: `pod-${k % 5}` }, values }] });
}

async function main(): Promise<void> {
  const count = Number(process.argv[2] ?? 300) * 1000;
  const directory = mkdtempSync(join(tmpdir(), 'bench-telemetry-'));
  const child = spawn(process.execPath, [import.meta.filename, '--serve', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = Number(
    await new Promise<string>((resolve) => child.stdout.once('data', (data) => resolve(String(data)))),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const call = (method: string, path: string, body = ''): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const sent = request({ agent, host: '127.0.0.1', port, path, method, headers }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  const cpuSeconds = (): number => {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  const ingest = async (
    name: string,
    path: string,
    bodies: readonly string[],
    total: number,
    target: string,
  ): Promise<void> => {
    let sent = 0;
    const began = performance.now();
    const cpu = cpuSeconds();
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        while (sent < total) {
          sent += BATCH;
          const status = await call('POST', path, bodies[(sent / BATCH) % bodies.length]);
          if (status >= 300) throw new Error(`${path} answered ${status}`);
        }
      }),
    );
    const seconds = (performance.now() - began) / 1000;
    const perCpu = Math.round(sent / Math.max(0.01, cpuSeconds() - cpu));
    console.log(`${name}: ${Math.round(sent / seconds)}/s, ${perCpu} for each second of CPU (target ${target})`);
  };
  const ask = async (name: string, paths: readonly string[], target: string): Promise<void> => {
    const times: number[] = [];
    for (let i = 0; i < 200; i++) {
      const began = performance.now();
      await call('GET', paths[i % paths.length] ?? '');
      times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    console.log(
      `${name}: p50 ${times[100]?.toFixed(2)} ms, p99 ${times[198]?.toFixed(2)} ms over HTTP (target ${target})`,
    );
  };
  try {
    const bodies = Array.from({ length: 50 }, () => spans(true));
    await ingest('Zipkin JSON spans', '/api/v2/spans', bodies, count, '60,000');
    await ingest(
      'OTLP JSON spans',
      '/v1/traces',
      Array.from({ length: 50 }, () => spans(false)),
      count,
      '–',
    );
    await ingest(
      'Loki lines',
      '/loki/api/v1/push',
      Array.from({ length: 50 }, (_, k) => lines(k)),
      count,
      '300,000',
    );
    const paths = Array.from(
      { length: 200 },
      () => `/api/traces/${traceIds[Math.floor(Math.random() * traceIds.length)]}`,
    );
    await ask('trace by id', paths, 'below 1 ms in the store');
    const range = `start=0&end=${(Date.now() + 60_000) * 1000}`;
    await ask(
      'search',
      [`/api/traces?service=service-1&limit=20&minDuration=100ms&${range}`],
      'below 5 ms in the store',
    );
    const pss = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/smaps_rollup`, 'utf8'))?.[1];
    console.log(`memory: ${Math.round(Number(pss) / 1024)} MB PSS after the load`);
  } finally {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('close', resolve));
    rmSync(directory, { recursive: true, force: true });
    agent.destroy();
  }
}

if (process.argv[2] === '--serve') await serve(process.argv[3] ?? '');
else await main();
