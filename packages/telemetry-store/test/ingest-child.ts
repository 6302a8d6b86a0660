/**
 * Started by crash.test.ts: opens the store and writes all three signals as fast as it can, telling on standard output
 * what was acknowledged, until it is killed.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Labels } from '@kind-e2e/telemetry';
import { createReceiver } from '../src/ingest/receiver.ts';
import { openTelemetryStore } from '../src/open.ts';
import { makeTrace, remoteWriteBody } from './fixtures.ts';

const [directory = '', from = '0'] = process.argv.slice(2);
const store = openTelemetryStore({ directory, retention: 'off' });
const BASE_MS = Date.UTC(2026, 0, 1);
const labels = Array.from({ length: 20 }, (_, i) => Labels.fromObject({ __name__: 'x_total', i: String(i) }));
const stream = Labels.fromObject({ app: 'web' });

async function write(signal: string, append: (n: number) => Promise<unknown>): Promise<void> {
  for (let n = Number(from); ; n++) {
    await append(n);
    process.stdout.write(`${signal} ${n}\n`);
  }
}

const receive = createReceiver({ store });
const server = createServer((request, response) => receive(request, response));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/write`;

/** Whole numbers, decimals and others, so that every coding of chunks is met; a new series now and then. */
async function remoteWrite(n: number): Promise<void> {
  const series = Array.from({ length: 10 + Math.floor(n / 1000) }, (_, i) => ({
    labels: { __name__: 'w_total', i: String(i) },
    samples: [0, 1, 2].map((k): [number, number] => [
      BASE_MS + n * 3 + k,
      i % 3 === 0 ? n * 3 + k : i % 3 === 1 ? (n * 3 + k) / 100 : Math.sqrt(n * 3 + k),
    ]),
  }));
  const body = remoteWriteBody(series);
  const answer = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
  });
  if (answer.status !== 204) throw new Error(`remote write answered ${answer.status} ${await answer.text()}`);
}

await Promise.all([
  write('w', remoteWrite),
  write('m', (n) =>
    store.metrics.append(labels.map((set, i) => ({ labels: set, timestampMs: BASE_MS + n, value: n * (i + 1) + 0.5 }))),
  ),
  write('l', (n) =>
    store.logs.append([
      {
        labels: stream,
        entries: Array.from({ length: 20 }, (_, i) => ({
          timestampNs: BigInt(BASE_MS) * 1_000_000n + BigInt(n * 20 + i),
          line: `line ${n}-${i} ${'x'.repeat(200)}`,
        })),
      },
    ]),
  ),
  write('t', (n) =>
    store.traces.append([0, 1, 2, 3, 4].flatMap((i) => makeTrace(n * 5 + i, BigInt(BASE_MS + n) * 1_000_000n))),
  ),
]);
