import type { Exemplar } from '../telemetry/histogram.ts';
import { UNKNOWN_PARTY } from '../telemetry/metrics.ts';
import { spanTags } from '../telemetry/span-tags.ts';
import type { Exchange } from './exchange.ts';
import { formatFlags } from './flags.ts';
import { withoutPort } from './route-table.ts';

/** Counts, logs and traces a finished request. */
export function report(exchange: Exchange): void {
  const { proxy } = exchange.role;
  const now = proxy.clock.monotonic();
  const durationMs = now - exchange.startMono;
  const flags = formatFlags(exchange.flags);
  recordMetrics(exchange, durationMs, flags);
  if (proxy.log) proxy.log(accessRecord(exchange, durationMs, flags));
  reportSpan(exchange, durationMs, flags);
}

function recordMetrics(exchange: Exchange, durationMs: number, flags: string): void {
  const { role, stream, span } = exchange;
  const { proxy } = role;
  if (proxy.metrics === undefined) return;
  const { connection } = stream;
  const inbound = role.direction === 'inbound';
  const mutual = connection.tls?.mutual === true;
  let source = proxy.party;
  let destination = UNKNOWN_PARTY;
  if (inbound) {
    const peer = proxy.peerAt(connection.remoteAddress);
    const principal = connection.tls?.peerSpiffeId;
    source = peer ? proxy.partyOf(peer, principal) : principal ? withPrincipal(principal) : UNKNOWN_PARTY;
    destination = mutual
      ? proxy.partyOf(proxy.metadata, connection.tls?.localSpiffeId)
      : proxy.partyOf(proxy.metadata, undefined);
  } else {
    const id = exchange.endpoint?.config.workload;
    const metadata = id === undefined ? undefined : proxy.metadataOf(id);
    if (metadata) destination = proxy.partyOf(metadata, exchange.remotePrincipal);
    source =
      exchange.remotePrincipal === undefined ? proxy.party : proxy.partyOf(proxy.metadata, proxy.metadata.spiffeId);
  }
  const service = role.service ?? exchange.cluster?.config.service ?? exchange.host?.service;
  const isGrpc = exchange.isGrpc;
  const exemplar: Exemplar | undefined =
    span?.sampled === true
      ? { traceId: span.traceId, spanId: span.spanId, value: durationMs, timestamp: proxy.clock.now() / 1000 }
      : undefined;
  proxy.metrics.recordRequest(
    {
      reporter: inbound ? 'destination' : 'source',
      source,
      destination,
      service: service?.host ?? (withoutPort(exchange.head.authority) || 'unknown'),
      serviceName: service?.name ?? exchange.cluster?.config.name ?? 'unknown',
      serviceNamespace: service?.namespace ?? 'unknown',
      protocol: isGrpc ? 'grpc' : 'http',
      code: String(exchange.status),
      grpcStatus: isGrpc ? (exchange.grpcStatus ?? '') : '',
      flags,
      security: inbound ? (mutual ? 'mutual_tls' : 'none') : 'unknown',
    },
    durationMs,
    exchange.bytesReceived,
    exchange.bytesSent,
    exemplar,
  );
}

const strangers = new Map<string, typeof UNKNOWN_PARTY>();
const MAX_STRANGERS = 256;

/** A caller of whom only the certificate is known. */
function withPrincipal(spiffeId: string): typeof UNKNOWN_PARTY {
  let party = strangers.get(spiffeId);
  if (party === undefined) {
    if (strangers.size >= MAX_STRANGERS) strangers.clear();
    party = { ...UNKNOWN_PARTY, principal: spiffeId };
    strangers.set(spiffeId, party);
  }
  return party;
}

function accessRecord(
  exchange: Exchange,
  durationMs: number,
  flags: string,
): Parameters<NonNullable<Exchange['role']['proxy']['log']>>[0] {
  const { head, stream, cluster, endpoint } = exchange;
  const { connection } = stream;
  return {
    startTime: exchange.startTime,
    durationMs,
    responseDurationMs: exchange.firstByteMono === undefined ? undefined : exchange.firstByteMono - exchange.startMono,
    method: head.method,
    path: head.path,
    authority: head.authority,
    scheme: head.scheme,
    protocol: head.protocol,
    status: exchange.status,
    flags,
    details: exchange.details,
    upstreamFailure: exchange.upstreamFailure?.replaceAll(' ', '_'),
    bytesReceived: exchange.bytesReceived,
    bytesSent: exchange.bytesSent,
    requestHeaders: head.headers,
    responseHeaders: exchange.responseHeaders,
    upstreamHost: endpoint?.key,
    upstreamCluster: cluster?.config.name,
    upstreamLocalAddress: exchange.upstreamLocalAddress,
    downstreamLocalAddress: `${connection.localAddress}:${connection.localPort}`,
    downstreamRemoteAddress: `${exchange.role.direction === 'gateway' ? exchange.remoteAddress || connection.remoteAddress : connection.remoteAddress}:${connection.remotePort}`,
    requestedServerName: connection.tls?.serverName,
    routeName: exchange.route?.route.name,
    attempts: exchange.attempts,
    traceId: exchange.span?.traceId,
    grpcStatus: exchange.grpcStatus,
    peerSpiffeId: connection.tls?.peerSpiffeId,
    localSpiffeId: connection.tls?.localSpiffeId,
  };
}

function reportSpan(exchange: Exchange, durationMs: number, flags: string): void {
  const { span, role } = exchange;
  const { proxy } = role;
  const { tracing, metadata } = proxy;
  if (!span?.sampled || tracing === undefined || tracing.zipkinUrls.length === 0) return;
  const isServer = role.direction === 'inbound';
  if (isServer ? tracing.disableServerSpans : tracing.disableClientSpans) return;
  proxy.reportSpan({
    traceId: span.traceId,
    id: span.spanId,
    ...(span.parentId === undefined ? {} : { parentId: span.parentId }),
    name: exchange.route?.route.operation ?? exchange.head.authority,
    kind: isServer ? 'SERVER' : 'CLIENT',
    timestamp: proxy.epochMicros(exchange.startMono),
    duration: Math.max(1, Math.round(durationMs * 1000)),
    localEndpoint: {
      serviceName: `${metadata.app || metadata.workload}.${metadata.namespace}`,
      ipv4: metadata.address,
      port: 0,
    },
    tags: spanTags(exchange, flags, tracing),
  });
}
