/**
 * Logs end to end: a server process of its own, lines through the push API, then searches over all of them, each beside
 * what grep takes for the same text in a file.
 *
 *     node bench/logs.ts [megabytes of text, default 400]
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// @ts-expect-error it has no types of its own
import snappy from 'snappyjs';
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

/** A field of protobuf that has a length. */
function field(number: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** A push request as Promtail and Alloy send it: protobuf with snappy. */
function protobufOf(stream: Record<string, string>, values: readonly (readonly [string, string])[]): Uint8Array {
  const labels = `{${Object.entries(stream)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ')}}`;
  const entries = values.map(([time, text]) => {
    const stamp = [Buffer.of(8), varint(Number(time.slice(0, -9))), Buffer.of(16), varint(Number(time.slice(-9)))];
    return field(2, field(1, ...stamp), field(2, Buffer.from(text)));
  });
  return snappy.compress(field(1, field(1, Buffer.from(labels)), ...entries));
}

interface Batch {
  readonly body: string | Uint8Array;
  readonly text: string;
  readonly wanted: string;
}

/** One batch as a push request, and its lines for grep. */
function batch(k: number, format: 'json' | 'protobuf'): Batch {
  const lines = Array.from({ length: BATCH }, line);
  const values = lines.map((text, i) => [String(START_NS + BigInt(k * BATCH + i) * 1000n), text] as const);
  const stream = { app: 'bench', pod: `pod-${k % STREAMS}` };
  return {
    body: format === 'json' ? JSON.stringify({ streams: [{ stream, values }] }) : protobufOf(stream, values),
    text: `${lines.join('\n')}\n`,
    wanted: /trace_id=(\w+)/.exec(lines[0] ?? '')?.[1] ?? '',
  };
}

/** Sends lines until there are so many bytes of them; each request is answered when it is on disk. */
async function push(
  server: TelemetryServer,
  file: number,
  bytes: number,
  format: 'json' | 'protobuf',
  first: number,
): Promise<{ readonly wanted: string; readonly next: number }> {
  const headers = { 'content-type': format === 'json' ? 'application/json' : 'application/x-protobuf' };
  let sent = 0;
  let next = first;
  let wanted = '';
  let busy = 0;
  const cpu = server.cpuSeconds();
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      while (sent < bytes) {
        const one = batch(next++, format);
        if (sent < bytes / 2) wanted = one.wanted;
        sent += writeSync(file, one.text);
        const began = performance.now();
        const { status, text } = await server.call('POST', '/loki/api/v1/push', one.body, headers);
        busy += performance.now() - began;
        if (status >= 300) throw new Error(`push answered ${status} ${text}`);
      }
    }),
  );
  const seconds = server.cpuSeconds() - cpu;
  const batches = next - first;
  console.log(
    `push, ${format}: ${Math.round((batches * BATCH) / seconds)} lines for each second of CPU, ${(busy / batches).toFixed(1)} ms a batch of ${BATCH} (target 300,000/s)`,
  );
  return { wanted, next };
}

function best(times: number, run: () => number): number {
  return Math.min(...Array.from({ length: times }, run));
}

/** The same lines by grep: its flags, and its pattern. */
interface Peer {
  readonly flags: readonly string[];
  readonly pattern: string;
}

const LOCALES = ['C.UTF-8', 'C'] as const;

/** The best of three, with the locale of a user and with that of bytes. */
function grep({ flags, pattern }: Peer, path: string): { ms: readonly number[]; count: number } {
  let count = 0;
  const ms = LOCALES.map((locale) =>
    best(3, () => {
      const began = performance.now();
      const options = { encoding: 'utf8', env: { ...process.env, LC_ALL: locale } } as const;
      try {
        count = Number(execFileSync('grep', ['-c', ...flags, '--', pattern, path], options));
      } catch {
        // grep ends with 1 where it finds nothing.
        count = 0;
      }
      return performance.now() - began;
    }),
  );
  return { ms, count };
}

interface Timed {
  readonly ms: number;
  readonly text: string;
}

async function timed(server: TelemetryServer, path: string, times = 3): Promise<Timed> {
  let ms = Number.POSITIVE_INFINITY;
  let text = '';
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    const answer = await server.call('GET', path);
    ms = Math.min(ms, performance.now() - began);
    if (answer.status !== 200) throw new Error(`the query answered ${answer.status} ${answer.text}`);
    text = answer.text;
  }
  return { ms, text };
}

const SELECTOR = '{app="bench"}';

