import type { PolicyRule } from './rbac-rules.ts';

function rule(apiGroups: readonly string[], resources: readonly string[], verbs: readonly string[]): PolicyRule {
  return { apiGroups, resources, verbs, resourceNames: [], nonResourceURLs: [] };
}

/** What kubelets do (`bootstrappolicy.NodeRules`). */
export const NODE_RULES: readonly PolicyRule[] = [
  rule(['authentication.k8s.io'], ['tokenreviews'], ['create']),
  rule(['authorization.k8s.io'], ['localsubjectaccessreviews', 'subjectaccessreviews'], ['create']),
  rule([''], ['services'], ['get', 'list', 'watch']),
  rule([''], ['nodes'], ['create', 'get', 'list', 'watch', 'update', 'patch']),
  rule([''], ['nodes/status'], ['update', 'patch']),
  rule([''], ['events'], ['create', 'update', 'patch']),
  rule(['events.k8s.io'], ['events'], ['create', 'update', 'patch']),
  rule([''], ['pods'], ['get', 'list', 'watch', 'create', 'delete']),
  rule([''], ['pods/status'], ['update', 'patch']),
  rule([''], ['pods/eviction'], ['create']),
  rule([''], ['configmaps', 'secrets'], ['get', 'list', 'watch']),
  rule([''], ['persistentvolumeclaims', 'persistentvolumes'], ['get', 'list', 'watch']),
  rule([''], ['persistentvolumeclaims/status'], ['get', 'update', 'patch']),
  rule([''], ['endpoints'], ['get']),
  rule([''], ['namespaces'], ['get', 'list', 'watch']),
  rule([''], ['serviceaccounts'], ['get']),
  rule([''], ['serviceaccounts/token'], ['create']),
  rule(['certificates.k8s.io'], ['certificatesigningrequests'], ['create', 'get', 'list', 'watch']),
  rule(['coordination.k8s.io'], ['leases'], ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']),
  rule(['storage.k8s.io'], ['volumeattachments'], ['get']),
  rule(['storage.k8s.io'], ['csidrivers'], ['get', 'list', 'watch']),
  rule(['storage.k8s.io'], ['csinodes'], ['create', 'delete', 'get', 'patch', 'update']),
  rule(['node.k8s.io'], ['runtimeclasses'], ['get', 'list', 'watch']),
  rule(['scheduling.k8s.io'], ['priorityclasses'], ['get', 'list', 'watch']),
  rule(['discovery.k8s.io'], ['endpointslices'], ['get', 'list', 'watch']),
  {
    apiGroups: [],
    resources: [],
    verbs: ['get'],
    resourceNames: [],
    nonResourceURLs: [
      '/api',
      '/api/*',
      '/apis',
      '/apis/*',
      '/openapi',
      '/openapi/*',
      '/healthz',
      '/livez',
      '/readyz',
      '/version',
    ],
  },
];
