/**
 * Specs as the real server prints them in the diff of a forbidden change: JSON of its internal Go structs, with their
 * names, their order and every field (`pkg/apis/core/types.go`, dumped by apimachinery `util/diff`).
 *
 * A line is a struct; a field is `Go[:json]=kind` with kind s "" n 0 b false p null (pointer) S list M map R as it is,
 * *T pointer to a struct, [T list of structs, T a struct. Without `:json` the name is Go's in lower camel case.
 */
import { isRecord, type JsonRecord } from '../values/json.ts';
import { unifiedDiff } from '../values/text-diff.ts';

const STRUCTS = `
PodSpec Volumes=[Volume InitContainers=[Container Containers=[Container EphemeralContainers=[Ephemeral RestartPolicy=s TerminationGracePeriodSeconds=p ActiveDeadlineSeconds=p DNSPolicy:dnsPolicy=s NodeSelector=M ServiceAccountName=s AutomountServiceAccountToken=p NodeName=s SecurityContext=*PodSecurity ImagePullSecrets=[Local Hostname=s Subdomain=s SetHostnameAsFQDN=p Affinity=*Affinity SchedulerName=s Tolerations=[Toleration HostAliases=[HostAlias PriorityClassName=s Priority=p PreemptionPolicy=p DNSConfig:dnsConfig=*DNSConfig ReadinessGates=[Gate RuntimeClassName=p Overhead=M EnableServiceLinks=p TopologySpreadConstraints=[Spread OS:os=*OS SchedulingGates=[Named ResourceClaims=[Claim Resources=*Resources HostnameOverride=p SchedulingGroup=*Group
Named Name=s
Group PodGroupName=p
OS Name=s
Claim Name=s ResourceClaimName=p ResourceClaimTemplateName=p
Gate ConditionType=s
HostAlias IP:ip=s Hostnames=S
DNSConfig Nameservers=S Searches=S Options=[DNSOption
DNSOption Name=s Value=p
Toleration Key=s Operator=s Value=s Effect=s TolerationSeconds=p
Spread MaxSkew=n TopologyKey=s WhenUnsatisfiable=s LabelSelector=R MinDomains=p NodeAffinityPolicy=p NodeTaintsPolicy=p MatchLabelKeys=S
Local Name=s
PodSecurity HostNetwork:^hostNetwork=b HostPID:^hostPID=b HostIPC:^hostIPC=b ShareProcessNamespace:^shareProcessNamespace=p HostUsers:^hostUsers=p SELinuxOptions:seLinuxOptions=*SELinux WindowsOptions=*Windows RunAsUser=p RunAsGroup=p RunAsNonRoot=p SupplementalGroups=S SupplementalGroupsPolicy=p FSGroup:fsGroup=p FSGroupChangePolicy:fsGroupChangePolicy=p Sysctls=[Sysctl SeccompProfile=*Seccomp AppArmorProfile=*Seccomp SELinuxChangePolicy:seLinuxChangePolicy=p
SELinux User=s Role=s Type=s Level=s
Windows GMSACredentialSpecName:gmsaCredentialSpecName=p GMSACredentialSpec:gmsaCredentialSpec=p RunAsUserName=p HostProcess=p
Sysctl Name=s Value=s
Seccomp Type=s LocalhostProfile=p
Security Capabilities=*Capabilities Privileged=p SELinuxOptions:seLinuxOptions=*SELinux WindowsOptions=*Windows RunAsUser=p RunAsGroup=p RunAsNonRoot=p ReadOnlyRootFilesystem=p AllowPrivilegeEscalation=p ProcMount=p SeccompProfile=*Seccomp AppArmorProfile=*Seccomp
Capabilities Add=S Drop=S
Container Name=s Image=s Command=S Args=S WorkingDir=s Ports=[Port EnvFrom=[EnvFrom Env=[Env Resources=Resources ResizePolicy=[Resize RestartPolicy=p RestartPolicyRules=[Rule VolumeMounts=[Mount VolumeDevices=[Device LivenessProbe=*Probe ReadinessProbe=*Probe StartupProbe=*Probe Lifecycle=*Lifecycle TerminationMessagePath=s TerminationMessagePolicy=s ImagePullPolicy=s SecurityContext=*Security Stdin=b StdinOnce=b TTY:tty=b
Ephemeral Name=s Image=s Command=S Args=S WorkingDir=s Ports=[Port EnvFrom=[EnvFrom Env=[Env Resources=Resources ResizePolicy=[Resize RestartPolicy=p RestartPolicyRules=[Rule VolumeMounts=[Mount VolumeDevices=[Device LivenessProbe=*Probe ReadinessProbe=*Probe StartupProbe=*Probe Lifecycle=*Lifecycle TerminationMessagePath=s TerminationMessagePolicy=s ImagePullPolicy=s SecurityContext=*Security Stdin=b StdinOnce=b TTY:tty=b TargetContainerName=s
Port Name=s HostPort=n ContainerPort=n Protocol=s HostIP:hostIP=s
EnvFrom Prefix=s ConfigMapRef=*OptionalName SecretRef=*OptionalName
OptionalName Name=s Optional=p
Env Name=s Value=s ValueFrom=*EnvSource
EnvSource FieldRef=*FieldRef ResourceFieldRef=*ResourceRef ConfigMapKeyRef=*KeyRef SecretKeyRef=*KeyRef FileKeyRef=*FileRef
FieldRef APIVersion:apiVersion=s FieldPath=s
ResourceRef ContainerName=s Resource=s Divisor=s
KeyRef Name=s Key=s Optional=p
FileRef VolumeName=s Path=s Key=s Optional=p
Resources Limits=M Requests=M Claims=[ResourceClaim
ResourceClaim Name=s Request=s
Resize ResourceName=s RestartPolicy=s
Rule Action=s ExitCodes=R
Mount Name=s ReadOnly=b RecursiveReadOnly=p MountPath=s SubPath=s MountPropagation=p SubPathExpr=s
Device Name=s DevicePath=s
Probe Exec=*Exec HTTPGet:httpGet=*HTTPGet TCPSocket:tcpSocket=*TCP GRPC:grpc=*GRPC InitialDelaySeconds=n TimeoutSeconds=n PeriodSeconds=n SuccessThreshold=n FailureThreshold=n TerminationGracePeriodSeconds=p
Exec Command=S
HTTPGet Path=s Port=R Host=s Scheme=s HTTPHeaders:httpHeaders=[Header
Header Name=s Value=s
TCP Port=R Host=s
GRPC Port=n Service=p
Lifecycle PostStart=*Handler PreStop=*Handler StopSignal=p
Handler Exec=*Exec HTTPGet:httpGet=*HTTPGet TCPSocket:tcpSocket=*TCP Sleep=*Sleep
Sleep Seconds=n
Volume Name=s HostPath=*HostPath EmptyDir=*EmptyDir GCEPersistentDisk:gcePersistentDisk=R AWSElasticBlockStore:awsElasticBlockStore=R GitRepo=R Secret=*SecretVolume NFS:nfs=*NFS ISCSI:iscsi=R Glusterfs=R PersistentVolumeClaim=*ClaimVolume RBD:rbd=R Quobyte=R FlexVolume=R Cinder=R CephFS:cephfs=R Flocker=R DownwardAPI:downwardAPI=*Downward FC:fc=R AzureFile=R ConfigMap=*ConfigMapVolume VsphereVolume=R AzureDisk=R PhotonPersistentDisk=R Projected=*Projected PortworxVolume=R ScaleIO:scaleIO=R StorageOS:storageos=R CSI:csi=R Ephemeral=R Image=R
HostPath Path=s Type=p
EmptyDir Medium=s SizeLimit=p
SecretVolume SecretName=s Items=[KeyPath DefaultMode=p Optional=p
ConfigMapVolume Name=s Items=[KeyPath DefaultMode=p Optional=p
KeyPath Key=s Path=s Mode=p
NFS Server=s Path=s ReadOnly=b
ClaimVolume ClaimName=s ReadOnly=b
Downward Items=[DownwardItem DefaultMode=p
DownwardItem Path=s FieldRef=*FieldRef ResourceFieldRef=*ResourceRef Mode=p
Projected Sources=[Projection DefaultMode=p
Projection Secret=*ItemsSource DownwardAPI:downwardAPI=*DownwardSource ConfigMap=*ItemsSource ServiceAccountToken=*TokenSource ClusterTrustBundle=R PodCertificate=R
ItemsSource Name=s Items=[KeyPath Optional=p
DownwardSource Items=[DownwardItem
TokenSource Audience=s ExpirationSeconds=n Path=s
Affinity NodeAffinity=*NodeAffinity PodAffinity=*PodAffinity PodAntiAffinity=*PodAffinity
NodeAffinity RequiredDuringSchedulingIgnoredDuringExecution=*NodeSelector PreferredDuringSchedulingIgnoredDuringExecution=[PreferredTerm
NodeSelector NodeSelectorTerms=[NodeTerm
NodeTerm MatchExpressions=[NodeRequirement MatchFields=[NodeRequirement
NodeRequirement Key=s Operator=s Values=S
PreferredTerm Weight=n Preference=NodeTerm
PodAffinity RequiredDuringSchedulingIgnoredDuringExecution=[PodTerm PreferredDuringSchedulingIgnoredDuringExecution=[WeightedTerm
WeightedTerm Weight=n PodAffinityTerm=PodTerm
PodTerm LabelSelector=R Namespaces=S TopologyKey=s NamespaceSelector=R MatchLabelKeys=S MismatchLabelKeys=S
ClaimSpec AccessModes=S Selector=R Resources=VolumeResources VolumeName=s StorageClassName=p VolumeMode=p DataSource=*TypedRef DataSourceRef=*TypedObject VolumeAttributesClassName=p
VolumeResources Limits=M Requests=M
TypedRef APIGroup:apiGroup=p Kind=s Name=s
TypedObject APIGroup:apiGroup=p Kind=s Name=s Namespace=p
StatefulStrategy Type=s RollingUpdate=*RollingStateful
RollingStateful Partition=p MaxUnavailable=p
FailurePolicy Rules=[FailureRule
FailureRule Action=s OnExitCodes=*ExitCodes OnPodConditions=[ConditionPattern
ExitCodes ContainerName=p Operator=s Values=S
ConditionPattern Type=s Status=s
SuccessPolicy Rules=[SuccessRule
SuccessRule SucceededIndexes=p SucceededCount=p
PVSource GCEPersistentDisk:gcePersistentDisk=R AWSElasticBlockStore:awsElasticBlockStore=R HostPath=*HostPath Glusterfs=R NFS:nfs=*NFS RBD:rbd=R Quobyte=R ISCSI:iscsi=R FlexVolume=R Cinder=R CephFS:cephfs=R FC:fc=R Flocker=R AzureFile=R VsphereVolume=R AzureDisk=R PhotonPersistentDisk=R PortworxVolume=R ScaleIO:scaleIO=R Local=*LocalVolume StorageOS:storageos=R CSI:csi=*CSIVolume
LocalVolume Path=s FSType:fsType=p
CSIVolume Driver=s VolumeHandle=s ReadOnly=b FSType:fsType=s VolumeAttributes=M ControllerPublishSecretRef=R NodeStageSecretRef=R NodePublishSecretRef=R ControllerExpandSecretRef=R NodeExpandSecretRef=R
NodeDriver Name=s NodeID:nodeID=s TopologyKeys=S Allocatable=R
Attachment Attacher=s NodeName=s Source=AttachmentSource
AttachmentSource PersistentVolumeName=p InlineVolumeSpec=R
VolumeAffinity Required=*NodeSelector
PDBSpec MinAvailable=p Selector=R MaxUnavailable=p UnhealthyPodEvictionPolicy=p
`;

