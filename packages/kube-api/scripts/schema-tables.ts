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
`;

/** Optional struct fields that are no pointers in Go: always written, `{}` when empty; and times written as null. */
export const ALWAYS = `
`;
