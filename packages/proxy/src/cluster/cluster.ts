import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Clock } from '@kind-e2e/base';
import type { Cluster, ClusterTls, ConnectionLimits, Endpoint } from '../snapshot/clusters.ts';
import type { UpstreamTls } from './connect.ts';
import { EndpointState } from './endpoint.ts';
import { Http1Pool, type UpstreamPool } from './endpoint-pool.ts';
import { Balancer, type Choice } from './load-balancer.ts';
import { type Outcome, recordOutcome, releaseEjected } from './outlier.ts';

/** What a cluster needs of the proxy it belongs to. */
export interface ClusterEnvironment {
  readonly clock: Clock;
  readonly random: () => number;
  /** Address its connections come from. */
  readonly localAddress: string | undefined;
  readonly locality: () => string | undefined;
  /** TLS towards an endpoint, or undefined for plain. */
  readonly tlsFor: (
    tls: ClusterTls,
    endpoint: Endpoint,
    protocol: 'http1' | 'http2' | 'tcp',
  ) => UpstreamTls | undefined;
  readonly openHttp2Pool: (options: ConstructorParameters<typeof Http1Pool>[0]) => UpstreamPool;
}

/** Counters of one cluster as Envoy names them. */
export interface ClusterStats {
  requestsTotal: number;
  requestsActive: number;
  connectionsTotal: number;
  connectionsActive: number;
  connectFailures: number;
  retries: number;
  timeouts: number;
  pendingOverflow: number;
  ejections: number;
  status: [number, number, number, number, number];
}

const RESOLVE_INTERVAL_MS = 30_000;
const MAX_DYNAMIC_ENDPOINTS = 64;
const NO_LIMITS: ConnectionLimits = {};

/** A destination in use by one proxy: endpoints with their connections, balanced and watched. */
export class UpstreamCluster {
  config: Cluster;
  readonly stats: ClusterStats = {
    requestsTotal: 0,
    requestsActive: 0,
    connectionsTotal: 0,
    connectionsActive: 0,
    connectFailures: 0,
    retries: 0,
    timeouts: 0,
    pendingOverflow: 0,
    ejections: 0,
    status: [0, 0, 0, 0, 0],
  };
  activeRetries = 0;
  /** Nothing refers to it any more. */
  removed = false;
  lastUsed: number;
  readonly #environment: ClusterEnvironment;
  readonly #balancer = new Balancer();
  #endpoints: EndpointState[] = [];
  #resolved: readonly Endpoint[] | undefined;
  #resolvedAt = Number.NEGATIVE_INFINITY;
  #resolving: Promise<void> | undefined;

  constructor(config: Cluster, environment: ClusterEnvironment) {
    this.config = config;
    this.#environment = environment;
    this.lastUsed = environment.clock.monotonic();
    this.#setEndpoints(config.endpoints);
  }

  get endpoints(): readonly EndpointState[] {
    return this.#endpoints;
  }

  get limits(): ConnectionLimits {
    return this.config.limits ?? NO_LIMITS;
  }

  update(config: Cluster): void {
    if (config === this.config) return;
    const tlsChanged = JSON.stringify(config.tls) !== JSON.stringify(this.config.tls);
    this.config = config;
    if (config.resolve) {
      this.#resolvedAt = Number.NEGATIVE_INFINITY;
      this.#setEndpoints(this.#resolved ?? []);
    } else this.#setEndpoints(config.endpoints);
    if (tlsChanged) this.resetConnections();
  }

  /** New requests get new connections, as when the certificate was replaced. */
  resetConnections(): void {
    for (const endpoint of this.#endpoints) {
      endpoint.drain();
      endpoint.http1 = undefined;
      endpoint.http2 = undefined;
    }
  }

  #setEndpoints(configs: readonly Endpoint[]): void {
    if (this.config.resolve && configs === this.config.endpoints && configs.some((e) => isIP(e.address) === 0)) return;
    const known = new Map(this.#endpoints.map((endpoint) => [endpoint.key, endpoint]));
    const next: EndpointState[] = [];
    for (const config of configs) {
      const key = `${config.address}:${config.port}`;
      const state = known.get(key);
      if (state === undefined) {
        next.push(new EndpointState(config));
        continue;
      }
      known.delete(key);
      if (state.config.mtls !== config.mtls || state.config.workload !== config.workload) {
        // Another pod may have taken over the address: nothing of the old one's connections is kept.
        state.drain();
        next.push(new EndpointState(config));
        continue;
      }
      if (state.config.ready && !config.ready) {
        state.drain();
        state.http1 = undefined;
        state.http2 = undefined;
      }
      state.config = config;
      next.push(state);
    }
    for (const gone of known.values()) gone.drain();
    this.#endpoints = next;
  }

