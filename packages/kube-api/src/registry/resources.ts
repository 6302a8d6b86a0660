import type { ResourceDefinition, SubresourceDefinition } from './resource-definition.ts';

const ALL = 'create delete deletecollection get list patch update watch';
const VERBS: Readonly<Record<string, string>> = {
  '*': ALL,
  ns: 'create delete get list patch update watch',
  ro: 'get list',
  c: 'create',
  g: 'get',
  u: 'update',
  s: 'get patch update',
  x: 'create get',
  p: 'create delete get patch update',
};

/**
 * One line a resource: `plural Kind scope verbs [short=a,b] [cat=a] [sub=…]`; a subresource is `name:Kind:verbs` with
 * `@group/version` behind the kind where it differs. `status` alone means the resource's own kind with get, patch,
 * update. Recorded from the discovery documents of kube-apiserver 1.36.
 */
const TABLE = `
/v1
bindings Binding N c
componentstatuses ComponentStatus C ro short=cs
configmaps ConfigMap N * short=cm
endpoints Endpoints N * short=ep
events Event N * short=ev
limitranges LimitRange N * short=limits
namespaces Namespace C ns short=ns sub=finalize:Namespace:u;status
nodes Node C * short=no sub=proxy:NodeProxyOptions:p;status
persistentvolumeclaims PersistentVolumeClaim N * short=pvc sub=status
persistentvolumes PersistentVolume C * short=pv sub=status
pods Pod N * short=po cat=all sub=attach:PodAttachOptions:x;binding:Binding:c;ephemeralcontainers:Pod:s;eviction:Eviction@policy/v1:c;exec:PodExecOptions:x;log:Pod:g;portforward:PodPortForwardOptions:x;proxy:PodProxyOptions:p;resize:Pod:s;status
podtemplates PodTemplate N *
replicationcontrollers ReplicationController N * short=rc cat=all sub=scale:Scale@autoscaling/v1:s;status
resourcequotas ResourceQuota N * short=quota sub=status
secrets Secret N *
serviceaccounts ServiceAccount N * short=sa sub=token:TokenRequest@authentication.k8s.io/v1:c
services Service N * short=svc cat=all sub=proxy:ServiceProxyOptions:p;status
apps/v1
controllerrevisions ControllerRevision N *
daemonsets DaemonSet N * short=ds cat=all sub=status
deployments Deployment N * short=deploy cat=all sub=scale:Scale@autoscaling/v1:s;status
replicasets ReplicaSet N * short=rs cat=all sub=scale:Scale@autoscaling/v1:s;status
statefulsets StatefulSet N * short=sts cat=all sub=scale:Scale@autoscaling/v1:s;status
batch/v1
cronjobs CronJob N * short=cj cat=all sub=status
jobs Job N * cat=all sub=status
autoscaling/v2
horizontalpodautoscalers HorizontalPodAutoscaler N * short=hpa cat=all sub=status
autoscaling/v1
horizontalpodautoscalers HorizontalPodAutoscaler N * short=hpa cat=all sub=status storage=v2
policy/v1
poddisruptionbudgets PodDisruptionBudget N * short=pdb sub=status
networking.k8s.io/v1
ingressclasses IngressClass C *
ingresses Ingress N * short=ing sub=status
ipaddresses IPAddress C * short=ip
networkpolicies NetworkPolicy N * short=netpol
servicecidrs ServiceCIDR C * sub=status
rbac.authorization.k8s.io/v1
clusterrolebindings ClusterRoleBinding C *
clusterroles ClusterRole C *
rolebindings RoleBinding N *
roles Role N *
discovery.k8s.io/v1
endpointslices EndpointSlice N *
apiextensions.k8s.io/v1
customresourcedefinitions CustomResourceDefinition C * short=crd,crds cat=api-extensions sub=status
apiregistration.k8s.io/v1
apiservices APIService C * cat=api-extensions sub=status
events.k8s.io/v1
events Event N * short=ev
coordination.k8s.io/v1
leases Lease N *
storage.k8s.io/v1
csidrivers CSIDriver C *
csinodes CSINode C *
csistoragecapacities CSIStorageCapacity N *
storageclasses StorageClass C * short=sc
volumeattachments VolumeAttachment C * sub=status
volumeattributesclasses VolumeAttributesClass C * short=vac
scheduling.k8s.io/v1
priorityclasses PriorityClass C * short=pc
node.k8s.io/v1
runtimeclasses RuntimeClass C *
certificates.k8s.io/v1
certificatesigningrequests CertificateSigningRequest C * short=csr sub=approval:CertificateSigningRequest:s;status
flowcontrol.apiserver.k8s.io/v1
flowschemas FlowSchema C * sub=status
prioritylevelconfigurations PriorityLevelConfiguration C * sub=status
authorization.k8s.io/v1
localsubjectaccessreviews LocalSubjectAccessReview N c
selfsubjectaccessreviews SelfSubjectAccessReview C c
selfsubjectrulesreviews SelfSubjectRulesReview C c
subjectaccessreviews SubjectAccessReview C c
authentication.k8s.io/v1
selfsubjectreviews SelfSubjectReview C c
tokenreviews TokenReview C c
admissionregistration.k8s.io/v1
mutatingadmissionpolicies MutatingAdmissionPolicy C * cat=api-extensions
mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding C * cat=api-extensions
mutatingwebhookconfigurations MutatingWebhookConfiguration C * cat=api-extensions
validatingadmissionpolicies ValidatingAdmissionPolicy C * cat=api-extensions sub=status
validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding C * cat=api-extensions
validatingwebhookconfigurations ValidatingWebhookConfiguration C * cat=api-extensions
metrics.k8s.io/v1beta1
nodes NodeMetrics C ro
pods PodMetrics N ro
`;

function verbs(code: string): readonly string[] {
  return (VERBS[code] ?? code).split(' ');
}

function subresource(text: string, kind: string): SubresourceDefinition {
  if (text === 'status') return { name: 'status', kind, verbs: verbs('s') };
  const [name = '', body = '', code = ''] = text.split(':');
  const [bodyKind = '', groupVersion] = body.split('@');
  const [group, version] = groupVersion?.split('/') ?? [];
  return {
    name,
    kind: bodyKind,
    ...(group !== undefined && version !== undefined ? { group, version } : {}),
    verbs: verbs(code),
  };
}

function parseTable(): readonly ResourceDefinition[] {
  const out: ResourceDefinition[] = [];
  let group = '';
  let version = '';
  for (const line of TABLE.trim().split('\n')) {
    const [first = '', kind, scope, code = '', ...options] = line.split(' ');
    if (kind === undefined) {
      [group = '', version = ''] = first.split('/');
      continue;
    }
    const option = (name: string): string | undefined =>
      options.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
    out.push({
      group,
      version,
      kind,
      listKind: `${kind}List`,
      plural: first,
      singular: group === 'metrics.k8s.io' ? '' : kind.toLowerCase(),
      shortNames: option('short')?.split(',') ?? [],
      categories: option('cat')?.split(',') ?? [],
      namespaced: scope === 'N',
      verbs: verbs(code),
      subresources:
        option('sub')
          ?.split(';')
          .map((text) => subresource(text, kind)) ?? [],
      storageVersion: option('storage') ?? version,
    });
  }
  return out;
}

/** Every built-in resource, in the order of kube-apiserver's groups; the preferred version of a group comes first. */
export const RESOURCES: readonly ResourceDefinition[] = parseTable();
