/** The parts of Kubernetes objects that discovery and the log collector read. */
export interface PodObject {
  apiVersion?: string;
  kind?: string;
  metadata?: Metadata;
  spec?: {
    nodeName?: string;
    initContainers?: readonly Container[];
    containers?: readonly Container[];
  };
  status?: {
    podIP?: string;
    hostIP?: string;
    phase?: string;
    conditions?: readonly { type?: string; status?: string }[];
    containerStatuses?: readonly ContainerStatus[];
    initContainerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  name?: string;
  containerID?: string;
}

interface Container {
  name?: string;
  image?: string;
  restartPolicy?: string;
  ports?: readonly { name?: string; containerPort?: number; protocol?: string }[];
}

interface Metadata {
  name?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  creationTimestamp?: string | null;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
}

export interface ServiceObject {
  apiVersion?: string;
  kind?: string;
  metadata?: Metadata;
  spec?: {
    type?: string;
    clusterIP?: string;
    externalName?: string;
    loadBalancerIP?: string;
    ports?: readonly { name?: string; port?: number; protocol?: string }[];
  };
}

export interface EndpointSliceObject {
  apiVersion?: string;
  kind?: string;
  metadata?: Metadata;
  addressType?: string;
  endpoints?: readonly {
    addresses?: readonly string[];
    conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean };
    hostname?: string;
    nodeName?: string;
    zone?: string;
    targetRef?: { kind?: string; name?: string; namespace?: string };
  }[];
  ports?: readonly { name?: string; port?: number; protocol?: string; appProtocol?: string }[];
}

export interface IngressObject {
  apiVersion?: string;
  kind?: string;
  metadata?: Metadata;
  spec?: {
    ingressClassName?: string;
    tls?: readonly { hosts?: readonly string[] }[];
    rules?: readonly { host?: string; http?: { paths?: readonly { path?: string }[] } }[];
  };
}

export interface NodeObject {
  apiVersion?: string;
  kind?: string;
  metadata?: Metadata;
  spec?: { providerID?: string };
  status?: {
    addresses?: readonly { type?: string; address?: string }[];
    daemonEndpoints?: { kubeletEndpoint?: { Port?: number } };
  };
}

/** A target before relabelling. */
export type TargetLabels = Record<string, string>;

const META = '__meta_kubernetes_';

export function labelPart(text: string): string {
  return text.replace(/[^a-zA-Z0-9_]/g, '_');
}

function metadataLabels(kind: string, metadata: Metadata | undefined): TargetLabels {
  const labels: TargetLabels = {};
  for (const [name, value] of Object.entries(metadata?.labels ?? {})) {
    labels[`${META}${kind}_label_${labelPart(name)}`] = value;
    labels[`${META}${kind}_labelpresent_${labelPart(name)}`] = 'true';
  }
  for (const [name, value] of Object.entries(metadata?.annotations ?? {})) {
    labels[`${META}${kind}_annotation_${labelPart(name)}`] = value;
    labels[`${META}${kind}_annotationpresent_${labelPart(name)}`] = 'true';
  }
  return labels;
}

/** Labels that every target of a pod has (discovery/kubernetes/pod.go, `podLabels`). */
function podLabels(pod: PodObject): TargetLabels {
  const { metadata, spec, status } = pod;
  const ready = status?.conditions?.find((condition) => condition.type === 'Ready')?.status ?? 'Unknown';
  const controller = metadata?.ownerReferences?.find((owner) => owner.controller);
  return {
    [`${META}pod_name`]: metadata?.name ?? '',
    [`${META}pod_ip`]: status?.podIP ?? '',
    [`${META}pod_ready`]: ready.toLowerCase(),
    [`${META}pod_phase`]: status?.phase ?? '',
    [`${META}pod_node_name`]: spec?.nodeName ?? '',
    [`${META}pod_host_ip`]: status?.hostIP ?? '',
    [`${META}pod_uid`]: metadata?.uid ?? '',
    ...(controller && {
      [`${META}pod_controller_kind`]: controller.kind,
      [`${META}pod_controller_name`]: controller.name,
    }),
    ...metadataLabels('pod', metadata),
  };
}

