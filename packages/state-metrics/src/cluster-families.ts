import type { ConfigMap, Endpoints, Namespace, Node, ResourceQuota, Service } from 'kubernetes-types/core/v1.d.ts';
import type { Ingress } from 'kubernetes-types/networking/v1.d.ts';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.d.ts';
import {
  conditionMetrics,
  type Family,
  family,
  infoFamily,
  numberFamily,
  one,
  oneOf,
  resourceMetrics,
  seconds,
} from './family.ts';

const ROLE_LABEL = 'node-role.kubernetes.io/';

/** docs/metrics/cluster/node-metrics.md */
export const NODE_FAMILIES: readonly Family<Node>[] = [
  infoFamily('kube_node_info', '[STABLE] Information about a cluster node.', ({ spec, status }) => ({
    kernel_version: status?.nodeInfo?.kernelVersion ?? '',
    os_image: status?.nodeInfo?.osImage ?? '',
    container_runtime_version: status?.nodeInfo?.containerRuntimeVersion ?? '',
    kubelet_version: status?.nodeInfo?.kubeletVersion ?? '',
    kubeproxy_version: 'deprecated',
    provider_id: spec?.providerID ?? '',
    pod_cidr: spec?.podCIDR ?? '',
    system_uuid: status?.nodeInfo?.systemUUID ?? '',
    internal_ip: status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '',
  })),
  numberFamily('kube_node_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  numberFamily('kube_node_deletion_timestamp', 'Unix deletion timestamp', ({ metadata }) =>
    seconds(metadata?.deletionTimestamp),
  ),
  family('kube_node_role', 'The role of a cluster node.', ({ metadata }) =>
    Object.keys(metadata?.labels ?? {})
      .filter((label) => label.startsWith(ROLE_LABEL))
      .map((label) => ({ labels: { role: label.slice(ROLE_LABEL.length) }, value: 1 })),
  ),
  numberFamily('kube_node_spec_unschedulable', '[STABLE] Whether a node can schedule new pods.', ({ spec }) =>
    spec?.unschedulable === true ? 1 : 0,
  ),
  family('kube_node_spec_taint', '[STABLE] The taint of a cluster node.', ({ spec }) =>
    (spec?.taints ?? []).map(({ key, value = '', effect }) => ({ labels: { key, value, effect }, value: 1 })),
  ),
  family('kube_node_status_addresses', 'Node address information.', ({ status }) =>
    (status?.addresses ?? []).map(({ type, address }) => ({ labels: { type, address }, value: 1 })),
  ),
  family('kube_node_status_capacity', '[STABLE] The total amount of resources available for a node.', ({ status }) =>
    resourceMetrics(status?.capacity),
  ),
  family(
    'kube_node_status_allocatable',
    '[STABLE] The amount of resources allocatable for pods (after reserving some for system daemons).',
    ({ status }) => resourceMetrics(status?.allocatable),
  ),
  family('kube_node_status_condition', '[STABLE] The condition of a cluster node.', ({ status }) =>
    (status?.conditions ?? []).flatMap((condition) =>
      conditionMetrics(condition, 'status', { condition: condition.type }),
    ),
  ),
];

/** docs/metrics/cluster/namespace-metrics.md */
export const NAMESPACE_FAMILIES: readonly Family<Namespace>[] = [
  numberFamily('kube_namespace_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  family('kube_namespace_status_phase', '[STABLE] kubernetes namespace status phase.', ({ status }) =>
    oneOf('phase', ['Active', 'Terminating'], status?.phase),
  ),
  family('kube_namespace_status_condition', 'The condition of a namespace.', ({ status }) =>
    (status?.conditions ?? []).flatMap((condition) =>
      conditionMetrics(condition, 'status', { condition: condition.type }),
    ),
  ),
];

