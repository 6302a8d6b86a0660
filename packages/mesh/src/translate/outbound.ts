import { outboundAddressOf } from '@kind-e2e/base';
import type { OutboundListener, PortProtocol, Route, RouteTable, TcpRoute, VirtualHost } from '@kind-e2e/proxy';
import type { L4Route } from '../world/istio-types.ts';
import { labelsMatch, namespaceOf, type World } from '../world/world.ts';
import type { ClusterBuilder } from './clusters.ts';
import { clusterName } from './clusters.ts';
import { gatewayKey } from './http-routes.ts';
import { isHttp } from './protocol.ts';
import { CLUSTER_DOMAIN, type MeshPort, type MeshService } from './registry.ts';
import { type ClientScope, visibleServices } from './scopes.ts';
import type { TcpAddresses } from './tcp-addresses.ts';
import type { VirtualServices } from './virtual-services.ts';
import type { PodInfo } from './workload-info.ts';

const MESH = new Set(['mesh']);

/** What one scope sends where: HTTP ports by route table, the rest by service. Made once a scope. */
export interface OutboundPlan {
  readonly httpPorts: ReadonlyMap<number, { readonly routes: string; readonly protocol: PortProtocol }>;
  readonly l4: readonly {
    readonly service: MeshService;
    readonly port: MeshPort;
    readonly routes: string | undefined;
    readonly tcp: readonly TcpRoute[];
  }[];
}

export function planOutbound(options: {
  world: World;
  registry: ReadonlyMap<string, MeshService>;
  clusters: ClusterBuilder;
  virtualServices: VirtualServices;
  scope: ClientScope;
  routeTables: Record<string, RouteTable>;
}): OutboundPlan {
  const { registry, scope, virtualServices, routeTables } = options;
  const services = visibleServices(registry, scope);
  const bound = virtualServices.boundTo(MESH, scope);
  const hostsByPort = new Map<number, VirtualHost[]>();
  const protocols = new Map<number, PortProtocol>();
  const l4: OutboundPlan['l4'][number][] = [];
  const hostFor = (service: MeshService, port: MeshPort): VirtualHost => virtualHostOf(options, service, port, bound);
  for (const service of services)
    for (const port of service.ports) {
      if (isHttp(port.protocol)) {
        const list = hostsByPort.get(port.number) ?? [];
        list.push(hostFor(service, port));
        hostsByPort.set(port.number, list);
        const before = protocols.get(port.number);
        protocols.set(port.number, before === undefined || before === port.protocol ? port.protocol : 'http');
        continue;
      }
      let routes: string | undefined;
      if (port.protocol === 'auto') {
        routes = `${scope.id}/${service.host}:${port.number}`;
        routeTables[routes] = {
          name: `${service.host}:${port.number}`,
          virtualHosts: [{ ...hostFor(service, port), domains: ['*'] }],
        };
      }
      l4.push({ service, port, routes, tcp: tcpRoutesOf(options, service, port, bound) });
    }
  const httpPorts = new Map<number, { routes: string; protocol: PortProtocol }>();
  for (const [port, hosts] of hostsByPort) {
    const key = `${scope.id}/${port}`;
    // Hosts of VirtualServices that are no service's are served on every port, as in Istio.
    const extra = bound.flatMap((object): VirtualHost[] => {
      const free = (object.spec?.hosts ?? []).filter(
        (host) =>
          host.includes('.') &&
          !host.startsWith('*') &&
          !registry.has(host) &&
          !host.endsWith(`.svc.${CLUSTER_DOMAIN}`),
      );
      const routes = free.length === 0 ? [] : virtualServices.routes(object, scope, MESH, port);
      return free.length === 0 || routes.length === 0 ? [] : [{ name: `${free[0]}:${port}`, domains: free, routes }];
    });
    routeTables[key] = { name: String(port), virtualHosts: [...hosts, ...extra] };
    httpPorts.set(port, { routes: key, protocol: protocols.get(port) ?? 'http' });
  }
  return { httpPorts, l4 };
}

/** Names by which a workload of a namespace may call a service (Istio's `generateVirtualHostDomains`). */
function domainsOf(service: MeshService, namespace: string): string[] {
  if (service.source === 'ServiceEntry')
    return [service.host, ...service.addresses.filter((address) => !address.includes('/'))];
  const { name } = service;
  const own = service.namespace;
  const domains = [service.host, `${name}.${own}.svc`, `${name}.${own}`, ...service.addresses];
  if (own === namespace) domains.push(name);
  if (service.headless) domains.push(`*.${service.host}`);
  return domains;
}

