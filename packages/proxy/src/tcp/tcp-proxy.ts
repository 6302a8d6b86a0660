import type { Socket } from 'node:net';
import type { UpstreamCluster } from '../cluster/cluster.ts';
import { openConnection } from '../cluster/connect.ts';
import type { EndpointState } from '../cluster/endpoint.ts';
import { DEFAULT_CONNECT_TIMEOUT_MS } from '../cluster/endpoint-pool.ts';
import type { ProxyContext } from '../http/role.ts';
import type { DownstreamTls } from '../http/stream.ts';
import { bestByName } from '../listener/server-name.ts';
import type { ServiceName, TcpRoute, WeightedCluster } from '../snapshot/snapshot.ts';
import { type Party, UNKNOWN_PARTY } from '../telemetry/metrics.ts';
import { PipedConnection } from './forwarder.ts';
import { pipeBoth } from './pipe.ts';

export interface TcpContext {
  readonly proxy: ProxyContext;
  readonly direction: 'inbound' | 'outbound' | 'gateway';
  readonly port: number;
  readonly localAddress: string | undefined;
}

type Track = (connection: PipedConnection) => () => void;

const MAX_CONNECT_ATTEMPTS = 3;

/** The route for a connection: by its TLS server name where routes have names, else the first without. */
export function pickTcpRoute(routes: readonly TcpRoute[], serverName: string | undefined): TcpRoute | undefined {
  const named = serverName === undefined ? undefined : bestByName(routes, (route) => route.sniHosts ?? [], serverName);
  return named ?? routes.find((route) => route.sniHosts === undefined || route.sniHosts.length === 0);
}

/** One TCP connection on its way to an endpoint, counted and logged as Istio does. */
export function proxyTcp(
  context: TcpContext,
  client: Socket,
  tls: DownstreamTls | undefined,
  route: TcpRoute,
  track: Track,
): void {
  const { proxy } = context;
  client.pause();
  client.on('error', () => {});
  const connection = {
    remoteAddress: client.remoteAddress ?? '',
    remotePort: client.remotePort ?? 0,
    localAddress: client.localAddress ?? '',
    localPort: client.localPort ?? 0,
    tls,
    closing: false,
  };
  if (context.direction !== 'outbound' && !proxy.policies.empty) {
    const denied = proxy.policies.check({
      head: undefined,
      connection,
      clientAddress: connection.remoteAddress,
      port: context.port,
      claims: undefined,
    });
    if (denied !== undefined) {
      client.destroy();
      return;
    }
  }
  const cluster = chooseCluster(context, route.destinations);
  if (cluster === undefined) {
    client.resetAndDestroy();
    return;
  }
  const startTime = proxy.clock.now();
  const startMono = proxy.clock.monotonic();
  const stats = { received: 0, sent: 0 };
  const tried = new Set<EndpointState>();
  const finish = (
    flags: string,
    endpoint: EndpointState | undefined,
    principal: string | undefined,
    local: string | undefined,
  ): void => {
    const series = seriesOf(context, connection, cluster, endpoint, principal, route.service, flags);
    if (series) {
      series.sent += stats.sent;
      series.received += stats.received;
      series.closed++;
    }
    proxy.log?.({
      startTime,
      durationMs: proxy.clock.monotonic() - startMono,
      responseDurationMs: undefined,
      method: '',
      path: '',
      authority: '',
      scheme: '',
      protocol: '',
      status: 0,
      flags,
      details: '',
      upstreamFailure: undefined,
      bytesReceived: stats.received,
      bytesSent: stats.sent,
      requestHeaders: [],
      responseHeaders: [],
      upstreamHost: endpoint?.key,
      upstreamCluster: cluster.config.name,
      upstreamLocalAddress: local,
      downstreamLocalAddress: `${connection.localAddress}:${connection.localPort}`,
      downstreamRemoteAddress: `${connection.remoteAddress}:${connection.remotePort}`,
      requestedServerName: tls?.serverName,
      routeName: undefined,
      attempts: tried.size,
      traceId: undefined,
      grpcStatus: undefined,
      peerSpiffeId: tls?.peerSpiffeId,
      localSpiffeId: tls?.localSpiffeId,
    });
  };
  const attempt = (): void => {
    const endpoint = cluster.pick({ hashKey: connection.remoteAddress, tried });
    if (endpoint === undefined || client.destroyed) {
      finish(endpoint === undefined ? 'UH' : 'DC', undefined, undefined, undefined);
      client.resetAndDestroy();
      return;
    }
    tried.add(endpoint);
    cluster.stats.connectionsTotal++;
    const cancel = openConnection(
      {
        address: endpoint.config.address,
        port: endpoint.config.port,
        localAddress: context.localAddress,
        tls: cluster.tlsOf(endpoint),
        timeoutMs: cluster.limits.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
        keepaliveMs: cluster.limits.keepalive?.timeMs,
        allowHalfOpen: true,
      },
      (ms, call) => proxy.clock.after(ms, call),
      (connected) => {
        client.off('close', cancel);
        const untrack = track(new PipedConnection(client, connected.socket));
        const series = seriesOf(context, connection, cluster, endpoint, connected.remotePrincipal, route.service, '-');
        if (series) series.opened++;
        endpoint.activeRequests++;
        cluster.stats.connectionsActive++;
        const local = `${connected.socket.localAddress}:${connected.socket.localPort}`;
        pipeBoth(client, connected.socket, stats, () => {
          endpoint.activeRequests--;
          cluster.stats.connectionsActive--;
          untrack();
          finish('-', endpoint, connected.remotePrincipal, local);
        });
      },
      () => {
        client.off('close', cancel);
        cluster.stats.connectFailures++;
        cluster.report(endpoint, 'local-failure');
        if (
          tried.size < MAX_CONNECT_ATTEMPTS &&
          cluster.endpoints.some((other) => other.isHealthy() && !tried.has(other))
        )
          attempt();
        else {
          finish('UF,URX', endpoint, undefined, undefined);
          client.resetAndDestroy();
        }
      },
    );
    client.once('close', cancel);
  };
  const waiting = cluster.prepare(tls?.serverName ?? '');
  if (waiting) waiting.then(attempt, attempt);
  else attempt();
}