function containerLabels(pod: PodObject, container: Container, isInit: boolean): TargetLabels {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  return {
    [`${META}pod_container_name`]: container.name ?? '',
    [`${META}pod_container_id`]: statuses.find(({ name }) => name === container.name)?.containerID ?? '',
    [`${META}pod_container_image`]: container.image ?? '',
    [`${META}pod_container_init`]: String(isInit),
  };
}

export function podTargets(pod: PodObject): TargetLabels[] {
  const ip = pod.status?.podIP;
  if (!ip) return [];
  const base = { [`${META}namespace`]: pod.metadata?.namespace ?? '', ...podLabels(pod) };
  return containersOf(pod).flatMap(({ container, isInit }) => {
    const own = { ...base, ...containerLabels(pod, container, isInit) };
    const ports = container.ports ?? [];
    if (ports.length === 0) return [{ ...own, __address__: ip }];
    return ports.map((port) => ({
      ...own,
      __address__: `${ip}:${port.containerPort}`,
      [`${META}pod_container_port_name`]: port.name ?? '',
      [`${META}pod_container_port_number`]: String(port.containerPort ?? ''),
      [`${META}pod_container_port_protocol`]: port.protocol ?? 'TCP',
    }));
  });
}

function serviceLabels(service: ServiceObject): TargetLabels {
  return {
    [`${META}service_name`]: service.metadata?.name ?? '',
    ...metadataLabels('service', service.metadata),
  };
}

export function serviceTargets(service: ServiceObject): TargetLabels[] {
  const { metadata, spec } = service;
  const isExternal = spec?.type === 'ExternalName';
  return (spec?.ports ?? []).map((port) => ({
    [`${META}namespace`]: metadata?.namespace ?? '',
    ...serviceLabels(service),
    __address__: `${metadata?.name}.${metadata?.namespace}.svc:${port.port}`,
    [`${META}service_type`]: spec?.type ?? 'ClusterIP',
    [isExternal ? `${META}service_external_name` : `${META}service_cluster_ip`]:
      (isExternal ? spec?.externalName : spec?.clusterIP) ?? '',
    ...(spec?.type === 'LoadBalancer' && { [`${META}service_loadbalancer_ip`]: spec.loadBalancerIP ?? '' }),
    [`${META}service_port_name`]: port.name ?? '',
    [`${META}service_port_number`]: String(port.port ?? ''),
    [`${META}service_port_protocol`]: port.protocol ?? 'TCP',
  }));
}

export interface SliceContext {
  service(namespace: string, name: string): ServiceObject | undefined;
  pod(namespace: string, name: string): PodObject | undefined;
}

/** A pod of a slice, and the ports of it that the slice has. */
interface SeenPod {
  readonly pod: PodObject;
  readonly ports: (number | undefined)[];
}

/**
 * Targets of a slice, with the labels of role `endpointslice` or, for files that still say so, of role `endpoints`; then
 * those of the pods' other container ports (discovery/kubernetes/endpointslice.go and endpoints.go).
 */
