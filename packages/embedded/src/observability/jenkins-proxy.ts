import { request as httpRequest } from 'node:http';
import type { RequestHandler } from '@kind-e2e/query-api';

/** Headers that belong to one connection only (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'host', 'te', 'trailer']);
const PATHS =
  /^\/jenkins\/(api|job|queue|crumbIssuer|createItem|computer|label|view|pluginManager|pipeline-model-converter)(\/|$|\?)/;

/** Passes Jenkins' REST API on to the controller; 503 while there is none. `/jenkins` itself is the console's page. */
export function createJenkinsProxy(controller: string): RequestHandler {
  return (request, response) => {
    if (!PATHS.test(request.url ?? '')) return false;
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.has(name)));
    const passed = httpRequest(
      new URL(request.url ?? '/', controller),
      { method: request.method, headers: { ...headers, 'x-forwarded-host': request.headers.host ?? 'localhost' } },
      (answer) => {
        const kept = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.has(name));
        response.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept));
        answer.pipe(response);
        answer.once('error', () => response.destroy());
      },
    );
    passed.once('error', () => {
      if (response.headersSent) response.destroy();
      else
        response
          .writeHead(503, { 'content-type': 'text/plain' })
          .end('no pipeline runs in this lab: kind-e2e pipeline run\n');
    });
    response.once('close', () => passed.destroy());
    request.pipe(passed);
    return true;
  };
}
