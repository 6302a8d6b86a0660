import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { fixtureLastBuilds, jaeger, kubernetes, loki, pack, prometheus } from './fixture-backends.ts';
import { nowSecond } from './fixture-clock.ts';
import { filterLines, linesBetween } from './fixture-logs.ts';
import { FixtureQueryError } from './fixture-promql.ts';

/**
 * The public APIs of a lab, from made-up data: for work on the console without a lab, and for its tests.
 * With the header or parameter of `failing`, a whole backend answers 503.
 */
export interface FixtureApi {
  handle(request: IncomingMessage, response: ServerResponse, next: () => void): void;
  upgrade(server: {
    on(event: 'upgrade', listener: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): unknown;
  }): void;
  /** Backends that answer 503: `prometheus`, `loki`, `jaeger`, `kubernetes`. */
  readonly failing: Set<string>;
  /** Backends that have no data yet. */
  readonly empty: Set<string>;
  /** Bodies of the writes that came, newest last. */
  readonly writes: { method: string; path: string; body: string; header: string | undefined }[];
}

export function createFixtureApi(): FixtureApi {
  const failing = new Set<string>();
  const empty = new Set<string>();
  const writes: FixtureApi['writes'] = [];
  const routes: readonly (readonly [RegExp, string, (url: URL, match: RegExpExecArray) => unknown])[] = [
    [
      /^\/prometheus\/api\/v1\/(\w+)(?:\/([^/]+)(?:\/values)?)?$/,
      'prometheus',
      (url, match) => prometheus(url, match, empty),
    ],
    [/^\/loki\/api\/v1\/([\w/]+?)(?:\/([^/]+)\/values)?$/, 'loki', (url, match) => loki(url, match, empty)],
    [/^\/jaeger\/api\/(.+)$/, 'jaeger', (url, match) => jaeger(url, match, empty)],
    [/^\/api\/kubernetes\/(.+)$/, 'kubernetes', kubernetes],
  ];
  return {
    failing,
    empty,
    writes,
    handle(request, response, next) {
      const url = new URL(request.url ?? '/', 'http://fixture');
      const route = routes.find(([pattern]) => pattern.test(url.pathname));
      if (!route) {
        if (url.pathname === '/jenkins/api/json' && url.searchParams.get('tree')?.includes('lastBuild'))
          send(response, 200, { jobs: fixtureLastBuilds() });
        else if (url.pathname.startsWith('/jenkins/') && request.headers.accept?.includes('json'))
          send(response, 404, { message: 'no pipelines' });
        else next();
        return;
      }
      const [pattern, backend, answer] = route;
      if (failing.has(backend)) {
        response.writeHead(503, { 'content-type': 'text/plain' }).end('no healthy upstream');
        return;
      }
      if (request.method !== 'GET' && request.method !== 'POST') {
        collect(request, (body) => {
          writes.push({
            method: request.method ?? '',
            path: url.pathname,
            body,
            header: request.headers['x-requested-with'] as string | undefined,
          });
          send(response, 200, { kind: 'Status', status: 'Success', metadata: {} });
        });
        return;
      }
      if (request.method === 'POST') {
        collect(request, (body) => {
          for (const [key, value] of new URLSearchParams(body)) url.searchParams.append(key, value);
          reply();
        });
        return;
      }
      reply();

      function reply(): void {
        try {
          if (/\/log$/.test(url.pathname) && backend === 'kubernetes') {
            const lines = linesBetween(nowSecond() - 1800, nowSecond(), nowSecond()).reverse();
            response.writeHead(200, { 'content-type': 'text/plain' });
            response.end(
              lines
                .slice(-200)
                .map((line) => `${new Date(Number(line.ns / 1_000_000n)).toISOString()} ${line.line}\n`)
                .join(''),
            );
            return;
          }
          if (url.searchParams.get('watch') === 'true') {
            response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
            const timer = setTimeout(() => response.end(), 30_000);
            response.on('close', () => clearTimeout(timer));
            return;
          }
          const body = answer(url, pattern.exec(url.pathname) as RegExpExecArray);
          if (body === undefined)
            send(response, 404, {
              kind: 'Status',
              message: 'the server could not find the requested resource',
              code: 404,
            });
          else send(response, 200, body);
        } catch (error) {
          if (error instanceof FixtureQueryError)
            send(response, 400, { status: 'error', errorType: 'bad_data', error: error.message });
          else send(response, 500, { status: 'error', error: String(error) });
        }
      }
    },
    upgrade(server) {
      const sockets = new WebSocketServer({
        noServer: true,
        handleProtocols: (protocols) => [...protocols][0] ?? false,
      });
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        const url = new URL(request.url ?? '/', 'http://fixture');
        if (!/\/tail$|\/exec$/.test(url.pathname)) return;
        sockets.handleUpgrade(request, socket, head, (client) => {
          if (url.pathname.endsWith('/tail')) tail(client, url.searchParams.get('query') ?? '');
          else shell(client);
        });
      });
    },
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function collect(request: IncomingMessage, call: (body: string) => void): void {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => call(body));
}

function tail(client: WebSocket, query: string): void {
  let last = nowSecond();
  const timer = setInterval(() => {
    const now = nowSecond();
    const lines = filterLines(linesBetween(last - 8, now - 8, now), query);
    last = now;
    if (lines.length > 0) client.send(JSON.stringify({ streams: pack(lines), dropped_entries: [] }));
  }, 1000);
  client.on('close', () => clearInterval(timer));
}

/** A shell that echoes; channel 0 is stdin, 1 stdout, 3 the status, 4 the size. */
function shell(client: WebSocket): void {
  const out = (text: string): void => client.send(Buffer.concat([Buffer.from([1]), Buffer.from(text)]));
  out('/app $ ');
  client.on('message', (data: Buffer) => {
    if (data[0] !== 0) return;
    const text = data.subarray(1).toString();
    out(text === '\r' ? '\r\n/app $ ' : text);
  });
}
