import { appAddressOf, outboundAddressOf } from '@kind-e2e/base';
import type { InboundPort, Workload } from '@kind-e2e/proxy';
import { applicationMetricsOf } from '../inject/metrics-merging.ts';
import type { World } from '../world/world.ts';
import { protocolOf } from './protocol.ts';
import { hostOf, type MeshService } from './registry.ts';
import { mtlsModeOf } from './security.ts';
import type { PodInfo } from './workload-info.ts';

/** Ports of a pod as others reach them: those that services lead to, then those that its containers name. */
export function inboundPorts(world: World, services: Iterable<MeshService>, pod: PodInfo): InboundPort[] {
  const mode = mtlsModeOf(world, pod);
  const ports = new Map<number, InboundPort>();
  for (const service of services)
    for (const port of service.ports)
      for (const endpoint of service.endpoints.get(port.number) ?? []) {
        if (endpoint.pod?.id !== pod.id || ports.has(endpoint.port)) continue;
        ports.set(endpoint.port, {
          port: endpoint.port,
          protocol: port.protocol,
          mtls: mode(endpoint.port),
          service: {
            host: service.host,
            name: service.name,
            namespace: service.namespace,
            ...(port.number === endpoint.port ? {} : { port: port.number }),
          },
        });
      }
  const containers = [
    ...(pod.pod.spec?.containers ?? []),
    ...(pod.pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always'),
  ];
  for (const container of containers)
    for (const port of container.ports ?? []) {
      if (port.protocol === 'UDP' || port.protocol === 'SCTP' || ports.has(port.containerPort)) continue;
      const name = pod.metadata.canonicalService;
      ports.set(port.containerPort, {
        port: port.containerPort,
        protocol: protocolOf({ port: port.containerPort, ...(port.name ? { name: port.name } : {}) }) ?? 'auto',
        mtls: mode(port.containerPort),
        service: { host: hostOf(name, pod.namespace), name, namespace: pod.namespace },
      });
    }
  return [...ports.values()].sort((a, b) => a.port - b.port);
}

type Shared = Pick<
  Workload,
  'identity' | 'gateways' | 'outbound' | 'policies' | 'jwtRules' | 'telemetry' | 'inbound' | 'outboundPolicy'
>;

export function workloadOf(pod: PodInfo, shared: Shared): Workload {
  const kind = pod.kind === 'gateway' ? 'gateway' : 'sidecar';
  const applicationMetrics = kind === 'sidecar' ? applicationMetricsOf(pod.pod.metadata?.annotations) : undefined;
  return {
    id: pod.id,
    kind,
    nodeId: `${kind === 'gateway' ? 'router' : 'sidecar'}~${pod.address}~${pod.name}.${pod.namespace}~${pod.namespace}.svc.cluster.local`,
    address: pod.address,
    ...(kind === 'sidecar'
      ? { appAddress: appAddressOf(pod.address), outboundAddress: outboundAddressOf(pod.address) }
      : {}),
    ...(applicationMetrics ? { applicationMetrics } : {}),
    ...shared,
  };
}
