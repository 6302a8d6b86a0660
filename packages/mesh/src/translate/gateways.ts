import type { GatewayListener, GatewayTls, Route, RouteTable, TcpRoute, VirtualHost } from '@kind-e2e/proxy';
import type { Gateway, GatewayServer } from '../world/istio-types.ts';
import type { IstioObject, ServiceLike } from '../world/objects.ts';
import { byAge, labelsMatch, nameOf, namespaceOf, type World } from '../world/world.ts';
import { translateL4 } from './outbound.ts';
import { protocolNamed } from './protocol.ts';
import { hostMatches, resolveHost } from './registry.ts';
import type { ClientScope } from './scopes.ts';
import { credentialKey, type Secrets } from './secrets.ts';
import { type VirtualServices, withCatchAllLast } from './virtual-services.ts';
import type { PodInfo } from './workload-info.ts';

/** Where a port of the gateway's service is reached on the host. */
export interface GatewayAddress {
  readonly servicePort: number;
  readonly address: string;
  readonly port: number;
}

interface BoundServer {
  readonly gateway: IstioObject<Gateway>;
  readonly server: GatewayServer;
}

/** Listeners of one gateway pod: servers of all Gateways that select it, merged by port. */
export function gatewayListeners(options: {
  world: World;
  pod: PodInfo;
  scope: ClientScope;
  virtualServices: VirtualServices;
  routeTables: Record<string, RouteTable>;
  secrets: Secrets;
  hostAddresses: readonly GatewayAddress[];
}): GatewayListener[] {
  const { world, pod } = options;
  const byPort = new Map<number, BoundServer[]>();
  for (const gateway of byAge(world.gateways)) {
    if (!selects(gateway, pod, world)) continue;
    for (const server of gateway.spec?.servers ?? []) {
      const port = server.port?.number;
      if (port === undefined) continue;
      const list = byPort.get(port) ?? [];
      list.push({ gateway, server });
      byPort.set(port, list);
    }
  }
  const listeners: GatewayListener[] = [];
  for (const [port, servers] of byPort) {
    const made = listenerOf(options, port, servers);
    if (made === undefined) continue;
    const target = targetPort(world, pod, port);
    listeners.push({ ...made, address: pod.address, port: target });
    for (const host of options.hostAddresses)
      if (host.servicePort === port) listeners.push({ ...made, address: host.address, port: host.port });
  }
  return listeners;
}

export function selects(gateway: IstioObject<Gateway>, pod: PodInfo, world: World): boolean {
  const selector = gateway.spec?.selector;
  if (selector === undefined || Object.keys(selector).length === 0)
    return pod.namespace === (world.config.rootNamespace ?? 'istio-system');
  return labelsMatch(selector, pod.labels);
}

/** A Gateway's port means the port of the service in front of the pods (80), which they take at another (8080). */
function targetPort(world: World, pod: PodInfo, port: number): number {
  for (const service of world.services) {
    if (namespaceOf(service) !== pod.namespace || !isInFront(service, pod)) continue;
    const found = service.spec?.ports?.find((candidate) => candidate.port === port);
    if (found === undefined) continue;
    if (typeof found.targetPort === 'number') return found.targetPort;
    const named = (pod.pod.spec?.containers ?? [])
      .flatMap((container) => container.ports ?? [])
      .find((entry) => entry.name === found.targetPort);
    return named?.containerPort ?? found.port;
  }
  return port;
}

function isInFront(service: ServiceLike, pod: PodInfo): boolean {
  const selector = service.spec?.selector;
  return selector !== undefined && Object.keys(selector).length > 0 && labelsMatch(selector, pod.labels);
}

type Listener = Omit<GatewayListener, 'address' | 'port'>;

function listenerOf(
  options: Parameters<typeof gatewayListeners>[0],
  port: number,
  servers: readonly BoundServer[],
): Listener | undefined {
  const protocol = servers[0]?.server.port?.protocol?.toUpperCase();
  const kind = protocolNamed(protocol);
  if (kind === undefined || kind === 'auto') return undefined;
  const isHttps = protocol === 'HTTPS';
  const tls = servers.flatMap(({ gateway, server }) => tlsOf(options.secrets, gateway, server));
  const passes = tls.some((entry) => entry.mode === 'PASSTHROUGH');
  const l4 = passes || kind === 'tcp' || (kind === 'tls' && !isHttps) ? tcpRoutes(options, port, servers) : undefined;
  const routes = kind === 'tcp' || (kind === 'tls' && !isHttps) ? undefined : routeTable(options, port, servers);
  const redirects = servers.every(({ server }) => server.tls?.httpsRedirect === true);
  return {
    protocol: isHttps ? 'https' : kind === 'tls' ? 'tls' : kind === 'tcp' ? 'tcp' : 'http',
    matchPort: port,
    ...(routes ? { routes } : {}),
    ...(l4 ? { tcp: l4 } : {}),
    ...(tls.length > 0 ? { tls } : {}),
    ...(redirects ? { httpsRedirect: true } : {}),
  };
}

