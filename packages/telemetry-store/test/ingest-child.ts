/**
 * Started by crash.test.ts: opens the store and writes all three signals as fast as it can, telling on standard output
 * what was acknowledged, until it is killed.
 */
import { Labels } from '@kind-e2e/telemetry';
import { openTelemetryStore } from '../src/open.ts';
import { makeTrace } from './fixtures.ts';

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

await Promise.all([
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
