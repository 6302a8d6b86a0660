/** Fields that a request cannot change and so never owns (`GetResetFields` of each strategy). */
import type { GroupVersionKind } from '../registry/resource-definition.ts';
import { FieldSet } from './field-set.ts';

const STATUS = FieldSet.of(['status']);
const SPEC = FieldSet.of(['spec']);
const NONE = new FieldSet();

const MAIN: Readonly<Record<string, FieldSet>> = {
  '/Node': STATUS,
  '/Service': STATUS,
  '/PersistentVolumeClaim': STATUS,
  'apiextensions.k8s.io/CustomResourceDefinition': STATUS,
};

const WITH_STATUS = new Set(
  (
    '/Pod /Service /Namespace /Node /PersistentVolume /PersistentVolumeClaim /ResourceQuota /ReplicationController ' +
    'apps/Deployment apps/ReplicaSet apps/StatefulSet apps/DaemonSet batch/Job batch/CronJob ' +
    'autoscaling/HorizontalPodAutoscaler policy/PodDisruptionBudget networking.k8s.io/Ingress ' +
    'apiextensions.k8s.io/CustomResourceDefinition apiregistration.k8s.io/APIService storage.k8s.io/VolumeAttachment ' +
    'certificates.k8s.io/CertificateSigningRequest flowcontrol.apiserver.k8s.io/FlowSchema ' +
    'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration networking.k8s.io/ServiceCIDR'
  ).split(' '),
);

const STATUS_RESETS: Readonly<Record<string, FieldSet>> = {
  '/Pod': FieldSet.of(['spec'], ['metadata', 'deletionTimestamp'], ['metadata', 'ownerReferences']),
  'apps/Deployment': FieldSet.of(['spec'], ['metadata', 'labels']),
  'apiextensions.k8s.io/CustomResourceDefinition': FieldSet.of(
    ['metadata', 'name'],
    ['metadata', 'labels'],
    ['metadata', 'annotations'],
    ['metadata', 'finalizers'],
    ['metadata', 'ownerReferences'],
    ['spec'],
  ),
  'storage.k8s.io/VolumeAttachment': FieldSet.of(['metadata'], ['spec']),
};

/** For a built-in kind; `subresource` '' is the object itself. */
export function resetFieldsOf(gvk: GroupVersionKind, subresource: string): FieldSet {
  const key = `${gvk.group}/${gvk.kind}`;
  if (subresource === 'status') return STATUS_RESETS[key] ?? SPEC;
  if (subresource !== '') return NONE;
  return MAIN[key] ?? (WITH_STATUS.has(key) ? STATUS : NONE);
}

/** For a custom resource. */
export function customResetFields(subresource: string, hasStatus: boolean): FieldSet {
  if (subresource === 'status') return FieldSet.of(['metadata'], ['spec']);
  return hasStatus && subresource === '' ? STATUS : NONE;
}
