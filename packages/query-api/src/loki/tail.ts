import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, type Logger, messageOf } from '@kind-e2e/base';
import { logExprsOf, type QueryEngine, type StreamResult } from '@kind-e2e/logql';
import type { Labels, LogChunk, LogEntry, LogReader, LogWriter } from '@kind-e2e/telemetry';
import type { WebSocket, WebSocketServer } from 'ws';
import { limitParameter, timeParameter } from './parameters.ts';
import { streamText } from './render.ts';

export interface TailOptions {
  readonly logs: LogReader & Pick<LogWriter, 'subscribe'>;
  readonly engine: () => QueryEngine;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MAX_TAILS = 100;
/** pkg/loghttp/tail.go, maxDelayForInTailing. */
const MAX_DELAY_SECONDS = 5;
/** Unsent bytes at which lines are left out and counted, as Loki does for slow readers. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
const HOUR_NS = 3_600_000_000_000n;
/** Lines that come within this time go out together. */
const BATCH_MS = 50;

/** `/loki/api/v1/tail`: lines over a WebSocket as they come (pkg/querier/tail.go). */
export class TailServer {
  readonly #options: TailOptions;
  #server: WebSocketServer | undefined;
  #open = 0;

  constructor(options: TailOptions) {
    this.#options = options;
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): Promise<void> {
    const refuse = (status: string, message: string): void => {
      socket.end(
        `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(message)}\r\nconnection: close\r\n\r\n${message}`,
      );
    };
    const { clock, engine } = this.#options;
    const query = url.searchParams.get('query') ?? '';
    let plan: { limit: number; startNs: bigint; matchers: Parameters<LogWriter['subscribe']>[0] };
    try {
      const expr = engine().parse(query);
      const [log] = logExprsOf(expr);
      if (expr.kind !== 'log' || !log) throw new Error('only log selector is supported');
      const delay = url.searchParams.get('delay_for') ?? '';
      if (delay !== '' && !/^[+-]?\d{1,18}$/.test(delay))
        throw new Error(`strconv.Atoi: parsing ${JSON.stringify(delay)}: invalid syntax`);
      if (Number(delay) > MAX_DELAY_SECONDS) throw new Error(`delay_for can't be greater than ${MAX_DELAY_SECONDS}`);
      const now = BigInt(Math.trunc(clock.now())) * 1_000_000n;
      plan = {
        limit: limitParameter(url.searchParams),
        startNs: timeParameter(url.searchParams, 'start', now - HOUR_NS),
        matchers: log.matchers,
      };
    } catch (error) {
      refuse('400 Bad Request', messageOf(error));
      return;
    }
    if (this.#open >= MAX_TAILS) {
      refuse('429 Too Many Requests', 'max concurrent tail requests limit exceeded');
      return;
    }
    const { WebSocketServer: Server } = await import('ws');
    this.#server ??= new Server({ noServer: true, maxPayload: 64 * 1024 });
    this.#server.handleUpgrade(request, socket, head, (client) => {
      this.#open++;
      void this.#serve(client, query, plan).catch((error: unknown) =>
        client.close(1011, messageOf(error).slice(0, 120)),
      );
    });
  }

  async #serve(
    client: WebSocket,
    query: string,
    { limit, startNs, matchers }: { limit: number; startNs: bigint; matchers: Parameters<LogWriter['subscribe']>[0] },
  ): Promise<void> {
    const { logs, engine, clock, logger } = this.#options;
    const waiting: { labels: Labels; entries: readonly LogEntry[] }[] = [];
    const dropped: { labels: Record<string, string>; timestamp: string }[] = [];
    let timer: Disposable | undefined;
    let isLive = false;
    const send = (streams: readonly StreamResult[]): void => {
      if (client.readyState !== client.OPEN || (streams.length === 0 && dropped.length === 0)) return;
      const lost = dropped.length > 0 ? `,"dropped_entries":${JSON.stringify(dropped.splice(0))}` : '';
      client.send(`{"streams":[${streams.map(streamText).join(',')}]${lost}}`);
    };
    const flush = async (): Promise<void> => {
      timer = undefined;
      const batch = waiting.splice(0);
      if (client.bufferedAmount > MAX_BUFFERED_BYTES) {
        for (const { labels, entries } of batch)
          for (const entry of entries.slice(0, 10))
            dropped.push({ labels: labels.toObject(), timestamp: String(entry.timestampNs) });
        return;
      }
      const count = batch.reduce((sum, { entries }) => sum + entries.length, 0);
      const { value } = await engine().range(readerOf(batch), query, 0n, 1n << 62n, 1n << 62n, {
        limit: Math.min(count, 5000),
        direction: 'forward',
      });
      if (value.type === 'streams') send(value.streams);
    };
    const subscription = logs.subscribe(matchers, (labels, entries) => {
      waiting.push({ labels, entries });
      if (isLive)
        timer ??= clock.after(BATCH_MS, () => void flush().catch((error) => logger.debug('a tail failed', { error })));
    });
    client.on('error', (error) => logger.debug('a tail ended', { error }));
    client.on('close', () => {
      this.#open--;
      subscription[Symbol.dispose]();
      timer?.[Symbol.dispose]();
    });
    // What is there already, up to the limit, then what comes.
    const until = (BigInt(Math.trunc(clock.now())) + 600_000n) * 1_000_000n;
    const { value } = await engine().range(logs, query, startNs, until, until - startNs, {
      limit,
      direction: 'backward',
    });
    if (value.type === 'streams')
      send(value.streams.map((stream) => ({ ...stream, entries: stream.entries.toReversed() })));
    isLive = true;
    if (waiting.length > 0) await flush();
  }
}

/** New lines as something that a query can run over. */
function readerOf(batch: readonly { labels: Labels; entries: readonly LogEntry[] }[]): LogReader {
  return {
    select: () => batch.map(({ labels, entries }) => chunkOf(labels, entries)),
    streams: () => batch.map(({ labels }) => labels),
    volumes: () => [],
  };
}

function chunkOf(labels: Labels, entries: readonly LogEntry[]): LogChunk {
  const sorted = [...entries].sort((a, b) =>
    a.timestampNs < b.timestampNs ? -1 : a.timestampNs > b.timestampNs ? 1 : 0,
  );
  const lines = sorted.map(({ line }) => Buffer.from(line));
  const ends = new Uint32Array(lines.length);
  let end = 0;
  lines.forEach((line, i) => {
    end += line.length;
    ends[i] = end;
  });
  return {
    labels,
    timestamps: BigInt64Array.from(sorted, ({ timestampNs }) => timestampNs),
    ends,
    text: Buffer.concat(lines),
    structuredMetadata: sorted.map(({ structuredMetadata }) => structuredMetadata),
  };
}
