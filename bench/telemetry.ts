/**
 * The trace store end to end: spans by Zipkin's JSON and by OTLP with durable acknowledgement, the server on one core,
 * then bytes on disk and questions over HTTP. The peer of the ingest is the least that a server can do which loses
 * nothing (`support/append-server.ts`: read, `JSON.parse`, append, sync), on the same core with the same bodies.
 *
 *     node bench/telemetry.ts [thousands of spans to ask about, default 2000] [thousands of each kind of ingest, default 200]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGrpcClient } from './support/grpc-client.ts';
import { createSpanBodies } from './support/span-bodies.ts';
import { startTelemetryServer } from './support/telemetry-server.ts';

const BATCH = 1000;
const CONNECTIONS = 8;
const MADE_BEFORE = 400;
const CORE = 0;
const JSON_TYPE = 'application/json';
const PROTOBUF_TYPE = 'application/x-protobuf';

const [thousands = '2000', ingestThousands = '200'] = process.argv.slice(2);
const total = Number(thousands) * 1000;
const eachIngest = Number(ingestThousands) * 1000;
const startUs = (Date.now() - 3_600_000) * 1000;
const bodies = createSpanBodies();
let sentSpans = 0;

interface Rate {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

/** Sends `count` spans in bodies that are made as they are needed, over several connections at once. */
async function ingest(
  count: number,
  make: (spans: number, startUs: number) => Buffer,
  send: (body: Buffer) => Promise<void>,
  cpuSeconds: () => number,
): Promise<Rate> {
  // Made before the clock runs, as far as they are not too many: making one takes the client as long as the server.
  const ready = Array.from({ length: Math.min(MADE_BEFORE, count / BATCH) }, () => make(BATCH, startUs));
  let left = count;
  const cpu = cpuSeconds();
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (left > 0) {
        left -= BATCH;
        const body = ready.pop() ?? make(BATCH, startUs + Math.floor((sentSpans / total) * 3.5e9));
        sentSpans += BATCH;
        await send(body);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  return { perSecond: count / seconds, perCpuSecond: count / Math.max(0.01, cpuSeconds() - cpu) };
}

const thousandsOf = (value: number): string => Math.round(value).toLocaleString('en').padStart(8);

function sayRate(name: string, rate: Rate, target: string, peer?: Rate): void {
  const ratio = peer
    ? `; peer ${thousandsOf(peer.perCpuSecond)}, × ${(rate.perCpuSecond / peer.perCpuSecond).toFixed(2)}`
    : '';
  console.log(
    `${name.padEnd(24)}${thousandsOf(rate.perSecond)}/s ${thousandsOf(rate.perCpuSecond)} for each second of CPU (target ${target})${ratio}`,
  );
}

function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function peerRate(
  directory: string,
  make: (spans: number, startUs: number) => Buffer,
  type: string,
): Promise<Rate> {
  const program = join(import.meta.dirname, 'support/append-server.ts');
  const child = spawn('taskset', ['-c', String(CORE), process.execPath, program, join(directory, 'peer')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = Number(
    await new Promise<string>((resolve) => child.stdout.once('data', (data) => resolve(String(data)))),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const before = sentSpans;
  try {
    return await ingest(
      eachIngest,
      make,
      (body) =>
        new Promise((resolve, reject) => {
          const headers = { 'content-type': type, 'content-length': body.length };
          const sent = request({ agent, host: '127.0.0.1', port, method: 'POST', headers }, (answer) => {
            answer.resume();
            answer.on('end', resolve);
          });
          sent.on('error', reject);
          sent.end(body);
        }),
      () => cpuSecondsOf(child.pid ?? 0),
    );
  } finally {
    sentSpans = before;
    child.kill();
    agent.destroy();
  }
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-telemetry-'));
  const store = join(directory, 'store');
  const server = await startTelemetryServer(store, { core: CORE });
  const post =
    (path: string, type: string) =>
    async (body: Buffer): Promise<void> => {
      const { status, text } = await server.call('POST', path, body, { 'content-type': type });
      if (status >= 300) throw new Error(`${path} answered ${status} ${text}`);
    };
  const grpc = createGrpcClient(server.grpcPort, '/opentelemetry.proto.collector.trace.v1.TraceService/Export');
  const ask = async (name: string, paths: readonly string[], target: string): Promise<void> => {
    const times: number[] = [];
    for (let i = 0; i < Math.max(100, paths.length); i++) {
      const path = paths[i % paths.length] ?? '';
      const began = performance.now();
      const { status, text } = await server.call('GET', path);
      times.push(performance.now() - began);
      if (status !== 200 || (text.includes('"data":[]') && !path.includes('no.such')))
        throw new Error(`${path} answered ${status} ${text.slice(0, 200)}`);
    }
    times.sort((a, b) => a - b);
    const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(2);
    console.log(`${name.padEnd(34)}p50 ${at(0.5)} ms, p99 ${at(0.99)} ms over HTTP (target ${target})`);
  };
  try {
    const cpu = server.cpuSeconds;
    sayRate(
      'Zipkin JSON',
      await ingest(eachIngest, bodies.zipkinJson, post('/api/v2/spans', JSON_TYPE), cpu),
      '60,000',
      await peerRate(directory, createSpanBodies().zipkinJson, JSON_TYPE),
    );
    sayRate(
      'OTLP protobuf over HTTP',
      await ingest(eachIngest, bodies.otlpProtobuf, post('/v1/traces', PROTOBUF_TYPE), cpu),
      '100,000',
      await peerRate(directory, createSpanBodies().otlpProtobuf, PROTOBUF_TYPE),
    );
    sayRate(
      'OTLP protobuf over gRPC',
      await ingest(eachIngest, bodies.otlpProtobuf, (body) => grpc.call(body), cpu),
      '100,000',
    );
    sayRate('OTLP JSON', await ingest(eachIngest, bodies.otlpJson, post('/v1/traces', JSON_TYPE), cpu), '–');
    if (sentSpans < total) await ingest(total - sentSpans, bodies.otlpProtobuf, post('/v1/traces', PROTOBUF_TYPE), cpu);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const bytes = readdirSync(store)
      .filter((file) => file.startsWith('traces.db'))
      .reduce((sum, file) => sum + statSync(join(store, file)).size, 0);
    console.log(`${(bytes / sentSpans).toFixed(1)} B a span on disk (target 100), ${sentSpans} spans`);
    const some = Array.from({ length: 1000 }, (_, i) => bodies.traceIds[(i * 7919) % bodies.traceIds.length]);
    const search = (parameters: Record<string, string>): string =>
      `/api/traces?${new URLSearchParams({ service: 'service-1', limit: '20', lookback: '2h', ...parameters })}`;
    await ask(
      'trace by id',
      some.map((id) => `/api/traces/${id}`),
      '1 ms',
    );
    await ask('search: service', [search({})], '5 ms');
    await ask(
      'search: service, operation',
      [0, 1, 2, 3].map((i) => search({ operation: `GET /items/${i}` })),
      '5 ms',
    );
    await ask('search: duration', [search({ minDuration: '500ms' }), search({ minDuration: '1s' })], '5 ms');
    await ask('search: frequent tag', [search({ tags: '{"http.response.status_code":"503"}' })], '5 ms');
    await ask('search: tag of every span', [search({ tags: '{"component":"proxy"}' })], '5 ms');
    await ask(
      'search: rare tag and operation',
      Array.from({ length: 100 }, (_, i) => search({ operation: 'GET /items/1', tags: `{"url.path":"/items/${i}"}` })),
      '5 ms',
    );
    await ask('search: tag that nothing has', [search({ tags: '{"no.such":"tag"}' })], '5 ms');
    await ask('services', ['/api/services'], '5 ms');
    await ask('operations', ['/api/services/service-1/operations'], '5 ms');
    await ask('dependencies', [`/api/dependencies?endTs=${Date.now()}&lookback=7200000`], '5 ms');
    console.log(`memory: ${server.memoryMb()} MB PSS`);
  } finally {
    grpc.close();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
