import type { MetricLabels, Series } from '../api/prometheus.ts';

export type GraphKind = 'workload' | 'app' | 'service';
export type NodeKind = 'workload' | 'app' | 'service' | 'unknown';

export interface MeshNode {
  id: string;
  kind: NodeKind;
  name: string;
  namespace: string;
  version: string;
  /** Requests per second that come in and go out. */
  inRate: number;
  outRate: number;
  errorRate: number;
  isRoot: boolean;
  isOutside: boolean;
}

export interface MeshEdge {
  id: string;
  from: string;
  to: string;
  protocol: string;
  rate: number;
  /** Requests per second answered 5xx, or not at all. */
  errorRate: number;
  clientErrorRate: number;
  codes: Readonly<Record<string, number>>;
  p50: number | undefined;
  p95: number | undefined;
  /** Share of the traffic by mutual TLS, as the receiving side says; undefined when it says nothing. */
  mtls: number | undefined;
  bytesRate: number;
}

export interface MeshGraph {
  nodes: MeshNode[];
  edges: MeshEdge[];
  namespaces: string[];
}

export interface MeshInput {
  requests: readonly Series[];
  p50: readonly Series[];
  p95: readonly Series[];
  tcp: readonly Series[];
}

const PAIR =
  'source_workload, source_workload_namespace, source_canonical_service, source_version, destination_service_name, destination_service_namespace, destination_workload, destination_workload_namespace, destination_canonical_service, destination_version';

/**
 * Requests a second over the window. A counter that appeared within it counts from nothing: `rate` alone would not see
 * its first request, and a lab's first click would draw no edge. `or` takes the other counters by their rate.
 */
const rateOf = (metric: string, window: string): string =>
  `((last_over_time(${metric}[${window}]) unless ${metric} offset ${window}) / ${secondsOf(window)} or rate(${metric}[${window}]))`;

/** The four queries from which the graph is drawn (istio: docs/reference/config/metrics). `window` is a PromQL duration. */
export const meshQueries = (window: string): Record<keyof MeshInput, string> => ({
  requests: `sum by (reporter, response_code, request_protocol, connection_security_policy, ${PAIR}) ${rateOf('istio_requests_total', window)} > 0`,
  p50: `histogram_quantile(0.5, sum by (le, reporter, ${PAIR}) ${rateOf('istio_request_duration_milliseconds_bucket', window)})`,
  p95: `histogram_quantile(0.95, sum by (le, reporter, ${PAIR}) ${rateOf('istio_request_duration_milliseconds_bucket', window)})`,
  tcp: `sum by (reporter, connection_security_policy, ${PAIR}) ${rateOf('istio_tcp_sent_bytes_total', window)} > 0`,
});

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** Seconds of a PromQL duration such as `15m` or `1h30m`. */
export function secondsOf(duration: string): number {
  let seconds = 0;
  for (const [, count, unit] of duration.matchAll(/(\d+)([smhdw])/g))
    seconds += Number(count) * (UNIT_SECONDS[unit ?? ''] ?? 0);
  return Math.max(1, seconds);
}

const known = (text: string | undefined): text is string => text !== undefined && text !== '' && text !== 'unknown';

interface Place {
  id: string;
  kind: NodeKind;
  name: string;
  namespace: string;
  version: string;
}

function source(labels: MetricLabels, kind: GraphKind): Place {
  const workload = labels.source_workload;
  const namespace = known(labels.source_workload_namespace) ? labels.source_workload_namespace : '';
  if (!known(workload)) return { id: 'unknown', kind: 'unknown', name: 'unknown', namespace: '', version: '' };
  const service = known(labels.source_canonical_service) ? labels.source_canonical_service : workload;
  const name = kind === 'workload' ? workload : service;
  const version = kind === 'workload' && known(labels.source_version) ? labels.source_version : '';
  return { id: `${kind}:${namespace}/${name}`, kind, name, namespace, version };
}

