/** The objects of the fixture's cluster. Long because it is a table of data. */
import { nowMs } from './fixture-clock.ts';
import { WORKLOADS } from './fixture-metrics.ts';

type Json = Record<string, unknown>;
const ago = (minutes: number): string =>
  new Date(Math.floor((nowMs() - minutes * 60_000) / 1000) * 1000).toISOString().replace('.000', '');

function meta(name: string, namespace: string | undefined, minutes: number, extra: Json = {}): Json {
  return {
    name,
    ...(namespace ? { namespace } : {}),
    uid: `uid-${namespace ?? ''}-${name}`,
    resourceVersion: '4711',
    creationTimestamp: ago(minutes),
    ...extra,
  };
}

const NODE_NAMES = [
  'kind-e2e-control-plane',
  'kind-e2e-control-plane2',
  'kind-e2e-control-plane3',
  'kind-e2e-worker',
  'kind-e2e-worker2',
  'kind-e2e-worker3',
];

const nodes = (): Json[] =>
  NODE_NAMES.map((name, index) => ({
    metadata: meta(name, undefined, 62, {
      labels: { 'kubernetes.io/hostname': name, ...(index < 3 ? { 'node-role.kubernetes.io/control-plane': '' } : {}) },
    }),
    spec: {
      podCIDR: `127.32.${index + 1}.0/24`,
      ...(index < 3 ? { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] } : {}),
    },
    status: {
      capacity: { cpu: '2', memory: '8Gi', pods: '110' },
      allocatable: { cpu: '2', memory: '8Gi', pods: '110' },
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastTransitionTime: ago(61) }],
      addresses: [
        { type: 'InternalIP', address: `127.32.0.${index + 20}` },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: {
        kubeletVersion: 'v1.36.0',
        osImage: 'kind-e2e',
        containerRuntimeVersion: 'process://0.1.0',
        architecture: 'amd64',
      },
    },
  }));

interface App {
  name: string;
  namespace: string;
  pods: readonly string[];
  image: string;
  port: number;
}
/** The pipeline's controller: only its endpoints are here. */
const JENKINS: App = { name: 'jenkins', namespace: 'jenkins', pods: ['jenkins-0'], image: 'jenkins:0.1.0', port: 8080 };
const APPS: App[] = [
  ...WORKLOADS.map((item) => ({
    name: item.app,
    namespace: item.namespace,
    pods: item.pods,
    image: `localhost:5001/${item.app}:0.1.0`,
    port: item.app === 'front-end' ? 8080 : 8000,
  })),
  {
    name: 'istio-ingressgateway',
    namespace: 'istio-system',
    pods: ['istio-ingressgateway-5c9d8b7f6d-lq2n4'],
    image: 'localhost:5001/data-plane:0.1.0',
    port: 80,
  },
  {
    name: 'observability',
    namespace: 'istio-system',
    pods: ['observability-86c7b9f5d4-v8r6k'],
    image: 'localhost:5001/observability:0.1.0',
    port: 16686,
  },
];

function pods(): Json[] {
  const list: Json[] = APPS.flatMap((app) =>
    app.pods.map((name, index) => ({
      metadata: meta(name, app.namespace, 48 - index * 20, {
        labels: { app: app.name, version: 'v1', 'pod-template-hash': name.split('-').at(-2) },
        annotations:
          app.namespace === 'default'
            ? { 'sidecar.istio.io/status': '{"containers":["istio-proxy"]}', 'prometheus.io/scrape': 'true' }
            : {},
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: name.split('-').slice(0, -1).join('-'), uid: 'rs' },
        ],
      }),
      spec: {
        nodeName: NODE_NAMES[3 + (index % 3)],
        serviceAccountName: app.name,
        containers: [
          {
            name: app.name,
            image: app.image,
            ports: [{ containerPort: app.port }],
            resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '128Mi' } },
          },
        ],
      },
      status: {
        phase: 'Running',
        podIP: `127.32.4.${index + 6}`,
        startTime: ago(48 - index * 20),
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [
          {
            name: app.name,
            ready: true,
            restartCount: index,
            image: app.image,
            state: { running: { startedAt: ago(47) } },
          },
        ],
      },
    })),
  );
  list.push({
    metadata: meta('report-28913-x2x9p', 'default', 6, {
      labels: { app: 'report' },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'report-28913', uid: 'job' }],
    }),
    spec: { nodeName: NODE_NAMES[4], containers: [{ name: 'report', image: 'localhost:5001/report:0.0.9' }] },
    status: {
      phase: 'Pending',
      containerStatuses: [
        {
          name: 'report',
          ready: false,
          restartCount: 0,
          image: 'localhost:5001/report:0.0.9',
          state: {
            waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "localhost:5001/report:0.0.9"' },
          },
        },
      ],
    },
  });
  return list;
}