const TLS_VERSIONS: Readonly<Record<string, 'TLSv1.2' | 'TLSv1.3'>> = { TLSV1_2: 'TLSv1.2', TLSV1_3: 'TLSv1.3' };

function tlsOf(secrets: Secrets, gateway: IstioObject<Gateway>, server: GatewayServer): GatewayTls[] {
  const { tls } = server;
  if (tls === undefined || (tls.httpsRedirect && tls.mode === undefined && tls.credentialName === undefined)) return [];
  const hosts = (server.hosts ?? []).map((host) => host.slice(host.indexOf('/') + 1));
  const mode = tls.mode ?? 'PASSTHROUGH';
  if (mode === 'PASSTHROUGH') return [{ hosts, mode }];
  if (mode !== 'SIMPLE' && mode !== 'MUTUAL' && mode !== 'OPTIONAL_MUTUAL') return [];
  const namespace = namespaceOf(gateway);
  const name = tls.credentialName ?? tls.credentialNames?.[0] ?? '';
  const identity = secrets.use(name, namespace);
  const minVersion = TLS_VERSIONS[tls.minProtocolVersion ?? ''];
  const maxVersion = TLS_VERSIONS[tls.maxProtocolVersion ?? ''];
  return [
    {
      hosts,
      mode,
      ...(identity ? { identity: credentialKey(name, namespace) } : {}),
      ...(minVersion ? { minVersion } : {}),
      ...(maxVersion ? { maxVersion } : {}),
      ...(tls.cipherSuites?.length ? { cipherSuites: tls.cipherSuites } : {}),
      ...(tls.subjectAltNames?.length ? { subjectAltNames: tls.subjectAltNames } : {}),
    },
  ];
}

/** `ns/host` of a server: who may bind, and which of a VirtualService's hosts are let through. */
function hostsOf(
  server: GatewayServer,
  gateway: IstioObject<Gateway>,
  virtualNamespace: string,
  hosts: readonly string[],
): string[] {
  const found = new Set<string>();
  for (const entry of server.hosts ?? []) {
    const slash = entry.indexOf('/');
    const namespace = slash < 0 ? '*' : entry.slice(0, slash);
    const pattern = slash < 0 ? entry : entry.slice(slash + 1);
    if (namespace !== '*' && (namespace === '.' ? namespaceOf(gateway) : namespace) !== virtualNamespace) continue;
    for (const host of hosts) {
      const full = resolveHost(host, virtualNamespace);
      if (hostMatches(pattern, full)) found.add(full);
      else if (hostMatches(full, pattern)) found.add(pattern);
    }
  }
  return [...found];
}

function routeTable(
  options: Parameters<typeof gatewayListeners>[0],
  port: number,
  servers: readonly BoundServer[],
): string {
  const { virtualServices, scope, routeTables, pod } = options;
  const byHost = new Map<string, Route[]>();
  const keys = new Map<string, BoundServer[]>();
  for (const bound of servers) {
    const key = `${namespaceOf(bound.gateway)}/${nameOf(bound.gateway)}`;
    keys.set(key, [...(keys.get(key) ?? []), bound]);
  }
  for (const object of virtualServices.boundTo(new Set(keys.keys()), scope)) {
    const own = namespaceOf(object);
    for (const [key, bounds] of keys) {
      const names = object.spec?.gateways ?? [];
      if (!names.some((name) => (name.includes('/') ? name : `${own}/${name}`) === key)) continue;
      const hosts = new Set(
        bounds.flatMap(({ server, gateway }) => hostsOf(server, gateway, own, object.spec?.hosts ?? [])),
      );
      const routes = hosts.size === 0 ? [] : virtualServices.routes(object, scope, new Set([key]), port);
      for (const host of hosts) byHost.set(host, [...(byHost.get(host) ?? []), ...routes]);
    }
  }
  const virtualHosts: VirtualHost[] = [...byHost].map(([host, routes]) => ({
    name: `${host}:${port}`,
    domains: [host],
    routes: withCatchAllLast(routes),
  }));
  const key = `gateway/${pod.id}/${port}`;
  routeTables[key] = { name: `http.${port}`, virtualHosts };
  return key;
}

function tcpRoutes(
  options: Parameters<typeof gatewayListeners>[0],
  port: number,
  servers: readonly BoundServer[],
): TcpRoute[] {
  const { virtualServices, scope } = options;
  const gateways = new Set(servers.map(({ gateway }) => `${namespaceOf(gateway)}/${nameOf(gateway)}`));
  return virtualServices
    .boundTo(gateways, scope)
    .flatMap((object) =>
      [...(object.spec?.tls ?? []), ...(object.spec?.tcp ?? [])].flatMap((l4) =>
        translateL4(l4, namespaceOf(object), port, gateways, scope, virtualServices),
      ),
    );
}
