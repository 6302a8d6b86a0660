import {
  IconChartHistogram,
  IconGitBranch,
  IconHome2,
  IconLayoutDashboard,
  IconSearch,
  IconServer2,
  IconTimeline,
  IconTopologyStar3,
  IconWorld,
} from '@tabler/icons-react';

export interface NavEntry {
  label: string;
  path: string;
  icon: typeof IconHome2;
  /** Second key after `g`. */
  key: string;
  /** Outside of the console: an ordinary page load. */
  external?: boolean;
  /** Addresses that belong to the entry. */
  match: (path: string) => boolean;
  description: string;
}

const under =
  (...prefixes: string[]) =>
  (path: string) =>
    prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));

export const NAVIGATION: readonly NavEntry[] = [
  {
    label: 'Home',
    path: '/',
    icon: IconHome2,
    key: 'h',
    match: (path) => path === '/',
    description: 'What runs and how it is',
  },
  {
    label: 'Website',
    path: '/demo-app/',
    icon: IconWorld,
    key: 'w',
    external: true,
    match: () => false,
    description: 'The app itself',
  },
  {
    label: 'Traces',
    path: '/jaeger',
    icon: IconTimeline,
    key: 't',
    match: under('/jaeger'),
    description: 'Search and read traces',
  },
  {
    label: 'Dashboards',
    path: '/grafana',
    icon: IconLayoutDashboard,
    key: 'd',
    match: (path) => under('/grafana')(path) && !under('/grafana/explore')(path),
    description: 'Grafana dashboards',
  },
  {
    label: 'Explore',
    path: '/grafana/explore',
    icon: IconSearch,
    key: 'e',
    match: under('/grafana/explore'),
    description: 'Logs and metrics by query',
  },
  {
    label: 'Metrics',
    path: '/prometheus',
    icon: IconChartHistogram,
    key: 'p',
    match: under('/prometheus'),
    description: 'Prometheus: query, targets, alerts',
  },
  {
    label: 'Mesh',
    path: '/kiali',
    icon: IconTopologyStar3,
    key: 'm',
    match: under('/kiali'),
    description: 'Traffic graph and Istio objects',
  },
  {
    label: 'Cluster',
    path: '/cluster',
    icon: IconServer2,
    key: 'c',
    match: under('/cluster'),
    description: 'Nodes, workloads, pods, events',
  },
  {
    label: 'Pipelines',
    path: '/jenkins',
    icon: IconGitBranch,
    key: 'i',
    match: under('/jenkins'),
    description: 'Builds',
  },
];