interface Field {
  readonly go: string;
  readonly json: string;
  readonly kind: string;
}

let structs: ReadonlyMap<string, readonly Field[]> | undefined;

function fieldsOf(struct: string): readonly Field[] {
  structs ??= new Map(
    STRUCTS.trim()
      .split('\n')
      .map((line) => {
        const [name = '', ...tokens] = line.split(' ');
        const fields = tokens.map((token) => {
          const [names = '', kind = ''] = token.split('=');
          const [go = '', json] = names.split(':');
          return { go, json: json ?? go.charAt(0).toLowerCase() + go.slice(1), kind };
        });
        return [name, fields];
      }),
  );
  return structs.get(struct) ?? [];
}

/** `parent` holds the fields that Go keeps one level deeper (`^name`: hostNetwork in the security context). */
function dump(struct: string, value: unknown, parent: JsonRecord): JsonRecord {
  const source = isRecord(value) ? value : {};
  const out: JsonRecord = {};
  for (const { go, json, kind } of fieldsOf(struct)) {
    const entry = json.startsWith('^') ? parent[json.slice(1)] : source[json];
    out[go] = dumpField(kind, entry, source);
  }
  return out;
}

function dumpField(kind: string, value: unknown, parent: JsonRecord): unknown {
  switch (kind) {
    case 's':
      return value ?? '';
    case 'n':
      return value ?? 0;
    case 'b':
      return value ?? false;
    case 'p':
    case 'R':
      return value ?? null;
    case 'S':
      return Array.isArray(value) && value.length > 0 ? value : null;
    case 'M':
      return isRecord(value) && Object.keys(value).length > 0
        ? Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)))
        : null;
  }
  if (kind.startsWith('*')) return isRecord(value) ? dump(kind.slice(1), value, parent) : null;
  if (kind.startsWith('['))
    return Array.isArray(value) && value.length > 0 ? value.map((entry) => dump(kind.slice(1), entry, {})) : null;
  return dump(kind, value, parent);
}

