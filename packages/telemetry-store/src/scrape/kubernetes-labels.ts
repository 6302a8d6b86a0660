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
  const containers = [
    ...(pod.spec?.containers ?? []).map((container) => ({ container, isInit: false })),
    ...(pod.spec?.initContainers ?? []).map((container) => ({ container, isInit: true })),
  ];
  return containers.flatMap(({ container, isInit }) => {
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
    [`${META}service_port_name`]: port.name ?? '',
    [`${META}service_port_number`]: String(port.port ?? ''),
    [`${META}service_port_protocol`]: port.protocol ?? 'TCP',
  }));
}

export interface SliceContext {
  service(namespace: string, name: string): ServiceObject | undefined;
  pod(namespace: string, name: string): PodObject | undefined;
}

/** Targets of a slice, with the labels of role `endpointslice` or, for files that still say so, of role `endpoints`. */
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
  } else base[`${META}endpoints_name`] = serviceName;
  const targets: TargetLabels[] = [];
  for (const endpoint of slice.endpoints ?? [])
    for (const address of endpoint.addresses ?? [])
      for (const port of slice.ports ?? []) {
        const pod =
          endpoint.targetRef?.kind === 'Pod' ? context.pod(namespace, endpoint.targetRef.name ?? '') : undefined;
        const container = pod?.spec?.containers?.find((candidate) =>
          candidate.ports?.some((p) => p.containerPort === port.port),
        );
        const host = address.includes(':') ? `[${address}]` : address;
        targets.push({
          ...base,
          __address__: `${host}:${port.port}`,
          ...(role === 'endpointslice' ? sliceEndpointLabels(endpoint, port) : endpointLabels(endpoint, port)),
          ...(pod && podLabels(pod)),
          ...(pod && container && containerLabels(pod, container, false)),
          ...(container && {
            [`${META}pod_container_port_name`]: container.ports?.find((p) => p.containerPort === port.port)?.name ?? '',
            [`${META}pod_container_port_number`]: String(port.port ?? ''),
            [`${META}pod_container_port_protocol`]: port.protocol ?? 'TCP',
          }),
        });
      }
  return targets;
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
