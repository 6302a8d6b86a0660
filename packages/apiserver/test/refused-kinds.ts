/** Requests that are refused by the rules of a kind. */
import { APPS, BATCH, CORE, job, MERGE, of, type RefusedRequest, service, template } from './refused-requests.ts';

export const KIND_CASES: readonly RefusedRequest[] = [
  {
    name: 'a stateful set with an unknown strategy',
    path: `${APPS}/statefulsets`,
    body: of('apps/v1', 'StatefulSet', 's', {
      spec: {
        selector: { matchLabels: { a: 's' } },
        template: template({ a: 's' }),
        updateStrategy: { type: 'Foo' },
      },
    }),
    says: `StatefulSet.apps "s" is invalid: spec.updateStrategy: Invalid value: {"Type":"Foo","RollingUpdate":null}: must be 'RollingUpdate' or 'OnDelete'`,
  },
  {
    name: 'a replica set without template',
    path: `${APPS}/replicasets`,
    body: of('apps/v1', 'ReplicaSet', 'r', { spec: { selector: { matchLabels: { a: 's' } } } }),
    says: [
      'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`',
      'spec.template.spec.containers: Required value',
    ],
  },
  {
    name: 'counters of a daemon set below zero',
    method: 'PATCH',
    path: `${APPS}/daemonsets/seed/status`,
    type: MERGE,
    body: { status: { numberReady: -1 } },
    says: 'DaemonSet.apps "seed" is invalid: status.numberReady: Invalid value: -1: must be greater than or equal to 0',
  },
  {
    name: 'a failure policy with every mistake',
    path: `${BATCH}/jobs`,
    body: job({
      podFailurePolicy: {
        rules: [
          { action: 'Foo' },
          { action: 'FailJob', onExitCodes: { operator: 'In', values: [0, 2, 1, 1], containerName: 'none' } },
          { action: 'FailIndex', onExitCodes: { operator: 'X', values: [] } },
        ],
      },
    }),
    says: [
      'spec.podFailurePolicy.rules[0].action: Unsupported value: "Foo": supported values: "Count", "FailIndex", "FailJob", "Ignore"',
      'spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
      'spec.podFailurePolicy.rules[1].onExitCodes.containerName: Invalid value: "none": must be one of the container or initContainer names in the pod template',
      'spec.podFailurePolicy.rules[1].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator',
      'spec.podFailurePolicy.rules[1].onExitCodes.values[3]: Duplicate value: 1',
      'spec.podFailurePolicy.rules[1].onExitCodes.values: Invalid value: [0,2,1,1]: must be ordered',
      'spec.podFailurePolicy.rules[2].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
      'spec.podFailurePolicy.rules[2].onExitCodes.operator: Unsupported value: "X": supported values: "In", "NotIn"',
      'spec.podFailurePolicy.rules[2].onExitCodes.values: Invalid value: []: at least one value is required',
    ],
  },
  {
    name: 'a success policy of a job without indexes',
    path: `${BATCH}/jobs`,
    body: job({ successPolicy: { rules: [{ succeededIndexes: '0' }] } }),
    says: 'Job.batch "j" is invalid: spec.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":"0","SucceededCount":null}]}: requires indexed completion mode',
  },
  {
    name: 'a manager without domain',
    path: `${BATCH}/jobs`,
    body: job({ managedBy: 'x' }),
    says: 'Job.batch "j" is invalid: spec.managedBy: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")',
  },
  {
    name: 'two families where there is one',
    path: `${CORE}/services`,
    body: service({ ipFamilyPolicy: 'RequireDualStack', ports: [{ port: 80 }] }),
    says: 'Service "s" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  },
  {
    name: 'a family that the cluster does not have',
    path: `${CORE}/services`,
    body: service({ ipFamilies: ['IPv6'], ports: [{ port: 80 }] }),
    says: 'Service "s" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
  },
  {
    name: 'an external name with an address',
    path: `${CORE}/services`,
    body: service({ type: 'ExternalName', externalName: 'a.example', clusterIP: '10.0.0.9' }),
    says: 'Service "s" is invalid: spec.clusterIPs: Forbidden: may not be set for ExternalName services',
  },
  {
    name: 'a load balancer in the status of a service that has none',
    method: 'PATCH',
    path: `${CORE}/services/seed/status`,
    type: MERGE,
    body: { status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } } },
    says: `Service "seed" is invalid: status.loadBalancer.ingress: Forbidden: may only be used when \`spec.type\` is 'LoadBalancer'`,
  },
  {
    name: 'an ingress without rules',
    path: '/apis/networking.k8s.io/v1/namespaces/default/ingresses',
    body: of('networking.k8s.io/v1', 'Ingress', 'i', { spec: {} }),
    says: 'Ingress.networking.k8s.io "i" is invalid: spec: Invalid value: null: either `defaultBackend` or `rules` must be specified',
  },
  {
    name: 'an exception outside of its block',
    path: '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies',
    body: of('networking.k8s.io/v1', 'NetworkPolicy', 'n', {
      spec: {
        podSelector: {},
        ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/9', '10.0.0.0/8'] } }] }],
      },
    }),
    says: [
      'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/9": must be a strict subset of `cidr`',
      'spec.ingress[0].from[0].ipBlock.except[1]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
    ],
  },
  {
    name: 'an endpoint with a bad host name',
    path: '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
    body: of('discovery.k8s.io/v1', 'EndpointSlice', 'e', {
      addressType: 'FQDN',
      endpoints: [{ addresses: ['a'], nodeName: 'B' }],
    }),
    says: [
      'endpoints[0].addresses[0]: Invalid value: "a": should be a domain with at least two segments separated by dots',
      'endpoints[0].nodeName: Invalid value: "B": a lowercase RFC 1123 subdomain must consist of',
    ],
  },
  {
    name: 'addresses and networks in forms that are refused from 1.36 on',
    path: '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies',
    body: of('networking.k8s.io/v1', 'NetworkPolicy', 'n', {
      spec: {
        podSelector: {},
        ingress: [
          {
            from: [
              { ipBlock: { cidr: '10.0.0.5/8' } },
              { ipBlock: { cidr: '010.0.0.0/8' } },
              { ipBlock: { cidr: '::ffff:10.0.0.0/104' } },
              { ipBlock: { cidr: '10.0.0.300/8' } },
            ],
          },
        ],
      },
    }),
    says: [
      'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.5/8": must not have bits set beyond the prefix length',
      'spec.ingress[0].from[1].ipBlock.cidr: Invalid value: "010.0.0.0/8": must not have leading 0s in IP or prefix length',
      'spec.ingress[0].from[2].ipBlock.cidr: Invalid value: "::ffff:10.0.0.0/104": must not have an IPv4-mapped IPv6 address',
      'spec.ingress[0].from[3].ipBlock.cidr: Invalid value: "10.0.0.300/8": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
  },
  {
    name: 'an external address with zeros before it, and one of the other family in the clothes of the first',
    path: `${CORE}/services`,
    body: service({ externalIPs: ['010.1.2.3', '::ffff:10.0.0.1', 'a'], ports: [{ port: 80 }] }),
    says: [
      'spec.externalIPs[0]: Invalid value: "010.1.2.3": must not have leading 0s',
      'spec.externalIPs[1]: Invalid value: "::ffff:10.0.0.1": must not be an IPv4-mapped IPv6 address',
      'spec.externalIPs[2]: Invalid value: "a": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  },
  {
    name: 'recycling of the root',
    path: '/api/v1/persistentvolumes',
    body: of('v1', 'PersistentVolume', 'p', {
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/' },
        persistentVolumeReclaimPolicy: 'Recycle',
      },
    }),
    says: `PersistentVolume "p" is invalid: spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'`,
  },
  {
    name: 'a token review without token',
    path: '/apis/authentication.k8s.io/v1/tokenreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: '' } },
    status: 400,
    says: 'token is required for TokenReview in authentication',
  },
  {
    name: 'an apply of another kind',
    method: 'PATCH',
    path: `${CORE}/configmaps/seed?fieldManager=m`,
    type: 'application/apply-patch+yaml',
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'seed' } },
    status: 400,
    says: 'failed to create typed patch object (/seed; /v1, Kind=Secret): no corresponding type for /v1, Kind=Secret',
  },
  {
    name: 'an apply that is a list',
    method: 'PATCH',
    path: `${CORE}/configmaps/seed?fieldManager=m`,
    type: 'application/apply-patch+yaml',
    body: '[]',
    status: 400,
    says: 'error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}',
  },
  {
    name: 'an event of the new group without the new fields',
    path: '/apis/events.k8s.io/v1/namespaces/default/events',
    body: of('events.k8s.io/v1', 'Event', 'e', { regarding: { namespace: 'default' }, type: 'Odd' }),
    says: 'Event.events.k8s.io "e" is invalid: [eventTime: Required value, type: Invalid value: "": has invalid value: Odd]',
  },
  {
    name: 'a quota with a bad selector of scopes',
    path: `${CORE}/resourcequotas`,
    body: of('v1', 'ResourceQuota', 'q', {
      spec: {
        hard: { pods: '1' },
        scopeSelector: {
          matchExpressions: [
            { scopeName: 'PriorityClass', operator: 'In' },
            { scopeName: 'Terminating', operator: 'Exists', values: ['a'] },
          ],
        },
      },
    }),
    says: [
      "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      "spec.scopeSelector.matchExpressions.values: Invalid value: [\"a\"]: must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
    ],
  },
  {
    name: 'a namespace with a finalizer of no domain',
    path: '/api/v1/namespaces',
    body: of('v1', 'Namespace', 'n', { spec: { finalizers: ['bad'] } }),
    says: 'Namespace "n" is invalid: spec.finalizers: Invalid value: "bad": name is neither a standard finalizer name nor is it fully qualified',
  },
  {
    name: 'another range of pods for a node that has one',
    method: 'PATCH',
    path: '/api/v1/nodes/seed',
    type: MERGE,
    body: { spec: { podCIDR: '10.2.0.0/24' } },
    says: 'Node "seed" is invalid: spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
  },
  {
    name: 'namespaces of the host together with users of its own',
    path: `${APPS}/replicasets`,
    body: of('apps/v1', 'ReplicaSet', 'r', {
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: template({ a: 'b' }, { hostUsers: false, hostPID: true, shareProcessNamespace: true }),
      },
    }),
    says: [
      'spec.template.spec.HostPID: Forbidden: when `hostUsers` is false',
      'spec.template.spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
    ],
  },
  {
    name: 'a scale that is no number',
    method: 'PATCH',
    path: `${APPS}/replicasets/seed/scale`,
    type: MERGE,
    body: { spec: { replicas: 'x' } },
    says: [
      ' "" is invalid: patch: Invalid value: "{\\"apiVersion\\":\\"autoscaling/v1\\",\\"kind\\":\\"Scale\\"',
      'json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32',
    ],
  },
  {
    name: 'a table with what is none of its parts',
    method: 'GET',
    path: `${CORE}/configmaps?includeObject=Foo`,
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    status: 400,
    says: `Unable to convert to Table as requested: includeObject: Invalid value: "Foo": must be 'Metadata', 'Object', 'None', or empty`,
  },
  {
    name: 'another path of a persistent volume',
    method: 'PATCH',
    path: '/api/v1/persistentvolumes/seed',
    type: MERGE,
    body: { spec: { hostPath: { path: '/b' } } },
    says: [
      'PersistentVolume "seed" is invalid: spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n@@ ',
      '-  "Path": "/a",\n+  "Path": "/b",\n',
    ],
  },
  {
    name: 'a claim for less than nothing',
    path: `${CORE}/persistentvolumeclaims`,
    body: of('v1', 'PersistentVolumeClaim', 'c', {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '-1' } } },
    }),
    says: 'PersistentVolumeClaim "c" is invalid: spec.resources[storage]: Invalid value: "-1": must be greater than zero',
  },
];
