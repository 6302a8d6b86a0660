import { type IncomingMessage, request as requestHttp, type ServerResponse } from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '@kind-e2e/base';
import { badRequest, serviceUnavailable, statusError } from '@kind-e2e/kube-api';
import type { StreamTarget } from './kubelet-target.ts';

const HOP_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Sends a request to a target and gives its answer; rejects where it does not answer. */
export function openRequest(
  target: StreamTarget,
  method: string,
  headers: Readonly<Record<string, string | string[]>>,
  body: IncomingMessage | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = target.isTls ? requestHttps : requestHttp;
    const sent = send(
      {
        host: target.host,
        port: target.port,
        path: target.path,
        method,
        headers: { ...headers, ...target.headers },
        agent: false,
        signal,
        ...(target.caPem === undefined ? { rejectUnauthorized: false } : { ca: target.caPem }),
      },
      resolve,
    );
    sent.on('error', reject);
    if (body) body.pipe(sent);
    else sent.end();
  });
}

/** Passes a request on and its answer back (pods, services and nodes `…/proxy`). */
export async function passRequest(
  request: IncomingMessage,
  response: ServerResponse,
  target: StreamTarget,
  signal: AbortSignal,
): Promise<void> {
  const headers = withoutHopHeaders(request.headers);
  delete headers.authorization;
  delete headers.host;
  headers['x-forwarded-for'] = request.socket.remoteAddress ?? '';
  let answer: IncomingMessage;
  try {
    answer = await openRequest(target, request.method ?? 'GET', headers, request, signal);
  } catch (error) {
    throw serviceUnavailable(`error trying to reach service: ${messageOf(error)}`);
  }
  response.writeHead(answer.statusCode ?? 502, withoutHopHeaders(answer.headers));
  await pipeline(answer, response).catch(() => response.destroy());
}

/** Streams what a kubelet answers to a GET: the logs of a container. */
export async function streamFromKubelet(
  response: ServerResponse,
  target: StreamTarget,
  signal: AbortSignal,
): Promise<void> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  response.once('close', end);
  signal.addEventListener('abort', end, { once: true });
  try {
    let answer: IncomingMessage;
    try {
      answer = await openRequest(target, 'GET', {}, undefined, ended.signal);
    } catch (error) {
      if (ended.signal.aborted) return;
      throw serviceUnavailable(`Get "https://${target.host}:${target.port}${target.path}": ${messageOf(error)}`);
    }
    if ((answer.statusCode ?? 500) >= 400) throw await kubeletProblem(answer);
    response.writeHead(answer.statusCode ?? 200, {
      'Content-Type': answer.headers['content-type'] ?? 'text/plain',
      'Cache-Control': 'no-cache, private',
    });
    response.flushHeaders();
    await pipeline(answer, response).catch(() => response.destroy());
  } finally {
    signal.removeEventListener('abort', end);
  }
}

async function kubeletProblem(answer: IncomingMessage): Promise<Error> {
  let text = '';
  for await (const chunk of answer) {
    text += String(chunk);
    if (text.length > 4096) break;
  }
  const message = text.trim();
  const code = answer.statusCode ?? 500;
  if (code === 400) return badRequest(message);
  const reason = code === 404 ? 'NotFound' : code === 403 ? 'Forbidden' : 'InternalError';
  return statusError(code, reason, message === '' ? `the kubelet answered ${code}` : message);
}

function withoutHopHeaders(headers: IncomingMessage['headers']): Record<string, string | string[]> {
  const out: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !HOP_HEADERS.has(name)) out[name] = value;
  return out;
}
