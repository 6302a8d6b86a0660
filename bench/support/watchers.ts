/**
 * Watchers in a process of their own, so that what they take does not slow the one who writes. As a program:
 * `node watchers.ts URL COUNT`, where URL is the watch with its query.
 *
 * They read their connections as they come, without an HTTP parser: every byte is taken and decrypted by all of them; one
 * in ten looks for the time of sending in each event.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { BENCH_TOKEN } from './api-server-process.ts';

/** One in so many measures. */
const MEASURED_EVERY = 10;
const MARK = Buffer.from('"at":"');

export interface WatchResult {
  /** From sending to arrival, of each event at each of the watchers that measure. */
  readonly ms: readonly number[];
  readonly measuring: number;
  readonly bytes: number;
}

export interface WatcherProcess {
  /** Ends them. */
  result(): Promise<WatchResult>;
}

/** The clock that all processes of the machine share, in ms. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Resolves when all of them watch. */
export async function startWatchers(url: string, count: number): Promise<WatcherProcess> {
  const child = fork(import.meta.filename, [url, String(count)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await once(child, 'message');
  return {
    async result() {
      const answer = once(child, 'message');
      child.send('end');
      const [result] = await answer;
      await once(child, 'exit');
      return result as WatchResult;
    },
  };
}

async function watch(url: URL, count: number): Promise<void> {
  const ms: number[] = [];
  let bytes = 0;
  const sockets = Array.from({ length: count }, (_, index) => {
    const socket = connect({ host: url.hostname, port: Number(url.port), rejectUnauthorized: false });
    socket.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: Bearer ${BENCH_TOKEN}\r\n\r\n`,
    );
    const measure = index % MEASURED_EVERY === 0 ? createMeter(ms) : undefined;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      measure?.(chunk);
    });
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, 'data')));
  process.on('message', () => {
    for (const socket of sockets) socket.destroy();
    process.send?.({ ms, measuring: Math.ceil(count / MEASURED_EVERY), bytes } satisfies WatchResult, () =>
      process.disconnect(),
    );
  });
  process.send?.('ready');
}

/** Takes a stream's chunks; a mark that two chunks share is put together. */
function createMeter(ms: number[]): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const now = sharedNow();
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, from)) {
      const end = bytes.indexOf('"', at + MARK.length);
      if (end < 0) break;
      ms.push(now - Number(bytes.toString('latin1', at + MARK.length, end)));
      from = end;
    }
    rest = bytes.subarray(Math.max(from, bytes.length - 64));
  };
}

if (import.meta.main) await watch(new URL(process.argv[2] ?? ''), Number(process.argv[3]));
