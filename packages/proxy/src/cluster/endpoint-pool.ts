import type { Clock } from '@kind-e2e/base';
import type { ResponseReceiver, UpstreamReset, UpstreamStream } from '../http/stream.ts';
import { Http1ClientConnection } from '../http1/client-connection.ts';
import type { ConnectionLimits } from '../snapshot/clusters.ts';
import { openConnection, type UpstreamTls } from './connect.ts';

export interface PoolOptions {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string | undefined;
  readonly tls: () => UpstreamTls | undefined;
  readonly limits: () => ConnectionLimits;
  readonly clock: Clock;
  /** Opens `true`, closes `false`: for the gauges. */
  readonly onConnection: (opened: boolean, failed: boolean) => void;
}

/** Someone who wants to send a request. */
export interface PoolWaiter extends ResponseReceiver {
  onUpstreamReady(stream: UpstreamStream): void;
}

/** The pool as the routing uses it, whatever the protocol. */
export interface UpstreamPool {
  acquire(waiter: PoolWaiter): void;
  forget(waiter: PoolWaiter): void;
  readonly active: number;
  readonly connections: number;
  sweep(now: number): void;
  /** No new request; what runs goes on. */
  drain(): void;
  destroy(): void;
}

// Istio sets connectTimeout 10 s; Envoy closes idle upstream connections after an hour, but many servers after less.
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_IDLE_MS = 60_000;
const DEFAULT_MAX_CONNECTIONS = 1024;
const DEFAULT_MAX_PENDING = 4096;

/** HTTP/1 connections of one caller to one endpoint; the one used last is used first. */
export class Http1Pool implements UpstreamPool {
  readonly #options: PoolOptions;
  readonly #idle: Http1ClientConnection[] = [];
  readonly #all = new Set<Http1ClientConnection>();
  readonly #pending: PoolWaiter[] = [];
  readonly #connecting = new Set<() => void>();
  #draining = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get active(): number {
    return this.#all.size - this.#idle.length + this.#pending.length;
  }

  get connections(): number {
    return this.#all.size;
  }

  acquire(waiter: PoolWaiter): void {
    const now = this.#options.clock.monotonic();
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (connection.usable && now - connection.idleSince < connection.idleLimitMs) {
        waiter.onUpstreamReady(connection.open(waiter));
        return;
      }
      connection.destroy();
    }
    const limits = this.#options.limits();
    const open = this.#all.size + this.#connecting.size;
    if (open >= (limits.maxConnections ?? DEFAULT_MAX_CONNECTIONS)) {
      if (this.#pending.length >= (limits.maxPendingRequests ?? DEFAULT_MAX_PENDING)) {
        waiter.onUpstreamReset({ reason: 'overflow', unsent: true });
        return;
      }
      this.#pending.push(waiter);
      return;
    }
    this.#pending.push(waiter);
    if (this.#connecting.size < this.#pending.length) this.#connect();
  }

  forget(waiter: PoolWaiter): void {
    const at = this.#pending.indexOf(waiter);
    if (at >= 0) this.#pending.splice(at, 1);
  }

  #connect(): void {
    const { clock, address, port, localAddress } = this.#options;
    const limits = this.#options.limits();
    const cancel = openConnection(
      {
        address,
        port,
        localAddress,
        tls: this.#options.tls(),
        timeoutMs: limits.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
        keepaliveMs: limits.keepalive?.timeMs,
      },
      (ms, call) => clock.after(ms, call),
      (connected) => {
        this.#connecting.delete(cancel);
        this.#options.onConnection(true, false);
        const connection = new Http1ClientConnection({
          socket: connected.socket,
          remotePrincipal: connected.remotePrincipal,
          now: () => clock.monotonic(),
          onIdle: (idle) => this.#onIdle(idle),
          onClose: (closed) => this.#onClose(closed),
        });
        this.#all.add(connection);
        this.#onIdle(connection);
      },
      (failure) => {
        this.#connecting.delete(cancel);
        this.#options.onConnection(false, true);
        const waiter = this.#pending.shift();
        const reset: UpstreamReset = { ...failure, unsent: true };
        waiter?.onUpstreamReset(reset);
        this.#connectForPending();
      },
    );
    this.#connecting.add(cancel);
  }

  #connectForPending(): void {
    const most = this.#options.limits().maxConnections ?? DEFAULT_MAX_CONNECTIONS;
    while (this.#connecting.size < this.#pending.length && this.#all.size + this.#connecting.size < most)
      this.#connect();
  }

  #onIdle(connection: Http1ClientConnection): void {
    const { maxRequestsPerConnection: most, maxConnectionDurationMs: longest } = this.#options.limits();
    const now = this.#options.clock.monotonic();
    const worn =
      (most !== undefined && most > 0 && connection.requests >= most) ||
      (longest !== undefined && longest > 0 && now - connection.openedAt >= longest);
    if (worn && connection.requests > 0) {
      connection.destroy();
      return;
    }
    const waiter = this.#pending.shift();
    if (waiter) {
      waiter.onUpstreamReady(connection.open(waiter));
      return;
    }
    if (this.#draining) {
      connection.destroy();
      return;
    }
    connection.idleSince = now;
    this.#idle.push(connection);
  }

  #onClose(connection: Http1ClientConnection): void {
    if (!this.#all.delete(connection)) return;
    this.#options.onConnection(false, false);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#connectForPending();
  }

  sweep(now: number): void {
    const limit = this.#options.limits().idleTimeoutMs ?? DEFAULT_IDLE_MS;
    for (const connection of [...this.#idle])
      if (now - connection.idleSince >= Math.min(limit > 0 ? limit : Number.POSITIVE_INFINITY, connection.idleLimitMs))
        connection.destroy();
  }

  drain(): void {
    this.#draining = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  destroy(): void {
    this.#draining = true;
    for (const cancel of this.#connecting) cancel();
    this.#connecting.clear();
    for (const waiter of this.#pending.splice(0)) waiter.onUpstreamReset({ reason: 'local reset', unsent: true });
    for (const connection of [...this.#all]) connection.destroy();
  }
}
