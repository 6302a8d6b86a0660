import type { Endpoint, EndpointPort, EndpointSlice } from 'kubernetes-types/discovery/v1.d.ts';
import { isSameJson } from '../equality.ts';

export const MAX_ENDPOINTS_PER_SLICE = 100;

export interface SlicePlan {
  readonly create: readonly Pick<EndpointSlice, 'endpoints' | 'ports'>[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

export interface WantedEndpoint {
  readonly endpoint: Endpoint;
  readonly ports: readonly EndpointPort[];
}

/**
 * How to bring slices from what they are to what is wanted with few writes: endpoints stay in their slice, new ones
 * fill slices up, empty slices go (staging/src/k8s.io/endpointslice reconciler.go). Endpoints with other port numbers
 * (a named port that differs from pod to pod) are in slices of their own. `fixed` are labels and owners that each slice
 * must have: `isStale` tells a slice that lacks them.
 */
export function planSlices(
  wanted: readonly WantedEndpoint[],
  existing: readonly EndpointSlice[],
  isStale: (slice: EndpointSlice) => boolean,
): SlicePlan {
  const create: Pick<EndpointSlice, 'endpoints' | 'ports'>[] = [];
  const update: EndpointSlice[] = [];
  const remove: EndpointSlice[] = [];
  const groups = new Map<string, { ports: readonly EndpointPort[]; endpoints: Map<string, Endpoint> }>();
  for (const { endpoint, ports } of wanted) {
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, endpoints: new Map<string, Endpoint>() };
    group.endpoints.set(identityOf(endpoint), endpoint);
    groups.set(key, group);
  }
  const slicesByPorts = Map.groupBy(existing, (slice) => portsKey(slice.ports ?? []));
  for (const [key, slices] of slicesByPorts) if (!groups.has(key)) remove.push(...slices);
  for (const [key, { ports, endpoints }] of groups) {
    const left = new Map(endpoints);
    const kept = (slicesByPorts.get(key) ?? []).map((slice) => {
      const next: Endpoint[] = [];
      for (const old of slice.endpoints ?? []) {
        const identity = identityOf(old);
        const endpoint = left.get(identity);
        if (!endpoint) continue;
        left.delete(identity);
        next.push(endpoint);
      }
      return { slice, next };
    });
    // The fullest slices are filled first, so that few slices are touched.
    const fresh = [...left.values()];
    for (const entry of kept.toSorted((a, b) => b.next.length - a.next.length))
      entry.next.push(...fresh.splice(0, MAX_ENDPOINTS_PER_SLICE - entry.next.length));
    while (fresh.length > 0) create.push({ endpoints: fresh.splice(0, MAX_ENDPOINTS_PER_SLICE), ports: [...ports] });
    for (const { slice, next } of kept) {
      if (next.length === 0) remove.push(slice);
      else if (isStale(slice) || !isSameEndpoints(slice.endpoints ?? [], next) || !isSameJson(slice.ports, ports))
        update.push({ ...slice, endpoints: next, ports: [...ports] });
    }
  }
  // A service without endpoints keeps one slice, so that watchers learn that it has none.
  if (create.length === 0 && existing.length === remove.length) {
    const reused = remove.pop();
    if (!reused) create.push({ endpoints: [], ports: [] });
    else if (isStale(reused) || (reused.endpoints ?? []).length > 0 || (reused.ports ?? []).length > 0)
      update.push({ ...reused, endpoints: [], ports: [] });
  }
  return { create, update, remove };
}

function isSameEndpoints(before: readonly Endpoint[], after: readonly Endpoint[]): boolean {
  return before.length === after.length && before.every((endpoint, index) => isSameJson(endpoint, after[index]));
}

function identityOf(endpoint: Endpoint): string {
  return endpoint.targetRef?.uid ?? endpoint.addresses.join(',');
}

function portsKey(ports: readonly EndpointPort[]): string {
  return ports
    .map(({ name, port, protocol, appProtocol }) => `${name ?? ''}|${port}|${protocol}|${appProtocol ?? ''}`)
    .sort()
    .join(',');
}