function destination(labels: MetricLabels, kind: GraphKind): { service: Place | undefined; target: Place | undefined } {
  const serviceName = labels.destination_service_name;
  const namespace = known(labels.destination_workload_namespace)
    ? labels.destination_workload_namespace
    : known(labels.destination_service_namespace)
      ? labels.destination_service_namespace
      : '';
  const serviceNamespace = known(labels.destination_service_namespace)
    ? labels.destination_service_namespace
    : namespace;
  const service = known(serviceName)
    ? {
        id: `service:${serviceNamespace}/${serviceName}`,
        kind: 'service' as const,
        name: serviceName,
        namespace: serviceNamespace,
        version: '',
      }
    : undefined;
  if (kind === 'service' || !known(labels.destination_workload)) return { service, target: undefined };
  const canonical = known(labels.destination_canonical_service)
    ? labels.destination_canonical_service
    : labels.destination_workload;
  const name = kind === 'workload' ? labels.destination_workload : canonical;
  return {
    service,
    target: {
      id: `${kind}:${namespace}/${name}`,
      kind,
      name,
      namespace,
      version: kind === 'workload' && known(labels.destination_version) ? labels.destination_version : '',
    },
  };
}

/** A pair of source, service and destination is the same whoever reports it. */
const pairKey = (labels: MetricLabels): string =>
  [
    labels.source_workload,
    labels.source_workload_namespace,
    labels.destination_service_name,
    labels.destination_service_namespace,
    labels.destination_workload,
    labels.destination_workload_namespace,
  ].join('|');

const lastOf = (series: Series): number => series.values.at(-1) ?? 0;

/**
 * Nodes and edges from metrics alone. Where both sides report a pair, the caller's figures count, since they hold what never
 * arrived; whether TLS was used only the receiver knows.
 */
export function buildMeshGraph(input: MeshInput, kind: GraphKind): MeshGraph {
  const withSource = new Set(
    input.requests.filter((series) => series.labels.reporter === 'source').map((series) => pairKey(series.labels)),
  );
  const tcpWithSource = new Set(
    input.tcp.filter((series) => series.labels.reporter === 'source').map((series) => pairKey(series.labels)),
  );
  const security = new Map<string, { secured: number; total: number }>();
  for (const series of [...input.requests, ...input.tcp]) {
    const policy = series.labels.connection_security_policy;
    if (!known(policy)) continue;
    const own = security.get(pairKey(series.labels)) ?? { secured: 0, total: 0 };
    own.total += lastOf(series);
    if (policy === 'mutual_tls') own.secured += lastOf(series);
    security.set(pairKey(series.labels), own);
  }
  const latencies = (list: readonly Series[]): Map<string, number> => {
    const found = new Map<string, number>();
    for (const series of list) {
      const key = pairKey(series.labels);
      const value = lastOf(series);
      if (Number.isNaN(value) || (series.labels.reporter === 'destination' && found.has(key))) continue;
      found.set(key, value);
    }
    return found;
  };
  const p50 = latencies(input.p50);
  const p95 = latencies(input.p95);

  const nodes = new Map<string, MeshNode>();
  const edges = new Map<
    string,
    MeshEdge & { secured: number; securedTotal: number; pairs: Set<string>; codes: Record<string, number> }
  >();
  const nodeOf = (place: Place): MeshNode => {
    const node = nodes.get(place.id) ?? {
      ...place,
      inRate: 0,
      outRate: 0,
      errorRate: 0,
      isRoot: true,
      isOutside: place.kind === 'unknown',
    };
    if (place.version !== '' && !node.version.split(', ').includes(place.version))
      node.version = [node.version, place.version].filter(Boolean).join(', ');
    nodes.set(place.id, node);
    return node;
  };
  const addEdge = (from: Place, to: Place, series: Series, isTcp: boolean): void => {
    if (from.id === to.id) return;
    const id = `${from.id}→${to.id}`;
    const edge = edges.get(id) ?? {
      id,
      from: from.id,
      to: to.id,
      protocol: isTcp ? 'tcp' : (series.labels.request_protocol ?? 'http'),
      rate: 0,
      errorRate: 0,
      clientErrorRate: 0,
      codes: {},
      p50: undefined,
      p95: undefined,
      mtls: undefined,
      bytesRate: 0,
      secured: 0,
      securedTotal: 0,
      pairs: new Set<string>(),
    };
    edges.set(id, edge);
    const value = lastOf(series);
    const code = series.labels.response_code ?? '';
    const isError = !isTcp && (code.startsWith('5') || code === '0');
    const [start, end] = [nodeOf(from), nodeOf(to)];
    if (isTcp) edge.bytesRate += value;
    else {
      edge.rate += value;
      edge.codes[code] = (edge.codes[code] ?? 0) + value;
      if (isError) edge.errorRate += value;
      if (code.startsWith('4')) edge.clientErrorRate += value;
      start.outRate += value;
      end.inRate += value;
      if (isError) end.errorRate += value;
    }
    end.isRoot = false;
    const key = pairKey(series.labels);
    if (edge.pairs.has(key)) return;
    edge.pairs.add(key);
    const larger = (a: number | undefined, b: number | undefined): number | undefined =>
      a === undefined ? b : b === undefined ? a : Math.max(a, b);
    edge.p50 = larger(edge.p50, p50.get(key));
    edge.p95 = larger(edge.p95, p95.get(key));
    const own = security.get(key);
    if (own) {
      edge.secured += own.secured;
      edge.securedTotal += own.total;
    }
  };
  const add = (series: Series, isTcp: boolean): void => {
    const { labels } = series;
    if (labels.reporter === 'destination' && (isTcp ? tcpWithSource : withSource).has(pairKey(labels))) return;
    const from = source(labels, kind);
    const { service, target } = destination(labels, kind);
    if (service && !(from.id === service.id)) addEdge(from, service, series, isTcp);
    if (service && target) addEdge(service, target, series, isTcp);
    else if (target) addEdge(from, target, series, isTcp);
  };
  for (const series of input.requests) if (lastOf(series) > 0) add(series, false);
  for (const series of input.tcp) if (lastOf(series) > 0) add(series, true);
  const list = [...nodes.values()].sort((a, b) => a.id.localeCompare(b.id));
  return {
    nodes: list,
    edges: [...edges.values()]
      .map(({ secured, securedTotal, pairs: _pairs, ...edge }) => ({
        ...edge,
        mtls: securedTotal > 0 ? secured / securedTotal : undefined,
      }))
      .sort((a, b) => a.id.localeCompare(b.id)),
    namespaces: [...new Set(list.map((node) => node.namespace).filter(Boolean))].sort(),
  };
}

