import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '@kind-e2e/base';
import { type Dispatcher, Pool } from 'undici';
import type { KubeConnection } from './types.ts';

/** How long a token that was read from a file is used before the file is read again (client-go: one minute). */
const TOKEN_AGE_MS = 60_000;

const REQUEST_TIMEOUT_MS = 60_000;

export interface SendOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** The answer may take as long as it likes, and has a connection of its own. */
  readonly stream?: boolean;
}

/** Sends requests of one identity over kept-alive connections. */
export interface Transport extends AsyncDisposable {
  send(method: string, path: string, options: SendOptions): Promise<Dispatcher.ResponseData>;
}

export function createTransport(
  connection: KubeConnection,
  options: { readonly maxConnections: number; readonly clock: Clock },
): Transport {
  const server = new URL(connection.server);
  const prefix = server.pathname === '/' ? '' : server.pathname.replace(/\/$/, '');
  const connect = {
    ...(server.protocol === 'https:' ? { secureContext: secureContextOf(connection) } : {}),
    ...(connection.tlsServerName === undefined ? {} : { servername: connection.tlsServerName }),
    ...(connection.socketPath === undefined ? {} : { socketPath: connection.socketPath }),
    ...(connection.insecureSkipTlsVerify === true ? { rejectUnauthorized: false } : {}),
  };
  const requests = new Pool(server.origin, { connections: options.maxConnections, connect, allowH2: false });
  // Watches hold their connection, so they must not take one from the requests.
  const streams = new Pool(server.origin, { connect, allowH2: false, headersTimeout: 0, bodyTimeout: 0 });
  const token = tokenReader(connection, options.clock);
  const userAgent = connection.userAgent ?? 'kind-e2e';
  let closed: Promise<void> | undefined;

  return {
    send(method, path, request) {
      const headers: Record<string, string> = { 'user-agent': userAgent, ...request.headers };
      const bearer = token();
      if (bearer !== undefined) headers.authorization ??= `Bearer ${bearer}`;
      return (request.stream ? streams : requests).request({
        method: method as Dispatcher.HttpMethod,
        path: prefix + path,
        headers,
        body: request.body ?? null,
        signal: request.signal ?? null,
        // undici would give up the connection after a DELETE that has a body.
        reset: false,
        ...(request.stream ? {} : { headersTimeout: REQUEST_TIMEOUT_MS, bodyTimeout: REQUEST_TIMEOUT_MS }),
      });
    },
    [Symbol.asyncDispose]() {
      closed ??= (async () => {
        await Promise.all([requests.destroy(), streams.destroy()]);
      })();
      return closed;
    },
  };
}

const secureContexts = new Map<string, WeakRef<SecureContext>>();

/** One for all connections, and all clients, with the same certificates: a context of its own costs each 30 kB. */
function secureContextOf({ caPem, clientCertPem, clientKeyPem }: KubeConnection): SecureContext {
  const key = JSON.stringify([caPem, clientCertPem, clientKeyPem]);
  const known = secureContexts.get(key)?.deref();
  if (known) return known;
  const context = createSecureContext({
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(clientCertPem === undefined ? {} : { cert: clientCertPem }),
    ...(clientKeyPem === undefined ? {} : { key: clientKeyPem }),
  });
  secureContexts.set(key, new WeakRef(context));
  return context;
}

function tokenReader(connection: KubeConnection, clock: Clock): () => string | undefined {
  const { tokenFile } = connection;
  if (tokenFile === undefined) return () => connection.token;
  let read: { token: string; at: number } | undefined;
  return () => {
    const now = clock.monotonic();
    if (read && now - read.at < TOKEN_AGE_MS) return read.token;
    try {
      read = { token: readFileSync(tokenFile, 'utf8').trim(), at: now };
    } catch (error) {
      // The file is replaced while it rotates; the token in hand is good for a while longer.
      if (!read) throw error;
    }
    return read.token;
  };
}