function virtualHostOf(
  options: Parameters<typeof planOutbound>[0],
  service: MeshService,
  port: MeshPort,
  bound: ReturnType<VirtualServices['boundTo']>,
): VirtualHost {
  const { virtualServices, scope, clusters } = options;
  const object = virtualServices.forHost(service.host, bound);
  const own =
    object && (object.spec?.http?.length ?? 0) > 0
      ? virtualServices.routes(object, scope, MESH, port.number)
      : undefined;
  const routes = own ?? [defaultRoute(clusters.keyFor(service.host, port.number, '', scope), service, port)];
  return {
    name: `${service.host}:${port.number}`,
    domains: domainsOf(service, scope.namespace),
    routes,
    service: { host: service.host, name: service.name, namespace: service.namespace },
  };
}

function defaultRoute(key: string | undefined, service: MeshService, port: MeshPort): Route {
  return {
    name: 'default',
    match: {},
    operation: `${service.host}:${port.number}/*`,
    action: {
      kind: 'forward',
      destinations: [{ cluster: key ?? clusterName(port.number, '', service.host), weight: 100 }],
    },
  };
}

function tcpRoutesOf(
  options: Parameters<typeof planOutbound>[0],
  service: MeshService,
  port: MeshPort,
  bound: ReturnType<VirtualServices['boundTo']>,
): TcpRoute[] {
  const { virtualServices, scope, clusters } = options;
  const name = { host: service.host, name: service.name, namespace: service.namespace };
  const object = virtualServices.forHost(service.host, bound);
  const routes: TcpRoute[] = [];
  if (object) {
    const own = namespaceOf(object);
    for (const l4 of [...(object.spec?.tls ?? []), ...(object.spec?.tcp ?? [])])
      routes.push(
        ...translateL4(l4, own, port.number, MESH, scope, virtualServices).map((route) => ({
          ...route,
          service: name,
        })),
      );
  }
  const key = clusters.keyFor(service.host, port.number, '', scope);
  if (key !== undefined) routes.push({ destinations: [{ cluster: key, weight: 100 }], service: name });
  return routes;
}

/** TCP and TLS routes of a VirtualService for one port. */
export function translateL4(
  l4: L4Route,
  namespace: string,
  port: number,
  gateways: ReadonlySet<string>,
  scope: ClientScope,
  virtualServices: VirtualServices,
): TcpRoute[] {
  const destinations = (l4.route ?? []).map(({ destination, weight }) => ({
    cluster: virtualServices.resolve(destination, namespace, port, scope).key,
    weight: l4.route?.length === 1 ? 100 : (weight ?? 0),
  }));
  if (destinations.length === 0) return [];
  const matches = l4.match && l4.match.length > 0 ? l4.match : [{}];
  return matches.flatMap((match): TcpRoute[] => {
    if (match.port !== undefined && match.port !== port) return [];
    if (match.gateways?.length && !match.gateways.some((name) => gateways.has(gatewayKey(name, namespace)))) return [];
    if (
      !scope.gateway &&
      (!labelsMatch(match.sourceLabels, scope.labels) ||
        (match.sourceNamespace && match.sourceNamespace !== scope.namespace))
    )
      return [];
    return [{ destinations, ...(match.sniHosts?.length ? { sniHosts: match.sniHosts } : {}) }];
  });
}

/** Outbound listeners of one sidecar. */
export function outboundListeners(plan: OutboundPlan, pod: PodInfo, addresses: TcpAddresses): OutboundListener[] {
  const own = outboundAddressOf(pod.address);
  const listeners: OutboundListener[] = [...plan.httpPorts].map(([port, { routes, protocol }]) => ({
    address: own,
    port,
    protocol,
    routes,
  }));
  for (const { service, port, routes, tcp } of plan.l4)
    listeners.push({
      address: addresses.addressFor(pod, service.host),
      port: port.number,
      protocol: port.protocol,
      ...(routes ? { routes } : {}),
      tcp,
    });
  // A service with TCP ports is known by an address of its own, so its HTTP ports have to answer there too.
  const mixed = new Set(plan.l4.map(({ service }) => service));
  for (const service of mixed)
    for (const port of service.ports) {
      const http = isHttp(port.protocol) ? plan.httpPorts.get(port.number) : undefined;
      if (http)
        listeners.push({
          address: addresses.addressFor(pod, service.host),
          port: port.number,
          protocol: http.protocol,
          routes: http.routes,
        });
    }
  return listeners;
}
