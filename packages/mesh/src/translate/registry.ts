import type { PortProtocol } from '@kind-e2e/proxy';
import type { WorkloadEntry } from '../world/istio-types.ts';
import type { EndpointSliceLike, ServiceLike } from '../world/objects.ts';
import { byAge, labelsMatch, nameOf, namespaceOf, type World } from '../world/world.ts';
import { protocolNamed, protocolOf } from './protocol.ts';
import type { PodInfo } from './workload-info.ts';

export interface MeshPort {
  readonly number: number;
  readonly name: string;
  readonly protocol: PortProtocol;
  /** Of a ServiceEntry: port of the endpoints where it differs. */
  readonly targetPort?: number;
}

export interface MeshEndpoint {
  readonly address: string;
  readonly port: number;
  readonly ready: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod?: PodInfo;
  readonly weight?: number;
  readonly locality?: string;
  readonly spiffeId?: string;
  readonly mtls: boolean;
}

/** A destination by host, from a Service or a ServiceEntry. */
export interface MeshService {
  readonly host: string;
  readonly name: string;
  readonly namespace: string;
  readonly source: 'Service' | 'ServiceEntry';
  readonly resolution: 'static' | 'dns' | 'none';
  readonly external: boolean;
  readonly headless: boolean;
  /** ClusterIP, or addresses of a ServiceEntry. */
  readonly addresses: readonly string[];
  readonly ports: readonly MeshPort[];
  readonly exportTo: readonly string[];
  readonly endpoints: ReadonlyMap<number, readonly MeshEndpoint[]>;
  readonly service?: ServiceLike;
  readonly subjectAltNames?: readonly string[];
}

export const CLUSTER_DOMAIN = 'cluster.local';

export function hostOf(name: string, namespace: string): string {
  return `${name}.${namespace}.svc.${CLUSTER_DOMAIN}`;
}

/** All hosts of the mesh. Where two claim one host, Kubernetes' Service wins, then the older ServiceEntry. */
export function buildRegistry(world: World, pods: readonly PodInfo[]): Map<string, MeshService> {
  const registry = new Map<string, MeshService>();
  const byId = new Map(pods.map((pod) => [pod.id, pod]));
  const byAddress = new Map(pods.map((pod) => [pod.address, pod]));
  const slices = new Map<string, EndpointSliceLike[]>();
  for (const slice of world.endpointSlices) {
    const service = slice.metadata?.labels?.['kubernetes.io/service-name'];
    if (service === undefined || slice.addressType !== 'IPv4') continue;
    const key = `${namespaceOf(slice)}/${service}`;
    const known = slices.get(key);
    if (known) known.push(slice);
    else slices.set(key, [slice]);
  }
  for (const service of world.services) {
    const made = serviceOf(service, slices.get(`${namespaceOf(service)}/${nameOf(service)}`) ?? [], byId, byAddress);
    registry.set(made.host, made);
  }
  for (const entry of byAge(world.serviceEntries)) addServiceEntry(registry, world, entry, pods);
  return registry;
}

function serviceOf(
  service: ServiceLike,
  slices: readonly EndpointSliceLike[],
  byId: ReadonlyMap<string, PodInfo>,
  byAddress: ReadonlyMap<string, PodInfo>,
): MeshService {
  const name = nameOf(service);
  const namespace = namespaceOf(service);
  const { spec } = service;
  const ports: MeshPort[] = [];
  const endpoints = new Map<number, MeshEndpoint[]>();
  const isExternalName = spec?.type === 'ExternalName';
  for (const port of spec?.ports ?? []) {
    const protocol = protocolOf(port);
    if (protocol === undefined) continue;
    ports.push({ number: port.port, name: port.name ?? '', protocol });
    endpoints.set(
      port.port,
      isExternalName
        ? [{ address: spec?.externalName ?? '', port: port.port, ready: true, labels: {}, mtls: false }]
        : slices.flatMap((slice) => endpointsOf(slice, port.name ?? '', byId, byAddress)),
    );
  }
  const addresses = (spec?.clusterIPs ?? (spec?.clusterIP ? [spec.clusterIP] : [])).filter(
    (address) => address !== 'None' && address !== '',
  );
  return {
    host: hostOf(name, namespace),
    name,
    namespace,
    source: 'Service',
    resolution: isExternalName ? 'dns' : 'static',
    external: isExternalName,
    headless: spec?.clusterIP === 'None',
    addresses,
    ports,
    exportTo: exportToOf(service.metadata?.annotations?.['networking.istio.io/exportTo']?.split(',')),
    endpoints,
    service,
  };
}

function exportToOf(list: readonly string[] | undefined): readonly string[] {
  const trimmed = (list ?? []).map((entry) => entry.trim()).filter((entry) => entry !== '');
  return trimmed.length === 0 ? ['*'] : trimmed;
}

function endpointsOf(
  slice: EndpointSliceLike,
  portName: string,
  byId: ReadonlyMap<string, PodInfo>,
  byAddress: ReadonlyMap<string, PodInfo>,
): MeshEndpoint[] {
  const port = slice.ports?.find(
    (candidate) => (candidate.name ?? '') === portName && candidate.protocol !== 'UDP',
  )?.port;
  if (port === undefined) return [];
  return (slice.endpoints ?? []).flatMap((endpoint) => {
    const { targetRef } = endpoint;
    const namespace = targetRef?.namespace ?? namespaceOf(slice);
    return (endpoint.addresses ?? []).slice(0, 1).map((address): MeshEndpoint => {
      const named = targetRef?.kind === 'Pod' ? byId.get(`${namespace}/${targetRef.name}`) : undefined;
      const pod = named?.address === address ? named : byAddress.get(address);
      return {
        address,
        port,
        // A pod that is being deleted is left alone at once, without waiting for its slice to say so.
        ready: endpoint.conditions?.ready !== false && pod?.terminating !== true,
        labels: pod?.labels ?? {},
        ...(pod ? { pod, spiffeId: pod.spiffeId } : {}),
        ...(pod?.metadata.locality ? { locality: pod.metadata.locality } : {}),
        mtls: pod !== undefined && pod.kind === 'sidecar' && pod.labels['security.istio.io/tlsMode'] !== 'disabled',
      };
    });
  });
}