function chooseCluster(context: TcpContext, destinations: readonly WeightedCluster[]): UpstreamCluster | undefined {
  const total = destinations.reduce((sum, destination) => sum + destination.weight, 0);
  let point = context.proxy.random() * total;
  let chosen = destinations.at(-1);
  for (const destination of destinations) {
    point -= destination.weight;
    if (point >= 0) continue;
    chosen = destination;
    break;
  }
  return chosen && context.proxy.cluster(chosen.cluster);
}

function seriesOf(
  context: TcpContext,
  connection: { readonly remoteAddress: string; readonly tls: DownstreamTls | undefined },
  cluster: UpstreamCluster,
  endpoint: EndpointState | undefined,
  principal: string | undefined,
  service: ServiceName | undefined,
  flags: string,
) {
  const { proxy, direction } = context;
  if (proxy.metrics === undefined) return undefined;
  const inbound = direction === 'inbound';
  let source: Party = proxy.party;
  let destination: Party = UNKNOWN_PARTY;
  if (inbound) {
    const peer = proxy.peerAt(connection.remoteAddress);
    if (peer) source = proxy.partyOf(peer, connection.tls?.peerSpiffeId);
    else source = UNKNOWN_PARTY;
    destination = proxy.partyOf(proxy.metadata, connection.tls?.mutual ? connection.tls.localSpiffeId : undefined);
  } else {
    const metadata = endpoint?.config.workload === undefined ? undefined : proxy.metadataOf(endpoint.config.workload);
    if (metadata) destination = proxy.partyOf(metadata, principal);
    if (principal !== undefined) source = proxy.partyOf(proxy.metadata, proxy.metadata.spiffeId);
  }
  const name = service ?? cluster.config.service;
  return proxy.metrics.tcpSeries({
    reporter: inbound ? 'destination' : 'source',
    source,
    destination,
    service: name?.host ?? 'unknown',
    serviceName: name?.name ?? cluster.config.name,
    serviceNamespace: name?.namespace ?? 'unknown',
    protocol: 'tcp',
    code: '0',
    grpcStatus: '',
    flags,
    security: inbound ? (connection.tls?.mutual ? 'mutual_tls' : 'none') : 'unknown',
  });
}
