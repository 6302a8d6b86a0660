import type { ResourceName } from '../api/kubernetes.ts';

export const KIND_GROUPS: readonly { label: string; kinds: readonly { name: ResourceName; label: string }[] }[] = [
  {
    label: 'Workloads',
    kinds: [
      { name: 'pods', label: 'Pods' },
      { name: 'deployments', label: 'Deployments' },
      { name: 'replicasets', label: 'ReplicaSets' },
      { name: 'statefulsets', label: 'StatefulSets' },
      { name: 'daemonsets', label: 'DaemonSets' },
      { name: 'jobs', label: 'Jobs' },
      { name: 'cronjobs', label: 'CronJobs' },
      { name: 'horizontalpodautoscalers', label: 'Autoscalers' },
      { name: 'poddisruptionbudgets', label: 'Disruption budgets' },
    ],
  },
  {
    label: 'Cluster',
    kinds: [
      { name: 'nodes', label: 'Nodes' },
      { name: 'namespaces', label: 'Namespaces' },
      { name: 'events', label: 'Events' },
    ],
  },
  {
    label: 'Network and data',
    kinds: [
      { name: 'services', label: 'Services' },
      { name: 'endpointslices', label: 'EndpointSlices' },
      { name: 'configmaps', label: 'ConfigMaps' },
      { name: 'secrets', label: 'Secrets' },
      { name: 'serviceaccounts', label: 'ServiceAccounts' },
    ],
  },
];

export const ALL_KINDS: readonly ResourceName[] = KIND_GROUPS.flatMap((group) => group.kinds.map((kind) => kind.name));
