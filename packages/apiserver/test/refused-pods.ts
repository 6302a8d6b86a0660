/** Pods that are refused: a spec and what is told of it (`pkg/apis/core/validation`, slips of paths included). */
import { CORE, type Json, of, type RefusedRequest } from './refused-requests.ts';

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const container = (more: Json): Json => ({ containers: [{ name: 'a', image: 'x', ...more }] });
const env = (source: Json): Json => container({ env: [{ name: 'A', valueFrom: source }] });
const volume = (source: Json): Json => ({ volumes: [{ name: 'v', ...source }] });
const mount = (more: Json): Json => ({
  ...container({ volumeMounts: [{ name: 'v', mountPath: '/d', ...more }] }),
  volumes: [{ name: 'v', emptyDir: {} }],
});
const one = 'spec.containers[0]';

const CASES: readonly (readonly [Json, ...string[]])[] = [
  [
    container({ resources: { requests: { foo: '1' } } }),
    `${one}.resources.requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified`,
    `${one}.resources.requests[foo]: Invalid value: "foo": must be a standard resource for containers`,
  ],
  [
    container({ resources: { limits: { 'hugepages-2Mi': '3Mi', cpu: '1' } } }),
    `${one}.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
    `${one}.resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
  ],
  [
    container({ resources: { claims: [{ name: 'c' }] } }),
    `${one}.resources.claims[0]: Not found: "c": must be one of the names in pod.spec.resourceClaims which is empty`,
  ],
  [
    {
      ...container({ resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }),
      restartPolicy: 'Never',
    },
    `${one}.resizePolicy: Invalid value: "RestartContainer": must be 'NotRequired' when \`restartPolicy\` is 'Never'`,
  ],
  [
    env({ fieldRef: { apiVersion: 'v2', fieldPath: 'metadata.name' } }),
    `${one}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2`,
  ],
  [
    env({ fieldRef: { fieldPath: "spec.nodeName['a']" } }),
    `${one}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.nodeName['a']": error converting fieldPath: field label does not support subscript: spec.nodeName['a']`,
  ],
  [
    env({ resourceFieldRef: { resource: 'limits.cpu', divisor: '2' } }),
    `${one}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
  ],
  [
    env({ configMapKeyRef: { name: '', key: '' } }),
    `${one}.env[0].valueFrom.configMapKeyRef.name: Invalid value: "": ${SUBDOMAIN}`,
    `${one}.env[0].valueFrom.configMapKeyRef.key: Required value`,
  ],
  [
    container({ envFrom: [{}] }),
    `${one}.envFrom: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``,
  ],
  [mount({ subPath: '../x' }), `${one}.volumeMounts.subPath: Invalid value: "../x": must not contain '..'`],
  [
    mount({ recursiveReadOnly: 'Foo' }),
    `${one}.volumeMounts.recursiveReadOnly: Unsupported value: "Foo": supported values: "Disabled", "Enabled", "IfPossible"`,
  ],
  [
    { ...container({ volumeDevices: [{ name: 'v', devicePath: '/a' }] }), volumes: [{ name: 'v', emptyDir: {} }] },
    `${one}.volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode`,
  ],
  [
    {
      ...container({ volumeMounts: [{ name: 'v', mountPath: '/a' }] }),
      ...volume({ secret: {} }),
    },
    'spec.volumes[0].secret.secretName: Required value',
    `${one}.volumeMounts[0].name: Not found: "v"`,
  ],
  [
    volume({
      projected: {
        sources: [
          { configMap: { name: 'c', items: [{ key: 'k', path: 'p' }] } },
          { secret: { name: 's', items: [{ key: 'k', path: 'p' }] } },
        ],
      },
    }),
    'spec.volumes[0].projected: Invalid value: "s": conflicting duplicate paths',
  ],
  [
    volume({ projected: { sources: [{ clusterTrustBundle: { path: 'a' } }] } }),
    'spec.volumes[0].projected.sources[0].clusterTrustBundle: Required value: either name or signerName must be specified',
  ],
  [
    volume({ projected: { sources: [{ serviceAccountToken: { path: '/a', expirationSeconds: 1 } }] } }),
    'spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes',
    'spec.volumes[0].projected.path: Invalid value: "/a": must be a relative path',
  ],
  [
    volume({ downwardAPI: { items: [{ path: 'a' }] } }),
    'spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required',
  ],
  [
    volume({ ephemeral: { volumeClaimTemplate: { metadata: { name: 'x' }, spec: {} } } }),
    'spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set',
    'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required',
    'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value',
  ],
  [volume({ gcePersistentDisk: {} }), 'spec.volumes[0].persistentDisk.pdName: Required value'],
  [
    volume({ iscsi: { targetPortal: 'p', iqn: 'abc', lun: 300 } }),
    'spec.volumes[0].iscsi.iqn: Invalid value: "abc": must be valid format starting with iqn, eui, or naa',
    'spec.volumes[0].iscsi.lun: Invalid value: 300: must be between 0 and 255, inclusive',
  ],
  [volume({ rbd: {} }), 'spec.volumes[0].rbd.monitors: Required value', 'spec.volumes[0].rbd.image: Required value'],
  [
    volume({ fc: {} }),
    'spec.volumes[0].fc.targetWWNs: Required value: must specify either targetWWNs or wwids, but not both',
  ],
  [
    volume({ flexVolume: { driver: 'd', options: { 'k8s.io/a': 'b' } } }),
    'spec.volumes[0].flexVolume.options[k8s.io/a]: Invalid value: "k8s.io/a": kubernetes.io and k8s.io namespaces are reserved',
  ],
  [
    volume({ csi: { driver: 'A b', nodePublishSecretRef: { name: '' } } }),
    `spec.volumes[0].csi.driver: Invalid value: "A b": ${SUBDOMAIN}`,
    'spec.volumes[0].csi.nodePublishSecretRef.name: Required value',
  ],
  [volume({ image: { pullPolicy: 'Never' } }), 'spec.volumes[0].image.reference: Required value'],
  [
    { hostNetwork: true, ...container({ ports: [{ containerPort: 80, hostPort: 81 }] }) },
    `${one}.ports[0].hostPort: Invalid value: 81: must match \`containerPort\` when \`hostNetwork\` is true`,
  ],
  [
    { resourceClaims: [{ name: 'A', resourceClaimName: 'x', resourceClaimTemplateName: 'y' }] },
    `spec.resourceClaims[0].name: Invalid value: "A": ${LABEL}`,
    'spec.resourceClaims[0]: Invalid value: {"Name":"A","ResourceClaimName":"x","ResourceClaimTemplateName":"y"}: at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
  ],
  [
    { resources: { requests: { cpu: '1' } }, ...container({ resources: { requests: { cpu: '2' } } }) },
    'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
  ],
  [
    { securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '1' }] }, hostNetwork: true },
    `spec.securityContext.sysctls[0].name: Invalid value: "net.core.somaxconn": may not be specified when 'hostNetwork' is true`,
  ],
  [
    { securityContext: { seccompProfile: { type: 'Unconfined', localhostProfile: 'a' } } },
    'spec.securityContext.seccompProfile.localhostProfile: Invalid value: {"Type":"Unconfined","LocalhostProfile":"a"}: can only be set when seccomp type is Localhost',
  ],
  [
    { securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: ' a' } } },
    'spec.securityContext.appArmorProfile.localhostProfile: Invalid value: " a": must not be padded with whitespace',
  ],
  [
    { securityContext: { supplementalGroupsPolicy: 'x', seLinuxChangePolicy: 'y' } },
    'spec.securityContext.supplementalGroupsPolicy: Unsupported value: "x": supported values: "Merge", "Strict"',
    'spec.securityContext.seLinuxChangePolicy: Unsupported value: "y": supported values: "MountOption", "Recursive"',
  ],
  [
    { os: { name: 'windows' }, securityContext: { runAsUser: 1 } },
    'spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod',
  ],
  [
    { os: { name: 'linux' }, ...container({ securityContext: { windowsOptions: {} } }) },
    `${one}.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod`,
  ],
  [
    { dnsConfig: { searches: ['a_b', '-'] } },
    `spec.dnsConfig.searches[1]: Invalid value: "-": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')`,
  ],
];

export const POD_CASES: readonly RefusedRequest[] = CASES.map(([spec, ...problems], index) => ({
  name: `a pod with ${JSON.stringify(spec).slice(0, 100)}`,
  path: `${CORE}/pods`,
  body: of('v1', 'Pod', `p${index}`, { spec: { containers: [{ name: 'a', image: 'x' }], ...spec } }),
  says: `Pod "p${index}" is invalid: ${problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`}`,
}));

export const POD_ANNOTATION_CASES: readonly RefusedRequest[] = (
  [
    [{ 'controller.kubernetes.io/pod-deletion-cost': '01' }, 'must be a 32bit integer', '01'],
    [{ 'kubernetes.io/config.mirror': 'x' }, 'must set spec.nodeName if mirror pod annotation is set', 'x'],
  ] as const
).map(([annotations, detail, value]) => ({
  name: `a pod with the annotation ${Object.keys(annotations).join()}`,
  path: `${CORE}/pods`,
  body: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', annotations },
    spec: { containers: [{ name: 'a', image: 'x' }] },
  },
  says: `Pod "p" is invalid: metadata.annotations[${Object.keys(annotations).join()}]: Invalid value: "${value}": ${detail}`,
}));
