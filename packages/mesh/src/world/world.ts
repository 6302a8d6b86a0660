import type {
  AuthorizationPolicy,
  DestinationRule,
  Gateway,
  PeerAuthentication,
  RequestAuthentication,
  ServiceEntry,
  Sidecar,
  Telemetry,
  VirtualService,
  WorkloadEntry,
} from './istio-types.ts';
import type { MeshConfig } from './mesh-config.ts';
import type {
  ConfigMapLike,
  EndpointSliceLike,
  IstioObject,
  NamespaceLike,
  NodeLike,
  PodLike,
  SecretLike,
  ServiceLike,
} from './objects.ts';

/** Everything the mesh looks at, at one moment. */
export interface World {
  readonly config: MeshConfig;
  readonly pods: readonly PodLike[];
  readonly services: readonly ServiceLike[];
  readonly endpointSlices: readonly EndpointSliceLike[];
  readonly namespaces: readonly NamespaceLike[];
  readonly nodes: readonly NodeLike[];
  readonly secrets: readonly SecretLike[];
  readonly configMaps: readonly ConfigMapLike[];
  readonly virtualServices: readonly IstioObject<VirtualService>[];
  readonly destinationRules: readonly IstioObject<DestinationRule>[];
  readonly gateways: readonly IstioObject<Gateway>[];
  readonly serviceEntries: readonly IstioObject<ServiceEntry>[];
  readonly workloadEntries: readonly IstioObject<WorkloadEntry>[];
  readonly workloadGroups: readonly IstioObject<unknown>[];
  readonly sidecars: readonly IstioObject<Sidecar>[];
  readonly peerAuthentications: readonly IstioObject<PeerAuthentication>[];
  readonly authorizationPolicies: readonly IstioObject<AuthorizationPolicy>[];
  readonly requestAuthentications: readonly IstioObject<RequestAuthentication>[];
  readonly telemetries: readonly IstioObject<Telemetry>[];
  readonly envoyFilters: readonly IstioObject<unknown>[];
  readonly proxyConfigs: readonly IstioObject<unknown>[];
  readonly wasmPlugins: readonly IstioObject<unknown>[];
}

export const EMPTY_WORLD: Omit<World, 'config'> = {
  pods: [],
  services: [],
  endpointSlices: [],
  namespaces: [],
  nodes: [],
  secrets: [],
  configMaps: [],
  virtualServices: [],
  destinationRules: [],
  gateways: [],
  serviceEntries: [],
  workloadEntries: [],
  workloadGroups: [],
  sidecars: [],
  peerAuthentications: [],
  authorizationPolicies: [],
  requestAuthentications: [],
  telemetries: [],
  envoyFilters: [],
  proxyConfigs: [],
  wasmPlugins: [],
};

export function nameOf(object: { metadata?: { name?: string } }): string {
  return object.metadata?.name ?? '';
}

export function namespaceOf(object: { metadata?: { namespace?: string } }): string {
  return object.metadata?.namespace ?? '';
}

/** All labels wanted are there. No wish matches everything. */
export function labelsMatch(
  wanted: Readonly<Record<string, string>> | undefined,
  given: Readonly<Record<string, string>> | undefined,
): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => given?.[key] === value);
}

/** Oldest first, then by name: Istio's order where several objects meet. */
export function byAge<
  T extends { metadata?: { creationTimestamp?: string | null; name?: string; namespace?: string } },
>(objects: readonly T[]): T[] {
  const key = (object: T): string =>
    `${object.metadata?.creationTimestamp ?? ''}|${object.metadata?.name ?? ''}|${object.metadata?.namespace ?? ''}`;
  return [...objects].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
