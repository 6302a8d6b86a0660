import type { Clock } from '@kind-e2e/base';
import type { JwtVerifier } from '../authz/jwt.ts';
import type { CompiledPolicies } from '../authz/policies.ts';
import type { UpstreamCluster } from '../cluster/cluster.ts';
import type { ServiceName, WorkloadKind, WorkloadMetadata } from '../snapshot/snapshot.ts';
import type { TracingSettings } from '../snapshot/telemetry.ts';
import type { AccessRecord } from '../telemetry/access-log.ts';
import type { MeshMetrics, Party } from '../telemetry/metrics.ts';
import type { ZipkinSpan } from '../telemetry/zipkin.ts';
import type { CompiledRouteTable } from './route-table.ts';

/** What the way of a request needs to know of the proxy it goes through. */
export interface ProxyContext {
  readonly kind: WorkloadKind;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metadata: WorkloadMetadata;
  readonly party: Party;
  readonly nodeId: string;
  readonly metrics: MeshMetrics | undefined;
  readonly tracing: TracingSettings | undefined;
  readonly policies: CompiledPolicies;
  readonly jwt: JwtVerifier | undefined;
  cluster(key: string): UpstreamCluster | undefined;
  /** Metadata of the mesh peer that has this address. */
  peerAt(address: string): WorkloadMetadata | undefined;
  metadataOf(id: string): WorkloadMetadata | undefined;
  partyOf(metadata: WorkloadMetadata, principal: string | undefined): Party;
  log: ((record: AccessRecord) => void) | undefined;
  reportSpan(span: ZipkinSpan): void;
  /** Microseconds since the epoch of a reading of the monotonic clock. */
  epochMicros(monotonic: number): number;
}

/** One direction of a proxy: what a listener's requests go through. Replaced whole when the snapshot changes. */
export interface HttpRole {
  readonly direction: 'inbound' | 'outbound' | 'gateway';
  readonly proxy: ProxyContext;
  readonly routes: CompiledRouteTable;
  /** Port that routes and policies see. */
  readonly port: number;
  /** The service behind an inbound port. */
  readonly service: ServiceName | undefined;
  readonly httpsRedirect?: boolean;
  readonly trustedHops?: number;
  /** Key of the cluster for hosts without a virtual host, where the policy allows any. */
  readonly passthrough?: string;
}
