import { apiVersionOf, type GroupVersionKind } from '../registry/resource-definition.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import {
  defaultEndpoints,
  defaultLimitRange,
  defaultNamespace,
  defaultNode,
  defaultPersistentVolume,
  defaultPersistentVolumeClaim,
  defaultPodTemplate,
  defaultSecret,
  defaultService,
} from './core.ts';
import {
  defaultAdmissionPolicy,
  defaultAdmissionPolicyBinding,
  defaultApiService,
  defaultAutoscaler,
  defaultCertificateRequest,
  defaultCsiDriver,
  defaultCustomResourceDefinition,
  defaultEndpointSlice,
  defaultFlowSchema,
  defaultIngressClass,
  defaultNetworkPolicy,
  defaultOldAutoscaler,
  defaultPriorityClass,
  defaultPriorityLevel,
  defaultRoleBinding,
  defaultStorageClass,
  defaultTokenRequest,
  defaultVolumeAttachment,
  defaultWebhooks,
} from './groups.ts';
import { defaultPod } from './pod.ts';
import {
  defaultCronJob,
  defaultDaemonSet,
  defaultDeployment,
  defaultJob,
  defaultReplicaSet,
  defaultReplicationController,
  defaultStatefulSet,
} from './workloads.ts';

type Default = (object: JsonRecord) => void;

const DEFAULTS: Readonly<Record<string, Default>> = {
  'v1/Pod': defaultPod,
  'v1/PodTemplate': defaultPodTemplate,
  'v1/Service': defaultService,
  'v1/Secret': defaultSecret,
  'v1/Namespace': defaultNamespace,
  'v1/Node': defaultNode,
  'v1/Endpoints': defaultEndpoints,
  'v1/LimitRange': defaultLimitRange,
  'v1/PersistentVolume': defaultPersistentVolume,
  'v1/PersistentVolumeClaim': defaultPersistentVolumeClaim,
  'v1/ReplicationController': defaultReplicationController,
  'apps/v1/Deployment': defaultDeployment,
  'apps/v1/ReplicaSet': defaultReplicaSet,
  'apps/v1/StatefulSet': defaultStatefulSet,
  'apps/v1/DaemonSet': defaultDaemonSet,
  'batch/v1/Job': defaultJob,
  'batch/v1/CronJob': defaultCronJob,
  'autoscaling/v1/HorizontalPodAutoscaler': defaultOldAutoscaler,
  'autoscaling/v2/HorizontalPodAutoscaler': defaultAutoscaler,
  'networking.k8s.io/v1/NetworkPolicy': defaultNetworkPolicy,
  'networking.k8s.io/v1/IngressClass': defaultIngressClass,
  'discovery.k8s.io/v1/EndpointSlice': defaultEndpointSlice,
  'rbac.authorization.k8s.io/v1/RoleBinding': defaultRoleBinding,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': defaultRoleBinding,
  'storage.k8s.io/v1/StorageClass': defaultStorageClass,
  'storage.k8s.io/v1/CSIDriver': defaultCsiDriver,
  'storage.k8s.io/v1/VolumeAttachment': defaultVolumeAttachment,
  'scheduling.k8s.io/v1/PriorityClass': defaultPriorityClass,
  'certificates.k8s.io/v1/CertificateSigningRequest': defaultCertificateRequest,
  'authentication.k8s.io/v1/TokenRequest': defaultTokenRequest,
  'apiextensions.k8s.io/v1/CustomResourceDefinition': defaultCustomResourceDefinition,
  'apiregistration.k8s.io/v1/APIService': defaultApiService,
  'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration': (object) => defaultWebhooks(object, true),
  'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration': (object) => defaultWebhooks(object, false),
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy': defaultAdmissionPolicy,
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy': defaultAdmissionPolicy,
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding': defaultAdmissionPolicyBinding,
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding': defaultAdmissionPolicyBinding,
  'flowcontrol.apiserver.k8s.io/v1/FlowSchema': defaultFlowSchema,
  'flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration': defaultPriorityLevel,
};

/** Sets what a decoded object leaves open, in place, as the real server's defaulting does; safe to run again. */
export function applyDefaults(gvk: GroupVersionKind, object: object): void {
  if (isRecord(object)) DEFAULTS[`${apiVersionOf(gvk)}/${gvk.kind}`]?.(object);
}
