import { addCorsHeaders } from './cors.ts';
import type { Exchange } from './exchange.ts';
import { getHeader, type HeaderList, setHeader } from './headers.ts';
import { grpcStatusOf, type LocalReply } from './respond.ts';

/** What `server` says: Istio's gateways and inbound sides overwrite it, outbound sides show Envoy. */
export function serverName(exchange: Exchange): string {
  return exchange.role.direction === 'outbound' ? 'envoy' : 'istio-envoy';
}

/** Fields that Envoy puts on every answer of an upstream. */
export function decorateAnswer(
  exchange: Exchange,
  headers: HeaderList,
  now: number,
  cors: HeaderList | undefined,
): void {
  setHeader(headers, 'x-envoy-upstream-service-time', String(Math.round(now - exchange.startMono)));
  setHeader(headers, 'server', serverName(exchange));
  if (getHeader(headers, 'date') === undefined) headers.push('date', httpDate(exchange.role.proxy.clock.now()));
  if (cors) addCorsHeaders(headers, cors);
}

/** The proxy's own answer; to a gRPC client it is a status, as Envoy makes it. */
export function localAnswer(
  exchange: Exchange,
  reply: LocalReply,
  cors: HeaderList | undefined,
): { readonly status: number; readonly headers: HeaderList; readonly body: Buffer } {
  const { isGrpc } = exchange;
  const headers: HeaderList = [];
  if (isGrpc) {
    exchange.grpcStatus = String(reply.grpcStatus ?? grpcStatusOf(reply.status));
    headers.push('content-type', 'application/grpc', 'grpc-status', exchange.grpcStatus);
    if (reply.body !== '') headers.push('grpc-message', encodeURIComponent(reply.body).replaceAll('%20', ' '));
  } else if (reply.body !== '') headers.push('content-type', 'text/plain');
  const own = reply.headers ?? [];
  for (let i = 0; i < own.length; i += 2) setHeader(headers, own[i] as string, own[i + 1] as string);
  headers.push('date', httpDate(exchange.role.proxy.clock.now()), 'server', serverName(exchange));
  if (cors) addCorsHeaders(headers, cors);
  return { status: isGrpc ? 200 : reply.status, headers, body: Buffer.from(isGrpc ? '' : reply.body) };
}

let dateSecond = 0;
let dateText = '';

/** The date of a second is written once. */
function httpDate(now: number): string {
  const second = Math.floor(now / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(now).toUTCString();
  }
  return dateText;
}