export function sliceTargets(
  slice: EndpointSliceObject,
  role: 'endpoints' | 'endpointslice',
  context: SliceContext,
): TargetLabels[] {
  const namespace = slice.metadata?.namespace ?? '';
  const serviceName = slice.metadata?.labels?.['kubernetes.io/service-name'] ?? '';
  const service = context.service(namespace, serviceName);
  const base: TargetLabels = { [`${META}namespace`]: namespace, ...(service && serviceLabels(service)) };
  if (role === 'endpointslice') {
    Object.assign(base, metadataLabels('endpointslice', slice.metadata));
    base[`${META}endpointslice_name`] = slice.metadata?.name ?? '';
    base[`${META}endpointslice_address_type`] = slice.addressType ?? 'IPv4';
  } else {
    // Endpoints have the labels of their service.
    Object.assign(base, metadataLabels('endpoints', { labels: service?.metadata?.labels ?? {} }));
    base[`${META}endpoints_name`] = serviceName;
  }
  const targets: TargetLabels[] = [];
  const seen = new Map<string, SeenPod>();
  for (const endpoint of slice.endpoints ?? [])
    for (const port of slice.ports ?? [])
      for (const address of endpoint.addresses ?? []) {
        const name = endpoint.targetRef?.kind === 'Pod' ? (endpoint.targetRef.name ?? '') : '';
        const pod = name === '' ? undefined : context.pod(namespace, name);
        targets.push({
          ...base,
          __address__: hostPort(address, port.port),
          ...(role === 'endpointslice' ? sliceEndpointLabels(endpoint, port) : endpointLabels(endpoint, port)),
          ...(pod && podLabels(pod)),
          ...(pod && portLabels(pod, port.port)),
        });
        if (pod === undefined) continue;
        const known = seen.get(name) ?? { pod, ports: [] };
        known.ports.push(port.port);
        seen.set(name, known);
      }
  for (const { pod, ports } of seen.values()) targets.push(...otherPorts(pod, ports, base));
  return targets;
}

