import type { Pod, PodCondition } from 'kubernetes-types/core/v1.d.ts';
import {
  conditionMetrics,
  type Family,
  family,
  infoFamily,
  numberFamily,
  one,
  oneOf,
  ownerMetrics,
  seconds,
} from './family.ts';

const PHASES = ['Pending', 'Succeeded', 'Failed', 'Unknown', 'Running'];
const REASONS = ['Evicted', 'NodeAffinity', 'NodeLost', 'Shutdown', 'UnexpectedAdmissionError'];
const QOS_CLASSES = ['BestEffort', 'Burstable', 'Guaranteed'];

function condition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((one) => one.type === type);
}

function conditionTime(pod: Pod, type: string): number | undefined {
  const found = condition(pod, type);
  return found?.status === 'True' ? seconds(found.lastTransitionTime) : undefined;
}

/** The newest end of a container, once every container has ended. */
function completionTime(pod: Pod): number | undefined {
  const ends = (pod.status?.containerStatuses ?? []).map(({ state }) => seconds(state?.terminated?.finishedAt));
  const last = Math.max(...ends.map((end) => end ?? Number.NaN));
  return ends.length === 0 || Number.isNaN(last) ? undefined : last;
}

/** kube_pod_* of the pod itself (docs/metrics/workload/pod-metrics.md). */
export const POD_FAMILIES: readonly Family<Pod>[] = [
  infoFamily('kube_pod_info', '[STABLE] Information about pod.', ({ metadata, spec, status }) => {
    const creator = metadata?.ownerReferences?.find(({ controller }) => controller === true);
    return {
      host_ip: status?.hostIP ?? '',
      pod_ip: status?.podIP ?? '',
      node: spec?.nodeName ?? '',
      created_by_kind: creator?.kind ?? '',
      created_by_name: creator?.name ?? '',
      priority_class: spec?.priorityClassName ?? '',
      host_network: String(spec?.hostNetwork === true),
    };
  }),
  family('kube_pod_ips', 'Pod IP addresses', ({ status }) =>
    (status?.podIPs ?? []).map(({ ip = '' }) => ({
      labels: { ip, ip_family: ip.includes(':') ? '6' : '4' },
      value: 1,
    })),
  ),
  numberFamily('kube_pod_start_time', '[STABLE] Start time in unix timestamp for a pod.', ({ status }) =>
    seconds(status?.startTime),
  ),
  numberFamily('kube_pod_completion_time', '[STABLE] Completion time in unix timestamp for a pod.', completionTime),
  numberFamily('kube_pod_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  numberFamily('kube_pod_deletion_timestamp', 'Unix deletion timestamp', ({ metadata }) =>
    seconds(metadata?.deletionTimestamp),
  ),
  family('kube_pod_owner', "[STABLE] Information about the Pod's owner.", ({ metadata }) =>
    ownerMetrics(metadata?.ownerReferences),
  ),
  family('kube_pod_restart_policy', '[STABLE] Describes the restart policy in use by this pod.', ({ spec }) =>
    one(1, { type: spec?.restartPolicy ?? '' }),
  ),
  family('kube_pod_service_account', 'The service account for a pod.', ({ spec }) =>
    one(1, { service_account: spec?.serviceAccountName ?? '' }),
  ),
  family('kube_pod_status_phase', '[STABLE] The pods current phase.', ({ status }) =>
    status?.phase === undefined ? [] : oneOf('phase', PHASES, status.phase),
  ),
  family('kube_pod_status_qos_class', 'The pods current qosClass.', ({ status }) =>
    status?.qosClass === undefined ? [] : oneOf('qos_class', QOS_CLASSES, status.qosClass),
  ),
  family('kube_pod_status_ready', '[STABLE] Describes whether the pod is ready to serve requests.', (pod) => {
    const ready = condition(pod, 'Ready');
    return ready === undefined ? [] : conditionMetrics(ready, 'condition');
  }),
  numberFamily('kube_pod_status_ready_time', 'Readiness achieved time in unix timestamp for a pod.', (pod) =>
    conditionTime(pod, 'Ready'),
  ),
  numberFamily('kube_pod_status_initialized_time', 'Initialized time in unix timestamp for a pod.', (pod) =>
    conditionTime(pod, 'Initialized'),
  ),
  numberFamily(
    'kube_pod_status_container_ready_time',
    'Readiness achieved time in unix timestamp for a pod containers.',
    (pod) => conditionTime(pod, 'ContainersReady'),
  ),
  family('kube_pod_status_reason', 'The pod status reasons', ({ status }) => oneOf('reason', REASONS, status?.reason)),
  family('kube_pod_status_scheduled', '[STABLE] Describes the status of the scheduling process for the pod.', (pod) => {
    const scheduled = condition(pod, 'PodScheduled');
    return scheduled === undefined ? [] : conditionMetrics(scheduled, 'condition');
  }),
  numberFamily(
    'kube_pod_status_scheduled_time',
    '[STABLE] Unix timestamp when pod moved into scheduled status',
    (pod) => conditionTime(pod, 'PodScheduled'),
  ),
  family('kube_pod_status_unschedulable', '[STABLE] Describes the unschedulable status for the pod.', (pod) => {
    const scheduled = condition(pod, 'PodScheduled');
    return scheduled?.status === 'False' && scheduled.reason === 'Unschedulable' ? [{ value: 1 }] : [];
  }),
  family('kube_pod_tolerations', 'Information about the pod tolerations', ({ spec }) =>
    (spec?.tolerations ?? []).map(({ key, operator, value, effect, tolerationSeconds }) => ({
      labels: {
        ...(key === undefined ? {} : { key }),
        ...(operator === undefined ? {} : { operator }),
        ...(value === undefined ? {} : { value }),
        ...(effect === undefined ? {} : { effect }),
        ...(tolerationSeconds === undefined ? {} : { toleration_seconds: String(tolerationSeconds) }),
      },
      value: 1,
    })),
  ),
  family(
    'kube_pod_spec_volumes_persistentvolumeclaims_info',
    '[STABLE] Information about persistentvolumeclaim volumes in a pod.',
    ({ spec }) =>
      (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim }) =>
        persistentVolumeClaim === undefined
          ? []
          : [{ labels: { volume: name, persistentvolumeclaim: persistentVolumeClaim.claimName }, value: 1 }],
      ),
  ),
  family(
    'kube_pod_spec_volumes_persistentvolumeclaims_readonly',
    '[STABLE] Describes whether a persistentvolumeclaim is mounted read only.',
    ({ spec }) =>
      (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim }) =>
        persistentVolumeClaim === undefined
          ? []
          : [
              {
                labels: { volume: name, persistentvolumeclaim: persistentVolumeClaim.claimName },
                value: persistentVolumeClaim.readOnly === true ? 1 : 0,
              },
            ],
      ),
  ),
];
