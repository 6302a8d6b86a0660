import { createHash } from 'node:crypto';
import type { Sidecar } from '../world/istio-types.ts';
import type { IstioObject } from '../world/objects.ts';
import { byAge, labelsMatch, namespaceOf, type World } from '../world/world.ts';
import { hostMatches, isVisible, type MeshService } from './registry.ts';
import type { PodInfo } from './workload-info.ts';

/** Clients that see the same destinations and routes: mostly all workloads of a namespace. */
export interface ClientScope {
  readonly id: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly gateway: boolean;
  readonly sidecar: IstioObject<Sidecar> | undefined;
}

/** Labels by which anything in the mesh tells clients apart. */
function distinguishingLabels(world: World): Set<string> {
  const keys = new Set<string>();
  const add = (labels: Readonly<Record<string, string>> | undefined): void => {
    for (const key of Object.keys(labels ?? {})) keys.add(key);
  };
  for (const { spec } of world.virtualServices) {
    for (const http of spec?.http ?? []) for (const match of http.match ?? []) add(match.sourceLabels);
    for (const l4 of [...(spec?.tcp ?? []), ...(spec?.tls ?? [])])
      for (const match of l4.match ?? []) add(match.sourceLabels);
  }
  for (const { spec } of world.destinationRules) add(spec?.workloadSelector?.matchLabels);
  for (const { spec } of world.sidecars) add(spec?.workloadSelector?.labels);
  return keys;
}

/** Gives each pod its scope. */
export function createScopes(world: World): (pod: PodInfo) => ClientScope {
  const keys = [...distinguishingLabels(world)].sort();
  const scopes = new Map<string, ClientScope>();
  return (pod) => {
    const labels = Object.fromEntries(
      keys.flatMap((key) => (pod.labels[key] === undefined ? [] : [[key, pod.labels[key]]])),
    );
    const suffix =
      Object.keys(labels).length === 0
        ? ''
        : `#${createHash('sha256').update(JSON.stringify(labels)).digest('hex').slice(0, 10)}`;
    const id = `${pod.namespace}${pod.kind === 'gateway' ? '~gateway' : ''}${suffix}`;
    let scope = scopes.get(id);
    if (scope === undefined) {
      const gateway = pod.kind === 'gateway';
      scope = {
        id,
        namespace: pod.namespace,
        labels,
        gateway,
        sidecar: gateway ? undefined : sidecarFor(world, pod.namespace, labels),
      };
      scopes.set(id, scope);
    }
    return scope;
  };
}

/** The Sidecar in force: one that selects the workload, else the namespace's, else the root namespace's. */
function sidecarFor(
  world: World,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): IstioObject<Sidecar> | undefined {
  const root = world.config.rootNamespace ?? 'istio-system';
  const sidecars = byAge(world.sidecars);
  const selecting = (sidecar: IstioObject<Sidecar>): boolean =>
    Object.keys(sidecar.spec?.workloadSelector?.labels ?? {}).length > 0;
  return (
    sidecars.find(
      (s) => namespaceOf(s) === namespace && selecting(s) && labelsMatch(s.spec?.workloadSelector?.labels, labels),
    ) ??
    sidecars.find((s) => namespaceOf(s) === namespace && !selecting(s)) ??
    sidecars.find((s) => namespaceOf(s) === root && !selecting(s))
  );
}

/** Services that a scope may reach: exported to it, and in its Sidecar's egress hosts where it has one. */
export function visibleServices(registry: ReadonlyMap<string, MeshService>, scope: ClientScope): MeshService[] {
  const hosts = scope.sidecar?.spec?.egress?.flatMap((egress) => egress.hosts ?? []);
  return [...registry.values()].filter(
    (service) =>
      isVisible(service.exportTo, service.namespace, scope.namespace) &&
      (hosts === undefined ||
        hosts.some((entry) => egressMatches(entry, service.namespace, service.host, scope.namespace))),
  );
}

/** `namespace/host` of a Sidecar's egress: `./*`, `istio-system/*`, `~/*`, any namespace with a wildcard host. */
export function egressMatches(entry: string, namespace: string, host: string, own: string): boolean {
  const slash = entry.indexOf('/');
  const wantedNamespace = slash < 0 ? '*' : entry.slice(0, slash);
  const wantedHost = slash < 0 ? entry : entry.slice(slash + 1);
  if (wantedNamespace === '~') return false;
  if (wantedNamespace !== '*' && (wantedNamespace === '.' ? own : wantedNamespace) !== namespace) return false;
  return hostMatches(wantedHost, host);
}
