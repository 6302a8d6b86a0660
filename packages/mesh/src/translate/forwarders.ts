import type { Forwarder } from '@kind-e2e/proxy';
import type { MeshService } from './registry.ts';

const DEFAULT_AFFINITY_SECONDS = 10_800;

export interface ForwarderOptions {
  /** Also listen for node ports, on this address. */
  readonly nodePortAddress: string | undefined;
  /** `namespace/name` of services whose address something else answers on. */
  readonly except: ReadonlySet<string>;
  /** Takes any external address that a service may have; only loopback ones can be served. */
  readonly isOwnAddress: (address: string) => boolean;
}

/** The kube-proxy's part: each TCP port of each ClusterIP to the ready endpoints, whatever the mesh makes of it. */
export function forwardersOf(services: Iterable<MeshService>, options: ForwarderOptions): Forwarder[] {
  const forwarders: Forwarder[] = [];
  for (const service of services) {
    const spec = service.service?.spec;
    if (
      spec === undefined ||
      spec.type === 'ExternalName' ||
      options.except.has(`${service.namespace}/${service.name}`)
    )
      continue;
    const affinitySeconds =
      spec.sessionAffinity === 'ClientIP'
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS)
        : undefined;
    for (const port of spec.ports ?? []) {
      if ((port.protocol ?? 'TCP') !== 'TCP') continue;
      const endpoints = (service.endpoints.get(port.port) ?? [])
        .filter((endpoint) => endpoint.ready)
        .map((endpoint) => `${endpoint.address}:${endpoint.port}`);
      const base = { endpoints, ...(affinitySeconds === undefined ? {} : { affinitySeconds }) };
      for (const address of [...service.addresses, ...(spec.externalIPs ?? [])])
        if (options.isOwnAddress(address)) forwarders.push({ address, port: port.port, ...base });
      if (options.nodePortAddress !== undefined && port.nodePort)
        forwarders.push({ address: options.nodePortAddress, port: port.nodePort, ...base });
    }
  }
  return forwarders;
}
