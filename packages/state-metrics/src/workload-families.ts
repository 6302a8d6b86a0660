import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from 'kubernetes-types/apps/v1.d.ts';
import { conditionMetrics, type Family, family, infoFamily, numberFamily, ownerMetrics, seconds } from './family.ts';

/** A count or a percentage of the replicas (intstr.GetScaledValueFromIntOrPercent). */
function scaled(value: unknown, replicas: number, roundUp: boolean): number | undefined {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(String(value ?? ''))?.[1];
  if (percent === undefined) return undefined;
  const exact = (Number(percent) * replicas) / 100;
  return roundUp ? Math.ceil(exact) : Math.floor(exact);
}

/** docs/metrics/workload/deployment-metrics.md */
export const DEPLOYMENT_FAMILIES: readonly Family<Deployment>[] = [
  numberFamily('kube_deployment_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  numberFamily(
    'kube_deployment_status_replicas',
    '[STABLE] The number of replicas per deployment.',
    ({ status }) => status?.replicas ?? 0,
  ),
  numberFamily(
    'kube_deployment_status_replicas_ready',
    '[STABLE] The number of ready replicas per deployment.',
    ({ status }) => status?.readyReplicas ?? 0,
  ),
  numberFamily(
    'kube_deployment_status_replicas_available',
    '[STABLE] The number of available replicas per deployment.',
    ({ status }) => status?.availableReplicas ?? 0,
  ),
  numberFamily(
    'kube_deployment_status_replicas_unavailable',
    '[STABLE] The number of unavailable replicas per deployment.',
    ({ status }) => status?.unavailableReplicas ?? 0,
  ),
  numberFamily(
    'kube_deployment_status_replicas_updated',
    '[STABLE] The number of updated replicas per deployment.',
    ({ status }) => status?.updatedReplicas ?? 0,
  ),
  numberFamily(
    'kube_deployment_status_observed_generation',
    '[STABLE] The generation observed by the deployment controller.',
    ({ status }) => status?.observedGeneration ?? 0,
  ),
  family('kube_deployment_status_condition', '[STABLE] The current status conditions of a deployment.', ({ status }) =>
    (status?.conditions ?? []).flatMap((condition) =>
      conditionMetrics(condition, 'status', { condition: condition.type, reason: condition.reason ?? '' }),
    ),
  ),
  numberFamily(
    'kube_deployment_spec_replicas',
    '[STABLE] Number of desired pods for a deployment.',
    ({ spec }) => spec?.replicas,
  ),
  numberFamily(
    'kube_deployment_spec_paused',
    '[STABLE] Whether the deployment is paused and will not be processed by the deployment controller.',
    ({ spec }) => (spec?.paused === true ? 1 : 0),
  ),
  numberFamily(
    'kube_deployment_spec_strategy_rollingupdate_max_unavailable',
    '[STABLE] Maximum number of unavailable replicas during a rolling update of a deployment.',
    ({ spec }) => scaled(spec?.strategy?.rollingUpdate?.maxUnavailable, spec?.replicas ?? 1, false),
  ),
  numberFamily(
    'kube_deployment_spec_strategy_rollingupdate_max_surge',
    '[STABLE] Maximum number of replicas that can be scheduled above the desired number of replicas during a rolling update of a deployment.',
    ({ spec }) => scaled(spec?.strategy?.rollingUpdate?.maxSurge, spec?.replicas ?? 1, true),
  ),
  numberFamily(
    'kube_deployment_metadata_generation',
    '[STABLE] Sequence number representing a specific generation of the desired state.',
    ({ metadata }) => metadata?.generation,
  ),
];

/** docs/metrics/workload/replicaset-metrics.md */
export const REPLICASET_FAMILIES: readonly Family<ReplicaSet>[] = [
  numberFamily('kube_replicaset_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  numberFamily(
    'kube_replicaset_status_replicas',
    '[STABLE] The number of replicas per ReplicaSet.',
    ({ status }) => status?.replicas ?? 0,
  ),
  numberFamily(
    'kube_replicaset_status_fully_labeled_replicas',
    '[STABLE] The number of fully labeled replicas per ReplicaSet.',
    ({ status }) => status?.fullyLabeledReplicas ?? 0,
  ),
  numberFamily(
    'kube_replicaset_status_ready_replicas',
    '[STABLE] The number of ready replicas per ReplicaSet.',
    ({ status }) => status?.readyReplicas ?? 0,
  ),
  numberFamily(
    'kube_replicaset_status_observed_generation',
    '[STABLE] The generation observed by the ReplicaSet controller.',
    ({ status }) => status?.observedGeneration ?? 0,
  ),
  numberFamily(
    'kube_replicaset_spec_replicas',
    '[STABLE] Number of desired pods for a ReplicaSet.',
    ({ spec }) => spec?.replicas,
  ),
  numberFamily(
    'kube_replicaset_metadata_generation',
    '[STABLE] Sequence number representing a specific generation of the desired state.',
    ({ metadata }) => metadata?.generation,
  ),
  family('kube_replicaset_owner', "[STABLE] Information about the ReplicaSet's owner.", ({ metadata }) =>
    ownerMetrics(metadata?.ownerReferences),
  ),
];

