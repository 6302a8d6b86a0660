import { randomId, requestId } from '../telemetry/ids.ts';
import { extractContext, nextContext, type SpanContext } from '../telemetry/trace-context.ts';
import { getHeader, getJoinedHeader, removeHeader, setHeader } from './headers.ts';
import type { HttpRole } from './role.ts';
import type { DownstreamConnection, RequestHead } from './stream.ts';

/** Fields that only proxies of the mesh may set; from outside they are not believed. */
const INTERNAL_FIELDS = ['x-envoy-peer-metadata', 'x-envoy-peer-metadata-id', 'x-envoy-decorator-operation'];

/**
 * What Envoy's connection manager does to a request before it is routed (conn_manager_utility.cc): who it comes from,
 * its id, its place in the trace.
 */
export function prepareRequest(role: HttpRole, head: RequestHead, connection: DownstreamConnection): SpanContext {
  const { headers } = head;
  for (const name of INTERNAL_FIELDS) if (getHeader(headers, name) !== undefined) removeHeader(headers, name);
  if (role.direction === 'gateway') {
    const before = getJoinedHeader(headers, 'x-forwarded-for');
    const remote = connection.remoteAddress;
    if (before === undefined) headers.push('x-forwarded-for', remote);
    else {
      removeHeader(headers, 'x-forwarded-for');
      headers.push('x-forwarded-for', `${before},${remote}`);
    }
    setHeader(headers, 'x-forwarded-proto', head.scheme);
    setHeader(headers, 'x-envoy-internal', 'true');
  } else if (getHeader(headers, 'x-forwarded-proto') === undefined) headers.push('x-forwarded-proto', head.scheme);
  if (role.direction === 'inbound') forwardClientCertificate(head, connection);
  else if (role.direction === 'gateway') removeHeader(headers, 'x-forwarded-client-cert');
  const { proxy } = role;
  const context = nextContext(extractContext(headers), proxy.tracing?.samplingPercent ?? 0, randomId, proxy.random);
  if (getHeader(headers, 'x-request-id') === undefined) headers.push('x-request-id', requestId(context.sampled));
  return context;
}

/** x-forwarded-client-cert as Istio's sidecars write it (APPEND_FORWARD, with subject and URI). */
function forwardClientCertificate(head: RequestHead, connection: DownstreamConnection): void {
  const { tls } = connection;
  if (tls?.peerSpiffeId === undefined) {
    removeHeader(head.headers, 'x-forwarded-client-cert');
    return;
  }
  const own =
    `By=${tls.localSpiffeId ?? ''};Hash=${tls.peerFingerprint ?? ''};` +
    `Subject="${tls.peerSubject ?? ''}";URI=${tls.peerSpiffeId}`;
  const before = getJoinedHeader(head.headers, 'x-forwarded-client-cert');
  setHeader(head.headers, 'x-forwarded-client-cert', before === undefined ? own : `${before},${own}`);
}

/** The address that is believed to be the client's: behind trusted proxies it is found in x-forwarded-for. */
export function clientAddress(role: HttpRole, head: RequestHead, connection: DownstreamConnection): string {
  const forwarded = getJoinedHeader(head.headers, 'x-forwarded-for')
    ?.split(',')
    .map((part) => part.trim());
  if (!forwarded || forwarded.length === 0) return connection.remoteAddress;
  if (role.direction === 'gateway') return forwarded.at(-1 - (role.trustedHops ?? 0)) ?? forwarded[0] ?? '';
  return forwarded.at(-1) ?? connection.remoteAddress;
}
