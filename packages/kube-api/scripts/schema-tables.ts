/**
 * What the OpenAPI models of the client do not say: how patches and server-side apply treat lists and maps. From the
 * `+patchStrategy`, `+patchMergeKey`, `+listType`, `+listMapKey`, `+mapType` and `+structType` markers of
 * k8s.io/api and apimachinery. A list that is not named is atomic and replaced by patches.
 *
 * A line is `Type.field flags`; the type is named without its package where that is unambiguous. Flags: `m=key` strategic
 * merge by key, `m` merge of a primitive list, `r` retainKeys, `k=a,b` list map with these keys, `S` set,
 * `A` atomic map or struct.
 */
export const LIST_TABLE = `
ObjectMeta.finalizers m S
ObjectMeta.ownerReferences m=uid k=uid
PodSpec.volumes m=name r k=name
PodSpec.initContainers m=name k=name
PodSpec.containers m=name k=name
PodSpec.ephemeralContainers m=name k=name
PodSpec.imagePullSecrets m=name k=name
PodSpec.hostAliases m=ip k=ip
PodSpec.topologySpreadConstraints m=topologyKey k=topologyKey,whenUnsatisfiable
PodSpec.schedulingGates m=name k=name
PodSpec.resourceClaims m=name r k=name
PodSpec.nodeSelector A
Container.ports m=containerPort k=containerPort,protocol
Container.env m=name k=name
Container.volumeMounts m=mountPath k=mountPath
Container.volumeDevices m=devicePath k=devicePath
EphemeralContainer.ports m=containerPort k=containerPort,protocol
EphemeralContainer.env m=name k=name
EphemeralContainer.volumeMounts m=mountPath k=mountPath
EphemeralContainer.volumeDevices m=devicePath k=devicePath
ResourceRequirements.claims k=name
PodStatus.conditions m=type k=type
PodStatus.podIPs m=ip k=ip
PodStatus.hostIPs m=ip
PodStatus.resourceClaimStatuses m=name r k=name
ContainerStatus.volumeMounts m=mountPath k=mountPath
ContainerStatus.allocatedResourcesStatus m=name k=name
ResourceStatus.resources k=resourceID
core.v1.ServiceSpec.ports m=port k=port,protocol
core.v1.ServiceSpec.selector A
core.v1.ServiceStatus.conditions m=type k=type
ReplicationControllerSpec.selector A
ReplicationControllerStatus.conditions m=type k=type
ServiceAccount.secrets m=name k=name
NodeSpec.podCIDRs m S
NodeStatus.conditions m=type k=type
NodeStatus.addresses m=type k=type
NamespaceStatus.conditions m=type k=type
PersistentVolumeClaimStatus.conditions m=type k=type
PersistentVolumeClaimStatus.allocatedResourceStatuses A=granular
PodDNSConfig.nameservers
DeploymentSpec.strategy r
DeploymentStatus.conditions m=type k=type
ReplicaSetStatus.conditions m=type k=type
StatefulSetStatus.conditions m=type k=type
DaemonSetStatus.conditions m=type k=type
JobStatus.conditions m=type
UncountedTerminatedPods.succeeded S
UncountedTerminatedPods.failed S
autoscaling.v2.HorizontalPodAutoscalerStatus.conditions m=type k=type
PodDisruptionBudgetSpec.selector replace
PodDisruptionBudgetStatus.conditions m=type k=type
EndpointSlice.endpoints
Endpoint.addresses S
CSINodeSpec.drivers m=name k=name
CSIDriverSpec.volumeLifecycleModes S
ServiceCIDRStatus.conditions m=type k=type
CertificateSigningRequestStatus.conditions k=type
FlowSchemaStatus.conditions m=type k=type
PriorityLevelConfigurationStatus.conditions m=type k=type
Scheduling.nodeSelector A
MutatingWebhookConfiguration.webhooks m=name k=name
ValidatingWebhookConfiguration.webhooks m=name k=name
MutatingWebhook.matchConditions m=name k=name
ValidatingWebhook.matchConditions m=name k=name
ValidatingAdmissionPolicySpec.matchConditions m=name k=name
ValidatingAdmissionPolicySpec.variables m=name k=name
ValidatingAdmissionPolicyStatus.conditions k=type
MutatingAdmissionPolicySpec.matchConditions m=name k=name
APIServiceStatus.conditions m=type k=type
CustomResourceDefinitionStatus.conditions k=type
VolumeNodeAffinity.required
`;

