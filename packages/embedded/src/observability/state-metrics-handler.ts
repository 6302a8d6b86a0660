import type { RequestHandler } from '@kind-e2e/query-api';
import { StateMetrics } from '@kind-e2e/state-metrics';

/** `GET /metrics` and the health paths of kube-state-metrics (its pkg/app/server.go). */
export function createStateMetricsHandler(states: StateMetrics): RequestHandler {
  return (request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (request.method !== 'GET') return false;
    switch (path) {
      case '/metrics':
        response.writeHead(200, { 'content-type': StateMetrics.contentType });
        response.end(states.text());
        return true;
      case '/healthz':
      case '/livez':
      case '/readyz':
        response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
        response.end('OK');
        return true;
      default:
        return false;
    }
  };
}
