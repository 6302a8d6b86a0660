/**
 * Logs end to end: a server process of its own, lines through the push API, then counts over all of them, each beside
 * what grep takes for the same text in a file.
 *
 *     node bench/logs.ts [megabytes of text, default 400]
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTelemetryServer, type TelemetryServer } from './support/telemetry-server.ts';

const BATCH = 1000;
const STREAMS = 5;
const START_NS = BigInt(Date.now() - 3_600_000) * 1_000_000n;

let made = 0;

function line(): string {
  const i = made++;
  const ids = randomBytes(24).toString('hex');
  const level = i % 37 === 0 ? 'WARN' : 'INFO';
  return `2026-01-12 11:08:57,${String(i % 1000).padStart(3, '0')} ${level} [views] [views.ts:${i % 90}] [trace_id=${ids.slice(0, 32)} span_id=${ids.slice(32)} resource.service.name=business-logic] - Calling the slow function shard-${i % 977} took ${i % 911}ms`;
}

/** One batch as a push request, and its lines for grep. */
function batch(k: number): { body: string; text: string; wanted: string } {
  const lines = Array.from({ length: BATCH }, line);
  const values = lines.map((text, i) => [String(START_NS + BigInt(k * BATCH + i) * 1000n), text]);
  const stream = { app: 'bench', pod: `pod-${k % STREAMS}` };
  return {
    body: JSON.stringify({ streams: [{ stream, values }] }),
    text: `${lines.join('\n')}\n`,
    wanted: /trace_id=(\w+)/.exec(lines[0] ?? '')?.[1] ?? '',
  };
}

async function push(server: TelemetryServer, file: number, bytes: number): Promise<string> {
  let sent = 0;
  let next = 0;
  let wanted = '';
  let busy = 0;
  const cpu = server.cpuSeconds();
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      while (sent < bytes) {
        const one = batch(next++);
        if (sent < bytes / 2) wanted = one.wanted;
        sent += writeSync(file, one.text);
        const began = performance.now();
        const { status } = await server.call('POST', '/loki/api/v1/push', one.body);
        busy += performance.now() - began;
        if (status >= 300) throw new Error(`push answered ${status}`);
      }
    }),
  );
  const seconds = server.cpuSeconds() - cpu;
  console.log(
    `push: ${Math.round(made / seconds)} lines for each second of CPU, ${(busy / next).toFixed(1)} ms a batch of ${BATCH} (target 300,000/s)`,
  );
  return wanted;
}

function best(times: number, run: () => number): number {
  return Math.min(...Array.from({ length: times }, run));
}

function grep(flag: '-F' | '-E', pattern: string, path: string): { ms: number; count: number } {
  let count = 0;
  const ms = best(3, () => {
    const began = performance.now();
    try {
      count = Number(execFileSync('grep', ['-c', flag, pattern, path], { encoding: 'utf8' }));
    } catch {
      count = 0;
    }
    return performance.now() - began;
  });
  return { ms, count };
}

async function compare(server: TelemetryServer, path: string, flag: '-F' | '-E', pattern: string): Promise<void> {
  const peer = grep(flag, pattern, path);
  const query = `sum(count_over_time({app="bench"} ${flag === '-F' ? '|=' : '|~'} ${JSON.stringify(pattern)} [24h]))`;
  const time = String(START_NS + 7_200_000_000_000n);
  let ms = Number.POSITIVE_INFINITY;
  let count = 0;
  for (let i = 0; i < 3; i++) {
    const began = performance.now();
    const { status, text } = await server.call(
      'GET',
      `/loki/api/v1/query?${new URLSearchParams({ query, time }).toString()}`,
    );
    ms = Math.min(ms, performance.now() - began);
    if (status !== 200) throw new Error(`the query answered ${status} ${text}`);
    count = Number(
      (JSON.parse(text) as { data: { result: { value: [number, string] }[] } }).data.result[0]?.value[1] ?? 0,
    );
  }
  if (count !== peer.count) throw new Error(`${pattern}: grep finds ${peer.count} lines, the query ${count}`);
  const size = statSync(path).size / 1e6;
  console.log(
    `${flag} ${pattern.slice(0, 40)}: ${Math.round((size / ms) * 1000)} MB/s, grep ${Math.round((size / peer.ms) * 1000)} MB/s, ratio ${(peer.ms / ms).toFixed(2)} (target 1, ${count} lines)`,
  );
}

async function main(): Promise<void> {
  const bytes = Number(process.argv[2] ?? 400) * 1e6;
  const directory = mkdtempSync(join(tmpdir(), 'bench-logs-'));
  const path = join(directory, 'lines.txt');
  const data = join(directory, 'data');
  let server = await startTelemetryServer(data);
  try {
    const file = openSync(path, 'w');
    const wanted = await push(server, file, bytes);
    closeSync(file);
    await server.stop();
    const stored = readdirSync(data).reduce((sum, name) => {
      const info = statSync(join(data, name));
      return sum + (info.isFile() ? info.size : 0);
    }, 0);
    console.log(`disk: ${(stored / statSync(path).size).toFixed(3)} of the text (target 0.35)`);
    server = await startTelemetryServer(data);
    console.log(`open: ${server.openMs.toFixed(0)} ms (target 1,000)`);
    await compare(server, path, '-F', wanted);
    await compare(server, path, '-F', 'no such text anywhere');
    await compare(server, path, '-F', 'slow function');
    await compare(server, path, '-F', 'WARN');
    await compare(server, path, '-E', 'shard-[0-9]*7 took');
    await compare(server, path, '-E', `${wanted.slice(0, 20)}[0-9a-f]+ span`);
    console.log(`memory: ${server.memoryMb()} MB PSS after the queries`);
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
