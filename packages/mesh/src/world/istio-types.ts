/** Specs of Istio's kinds, as far as they are read (https://istio.io/latest/docs/reference/config/). */

export interface StringMatch {
  exact?: string;
  prefix?: string;
  regex?: string;
}

export interface PortSelector {
  number?: number;
}

export interface Destination {
  host: string;
  subset?: string;
  port?: PortSelector;
}

export interface HeaderOperations {
  set?: Record<string, string>;
  add?: Record<string, string>;
  remove?: string[];
}

export interface Headers {
  request?: HeaderOperations;
  response?: HeaderOperations;
}

export interface Percent {
  value?: number;
}

export interface HttpMatchRequest {
  name?: string;
  uri?: StringMatch;
  scheme?: StringMatch;
  method?: StringMatch;
  authority?: StringMatch;
  headers?: Record<string, StringMatch>;
  withoutHeaders?: Record<string, StringMatch>;
  queryParams?: Record<string, StringMatch>;
  port?: number;
  sourceLabels?: Record<string, string>;
  sourceNamespace?: string;
  gateways?: string[];
  ignoreUriCase?: boolean;
  statPrefix?: string;
}

export interface HttpRetry {
  attempts?: number;
  perTryTimeout?: string;
  retryOn?: string;
  retryRemoteLocalities?: boolean;
  retryIgnorePreviousHosts?: boolean;
  backoff?: string;
}

export interface HttpRoute {
  name?: string;
  match?: HttpMatchRequest[];
  route?: { destination: Destination; weight?: number; headers?: Headers }[];
  redirect?: {
    uri?: string;
    authority?: string;
    port?: number;
    derivePort?: 'FROM_PROTOCOL_DEFAULT' | 'FROM_REQUEST_PORT';
    scheme?: string;
    redirectCode?: number;
  };
  directResponse?: { status: number; body?: { string?: string; bytes?: string } };
  delegate?: { name?: string; namespace?: string };
  rewrite?: { uri?: string; authority?: string; uriRegexRewrite?: { match?: string; rewrite?: string } };
  timeout?: string;
  retries?: HttpRetry;
  fault?: {
    delay?: { fixedDelay?: string; exponentialDelay?: string; percent?: number; percentage?: Percent };
    abort?: { httpStatus?: number; grpcStatus?: string; http2Error?: string; percentage?: Percent };
  };
  mirror?: Destination;
  mirrorPercent?: number;
  mirrorPercentage?: Percent;
  mirrors?: { destination: Destination; percentage?: Percent }[];
  corsPolicy?: {
    allowOrigin?: string[];
    allowOrigins?: StringMatch[];
    allowMethods?: string[];
    allowHeaders?: string[];
    exposeHeaders?: string[];
    maxAge?: string;
    allowCredentials?: boolean;
    unmatchedPreflights?: 'UNSPECIFIED' | 'FORWARD' | 'IGNORE';
  };
  headers?: Headers;
}

export interface L4Match {
  sniHosts?: string[];
  destinationSubnets?: string[];
  sourceSubnet?: string;
  port?: number;
  sourceLabels?: Record<string, string>;
  sourceNamespace?: string;
  gateways?: string[];
}

export interface L4Route {
  match?: L4Match[];
  route?: { destination: Destination; weight?: number }[];
}

export interface VirtualService {
  hosts?: string[];
  gateways?: string[];
  exportTo?: string[];
  http?: HttpRoute[];
  tls?: L4Route[];
  tcp?: L4Route[];
}

export interface ServerTls {
  httpsRedirect?: boolean;
  mode?: 'PASSTHROUGH' | 'SIMPLE' | 'MUTUAL' | 'AUTO_PASSTHROUGH' | 'ISTIO_MUTUAL' | 'OPTIONAL_MUTUAL';
  credentialName?: string;
  credentialNames?: string[];
  serverCertificate?: string;
  privateKey?: string;
  caCertificates?: string;
  caCrl?: string;
  subjectAltNames?: string[];
  verifyCertificateSpki?: string[];
  verifyCertificateHash?: string[];
  minProtocolVersion?: string;
  maxProtocolVersion?: string;
  cipherSuites?: string[];
  tlsCertificates?: unknown[];
}

export interface GatewayServer {
  name?: string;
  port?: { number?: number; protocol?: string; name?: string; targetPort?: number };
  hosts?: string[];
  bind?: string;
  defaultEndpoint?: string;
  tls?: ServerTls;
}

export interface Gateway {
  selector?: Record<string, string>;
  servers?: GatewayServer[];
}

export interface ClientTls {
  mode?: 'DISABLE' | 'SIMPLE' | 'MUTUAL' | 'ISTIO_MUTUAL';
  clientCertificate?: string;
  privateKey?: string;
  caCertificates?: string;
  caCrl?: string;
  credentialName?: string;
  subjectAltNames?: string[];
  sni?: string;
  insecureSkipVerify?: boolean;
}

export interface LocalityLbSetting {
  enabled?: boolean;
  distribute?: { from?: string; to?: Record<string, number> }[];
  failover?: { from?: string; to?: string }[];
  failoverPriority?: string[];
}

export interface LoadBalancerSettings {
  simple?: 'UNSPECIFIED' | 'LEAST_CONN' | 'RANDOM' | 'PASSTHROUGH' | 'ROUND_ROBIN' | 'LEAST_REQUEST';
  consistentHash?: {
    httpHeaderName?: string;
    httpCookie?: { name?: string; path?: string; ttl?: string; attributes?: unknown[] };
    useSourceIp?: boolean;
    httpQueryParameterName?: string;
    ringHash?: { minimumRingSize?: number };
    maglev?: { tableSize?: number };
    minimumRingSize?: number;
  };
  localityLbSetting?: LocalityLbSetting;
  warmup?: unknown;
  warmupDurationSecs?: string;
}