/** docs/metrics/service/service-metrics.md */
export const SERVICE_FAMILIES: readonly Family<Service>[] = [
  infoFamily('kube_service_info', '[STABLE] Information about service.', ({ spec }) => ({
    cluster_ip: spec?.clusterIP ?? '',
    external_name: spec?.externalName ?? '',
    load_balancer_ip: spec?.loadBalancerIP ?? '',
  })),
  numberFamily('kube_service_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  family('kube_service_spec_type', '[STABLE] Type about service.', ({ spec }) => one(1, { type: spec?.type ?? '' })),
  family('kube_service_spec_external_ip', '[STABLE] Service external ips. One series for each ip', ({ spec }) =>
    (spec?.externalIPs ?? []).map((ip) => ({ labels: { external_ip: ip }, value: 1 })),
  ),
  family('kube_service_status_load_balancer_ingress', '[STABLE] Service load balancer ingress status', ({ status }) =>
    (status?.loadBalancer?.ingress ?? []).map(({ ip = '', hostname = '' }) => ({ labels: { ip, hostname }, value: 1 })),
  ),
];

/** docs/metrics/service/endpoint-metrics.md */
export const ENDPOINT_FAMILIES: readonly Family<Endpoints>[] = [
  infoFamily('kube_endpoint_info', '[STABLE] Information about endpoint.', () => ({})),
  numberFamily('kube_endpoint_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  family(
    'kube_endpoint_address',
    '[STABLE] Information about Endpoint available and non available addresses.',
    ({ subsets }) =>
      (subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }) =>
        ports.flatMap(({ port, protocol = 'TCP', name = '' }) =>
          [...addresses.map(({ ip }) => [ip, 'true']), ...notReadyAddresses.map(({ ip }) => [ip, 'false'])].map(
            ([ip = '', ready = '']) => ({
              labels: { port_protocol: protocol, port_number: String(port), port_name: name, ip, ready },
              value: 1,
            }),
          ),
        ),
      ),
  ),
];

/** docs/metrics/service/ingress-metrics.md */
export const INGRESS_FAMILIES: readonly Family<Ingress>[] = [
  infoFamily('kube_ingress_info', '[STABLE] Information about ingress.', ({ metadata, spec }) => ({
    ingressclass: spec?.ingressClassName ?? metadata?.annotations?.['kubernetes.io/ingress.class'] ?? '_default',
  })),
  numberFamily('kube_ingress_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  family('kube_ingress_path', '[STABLE] Ingress host, paths and backend service information.', ({ spec }) =>
    (spec?.rules ?? []).flatMap(({ host = '', http }) =>
      (http?.paths ?? []).flatMap(({ path = '', pathType = '', backend }) =>
        backend.service === undefined
          ? []
          : [
              {
                labels: {
                  host,
                  path,
                  path_type: pathType,
                  service_name: backend.service.name,
                  service_port: String(backend.service.port?.number ?? backend.service.port?.name ?? ''),
                },
                value: 1,
              },
            ],
      ),
    ),
  ),
];

/** docs/metrics/storage/configmap-metrics.md */
export const CONFIGMAP_FAMILIES: readonly Family<ConfigMap>[] = [
  infoFamily('kube_configmap_info', '[STABLE] Information about configmap.', () => ({})),
  numberFamily('kube_configmap_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
];

/** docs/metrics/policy/poddisruptionbudget-metrics.md */
export const PDB_FAMILIES: readonly Family<PodDisruptionBudget>[] = [
  numberFamily('kube_poddisruptionbudget_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  numberFamily(
    'kube_poddisruptionbudget_status_current_healthy',
    '[STABLE] Current number of healthy pods',
    ({ status }) => status?.currentHealthy ?? 0,
  ),
  numberFamily(
    'kube_poddisruptionbudget_status_desired_healthy',
    '[STABLE] Minimum desired number of healthy pods',
    ({ status }) => status?.desiredHealthy ?? 0,
  ),
  numberFamily(
    'kube_poddisruptionbudget_status_pod_disruptions_allowed',
    '[STABLE] Number of pod disruptions that are currently allowed',
    ({ status }) => status?.disruptionsAllowed ?? 0,
  ),
  numberFamily(
    'kube_poddisruptionbudget_status_expected_pods',
    '[STABLE] Total number of pods counted by this disruption budget',
    ({ status }) => status?.expectedPods ?? 0,
  ),
  numberFamily(
    'kube_poddisruptionbudget_status_observed_generation',
    '[STABLE] Most recent generation observed when updating this PDB status',
    ({ status }) => status?.observedGeneration ?? 0,
  ),
];

/** docs/metrics/policy/resourcequota-metrics.md */
export const RESOURCEQUOTA_FAMILIES: readonly Family<ResourceQuota>[] = [
  numberFamily('kube_resourcequota_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  family('kube_resourcequota', '[STABLE] Information about resource quota.', ({ status }) =>
    (['hard', 'used'] as const).flatMap((type) =>
      Object.entries(status?.[type] ?? {}).flatMap(([resource, text]) =>
        resourceMetrics({ [resource.replace(/^(?:requests|limits)\./, '')]: text }).map(({ value }) => ({
          labels: { resource, type },
          value,
        })),
      ),
    ),
  ),
];