export type Health = 'ok' | 'warn' | 'bad' | 'idle';

/** Kiali's thresholds (kiali: config/config.go, health_config): from 0.1 % degraded, from 10 % failing. */
export function healthOf(errorRate: number, rate: number): Health {
  if (rate <= 0) return 'idle';
  const share = errorRate / rate;
  return share >= 0.1 ? 'bad' : share >= 0.001 ? 'warn' : 'ok';
}

/**
 * The graph without what only looks at it: calls from a gateway to the tools of the mesh's own namespace (the console,
 * its queries), and what nothing else leads to.
 */
export function withoutTools(graph: MeshGraph): MeshGraph {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const isTool = (edge: MeshEdge): boolean => {
    const [from, to] = [byId.get(edge.from), byId.get(edge.to)];
    return (
      from !== undefined &&
      to !== undefined &&
      from.isRoot &&
      from.namespace === to.namespace &&
      from.namespace === 'istio-system'
    );
  };
  let edges = graph.edges.filter((edge) => !isTool(edge));
  for (;;) {
    const reached = new Set(edges.map((edge) => edge.to));
    const kept = edges.filter((edge) => reached.has(edge.from) || byId.get(edge.from)?.isRoot);
    if (kept.length === edges.length) break;
    edges = kept;
  }
  if (edges.length === 0) return { nodes: [], edges: [], namespaces: [] };
  const used = new Set(edges.flatMap((edge) => [edge.from, edge.to]));
  const nodes = graph.nodes.filter((node) => used.has(node.id));
  return { nodes, edges, namespaces: graph.namespaces.filter((name) => nodes.some((node) => node.namespace === name)) };
}