/** Structs that server-side apply treats as one value. */
export const ATOMIC_STRUCTS = `
LabelSelector LocalObjectReference ObjectReference SecretReference SecretKeySelector ConfigMapKeySelector FileKeySelector
ObjectFieldSelector ResourceFieldSelector TypedLocalObjectReference NodeSelector NodeSelectorTerm TopologySelectorTerm
CrossVersionObjectReference RoleRef Subject ScopeSelector ScopedResourceSelectorRequirement ServiceBackendPort
EndpointAddress EndpointPort ParamKind ParamRef MatchResources NamedRuleWithOperations
`;

/**
 * Optional scalar fields that are pointers in Go: their zero value is kept when the object is written. All other optional
 * scalars vanish when they are 0, false or "" (`omitempty`).
 */
export const POINTERS = `
ConfigMap: immutable
Secret: immutable
ServiceAccount: automountServiceAccountToken
StorageClass: reclaimPolicy allowVolumeExpansion volumeBindingMode
PriorityClass: preemptionPolicy
DeleteOptions: gracePeriodSeconds orphanDependents propagationPolicy ignoreStoreReadErrorWithClusterBreakingPotential
Preconditions: uid resourceVersion
ListMeta: remainingItemCount
ObjectMeta: deletionGracePeriodSeconds
OwnerReference: controller blockOwnerDeletion
EndpointAddress: nodeName
core.v1.EndpointPort: appProtocol
NodeFeatures: supplementalGroupsPolicy
NodeSwapStatus: capacity
NodeRuntimeHandlerFeatures: recursiveReadOnlyMounts userNamespaces
PersistentVolumeClaimSpec: storageClassName volumeMode volumeAttributesClassName
TypedLocalObjectReference: apiGroup
TypedObjectReference: apiGroup namespace
PersistentVolumeClaimStatus: currentVolumeAttributesClassName
PersistentVolumeSpec: volumeMode volumeAttributesClassName
AzureDiskVolumeSource: cachingMode fsType readOnly kind
AzureFilePersistentVolumeSource: secretNamespace
FCVolumeSource: lun
GlusterfsPersistentVolumeSource: endpointsNamespace
HostPathVolumeSource: type
ISCSIPersistentVolumeSource: initiatorName
LocalVolumeSource: fsType
PodSpec: terminationGracePeriodSeconds activeDeadlineSeconds automountServiceAccountToken shareProcessNamespace priority runtimeClassName enableServiceLinks preemptionPolicy setHostnameAsFQDN hostUsers hostnameOverride
Container: restartPolicy
EphemeralContainer: restartPolicy
ConfigMapKeySelector: optional
FileKeySelector: optional
SecretKeySelector: optional
ConfigMapEnvSource: optional
SecretEnvSource: optional
Lifecycle: stopSignal
Probe: terminationGracePeriodSeconds
GRPCAction: service
SecurityContext: privileged runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem allowPrivilegeEscalation procMount
AppArmorProfile: localhostProfile
SeccompProfile: localhostProfile
WindowsSecurityContextOptions: gmsaCredentialSpecName gmsaCredentialSpec runAsUserName hostProcess
VolumeMount: recursiveReadOnly mountPropagation
PodDNSConfigOption: value
PodResourceClaim: resourceClaimName resourceClaimTemplateName
PodSchedulingGroup: podGroupName
PodSecurityContext: runAsUser runAsGroup runAsNonRoot supplementalGroupsPolicy fsGroup fsGroupChangePolicy seLinuxChangePolicy
Toleration: tolerationSeconds
TopologySpreadConstraint: minDomains nodeAffinityPolicy nodeTaintsPolicy
ConfigMapVolumeSource: defaultMode optional
KeyToPath: mode
CSIVolumeSource: readOnly fsType
DownwardAPIVolumeSource: defaultMode
DownwardAPIVolumeFile: mode
EmptyDirVolumeSource: sizeLimit
ISCSIVolumeSource: initiatorName
ProjectedVolumeSource: defaultMode
ClusterTrustBundleProjection: name signerName optional
ConfigMapProjection: optional
PodCertificateProjection: maxExpirationSeconds
SecretProjection: optional
ServiceAccountTokenProjection: expirationSeconds
SecretVolumeSource: defaultMode optional
ContainerStatus: started stopSignal
VolumeMountStatus: recursiveReadOnly
PodResourceClaimStatus: resourceClaimName
ReplicationControllerSpec: replicas
authentication.v1.TokenRequestSpec: expirationSeconds
ServiceSpec: ipFamilyPolicy allocateLoadBalancerNodePorts loadBalancerClass internalTrafficPolicy trafficDistribution
ServicePort: appProtocol
ClientIPConfig: timeoutSeconds
LoadBalancerIngress: ipMode
PortStatus: error
DaemonSetSpec: revisionHistoryLimit
RollingUpdateDaemonSet: maxUnavailable maxSurge
DaemonSetStatus: collisionCount
DeploymentSpec: replicas revisionHistoryLimit progressDeadlineSeconds
RollingUpdateDeployment: maxUnavailable maxSurge
DeploymentStatus: terminatingReplicas collisionCount
ReplicaSetSpec: replicas
ReplicaSetStatus: terminatingReplicas
StatefulSetSpec: replicas revisionHistoryLimit
RollingUpdateStatefulSetStrategy: partition maxUnavailable
StatefulSetStatus: collisionCount
CronJobSpec: timeZone startingDeadlineSeconds suspend successfulJobsHistoryLimit failedJobsHistoryLimit
JobSpec: parallelism completions activeDeadlineSeconds backoffLimit backoffLimitPerIndex maxFailedIndexes manualSelector ttlSecondsAfterFinished completionMode suspend podReplacementPolicy managedBy
PodFailurePolicyOnExitCodesRequirement: containerName
SuccessPolicyRule: succeededIndexes succeededCount
JobStatus: terminating failedIndexes ready
HorizontalPodAutoscalerSpec: minReplicas targetCPUUtilizationPercentage
HPAScalingRules: stabilizationWindowSeconds selectPolicy tolerance
MetricTarget: value averageValue averageUtilization
HorizontalPodAutoscalerStatus: observedGeneration currentCPUUtilizationPercentage
MetricValueStatus: value averageValue averageUtilization
PodDisruptionBudgetSpec: minAvailable maxUnavailable unhealthyPodEvictionPolicy
IngressClassParametersReference: scope namespace apiGroup
IngressSpec: ingressClassName
HTTPIngressPath: pathType
IngressPortStatus: error
NetworkPolicyPort: protocol port endPort
Endpoint: hostname nodeName zone
EndpointConditions: ready serving terminating
discovery.v1.EndpointPort: name protocol port appProtocol
apiextensions.v1.WebhookClientConfig: url
apiextensions.v1.ServiceReference: path port
CustomResourceDefinitionVersion: deprecationWarning
JSONSchemaProps: $ref default maxItems maxLength maxProperties maximum minItems minLength minProperties minimum multipleOf x-kubernetes-list-type x-kubernetes-map-type x-kubernetes-preserve-unknown-fields
ValidationRule: optionalOldSelf reason
CustomResourceSubresourceScale: labelSelectorPath
apiregistration.v1.ServiceReference: port
LeaseSpec: holderIdentity leaseDurationSeconds leaseTransitions strategy preferredHolder
CSIDriverSpec: attachRequired podInfoOnMount storageCapacity fsGroupPolicy requiresRepublish seLinuxMount nodeAllocatableUpdatePeriodSeconds preventPodSchedulingIfMissing serviceAccountTokenInSecrets
storage.v1.TokenRequest: expirationSeconds
VolumeNodeResources: count
VolumeAttachmentSource: persistentVolumeName
VolumeError: errorCode
CertificateSigningRequestSpec: expirationSeconds
ExemptPriorityLevelConfiguration: nominalConcurrencyShares lendablePercent
LimitedPriorityLevelConfiguration: nominalConcurrencyShares lendablePercent borrowingLimitPercent
MutatingAdmissionPolicySpec: failurePolicy
ValidatingAdmissionPolicySpec: failurePolicy
MatchResources: matchPolicy
NamedRuleWithOperations: scope
ParamRef: parameterNotFoundAction
MutatingWebhook: failurePolicy matchPolicy timeoutSeconds reinvocationPolicy
ValidatingWebhook: failurePolicy matchPolicy timeoutSeconds
admissionregistration.v1.WebhookClientConfig: url
admissionregistration.v1.ServiceReference: path port
RuleWithOperations: scope
Validation: reason
TokenRequestStatus: token
`;

