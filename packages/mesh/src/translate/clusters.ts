import { createHash } from 'node:crypto';
import type {
  Cluster,
  ClusterTls,
  ConnectionLimits,
  Endpoint,
  HashKey,
  LoadBalancer,
  LocalityPolicy,
  OutlierDetection,
} from '@kind-e2e/proxy';
import type {
  DestinationRule,
  LoadBalancerSettings,
  OutlierDetectionSettings,
  TrafficPolicy,
} from '../world/istio-types.ts';
import type { IstioObject } from '../world/objects.ts';
import { byAge, labelsMatch, namespaceOf, type World } from '../world/world.ts';
import { parseDuration } from './durations.ts';
import { hostMatches, isVisible, type MeshEndpoint, type MeshPort, type MeshService, resolveHost } from './registry.ts';
import type { ClientScope } from './scopes.ts';
import { credentialKey, type Secrets } from './secrets.ts';

/** Istio's name: `outbound|8000|v1|business-logic.default.svc.cluster.local`. */
export function clusterName(port: number, subset: string, host: string): string {
  return `outbound|${port}|${subset}|${host}`;
}

/** Makes clusters on demand and remembers them; one key for each different set of settings. */
export class ClusterBuilder {
  readonly clusters: Record<string, Cluster> = {};
  readonly #world: World;
  readonly #registry: ReadonlyMap<string, MeshService>;
  readonly #secrets: Secrets;
  readonly #rules: readonly IstioObject<DestinationRule>[];
  readonly #mtlsDisabled: (endpoint: MeshEndpoint) => boolean;
  readonly #keys = new Map<string, string>();

  constructor(options: {
    world: World;
    registry: ReadonlyMap<string, MeshService>;
    secrets: Secrets;
    mtlsDisabled: (endpoint: MeshEndpoint) => boolean;
  }) {
    this.#world = options.world;
    this.#registry = options.registry;
    this.#secrets = options.secrets;
    this.#rules = byAge(options.world.destinationRules);
    this.#mtlsDisabled = options.mtlsDisabled;
  }

