import type { Clock } from '@kind-e2e/base';
import { JwtVerifier } from '../authz/jwt.ts';
import { CompiledPolicies } from '../authz/policies.ts';
import { type ClusterEnvironment, UpstreamCluster } from '../cluster/cluster.ts';
import type { ProxyContext } from '../http/role.ts';
import { Http2Pool } from '../http2/client-pool.ts';
import type { Cluster } from '../snapshot/clusters.ts';
import type { Identity, Workload, WorkloadKind, WorkloadMetadata } from '../snapshot/snapshot.ts';
import type { TelemetrySettings, TracingSettings } from '../snapshot/telemetry.ts';
import { type AccessRecord, compileAccessLog, compileLogFilter } from '../telemetry/access-log.ts';
import { MeshMetrics, type Party } from '../telemetry/metrics.ts';
import type { SpanReporter, ZipkinSpan } from '../telemetry/zipkin.ts';
import type { Tables } from './tables.ts';
import { upstreamTls } from './upstream-tls.ts';

/** Takes finished access log lines of a workload, without line end. */
export type AccessLogWriter = (workload: WorkloadMetadata, line: string) => void;

export interface WorkloadEnvironment {
  readonly clock: Clock;
  readonly random: () => number;
  readonly spans: SpanReporter;
  readonly accessLog: AccessLogWriter | undefined;
  readonly epochMicros: (monotonic: number) => number;
}

const IDLE_CLUSTER_MS = 10 * 60_000;

/** One proxy: its destinations in use, its metrics, its policies. Lives as long as the workload does. */
export class WorkloadRuntime implements ProxyContext {
  config: Workload;
  readonly kind: WorkloadKind;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics = new MeshMetrics();
  tracing: TracingSettings | undefined;
  policies: CompiledPolicies = new CompiledPolicies([]);
  jwt: JwtVerifier | undefined;
  log: ((record: AccessRecord) => void) | undefined;
  metadata: WorkloadMetadata;
  readonly #environment: WorkloadEnvironment;
  readonly #clusters = new Map<string, UpstreamCluster>();
  readonly #local = new Map<string, Cluster>();
  #tables: Tables;
  #settingsText = '';
  #policyText = '';

  constructor(config: Workload, tables: Tables, environment: WorkloadEnvironment) {
    this.config = config;
    this.kind = config.kind;
    this.clock = environment.clock;
    this.random = environment.random;
    this.#environment = environment;
    this.#tables = tables;
    this.metadata = metadataOf(config, tables);
    this.update(config, tables);
  }

  get tables(): Tables {
    return this.#tables;
  }

  get nodeId(): string {
    return this.config.nodeId;
  }

  get identity(): Identity | undefined {
    return this.#tables.identity(this.config.identity);
  }

  /** Itself in metrics, when nothing was proven. */
  get party(): Party {
    return this.#tables.partyOf(this.metadata, undefined);
  }

  get clusters(): ReadonlyMap<string, UpstreamCluster> {
    return this.#clusters;
  }

  update(config: Workload, tables: Tables): void {
    const identityBefore = this.identity;
    this.config = config;
    this.#tables = tables;
    this.metadata = metadataOf(config, tables);
    this.#local.clear();
    for (const port of config.inbound)
      this.#local.set(
        inboundKey(port.port),
        inboundCluster(config, port.port, port.appPort ?? port.port, port.protocol, port.service.port),
      );
    this.#applyTelemetry(config.telemetry ?? tables.snapshot.telemetry);
    const policyText = JSON.stringify([config.policies, config.jwtRules]);
    if (policyText !== this.#policyText) {
      this.#policyText = policyText;
      this.policies = new CompiledPolicies(config.policies);
      this.jwt = config.jwtRules.length > 0 ? new JwtVerifier(config.jwtRules, this.clock) : undefined;
    }
    for (const [key, cluster] of this.#clusters) {
      const next = this.#configOf(key);
      if (next) cluster.update(next);
      else {
        cluster.drain();
        this.#clusters.delete(key);
      }
    }
    const renewed =
      identityBefore !== undefined && identityBefore.certificateChainPem !== this.identity?.certificateChainPem;
    if (renewed) for (const cluster of this.#clusters.values()) cluster.resetConnections();
  }

