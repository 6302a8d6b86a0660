import { validateCrd, validateCrdUpdate } from '../crd/validate-crd.ts';
import { isRecord } from '../values/json.ts';
import { validateAdmissionPolicy, validateAdmissionPolicyBinding } from './admission-policies.ts';
import { validateAutoscaler, validateAutoscalerStatus } from './autoscaling.ts';
import { validateCronJob, validateCronJobUpdate, validateJob, validateJobUpdate } from './batch.ts';
import {
  validateCertificateApproval,
  validateCertificateRequest,
  validateCertificateRequestStatus,
  validateCertificateRequestUpdate,
} from './certificates.ts';
import { validateConfigMap, validateConfigMapUpdate, validateSecret, validateSecretUpdate } from './config-data.ts';
import {
  validateNamespace,
  validateNode,
  validateNodeUpdate,
  validateScale,
  validateTokenRequest,
} from './core-kinds.ts';
import { validateEvent, validateNewEvent } from './events.ts';
import { validateConditionTypes, validateFlowSchema, validatePriorityLevel } from './flow-control.ts';
import {
  validateApiService,
  validateApiServiceStatus,
  validateDisruptionBudget,
  validateDisruptionBudgetStatus,
  validateLease,
  validatePriorityClass,
  validatePriorityClassUpdate,
  validateRuntimeClass,
  validateRuntimeClassUpdate,
} from './groups.ts';
import { type KindRules, labelName, pathSegmentName, subdomainName } from './kind-rules.ts';
import { validateLimitRange } from './limit-ranges.ts';
import { validateIngressStatus, validateServiceStatus } from './load-balancer.ts';
import { validateMutatingPolicy, validateMutatingPolicyBinding } from './mutating-policies.ts';
import {
  validateIngress,
  validateIngressClass,
  validateIngressClassUpdate,
  validateIngressCreate,
  validateNetworkPolicy,
} from './networking.ts';
import { validatePodCreate, validatePodUpdate } from './pod/pod.ts';
import { validatePodTemplate } from './pod/pod-spec.ts';
import { validatePodStatusUpdate } from './pod/pod-status.ts';
import { validateResourceQuota, validateResourceQuotaStatus, validateResourceQuotaUpdate } from './quotas.ts';
import { validateRole, validateRoleBinding, validateRoleBindingUpdate } from './rbac.ts';
import {
  ipAddressName,
  validateIpAddress,
  validateIpAddressUpdate,
  validateServiceCidr,
  validateServiceCidrUpdate,
} from './service-addresses.ts';
import {
  validateEndpointSlice,
  validateEndpointSliceUpdate,
  validateEndpoints,
  validateService,
  validateServiceUpdate,
} from './services.ts';
import {
  validatePersistentVolume,
  validatePersistentVolumeClaim,
  validatePersistentVolumeClaimUpdate,
  validatePersistentVolumeUpdate,
} from './storage-claims.ts';
import {
  validateCsiDriver,
  validateCsiDriverUpdate,
  validateCsiNode,
  validateCsiNodeUpdate,
  validateCsiStorageCapacity,
  validateCsiStorageCapacityUpdate,
  validateStorageClass,
  validateStorageClassUpdate,
  validateVolumeAttachment,
  validateVolumeAttachmentUpdate,
  validateVolumeAttributesClass,
  validateVolumeAttributesClassUpdate,
} from './storage-kinds.ts';
import { validateWebhooks } from './webhook-configurations.ts';
import {
  validateControllerRevision,
  validateControllerRevisionUpdate,
  validateDaemonSet,
  validateDaemonSetUpdate,
  validateDaemonStatus,
  validateDeployment,
  validateDeploymentStatus,
  validateDeploymentUpdate,
  validateReplicaSet,
  validateReplicaSetUpdate,
  validateReplicaStatus,
  validateReplicationController,
  validateStatefulSet,
  validateStatefulSetStatus,
  validateStatefulSetUpdate,
} from './workloads.ts';

/** Kinds whose updates are checked like new objects. */
function same(name: KindRules['name'], check: NonNullable<KindRules['create']>): KindRules {
  return { name, create: check, update: (object) => check(object) };
}

const RBAC = 'rbac.authorization.k8s.io';

