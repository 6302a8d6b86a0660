import type { TagOverride } from '../snapshot/telemetry.ts';
import { type Exemplar, Histogram } from './histogram.ts';

/** One side of a request in Istio's standard metrics. */
export interface Party {
  readonly workload: string;
  readonly namespace: string;
  readonly principal: string;
  readonly app: string;
  readonly version: string;
  readonly canonicalService: string;
  readonly canonicalRevision: string;
  readonly cluster: string;
}

export const UNKNOWN_PARTY: Party = {
  workload: 'unknown',
  namespace: 'unknown',
  principal: 'unknown',
  app: 'unknown',
  version: 'unknown',
  canonicalService: 'unknown',
  canonicalRevision: 'latest',
  cluster: 'unknown',
};

/** What one request (or TCP connection) counts under. */
export interface MetricKey {
  readonly reporter: 'source' | 'destination';
  readonly source: Party;
  readonly destination: Party;
  readonly service: string;
  readonly serviceName: string;
  readonly serviceNamespace: string;
  readonly protocol: 'http' | 'grpc' | 'tcp';
  readonly code: string;
  readonly grpcStatus: string;
  readonly flags: string;
  readonly security: 'mutual_tls' | 'none' | 'unknown';
}

export interface HttpSeries {
  readonly labels: readonly (readonly [string, string])[];
  requests: number;
  readonly duration: Histogram;
  readonly requestBytes: Histogram;
  readonly responseBytes: Histogram;
}

export interface TcpSeries {
  readonly labels: readonly (readonly [string, string])[];
  sent: number;
  received: number;
  opened: number;
  closed: number;
}

/** Istio's metrics of one proxy. A series is found by identity of its parties first, so the common case builds no text. */
export class MeshMetrics {
  readonly http = new Map<string, HttpSeries>();
  readonly tcp = new Map<string, TcpSeries>();
  overrides: readonly TagOverride[] = [];

  httpSeries(key: MetricKey): HttpSeries {
    const id = idOf(key);
    let series = this.http.get(id);
    if (series === undefined) {
      series = {
        labels: labelsOf(key),
        requests: 0,
        duration: new Histogram(),
        requestBytes: new Histogram(),
        responseBytes: new Histogram(),
      };
      this.http.set(id, series);
    }
    return series;
  }

  tcpSeries(key: MetricKey): TcpSeries {
    const id = idOf(key);
    let series = this.tcp.get(id);
    if (series === undefined) {
      series = { labels: labelsOf(key), sent: 0, received: 0, opened: 0, closed: 0 };
      this.tcp.set(id, series);
    }
    return series;
  }

  recordRequest(key: MetricKey, ms: number, requestBytes: number, responseBytes: number, exemplar?: Exemplar): void {
    const series = this.httpSeries(key);
    series.requests++;
    series.duration.observe(ms, exemplar);
    series.requestBytes.observe(requestBytes);
    series.responseBytes.observe(responseBytes);
  }
}

const partyIds = new WeakMap<Party, number>();
let lastPartyId = 0;

function partyId(party: Party): number {
  let id = partyIds.get(party);
  if (id === undefined) {
    // Equal parties made by two snapshots must give one series, so the id stands for the contents.
    const text = Object.values(party).join('\n');
    id = contentIds.get(text);
    if (id === undefined) {
      id = ++lastPartyId;
      contentIds.set(text, id);
    }
    partyIds.set(party, id);
  }
  return id;
}

const contentIds = new Map<string, number>();

function idOf(key: MetricKey): string {
  return `${key.reporter}|${partyId(key.source)}|${partyId(key.destination)}|${key.service}|${key.protocol}|${key.code}|${key.grpcStatus}|${key.flags}|${key.security}`;
}

function labelsOf(key: MetricKey): [string, string][] {
  const { source, destination } = key;
  return [
    ['reporter', key.reporter],
    ['source_workload', source.workload],
    ['source_canonical_service', source.canonicalService],
    ['source_canonical_revision', source.canonicalRevision],
    ['source_workload_namespace', source.namespace],
    ['source_principal', source.principal],
    ['source_app', source.app],
    ['source_version', source.version],
    ['source_cluster', source.cluster],
    ['destination_workload', destination.workload],
    ['destination_workload_namespace', destination.namespace],
    ['destination_principal', destination.principal],
    ['destination_app', destination.app],
    ['destination_version', destination.version],
    ['destination_service', key.service],
    ['destination_canonical_service', destination.canonicalService],
    ['destination_canonical_revision', destination.canonicalRevision],
    ['destination_service_name', key.serviceName],
    ['destination_service_namespace', key.serviceNamespace],
    ['destination_cluster', destination.cluster],
    ['request_protocol', key.protocol],
    ...(key.protocol === 'tcp' ? [] : [['response_code', key.code] as [string, string]]),
    ...(key.protocol === 'grpc' ? [['grpc_response_status', key.grpcStatus] as [string, string]] : []),
    ['response_flags', key.flags],
    ['connection_security_policy', key.security],
  ];
}