function addServiceEntry(
  registry: Map<string, MeshService>,
  world: World,
  object: World['serviceEntries'][number],
  pods: readonly PodInfo[],
): void {
  const spec = object.spec ?? {};
  const namespace = namespaceOf(object);
  const ports = (spec.ports ?? []).flatMap((port): MeshPort[] => {
    const protocol = protocolNamed(port.protocol);
    return protocol === undefined
      ? []
      : [
          {
            number: port.number,
            name: port.name,
            protocol,
            ...(port.targetPort ? { targetPort: port.targetPort } : {}),
          },
        ];
  });
  const dns = spec.resolution === 'DNS' || spec.resolution === 'DNS_ROUND_ROBIN';
  for (const host of spec.hosts ?? []) {
    const known = registry.get(host);
    const endpoints = new Map<number, MeshEndpoint[]>();
    for (const port of ports) endpoints.set(port.number, entryEndpoints(world, spec, port, namespace, host, pods));
    if (known) {
      // More ServiceEntries for one host add their endpoints (Istio merges them); a Service keeps what it has.
      if (known.source === 'ServiceEntry' && known.namespace === namespace)
        for (const [port, more] of endpoints) {
          const before = known.endpoints.get(port);
          if (before) (before as MeshEndpoint[]).push(...more);
        }
      continue;
    }
    registry.set(host, {
      host,
      name: host,
      namespace,
      source: 'ServiceEntry',
      resolution: dns ? 'dns' : spec.resolution === 'STATIC' ? 'static' : 'none',
      external: spec.location !== 'MESH_INTERNAL',
      headless: false,
      addresses: spec.addresses ?? [],
      ports,
      exportTo: exportToOf(spec.exportTo),
      endpoints,
      ...(spec.subjectAltNames ? { subjectAltNames: spec.subjectAltNames } : {}),
    });
  }
}

function entryEndpoints(
  world: World,
  spec: NonNullable<World['serviceEntries'][number]['spec']>,
  port: MeshPort,
  namespace: string,
  host: string,
  pods: readonly PodInfo[],
): MeshEndpoint[] {
  const target = port.targetPort ?? port.number;
  const ofEntry = (entry: WorkloadEntry): MeshEndpoint => {
    const pod = pods.find((candidate) => candidate.address === entry.address);
    return {
      address: entry.address ?? '',
      port: entry.ports?.[port.name] ?? target,
      ready: pod?.terminating !== true,
      labels: entry.labels ?? {},
      ...(pod ? { pod } : {}),
      ...(entry.weight === undefined ? {} : { weight: entry.weight }),
      ...(entry.locality ? { locality: entry.locality } : {}),
      ...(entry.serviceAccount
        ? {
            spiffeId: `spiffe://${world.config.trustDomain ?? 'cluster.local'}/ns/${namespace}/sa/${entry.serviceAccount}`,
          }
        : {}),
      mtls: pod?.kind === 'sidecar',
    };
  };
  if (spec.workloadSelector) {
    const { labels } = spec.workloadSelector;
    const entries = world.workloadEntries.filter(
      (entry) => namespaceOf(entry) === namespace && labelsMatch(labels, entry.spec?.labels ?? entry.metadata?.labels),
    );
    const selected = pods.filter((pod) => pod.namespace === namespace && labelsMatch(labels, pod.labels));
    return [
      ...entries.map((entry) => ofEntry(entry.spec ?? {})),
      ...selected.map(
        (pod): MeshEndpoint => ({
          address: pod.address,
          port: target,
          ready: !pod.terminating && isReady(pod),
          labels: pod.labels,
          pod,
          spiffeId: pod.spiffeId,
          mtls: pod.kind === 'sidecar',
        }),
      ),
    ];
  }
  if (spec.endpoints && spec.endpoints.length > 0) return spec.endpoints.map(ofEntry);
  if (spec.resolution === 'DNS' || spec.resolution === 'DNS_ROUND_ROBIN')
    return host.startsWith('*') ? [] : [{ address: host, port: target, ready: true, labels: {}, mtls: false }];
  return [];
}

export function isReady(pod: PodInfo): boolean {
  return (
    pod.pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true
  );
}

/** Whether an object exported from one namespace is seen from another. */
export function isVisible(exportTo: readonly string[] | undefined, from: string, namespace: string): boolean {
  if (exportTo === undefined || exportTo.length === 0) return true;
  return exportTo.some((entry) => entry === '*' || (entry === '.' ? from === namespace : entry === namespace));
}

/** A host in an Istio object: short names mean the object's namespace. */
export function resolveHost(host: string, namespace: string): string {
  if (host === '*' || host.startsWith('*.') || host.includes('.')) return host;
  return hostOf(host, namespace);
}

/** `a.b.svc` and `a.b` are not expanded by Istio; hosts with dots are taken as they are. */
export function hostMatches(pattern: string, host: string): boolean {
  if (pattern === '*' || pattern === host) return true;
  return pattern.startsWith('*') && host.endsWith(pattern.slice(1)) && host.length >= pattern.length;
}
