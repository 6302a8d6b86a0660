import type { PersistentVolume, PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts';
import type { StorageClass } from 'kubernetes-types/storage/v1.d.ts';
import { bytesOf, conditionMetrics, type Family, family, infoFamily, numberFamily, oneOf, seconds } from './family.ts';

/** docs/metrics/storage/persistentvolumeclaim-metrics.md */
export const PVC_FAMILIES: readonly Family<PersistentVolumeClaim>[] = [
  infoFamily(
    'kube_persistentvolumeclaim_info',
    '[STABLE] Information about persistent volume claim.',
    ({ metadata, spec }) => ({
      storageclass: metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName ?? '',
      volumename: spec?.volumeName ?? '',
      volumemode: spec?.volumeMode ?? '',
    }),
  ),
  numberFamily('kube_persistentvolumeclaim_created', 'Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  numberFamily('kube_persistentvolumeclaim_deletion_timestamp', 'Unix deletion timestamp', ({ metadata }) =>
    seconds(metadata?.deletionTimestamp),
  ),
  family(
    'kube_persistentvolumeclaim_status_phase',
    '[STABLE] The phase the persistent volume claim is currently in.',
    ({ status }) => (status?.phase === undefined ? [] : oneOf('phase', ['Lost', 'Bound', 'Pending'], status.phase)),
  ),
  numberFamily(
    'kube_persistentvolumeclaim_resource_requests_storage_bytes',
    '[STABLE] The capacity of storage requested by the persistent volume claim.',
    ({ spec }) => bytesOf(spec?.resources?.requests?.storage),
  ),
  family(
    'kube_persistentvolumeclaim_access_mode',
    '[STABLE] The access mode(s) specified by the persistent volume claim.',
    ({ spec }) => (spec?.accessModes ?? []).map((mode) => ({ labels: { access_mode: mode }, value: 1 })),
  ),
  family(
    'kube_persistentvolumeclaim_status_condition',
    'Information about status of different conditions of persistent volume claim.',
    ({ status }) =>
      (status?.conditions ?? []).flatMap((condition) =>
        conditionMetrics(condition, 'status', { condition: condition.type }),
      ),
  ),
];

/** docs/metrics/storage/persistentvolume-metrics.md */
export const PV_FAMILIES: readonly Family<PersistentVolume>[] = [
  infoFamily('kube_persistentvolume_info', '[STABLE] Information about persistentvolume.', ({ spec }) => ({
    storageclass: spec?.storageClassName ?? '',
    csi_driver: spec?.csi?.driver ?? '',
    csi_volume_handle: spec?.csi?.volumeHandle ?? '',
    local_path: spec?.local?.path ?? '',
    local_fs: spec?.local?.fsType ?? '',
    host_path: spec?.hostPath?.path ?? '',
    host_path_type: spec?.hostPath?.type ?? '',
    reclaim_policy: spec?.persistentVolumeReclaimPolicy ?? '',
  })),
  numberFamily('kube_persistentvolume_created', 'Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  family(
    'kube_persistentvolume_status_phase',
    '[STABLE] The phase indicates if a volume is available, bound to a claim, or released by a claim.',
    ({ status }) =>
      status?.phase === undefined
        ? []
        : oneOf('phase', ['Pending', 'Available', 'Bound', 'Released', 'Failed'], status.phase),
  ),
  numberFamily('kube_persistentvolume_capacity_bytes', '[STABLE] Persistentvolume capacity in bytes.', ({ spec }) =>
    bytesOf(spec?.capacity?.storage),
  ),
  family(
    'kube_persistentvolume_claim_ref',
    '[STABLE] Information about the Persistent Volume Claim Reference.',
    ({ spec }) =>
      spec?.claimRef === undefined
        ? []
        : [{ labels: { name: spec.claimRef.name ?? '', claim_namespace: spec.claimRef.namespace ?? '' }, value: 1 }],
  ),
  family('kube_persistentvolume_volume_mode', 'Volume Mode information for the PersistentVolume.', ({ spec }) => [
    { labels: { volume_mode: spec?.volumeMode ?? '' }, value: 1 },
  ]),
];

/** docs/metrics/storage/storageclass-metrics.md */
export const STORAGECLASS_FAMILIES: readonly Family<StorageClass>[] = [
  infoFamily(
    'kube_storageclass_info',
    '[STABLE] Information about storageclass.',
    ({ provisioner, reclaimPolicy, volumeBindingMode }) => ({
      provisioner,
      reclaim_policy: reclaimPolicy ?? 'Delete',
      volume_binding_mode: volumeBindingMode ?? 'Immediate',
    }),
  ),
  numberFamily('kube_storageclass_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
];