  /** Endpoint for a new try. Where names are to be resolved first, the answer comes later. */
  pick(choice: Omit<Choice, 'random' | 'callerLocality'>): EndpointState | undefined {
    const now = this.#environment.clock.monotonic();
    this.lastUsed = now;
    if (this.config.outlier) releaseEjected(this.#endpoints, now);
    return this.#balancer.pick(this.#endpoints, this.config.loadBalancer, this.config.locality, {
      ...choice,
      random: this.#environment.random,
      callerLocality: this.#environment.locality(),
    });
  }

  /** Undefined when the endpoints are known; otherwise wait: it gives the endpoint, or undefined to pick then. */
  prepare(authority: string): Promise<EndpointState | undefined> | undefined {
    if (this.config.dynamic) return this.#prepareDynamic(authority);
    if (!this.config.resolve) return undefined;
    const age = this.#environment.clock.monotonic() - this.#resolvedAt;
    if (age < RESOLVE_INTERVAL_MS) return undefined;
    this.#resolving ??= this.#resolve(this.config.endpoints).finally(() => {
      this.#resolving = undefined;
    });
    return this.#resolved && this.#resolved.length > 0 ? undefined : this.#resolving.then(() => undefined);
  }

  async #resolve(configs: readonly Endpoint[]): Promise<void> {
    const found = await Promise.all(
      configs.map(async (config): Promise<Endpoint[]> => {
        if (isIP(config.address) !== 0) return [config];
        try {
          const answers = await lookup(config.address, { all: true });
          return answers.map((answer) => ({ ...config, address: answer.address }));
        } catch {
          return [];
        }
      }),
    );
    const endpoints = found.flat();
    this.#resolvedAt = this.#environment.clock.monotonic();
    if (endpoints.length > 0 || this.#resolved === undefined) this.#resolved = endpoints;
    this.#setEndpoints(this.#resolved);
  }

  /** The request names the endpoint itself. Addresses of the lab are not reached this way: it would go in circles. */
  async #prepareDynamic(authority: string): Promise<EndpointState | undefined> {
    const [, host = '', port] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(authority) ?? [];
    let address: string | undefined;
    try {
      const answers = await lookup(host, { all: true });
      address = answers.map((answer) => answer.address).find((found) => !isOwn(found));
    } catch {
      address = undefined;
    }
    if (address === undefined) return undefined;
    const fresh: Endpoint = { address, port: Number(port ?? 80), ready: true };
    const known = this.#endpoints
      .map((state) => state.config)
      .filter((old) => old.address !== address || old.port !== fresh.port);
    this.#setEndpoints([...known.slice(-MAX_DYNAMIC_ENDPOINTS), fresh]);
    return this.#endpoints.at(-1);
  }

  poolOf(endpoint: EndpointState, protocol: 'http1' | 'http2'): UpstreamPool {
    const known = protocol === 'http1' ? endpoint.http1 : endpoint.http2;
    if (known) return known;
    const { clock, localAddress, tlsFor, openHttp2Pool } = this.#environment;
    const options = {
      address: endpoint.config.address,
      port: endpoint.config.port,
      localAddress,
      tls: () => tlsFor(this.config.tls, endpoint.config, protocol),
      limits: () => this.limits,
      clock,
      onConnection: (opened: boolean, failed: boolean) => {
        if (failed) this.stats.connectFailures++;
        else this.stats.connectionsActive += opened ? 1 : -1;
        if (opened) this.stats.connectionsTotal++;
      },
    };
    const pool = protocol === 'http1' ? new Http1Pool(options) : openHttp2Pool(options);
    if (protocol === 'http1') endpoint.http1 = pool;
    else endpoint.http2 = pool;
    return pool;
  }

  tlsOf(endpoint: EndpointState): UpstreamTls | undefined {
    return this.#environment.tlsFor(this.config.tls, endpoint.config, 'tcp');
  }

  report(endpoint: EndpointState, outcome: Outcome): void {
    if (outcome !== 'local-failure') {
      const group = Math.min(5, Math.max(1, Math.floor(outcome.status / 100))) - 1;
      this.stats.status[group] = (this.stats.status[group] ?? 0) + 1;
    }
    if (this.config.outlier === undefined) return;
    const now = this.#environment.clock.monotonic();
    if (recordOutcome(endpoint, outcome, this.config.outlier, this.#endpoints, now)) this.stats.ejections++;
  }

  sweep(now: number): void {
    for (const endpoint of this.#endpoints) endpoint.sweep(now);
  }

  drain(): void {
    this.removed = true;
    for (const endpoint of this.#endpoints) endpoint.drain();
  }

  destroy(): void {
    this.removed = true;
    for (const endpoint of this.#endpoints) endpoint.destroy();
  }
}

function isOwn(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}
