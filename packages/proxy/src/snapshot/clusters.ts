import type { ServiceName } from './snapshot.ts';

/** A destination: endpoints and how they are used. */
export interface Cluster {
  /** `outbound|8000|v1|business-logic.default.svc.cluster.local` */
  readonly name: string;
  readonly service?: ServiceName;
  readonly endpoints: readonly Endpoint[];
  readonly loadBalancer: LoadBalancer;
  /** `http1`, `http2`, or what the caller speaks. */
  readonly protocol: 'http1' | 'http2' | 'same';
  readonly tls: ClusterTls;
  readonly limits?: ConnectionLimits;
  readonly outlier?: OutlierDetection;
  readonly locality?: LocalityPolicy;
  /** Resolve endpoint addresses that are names (ServiceEntry with resolution DNS). */
  readonly resolve?: boolean;
  /** Connect to the host that the request names (ALLOW_ANY, ServiceEntry with resolution NONE). */
  readonly dynamic?: boolean;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** Only ready endpoints get new requests. */
  readonly ready: boolean;
  readonly weight?: number;
  /** `region/zone/subzone` */
  readonly locality?: string;
  /** Key into the snapshot's `metadata`. */
  readonly workload?: string;
  /** The endpoint's own proxy takes mutual TLS. */
  readonly mtls?: boolean;
}

export type LoadBalancer =
  | { readonly kind: 'round-robin' | 'least-request' | 'random' }
  | { readonly kind: 'hash'; readonly key: HashKey };

export type HashKey =
  | { readonly header: string }
  | { readonly query: string }
  | { readonly sourceIp: true }
  | { readonly cookie: string; readonly path?: string; readonly ttlSeconds?: number };

export type ClusterTls =
  | { readonly mode: 'disable' }
  /** Mutual TLS with the mesh's identities; `auto`: only to endpoints that take it. */
  | { readonly mode: 'istio-mutual' | 'auto'; readonly sni?: string; readonly spiffeIds?: readonly string[] }
  | {
      readonly mode: 'simple' | 'mutual';
      readonly sni?: string;
      /** Key into the snapshot's `identities`: client certificate (mutual) and authorities. */
      readonly identity?: string;
      readonly subjectAltNames?: readonly string[];
      readonly insecureSkipVerify?: boolean;
    };

export interface ConnectionLimits {
  readonly maxConnections?: number;
  readonly connectTimeoutMs?: number;
  readonly maxPendingRequests?: number;
  readonly maxRequests?: number;
  readonly maxRequestsPerConnection?: number;
  readonly maxRetries?: number;
  readonly idleTimeoutMs?: number;
  readonly maxConnectionDurationMs?: number;
  readonly keepalive?: { readonly timeMs: number };
}

/** Envoy's defaults apply to what is absent. */
export interface OutlierDetection {
  readonly consecutive5xx?: number;
  readonly consecutiveGatewayErrors?: number;
  readonly splitLocalOrigin?: boolean;
  readonly consecutiveLocalOriginFailures?: number;
  readonly intervalMs?: number;
  readonly baseEjectionMs?: number;
  readonly maxEjectionPercent?: number;
  readonly minHealthPercent?: number;
}

/** Priorities and weights of endpoints by their locality as seen from the caller's. */
export interface LocalityPolicy {
  readonly distribute?: readonly { readonly from: string; readonly to: Readonly<Record<string, number>> }[];
  readonly failover?: readonly { readonly from: string; readonly to: string }[];
}