function hostPort(host: string, port: number | undefined): string {
  if (port === undefined) return host;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

type ContainerPort = NonNullable<Container['ports']>[number];

function containersOf({ spec }: PodObject): { container: Container; isInit: boolean }[] {
  return [
    ...(spec?.containers ?? []).map((container) => ({ container, isInit: false })),
    ...(spec?.initContainers ?? []).map((container) => ({ container, isInit: true })),
  ];
}

function containerPortLabels(container: Container, port: ContainerPort, isInit: boolean): TargetLabels {
  return {
    [`${META}pod_container_name`]: container.name ?? '',
    [`${META}pod_container_image`]: container.image ?? '',
    [`${META}pod_container_port_name`]: port.name ?? '',
    [`${META}pod_container_port_number`]: String(port.containerPort ?? ''),
    [`${META}pod_container_port_protocol`]: port.protocol ?? 'TCP',
    [`${META}pod_container_init`]: String(isInit),
  };
}

/** Of the last container that has the port. */
function portLabels(pod: PodObject, port: number | undefined): TargetLabels {
  let labels: TargetLabels = {};
  for (const { container, isInit } of containersOf(pod)) {
    const own = container.ports?.find(({ containerPort }) => port !== undefined && containerPort === port);
    if (own !== undefined) labels = containerPortLabels(container, own, isInit);
  }
  return labels;
}

function otherPorts(pod: PodObject, seen: readonly (number | undefined)[], base: TargetLabels): TargetLabels[] {
  const ip = pod.status?.podIP;
  if (!ip) return [];
  return containersOf(pod).flatMap(({ container, isInit }) =>
    (container.ports ?? [])
      .filter(({ containerPort }) => !seen.includes(containerPort))
      .map((port) => ({
        ...base,
        __address__: hostPort(ip, port.containerPort),
        ...containerPortLabels(container, port, isInit),
        ...podLabels(pod),
      })),
  );
}

type SliceEndpoint = NonNullable<EndpointSliceObject['endpoints']>[number];
type SlicePort = NonNullable<EndpointSliceObject['ports']>[number];

function sliceEndpointLabels(endpoint: SliceEndpoint, port: SlicePort): TargetLabels {
  const { conditions, targetRef } = endpoint;
  const labels: TargetLabels = {
    [`${META}endpointslice_port`]: String(port.port ?? ''),
    [`${META}endpointslice_port_name`]: port.name ?? '',
    [`${META}endpointslice_port_protocol`]: port.protocol ?? 'TCP',
  };
  if (port.appProtocol) labels[`${META}endpointslice_port_app_protocol`] = port.appProtocol;
  for (const [name, value] of Object.entries(conditions ?? {}))
    labels[`${META}endpointslice_endpoint_conditions_${name}`] = String(value);
  if (endpoint.hostname) labels[`${META}endpointslice_endpoint_hostname`] = endpoint.hostname;
  if (endpoint.nodeName) labels[`${META}endpointslice_endpoint_node_name`] = endpoint.nodeName;
  if (endpoint.zone) labels[`${META}endpointslice_endpoint_zone`] = endpoint.zone;
  if (targetRef) {
    labels[`${META}endpointslice_address_target_kind`] = targetRef.kind ?? '';
    labels[`${META}endpointslice_address_target_name`] = targetRef.name ?? '';
  }
  return labels;
}

function endpointLabels(endpoint: SliceEndpoint, port: SlicePort): TargetLabels {
  const labels: TargetLabels = {
    [`${META}endpoint_port_name`]: port.name ?? '',
    [`${META}endpoint_port_protocol`]: port.protocol ?? 'TCP',
    [`${META}endpoint_ready`]: String(endpoint.conditions?.ready ?? true),
  };
  if (endpoint.hostname) labels[`${META}endpoint_hostname`] = endpoint.hostname;
  if (endpoint.nodeName) labels[`${META}endpoint_node_name`] = endpoint.nodeName;
  if (endpoint.targetRef) {
    labels[`${META}endpoint_address_target_kind`] = endpoint.targetRef.kind ?? '';
    labels[`${META}endpoint_address_target_name`] = endpoint.targetRef.name ?? '';
  }
  return labels;
}

export function nodeTargets(node: NodeObject): TargetLabels[] {
  const addresses = node.status?.addresses ?? [];
  const address = ['InternalIP', 'InternalDNS', 'ExternalIP', 'Hostname']
    .map((type) => addresses.find((candidate) => candidate.type === type)?.address)
    .find((candidate) => candidate);
  if (!address) return [];
  const labels: TargetLabels = {
    __address__: `${address}:${node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 10250}`,
    instance: node.metadata?.name ?? '',
    [`${META}node_name`]: node.metadata?.name ?? '',
    [`${META}node_provider_id`]: node.spec?.providerID ?? '',
    ...metadataLabels('node', node.metadata),
  };
  for (const { type, address: text } of addresses) {
    const name = `${META}node_address_${labelPart(type ?? '')}`;
    labels[name] ??= text ?? '';
  }
  return [labels];
}

/** discovery/kubernetes/ingress.go, `buildIngress`. */
export function ingressTargets(ingress: IngressObject): TargetLabels[] {
  const { metadata, spec } = ingress;
  const patterns = (spec?.tls ?? []).flatMap(({ hosts }) => hosts ?? []);
  const base: TargetLabels = {
    [`${META}namespace`]: metadata?.namespace ?? '',
    [`${META}ingress_name`]: metadata?.name ?? '',
    ...(spec?.ingressClassName !== undefined && { [`${META}ingress_class_name`]: spec.ingressClassName }),
    ...metadataLabels('ingress', metadata),
  };
  return (spec?.rules ?? []).flatMap(({ host = '', http }) => {
    const scheme = patterns.some((pattern) => matchesHost(pattern, host)) ? 'https' : 'http';
    const paths = http === undefined ? ['/'] : (http.paths ?? []).map(({ path }) => path || '/');
    return paths.map((path) => ({
      ...base,
      __address__: host,
      [`${META}ingress_scheme`]: scheme,
      [`${META}ingress_host`]: host,
      [`${META}ingress_path`]: path,
    }));
  });
}

/** A star stands for the first part of a name. */
function matchesHost(pattern: string, host: string): boolean {
  if (pattern === host) return true;
  const [first, ...rest] = pattern.split('.');
  return first === '*' && host.split('.').slice(1).join('.') === rest.join('.') && host.includes('.');
}
