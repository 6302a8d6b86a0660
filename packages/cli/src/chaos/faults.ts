import { LabError } from '@kind-e2e/base';
import { type GroupVersionResource, isStatusError } from '@kind-e2e/kube-api';
import { type ApiObject, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';

const VIRTUAL_SERVICES: GroupVersionResource = {
  group: 'networking.istio.io',
  version: 'v1',
  resource: 'virtualservices',
};
/** On what chaos made or changed; its value names the service. */
const LABEL = 'chaos.kind-e2e.io/service';
/** The routes of a VirtualService before they were changed, as JSON. */
const BEFORE = 'chaos.kind-e2e.io/before';

/** Istio's HTTPFaultInjection, the parts that `chaos` sets. */
export interface Fault {
  readonly delay?: { readonly fixedDelay: string; readonly percentage: { readonly value: number } };
  readonly abort?: { readonly httpStatus: number; readonly percentage: { readonly value: number } };
}

interface Route {
  readonly fault?: Fault;
  readonly route?: readonly { readonly destination?: { readonly host?: string } }[];
}

interface VirtualService extends ApiObject {
  readonly spec?: {
    readonly hosts?: readonly string[];
    readonly gateways?: readonly string[];
    readonly http?: readonly Route[];
  };
}

/** A service, with what is wrong with it. */
export interface RunningFault {
  readonly namespace: string;
  readonly service: string;
  readonly virtualService: string;
  readonly fault: Fault;
}

/**
 * Puts a fault on every way to a service: into each route that leads to it, and for callers inside the mesh into a
 * VirtualService of its own where there is none. A fault that is there already is replaced; undo brings back the first
 * state. Gives the names of the VirtualServices.
 */
export async function injectFault(
  client: KubeClient,
  target: { readonly namespace: string; readonly service: string },
  fault: Fault,
): Promise<readonly string[]> {
  const { namespace, service } = target;
  await requireService(client, namespace, service);
  const { items } = await client.list<VirtualService>(VIRTUAL_SERVICES, { namespace });
  const isOurs = (host: string | undefined): boolean => isHostOf(host, service, namespace);
  const touched: string[] = [];
  let hasMeshRoute = false;
  for (const found of items) {
    const http = found.spec?.http ?? [];
    if (!http.some((route) => leadsTo(route, isOurs))) continue;
    const gateways = found.spec?.gateways ?? ['mesh'];
    if (gateways.includes('mesh') && (found.spec?.hosts ?? []).some(isOurs)) hasMeshRoute = true;
    const name = found.metadata?.name ?? '';
    await client.patch(VIRTUAL_SERVICES, { name, namespace }, 'merge', {
      metadata: {
        labels: { [LABEL]: service },
        annotations: { [BEFORE]: found.metadata?.annotations?.[BEFORE] ?? JSON.stringify(http) },
      },
      spec: { http: http.map((route) => (leadsTo(route, isOurs) ? { ...route, fault } : route)) },
    });
    touched.push(name);
  }
  if (!hasMeshRoute) {
    const name = `chaos-${service}`;
    await client.create(VIRTUAL_SERVICES, {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name, namespace, labels: { [LABEL]: service } },
      spec: { hosts: [service], http: [{ fault, route: [{ destination: { host: service } }] }] },
    } as VirtualService);
    touched.push(name);
  }
  return touched;
}

/** What is wrong now, by chaos. */
export async function listFaults(client: KubeClient): Promise<readonly RunningFault[]> {
  const { items } = await client.list<VirtualService>(VIRTUAL_SERVICES, { labelSelector: LABEL });
  return items.map(({ metadata, spec }) => ({
    namespace: metadata?.namespace ?? '',
    service: metadata?.labels?.[LABEL] ?? '',
    virtualService: metadata?.name ?? '',
    fault: spec?.http?.find((route) => route.fault)?.fault ?? {},
  }));
}

/** Takes faults away again: all, or those of one service. Gives the VirtualServices as `namespace/name`. */
export async function undoFaults(client: KubeClient, service?: string): Promise<readonly string[]> {
  const { items } = await client.list<VirtualService>(VIRTUAL_SERVICES, {
    labelSelector: service === undefined ? LABEL : `${LABEL}=${service}`,
  });
  for (const { metadata } of items) {
    const [name = '', namespace = ''] = [metadata?.name, metadata?.namespace];
    const before = metadata?.annotations?.[BEFORE];
    if (before === undefined) await client.delete(VIRTUAL_SERVICES, { name, namespace });
    else
      await client.patch(VIRTUAL_SERVICES, { name, namespace }, 'merge', {
        metadata: { labels: { [LABEL]: null }, annotations: { [BEFORE]: null } },
        spec: { http: JSON.parse(before) as unknown },
      });
  }
  return items.map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`);
}

async function requireService(client: KubeClient, namespace: string, service: string): Promise<void> {
  try {
    await client.get(RESOURCES.services, service, namespace);
  } catch (error) {
    if (!isStatusError(error, 404)) throw error;
    const { items } = await client.list<ApiObject>(RESOURCES.services, { namespace });
    throw new LabError(`there is no service ${service} in ${namespace}`, {
      code: 'NO_SERVICE',
      side: 'user',
      remedy: `services there: ${items.map(({ metadata }) => metadata?.name).join(', ') || 'none'}`,
      cause: error,
    });
  }
}

function leadsTo(route: Route, isOurs: (host: string | undefined) => boolean): boolean {
  return (route.route ?? []).some(({ destination }) => isOurs(destination?.host));
}

/** Short names stand for services of the VirtualService's namespace. */
function isHostOf(host: string | undefined, service: string, namespace: string): boolean {
  return [
    service,
    `${service}.${namespace}`,
    `${service}.${namespace}.svc`,
    `${service}.${namespace}.svc.cluster.local`,
  ].includes(host ?? '');
}
