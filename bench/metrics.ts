/**
 * Metrics end to end, over HTTP: range queries over 1,000 series × 1 hour × 15 s beside the real Prometheus in the same
 * run (`$PROMETHEUS`, or `prometheus` on PATH; without it only our own figures), then ingest by remote write with
 * durable acknowledgement, and bytes on disk.
 *
 *     node bench/metrics.ts [runs of each query, default 31] [millions of samples to ingest, default 4]
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PrometheusPeer, startPrometheus } from './support/prometheus.ts';
import { REMOTE_WRITE_HEADERS, type WrittenSeries, writeRequest } from './support/remote-write.ts';
import { startTelemetryServer, type TelemetryServer } from './support/telemetry-server.ts';

const SCRAPE_MS = 15_000;
const SAMPLES = 241;
const HOUR_MS = 3_600_000;
const START_MS = Math.floor((Date.now() - HOUR_MS - 120_000) / SCRAPE_MS) * SCRAPE_MS;
const WARM_UP = 8;

type Kind = 'aggregation' | 'raw';

const QUERIES: readonly (readonly [Kind, string])[] = [
  ['aggregation', 'sum(requests_total)'],
  ['aggregation', 'sum by (app) (rate(requests_total[5m]))'],
  ['aggregation', 'avg by (code) (temperature)'],
  ['aggregation', 'max(temperature)'],
  ['aggregation', 'min by (app) (temperature)'],
  ['aggregation', 'count(requests_total)'],
  ['aggregation', 'count by (app, code) (requests_total)'],
  ['aggregation', 'stddev(temperature)'],
  ['aggregation', 'topk(5, temperature)'],
  ['aggregation', 'topk(5, rate(requests_total[5m]))'],
  ['aggregation', 'topk by (app) (3, rate(requests_total[5m]))'],
  ['aggregation', 'quantile(0.9, temperature)'],
  ['aggregation', 'histogram_quantile(0.9, sum by (le) (rate(duration_seconds_bucket[5m])))'],
  ['aggregation', 'histogram_quantile(0.9, sum by (le, app) (rate(duration_seconds_bucket[5m])))'],
  ['aggregation', 'sum(avg_over_time(temperature[5m]))'],
  ['aggregation', 'sum(max_over_time(temperature[10m]))'],
  ['aggregation', 'sum by (app) (increase(requests_total[10m]))'],
  [
    'aggregation',
    'sum by (app) (rate(requests_total{code="500"}[5m])) / on (app) sum by (app) (rate(requests_total[5m]))',
  ],
  ['aggregation', 'sum(requests_total * on (pod, code) group_left () temperature)'],
  ['aggregation', 'sum(requests_total > 100)'],
  ['raw', 'requests_total'],
  ['raw', 'temperature'],
  ['raw', 'rate(requests_total[5m])'],
  ['raw', 'avg_over_time(temperature[5m])'],
  ['raw', 'temperature * 2'],
  ['raw', 'requests_total / on (pod, code) temperature'],
];

let seed = 1;

/** The same numbers in every run. */
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

/** 1,000 counters, 1,000 gauges of two decimals, and the 1,000 buckets of 100 histograms; each pod has its own time of scrape. */
function makeSeries(): WrittenSeries[] {
  const all: WrittenSeries[] = [];
  for (let pod = 0; pod < 250; pod++) {
    const offset = Math.floor(random() * SCRAPE_MS);
    const times = Array.from({ length: SAMPLES }, (_, i) => START_MS + i * SCRAPE_MS + offset - SCRAPE_MS);
    const common = { app: `app-${pod % 10}`, instance: `10.0.${pod >> 5}.${pod % 250}:8080`, job: 'kubernetes-pods' };
    for (const code of ['200', '404', '500', '503']) {
      let count = Math.floor(random() * 100_000);
      const counts = times.map(() => {
        count += Math.floor(random() * 50);
        return count;
      });
      const labels = { ...common, pod: `pod-${pod}`, code };
      all.push({ labels: { __name__: 'requests_total', ...labels }, times, values: counts });
      let temperature = 20 + random() * 60;
      const values = times.map(() => {
        temperature += random() - 0.5;
        return Math.round(temperature * 100) / 100;
      });
      all.push({ labels: { __name__: 'temperature', ...labels }, times, values });
    }
    if (pod >= 100) continue;
    const bounds = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '+Inf'];
    const totals = bounds.map(() => 0);
    const columns: number[][] = bounds.map(() => []);
    for (let i = 0; i < SAMPLES; i++) {
      for (let n = Math.floor(random() * 40); n > 0; n--) {
        const from = Math.floor(random() * bounds.length);
        for (let b = from; b < bounds.length; b++) totals[b] = (totals[b] ?? 0) + 1;
      }
      bounds.forEach((_, b) => {
        columns[b]?.push(totals[b] ?? 0);
      });
    }
    bounds.forEach((le, b) => {
      const labels = { __name__: 'duration_seconds_bucket', ...common, pod: `pod-${pod}`, le };
      all.push({ labels, times, values: columns[b] ?? [] });
    });
  }
  // Prometheus reads its head in the order of creation, we in that of the labels: so that both add up in one order.
  const key = ({ labels }: WrittenSeries): string => Object.entries(labels).sort().flat().join('\xff');
  return all.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

