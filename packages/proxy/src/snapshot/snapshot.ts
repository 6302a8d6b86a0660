import type { Cluster } from './clusters.ts';
import type { AuthorizationPolicy, JwtRule } from './policy.ts';
import type { RouteTable } from './routes.ts';
import type { TelemetrySettings } from './telemetry.ts';

/** Version of this format; a proxy refuses any other. */
export const SNAPSHOT_FORMAT = 1;

/**
 * Everything the data plane does, as plain JSON. A snapshot is whole: what is not in it is gone. It holds private keys
 * and must be kept and sent accordingly.
 */
export interface Snapshot {
  readonly format: typeof SNAPSHOT_FORMAT;
  /** Changes whenever anything in the snapshot does. */
  readonly version: string;
  /** Keys and certificates by name; by custom the name is the SPIFFE id. */
  readonly identities: Readonly<Record<string, Identity>>;
  /** What is known of each workload instance, by an id that endpoints and workloads refer to. */
  readonly metadata: Readonly<Record<string, WorkloadMetadata>>;
  readonly workloads: readonly Workload[];
  readonly routeTables: Readonly<Record<string, RouteTable>>;
  /** By key; several may bear the same `name` where callers have different settings for one destination. */
  readonly clusters: Readonly<Record<string, Cluster>>;
  /** The kube-proxy's part. */
  readonly forwarders: readonly Forwarder[];
  readonly names: NameTable;
  readonly telemetry: TelemetrySettings;
}

export interface Identity {
  /** `spiffe://cluster.local/ns/default/sa/front-end`, or '' for a gateway's server certificate. */
  readonly spiffeId: string;
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  /** Authorities that peers are verified with. */
  readonly trustBundlePem: string;
}

/** What Istio's peer metadata holds: the source of most metric labels and span tags. */
export interface WorkloadMetadata {
  /** The address by which a peer is recognised. */
  readonly address: string;
  /** Instance name, the pod's. */
  readonly name: string;
  readonly namespace: string;
  /** Unique id of the instance, for the place of its access log. */
  readonly uid?: string;
  /** The owner's name: `front-end` for the pods of Deployment `front-end`. */
  readonly workload: string;
  readonly app: string;
  readonly version: string;
  readonly canonicalService: string;
  readonly canonicalRevision: string;
  /** What metrics show as principal (istio.io, reference/config/metrics). */
  readonly spiffeId: string;
  readonly cluster: string;
  readonly locality?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export type WorkloadKind = 'sidecar' | 'gateway';

/** One proxy: a sidecar with its listeners, or a gateway. */
export interface Workload {
  /** Key into `metadata`. */
  readonly id: string;
  readonly kind: WorkloadKind;
  /** `sidecar~127.8.3.4~front-end-abc.default~default.svc.cluster.local` */
  readonly nodeId: string;
  /** Key into `identities`; none: no mutual TLS either way. */
  readonly identity?: string;
  /** Where others reach it, and where 15021 and 15090 answer. */
  readonly address: string;
  /** Where its application listens (sidecars). */
  readonly appAddress?: string;
  /** Where it listens for what its application sends, and answers DNS (sidecars). */
  readonly outboundAddress?: string;
  /** The application's own metrics, which port 15020 gives out together with the proxy's (sidecars). */
  readonly applicationMetrics?: { readonly port: number; readonly path: string };
  /** True once the instance is going away: accepts no new connection, finishes what runs. */
  readonly draining?: boolean;
  readonly inbound: readonly InboundPort[];
  readonly outbound: readonly OutboundListener[];
  readonly gateways: readonly GatewayListener[];
  readonly policies: readonly AuthorizationPolicy[];
  readonly jwtRules: readonly JwtRule[];
  readonly telemetry?: TelemetrySettings;
  /** What happens with a host that no virtual host names. */
  readonly outboundPolicy: 'ALLOW_ANY' | 'REGISTRY_ONLY';
}

/** `auto` looks at the first bytes. */
export type PortProtocol = 'http' | 'http2' | 'grpc' | 'tcp' | 'tls' | 'auto';
export type MtlsMode = 'STRICT' | 'PERMISSIVE' | 'DISABLE';

export interface InboundPort {
  readonly port: number;
  /** Port of the application where it differs. */
  readonly appPort?: number;
  readonly protocol: PortProtocol;
  readonly mtls: MtlsMode;
  /** What metrics, spans and logs call the destination. */
  readonly service: ServiceName;
  readonly maxConnections?: number;
}

export interface ServiceName {
  /** `business-logic.default.svc.cluster.local` */
  readonly host: string;
  /** `business-logic` */
  readonly name: string;
  readonly namespace: string;
  /** The service's port, where it differs from the listener's. */
  readonly port?: number;
}

/** Takes what the application sends to a name: on the outbound address by Host, or on an address of its own. */
export interface OutboundListener {
  readonly address: string;
  readonly port: number;
  readonly protocol: PortProtocol;
  /** Key into `routeTables`, for HTTP. */
  readonly routes?: string;
  /** Routes of connections that are not HTTP, first match wins. */
  readonly tcp?: readonly TcpRoute[];
}

export interface TcpRoute {
  /** Server names this route is for (TLS); none: any connection. A leading `*.` matches any label in front. */
  readonly sniHosts?: readonly string[];
  readonly destinations: readonly WeightedCluster[];
  readonly service?: ServiceName;
}

export interface WeightedCluster {
  /** Key into `clusters`. */
  readonly cluster: string;
  readonly weight: number;
}

export interface GatewayListener {
  readonly address: string;
  readonly port: number;
  readonly protocol: 'http' | 'https' | 'tcp' | 'tls';
  /** Port that routes and policies take it for, where it differs. */
  readonly matchPort?: number;
  readonly routes?: string;
  readonly tcp?: readonly TcpRoute[];
  readonly tls?: readonly GatewayTls[];
  /** Answer plain requests with 301 to https. */
  readonly httpsRedirect?: boolean;
  /** How many proxies in front may be believed in x-forwarded-for. */
  readonly trustedHops?: number;
}

export interface GatewayTls {
  readonly hosts: readonly string[];
  readonly mode: 'SIMPLE' | 'MUTUAL' | 'OPTIONAL_MUTUAL' | 'PASSTHROUGH';
  readonly identity?: string;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly cipherSuites?: readonly string[];
  /** Subject alternative names of which a client's certificate must bear one. */
  readonly subjectAltNames?: readonly string[];
}

/** Plain TCP from a service address to its ready endpoints. */
export interface Forwarder {
  readonly address: string;
  readonly port: number;
  readonly endpoints: readonly string[];
  /** Seconds for which one client keeps its endpoint (sessionAffinity ClientIP). */
  readonly affinitySeconds?: number;
}

/** What the DNS servers of the sidecars answer. */
export interface NameTable {
  /** `cluster.local` */
  readonly clusterDomain: string;
  /** By full name without the last dot; a leading `*.` stands for any label. */
  readonly names: Readonly<Record<string, NameRecord>>;
}

export interface NameRecord {
  /** `outbound`: the asking sidecar's outbound address, or its own address for that name; `addresses`: as they are. */
  readonly kind: 'outbound' | 'addresses';
  readonly addresses?: readonly string[];
  /** Per sidecar (workload id), the address of its own that stands for this name. */
  readonly perWorkload?: Readonly<Record<string, string>>;
  /** Named ports, for SRV look-ups. */
  readonly ports?: readonly { readonly name: string; readonly protocol: 'tcp' | 'udp'; readonly port: number }[];
}
