import { z } from 'zod';
import { type Milliseconds, milliseconds } from '../units/brands.ts';
import { ApiError, getJson, withParams } from './http.ts';
import { parseSampleValue, type Series } from './prometheus.ts';

/** Loki's HTTP API (loki: docs/sources/reference/loki-http-api.md), under the gateway's path. */
const BASE = '/loki/api/v1';

export interface LogLine {
  /** Unique within a result: time in nanoseconds, stream and place. */
  key: string;
  /** Nanoseconds since the epoch, as Loki writes them; too large for a number. */
  ns: string;
  at: Milliseconds;
  line: string;
  labels: Readonly<Record<string, string>>;
  metadata: Readonly<Record<string, string>>;
}

const entry = z
  .tuple([z.string(), z.string()])
  .rest(
    z.union([
      z.record(z.string(), z.string()),
      z.object({ structuredMetadata: z.record(z.string(), z.string()).optional() }),
    ]),
  );
const stream = z.object({ stream: z.record(z.string(), z.string()), values: z.array(entry) });
const sample = z.tuple([z.number(), z.string()]);
const metric = z.record(z.string(), z.string());

const response = z.object({
  status: z.literal('success'),
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('streams'), result: z.array(stream) }),
    z.object({ resultType: z.literal('matrix'), result: z.array(z.object({ metric, values: z.array(sample) })) }),
    z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric, value: sample })) }),
    z.object({ resultType: z.literal('scalar'), result: sample }),
  ]),
});

export type LokiResult = { kind: 'lines'; lines: LogLine[] } | { kind: 'series'; series: Series[] };

const nsToMs = (ns: string): Milliseconds => milliseconds(Number(ns.slice(0, -6)) + Number(ns.slice(-6)) / 1e6);

function toLines(streams: z.infer<typeof stream>[]): LogLine[] {
  return streams.flatMap((item, index) =>
    item.values.map(([ns, line, extra], place) => {
      const structured = (extra as { structuredMetadata?: unknown } | undefined)?.structuredMetadata;
      const metadata = (typeof structured === 'object' && structured !== null ? structured : (extra ?? {})) as Record<
        string,
        string
      >;
      return { key: `${ns}-${index}-${place}`, ns, at: nsToMs(ns), line, labels: item.stream, metadata };
    }),
  );
}

export type LogDirection = 'forward' | 'backward';

/** Lines come sorted by time, newest first when `backward`. */
export async function queryLogs(
  query: string,
  options: {
    from: Milliseconds;
    to: Milliseconds;
    limit?: number;
    direction?: LogDirection;
    stepSeconds?: number;
    signal?: AbortSignal | undefined;
  },
): Promise<LokiResult> {
  const direction = options.direction ?? 'backward';
  const params = {
    query,
    start: `${Math.floor(options.from)}000000`,
    end: `${Math.ceil(options.to)}000000`,
    limit: options.limit ?? 1000,
    direction,
    step: options.stepSeconds,
  };
  const { data } = await getJson(`${BASE}/query_range`, response, { params, signal: options.signal });
  switch (data.resultType) {
    case 'streams': {
      const sign = direction === 'backward' ? -1 : 1;
      return { kind: 'lines', lines: toLines(data.result).sort((a, b) => sign * compareNs(a.ns, b.ns)) };
    }
    case 'matrix':
      return {
        kind: 'series',
        series: data.result.map((item) => ({
          labels: item.metric,
          times: item.values.map(([at]) => at),
          values: item.values.map(([, value]) => parseSampleValue(value)),
        })),
      };
    case 'vector':
      return {
        kind: 'series',
        series: data.result.map((item) => ({
          labels: item.metric,
          times: [item.value[0]],
          values: [parseSampleValue(item.value[1])],
        })),
      };
    case 'scalar':
      return {
        kind: 'series',
        series: [{ labels: {}, times: [data.result[0]], values: [parseSampleValue(data.result[1])] }],
      };
  }
}

/** Nanosecond texts compare by length, then by digits. */
export const compareNs = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

const stringList = z.object({ data: z.array(z.string()).nullish() });
const window = (range: { from: Milliseconds; to: Milliseconds }) => ({
  start: `${Math.floor(range.from)}000000`,
  end: `${Math.ceil(range.to)}000000`,
});

export async function logLabels(
  range: { from: Milliseconds; to: Milliseconds },
  signal?: AbortSignal,
): Promise<string[]> {
  return (await getJson(`${BASE}/labels`, stringList, { params: window(range), signal })).data ?? [];
}

export async function logLabelValues(
  label: string,
  range: { from: Milliseconds; to: Milliseconds },
  signal?: AbortSignal,
): Promise<string[]> {
  const path = `${BASE}/label/${encodeURIComponent(label)}/values`;
  return (await getJson(path, stringList, { params: window(range), signal })).data ?? [];
}

const tailFrame = z.object({
  streams: z.array(stream).nullish(),
  dropped_entries: z.array(z.unknown()).nullish(),
});

export interface Tail {
  close(): void;
}

/** Follows a selector; lines come as they are written. `onEnd` tells why it stopped when it was not `close`. */
export function tailLogs(
  query: string,
  call: { onLines: (lines: LogLine[]) => void; onOpen: () => void; onEnd: (reason: string) => void },
): Tail {
  const url = new URL(withParams(`${BASE}/tail`, { query, limit: 100 }), window_().location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url);
  let isClosed = false;
  let count = 0;
  socket.onopen = () => call.onOpen();
  socket.onmessage = (event: MessageEvent<string>) => {
    const parsed = tailFrame.safeParse(JSON.parse(event.data));
    if (!parsed.success) return;
    const lines = toLines(parsed.data.streams ?? []).map((line) => {
      count += 1;
      return { ...line, key: `tail-${count}` };
    });
    if (lines.length > 0) call.onLines(lines.sort((a, b) => compareNs(b.ns, a.ns)));
  };
  socket.onclose = (event) => {
    if (!isClosed) call.onEnd(event.reason || 'The connection was closed by the server.');
  };
  return {
    close() {
      isClosed = true;
      socket.close();
    },
  };
}

const window_ = (): Window => {
  if (typeof globalThis.window === 'undefined') throw new ApiError('No browser window.', { status: 0, url: '' });
  return globalThis.window;
};