  /** Key of the cluster for a destination as a client sees it; undefined where there is no such destination. */
  keyFor(host: string, port: number, subset: string, scope: ClientScope): string | undefined {
    const memo = `${scope.id}|${port}|${subset}|${host}`;
    const known = this.#keys.get(memo);
    if (known !== undefined) return known;
    const service = this.#registry.get(host);
    const meshPort = service?.ports.find((candidate) => candidate.number === port);
    if (service === undefined || meshPort === undefined) return undefined;
    const rule = this.ruleFor(service, scope);
    const set = subset === '' ? undefined : rule?.spec?.subsets?.find((candidate) => candidate.name === subset);
    if (subset !== '' && set === undefined) return undefined;
    const cluster = this.#build(
      service,
      meshPort,
      subset,
      set?.labels,
      mergedPolicy(rule?.spec, set?.trafficPolicy, port),
      rule,
    );
    const name = cluster.name;
    const existing = this.clusters[name];
    let key = name;
    if (existing === undefined) this.clusters[name] = cluster;
    else if (JSON.stringify(existing) !== JSON.stringify(cluster)) {
      key = `${name}@${createHash('sha256').update(JSON.stringify(cluster)).digest('hex').slice(0, 12)}`;
      this.clusters[key] = cluster;
    }
    this.#keys.set(memo, key);
    return key;
  }

  /** The DestinationRule in force: the client's namespace before the service's before the root; exact before wildcard. */
  ruleFor(service: MeshService, scope: ClientScope): IstioObject<DestinationRule> | undefined {
    const root = this.#world.config.rootNamespace ?? 'istio-system';
    for (const namespace of new Set([scope.namespace, service.namespace, root])) {
      const found = this.#rules
        .filter((rule) => {
          const own = namespaceOf(rule);
          if (own !== namespace || !isVisible(rule.spec?.exportTo, own, scope.namespace)) return false;
          const selector = rule.spec?.workloadSelector?.matchLabels;
          if (selector && (own !== scope.namespace || !labelsMatch(selector, scope.labels))) return false;
          return hostMatches(resolveHost(rule.spec?.host ?? '', own), service.host);
        })
        .sort((a, b) => rank(b, namespace, service.host) - rank(a, namespace, service.host));
      if (found[0]) return merged(found, namespace, service.host);
    }
    return undefined;
  }

  #build(
    service: MeshService,
    port: MeshPort,
    subset: string,
    labels: Readonly<Record<string, string>> | undefined,
    policy: TrafficPolicy,
    rule: IstioObject<DestinationRule> | undefined,
  ): Cluster {
    const { host } = service;
    const name = clusterName(port.number, subset, host);
    const mine = (service.endpoints.get(port.number) ?? []).filter((endpoint) => labelsMatch(labels, endpoint.labels));
    const ids = new Set(mine.flatMap((endpoint) => (endpoint.spiffeId ? [endpoint.spiffeId] : [])));
    const limits = limitsOf(policy, this.#world.config.connectTimeout);
    const locality = localityOf(policy, this.#world);
    return {
      name,
      service: { host, name: service.name, namespace: service.namespace },
      endpoints: mine.map((endpoint) => this.#endpoint(endpoint)),
      loadBalancer: balancerOf(policy.loadBalancer),
      protocol: wantsHttp2(port, policy)
        ? 'http2'
        : policy.connectionPool?.http?.useClientProtocol === true
          ? 'same'
          : 'http1',
      tls: this.#tls(policy, service, port, subset, [...ids].sort(), rule),
      ...(Object.keys(limits).length > 0 ? { limits } : {}),
      ...(policy.outlierDetection ? { outlier: outlierOf(policy.outlierDetection) } : {}),
      ...(locality ? { locality } : {}),
      ...(service.resolution === 'dns' ? { resolve: true } : {}),
      ...(service.resolution === 'none' && mine.length === 0 ? { dynamic: true } : {}),
    };
  }

  #endpoint(endpoint: MeshEndpoint): Endpoint {
    return {
      address: endpoint.address,
      port: endpoint.port,
      ready: endpoint.ready,
      ...(endpoint.weight === undefined ? {} : { weight: endpoint.weight }),
      ...(endpoint.locality === undefined ? {} : { locality: endpoint.locality }),
      ...(endpoint.pod ? { workload: endpoint.pod.id } : {}),
      ...(endpoint.mtls && !this.#mtlsDisabled(endpoint) ? { mtls: true } : {}),
    };
  }

  #tls(
    policy: TrafficPolicy,
    service: MeshService,
    port: MeshPort,
    subset: string,
    spiffeIds: readonly string[],
    rule: IstioObject<DestinationRule> | undefined,
  ): ClusterTls {
    const { tls } = policy;
    const sni = `outbound_.${port.number}_.${subset || '_'}_.${service.host}`;
    const peers = spiffeIds.length > 0 ? { spiffeIds } : {};
    switch (tls?.mode) {
      case 'DISABLE':
        return { mode: 'disable' };
      case 'ISTIO_MUTUAL':
        return {
          mode: 'istio-mutual',
          sni: tls.sni ?? sni,
          ...(tls.subjectAltNames?.length ? { spiffeIds: tls.subjectAltNames } : peers),
        };
      case 'SIMPLE':
      case 'MUTUAL': {
        const namespace = rule ? namespaceOf(rule) : service.namespace;
        const identity =
          tls.credentialName === undefined ? undefined : this.#secrets.use(tls.credentialName, namespace);
        return {
          mode: tls.mode === 'SIMPLE' ? 'simple' : 'mutual',
          sni: tls.sni ?? service.host,
          ...(identity ? { identity: credentialKey(tls.credentialName ?? '', namespace) } : {}),
          ...(tls.subjectAltNames?.length
            ? { subjectAltNames: tls.subjectAltNames }
            : service.subjectAltNames
              ? { subjectAltNames: service.subjectAltNames }
              : {}),
          ...(tls.insecureSkipVerify ? { insecureSkipVerify: true } : {}),
        };
      }
      case undefined:
        return this.#world.config.enableAutoMtls === false ? { mode: 'disable' } : { mode: 'auto', sni, ...peers };
    }
  }
}

function rank(rule: IstioObject<DestinationRule>, namespace: string, host: string): number {
  const own = resolveHost(rule.spec?.host ?? '', namespace);
  return (own === host ? 10_000 : own.length) + (rule.spec?.workloadSelector ? 100_000 : 0);
}

/** Istio merges the rules of one host and namespace: subsets add up, the oldest traffic policy counts. */
function merged(
  rules: readonly IstioObject<DestinationRule>[],
  namespace: string,
  host: string,
): IstioObject<DestinationRule> {
  const first = rules[0] as IstioObject<DestinationRule>;
  const top = rank(first, namespace, host);
  const same = rules.filter((rule) => rank(rule, namespace, host) === top);
  if (same.length === 1) return first;
  const subsets = new Map(
    same.toReversed().flatMap((rule) => (rule.spec?.subsets ?? []).map((subset) => [subset.name, subset] as const)),
  );
  const trafficPolicy = same.find((rule) => rule.spec?.trafficPolicy)?.spec?.trafficPolicy;
  return {
    ...first,
    spec: { ...first.spec, subsets: [...subsets.values()], ...(trafficPolicy ? { trafficPolicy } : {}) },
  };
}

/** Subset over rule, port level over either (Istio: the port's settings replace, they do not merge). */
function mergedPolicy(
  spec: DestinationRule | undefined,
  subset: TrafficPolicy | undefined,
  port: number,
): TrafficPolicy {
  const atPort = (policy: TrafficPolicy | undefined) =>
    policy?.portLevelSettings?.find((entry) => entry.port?.number === port);
  const { portLevelSettings: _rule, ...base } = spec?.trafficPolicy ?? {};
  const { portLevelSettings: _subset, ...own } = subset ?? {};
  const { port: _p, ...atRulePort } = atPort(spec?.trafficPolicy) ?? {};
  const { port: _q, ...atSubsetPort } = atPort(subset) ?? {};
  return { ...base, ...atRulePort, ...own, ...atSubsetPort };
}

function wantsHttp2(port: MeshPort, policy: TrafficPolicy): boolean {
  return (
    port.protocol === 'http2' || port.protocol === 'grpc' || policy.connectionPool?.http?.h2UpgradePolicy === 'UPGRADE'
  );
}

/** LEAST_REQUEST is Istio's default. */
function balancerOf(settings: LoadBalancerSettings | undefined): LoadBalancer {
  const hash = settings?.consistentHash;
  if (hash) {
    const key: HashKey | undefined = hash.httpHeaderName
      ? { header: hash.httpHeaderName }
      : hash.httpQueryParameterName
        ? { query: hash.httpQueryParameterName }
        : hash.useSourceIp
          ? { sourceIp: true }
          : hash.httpCookie?.name
            ? {
                cookie: hash.httpCookie.name,
                ...(hash.httpCookie.path ? { path: hash.httpCookie.path } : {}),
                ...(hash.httpCookie.ttl === undefined
                  ? {}
                  : { ttlSeconds: (parseDuration(hash.httpCookie.ttl) ?? 0) / 1000 }),
              }
            : undefined;
    if (key) return { kind: 'hash', key };
  }
  switch (settings?.simple) {
    case 'ROUND_ROBIN':
      return { kind: 'round-robin' };
    case 'RANDOM':
      return { kind: 'random' };
    default:
      return { kind: 'least-request' };
  }
}

function limitsOf(policy: TrafficPolicy, connectTimeout: string | undefined): ConnectionLimits {
  const { tcp, http } = policy.connectionPool ?? {};
  const ms = (text: string | undefined): number | undefined => parseDuration(text);
  const all: Record<string, unknown> = {
    maxConnections: tcp?.maxConnections,
    connectTimeoutMs: ms(tcp?.connectTimeout) ?? ms(connectTimeout),
    maxPendingRequests: http?.http1MaxPendingRequests,
    maxRequests: http?.http2MaxRequests,
    maxRequestsPerConnection: http?.maxRequestsPerConnection,
    maxRetries: http?.maxRetries,
    idleTimeoutMs: ms(http?.idleTimeout) ?? ms(tcp?.idleTimeout),
    maxConnectionDurationMs: ms(tcp?.maxConnectionDuration),
    keepalive: tcp?.tcpKeepalive ? { timeMs: ms(tcp.tcpKeepalive.time) ?? 7_200_000 } : undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined && value !== 0));
}

