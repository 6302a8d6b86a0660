/** Names of Go's string types, which decoding errors print instead of `string`. */
import type { ScalarType } from './schema.ts';

const NAMED = `
PodSpec restartPolicy=v1.RestartPolicy dnsPolicy=v1.DNSPolicy preemptionPolicy=v1.PreemptionPolicy
Container imagePullPolicy=v1.PullPolicy terminationMessagePolicy=v1.TerminationMessagePolicy restartPolicy=v1.ContainerRestartPolicy
EphemeralContainer imagePullPolicy=v1.PullPolicy terminationMessagePolicy=v1.TerminationMessagePolicy restartPolicy=v1.ContainerRestartPolicy
ContainerPort protocol=v1.Protocol
ServicePort protocol=v1.Protocol
ServiceSpec type=v1.ServiceType sessionAffinity=v1.ServiceAffinity externalTrafficPolicy=v1.ServiceExternalTrafficPolicy internalTrafficPolicy=v1.ServiceInternalTrafficPolicy ipFamilyPolicy=v1.IPFamilyPolicy ipFamilies=v1.IPFamily
HTTPGetAction scheme=v1.URIScheme
Toleration operator=v1.TolerationOperator effect=v1.TaintEffect
Taint effect=v1.TaintEffect
Secret type=v1.SecretType
PodStatus phase=v1.PodPhase qosClass=v1.PodQOSClass
PodCondition type=v1.PodConditionType status=v1.ConditionStatus
ObjectMeta uid=types.UID
OwnerReference uid=types.UID
Preconditions uid=types.UID
DeploymentStrategy type=v1.DeploymentStrategyType
StatefulSetSpec podManagementPolicy=v1.PodManagementPolicyType
CronJobSpec concurrencyPolicy=v1.ConcurrencyPolicy
JobSpec completionMode=v1.CompletionMode podReplacementPolicy=v1.PodReplacementPolicy
PersistentVolumeClaimSpec accessModes=v1.PersistentVolumeAccessMode volumeMode=v1.PersistentVolumeMode
PersistentVolumeSpec accessModes=v1.PersistentVolumeAccessMode volumeMode=v1.PersistentVolumeMode persistentVolumeReclaimPolicy=v1.PersistentVolumeReclaimPolicy
EmptyDirVolumeSource medium=v1.StorageMedium
HostPathVolumeSource type=v1.HostPathType
TopologySpreadConstraint whenUnsatisfiable=v1.UnsatisfiableConstraintAction
Capabilities add=v1.Capability drop=v1.Capability
LabelSelectorRequirement operator=v1.LabelSelectorOperator
NodeSelectorRequirement operator=v1.NodeSelectorOperator
HTTPIngressPath pathType=v1.PathType
MetricSpec type=v2.MetricSourceType
MetricTarget type=v2.MetricTargetType
EndpointSlice addressType=v1.AddressType
LimitRangeItem type=v1.LimitType
DeleteOptions propagationPolicy=v1.DeletionPropagation
NamespaceSpec finalizers=v1.FinalizerName
StorageClass reclaimPolicy=v1.PersistentVolumeReclaimPolicy volumeBindingMode=v1.VolumeBindingMode
CustomResourceDefinitionSpec scope=v1.ResourceScope
`;

let named: ReadonlyMap<string, string> | undefined;

/** The Go type of a scalar field: `v1.RestartPolicy`, `int32`, `bool`. */
export function goScalarTypeName(struct: string, field: string, type: ScalarType): string {
  switch (type) {
    case 'string':
      named ??= new Map(
        NAMED.trim()
          .split('\n')
          .flatMap((line) => {
            const [name = '', ...fields] = line.split(' ');
            return fields.map((entry): [string, string] => {
              const [key = '', goType = ''] = entry.split('=');
              return [`${name}.${key}`, goType];
            });
          }),
      );
      return named.get(`${struct}.${field}`) ?? 'string';
    case 'boolean':
      return 'bool';
    case 'double':
      return 'float64';
    case 'int32':
    case 'int64':
      return type;
    case 'quantity':
      return 'resource.Quantity';
    case 'int-or-string':
      return 'intstr.IntOrString';
    case 'time':
      return 'v1.Time';
    case 'micro-time':
      return 'v1.MicroTime';
    case 'bytes':
      return '[]uint8';
  }
}
