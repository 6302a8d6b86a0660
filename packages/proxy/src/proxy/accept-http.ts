import type { Socket } from 'node:net';
import type { Clock } from '@kind-e2e/base';
import { Exchange } from '../http/exchange.ts';
import type { HttpRole } from '../http/role.ts';
import type { DownstreamConnection, DownstreamStream, DownstreamTls, RequestHead } from '../http/stream.ts';
import { Http1ServerConnection, type HttpHandler } from '../http1/server-connection.ts';
import { Http2ServerConnection } from '../http2/server-session.ts';
import type { TrackedConnection } from '../listener/net-listener.ts';

const HEAD_TIMEOUT_MS = 60_000;
const IDLE_TIMEOUT_MS = 3_600_000;
const LINGER_MS = 5_000;

/** Speaks HTTP on accepted sockets; the role they go through may be replaced at any time. */
export class HttpAcceptor implements HttpHandler {
  role: HttpRole;
  readonly #clock: Clock;

  constructor(role: HttpRole, clock: Clock) {
    this.role = role;
    this.#clock = clock;
  }

  onRequest(head: RequestHead, stream: DownstreamStream): void {
    new Exchange(this.role, head, stream).begin();
  }

  onProtocolError(connection: DownstreamConnection, status: number, details: string): void {
    const { proxy } = this.role;
    const now = proxy.clock.now();
    proxy.log?.({
      startTime: now,
      durationMs: 0,
      responseDurationMs: undefined,
      method: '',
      path: '',
      authority: '',
      scheme: '',
      protocol: 'HTTP/1.1',
      status,
      flags: 'DPE',
      details,
      upstreamFailure: undefined,
      bytesReceived: 0,
      bytesSent: 0,
      requestHeaders: [],
      responseHeaders: [],
      upstreamHost: undefined,
      upstreamCluster: undefined,
      upstreamLocalAddress: undefined,
      downstreamLocalAddress: `${connection.localAddress}:${connection.localPort}`,
      downstreamRemoteAddress: `${connection.remoteAddress}:${connection.remotePort}`,
      requestedServerName: connection.tls?.serverName,
      routeName: undefined,
      attempts: 0,
      traceId: undefined,
      grpcStatus: undefined,
      peerSpiffeId: connection.tls?.peerSpiffeId,
      localSpiffeId: connection.tls?.localSpiffeId,
    });
  }

  accept(
    socket: Socket,
    version: 'http1' | 'http2',
    tls: DownstreamTls | undefined,
    track: (connection: TrackedConnection) => () => void,
  ): void {
    let untrack = (): void => {};
    if (version === 'http2') {
      untrack = track(new Http2ServerConnection(socket, { handler: this, tls, onClose: () => untrack() }));
      return;
    }
    const connection = new Http1ServerConnection(socket, {
      handler: this,
      tls,
      now: () => this.#clock.monotonic(),
      onClose: () => untrack(),
    });
    untrack = track({
      drain: () => connection.drain(),
      destroy: () => connection.destroy(),
      sweep: (now) => sweepConnection(connection, now),
    });
  }
}

/** Closes what has been quiet for too long; a request that is being answered is left alone. */
function sweepConnection(connection: Http1ServerConnection, now: number): void {
  const quiet = now - connection.lastActive;
  const limit = connection.closing ? LINGER_MS : connection.partial ? HEAD_TIMEOUT_MS : IDLE_TIMEOUT_MS;
  if ((connection.idle || connection.partial) && quiet > limit) connection.destroy();
}