/** The difference of two pod specs, as messages show it. */
export function podSpecDiff(before: JsonRecord, after: JsonRecord): string {
  return unifiedDiff(text('PodSpec', before), text('PodSpec', after));
}

function text(struct: string, value: JsonRecord): string {
  return JSON.stringify(dump(struct, value, value), null, 1);
}

export function goEphemeral(container: JsonRecord): string {
  return text('Ephemeral', container);
}

/** A term of a node selector. */
export function goNodeTerm(term: JsonRecord): JsonRecord {
  return dump('NodeTerm', term, term);
}

export function goClaimSpec(spec: JsonRecord): string {
  return text('ClaimSpec', spec);
}

/** Where a persistent volume's data are: the part of its spec that never changes. */
export function goVolumeSource(spec: JsonRecord): string {
  return text('PVSource', spec);
}

/** Where a persistent volume can be used; null where it says nothing. */
export function goVolumeAffinity(affinity: JsonRecord | undefined): JsonRecord | null {
  return affinity === undefined ? null : dump('VolumeAffinity', affinity, affinity);
}

export function goNodeDriver(driver: JsonRecord): JsonRecord {
  return dump('NodeDriver', driver, driver);
}

export function goVolumeAttachment(spec: JsonRecord): JsonRecord {
  return dump('Attachment', spec, spec);
}

