import { messageOf } from '@kind-e2e/base';
import { getHeader } from '../http/headers.ts';
import type { DownstreamStream, RequestHead } from '../http/stream.ts';
import { Http1ServerConnection, type HttpHandler } from '../http1/server-connection.ts';
import type { Accept } from '../listener/net-listener.ts';
import { exposeMetrics, OPENMETRICS_CONTENT_TYPE, TEXT_CONTENT_TYPE } from '../telemetry/expose.ts';
import { fetchMetrics, mergeMetrics } from '../telemetry/merge.ts';
import type { SpanReporterStats } from '../telemetry/zipkin.ts';
import type { WorkloadRuntime } from './workload.ts';

/** Where Istio's sidecars answer. */
export const METRICS_PORT = 15090;
export const HEALTH_PORT = 15021;
/** Where istio-agent answers with the proxy's metrics and those of the application in one. */
export const MERGED_METRICS_PORT = 15020;

/** `/stats/prometheus` and `/healthz/ready` of one proxy; on the merged port with the application's metrics as well. */
export class Diagnostics implements HttpHandler {
  readonly #workload: WorkloadRuntime;
  readonly #spans: SpanReporterStats;
  readonly #startedAt: number;
  readonly #isMerged: boolean;

  constructor(workload: WorkloadRuntime, spans: SpanReporterStats, isMerged = false) {
    this.#workload = workload;
    this.#spans = spans;
    this.#isMerged = isMerged;
    this.#startedAt = workload.clock.monotonic();
  }

  readonly accept: Accept = (socket, track) => {
    const { clock } = this.#workload;
    const connection = new Http1ServerConnection(socket, {
      handler: this,
      tls: undefined,
      now: () => clock.monotonic(),
      onClose: () => untrack(),
    });
    const untrack = track({ drain: () => connection.drain(), destroy: () => connection.destroy() });
  };

  onProtocolError(): void {}

  onRequest(head: RequestHead, stream: DownstreamStream): void {
    stream.setReceiver({ onRequestData() {}, onRequestEnd() {}, onDownstreamReset() {}, onDownstreamDrain() {} });
    const path = head.path.split('?')[0];
    if (head.method !== 'GET' && head.method !== 'HEAD') answer(stream, head, 405, 'Method Not Allowed');
    else if (path === '/stats/prometheus' || path === '/metrics') {
      const accept = getHeader(head.headers, 'accept') ?? '';
      const openMetrics = accept.includes('application/openmetrics-text');
      if (this.#isMerged && this.#workload.config.applicationMetrics) {
        void this.#answerMerged(stream, head, accept, openMetrics);
        return;
      }
      const text = this.#metrics(openMetrics);
      answer(stream, head, 200, text, openMetrics ? OPENMETRICS_CONTENT_TYPE : TEXT_CONTENT_TYPE);
    } else if (path === '/healthz/ready') answer(stream, head, this.#workload.config.draining ? 503 : 200, '');
    else answer(stream, head, 404, '');
  }

  async #answerMerged(
    stream: DownstreamStream,
    head: RequestHead,
    accept: string,
    openMetrics: boolean,
  ): Promise<void> {
    const { applicationMetrics, appAddress } = this.#workload.config;
    const url = `http://${appAddress}:${applicationMetrics?.port}${applicationMetrics?.path}`;
    try {
      const application = await fetchMetrics(url, accept);
      const merged = mergeMetrics((isOpen) => this.#metrics(isOpen), application, openMetrics);
      answer(stream, head, 200, merged.text, merged.contentType);
    } catch (error) {
      // As istio-agent does: a scrape must not look complete where the application's part is missing.
      answer(stream, head, 502, `the application's metrics at ${url} cannot be read: ${messageOf(error)}\n`);
    }
  }

  #metrics(openMetrics: boolean): string {
    const workload = this.#workload;
    return exposeMetrics(
      {
        metrics: workload.metrics,
        clusters: [...workload.clusters.values()].map((cluster) => ({
          name: cluster.config.name,
          stats: cluster.stats,
          healthy: cluster.endpoints.filter((endpoint) => endpoint.isHealthy()).length,
          total: cluster.endpoints.length,
        })),
        gauges: [
          { name: 'envoy_server_live', type: 'gauge', value: 1 },
          { name: 'envoy_server_state', type: 'gauge', value: workload.config.draining ? 1 : 0 },
          {
            name: 'envoy_server_uptime',
            type: 'gauge',
            value: Math.floor((workload.clock.monotonic() - this.#startedAt) / 1000),
          },
          { name: 'envoy_tracing_zipkin_spans_sent', type: 'counter', value: this.#spans.sent },
          { name: 'envoy_tracing_zipkin_reports_dropped', type: 'counter', value: this.#spans.dropped },
        ],
      },
      openMetrics,
    );
  }
}

function answer(stream: DownstreamStream, head: RequestHead, status: number, text: string, type = 'text/plain'): void {
  const body = Buffer.from(text);
  const hasBody = body.length > 0 && head.method !== 'HEAD';
  stream.sendHead(status, text === '' ? [] : ['content-type', type], hasBody, body.length);
  if (hasBody) stream.sendData(body);
  stream.sendEnd();
}
