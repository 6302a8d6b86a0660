import type { KubeObject } from '@kind-e2e/kube-api';

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const API = 'rbac.authorization.k8s.io/v1';
const DEFAULT_LABELS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

function on(group: string, resources: string, verbs: readonly string[]): Rule {
  return { apiGroups: [group], resources: resources.split(' '), verbs };
}

function paths(verbs: readonly string[], ...nonResourceURLs: readonly string[]): Rule {
  return { nonResourceURLs, verbs };
}

const EVERYTHING: readonly Rule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
];

const PUBLIC_PATHS = ['/healthz', '/livez', '/readyz', '/version', '/version/'];
const DISCOVERY_PATHS = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*', ...PUBLIC_PATHS];

/** What `view` shows: everything of an application but its secrets and who may do what. */
const VIEW: readonly Rule[] = [
  on(
    '',
    'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status namespaces',
    READ,
  ),
  on('discovery.k8s.io', 'endpointslices', READ),
  on(
    'apps',
    'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status',
    READ,
  ),
  on('autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status', READ),
  on('batch', 'cronjobs cronjobs/status jobs jobs/status', READ),
  on('policy', 'poddisruptionbudgets poddisruptionbudgets/status', READ),
  on('networking.k8s.io', 'ingresses ingresses/status networkpolicies', READ),
  on('metrics.k8s.io', 'pods', READ),
];

const EDIT: readonly Rule[] = [
  ...VIEW,
  on('', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy', READ),
  on('', 'pods pods/attach pods/exec pods/portforward pods/proxy', WRITE),
  on('', 'pods/eviction', ['create']),
  on(
    '',
    'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
    WRITE,
  ),
  on('', 'serviceaccounts', ['impersonate']),
  on('', 'serviceaccounts/token', ['create']),
  on(
    'apps',
    'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
    WRITE,
  ),
  on('autoscaling', 'horizontalpodautoscalers', WRITE),
  on('batch', 'cronjobs jobs', WRITE),
  on('policy', 'poddisruptionbudgets', WRITE),
  on('networking.k8s.io', 'ingresses networkpolicies', WRITE),
  on('coordination.k8s.io', 'leases', [...READ, ...WRITE]),
];

const ADMIN: readonly Rule[] = [
  ...EDIT,
  on('authorization.k8s.io', 'localsubjectaccessreviews', ['create']),
  on('rbac.authorization.k8s.io', 'rolebindings roles', [...READ, ...WRITE]),
];

const EVENTS: readonly Rule[] = [
  on('', 'events', ['create', 'patch', 'update']),
  on('events.k8s.io', 'events', ['create', 'patch', 'update']),
];

/** The controllers run as one user here; upstream gives each a service account. */
const CONTROLLER_MANAGER: readonly Rule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  paths(['get'], ...DISCOVERY_PATHS, '/metrics'),
];

const SCHEDULER: readonly Rule[] = [
  ...EVENTS,
  on('coordination.k8s.io', 'leases', [...READ, 'create', 'update', 'patch']),
  on('', 'nodes namespaces persistentvolumeclaims persistentvolumes replicationcontrollers services', READ),
  on('', 'pods', ['delete', ...READ]),
  on('', 'bindings pods/binding', ['create']),
  on('', 'pods/status', ['patch', 'update']),
  on('', 'persistentvolumeclaims persistentvolumes', ['patch', 'update']),
  on('apps', 'replicasets statefulsets', READ),
  on('policy', 'poddisruptionbudgets', READ),
  on('scheduling.k8s.io', 'priorityclasses', READ),
  on('storage.k8s.io', 'storageclasses csinodes csidrivers csistoragecapacities volumeattachments', READ),
  on('authentication.k8s.io', 'tokenreviews', ['create']),
  on('authorization.k8s.io', 'subjectaccessreviews', ['create']),
];

const NODE_PROXIER: readonly Rule[] = [
  on('', 'endpoints services nodes', READ),
  on('discovery.k8s.io', 'endpointslices', READ),
  on('networking.k8s.io', 'servicecidrs', READ),
  ...EVENTS,
];

