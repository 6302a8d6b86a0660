import type { Route } from '@kind-e2e/proxy';
import type { Destination, HttpRoute, VirtualService } from '../world/istio-types.ts';
import type { IstioObject } from '../world/objects.ts';
import { byAge, nameOf, namespaceOf, type World } from '../world/world.ts';
import { type ClusterBuilder, clusterName } from './clusters.ts';
import { gatewayKey, type RouteContext, translateHttpRoute } from './http-routes.ts';
import { hostMatches, isVisible, type MeshService, resolveHost } from './registry.ts';
import { type ClientScope, egressMatches } from './scopes.ts';

/** VirtualServices in Istio's order with what is needed to use them. */
export class VirtualServices {
  readonly #objects: readonly IstioObject<VirtualService>[];
  readonly #world: World;
  readonly #registry: ReadonlyMap<string, MeshService>;
  readonly #clusters: ClusterBuilder;

  constructor(world: World, registry: ReadonlyMap<string, MeshService>, clusters: ClusterBuilder) {
    this.#world = world;
    this.#registry = registry;
    this.#clusters = clusters;
    this.#objects = byAge(world.virtualServices);
  }

  /** Those with hosts (no delegates) that are bound to one of the gateways and seen from the scope. */
  boundTo(gateways: ReadonlySet<string>, scope: ClientScope): IstioObject<VirtualService>[] {
    const hosts = scope.sidecar?.spec?.egress?.flatMap((egress) => egress.hosts ?? []);
    return this.#objects.filter((object) => {
      const { spec } = object;
      const own = namespaceOf(object);
      if (!spec?.hosts?.length || !isVisible(spec.exportTo, own, scope.namespace)) return false;
      const names = spec.gateways?.length ? spec.gateways : ['mesh'];
      if (!names.some((name) => gateways.has(gatewayKey(name, own)))) return false;
      return (
        hosts === undefined ||
        spec.hosts.some((host) =>
          hosts.some((entry) => egressMatches(entry, own, resolveHost(host, own), scope.namespace)),
        )
      );
    });
  }

  /** HTTP routes of a VirtualService for one listener; those that match everything go last where several are merged. */
  routes(
    object: IstioObject<VirtualService>,
    scope: ClientScope,
    gateways: ReadonlySet<string>,
    port: number,
  ): Route[] {
    const context: RouteContext = {
      scope,
      gateways,
      port,
      namespace: namespaceOf(object),
      name: nameOf(object),
      virtualServiceHost: object.spec?.hosts?.[0] ?? '*',
      defaultRetry: this.#world.config.defaultHttpRetryPolicy,
      resolve: (destination, namespace, listenerPort) => this.resolve(destination, namespace, listenerPort, scope),
      delegate: (name, namespace) => this.#delegate(name, namespace),
    };
    return (object.spec?.http ?? []).flatMap((http) => translateHttpRoute(http, context));
  }

  #delegate(
    name: string,
    namespace: string,
  ): { routes: readonly HttpRoute[]; namespace: string; name: string } | undefined {
    const found = this.#objects.find((object) => nameOf(object) === name && namespaceOf(object) === namespace);
    // A delegate has no hosts and delegates no further.
    if (found === undefined || (found.spec?.hosts?.length ?? 0) > 0) return undefined;
    return { routes: (found.spec?.http ?? []).filter((route) => route.delegate === undefined), namespace, name };
  }

  /** Where a destination leads: Istio takes the only port of a service, else the listener's. */
  resolve(
    destination: Destination,
    namespace: string,
    listenerPort: number,
    scope: ClientScope,
  ): { key: string; host: string; port: number } {
    const host = resolveHost(destination.host, namespace);
    const service = this.#registry.get(host);
    const only = service?.ports.length === 1 ? service.ports[0]?.number : undefined;
    const port = destination.port?.number ?? only ?? listenerPort;
    const subset = destination.subset ?? '';
    const key = this.#clusters.keyFor(host, port, subset, scope);
    return { key: key ?? clusterName(port, subset, host), host, port };
  }

  /** The VirtualService in force for a host of the mesh: the exact host before a wildcard, the older before the newer. */
  forHost(host: string, candidates: readonly IstioObject<VirtualService>[]): IstioObject<VirtualService> | undefined {
    let best: IstioObject<VirtualService> | undefined;
    let bestLength = -1;
    for (const object of candidates)
      for (const written of object.spec?.hosts ?? []) {
        const pattern = resolveHost(written, namespaceOf(object));
        if (!hostMatches(pattern, host)) continue;
        const length = pattern === host ? 100_000 : pattern.length;
        if (length <= bestLength) continue;
        best = object;
        bestLength = length;
      }
    return best;
  }
}

/** Istio puts routes that match every request behind the others when VirtualServices of one host meet. */
export function withCatchAllLast(routes: readonly Route[]): Route[] {
  return [...routes.filter((route) => !isCatchAll(route)), ...routes.filter(isCatchAll)];
}

function isCatchAll(route: Route): boolean {
  const { path, ...rest } = route.match;
  const everyPath =
    path === undefined ||
    ('prefix' in path && path.prefix === '/') ||
    ('regex' in path && (path.regex === '.*' || path.regex === '*'));
  return everyPath && Object.keys(rest).length === 0;
}
