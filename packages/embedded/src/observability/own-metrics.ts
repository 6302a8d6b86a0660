import type { RequestHandler } from '@kind-e2e/query-api';
import type { TelemetryStore } from '@kind-e2e/telemetry-store';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** `GET /metrics`: what this process is, for its own scraper, as Prometheus has it. */
export function createOwnMetrics(metrics: TelemetryStore['metrics']): RequestHandler {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'prometheus_tsdb_head_series',
    help: 'Series that the metric store knows',
    registers: [registry],
    collect() {
      this.set(metrics.statistics().numSeries);
    },
  });
  return (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return false;
    registry.metrics().then(
      (text) => {
        response.writeHead(200, { 'content-type': registry.contentType });
        response.end(text);
      },
      (error: unknown) => {
        response.writeHead(500, { 'content-type': 'text/plain' });
        response.end(String(error));
      },
    );
    return true;
  };
}
