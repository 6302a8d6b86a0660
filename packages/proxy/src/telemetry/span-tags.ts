import type { Exchange } from '../http/exchange.ts';
import { getHeader } from '../http/headers.ts';
import type { TracingSettings } from '../snapshot/telemetry.ts';

const DEFAULT_PATH_LENGTH = 256;

/** Tags of a proxy's span: Envoy's (tracing/http_tracer_impl.cc) and those that Istio adds. */
export function spanTags(exchange: Exchange, flags: string, tracing: TracingSettings): Record<string, string> {
  const { head, stream, role, cluster } = exchange;
  const { metadata, nodeId } = role.proxy;
  const { connection } = stream;
  const longest = tracing.maxPathTagLength ?? DEFAULT_PATH_LENGTH;
  const path = (getHeader(head.headers, 'x-envoy-original-path') ?? head.path).slice(0, longest);
  const tags: Record<string, string> = {
    component: 'proxy',
    node_id: nodeId,
    'guid:x-request-id': getHeader(head.headers, 'x-request-id') ?? '',
    'http.method': head.method,
    'http.url': `${getHeader(head.headers, 'x-forwarded-proto') ?? head.scheme}://${head.authority}${path}`,
    'http.protocol': head.protocol,
    'http.status_code': String(exchange.status),
    downstream_cluster: '-',
    user_agent: getHeader(head.headers, 'user-agent') ?? '-',
    request_size: String(exchange.bytesReceived),
    response_size: String(exchange.bytesSent),
    response_flags: flags,
    'peer.address': role.direction === 'gateway' ? exchange.remoteAddress : connection.remoteAddress,
    'istio.canonical_service': metadata.canonicalService,
    'istio.canonical_revision': metadata.canonicalRevision,
    'istio.mesh_id': tracing.meshId ?? 'cluster.local',
    'istio.namespace': metadata.namespace,
    'istio.cluster_id': tracing.clusterId ?? metadata.cluster,
  };
  if (cluster) {
    tags.upstream_cluster = cluster.config.name;
    tags['upstream_cluster.name'] = `${cluster.config.name};`;
    if (exchange.endpoint) tags.upstream_address = exchange.endpoint.key;
  }
  if (exchange.attempts > 1) tags.retry_count = String(exchange.attempts - 1);
  if (exchange.status >= 500 || exchange.status === 0) tags.error = 'true';
  if (exchange.isGrpc && exchange.grpcStatus !== undefined) {
    tags['grpc.status_code'] = exchange.grpcStatus;
    if (exchange.grpcStatus !== '0') tags.error = 'true';
  }
  for (const [name, tag] of Object.entries(tracing.customTags ?? {})) {
    const value =
      'literal' in tag
        ? tag.literal
        : 'header' in tag
          ? (getHeader(head.headers, tag.header.toLowerCase()) ?? tag.defaultValue)
          : tag.defaultValue;
    if (value !== undefined) tags[name] = value;
  }
  return tags;
}