/** Counts the lines that pass a filter, all at once and by pod, and asks for the newest of them. */
async function compare(server: TelemetryServer, path: string, filter: string, peer: Peer): Promise<void> {
  const known = grep(peer, path);
  const time = String(START_NS + 7_200_000_000_000n);
  const query = (text: string): string => `/loki/api/v1/query?${new URLSearchParams({ query: text, time })}`;
  const counted = await timed(server, query(`sum(count_over_time(${SELECTOR} ${filter} [24h]))`));
  type Vector = { data: { result: { value: [number, string] }[] } };
  const sum = (text: string): number =>
    (JSON.parse(text) as Vector).data.result.reduce((total, { value }) => total + Number(value[1]), 0);
  if (sum(counted.text) !== known.count)
    throw new Error(`${filter}: grep finds ${known.count} lines, the query ${sum(counted.text)}`);
  const byPod = await timed(server, query(`sum by (pod) (count_over_time(${SELECTOR} ${filter} [24h]))`));
  if (sum(byPod.text) !== known.count) throw new Error(`${filter}: by pod there are ${sum(byPod.text)} lines`);
  const range = { query: `${SELECTOR} ${filter}`, start: String(START_NS), end: time, limit: '1000' };
  const lines = await timed(server, `/loki/api/v1/query_range?${new URLSearchParams(range)}`);
  const size = statSync(path).size / 1e3;
  const speed = (ms: number): string => `${Math.round(size / ms)}`.padStart(6);
  const ratios = known.ms.map((ms) => (ms / counted.ms).toFixed(2).padStart(6)).join('');
  console.log(
    `${filter.slice(0, 44).padEnd(46)}${speed(counted.ms)} MB/s, by pod ${speed(byPod.ms)}, lines ${lines.ms.toFixed(0).padStart(4)} ms; grep ${known.ms.map(speed).join(' ')} MB/s (${LOCALES.join(', ')}), ratio${ratios} (target 1; ${known.count} lines)`,
  );
}

/** What has no peer in grep. */
async function measure(server: TelemetryServer, path: string, query: string): Promise<void> {
  const time = String(START_NS + 7_200_000_000_000n);
  const { ms } = await timed(server, `/loki/api/v1/query?${new URLSearchParams({ query, time })}`, 1);
  console.log(`${query.padEnd(100)} ${Math.round(statSync(path).size / 1e3 / ms)} MB/s`);
}

async function main(): Promise<void> {
  const bytes = Number(process.argv[2] ?? 400) * 1e6;
  const directory = mkdtempSync(join(tmpdir(), 'bench-logs-'));
  const path = join(directory, 'lines.txt');
  const data = join(directory, 'data');
  let server = await startTelemetryServer(data);
  try {
    const file = openSync(path, 'w');
    const json = await push(server, file, bytes / 2, 'json', 0);
    const { wanted } = await push(server, file, bytes / 2, 'protobuf', json.next);
    closeSync(file);
    await server.stop();
    const stored = readdirSync(data).reduce((sum, name) => {
      const info = statSync(join(data, name));
      return sum + (info.isFile() ? info.size : 0);
    }, 0);
    console.log(`disk: ${(stored / statSync(path).size).toFixed(3)} of the text (target 0.35)`);
    server = await startTelemetryServer(data);
    console.log(`open: ${server.openMs.toFixed(0)} ms (target 1,000)`);
    const contains = (text: string): Promise<void> =>
      compare(server, path, `|= ${JSON.stringify(text)}`, { flags: ['-F'], pattern: text });
    const matches = (pattern: string, flags: readonly string[] = []): Promise<void> =>
      compare(server, path, `|~ ${JSON.stringify(flags.includes('-i') ? `(?i)${pattern}` : pattern)}`, {
        flags: ['-E', ...flags],
        pattern,
      });
    await contains(wanted);
    await contains('no such text anywhere');
    await contains('slow function');
    await contains('WARN');
    await contains('shard-13 took');
    await contains('ab1');
    await matches('shard-[0-9]*7 took');
    await matches(`${wanted.slice(0, 20)}[0-9a-f]+ span`);
    await matches('views.ts:[0-9]+. .trace_id=0');
    await matches('[0-9]+ms$');
    await matches('shard-13 |shard-31 |shard-44 ');
    await matches('warn', ['-i']);
    await compare(server, path, '!= "INFO"', { flags: ['-F', '-v'], pattern: 'INFO' });
    const time = '[24h]';
    await measure(server, path, `sum(bytes_over_time(${SELECTOR} |= "WARN" ${time}))`);
    await measure(
      server,
      path,
      `sum by (level) (count_over_time(${SELECTOR} | pattern "<_> <_> <level> <_>" ${time}))`,
    );
    await measure(server, path, `sum by (trace_id) (count_over_time(${SELECTOR} |= "7ms" | logfmt ${time})) > 1`);
    await measure(server, path, `max(max_over_time(${SELECTOR} | regexp "took (?P<ms>[0-9]+)ms" | unwrap ms ${time}))`);
    await measure(server, path, `sum(count_over_time(${SELECTOR} | json | __error__="" ${time}))`);
    console.log(`memory: ${server.memoryMb()} MB PSS after the queries`);
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
