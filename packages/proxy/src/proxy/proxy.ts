import { type Clock, type Logger, messageOf, silentLogger, systemClock } from '@kind-e2e/base';
import { DnsServer } from '../dns/server.ts';
import { type Accept, NetListener } from '../listener/net-listener.ts';
import { MESH_ALPN, TlsServer } from '../listener/tls-server.ts';
import { SNAPSHOT_FORMAT, type Snapshot } from '../snapshot/snapshot.ts';
import { ServiceForwarder } from '../tcp/forwarder.ts';
import { SpanReporter, type SpanReporterStats } from '../telemetry/zipkin.ts';
import { Diagnostics, HEALTH_PORT, MERGED_METRICS_PORT, METRICS_PORT } from './diagnostics.ts';
import { GatewayAcceptor } from './gateway.ts';
import { InboundAcceptor } from './inbound.ts';
import { OutboundAcceptor } from './outbound.ts';
import { Tables } from './tables.ts';
import { type AccessLogWriter, WorkloadRuntime } from './workload.ts';

export interface ProxyOptions {
  /** Snapshots to go through; the last one stays in force. More may be given by `applySnapshot`. */
  readonly snapshots?: AsyncIterable<Snapshot>;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly random?: () => number;
  /** Takes the lines of access logs. Default: none are made. */
  readonly accessLog?: AccessLogWriter;
  /** Share listening ports with another process, so that one can take over from another. Default false. */
  readonly reusePort?: boolean;
  /** How long connections of a removed listener may go on. Default 10,000 ms. */
  readonly drainMs?: number;
  /** DNS servers for names outside the cluster. Default: the system's. */
  readonly dnsUpstreams?: readonly string[];
  /** Ports of each workload's own endpoints; other ones only in tests. */
  readonly metricsPort?: number;
  readonly healthPort?: number;
  readonly dnsPort?: number;
}

export interface Proxy extends AsyncDisposable {
  /** Puts a snapshot in force. Resolves when every new listener listens. Throws on a snapshot of another format. */
  applySnapshot(snapshot: Snapshot): Promise<void>;
  /** Version of the snapshot in force. */
  readonly version: string | undefined;
  readonly spans: SpanReporterStats;
  /** Addresses that are wanted and not listened on (yet). */
  readonly notListening: readonly string[];
}

const SWEEP_INTERVAL_MS = 1_000;
const DEFAULT_DRAIN_MS = 10_000;

/** Starts a data plane without anything to do; snapshots say what. */
export function startProxy(options: ProxyOptions = {}): Proxy {
  return new DataPlane(options);
}

/** What stands behind a listening address across snapshots. */
interface Behaviour {
  readonly listener: NetListener;
  readonly kind: string;
  update(value: unknown): void;
}