/** docs/metrics/workload/statefulset-metrics.md */
export const STATEFULSET_FAMILIES: readonly Family<StatefulSet>[] = [
  numberFamily('kube_statefulset_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  numberFamily(
    'kube_statefulset_status_replicas',
    '[STABLE] The number of replicas per StatefulSet.',
    ({ status }) => status?.replicas ?? 0,
  ),
  numberFamily(
    'kube_statefulset_status_replicas_available',
    'The number of available replicas per StatefulSet.',
    ({ status }) => status?.availableReplicas ?? 0,
  ),
  numberFamily(
    'kube_statefulset_status_replicas_current',
    '[STABLE] The number of current replicas per StatefulSet.',
    ({ status }) => status?.currentReplicas ?? 0,
  ),
  numberFamily(
    'kube_statefulset_status_replicas_ready',
    '[STABLE] The number of ready replicas per StatefulSet.',
    ({ status }) => status?.readyReplicas ?? 0,
  ),
  numberFamily(
    'kube_statefulset_status_replicas_updated',
    '[STABLE] The number of updated replicas per StatefulSet.',
    ({ status }) => status?.updatedReplicas ?? 0,
  ),
  numberFamily(
    'kube_statefulset_status_observed_generation',
    '[STABLE] The generation observed by the StatefulSet controller.',
    ({ status }) => status?.observedGeneration,
  ),
  numberFamily(
    'kube_statefulset_replicas',
    '[STABLE] Number of desired pods for a StatefulSet.',
    ({ spec }) => spec?.replicas,
  ),
  numberFamily(
    'kube_statefulset_metadata_generation',
    '[STABLE] Sequence number representing a specific generation of the desired state for the StatefulSet.',
    ({ metadata }) => metadata?.generation,
  ),
  infoFamily(
    'kube_statefulset_persistentvolumeclaim_retention_policy',
    'Count of retention policy for StatefulSet template PVCs',
    ({ spec }) => ({
      when_deleted: spec?.persistentVolumeClaimRetentionPolicy?.whenDeleted ?? 'Retain',
      when_scaled: spec?.persistentVolumeClaimRetentionPolicy?.whenScaled ?? 'Retain',
    }),
  ),
  infoFamily(
    'kube_statefulset_status_current_revision',
    '[STABLE] Indicates the version of the StatefulSet used to generate Pods in the sequence [0,currentReplicas).',
    ({ status }) => ({
      revision: status?.currentRevision ?? '',
    }),
  ),
  infoFamily(
    'kube_statefulset_status_update_revision',
    '[STABLE] Indicates the version of the StatefulSet used to generate Pods in the sequence [replicas-updatedReplicas,replicas)',
    ({ status }) => ({
      revision: status?.updateRevision ?? '',
    }),
  ),
];

/** docs/metrics/workload/daemonset-metrics.md */
export const DAEMONSET_FAMILIES: readonly Family<DaemonSet>[] = [
  numberFamily('kube_daemonset_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  numberFamily(
    'kube_daemonset_status_current_number_scheduled',
    '[STABLE] The number of nodes running at least one daemon pod and are supposed to.',
    ({ status }) => status?.currentNumberScheduled ?? 0,
  ),
  numberFamily(
    'kube_daemonset_status_desired_number_scheduled',
    '[STABLE] The number of nodes that should be running the daemon pod.',
    ({ status }) => status?.desiredNumberScheduled ?? 0,
  ),
  numberFamily(
    'kube_daemonset_status_number_available',
    '[STABLE] The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and available',
    ({ status }) => status?.numberAvailable ?? 0,
  ),
  numberFamily(
    'kube_daemonset_status_number_misscheduled',
    '[STABLE] The number of nodes running a daemon pod but are not supposed to.',
    ({ status }) => status?.numberMisscheduled ?? 0,
  ),
  numberFamily(
    'kube_daemonset_status_number_ready',
    '[STABLE] The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and ready.',
    ({ status }) => status?.numberReady ?? 0,
  ),
  numberFamily(
    'kube_daemonset_status_number_unavailable',
    '[STABLE] The number of nodes that should be running the daemon pod and have none of the daemon pod running and available',
    ({ status }) => status?.numberUnavailable ?? 0,
  ),
  numberFamily(
    'kube_daemonset_status_observed_generation',
    '[STABLE] The most recent generation observed by the daemon set controller.',
    ({ status }) => status?.observedGeneration ?? 0,
  ),
  numberFamily(
    'kube_daemonset_status_updated_number_scheduled',
    '[STABLE] The total number of nodes that are running updated daemon pod',
    ({ status }) => status?.updatedNumberScheduled ?? 0,
  ),
  numberFamily(
    'kube_daemonset_metadata_generation',
    '[STABLE] Sequence number representing a specific generation of the desired state.',
    ({ metadata }) => metadata?.generation,
  ),
];
