/**
 * Started by full-disk.test.ts with a file system of its own that is small: writes until nothing more can be stored,
 * reads, makes room, writes again, opens anew, and prints what it found.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger, LabError, systemClock } from '@kind-e2e/base';
import { Labels, type LogEntry } from '@kind-e2e/telemetry';
import { openTelemetryStore, type TelemetryStore } from '../src/open.ts';
import { makeTrace, matcher } from './fixtures.ts';

const [directory = '', most = 'traces'] = process.argv.slice(2);
const BALLAST_BYTES = 12 * 1024 * 1024;
const MAX_BATCHES = 2000;
const PATIENCE_MS = 60_000;
const BASE_MS = systemClock.now();
const ballast = join(directory, 'ballast');
const warnings: string[] = [];
const logger = createLogger({ write: (line) => warnings.push((JSON.parse(line) as { msg: string }).msg) });
const options = { directory: join(directory, 'store'), retention: 'off' as const, logger };
const stream = Labels.fromObject({ app: 'web' });
const labels = Labels.fromObject({ __name__: 'm' });

const traceOf = (n: number): ReturnType<typeof makeTrace> =>
  makeTrace(n, BigInt(BASE_MS + n) * 1_000_000n).map((span) => ({
    ...span,
    attributes: { noise: Buffer.from(crypto.getRandomValues(new Uint8Array(300))).toString('base64') },
  }));

/** So much of what fills the disk is in one batch. */
const TRACES = most === 'traces' ? 20 : 1;
const LINES = most === 'traces' ? 1 : 300;

function linesOf(n: number): LogEntry[] {
  return Array.from({ length: LINES }, (_, i) => ({
    timestampNs: BigInt(BASE_MS + n) * 1_000_000n + BigInt(i),
    // What follows the number cannot be compressed.
    line:
      LINES === 1
        ? `line ${n}`
        : `line ${n} ${Buffer.from(crypto.getRandomValues(new Uint8Array(300))).toString('base64')}`,
  }));
}

/** One batch of each signal; the numbers of those that were acknowledged go into `acknowledged`. */
async function write(store: TelemetryStore, n: number, acknowledged: Record<'t' | 'l' | 'm', number[]>): Promise<void> {
  const traces = Array.from({ length: TRACES }, (_, i) => traceOf(n * TRACES + i)).flat();
  await store.traces.append(traces);
  acknowledged.t.push(n);
  await store.logs.append([{ labels: stream, entries: linesOf(n) }]);
  acknowledged.l.push(n);
  await store.metrics.append([{ labels, timestampMs: BASE_MS + n, value: n }]);
  acknowledged.m.push(n);
}

function missing(store: TelemetryStore, acknowledged: Record<'t' | 'l' | 'm', number[]>): number {
  let count = 0;
  for (const n of acknowledged.t) if (store.traces.trace(traceOf(n * TRACES)[0]?.traceId ?? '').length !== 4) count++;
  const [series] = store.metrics.select({ matchers: [matcher('__name__', 'm')], startMs: 0, endMs: Infinity });
  const values = new Set(series?.values ?? []);
  for (const n of acknowledged.m) if (!values.has(n)) count++;
  const lines = new Map<string, number>();
  for (const chunk of store.logs.select({
    matchers: [matcher('app', 'web')],
    startNs: 0n,
    endNs: 1n << 62n,
    direction: 'forward',
  })) {
    const text = Buffer.from(chunk.text);
    let at = 0;
    for (const end of chunk.ends) {
      const [, name = ''] = /^(line \d+)/.exec(text.toString('utf8', at, end)) ?? [];
      lines.set(name, (lines.get(name) ?? 0) + 1);
      at = end;
    }
  }
  for (const n of acknowledged.l) if (lines.get(`line ${n}`) !== LINES) count++;
  return count;
}

writeFileSync(ballast, Buffer.alloc(BALLAST_BYTES, 1));
const acknowledged = { t: [] as number[], l: [] as number[], m: [] as number[] };
let store = openTelemetryStore(options);
let refusal = '';
let n = 0;
for (; n < MAX_BATCHES && refusal === ''; n++) {
  try {
    await write(store, n, acknowledged);
  } catch (error) {
    refusal = error instanceof LabError ? error.code : String(error);
  }
}
const whileFull = { acknowledged: acknowledged.t.length, missing: missing(store, acknowledged) };
rmSync(ballast);
let recovered = false;
const until = systemClock.monotonic() + PATIENCE_MS;
while (!recovered && systemClock.monotonic() < until) {
  n++;
  try {
    await write(store, n, acknowledged);
    recovered = true;
  } catch {
    await systemClock.sleep(100);
  }
}
for (let i = 0; i < (most === 'traces' ? 50 : 10); i++) await write(store, ++n, acknowledged);
await store.close();
store = openTelemetryStore(options);
const reopened = { acknowledged: acknowledged.t.length, missing: missing(store, acknowledged) };
await store.close();
process.stdout.write(JSON.stringify({ refusal, whileFull, recovered, reopened, warnings: [...new Set(warnings)] }));
