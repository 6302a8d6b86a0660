import { isStatusError } from '@kind-e2e/kube-api';
import { type ControllerSource, createController, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { Node, Pod, Service } from 'kubernetes-types/core/v1.d.ts';
import type { Endpoint, EndpointSlice } from 'kubernetes-types/discovery/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../equality.ts';
import { controllerReference } from '../ownership/owner-references.ts';
import { selectsExactly } from '../ownership/selectors.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { WrittenObjects } from '../writes/written-objects.ts';
import { endpointConditions, endpointPorts, isHeadless, mayBeEndpoint } from './pod-endpoints.ts';
import { planSlices, type WantedEndpoint } from './slice-plan.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'endpointslice-controller.k8s.io';
const HEADLESS = 'service.kubernetes.io/headless';
const ZONE = 'topology.kubernetes.io/zone';
const SERVICE_KIND = { apiVersion: 'v1', kind: 'Service' };

/** Keeps the EndpointSlices of Services that have a selector (upstream pkg/controller/endpointslice). */
export function startEndpointSliceController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const services = informers.of('services');
  const pods = informers.of('pods');
  const nodes = informers.of('nodes');
  const slices = informers.of('endpointslices');
  const recorder = context.recorder('endpoint-slice-controller');
  const written = new WrittenObjects(slices, clock);

  async function sync(service: Service, key: string, signal: AbortSignal): Promise<void> {
    const { namespace = '' } = service.metadata ?? {};
    const existing = slices
      .byIndex('service', key)
      .filter((slice) => slice.metadata?.labels?.[MANAGED_BY] === MANAGER && !slice.metadata.deletionTimestamp);
    const foreign = existing.filter((slice) => slice.addressType !== 'IPv4');
    const labels = labelsOf(service);
    const plan = planSlices(
      wantedEndpoints(service, pods.list(namespace), (name) => nodes.get(name)),
      existing.filter((slice) => slice.addressType === 'IPv4'),
      (slice) => !isSameJson(slice.metadata?.labels, labels),
    );
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
          generateName: `${service.metadata?.name}-`,
          namespace,
          labels,
          ownerReferences: [controllerReference(service, SERVICE_KIND)],
        },
        addressType: 'IPv4',
        ...content,
      };
      written.wrote(key, await client.create<EndpointSlice>(RESOURCES.endpointslices, slice, { signal }));
    }
    for (const slice of [...plan.remove, ...foreign]) {
      const { name = '' } = slice.metadata ?? {};
      try {
        await client.delete(RESOURCES.endpointslices, { name, namespace }, { signal });
      } catch (error) {
        if (!isStatusError(error, 404)) throw error;
      }
      written.deleted(key, slice);
    }
  }

  return createController({
    name: 'endpointslice-controller',
    clock,
    logger: context.logger,
    concurrency: 5,
    sources: [
      source(services, (service) => [keyOf(service)]),
      servicesOfPods(pods, (namespace) => services.list(namespace)),
      source(slices, (slice) => {
        const name = slice.metadata?.labels?.[SERVICE_NAME];
        return name && slice.metadata?.labels?.[MANAGED_BY] === MANAGER ? [`${slice.metadata.namespace}/${name}`] : [];
      }),
    ],
    reads: [nodes],
    reconcile: async ({ namespace, name, key, signal }) => {
      const service = services.get(name, namespace);
      // Slices of a service that is gone go with it: the garbage collector sees to that.
      if (!service?.spec?.selector || service.spec.type === 'ExternalName') return undefined;
      if (service.metadata?.deletionTimestamp !== undefined) return undefined;
      if (!written.isCurrent(key)) return { requeueAfterMs: 20 };
      try {
        await sync(service, key, signal);
      } catch (error) {
        if (isNamespaceTerminating(error)) return undefined;
        if (!isStatusError(error, 409) && !signal.aborted)
          recorder.event(
            service,
            'Warning',
            'FailedToUpdateEndpointSlices',
            `Error updating Endpoint Slices for Service ${namespace}/${name}: ${error instanceof Error ? error.message : String(error)}`,
          );
        throw error;
      }
      return undefined;
    },
  });
}

function labelsOf(service: Service): Record<string, string> {
  const own = Object.entries(service.metadata?.labels ?? {}).filter(
    ([key]) => key !== SERVICE_NAME && key !== MANAGED_BY && key !== HEADLESS,
  );
  return {
    ...Object.fromEntries(own),
    [SERVICE_NAME]: service.metadata?.name ?? '',
    [MANAGED_BY]: MANAGER,
    ...(isHeadless(service) ? { [HEADLESS]: '' } : {}),
  };
}

function wantedEndpoints(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
): WantedEndpoint[] {
  const wanted: WantedEndpoint[] = [];
  for (const pod of pods) {
    if (!selectsExactly(service.spec?.selector, pod.metadata?.labels) || !mayBeEndpoint(pod, true)) continue;
    const ports = endpointPorts(pod, service);
    if (ports.length === 0 && (service.spec?.ports ?? []).length > 0) continue;
    wanted.push({ endpoint: endpointOf(pod, service, nodeOf), ports });
  }
  return wanted;
}

function endpointOf(pod: Pod, service: Service, nodeOf: (name: string) => Node | undefined): Endpoint {
  const { nodeName, hostname, subdomain } = pod.spec ?? {};
  const zone = nodeName ? nodeOf(nodeName)?.metadata?.labels?.[ZONE] : undefined;
  const { name, namespace, uid } = pod.metadata ?? {};
  return {
    addresses: [pod.status?.podIP ?? ''],
    conditions: endpointConditions(pod, service),
    ...(hostname && subdomain === service.metadata?.name ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    targetRef: {
      kind: 'Pod',
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
    },
    ...(zone ? { zone } : {}),
  };
}

/**
 * The services that select a pod, before or after each change that an endpoint would show: labels, address, readiness,
 * node, phase, deletion.
 */
export function servicesOfPods(
  pods: { synced: Promise<void> } & Parameters<typeof source<Pod>>[0],
  servicesIn: (namespace: string) => readonly Service[],
): ControllerSource {
  const addFor = (pod: Pod, add: (key: string) => void): void => {
    for (const service of servicesIn(pod.metadata?.namespace ?? ''))
      if (selectsExactly(service.spec?.selector, pod.metadata?.labels)) add(keyOf(service));
  };
  return {
    informer: pods,
    attach: (add) =>
      pods.addHandler({
        added: (pod) => addFor(pod, add),
        updated: (before, after) => {
          if (endpointFacts(before) === endpointFacts(after)) return;
          addFor(before, add);
          addFor(after, add);
        },
        deleted: (pod) => addFor(pod, add),
      }),
  };
}

function endpointFacts(pod: Pod): string {
  return JSON.stringify([
    pod.metadata?.labels,
    pod.metadata?.deletionTimestamp,
    pod.status?.podIP,
    pod.status?.phase,
    pod.status?.conditions?.find((condition) => condition.type === 'Ready')?.status,
    pod.spec?.nodeName,
    pod.spec?.hostname,
    pod.spec?.subdomain,
  ]);
}
