import type { NameRecord, NameTable } from '@kind-e2e/proxy';
import { isHttp } from './protocol.ts';
import { CLUSTER_DOMAIN, type MeshService } from './registry.ts';
import type { TcpAddresses } from './tcp-addresses.ts';
import type { PodInfo } from './workload-info.ts';

/**
 * What the sidecars' DNS answers: an HTTP service is the sidecar's outbound address, a service with other ports an
 * address of its own for each sidecar, a headless one its pods (and each pod by its hostname).
 */
export function namesOf(
  services: Iterable<MeshService>,
  sidecars: readonly PodInfo[],
  reaches: (pod: PodInfo, service: MeshService) => boolean,
  addresses: TcpAddresses,
): NameTable {
  const names: Record<string, NameRecord> = {};
  for (const service of services) {
    const ports = service.ports.map((port) => ({ name: port.name, protocol: 'tcp' as const, port: port.number }));
    const common = ports.length > 0 ? { ports } : {};
    if (service.headless && service.service?.spec?.selector !== undefined) {
      const ready = new Map<string, string>();
      for (const endpoints of service.endpoints.values())
        for (const endpoint of endpoints) if (endpoint.ready) ready.set(endpoint.address, endpoint.pod?.name ?? '');
      names[service.host] = { kind: 'addresses', addresses: [...ready.keys()], ...common };
      for (const [address, name] of ready)
        if (name !== '') names[`${name}.${service.host}`] = { kind: 'addresses', addresses: [address], ...common };
      continue;
    }
    if (service.ports.length > 0 && service.ports.every((port) => isHttp(port.protocol))) {
      names[service.host] = { kind: 'outbound', ...common };
      continue;
    }
    const perWorkload: Record<string, string> = {};
    for (const pod of sidecars)
      if (reaches(pod, service)) perWorkload[pod.id] = addresses.addressFor(pod, service.host);
    names[service.host] = { kind: 'addresses', addresses: service.addresses, perWorkload, ...common };
  }
  return { clusterDomain: CLUSTER_DOMAIN, names };
}