function send(port: number, method: string, path: string, body?: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = body ? { ...REMOTE_WRITE_HEADERS, 'content-length': body.length } : {};
    const sent = request({ agent, host: '127.0.0.1', port, path, method, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => {
        const text = Buffer.concat(parts);
        if ((answer.statusCode ?? 500) < 300) resolve(text);
        else reject(new Error(`${path.slice(0, 200)} answered ${answer.statusCode} ${text.toString().slice(0, 300)}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** The series of an answer in one order, to see that both gave the same. */
function resultOf(body: Buffer): string {
  const { data } = JSON.parse(body.toString()) as { data: { result: { metric: Record<string, string> }[] } };
  return data.result
    .map((series) => JSON.stringify([Object.entries(series.metric).sort(), { ...series, metric: undefined }]))
    .sort()
    .join('\n');
}

async function compare(
  server: TelemetryServer,
  peer: PrometheusPeer | undefined,
  [kind, query]: (typeof QUERIES)[number],
  runs: number,
): Promise<number | undefined> {
  const parameters = { query, start: String(START_MS / 1000), end: String((START_MS + HOUR_MS) / 1000), step: '15' };
  const path = `/api/v1/query_range?${new URLSearchParams(parameters).toString()}`;
  const sides = [server, ...(peer ? [peer] : [])];
  const times: number[][] = sides.map(() => []);
  const cpu = sides.map(() => 0);
  const answers: Buffer[] = [];
  for (let run = -WARM_UP; run < runs; run++)
    for (const [i, side] of sides.entries()) {
      const cpuBefore = side.cpuSeconds();
      const began = performance.now();
      answers[i] = await send(side.port, 'GET', path);
      if (run < 0) continue;
      times[i]?.push(performance.now() - began);
      cpu[i] = (cpu[i] ?? 0) + side.cpuSeconds() - cpuBefore;
    }
  const [ours = Number.NaN, theirs] = times.map(median);
  const [ourCpu = 0, theirCpu = 0] = cpu;
  const name = `${query.slice(0, 78).padEnd(78)} ${ours.toFixed(1).padStart(6)} ms`;
  if (theirs === undefined) {
    console.log(name);
    return undefined;
  }
  const isEqual = resultOf(answers[0] ?? Buffer.of()) === resultOf(answers[1] ?? Buffer.of());
  console.log(
    `${name}, Prometheus ${theirs.toFixed(1).padStart(6)} ms, × ${(theirs / ours).toFixed(2)} (target ${kind === 'raw' ? 1 : 3}), CPU × ${(theirCpu / ourCpu).toFixed(1)}${isEqual ? '' : ' ANSWERS DIFFER'}`,
  );
  return theirs / ours;
}

function geometricMean(numbers: readonly number[]): number {
  return Math.exp(numbers.reduce((sum, one) => sum + Math.log(one), 0) / numbers.length);
}

async function queries(server: TelemetryServer, peer: PrometheusPeer | undefined, runs: number): Promise<void> {
  const series = makeSeries();
  // Quarter by quarter of the hour: Prometheus takes no sample that is an hour older than its newest.
  for (let from = 0; from < SAMPLES; from += 61)
    for (let at = 0; at < series.length; at += 100) {
      const part = series.slice(at, at + 100).map(({ labels, times, values }) => ({
        labels,
        times: times.slice(from, from + 61),
        values: values.slice(from, from + 61),
      }));
      const body = writeRequest(part);
      for (const { port } of [server, ...(peer ? [peer] : [])]) await send(port, 'POST', '/api/v1/write', body);
    }
  const ratios: Record<Kind, number[]> = { aggregation: [], raw: [] };
  for (const query of QUERIES) {
    const ratio = await compare(server, peer, query, runs);
    if (ratio !== undefined) ratios[query[0]].push(ratio);
  }
  if (!peer) return;
  for (const [kind, target] of [
    ['aggregation', 3],
    ['raw', 1],
  ] as const) {
    const all = ratios[kind];
    console.log(
      `${kind}: × ${geometricMean(all).toFixed(2)} in the geometric mean, × ${Math.min(...all).toFixed(2)} at least (target ${target})`,
    );
  }
}

/** Requests as Prometheus' own remote write sends them, and with a minute of samples to the series. */
async function ingest(millions: number, perRequest: number, perSeries: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-metrics-'));
  const server = await startTelemetryServer(directory);
  try {
    const total = millions * 1e6;
    const count = 20_000;
    const counters = Array.from({ length: count }, (_, i) => ({
      labels: {
        __name__: 'requests_total',
        app: `app-${i % 10}`,
        code: String(200 + (i % 5)),
        instance: `10.0.${i % 50}.7:8080`,
        job: 'kubernetes-pods',
        namespace: 'default',
        pod: `pod-${Math.floor(i / 5)}`,
      },
      value: i,
    }));
    const rounds = Math.ceil(total / count / perSeries);
    let busyMs = 0;
    let sent = 0;
    let cpu = 0;
    for (let round = 0; round < rounds; round++) {
      const bodies: Uint8Array[] = [];
      for (let at = 0; at < count; at += perRequest / perSeries) {
        const part = counters.slice(at, at + perRequest / perSeries);
        bodies.push(
          writeRequest(
            part.map((counter) => {
              const times: number[] = [];
              const values: number[] = [];
              for (let i = 0; i < perSeries; i++) {
                times.push(START_MS + (round * perSeries + i) * SCRAPE_MS);
                counter.value += Math.floor(random() * 50);
                values.push(counter.value);
              }
              return { labels: counter.labels, times, values };
            }),
          ),
        );
      }
      const cpuBefore = server.cpuSeconds();
      const began = performance.now();
      let next = 0;
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          for (let body = bodies[next++]; body; body = bodies[next++])
            await send(server.port, 'POST', '/api/v1/write', body);
        }),
      );
      busyMs += performance.now() - began;
      cpu += server.cpuSeconds() - cpuBefore;
      sent += count * perSeries;
    }
    console.log(
      `remote write, ${perRequest / perSeries} series × ${perSeries} samples a request: ${Math.round((sent / busyMs) * 1000)} samples/s, ${Math.round(sent / cpu)} for each second of CPU (target 1,000,000)`,
    );
    console.log(`memory: ${server.memoryMb()} MB PSS with ${count} series`);
    await server.stop();
    const bytes = readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.startsWith('metrics.db') || name.includes('metrics-'))
      .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
    console.log(`disk: ${(bytes / sent).toFixed(2)} bytes a sample, labels and index with it (target 2.2)`);
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const runs = Number(process.argv[2] ?? 31);
  const millions = Number(process.argv[3] ?? 4);
  const directory = mkdtempSync(join(tmpdir(), 'bench-metrics-'));
  const peer = await startPrometheus(directory);
  if (!peer) console.log('no prometheus on PATH and no $PROMETHEUS: only our own figures');
  else console.log(`Prometheus ${peer.version}`);
  const server = await startTelemetryServer(join(directory, 'ours'));
  try {
    await queries(server, peer, runs);
  } finally {
    await Promise.all([server.stop(), peer?.stop()]);
    rmSync(directory, { recursive: true, force: true });
  }
  if (millions > 0) {
    await ingest(millions, 2000, 1);
    await ingest(millions, 6000, 60);
  }
  agent.destroy();
}

await main();