  #applyTelemetry(settings: TelemetrySettings): void {
    const text = JSON.stringify(settings);
    if (text === this.#settingsText) return;
    this.#settingsText = text;
    this.tracing = settings.tracing;
    this.metrics.overrides = settings.tagOverrides ?? [];
    const { accessLog } = this.#environment;
    if (settings.accessLog === undefined || accessLog === undefined) {
      this.log = undefined;
      return;
    }
    const format = compileAccessLog(settings.accessLog);
    const filter = settings.accessLog.filter === undefined ? undefined : compileLogFilter(settings.accessLog.filter);
    this.log = (record) => {
      if (filter === undefined || filter(record)) accessLog(this.metadata, format(record));
    };
  }

  #configOf(key: string): Cluster | undefined {
    return this.#local.get(key) ?? this.#tables.cluster(key);
  }

  cluster(key: string): UpstreamCluster | undefined {
    const known = this.#clusters.get(key);
    if (known) return known;
    const config = this.#configOf(key);
    if (config === undefined) return undefined;
    const cluster = new UpstreamCluster(config, this.#clusterEnvironment(this.#local.has(key)));
    this.#clusters.set(key, cluster);
    return cluster;
  }

  #clusterEnvironment(inbound: boolean): ClusterEnvironment {
    return {
      clock: this.clock,
      random: this.random,
      localAddress: inbound ? undefined : this.config.address,
      locality: () => this.metadata.locality,
      tlsFor: (tls, endpoint, protocol) =>
        upstreamTls(tls, endpoint, protocol, this.identity, (key) => this.#tables.identity(key)),
      openHttp2Pool: (options) => new Http2Pool(options),
    };
  }

  peerAt(address: string): WorkloadMetadata | undefined {
    return this.#tables.peerAt(address);
  }

  metadataOf(id: string): WorkloadMetadata | undefined {
    return this.#tables.metadataOf(id);
  }

  partyOf(metadata: WorkloadMetadata, principal: string | undefined): Party {
    return this.#tables.partyOf(metadata, principal);
  }

  reportSpan(span: ZipkinSpan): void {
    this.#environment.spans.report(span);
  }

  epochMicros(monotonic: number): number {
    return this.#environment.epochMicros(monotonic);
  }

  sweep(now: number): void {
    for (const [key, cluster] of this.#clusters) {
      cluster.sweep(now);
      if (
        cluster.stats.requestsActive === 0 &&
        cluster.stats.connectionsActive === 0 &&
        now - cluster.lastUsed > IDLE_CLUSTER_MS
      ) {
        cluster.destroy();
        this.#clusters.delete(key);
      }
    }
  }

  drain(): void {
    for (const cluster of this.#clusters.values()) cluster.drain();
  }

  destroy(): void {
    for (const cluster of this.#clusters.values()) cluster.destroy();
    this.#clusters.clear();
  }
}

export function inboundKey(port: number): string {
  return `inbound|${port}||`;
}

function metadataOf(config: Workload, tables: Tables): WorkloadMetadata {
  const metadata = tables.metadataOf(config.id);
  if (metadata === undefined) throw new Error(`the snapshot has no metadata for workload ${config.id}`);
  return metadata;
}

/** The application behind a sidecar's inbound port. */
function inboundCluster(
  config: Workload,
  port: number,
  appPort: number,
  protocol: string,
  servicePort: number | undefined,
): Cluster {
  return {
    // Istio names it after the service's port.
    name: `inbound|${servicePort ?? port}||`,
    endpoints: [{ address: config.appAddress ?? config.address, port: appPort, ready: true }],
    loadBalancer: { kind: 'round-robin' },
    protocol: protocol === 'http2' || protocol === 'grpc' ? 'http2' : 'same',
    tls: { mode: 'disable' },
  };
}