const CLUSTER_ROLES: Readonly<Record<string, readonly Rule[]>> = {
  'cluster-admin': EVERYTHING,
  admin: ADMIN,
  edit: EDIT,
  view: VIEW,
  'system:basic-user': [
    on('authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews', ['create']),
    on('authentication.k8s.io', 'selfsubjectreviews', ['create']),
  ],
  'system:discovery': [paths(['get'], ...DISCOVERY_PATHS)],
  'system:public-info-viewer': [paths(['get'], ...PUBLIC_PATHS)],
  'system:service-account-issuer-discovery': [
    paths(
      ['get'],
      '/.well-known/openid-configuration',
      '/.well-known/openid-configuration/',
      '/openid/v1/jwks',
      '/openid/v1/jwks/',
    ),
  ],
  'system:monitoring': [
    paths(['get'], '/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/metrics/slis', '/readyz', '/readyz/*'),
  ],
  'system:kube-controller-manager': CONTROLLER_MANAGER,
  'system:kube-scheduler': SCHEDULER,
  'system:volume-scheduler': [
    on('', 'persistentvolumes', [...READ, 'patch', 'update']),
    on('storage.k8s.io', 'storageclasses', READ),
  ],
  'system:node-proxier': NODE_PROXIER,
  'system:kube-dns': [on('', 'endpoints services', ['list', 'watch'])],
  'system:auth-delegator': [
    on('authentication.k8s.io', 'tokenreviews', ['create']),
    on('authorization.k8s.io', 'subjectaccessreviews', ['create']),
  ],
  'system:kubelet-api-admin': [
    on('', 'nodes', ['get', 'list', 'watch', 'proxy']),
    on('', 'nodes/log nodes/metrics nodes/proxy nodes/stats', ['*']),
  ],
  'system:persistent-volume-provisioner': [
    on('', 'persistentvolumes', ['create', 'delete', ...READ]),
    on('', 'persistentvolumeclaims', [...READ, 'update']),
    on('storage.k8s.io', 'storageclasses', READ),
    on('', 'events', ['watch', 'create', 'update', 'patch']),
  ],
  'system:heapster': [on('', 'events namespaces nodes pods', READ), on('apps', 'deployments', READ)],
};

/** Roles that people extend by labelling their own (aggregation is the controllers' part). */
const AGGREGATED: Readonly<Record<string, string>> = {
  admin: 'rbac.authorization.k8s.io/aggregate-to-admin',
  edit: 'rbac.authorization.k8s.io/aggregate-to-edit',
  view: 'rbac.authorization.k8s.io/aggregate-to-view',
};

const group = (name: string): unknown => ({ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name });
const user = (name: string): unknown => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name });

const CLUSTER_BINDINGS: Readonly<Record<string, readonly unknown[]>> = {
  'cluster-admin': [group('system:masters')],
  'system:basic-user': [group('system:authenticated')],
  'system:discovery': [group('system:authenticated')],
  'system:public-info-viewer': [group('system:authenticated'), group('system:unauthenticated')],
  'system:service-account-issuer-discovery': [group('system:serviceaccounts')],
  'system:monitoring': [group('system:monitoring')],
  'system:kube-controller-manager': [user('system:kube-controller-manager')],
  'system:kube-scheduler': [user('system:kube-scheduler')],
  'system:volume-scheduler': [user('system:kube-scheduler')],
  'system:node-proxier': [user('system:kube-proxy')],
  'system:kube-dns': [{ kind: 'ServiceAccount', name: 'kube-dns', namespace: 'kube-system' }],
};

/** The roles and bindings that every cluster starts with (plugin/pkg/auth/authorizer/rbac/bootstrappolicy). */
export function bootstrapRoles(): KubeObject[] {
  const metadata = (name: string): KubeObject['metadata'] => ({
    name,
    labels: DEFAULT_LABELS,
    annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  });
  const roles = Object.entries(CLUSTER_ROLES).map(
    ([name, rules]) =>
      ({
        apiVersion: API,
        kind: 'ClusterRole',
        metadata: metadata(name),
        ...(AGGREGATED[name] === undefined
          ? {}
          : { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [AGGREGATED[name]]: 'true' } }] } }),
        rules,
      }) as KubeObject,
  );
  const bindings = Object.entries(CLUSTER_BINDINGS).map(
    ([name, subjects]) =>
      ({
        apiVersion: API,
        kind: 'ClusterRoleBinding',
        metadata: metadata(name),
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects,
      }) as KubeObject,
  );
  const aggregated = Object.entries(AGGREGATED).map(
    ([name, label]) =>
      ({
        apiVersion: API,
        kind: 'ClusterRole',
        metadata: { ...metadata(`system:aggregate-to-${name}`), labels: { ...DEFAULT_LABELS, [label]: 'true' } },
        rules: CLUSTER_ROLES[name] ?? [],
      }) as KubeObject,
  );
  return [...roles, ...aggregated, ...bindings];
}
