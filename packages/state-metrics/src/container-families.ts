import type { Container, ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import { type Family, family, type Metric, one, resourceMetrics, seconds } from './family.ts';

/** Metrics of each container of a pod, with its name. */
function ofStatuses(
  statuses: readonly ContainerStatus[] | undefined,
  metrics: (status: ContainerStatus) => readonly Metric[],
): readonly Metric[] {
  return (statuses ?? []).flatMap((status) =>
    metrics(status).map(({ labels, value }) => ({ labels: { container: status.name, ...labels }, value })),
  );
}

function ofSpecs(
  pod: Pod,
  containers: readonly Container[] | undefined,
  kind: 'requests' | 'limits',
): readonly Metric[] {
  return (containers ?? []).flatMap(({ name, resources }) =>
    resourceMetrics(resources?.[kind], { container: name, node: pod.spec?.nodeName ?? '' }),
  );
}

function statusFamilies(
  prefix: 'kube_pod_container' | 'kube_pod_init_container',
  what: 'container' | 'init container',
  statusesOf: (pod: Pod) => readonly ContainerStatus[] | undefined,
  specsOf: (pod: Pod) => readonly Container[] | undefined,
): Family<Pod>[] {
  const each = (
    name: string,
    help: string,
    metrics: (status: ContainerStatus) => readonly Metric[],
    type: 'gauge' | 'counter' = 'gauge',
  ): Family<Pod> => family(`${prefix}_${name}`, help, (pod) => ofStatuses(statusesOf(pod), metrics), type);
  const flag = (set: boolean): readonly Metric[] => one(set ? 1 : 0);
  return [
    family(
      `${prefix}_info`,
      `[STABLE] Information about ${what === 'container' ? 'a container' : 'an init container'} in a pod.`,
      (pod) => {
        const images = new Map((specsOf(pod) ?? []).map(({ name, image = '' }) => [name, image]));
        return ofStatuses(statusesOf(pod), (status) =>
          one(1, {
            image_spec: images.get(status.name) ?? '',
            image: status.image,
            image_id: status.imageID,
            container_id: status.containerID ?? '',
            ...(what === 'container'
              ? {}
              : { restart_policy: specsOf(pod)?.find(({ name }) => name === status.name)?.restartPolicy ?? '' }),
          }),
        );
      },
    ),
    family(
      `${prefix}_resource_requests`,
      `The number of requested request resource by ${what === 'container' ? 'a container' : 'an init container'}.`,
      (pod) => ofSpecs(pod, specsOf(pod), 'requests'),
    ),
    family(
      `${prefix}_resource_limits`,
      `The number of requested limit resource by ${what === 'container' ? 'a container' : 'an init container'}.`,
      (pod) => ofSpecs(pod, specsOf(pod), 'limits'),
    ),
    each('status_waiting', `[STABLE] Describes whether the ${what} is currently in waiting state.`, ({ state }) =>
      flag(state?.waiting !== undefined),
    ),
    each(
      'status_waiting_reason',
      `[STABLE] Describes the reason the ${what} is currently in waiting state.`,
      ({ state }) => (state?.waiting?.reason === undefined ? [] : one(1, { reason: state.waiting.reason })),
    ),
    each('status_running', `[STABLE] Describes whether the ${what} is currently in running state.`, ({ state }) =>
      flag(state?.running !== undefined),
    ),
    each('status_terminated', `[STABLE] Describes whether the ${what} is currently in terminated state.`, ({ state }) =>
      flag(state?.terminated !== undefined),
    ),
    each(
      'status_terminated_reason',
      `Describes the reason the ${what} is currently in terminated state.`,
      ({ state }) => (state?.terminated?.reason === undefined ? [] : one(1, { reason: state.terminated.reason })),
    ),
    each(
      'status_last_terminated_reason',
      `Describes the last reason the ${what} was in terminated state.`,
      ({ lastState }) =>
        lastState?.terminated?.reason === undefined ? [] : one(1, { reason: lastState.terminated.reason }),
    ),
    each('status_ready', `[STABLE] Describes whether the ${what}s readiness check succeeded.`, ({ ready }) =>
      flag(ready),
    ),
    each(
      'status_restarts_total',
      `[STABLE] The number of ${what} restarts ${what === 'container' ? 'per container' : 'for the init container'}.`,
      ({ restartCount }) => one(restartCount),
      'counter',
    ),
  ];
}

/** kube_pod_container_* and kube_pod_init_container_* (docs/metrics/workload/pod-metrics.md). */
export const CONTAINER_FAMILIES: readonly Family<Pod>[] = [
  ...statusFamilies(
    'kube_pod_container',
    'container',
    ({ status }) => status?.containerStatuses,
    ({ spec }) => spec?.containers,
  ),
  family(
    'kube_pod_container_state_started',
    '[STABLE] Start time in unix timestamp for a pod container.',
    ({ status }) =>
      ofStatuses(status?.containerStatuses, ({ state }) =>
        one(seconds(state?.running?.startedAt ?? state?.terminated?.startedAt)),
      ),
  ),
  family(
    'kube_pod_container_status_last_terminated_exitcode',
    'Describes the exit code for the last container in terminated state.',
    ({ status }) => ofStatuses(status?.containerStatuses, ({ lastState }) => one(lastState?.terminated?.exitCode)),
  ),
  family(
    'kube_pod_container_status_last_terminated_timestamp',
    'Last terminated time for a pod container in unix timestamp.',
    ({ status }) =>
      ofStatuses(status?.containerStatuses, ({ lastState }) => one(seconds(lastState?.terminated?.finishedAt))),
  ),
  ...statusFamilies(
    'kube_pod_init_container',
    'init container',
    ({ status }) => status?.initContainerStatuses,
    ({ spec }) => spec?.initContainers,
  ),
];
