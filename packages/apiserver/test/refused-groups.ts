/** Requests that are refused by the rules of the smaller groups: networking, flowcontrol, scheduling, node, and others. */
import { type Json, MERGE, of, type RefusedRequest } from './refused-requests.ts';

const NETWORKING = '/apis/networking.k8s.io/v1';
const FLOW = '/apis/flowcontrol.apiserver.k8s.io/v1';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const policy = (spec: Json): Json =>
  of('networking.k8s.io/v1', 'NetworkPolicy', 'n', { spec: { podSelector: {}, ...spec } });
const ingressClass = (spec: Json): Json => of('networking.k8s.io/v1', 'IngressClass', 'c', { spec });
const schema = (spec: Json): Json => of('flowcontrol.apiserver.k8s.io/v1', 'FlowSchema', 'f', { spec });
const level = (spec: Json): Json => of('flowcontrol.apiserver.k8s.io/v1', 'PriorityLevelConfiguration', 'l', { spec });

export const GROUP_CASES: readonly RefusedRequest[] = [
  {
    name: 'a policy with ports and types that are none',
    path: `${NETWORKING}/namespaces/default/networkpolicies`,
    body: policy({
      ingress: [
        { ports: [{ protocol: 'ICMP' }, { port: 80, endPort: 70 }, { port: 'http', endPort: 90 }, { endPort: 1 }] },
      ],
      egress: [{ to: [{}, { ipBlock: {} }, { podSelector: {}, ipBlock: { cidr: 'x', except: ['y'] } }] }],
      policyTypes: ['Both'],
    }),
    says: [
      'spec.ingress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"',
      'spec.ingress[0].ports[1].endPort: Invalid value: 70: must be greater than or equal to `port`',
      'spec.ingress[0].ports[2].endPort: Invalid value: 90: may not be specified when `port` is non-numeric',
      'spec.ingress[0].ports[3].endPort: Invalid value: 1: may not be specified when `port` is not specified',
      'spec.egress[0].to[0]: Required value: must specify a peer',
      'spec.egress[0].to[1].ipBlock.cidr: Required value',
      'spec.egress[0].to[2].ipBlock.cidr: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64), ',
      'spec.egress[0].to[2]: Forbidden: may not specify both ipBlock and another peer',
      'spec.policyTypes[0]: Unsupported value: "Both": supported values: "Ingress", "Egress"',
    ],
  },
  {
    name: 'an ingress with another class in its annotation',
    path: `${NETWORKING}/namespaces/default/ingresses`,
    body: {
      ...of('networking.k8s.io/v1', 'Ingress', 'i', {}),
      metadata: { name: 'i', annotations: { 'kubernetes.io/ingress.class': 'a' } },
      spec: {
        ingressClassName: 'b',
        defaultBackend: { resource: { apiGroup: 'A_', kind: 'a/b', name: '' } },
      },
    },
    says: [
      'spec.defaultBackend.resource.apiGroup: Invalid value: "A_": a lowercase RFC 1123 subdomain must consist of',
      `spec.defaultBackend.resource.kind: Invalid value: "a/b": may not contain '/'`,
      'spec.defaultBackend.resource.name: Required value',
      'annotations.kubernetes.io/ingress.class: Invalid value: "a": must match `ingressClassName` when both are specified',
    ],
  },
  {
    name: 'a class of ingresses without controller',
    path: `${NETWORKING}/ingressclasses`,
    body: ingressClass({ parameters: { kind: '', name: 'a%b', scope: 'Galaxy' } }),
    says: 'IngressClass.networking.k8s.io "c" is invalid: [spec.controller: Required value, spec.parameters.kind: Required value, spec.parameters.name: Invalid value: "a%b": may not contain \'%\', spec.parameters.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespace"]',
  },
  {
    name: 'a class of ingresses whose controller is no path',
    path: `${NETWORKING}/ingressclasses`,
    body: ingressClass({ controller: 'example.com/a b', parameters: { kind: 'K', name: 'n', scope: 'Namespace' } }),
    says: [
      `spec.controller: Invalid value: "a b": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`,
      "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
    ],
  },
  {
    name: 'an address by a name that is none, of nobody',
    path: `${NETWORKING}/ipaddresses`,
    body: of('networking.k8s.io/v1', 'IPAddress', '10.0.0.300', { spec: { parentRef: {} } }),
    says: [
      'metadata.name: Invalid value: "10.0.0.300": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'spec.parentRef.resource: Required value',
    ],
  },
  {
    name: 'service networks of one family',
    path: `${NETWORKING}/servicecidrs`,
    body: of('networking.k8s.io/v1', 'ServiceCIDR', 's', { spec: { cidrs: ['10.1.0.0/16', '10.2.0.1/16'] } }),
    says: [
      'spec.cidrs[1]: Invalid value: "10.2.0.1/16": must not have bits set beyond the prefix length',
      'spec.cidrs: Invalid value: ["10.1.0.0/16","10.2.0.1/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  },
  {
    name: 'a schema of flows with every mistake',
    path: `${FLOW}/flowschemas`,
    body: schema({
      matchingPrecedence: 1,
      priorityLevelConfiguration: { name: '' },
      distinguisherMethod: { type: 'ByMood' },
      rules: [
        { subjects: [] },
        {
          subjects: [{ kind: 'User' }, { kind: 'ServiceAccount', serviceAccount: { name: 'A_' } }, { kind: 'Robot' }],
          resourceRules: [{ verbs: ['get', '*'], apiGroups: [], resources: ['*', 'pods'] }],
          nonResourceRules: [{ verbs: ['fly'], nonResourceURLs: ['x', '/a//b', '/a*b'] }],
        },
      ],
    }),
    says: [
      `spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1`,
      'spec.distinguisherMethod.type: Unsupported value: {"Type":"ByMood"}: supported values: "ByNamespace", "ByUser"',
      'spec.priorityLevelConfiguration.name: Required value: must reference a priority level',
      'spec.rules[0].subjects: Required value: subjects must contain at least one value',
      'spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
      `spec.rules[1].subjects[0].user: Required value: user is required when subject kind is 'User'`,
      'spec.rules[1].subjects[1].serviceAccount.namespace: Required value: must specify namespace for service account',
      'spec.rules[1].subjects[2].kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"',
      `spec.rules[1].resourceRules[0].verbs: Invalid value: ["get","*"]: if '*' is present, must not specify other verbs`,
      'spec.rules[1].resourceRules[0].apiGroups: Required value: resource rules must supply at least one api group',
      `spec.rules[1].resourceRules[0].resources: Invalid value: ["*","pods"]: if '*' is present, must not specify other resources`,
      'spec.rules[1].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace',
      'spec.rules[1].nonResourceRules[0].verbs: Unsupported value: ["fly"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"',
      'spec.rules[1].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "x": must start with slash',
      'spec.rules[1].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a//b": must not contain double slash',
      'spec.rules[1].nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/a*b": wildcard can only do suffix matching',
    ],
  },
  {
    name: 'a level of priority that is exempt by another name',
    path: `${FLOW}/prioritylevelconfigurations`,
    body: level({ type: 'Exempt' }),
    says: `PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io "l" is invalid: spec.type: Invalid value: "Exempt": type must be 'Exempt' if and only if name is 'exempt'`,
  },
  {
    name: 'a level of priority whose hands are too large',
    path: `${FLOW}/prioritylevelconfigurations`,
    body: level({
      type: 'Limited',
      limited: {
        lendablePercent: 101,
        limitResponse: { type: 'Queue', queuing: { queues: 4096, handSize: 6, queueLengthLimit: -1 } },
      },
    }),
    says: [
      'spec.limited.limitResponse.queuing.queueLengthLimit: Invalid value: -1: must be positive',
      'spec.limited.limitResponse.queuing.handSize: Invalid value: 6: required entropy bits of deckSize 4096 and handSize 6 should not be greater than 60',
      'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
    ],
  },
  {
    name: 'a class of priority by a name of the system',
    path: '/apis/scheduling.k8s.io/v1/priorityclasses',
    body: of('scheduling.k8s.io/v1', 'PriorityClass', 'system-mine', { value: 1 }),
    says: `PriorityClass.scheduling.k8s.io "system-mine" is invalid: metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class`,
  },
  {
    name: 'another preemption for a class of priority',
    method: 'PATCH',
    path: '/apis/scheduling.k8s.io/v1/priorityclasses/seed',
    type: MERGE,
    body: { preemptionPolicy: 'Never', value: 2 },
    says: [
      'value: Forbidden: may not be changed in an update.',
      'preemptionPolicy: Invalid value: "Never": field is immutable',
    ],
  },
  {
    name: 'a second class of priority for all',
    path: '/apis/scheduling.k8s.io/v1/priorityclasses',
    body: of('scheduling.k8s.io/v1', 'PriorityClass', 'second', { value: 5, globalDefault: true }),
    status: 403,
    says: 'priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass seed is already marked as default. Only one default can exist',
  },
  {
    name: 'a class of runtimes with a bad handler, overhead and place',
    path: '/apis/node.k8s.io/v1/runtimeclasses',
    body: of('node.k8s.io/v1', 'RuntimeClass', 'r', {
      handler: 'A.b',
      overhead: { podFixed: { cpu: '-1' } },
      scheduling: { nodeSelector: { 'a b': 'c' }, tolerations: [{ operator: 'Equal' }] },
    }),
    says: [
      'handler: Invalid value: "A.b": a lowercase RFC 1123 label must consist of',
      'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
      'scheduling.nodeSelector: Invalid value: "a b": name part must consist of',
      'scheduling.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty',
    ],
  },
  {
    name: 'an API that says too little of itself',
    path: '/apis/apiregistration.k8s.io/v1/apiservices',
    body: of('apiregistration.k8s.io/v1', 'APIService', 'v1.other.example', {
      spec: {
        group: 'x.example',
        version: 'V1',
        groupPriorityMinimum: 0,
        versionPriority: 1001,
        insecureSkipTLSVerify: true,
      },
    }),
    says: [
      'metadata.name: Invalid value: "v1.other.example": must be `spec.version+"."+spec.group`: "V1.x.example"',
      'spec.version: Invalid value: "V1": a DNS-1035 label must consist of',
      'spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000',
      'spec.versionPriority: Invalid value: 1001: must be positive and less than 1000',
      'spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify',
    ],
  },
  {
    name: 'a binding to a user without name',
    path: `${RBAC}/clusterrolebindings`,
    body: of('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'b', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: '' }],
    }),
    says: 'ClusterRoleBinding.rbac.authorization.k8s.io "b" is invalid: [subjects[0].name: Required value, subjects[0].name: Invalid value: "": user name cannot be empty]',
  },
  {
    name: 'counters of an autoscaler below zero',
    method: 'PATCH',
    path: '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/seed/status',
    type: MERGE,
    body: { status: { desiredReplicas: -1, currentReplicas: -2 } },
    says: 'HorizontalPodAutoscaler.autoscaling "seed" is invalid: [status.currentReplicas: Invalid value: -2: must be greater than or equal to 0, status.desiredReplicas: Invalid value: -1: must be greater than or equal to 0]',
  },
];
