import type { IncomingMessage, ServerResponse } from 'node:http';
import { negotiateEncoding } from '../http/compression.ts';

/** Whether Prometheus wraps the handler of the path: those of the API allow other origins, `.*` by default. */
function isApi(path: string): boolean {
  return path.includes('/api/v1/');
}

/** The headers of every answer (util/httputil/cors.go and compression.go). */
export function prepareAnswer(request: IncomingMessage, response: ServerResponse, path: string): void {
  if (isApi(path)) {
    response.setHeader('vary', 'Origin');
    if (request.headers.origin !== undefined) {
      response.setHeader('access-control-allow-headers', 'Accept, Authorization, Content-Type, Origin');
      response.setHeader('access-control-allow-methods', 'GET, POST, OPTIONS');
      response.setHeader('access-control-allow-origin', '*');
      response.setHeader('access-control-expose-headers', 'Date');
    }
  }
  const encoding =
    request.method !== 'OPTIONS' && (isApi(path) || path.endsWith('/federate'))
      ? negotiateEncoding(request.headers['accept-encoding'])
      : undefined;
  if (encoding !== undefined) response.setHeader('content-encoding', encoding);
}