/** A disruption budget's spec, which one message prints whole. */
export function goBudgetSpec(spec: JsonRecord): JsonRecord {
  return dump('PDBSpec', spec, spec);
}

export function goStatefulStrategy(strategy: JsonRecord): JsonRecord {
  return dump('StatefulStrategy', strategy, strategy);
}

export function goRollingStateful(rolling: JsonRecord): JsonRecord {
  return dump('RollingStateful', rolling, rolling);
}

export function goSuccessPolicy(policy: JsonRecord): JsonRecord {
  return dump('SuccessPolicy', policy, policy);
}

/** A part of a Job's spec that may not change. */
export function goJobPart(name: string, value: unknown): unknown {
  if (!isRecord(value)) return value;
  if (name === 'successPolicy') return goSuccessPolicy(value);
  return name === 'podFailurePolicy' ? dump('FailurePolicy', value, value) : value;
}

/** A container's security context, whole. */
export function goSecurityContext(context: JsonRecord): JsonRecord {
  return dump('Security', context, context);
}

export function goSeccompProfile(profile: JsonRecord): JsonRecord {
  return dump('Seccomp', profile, profile);
}

export function goToleration(toleration: JsonRecord): JsonRecord {
  return dump('Toleration', toleration, toleration);
}

export function goResourceClaim(claim: JsonRecord): JsonRecord {
  return dump('Claim', claim, claim);
}

/** A pod template: metadata is the public type and stands beside the spec. */
export function goPodTemplate(template: JsonRecord): JsonRecord {
  const spec = isRecord(template.spec) ? template.spec : {};
  return { ...(isRecord(template.metadata) ? template.metadata : {}), Spec: dump('PodSpec', spec, spec) };
}
