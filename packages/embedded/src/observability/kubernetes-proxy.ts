import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { type Clock, type Logger, messageOf } from '@kind-e2e/base';

export interface KubernetesProxyOptions {
  /** `https://127.0.0.1:6443` */
  readonly server: string;
  readonly caFile: string;
  /** Read anew each minute: service account tokens rotate. */
  readonly tokenFile: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export const KUBERNETES_PREFIX = '/api/kubernetes';

/** The console sends it with whatever changes something; a page of another origin cannot without our leave. */
const CONSOLE_HEADER = 'x-requested-with';
const CONSOLE_NAME = 'kind-e2e-console';
const TOKEN_LIFE_MS = 60_000;
/** Headers that belong to one connection, or that the API server must not see from a browser. */
const DROPPED = new Set([
  'host',
  'connection',
  'authorization',
  'cookie',
  'origin',
  'referer',
  'keep-alive',
  'upgrade',
]);

/**
 * Passes `/api/kubernetes/…` to the API server with the rights of our service account, for the console. What changes
 * something must carry the console's header, and what opens a stream must come from the console's own origin, so that
 * no other page in the same browser can use those rights.
 */
export class KubernetesProxy {
  readonly #options: KubernetesProxyOptions;
  readonly #agent: Agent;
  readonly #ca: Buffer;
  #token = { value: '', readAtMs: Number.NEGATIVE_INFINITY };

  constructor(options: KubernetesProxyOptions) {
    this.#options = options;
    this.#ca = readFileSync(options.caFile);
    this.#agent = new Agent({ ca: this.#ca, keepAlive: true, maxSockets: 64 });
  }

  /** Gives true where it took the request. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const path = pathOf(request);
    if (path === undefined) return false;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isSameOrigin(request) || (!isRead && request.headers[CONSOLE_HEADER] !== CONSOLE_NAME)) {
      refuse(response, 403, 'only the console may do this: it asks from its own origin, with its own header');
      return true;
    }
    const outgoing = httpsRequest(
      new URL(path, this.#options.server),
      { method: request.method ?? 'GET', headers: this.#headers(request), agent: this.#agent },
      (incoming) => {
        response.writeHead(incoming.statusCode ?? 502, incoming.headers);
        incoming.pipe(response);
        incoming.on('error', () => response.destroy());
      },
    );
    outgoing.on('error', (error) => {
      if (response.headersSent) response.destroy();
      else refuse(response, 502, `the API server does not answer: ${messageOf(error)}`);
    });
    response.on('close', () => outgoing.destroy());
    request.pipe(outgoing);
    return true;
  }

  /** WebSockets: exec, attach. Gives true where it took the connection. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const path = pathOf(request);
    if (path === undefined) return false;
    if (!isSameOrigin(request) || request.headers.origin === undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return true;
    }
    const outgoing = httpsRequest(new URL(path, this.#options.server), {
      method: 'GET',
      headers: { ...this.#headers(request), connection: 'Upgrade', upgrade: request.headers.upgrade ?? 'websocket' },
      ca: this.#ca,
      agent: false,
    });
    outgoing.on('upgrade', (answer, upstream, upstreamHead) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
      socket.write(upstreamHead);
      upstream.write(head);
      upstream.pipe(socket);
      socket.pipe(upstream);
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
      socket.on('close', () => upstream.destroy());
    });
    outgoing.on('response', (answer) => {
      socket.end(
        `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      );
      answer.resume();
    });
    outgoing.on('error', (error) => {
      this.#options.logger.warn('a stream to the API server failed', { error: messageOf(error) });
      socket.destroy();
    });
    outgoing.end();
    return true;
  }

  #headers(request: IncomingMessage): Record<string, string | string[]> {
    const headers: Record<string, string | string[]> = {};
    for (const [name, value] of Object.entries(request.headers))
      if (value !== undefined && !DROPPED.has(name)) headers[name] = value;
    headers.authorization = `Bearer ${this.#readToken()}`;
    return headers;
  }

  #readToken(): string {
    const now = this.#options.clock.monotonic();
    if (now - this.#token.readAtMs > TOKEN_LIFE_MS)
      this.#token = { value: readFileSync(this.#options.tokenFile, 'utf8').trim(), readAtMs: now };
    return this.#token.value;
  }
}

function pathOf(request: IncomingMessage): string | undefined {
  const url = request.url ?? '/';
  if (!url.startsWith(`${KUBERNETES_PREFIX}/`)) return undefined;
  return url.slice(KUBERNETES_PREFIX.length);
}

/** A request without Origin is none of a page's, or one of the same origin. */
function isSameOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (request.headers['sec-fetch-site'] === 'cross-site') return false;
  if (origin === undefined) return true;
  return URL.parse(origin)?.host === host;
}

function refuse(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code }));
}
