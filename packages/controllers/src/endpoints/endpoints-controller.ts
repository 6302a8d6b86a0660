import { isStatusError } from '@kind-e2e/kube-api';
import { createController, ignoreNotFound, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type {
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
  Endpoints,
  Pod,
  Service,
} from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { servicesOfPods } from '../endpointslice/endpointslice-controller.ts';
import { endpointPorts, isHeadless, mayBeEndpoint } from '../endpointslice/pod-endpoints.ts';
import { isSameJson } from '../equality.ts';
import { selectsExactly } from '../ownership/selectors.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { isPodReady } from '../pods/pod-state.ts';

const HEADLESS = 'service.kubernetes.io/headless';
const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const MANAGER = 'endpoint-controller';

/** More addresses than this are cut off, and an annotation says so (endpoints_controller.go maxCapacity). */
const MAX_ADDRESSES = 1000;
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';

/** Keeps the older Endpoints objects of Services that have a selector (upstream pkg/controller/endpoint). */
export function startEndpointsController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const services = informers.of('services');
  const pods = informers.of('pods');
  const endpoints = informers.of('endpoints');

  async function sync(service: Service, signal: AbortSignal): Promise<void> {
    const { name = '', namespace = '' } = service.metadata ?? {};
    const current = endpoints.get(name, namespace);
    const subsets = subsetsOf(service, pods.list(namespace));
    const isOver = subsets.some((subset) => (subset.addresses?.length ?? 0) >= MAX_ADDRESSES);
    const labels = {
      ...service.metadata?.labels,
      [MANAGED_BY]: MANAGER,
      ...(isHeadless(service) ? { [HEADLESS]: '' } : {}),
    };
    if (current && isSameJson(current.subsets, subsets) && isSameJson(current.metadata?.labels, labels)) return;
    const { [OVER_CAPACITY]: _, ...annotations } = current?.metadata?.annotations ?? {};
    const wanted: Endpoints = {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: {
        ...current?.metadata,
        name,
        namespace,
        labels,
        annotations: { ...annotations, ...(isOver ? { [OVER_CAPACITY]: 'truncated' } : {}) },
      },
      ...(subsets.length > 0 ? { subsets } : {}),
    };
    if (current) await client.update<Endpoints>(RESOURCES.endpoints, wanted, { signal });
    else await client.create<Endpoints>(RESOURCES.endpoints, wanted, { signal });
  }

  return createController({
    name: 'endpoint-controller',
    clock,
    logger: context.logger,
    concurrency: 5,
    sources: [
      source(services, (service) => [keyOf(service)]),
      servicesOfPods(pods, (namespace) => services.list(namespace)),
      source(endpoints, (object) => (object.metadata?.labels?.[MANAGED_BY] === MANAGER ? [keyOf(object)] : [])),
    ],
    reconcile: async ({ namespace, name, signal }) => {
      const service = services.get(name, namespace);
      if (!service) {
        // Endpoints have no owner: they go by name with their service.
        if (endpoints.get(name, namespace)?.metadata?.labels?.[MANAGED_BY] === MANAGER)
          await ignoreNotFound(client.delete(RESOURCES.endpoints, { name, namespace }, { signal }));
        return undefined;
      }
      if (!service.spec?.selector || service.spec.type === 'ExternalName' || service.metadata?.deletionTimestamp)
        return undefined;
      try {
        await sync(service, signal);
      } catch (error) {
        if (isNamespaceTerminating(error)) return undefined;
        // The cache does not show it yet: its event brings the key back.
        if (isStatusError(error, 409) && error.reason === 'AlreadyExists') return { requeueAfterMs: 50 };
        throw error;
      }
      return undefined;
    },
  });
}

/** One subset for each set of ports, addresses sorted (endpoints.RepackSubsets). */
function subsetsOf(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const publishes = service.spec?.publishNotReadyAddresses === true;
  const groups = new Map<string, { ports: EndpointPort[]; ready: EndpointAddress[]; waiting: EndpointAddress[] }>();
  for (const pod of pods) {
    if (!selectsExactly(service.spec?.selector, pod.metadata?.labels) || !mayBeEndpoint(pod, publishes)) continue;
    const found = endpointPorts(pod, service);
    if (found.length === 0 && (service.spec?.ports ?? []).length > 0) continue;
    const ports = found.map(({ name, port, protocol, appProtocol }) => ({
      ...(name ? { name } : {}),
      port: port ?? 0,
      protocol: protocol ?? 'TCP',
      ...(appProtocol === undefined ? {} : { appProtocol }),
    }));
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, ready: [], waiting: [] };
    groups.set(key, group);
    (publishes || isPodReady(pod) ? group.ready : group.waiting).push(addressOf(pod, service));
  }
  const sorted = (addresses: EndpointAddress[]): EndpointAddress[] =>
    addresses.toSorted((a, b) => (a.ip < b.ip ? -1 : 1)).slice(0, MAX_ADDRESSES);
  return [...groups.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, ready, waiting }]) => ({
      ...(ready.length > 0 ? { addresses: sorted(ready) } : {}),
      ...(waiting.length > 0 ? { notReadyAddresses: sorted(waiting) } : {}),
      ...(ports.length > 0 ? { ports: ports.toSorted((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1)) } : {}),
    }));
}

function addressOf(pod: Pod, service: Service): EndpointAddress {
  const { nodeName, hostname, subdomain } = pod.spec ?? {};
  const { name, namespace, uid } = pod.metadata ?? {};
  return {
    ip: pod.status?.podIP ?? '',
    ...(hostname && subdomain === service.metadata?.name ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    targetRef: {
      kind: 'Pod',
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
    },
  };
}
