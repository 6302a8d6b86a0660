import { createController, ignoreNotFound, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { Endpoints } from 'kubernetes-types/core/v1.d.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from 'kubernetes-types/discovery/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { planSlices, type WantedEndpoint } from '../endpointslice/slice-plan.ts';
import { isSameJson } from '../equality.ts';
import { controllerReference } from '../ownership/owner-references.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { WrittenObjects } from '../writes/written-objects.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'endpointslicemirroring-controller.k8s.io';
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
const ENDPOINTS_KIND = { apiVersion: 'v1', kind: 'Endpoints' };

/**
 * Copies Endpoints that a user wrote for a Service without selector into EndpointSlices, which is what clients read
 * (upstream pkg/controller/endpointslicemirroring).
 */
export function startEndpointSliceMirroringController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const services = informers.of('services');
  const endpoints = informers.of('endpoints');
  const slices = informers.of('endpointslices');
  const written = new WrittenObjects(slices, clock);

  async function remove(slice: EndpointSlice, key: string, signal: AbortSignal): Promise<void> {
    const { name = '', namespace } = slice.metadata ?? {};
    await ignoreNotFound(client.delete(RESOURCES.endpointslices, { name, namespace }, { signal }));
    written.deleted(key, slice);
  }

  async function sync(
    source: Endpoints,
    existing: readonly EndpointSlice[],
    key: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { name = '', namespace = '', labels: own } = source.metadata ?? {};
    const labels = { ...own, [SERVICE_NAME]: name, [MANAGED_BY]: MANAGER };
    const wanted = wantedEndpoints(source);
    if (wanted.length === 0) {
      for (const slice of existing) await remove(slice, key, signal);
      return;
    }
    const plan = planSlices(wanted, existing, (slice) => !isSameJson(slice.metadata?.labels, labels));
    for (const slice of plan.update)
      written.wrote(
        key,
        await client.update<EndpointSlice>(
          RESOURCES.endpointslices,
          { ...slice, metadata: { ...slice.metadata, labels } },
          { signal },
        ),
      );
    for (const content of plan.create) {
      const slice: EndpointSlice = {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          generateName: `${name}-`,
          namespace,
          labels,
          ownerReferences: [controllerReference(source, ENDPOINTS_KIND)],
        },
        addressType: 'IPv4',
        ...content,
      };
      written.wrote(key, await client.create<EndpointSlice>(RESOURCES.endpointslices, slice, { signal }));
    }
    for (const slice of plan.remove) await remove(slice, key, signal);
  }

  return createController({
    name: 'endpointslicemirroring-controller',
    clock,
    logger: context.logger,
    sources: [
      source(endpoints, (object) => [keyOf(object)]),
      source(services, (service) => [keyOf(service)]),
      source(slices, (slice) => {
        const name = slice.metadata?.labels?.[SERVICE_NAME];
        return name && slice.metadata?.labels?.[MANAGED_BY] === MANAGER ? [`${slice.metadata.namespace}/${name}`] : [];
      }),
    ],
    reconcile: async ({ namespace, name, key, signal }) => {
      if (!written.isCurrent(key)) return { requeueAfterMs: 20 };
      const own = slices
        .byIndex('service', key)
        .filter((slice) => slice.metadata?.labels?.[MANAGED_BY] === MANAGER && !slice.metadata.deletionTimestamp);
      const object = endpoints.get(name, namespace);
      const service = services.get(name, namespace);
      const isMirrored =
        object &&
        service &&
        !service.spec?.selector &&
        object.metadata?.labels?.[SKIP_MIRROR] !== 'true' &&
        object.metadata?.annotations?.[LEADER] === undefined &&
        object.metadata?.deletionTimestamp === undefined;
      if (!isMirrored) {
        for (const slice of own) await remove(slice, key, signal);
        return undefined;
      }
      try {
        await sync(object, own, key, signal);
      } catch (error) {
        if (!isNamespaceTerminating(error)) throw error;
      }
      return undefined;
    },
  });
}

function wantedEndpoints(source: Endpoints): WantedEndpoint[] {
  return (source.subsets ?? []).flatMap((subset) => {
    const ports: EndpointPort[] = (subset.ports ?? []).map(({ name, port, protocol, appProtocol }) => ({
      name: name ?? '',
      port,
      protocol: protocol ?? 'TCP',
      ...(appProtocol === undefined ? {} : { appProtocol }),
    }));
    const endpoint = (
      address: { ip: string; hostname?: string; nodeName?: string; targetRef?: Endpoint['targetRef'] },
      ready: boolean,
    ): Endpoint => ({
      addresses: [address.ip],
      conditions: { ready },
      ...(address.hostname ? { hostname: address.hostname } : {}),
      ...(address.nodeName ? { nodeName: address.nodeName } : {}),
      ...(address.targetRef ? { targetRef: address.targetRef } : {}),
    });
    return [
      ...(subset.addresses ?? []).map((address) => ({ endpoint: endpoint(address, true), ports })),
      ...(subset.notReadyAddresses ?? []).map((address) => ({ endpoint: endpoint(address, false), ports })),
    ];
  });
}