/** Optional struct fields that are no pointers in Go: always written, `{}` when empty; and times written as null. */
export const ALWAYS = `
core.v1.Event: source firstTimestamp lastTimestamp eventTime reportingComponent reportingInstance
events.v1.Event: eventTime deprecatedSource deprecatedFirstTimestamp deprecatedLastTimestamp
LimitRange: spec
Namespace: spec status
Node: spec status
PersistentVolumeClaim: spec status
PersistentVolume: spec status
Pod: spec status
PodTemplate: template
ReplicationController: spec status
autoscaling.v1.Scale: spec status
ResourceQuota: spec status
TokenRequest: spec status
authentication.v1.TokenRequestSpec: boundObjectRef
TokenRequestStatus: token expirationTimestamp
Service: spec status
DaemonSet: spec status
Deployment: spec status
ReplicaSet: spec status
StatefulSet: spec status
CronJob: spec status
Job: spec status
HorizontalPodAutoscaler: spec status
PodDisruptionBudget: spec status
IngressClass: spec
Ingress: spec status
NetworkPolicy: spec
NetworkPolicySpec: podSelector
ServiceCIDR: spec status
CustomResourceDefinition: spec status
CustomResourceDefinitionStatus: conditions acceptedNames storedVersions
APIService: spec status
Lease: spec
VolumeAttachment: status
CertificateSigningRequest: status
FlowSchema: spec status
PriorityLevelConfiguration: spec status
LocalSubjectAccessReview: status
SelfSubjectAccessReview: status
SelfSubjectRulesReview: status
SubjectAccessReview: status
SelfSubjectReview: status
SelfSubjectReviewStatus: userInfo
TokenReview: status
TokenReviewStatus: user
MutatingAdmissionPolicy: spec
MutatingAdmissionPolicyBinding: spec
ValidatingAdmissionPolicy: spec status
ValidatingAdmissionPolicyBinding: spec
NodeStatus: daemonEndpoints nodeInfo
NodeDaemonEndpoints: kubeletEndpoint
NodeCondition: lastHeartbeatTime lastTransitionTime
PersistentVolumeClaimSpec: resources
PersistentVolumeClaimCondition: lastProbeTime lastTransitionTime
Container: resources
EphemeralContainer: resources
PodTemplateSpec: metadata spec
ContainerStatus: state lastState
ContainerStateRunning: startedAt
ContainerStateTerminated: startedAt finishedAt
PodCondition: lastProbeTime lastTransitionTime
NamespaceCondition: lastTransitionTime
ReplicationControllerCondition: lastTransitionTime
ServiceStatus: loadBalancer
DaemonSetSpec: updateStrategy
DaemonSetCondition: lastTransitionTime
DeploymentSpec: strategy
DeploymentCondition: lastUpdateTime lastTransitionTime
ReplicaSetSpec: template
ReplicaSetCondition: lastTransitionTime
StatefulSetSpec: updateStrategy
StatefulSetStatus: availableReplicas
StatefulSetCondition: lastTransitionTime
JobTemplateSpec: metadata spec
PersistentVolumeClaimTemplate: metadata
JobCondition: lastProbeTime lastTransitionTime
autoscaling.v2.HorizontalPodAutoscalerStatus: currentMetrics
HorizontalPodAutoscalerCondition: lastTransitionTime
PodDisruptionBudgetStatus: disruptionsAllowed currentHealthy desiredHealthy expectedPods
IngressStatus: loadBalancer
IngressServiceBackend: port
Endpoint: conditions
CustomResourceDefinitionCondition: lastTransitionTime
APIServiceCondition: lastTransitionTime
VolumeError: time
CertificateSigningRequestCondition: lastUpdateTime lastTransitionTime
FlowSchemaCondition: lastTransitionTime
PriorityLevelConfigurationCondition: lastTransitionTime
EventSeries: lastObservedTime
rbac.v1.Role: rules
rbac.v1.ClusterRole: rules
EndpointSlice: endpoints ports
`;

/** Struct fields that are always written and are pointers: null when absent. */
export const POINTER_STRUCTS = `
DeploymentSpec: selector
ReplicaSetSpec: selector
StatefulSetSpec: selector
DaemonSetSpec: selector
authentication.v1.TokenRequestSpec: boundObjectRef
`;
