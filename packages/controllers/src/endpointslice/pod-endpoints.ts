import type { Pod, Service, ServicePort } from 'kubernetes-types/core/v1.d.ts';
import type { EndpointPort } from 'kubernetes-types/discovery/v1.d.ts';
import { isPodReady } from '../pods/pod-state.ts';

/** Whether a pod can be an endpoint at all (endpoint/slice/util ShouldPodBeInEndpoints). */
export function mayBeEndpoint(pod: Pod, includeTerminating: boolean): boolean {
  const phase = pod.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed') return false;
  if (!pod.status?.podIP) return false;
  return includeTerminating || pod.metadata?.deletionTimestamp === undefined;
}

/** The three answers that an endpoint gives about itself. */
export function endpointConditions(
  pod: Pod,
  service: Service,
): { readonly ready: boolean; readonly serving: boolean; readonly terminating: boolean } {
  const serving = isPodReady(pod);
  const terminating = pod.metadata?.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  return { ready, serving, terminating };
}

/** The number that a service port's target is in this pod; undefined where the pod has no port of that name. */
export function targetPortOf(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target === 0 ? port.port : target;
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars])
    for (const candidate of container.ports ?? [])
      if (candidate.name === target && (candidate.protocol ?? 'TCP') === (port.protocol ?? 'TCP'))
        return candidate.containerPort;
  return undefined;
}

/** The ports of a pod for a service; a headless service may have none. */
export function endpointPorts(pod: Pod, service: Service): EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((port) => {
    const number = targetPortOf(pod, port);
    if (number === undefined) return [];
    return [
      {
        name: port.name ?? '',
        port: number,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
      },
    ];
  });
}

export function isHeadless(service: Service): boolean {
  return service.spec?.clusterIP === 'None' || !service.spec?.clusterIP;
}