const deployments = (): Json[] =>
  APPS.map((app) => ({
    metadata: meta(app.name, app.namespace, 60, {
      generation: 2,
      labels: { app: app.name },
      annotations: { 'deployment.kubernetes.io/revision': '2', 'meta.helm.sh/release-name': 'app' },
    }),
    spec: {
      replicas: app.pods.length,
      selector: { matchLabels: { app: app.name } },
      strategy: { type: 'RollingUpdate' },
      template: {
        metadata: { labels: { app: app.name, version: 'v1' } },
        spec: { containers: [{ name: app.name, image: app.image }] },
      },
    },
    status: {
      observedGeneration: 2,
      replicas: app.pods.length,
      readyReplicas: app.pods.length,
      updatedReplicas: app.pods.length,
      availableReplicas: app.pods.length,
      conditions: [{ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' }],
    },
  }));

const replicasets = (): Json[] =>
  APPS.flatMap((app) =>
    [1, 2].map((revision) => {
      const name = revision === 2 ? (app.pods[0] ?? '').split('-').slice(0, -1).join('-') : `${app.name}-59c8f6b7d5`;
      return {
        metadata: meta(name, app.namespace, revision === 2 ? 48 : 60, {
          labels: { app: app.name },
          annotations: { 'deployment.kubernetes.io/revision': String(revision) },
          ownerReferences: [
            {
              apiVersion: 'apps/v1',
              kind: 'Deployment',
              name: app.name,
              uid: `uid-${app.namespace}-${app.name}`,
              controller: true,
            },
          ],
        }),
        spec: {
          replicas: revision === 2 ? app.pods.length : 0,
          template: {
            metadata: { labels: { app: app.name, 'pod-template-hash': name.split('-').at(-1) } },
            spec: {
              containers: [{ name: app.name, image: app.image.replace('0.1.0', revision === 2 ? '0.1.0' : '0.0.9') }],
            },
          },
        },
        status: { replicas: revision === 2 ? app.pods.length : 0, readyReplicas: revision === 2 ? app.pods.length : 0 },
      };
    }),
  );

const services = (): Json[] =>
  [
    ...APPS.map((app) => [app.name, app.namespace, app.port] as const),
    ['zipkin', 'istio-system', 9411] as const,
    ['tracing', 'istio-system', 80] as const,
    ['prometheus', 'istio-system', 9090] as const,
    ['loki', 'istio-system', 3100] as const,
    ['grafana', 'istio-system', 3000] as const,
    ['kiali', 'istio-system', 20001] as const,
    ['kubernetes', 'default', 443] as const,
  ].map(([name, namespace, port], index) => ({
    metadata: meta(name, namespace, 61, { labels: { app: name } }),
    spec: {
      type: name === 'istio-ingressgateway' ? 'LoadBalancer' : 'ClusterIP',
      clusterIP: `127.33.0.${index + 2}`,
      selector: { app: name },
      ports: [{ name: 'http', port, targetPort: port, protocol: 'TCP' }],
    },
  }));

const events = (): Json[] =>
  [
    [
      'Normal',
      'Scheduled',
      'Pod',
      'front-end-6d8f7c9b54-h7wzt',
      'Successfully assigned default/front-end-6d8f7c9b54-h7wzt to kind-e2e-worker2',
      28,
      1,
    ],
    [
      'Normal',
      'Pulled',
      'Pod',
      'front-end-6d8f7c9b54-h7wzt',
      'Container image "localhost:5001/front-end:0.1.0" already present on machine',
      28,
      1,
    ],
    ['Normal', 'Started', 'Pod', 'front-end-6d8f7c9b54-h7wzt', 'Started container front-end', 27, 1],
    [
      'Warning',
      'Failed',
      'Pod',
      'report-28913-x2x9p',
      'Failed to pull image "localhost:5001/report:0.0.9": manifest unknown',
      1,
      9,
    ],
    [
      'Warning',
      'Unhealthy',
      'Pod',
      'business-logic-7b5c6d4f98-9xvmp',
      'Readiness probe failed: HTTP probe failed with statuscode: 503',
      47,
      2,
    ],
    [
      'Normal',
      'ScalingReplicaSet',
      'Deployment',
      'front-end',
      'Scaled up replica set front-end-6d8f7c9b54 from 1 to 2',
      28,
      1,
    ],
  ].map(([type, reason, kind, name, message, minutes, count], index) => ({
    metadata: meta(`event-${index}`, 'default', Number(minutes)),
    type,
    reason,
    message,
    count,
    lastTimestamp: ago(Number(minutes)),
    firstTimestamp: ago(Number(minutes) + 2),
    involvedObject: { kind, name, namespace: 'default' },
    source: { component: 'kubelet' },
  }));

const istio = (kind: string): Json[] =>
  kind === 'virtualservices'
    ? [
        {
          metadata: meta('app', 'default', 60),
          spec: {
            hosts: ['*'],
            gateways: ['app'],
            http: [
              {
                match: [{ uri: { prefix: '/demo-app/' } }],
                rewrite: { uri: '/' },
                route: [{ destination: { host: 'front-end', port: { number: 8080 } } }],
              },
            ],
          },
        },
        {
          metadata: meta('dashboards', 'istio-system', 60),
          spec: {
            hosts: ['*'],
            gateways: ['default/app'],
            http: [
              {
                match: [{ uri: { prefix: '/jaeger' } }],
                route: [{ destination: { host: 'tracing', port: { number: 80 } } }],
              },
            ],
          },
        },
        {
          metadata: meta('reviews-typo', 'default', 12),
          spec: {
            hosts: ['bussiness-logic'],
            http: [
              {
                route: [
                  { destination: { host: 'bussiness-logic', subset: 'v9' }, weight: 80 },
                  { destination: { host: 'business-logic' }, weight: 10 },
                ],
              },
            ],
          },
        },
      ]
    : kind === 'gateways'
      ? [
          {
            metadata: meta('app', 'default', 60),
            spec: {
              selector: { istio: 'ingressgateway' },
              servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
            },
          },
        ]
      : kind === 'peerauthentications'
        ? [{ metadata: meta('default', 'istio-system', 60), spec: { mtls: { mode: 'STRICT' } } }]
        : kind === 'telemetries'
          ? [
              {
                metadata: meta('mesh-default', 'istio-system', 60),
                spec: { tracing: [{ providers: [{ name: 'zipkin' }], randomSamplingPercentage: 100 }] },
              },
            ]
          : [];

const releases = (): Json[] =>
  [1, 2].map((version) => ({
    metadata: meta(`sh.helm.release.v1.app.v${version}`, 'default', version === 1 ? 60 : 48, {
      labels: {
        owner: 'helm',
        name: 'app',
        version: String(version),
        status: version === 2 ? 'deployed' : 'superseded',
        modifiedAt: String(Math.floor(nowMs() / 1000) - 48 * 60),
      },
    }),
    type: 'helm.sh/release.v1',
  }));

const metricsOf = (list: Json[], isNode: boolean): Json[] =>
  list.map((item, index) => {
    const usage = { cpu: `${(23 + index * 7) * 1_000_000}n`, memory: `${61_000 + index * 3_300}Ki` };
    return {
      metadata: item.metadata as Json,
      timestamp: ago(0),
      window: '15s',
      ...(isNode ? { usage } : { containers: [{ name: 'app', usage }] }),
    };
  });

/** Objects of a plural; undefined when the fixture's API has no such resource. */
export function fixtureObjects(group: string, plural: string): Json[] | undefined {
  if (group === 'metrics.k8s.io') return plural === 'nodes' ? metricsOf(nodes(), true) : metricsOf(pods(), false);
  if (group.endsWith('istio.io')) return istio(plural);
  const table: Record<string, () => Json[]> = {
    nodes,
    pods,
    deployments,
    replicasets,
    services,
    events,
    namespaces: () =>
      ['default', 'istio-system', 'jenkins', 'kube-node-lease', 'kube-public', 'kube-system'].map((name) => ({
        metadata: meta(name, undefined, 62, {
          labels: {
            'kubernetes.io/metadata.name': name,
            ...(name === 'default' ? { 'istio-injection': 'enabled' } : {}),
          },
        }),
        status: { phase: 'Active' },
      })),
    configmaps: () => [{ metadata: meta('kube-root-ca.crt', 'default', 62), data: { 'ca.crt': '…' } }],
    secrets: releases,
    statefulsets: () => [],
    daemonsets: () => [],
    cronjobs: () => [],
    serviceaccounts: () => [],
    jobs: () => [{ metadata: meta('report-28913', 'default', 6), spec: { completions: 1 }, status: { active: 1 } }],
    endpointslices: () =>
      [...APPS, JENKINS].map((app) => ({
        metadata: meta(`${app.name}-abcde`, app.namespace, 60, { labels: { 'kubernetes.io/service-name': app.name } }),
        addressType: 'IPv4',
        endpoints: app.pods.map((name, index) => ({
          addresses: [`127.32.4.${index + 6}`],
          conditions: { ready: true },
          targetRef: { kind: 'Pod', name, namespace: app.namespace },
        })),
        ports: [{ name: 'http', port: app.port }],
      })),
    horizontalpodautoscalers: () => [
      {
        metadata: meta('front-end', 'default', 60),
        spec: {
          minReplicas: 1,
          maxReplicas: 4,
          scaleTargetRef: { kind: 'Deployment', name: 'front-end' },
          metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 70 } } }],
        },
        status: {
          currentReplicas: 2,
          currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 34 } } }],
        },
      },
    ],
    poddisruptionbudgets: () => [],
  };
  return table[plural]?.();
}
