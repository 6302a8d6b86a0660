import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '@kind-e2e/base';
import type { PodWorker } from '../pods/pod-worker.ts';
import { sendContainerLogs } from './container-logs.ts';
import type { KubeletServerOptions } from './server.ts';

/** Answers one request of the kubelet API. */
export async function handleRequest(
  request: IncomingMessage,
  response: ServerResponse,
  options: KubeletServerOptions,
): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'https://kubelet');
    if (url.pathname === '/healthz') return sendText(response, 200, 'ok');
    if (!isAuthorized(request, options.token)) return sendText(response, 401, 'Unauthorized');
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
      default:
        return sendText(response, 404, '404 page not found');
    }
  } catch (error) {
    if (error instanceof HttpError) return sendText(response, error.status, error.message);
    options.context.logger.error('a request of the kubelet API failed', { url: request.url, error });
    sendText(response, 500, messageOf(error));
  }
}

export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
  }
}

export function isAuthorized(request: IncomingMessage, token: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** The worker of a pod by namespace and name, and by uid where the caller knows it. */
export function findWorker(workers: ReadonlyMap<string, PodWorker>, namespace: string, name: string): PodWorker {
  for (const worker of workers.values())
    if (worker.pod.metadata?.namespace === namespace && worker.pod.metadata.name === name) return worker;
  throw new HttpError(404, `pod "${name}" not found\n`);
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

export function sendJson(response: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