class DataPlane implements Proxy {
  readonly #options: ProxyOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #reporter: SpanReporter;
  readonly #workloads = new Map<string, WorkloadRuntime>();
  readonly #behaviours = new Map<string, Behaviour>();
  readonly #dns = new Map<string, DnsServer>();
  readonly #meshTls = new Map<string, TlsServer>();
  readonly #retired = new Set<NetListener | WorkloadRuntime>();
  #tables: Tables | undefined;
  #sweeper: Disposable | undefined;
  #epochOffset: number;
  readonly #stop = new AbortController();
  readonly #following: Promise<void>;
  #disposing: Promise<void> | undefined;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#reporter = new SpanReporter({ clock: this.#clock, logger: this.#logger });
    this.#epochOffset = this.#clock.now() - this.#clock.monotonic();
    this.#sweep();
    this.#following = options.snapshots ? this.#follow(options.snapshots) : Promise.resolve();
  }

  get version(): string | undefined {
    return this.#tables?.snapshot.version;
  }

  get spans(): SpanReporterStats {
    return this.#reporter.stats;
  }

  get notListening(): readonly string[] {
    return [...this.#behaviours.values()]
      .filter(({ listener }) => !listener.isListening)
      .map(({ listener }) => listener.key);
  }

  async #follow(snapshots: AsyncIterable<Snapshot>): Promise<void> {
    try {
      for await (const snapshot of snapshots) {
        if (this.#stop.signal.aborted) return;
        try {
          void this.applySnapshot(snapshot);
        } catch (error) {
          this.#logger.error('snapshot refused, the last one stays in force', { error, version: snapshot.version });
        }
      }
    } catch (error) {
      this.#logger.error('no more snapshots, the last one stays in force', { error });
    }
  }

  applySnapshot(snapshot: Snapshot): Promise<void> {
    if (snapshot.format !== SNAPSHOT_FORMAT)
      throw new Error(`snapshot of format ${String(snapshot.format)}: this proxy reads format ${SNAPSHOT_FORMAT}`);
    const tables = new Tables(snapshot, this.#tables);
    this.#tables = tables;
    for (const problem of tables.problems) this.#logger.error('part of a snapshot refused', { problem });
    this.#reporter.setUrls(snapshot.telemetry.tracing?.zipkinUrls ?? []);
    for (const server of this.#meshTls) this.#refreshMeshTls(server[0], server[1]);
    const wanted = new Set<string>();
    const ids = new Set<string>();
    for (const config of snapshot.workloads) {
      ids.add(config.id);
      try {
        this.#applyWorkload(config, tables, wanted);
      } catch (error) {
        this.#logger.error('workload refused', { workload: config.id, reason: messageOf(error) });
      }
    }
    for (const config of snapshot.forwarders)
      this.#place(wanted, config.address, config.port, `forward`, config, () => {
        const forwarder = new ServiceForwarder(config, () => this.#clock.monotonic());
        return {
          accept: forwarder.accept,
          update: (value) => {
            forwarder.config = value as typeof config;
          },
        };
      });
    this.#removeUnwanted(wanted, ids);
    return Promise.all([
      ...[...this.#behaviours.values()].map(({ listener }) => listener.listening),
      ...[...this.#dns.values()].map((server) => server.listening),
    ]).then(() => {});
  }

  #applyWorkload(config: Snapshot['workloads'][number], tables: Tables, wanted: Set<string>): void {
    const known = this.#workloads.get(config.id);
    if (known) known.update(config, tables);
    const workload =
      known ??
      new WorkloadRuntime(config, tables, {
        clock: this.#clock,
        random: this.#options.random ?? Math.random,
        spans: this.#reporter,
        accessLog: this.#options.accessLog,
        epochMicros: (monotonic) => Math.round((this.#epochOffset + monotonic) * 1000),
      });
    this.#workloads.set(config.id, workload);
    for (const port of [this.#options.metricsPort ?? METRICS_PORT, this.#options.healthPort ?? HEALTH_PORT])
      this.#place(wanted, config.address, port, `diagnostics ${config.id}`, config, () => ({
        accept: new Diagnostics(workload, this.#reporter.stats).accept,
        update: () => {},
      }));
    if (config.kind === 'sidecar')
      this.#place(wanted, config.address, MERGED_METRICS_PORT, `merged ${config.id}`, config, () => ({
        accept: new Diagnostics(workload, this.#reporter.stats, true).accept,
        update: () => {},
      }));
    if (!config.draining) {
      for (const port of config.inbound)
        this.#place(wanted, config.address, port.port, `inbound ${config.id}`, port, () => {
          const acceptor = new InboundAcceptor(workload, port, () => this.#meshTlsOf(workload));
          return { accept: acceptor.accept, update: (value) => acceptor.update(value as typeof port) };
        });
      for (const listener of config.gateways)
        this.#place(wanted, listener.address, listener.port, `gateway ${config.id}`, listener, () => {
          const acceptor = new GatewayAcceptor(workload, listener);
          return { accept: acceptor.accept, update: (value) => acceptor.update(value as typeof listener) };
        });
    }
    // A workload that is going away may still have to ask others to finish its work.
    for (const listener of config.outbound)
      this.#place(wanted, listener.address, listener.port, `outbound ${config.id}`, listener, () => {
        const acceptor = new OutboundAcceptor(workload, listener);
        return { accept: acceptor.accept, update: (value) => acceptor.update(value as typeof listener) };
      });
    this.#placeDns(config.id, config.outboundAddress, workload);
  }

  #placeDns(id: string, address: string | undefined, workload: WorkloadRuntime): void {
    if (address === undefined || this.#dns.has(id)) return;
    this.#dns.set(
      id,
      new DnsServer({
        address,
        clock: this.#clock,
        logger: this.#logger,
        names: () => (this.#tables as Tables).snapshot.names,
        asker: () => ({ id, namespace: workload.metadata.namespace, outboundAddress: address }),
        ...(this.#options.dnsPort === undefined ? {} : { port: this.#options.dnsPort }),
        ...(this.#options.dnsUpstreams === undefined ? {} : { upstreams: this.#options.dnsUpstreams }),
      }),
    );
  }

  /** Updates what listens at an address, or begins to listen. */
  #place(
    wanted: Set<string>,
    address: string,
    port: number,
    kind: string,
    value: unknown,
    make: () => { accept: Accept; update: (value: unknown) => void },
  ): void {
    const key = `${address}:${port}`;
    if (wanted.has(key)) {
      this.#logger.warn('two things want one address; the first has it', { address: key, kind });
      return;
    }
    wanted.add(key);
    const known = this.#behaviours.get(key);
    if (known?.kind === kind) {
      known.update(value);
      return;
    }
    const made = make();
    if (known) {
      known.listener.accept = made.accept;
      this.#behaviours.set(key, { listener: known.listener, kind, update: made.update });
      return;
    }
    const listener = new NetListener({
      address,
      port,
      accept: made.accept,
      clock: this.#clock,
      logger: this.#logger,
      reusePort: this.#options.reusePort === true,
    });
    this.#behaviours.set(key, { listener, kind, update: made.update });
  }

  #removeUnwanted(wanted: ReadonlySet<string>, ids: ReadonlySet<string>): void {
    for (const [key, { listener }] of this.#behaviours) {
      if (wanted.has(key)) continue;
      this.#behaviours.delete(key);
      listener.close();
      this.#retire(listener, () => listener.destroyConnections());
    }
    for (const [id, workload] of this.#workloads) {
      if (ids.has(id)) continue;
      this.#workloads.delete(id);
      const dns = this.#dns.get(id);
      this.#dns.delete(id);
      void dns?.[Symbol.asyncDispose]();
      this.#retire(workload, () => workload.destroy());
    }
  }

  /** Lets what runs go on for a while, then cuts it. */
  #retire(what: NetListener | WorkloadRuntime, end: () => void): void {
    this.#retired.add(what);
    this.#clock.after(this.#options.drainMs ?? DEFAULT_DRAIN_MS, () => {
      end();
      this.#retired.delete(what);
    });
  }

  #meshTlsOf(workload: WorkloadRuntime): TlsServer | undefined {
    const { identity } = workload;
    const key = workload.config.identity;
    if (identity === undefined || key === undefined) return undefined;
    let server = this.#meshTls.get(key);
    if (server === undefined) {
      server = new TlsServer({ identity, alpn: MESH_ALPN, clientCertificate: 'required' });
      this.#meshTls.set(key, server);
    }
    return server;
  }

  #refreshMeshTls(key: string, server: TlsServer): void {
    const identity = this.#tables?.identity(key);
    if (identity) server.update({ identity, alpn: MESH_ALPN, clientCertificate: 'required' });
    else this.#meshTls.delete(key);
  }

  #sweep(): void {
    this.#sweeper = this.#clock.after(SWEEP_INTERVAL_MS, () => {
      const now = this.#clock.monotonic();
      this.#epochOffset = this.#steadyOffset(this.#clock.now() - now);
      for (const { listener } of this.#behaviours.values()) listener.sweep(now);
      for (const workload of this.#workloads.values()) workload.sweep(now);
      this.#sweep();
    });
  }

  /** The wall clock counts whole milliseconds: only a real step moves the offset. */
  #steadyOffset(next: number): number {
    return Math.abs(next - this.#epochOffset) > 2 ? next : this.#epochOffset;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#dispose();
    return this.#disposing;
  }

  async #dispose(): Promise<void> {
    this.#stop.abort();
    this.#sweeper?.[Symbol.dispose]();
    const listeners = [...this.#behaviours.values()].map(({ listener }) => listener);
    for (const listener of listeners) listener.close();
    for (const retired of this.#retired) if (retired instanceof NetListener) listeners.push(retired);
    for (const listener of listeners) listener.destroyConnections();
    for (const workload of this.#workloads.values()) workload.destroy();
    for (const retired of this.#retired) if (retired instanceof WorkloadRuntime) retired.destroy();
    await Promise.all([...this.#dns.values()].map((server) => server[Symbol.asyncDispose]()));
    await this.#reporter[Symbol.asyncDispose]();
    this.#behaviours.clear();
    this.#workloads.clear();
    void this.#following;
  }
}
