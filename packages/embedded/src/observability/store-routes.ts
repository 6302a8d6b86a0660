import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, messageOf } from '@kind-e2e/base';
import type { RequestHandler } from '@kind-e2e/query-api';
import { importOpenMetrics, runSql, type TelemetryStore } from '@kind-e2e/telemetry-store';
import { IMPORT_METRICS_PATH, SQL_PATH } from './store-paths.ts';

const MAX_BODY_BYTES = 256 * 1024 * 1024;
const DEFAULT_RANGE_MS = 3_600_000;
/** A page of another origin cannot send it without being allowed to. */
const CLIENT_HEADER = 'x-requested-with';

/**
 * What the command line asks of the stores beyond the public APIs, since only this process has them open:
 * `POST /kind-e2e/api/sql?start=MS&end=MS` with a statement as body, and `POST /kind-e2e/api/import/metrics` with
 * OpenMetrics. Answers are JSON; failures are `{"error": …}` with 400.
 */
export function createStoreRoutes(store: TelemetryStore, clock: Clock): RequestHandler {
  const routes: Readonly<Record<string, (body: string, url: URL) => Promise<unknown>>> = {
    [SQL_PATH]: async (sql, url) => {
      const endMs = numberOf(url, 'end') ?? clock.now();
      const startMs = numberOf(url, 'start') ?? endMs - DEFAULT_RANGE_MS;
      return runSql(sql, { metrics: store.metrics, logs: store.logs, traces: store.traces, startMs, endMs });
    },
    [IMPORT_METRICS_PATH]: (text) => importOpenMetrics(text, store.metrics),
  };
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const route = routes[url.pathname];
    if (!route) return false;
    if (request.method !== 'POST' || request.headers[CLIENT_HEADER] === undefined) {
      send(response, 405, { error: 'send POST, with the header X-Requested-With' });
      return true;
    }
    readBody(request)
      .then((body) => route(body, url))
      .then(
        (answer) => send(response, 200, answer),
        (error: unknown) => send(response, 400, { error: messageOf(error) }),
      );
    return true;
  };
}

function numberOf(url: URL, name: string): number | undefined {
  const text = url.searchParams.get(name);
  return text === null || !Number.isFinite(Number(text)) ? undefined : Number(text);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error(`the body is over ${MAX_BODY_BYTES} bytes; send it in parts`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? value.toString() : value)));
}
