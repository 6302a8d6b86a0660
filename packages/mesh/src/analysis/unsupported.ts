/**
 * Fields that Istio's schema takes and this mesh does not enforce. `[]` stands for every element, `*` for every key.
 * Each is reported on the object that uses it, so that nothing is ignored in silence.
 */
const TRAFFIC_POLICY: readonly string[] = [
  'tunnel',
  'proxyProtocol',
  'retryBudget',
  'loadBalancer.warmup',
  'loadBalancer.warmupDurationSecs',
  'loadBalancer.consistentHash.ringHash',
  'loadBalancer.consistentHash.maglev',
  'loadBalancer.consistentHash.minimumRingSize',
  'loadBalancer.consistentHash.httpCookie.attributes',
  'loadBalancer.localityLbSetting.failoverPriority',
  'connectionPool.http.maxConcurrentStreams',
  'connectionPool.tcp.tcpKeepalive.probes',
  'connectionPool.tcp.tcpKeepalive.interval',
  'tls.clientCertificate',
  'tls.privateKey',
  'tls.caCertificates',
  'tls.caCrl',
];

const within = (prefix: string, fields: readonly string[]): string[] => fields.map((field) => `${prefix}.${field}`);

const TARGETS = ['targetRef', 'targetRefs'] as const;

/** By kind; a kind with `*` has no effect at all. */
export const UNSUPPORTED_FIELDS: Readonly<Record<string, readonly string[]>> = {
  VirtualService: [
    'http[].retries.retryRemoteLocalities',
    'http[].fault.delay.exponentialDelay',
    'http[].fault.abort.http2Error',
    'http[].match[].statPrefix',
    'tls[].match[].destinationSubnets',
    'tls[].match[].sourceSubnet',
    'tcp[].match[].destinationSubnets',
    'tcp[].match[].sourceSubnet',
  ],
  DestinationRule: [
    ...within('trafficPolicy', TRAFFIC_POLICY),
    ...within('trafficPolicy.portLevelSettings[]', TRAFFIC_POLICY),
    ...within('subsets[].trafficPolicy', TRAFFIC_POLICY),
    ...within('subsets[].trafficPolicy.portLevelSettings[]', TRAFFIC_POLICY),
  ],
  Gateway: [
    'servers[].bind',
    'servers[].defaultEndpoint',
    'servers[].tls.serverCertificate',
    'servers[].tls.privateKey',
    'servers[].tls.caCertificates',
    'servers[].tls.caCrl',
    'servers[].tls.verifyCertificateSpki',
    'servers[].tls.verifyCertificateHash',
    'servers[].tls.tlsCertificates',
  ],
  ServiceEntry: ['endpoints[].network'],
  WorkloadEntry: ['network'],
  Sidecar: [
    'ingress',
    'egress[].port',
    'egress[].bind',
    'egress[].captureMode',
    'inboundConnectionPool',
    'outboundTrafficPolicy.egressProxy',
  ],
  AuthorizationPolicy: [...TARGETS, 'provider'],
  RequestAuthentication: [...TARGETS, 'jwtRules[].timeout'],
  Telemetry: [
    ...TARGETS,
    'tracing[].useRequestIdForTraceSampling',
    'tracing[].enableIstioTags',
    'tracing[].customTags.*.formatter',
    'tracing[].customTags.*.environment.name',
    'metrics[].reportingInterval',
    'accessLogging[].match',
  ],
  EnvoyFilter: ['*'],
  WasmPlugin: ['*'],
  ProxyConfig: ['*'],
  WorkloadGroup: ['*'],
};

export interface NotEnforced {
  readonly text: string;
  /** Of the field, `spec.http[0].fault`; none where the whole object has no effect. */
  readonly path?: string;
}

/** What of an object has no effect in this mesh, in words for its owner. */
export function notEnforced(kind: string, spec: unknown): NotEnforced[] {
  return unsupportedIn(kind, spec).map((path) =>
    path === ''
      ? { text: `${kind} is not supported by the embedded engine: it has no effect. Use the kind engine for it.` }
      : { text: `spec.${path} is not enforced by the embedded engine`, path: `spec.${path}` },
  );
}

/** Paths of unsupported fields that a spec holds, with indices: `http[0].fault.delay.exponentialDelay`. */
export function unsupportedIn(kind: string, spec: unknown): string[] {
  return (UNSUPPORTED_FIELDS[kind] ?? []).flatMap((pattern) =>
    pattern === '*' ? [''] : find(spec, pattern.split('.'), ''),
  );
}

function find(value: unknown, steps: readonly string[], path: string): string[] {
  const [step, ...rest] = steps;
  if (step === undefined) return value === undefined || value === null ? [] : [path];
  if (typeof value !== 'object' || value === null) return [];
  if (step === '*') return Object.entries(value).flatMap(([key, inner]) => find(inner, rest, `${path}.${key}`));
  const isList = step.endsWith('[]');
  const name = isList ? step.slice(0, -2) : step;
  const inner = (value as Record<string, unknown>)[name];
  const here = path === '' ? name : `${path}.${name}`;
  if (!isList) return find(inner, rest, here);
  return Array.isArray(inner)
    ? inner.flatMap((element: unknown, index) => find(element, rest, `${here}[${index}]`))
    : [];
}
