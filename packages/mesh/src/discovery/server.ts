import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock, Logger } from '@kind-e2e/base';
import { messageOf } from '@kind-e2e/base';
import type { Snapshot } from '@kind-e2e/proxy';
import type { AnalysisMessage } from '../analysis/message.ts';

/** Who a bearer token is, or undefined where it is nobody's. */
export type Authenticate = (
  token: string,
) => Promise<{ readonly username: string; readonly groups: readonly string[] } | undefined>;

export interface DiscoveryServerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly authenticate: Authenticate;
  /** Whether a user may have the snapshots, private keys included. */
  readonly isAllowed: (username: string) => boolean;
  readonly analysis: () => readonly AnalysisMessage[];
  readonly clock: Clock;
  readonly logger: Logger;
}

const KEEP_ALIVE_MS = 15_000;

/** `GET /v1/snapshots`: one snapshot a line, the present one first, then each new one. `GET /v1/analysis`: messages. */
export class DiscoveryServer implements AsyncDisposable {
  readonly #options: DiscoveryServerOptions;
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  /** Streams that have not taken the last snapshot yet; they get the newest when they can. */
  readonly #behind = new Set<ServerResponse>();
  #line: string | undefined;
  #timer: Disposable | undefined;

  constructor(options: DiscoveryServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        options.logger.warn('discovery request failed', { reason: messageOf(error) });
        if (!response.headersSent) refuse(response, 503, 'cannot check the token now, try again');
        else response.destroy();
      });
    });
    this.#keepAlive();
  }

  /** Resolves with the port when it listens. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.listen.port, this.#options.listen.host, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  publish(snapshot: Snapshot): void {
    this.#line = `${JSON.stringify(snapshot)}\n`;
    for (const stream of this.#streams) this.#send(stream);
  }

  /** A slow reader skips snapshots: only the newest counts. */
  #send(stream: ServerResponse): void {
    if (this.#line === undefined) return;
    if (stream.writableNeedDrain) {
      if (this.#behind.has(stream)) return;
      this.#behind.add(stream);
      stream.once('drain', () => {
        if (this.#behind.delete(stream)) this.#send(stream);
      });
      return;
    }
    stream.write(this.#line);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0];
    if (path === '/healthz' || path === '/ready') {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
      return;
    }
    if (request.method !== 'GET') {
      refuse(response, 405, 'only GET');
      return;
    }
    if (path === '/v1/analysis') {
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ messages: this.#options.analysis() }));
      return;
    }
    if (path !== '/v1/snapshots') {
      refuse(response, 404, 'there are /v1/snapshots and /v1/analysis');
      return;
    }
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const user = token === undefined ? undefined : await this.#options.authenticate(token);
    if (user === undefined) {
      refuse(response, 401, 'a service account token is needed');
      return;
    }
    if (!this.#options.isAllowed(user.username)) {
      refuse(response, 403, `${user.username} may not read snapshots`);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    response.flushHeaders();
    this.#streams.add(response);
    response.on('close', () => {
      this.#streams.delete(response);
      this.#behind.delete(response);
    });
    this.#send(response);
  }

  #keepAlive(): void {
    this.#timer = this.#options.clock.after(KEEP_ALIVE_MS, () => {
      for (const stream of this.#streams) if (!stream.writableNeedDrain) stream.write('\n');
      this.#keepAlive();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    for (const stream of this.#streams) stream.destroy();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
}
