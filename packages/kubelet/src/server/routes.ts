import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '@kind-e2e/base';
import { sendContainerLogs } from './container-logs.ts';
import { HttpError } from './lookup.ts';
import type { KubeletServerContext } from './server.ts';
import { cadvisorMetrics, resourceMetrics, statsSummary } from './stats.ts';

const TEXT_TYPE = 'text/plain; charset=utf-8';
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Answers one request of the kubelet API. */
export async function handleRequest(
  request: IncomingMessage,
  response: ServerResponse,
  options: KubeletServerContext,
): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'https://kubelet');
    if (url.pathname === '/healthz') return sendText(response, 200, 'ok');
    await options.callers.check(request);
    const [, endpoint = '', ...parts] = url.pathname.split('/').map(decodeURIComponent);
    switch (endpoint) {
      case 'containerLogs':
        return await sendContainerLogs(request, response, options, parts, url.searchParams);
      case 'pods':
        return sendJson(response, {
          kind: 'PodList',
          apiVersion: 'v1',
          metadata: {},
          items: [...options.workers().values()].map((worker) => worker.pod),
        });
      case 'stats':
        if (parts[0] !== 'summary') return sendText(response, 404, '404 page not found');
        return sendJson(response, statsSummary(options));
      case 'metrics':
        if (parts[0] === 'resource') return sendText(response, 200, resourceMetrics(options), METRICS_TYPE);
        if (parts[0] === 'cadvisor') return sendText(response, 200, cadvisorMetrics(options), METRICS_TYPE);
        return sendText(response, 404, '404 page not found');
      case 'exec':
      case 'attach':
      case 'portForward':
        return sendText(response, 400, 'Upgrade request required');
      default:
        return sendText(response, 404, '404 page not found');
    }
  } catch (error) {
    if (error instanceof HttpError) return sendText(response, error.status, error.message);
    options.context.logger.error('a request of the kubelet API failed', { url: request.url, error });
    sendText(response, 500, messageOf(error));
  }
}

export function sendText(response: ServerResponse, status: number, text: string, type = TEXT_TYPE): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

export function sendJson(response: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