export interface OutlierDetectionSettings {
  consecutiveErrors?: number;
  splitExternalLocalOriginErrors?: boolean;
  consecutiveLocalOriginFailures?: number;
  consecutiveGatewayErrors?: number;
  consecutive5xxErrors?: number;
  interval?: string;
  baseEjectionTime?: string;
  maxEjectionPercent?: number;
  minHealthPercent?: number;
}

export interface ConnectionPool {
  tcp?: {
    maxConnections?: number;
    connectTimeout?: string;
    tcpKeepalive?: { probes?: number; time?: string; interval?: string };
    maxConnectionDuration?: string;
    idleTimeout?: string;
  };
  http?: {
    http1MaxPendingRequests?: number;
    http2MaxRequests?: number;
    maxRequestsPerConnection?: number;
    maxRetries?: number;
    idleTimeout?: string;
    h2UpgradePolicy?: 'DEFAULT' | 'DO_NOT_UPGRADE' | 'UPGRADE';
    useClientProtocol?: boolean;
    maxConcurrentStreams?: number;
  };
}

export interface TrafficPolicy {
  loadBalancer?: LoadBalancerSettings;
  connectionPool?: ConnectionPool;
  outlierDetection?: OutlierDetectionSettings;
  tls?: ClientTls;
  portLevelSettings?: (Omit<TrafficPolicy, 'portLevelSettings'> & { port?: PortSelector })[];
  tunnel?: unknown;
  proxyProtocol?: unknown;
  retryBudget?: unknown;
}

export interface DestinationRule {
  host?: string;
  trafficPolicy?: TrafficPolicy;
  subsets?: { name: string; labels?: Record<string, string>; trafficPolicy?: TrafficPolicy }[];
  exportTo?: string[];
  workloadSelector?: { matchLabels?: Record<string, string> };
}

export interface WorkloadEntry {
  address?: string;
  ports?: Record<string, number>;
  labels?: Record<string, string>;
  network?: string;
  locality?: string;
  weight?: number;
  serviceAccount?: string;
}

export interface ServiceEntry {
  hosts?: string[];
  addresses?: string[];
  ports?: { number: number; protocol?: string; name: string; targetPort?: number }[];
  location?: 'MESH_EXTERNAL' | 'MESH_INTERNAL';
  resolution?: 'NONE' | 'STATIC' | 'DNS' | 'DNS_ROUND_ROBIN' | 'DYNAMIC_DNS';
  endpoints?: WorkloadEntry[];
  workloadSelector?: { labels?: Record<string, string> };
  exportTo?: string[];
  subjectAltNames?: string[];
}

export interface Sidecar {
  workloadSelector?: { labels?: Record<string, string> };
  ingress?: unknown[];
  egress?: {
    port?: { number?: number; protocol?: string; name?: string };
    bind?: string;
    captureMode?: string;
    hosts?: string[];
  }[];
  inboundConnectionPool?: ConnectionPool;
  outboundTrafficPolicy?: { mode?: 'REGISTRY_ONLY' | 'ALLOW_ANY'; egressProxy?: unknown };
}

export interface Selector {
  matchLabels?: Record<string, string>;
}

export interface TargetRef {
  group?: string;
  kind?: string;
  name?: string;
  namespace?: string;
}

export interface PeerAuthentication {
  selector?: Selector;
  mtls?: { mode?: 'UNSET' | 'DISABLE' | 'PERMISSIVE' | 'STRICT' };
  portLevelMtls?: Record<string, { mode?: 'UNSET' | 'DISABLE' | 'PERMISSIVE' | 'STRICT' }>;
}

export interface AuthorizationPolicy {
  selector?: Selector;
  targetRef?: TargetRef;
  targetRefs?: TargetRef[];
  action?: 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM';
  provider?: { name?: string };
  rules?: {
    from?: { source?: Record<string, string[]> }[];
    to?: { operation?: Record<string, string[]> }[];
    when?: { key: string; values?: string[]; notValues?: string[] }[];
  }[];
}

export interface RequestAuthentication {
  selector?: Selector;
  targetRef?: TargetRef;
  targetRefs?: TargetRef[];
  jwtRules?: {
    issuer?: string;
    audiences?: string[];
    jwksUri?: string;
    jwks?: string;
    fromHeaders?: { name: string; prefix?: string }[];
    fromParams?: string[];
    fromCookies?: string[];
    outputPayloadToHeader?: string;
    outputClaimToHeaders?: { header?: string; claim?: string }[];
    forwardOriginalToken?: boolean;
    timeout?: string;
  }[];
}

export interface Telemetry {
  selector?: Selector;
  targetRef?: TargetRef;
  targetRefs?: TargetRef[];
  tracing?: {
    match?: { mode?: string };
    providers?: { name?: string }[];
    randomSamplingPercentage?: number;
    disableSpanReporting?: boolean;
    customTags?: Record<
      string,
      {
        literal?: { value?: string };
        environment?: { name?: string; defaultValue?: string };
        header?: { name?: string; defaultValue?: string };
        formatter?: unknown;
      }
    >;
    useRequestIdForTraceSampling?: boolean;
    enableIstioTags?: boolean;
  }[];
  metrics?: {
    providers?: { name?: string }[];
    overrides?: {
      match?: { metric?: string; customMetric?: string; mode?: string };
      disabled?: boolean;
      tagOverrides?: Record<string, { operation?: 'UPSERT' | 'REMOVE'; value?: string }>;
    }[];
    reportingInterval?: string;
  }[];
  accessLogging?: {
    match?: { mode?: string };
    providers?: { name?: string }[];
    disabled?: boolean;
    filter?: { expression?: string };
  }[];
}