function outlierOf(settings: OutlierDetectionSettings): OutlierDetection {
  const all: Record<string, unknown> = {
    consecutive5xx: settings.consecutive5xxErrors ?? settings.consecutiveErrors,
    consecutiveGatewayErrors: settings.consecutiveGatewayErrors,
    splitLocalOrigin: settings.splitExternalLocalOriginErrors,
    consecutiveLocalOriginFailures: settings.consecutiveLocalOriginFailures,
    intervalMs: parseDuration(settings.interval),
    baseEjectionMs: parseDuration(settings.baseEjectionTime),
    maxEjectionPercent: settings.maxEjectionPercent,
    minHealthPercent: settings.minHealthPercent,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Failover by locality needs outlier detection, as in Istio; distribution does not. */
function localityOf(policy: TrafficPolicy, world: World): LocalityPolicy | undefined {
  const settings = policy.loadBalancer?.localityLbSetting ?? world.config.localityLbSetting;
  if (settings?.enabled === false) return undefined;
  if (settings?.distribute?.length)
    return { distribute: settings.distribute.map(({ from = '', to = {} }) => ({ from, to })) };
  if (policy.outlierDetection === undefined) return undefined;
  return settings?.failover?.length
    ? { failover: settings.failover.map(({ from = '', to = '' }) => ({ from, to })) }
    : {};
}
