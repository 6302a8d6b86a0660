import type { ClusterStats } from '../cluster/cluster.ts';
import { BUCKETS, type Histogram } from './histogram.ts';
import type { MeshMetrics } from './metrics.ts';
import { applyOverrides } from './tag-overrides.ts';

export interface ExposeInput {
  readonly metrics: MeshMetrics;
  /** Statistics by cluster name. */
  readonly clusters: Iterable<{
    readonly name: string;
    readonly stats: ClusterStats;
    readonly healthy: number;
    readonly total: number;
  }>;
  readonly gauges: readonly { readonly name: string; readonly type: 'counter' | 'gauge'; readonly value: number }[];
}

export const TEXT_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
export const OPENMETRICS_CONTENT_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** Answers `/stats/prometheus`: Prometheus text, or OpenMetrics (with exemplars) for whoever accepts that. */
export function exposeMetrics(input: ExposeInput, openMetrics: boolean): string {
  const out: string[] = [];
  const family = (name: string, type: 'counter' | 'gauge' | 'histogram'): void => {
    // Some counters of Envoy do not end in _total, which OpenMetrics wants of a counter: there their type is unknown.
    if (openMetrics && type === 'counter' && !name.endsWith('_total')) out.push(`# TYPE ${name} unknown\n`);
    else out.push(`# TYPE ${openMetrics && type === 'counter' ? name.slice(0, -'_total'.length) : name} ${type}\n`);
  };
  const { metrics } = input;
  const { overrides } = metrics;
  if (metrics.http.size > 0) {
    const rows = [...metrics.http.values()];
    const labelled = (metric: string) =>
      rows.map((row) => ({ row, labels: applyOverrides(row.labels, overrides, metric) }));
    const counters = labelled('REQUEST_COUNT');
    if (counters.some((entry) => entry.labels !== undefined)) family('istio_requests_total', 'counter');
    for (const { row, labels } of counters)
      if (labels !== undefined) out.push(`istio_requests_total{${labels}} ${row.requests}\n`);
    for (const [name, metric, of] of HISTOGRAMS) {
      const entries = labelled(metric).filter((entry) => entry.labels !== undefined);
      if (entries.length === 0) continue;
      family(name, 'histogram');
      for (const { row, labels } of entries) writeHistogram(out, name, labels as string, row[of], openMetrics);
    }
  }
  if (metrics.tcp.size > 0)
    for (const [name, metric, of] of TCP_COUNTERS) {
      const entries = [...metrics.tcp.values()].map((row) => ({
        row,
        labels: applyOverrides(row.labels, overrides, metric),
      }));
      if (entries.every((entry) => entry.labels === undefined)) continue;
      family(name, 'counter');
      for (const { row, labels } of entries) if (labels !== undefined) out.push(`${name}{${labels}} ${row[of]}\n`);
    }
  writeClusters(out, input, family);
  for (const gauge of input.gauges) {
    family(gauge.name, gauge.type);
    out.push(`${gauge.name} ${gauge.value}\n`);
  }
  if (openMetrics) out.push('# EOF\n');
  return out.join('');
}

const HISTOGRAMS = [
  ['istio_request_duration_milliseconds', 'REQUEST_DURATION', 'duration'],
  ['istio_request_bytes', 'REQUEST_SIZE', 'requestBytes'],
  ['istio_response_bytes', 'RESPONSE_SIZE', 'responseBytes'],
] as const;

const TCP_COUNTERS = [
  ['istio_tcp_sent_bytes_total', 'TCP_SENT_BYTES', 'sent'],
  ['istio_tcp_received_bytes_total', 'TCP_RECEIVED_BYTES', 'received'],
  ['istio_tcp_connections_opened_total', 'TCP_OPENED_CONNECTIONS', 'opened'],
  ['istio_tcp_connections_closed_total', 'TCP_CLOSED_CONNECTIONS', 'closed'],
] as const;

function writeHistogram(out: string[], name: string, labels: string, histogram: Histogram, openMetrics: boolean): void {
  let cumulative = 0;
  for (let i = 0; i <= BUCKETS.length; i++) {
    cumulative += histogram.counts[i] ?? 0;
    const bound = BUCKETS[i];
    const le = bound === undefined ? '+Inf' : openMetrics && Number.isInteger(bound) ? `${bound}.0` : String(bound);
    const exemplar = openMetrics ? histogram.exemplars?.[i] : undefined;
    const tail = exemplar
      ? ` # {trace_id="${exemplar.traceId}",span_id="${exemplar.spanId}"} ${exemplar.value} ${exemplar.timestamp.toFixed(3)}`
      : '';
    out.push(`${name}_bucket{${labels}${labels ? ',' : ''}le="${le}"} ${cumulative}${tail}\n`);
  }
  out.push(`${name}_sum{${labels}} ${histogram.sum}\n${name}_count{${labels}} ${cumulative}\n`);
}

type ClusterRow = ExposeInput['clusters'] extends Iterable<infer T> ? T : never;

const CLUSTER_FAMILIES: readonly [string, 'counter' | 'gauge', (row: ClusterRow) => number][] = [
  ['envoy_cluster_membership_healthy', 'gauge', (row) => row.healthy],
  ['envoy_cluster_membership_total', 'gauge', (row) => row.total],
  ['envoy_cluster_outlier_detection_ejections_enforced_total', 'counter', (row) => row.stats.ejections],
  ['envoy_cluster_upstream_cx_active', 'gauge', (row) => row.stats.connectionsActive],
  ['envoy_cluster_upstream_cx_connect_fail', 'counter', (row) => row.stats.connectFailures],
  ['envoy_cluster_upstream_cx_total', 'counter', (row) => row.stats.connectionsTotal],
  ['envoy_cluster_upstream_rq_active', 'gauge', (row) => row.stats.requestsActive],
  ['envoy_cluster_upstream_rq_pending_overflow', 'counter', (row) => row.stats.pendingOverflow],
  ['envoy_cluster_upstream_rq_retry', 'counter', (row) => row.stats.retries],
  ['envoy_cluster_upstream_rq_timeout', 'counter', (row) => row.stats.timeouts],
  ['envoy_cluster_upstream_rq_total', 'counter', (row) => row.stats.requestsTotal],
];

function writeClusters(
  out: string[],
  input: ExposeInput,
  family: (name: string, type: 'counter' | 'gauge') => void,
): void {
  const rows = [...input.clusters];
  if (rows.length === 0) return;
  for (const [name, type, of] of CLUSTER_FAMILIES) {
    family(name, type);
    for (const row of rows) out.push(`${name}{cluster_name="${escapeLabel(row.name)}"} ${of(row)}\n`);
  }
  family('envoy_cluster_upstream_rq_xx', 'counter');
  for (const row of rows)
    row.stats.status.forEach((count, index) => {
      if (count > 0)
        out.push(
          `envoy_cluster_upstream_rq_xx{response_code_class="${index + 1}",cluster_name="${escapeLabel(row.name)}"} ${count}\n`,
        );
    });
}

export function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value) ? value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n') : value;
}