/** The rules of every kind that has some of its own, by `group/Kind`. */
export const KIND_RULES: Readonly<Record<string, KindRules>> = {
  '/Namespace': { metadataOnUpdate: 'both', ...same(labelName, validateNamespace) },
  '/Pod': {
    metadataOnUpdate: 'both',
    name: subdomainName,
    create: validatePodCreate,
    update: validatePodUpdate,
    status: validatePodStatusUpdate,
  },
  '/PodTemplate': same(subdomainName, (object) =>
    validatePodTemplate(isRecord(object.template) ? object.template : {}, 'template'),
  ),
  '/Service': {
    metadataOnUpdate: 'both',
    name: labelName,
    create: validateService,
    update: validateServiceUpdate,
    status: validateServiceStatus,
  },
  '/Endpoints': { metadataOnUpdate: 'both', ...same(subdomainName, validateEndpoints) },
  '/ConfigMap': {
    metadataOnUpdate: 'both',
    name: subdomainName,
    create: validateConfigMap,
    update: validateConfigMapUpdate,
  },
  '/Secret': { metadataOnUpdate: 'both', name: subdomainName, create: validateSecret, update: validateSecretUpdate },
  '/PersistentVolume': {
    metadataOnUpdate: 'whole',
    name: subdomainName,
    create: validatePersistentVolume,
    update: validatePersistentVolumeUpdate,
  },
  '/PersistentVolumeClaim': {
    metadataOnUpdate: 'both',
    name: subdomainName,
    create: validatePersistentVolumeClaim,
    update: validatePersistentVolumeClaimUpdate,
  },
  '/Node': { metadataOnUpdate: 'both', name: subdomainName, create: validateNode, update: validateNodeUpdate },
  '/ServiceAccount': { metadataOnUpdate: 'both', name: subdomainName },
  '/ResourceQuota': {
    name: subdomainName,
    create: validateResourceQuota,
    update: validateResourceQuotaUpdate,
    status: validateResourceQuotaStatus,
  },
  '/LimitRange': { metadataOnUpdate: 'whole', ...same(subdomainName, validateLimitRange) },
  '/ReplicationController': {
    metadataOnUpdate: 'both',
    ...same(subdomainName, validateReplicationController),
    status: validateReplicaStatus,
  },
  '/Event': same(pathSegmentName, validateEvent),
  'events.k8s.io/Event': { name: pathSegmentName, create: validateNewEvent },
  'apps/Deployment': {
    name: subdomainName,
    create: validateDeployment,
    update: validateDeploymentUpdate,
    status: validateDeploymentStatus,
  },
  'apps/ReplicaSet': {
    name: subdomainName,
    create: validateReplicaSet,
    update: validateReplicaSetUpdate,
    status: validateReplicaStatus,
  },
  'apps/StatefulSet': {
    name: labelName,
    create: validateStatefulSet,
    update: validateStatefulSetUpdate,
    status: validateStatefulSetStatus,
  },
  'apps/DaemonSet': {
    name: subdomainName,
    create: validateDaemonSet,
    update: validateDaemonSetUpdate,
    status: validateDaemonStatus,
  },
  'apps/ControllerRevision': {
    metadataOnUpdate: 'both',
    name: subdomainName,
    create: validateControllerRevision,
    update: validateControllerRevisionUpdate,
  },
  'batch/Job': { name: subdomainName, create: validateJob, update: validateJobUpdate },
  'batch/CronJob': { name: subdomainName, create: validateCronJob, update: validateCronJobUpdate },
  'autoscaling/HorizontalPodAutoscaler': {
    ...same(subdomainName, validateAutoscaler),
    status: validateAutoscalerStatus,
  },
  'autoscaling/Scale': same(subdomainName, validateScale),
  'policy/PodDisruptionBudget': {
    metadataOnUpdate: 'nothing',
    ...same(subdomainName, validateDisruptionBudget),
    status: validateDisruptionBudgetStatus,
  },
  'networking.k8s.io/Ingress': {
    name: subdomainName,
    create: validateIngressCreate,
    update: validateIngress,
    status: validateIngressStatus,
  },
  'networking.k8s.io/IngressClass': {
    name: subdomainName,
    create: validateIngressClass,
    update: validateIngressClassUpdate,
  },
  'networking.k8s.io/NetworkPolicy': same(subdomainName, validateNetworkPolicy),
  'discovery.k8s.io/EndpointSlice': {
    metadataOnUpdate: 'whole',
    name: subdomainName,
    create: validateEndpointSlice,
    update: validateEndpointSliceUpdate,
  },
  [`${RBAC}/Role`]: { metadataOnUpdate: 'both', ...same(pathSegmentName, (object) => validateRole(object, true)) },
  [`${RBAC}/ClusterRole`]: {
    metadataOnUpdate: 'both',
    ...same(pathSegmentName, (object) => validateRole(object, false)),
  },
  [`${RBAC}/RoleBinding`]: {
    metadataOnUpdate: 'both',
    name: pathSegmentName,
    create: (object) => validateRoleBinding(object, true),
    update: (object, old) => validateRoleBindingUpdate(object, old, true),
  },
  [`${RBAC}/ClusterRoleBinding`]: {
    metadataOnUpdate: 'both',
    name: pathSegmentName,
    create: (object) => validateRoleBinding(object, false),
    update: (object, old) => validateRoleBindingUpdate(object, old, false),
  },
  'apiregistration.k8s.io/APIService': {
    ...same(pathSegmentName, validateApiService),
    status: validateApiServiceStatus,
  },
  'networking.k8s.io/IPAddress': {
    name: ipAddressName,
    create: validateIpAddress,
    update: validateIpAddressUpdate,
  },
  'networking.k8s.io/ServiceCIDR': {
    name: subdomainName,
    create: validateServiceCidr,
    update: validateServiceCidrUpdate,
  },
  'coordination.k8s.io/Lease': same(subdomainName, validateLease),
  'storage.k8s.io/StorageClass': {
    metadataOnUpdate: 'both',
    name: subdomainName,
    create: validateStorageClass,
    update: validateStorageClassUpdate,
  },
  'storage.k8s.io/CSIDriver': { name: subdomainName, create: validateCsiDriver, update: validateCsiDriverUpdate },
  'storage.k8s.io/CSINode': { name: subdomainName, create: validateCsiNode, update: validateCsiNodeUpdate },
  'storage.k8s.io/CSIStorageCapacity': {
    name: subdomainName,
    create: validateCsiStorageCapacity,
    update: validateCsiStorageCapacityUpdate,
  },
  'storage.k8s.io/VolumeAttachment': {
    name: subdomainName,
    create: validateVolumeAttachment,
    update: validateVolumeAttachmentUpdate,
  },
  'storage.k8s.io/VolumeAttributesClass': {
    name: subdomainName,
    create: validateVolumeAttributesClass,
    update: validateVolumeAttributesClassUpdate,
  },
  'scheduling.k8s.io/PriorityClass': {
    name: subdomainName,
    create: validatePriorityClass,
    update: validatePriorityClassUpdate,
  },
  'certificates.k8s.io/CertificateSigningRequest': {
    name: () => [],
    create: validateCertificateRequest,
    update: validateCertificateRequestUpdate,
    status: validateCertificateRequestStatus,
    approval: validateCertificateApproval,
  },
  'node.k8s.io/RuntimeClass': {
    name: subdomainName,
    create: validateRuntimeClass,
    update: validateRuntimeClassUpdate,
  },
  'flowcontrol.apiserver.k8s.io/FlowSchema': {
    ...same(subdomainName, validateFlowSchema),
    status: validateConditionTypes,
  },
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': {
    ...same(subdomainName, validatePriorityLevel),
    status: validateConditionTypes,
  },
  'apiextensions.k8s.io/CustomResourceDefinition': {
    name: subdomainName,
    create: validateCrd,
    update: validateCrdUpdate,
  },
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': same(subdomainName, validateAdmissionPolicy),
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': same(subdomainName, validateAdmissionPolicyBinding),
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': same(subdomainName, validateMutatingPolicy),
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': same(subdomainName, validateMutatingPolicyBinding),
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': {
    metadataOnUpdate: 'whole',
    ...same(subdomainName, validateWebhooks),
  },
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': {
    metadataOnUpdate: 'whole',
    ...same(subdomainName, validateWebhooks),
  },
  'authentication.k8s.io/TokenRequest': same(pathSegmentName, validateTokenRequest),
};
