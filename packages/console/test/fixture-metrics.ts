/** The series of the fixture: one small app in a mesh, with a daily wave and a burst of errors, the same for the same time. */

export interface FixtureSeries {
  labels: Record<string, string>;
  counter: boolean;
  /** Per second for counters, the value for gauges. */
  at(second: number): number;
}

export const noise = (seed: number, second: number): number => {
  const x = Math.sin(seed * 127.1 + Math.floor(second / 5) * 311.7) * 43758.5453;
  return x - Math.floor(x);
};

const wave = (base: number, seed: number) => (second: number) =>
  Math.max(
    0,
    base * (1 + 0.35 * Math.sin(second / 210 + seed) + 0.12 * Math.sin(second / 37 + seed * 3)) +
      base * 0.12 * (noise(seed, second) - 0.5),
  );

function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const y =
    1 -
    ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * Math.exp(-x * x);
  return x >= 0 ? y : -y;
}
const cdf = (value: number, median: number, sigma: number): number =>
  value === Number.POSITIVE_INFINITY ? 1 : 0.5 * (1 + erf((Math.log(value) - Math.log(median)) / (sigma * Math.SQRT2)));

const list: FixtureSeries[] = [];
let seed = 0;
const nextSeed = (): number => {
  seed += 1;
  return seed;
};
const counter = (name: string, labels: Record<string, string>, base: number, at = wave(base, nextSeed())): void => {
  list.push({ labels: { __name__: name, ...labels }, counter: true, at });
};
const gauge = (name: string, labels: Record<string, string>, at: (second: number) => number): void => {
  list.push({ labels: { __name__: name, ...labels }, counter: false, at });
};
function histogram(
  name: string,
  labels: Record<string, string>,
  base: number,
  median: number,
  sigma: number,
  bounds: number[],
): void {
  seed += 1;
  const own = seed;
  const total = wave(base, own);
  for (const le of [...bounds, Number.POSITIVE_INFINITY])
    list.push({
      labels: { __name__: `${name}_bucket`, ...labels, le: le === Number.POSITIVE_INFINITY ? '+Inf' : String(le) },
      counter: true,
      at: (second) => total(second) * cdf(le, median * (1 + 0.25 * Math.sin(second / 160 + own)), sigma),
    });
  counter(`${name}_count`, labels, base, total);
  counter(`${name}_sum`, labels, base, (second) => total(second) * median * 1.2);
}

export const WORKLOADS = [
  { app: 'front-end', namespace: 'default', pods: ['front-end-6d8f7c9b54-2kq8x', 'front-end-6d8f7c9b54-h7wzt'] },
  { app: 'business-logic', namespace: 'default', pods: ['business-logic-7b5c6d4f98-9xvmp'] },
] as const;

interface Edge {
  source: string;
  sourceNs: string;
  destination: string;
  service: string;
  ns: string;
  rate: number;
  errors?: number;
  median: number;
  plain?: boolean;
}
const EDGES: Edge[] = [
  {
    source: 'istio-ingressgateway',
    sourceNs: 'istio-system',
    destination: 'front-end',
    service: 'front-end',
    ns: 'default',
    rate: 4.2,
    errors: 0.05,
    median: 38,
  },
  {
    source: 'front-end',
    sourceNs: 'default',
    destination: 'business-logic',
    service: 'business-logic',
    ns: 'default',
    rate: 3.9,
    errors: 0.22,
    median: 28,
  },
  {
    source: 'front-end',
    sourceNs: 'default',
    destination: 'jaeger',
    service: 'zipkin',
    ns: 'istio-system',
    rate: 0.8,
    median: 4,
    plain: true,
  },
  {
    source: 'business-logic',
    sourceNs: 'default',
    destination: 'jaeger',
    service: 'zipkin',
    ns: 'istio-system',
    rate: 0.7,
    median: 4,
    plain: true,
  },
];
const MS_BOUNDS = [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000];
const S_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

for (const edge of EDGES)
  for (const reporter of ['source', 'destination']) {
    if (reporter === 'destination' && edge.plain) continue;
    const labels = {
      reporter,
      source_workload: edge.source,
      source_workload_namespace: edge.sourceNs,
      source_app: edge.source,
      source_version: 'v1',
      source_canonical_service: edge.source,
      source_canonical_revision: 'v1',
      source_principal:
        reporter === 'destination' ? `spiffe://cluster.local/ns/${edge.sourceNs}/sa/${edge.source}` : 'unknown',
      destination_workload: edge.destination,
      destination_workload_namespace: edge.ns,
      destination_app: edge.destination,
      destination_version: 'v1',
      destination_canonical_service: edge.destination,
      destination_canonical_revision: 'v1',
      destination_service: `${edge.service}.${edge.ns}.svc.cluster.local`,
      destination_service_name: edge.service,
      destination_service_namespace: edge.ns,
      request_protocol: 'http',
      response_flags: '-',
      connection_security_policy: reporter === 'source' ? 'unknown' : edge.plain ? 'none' : 'mutual_tls',
    };
    counter('istio_requests_total', { ...labels, response_code: '200' }, edge.rate);
    if (edge.errors) counter('istio_requests_total', { ...labels, response_code: '500' }, edge.errors);
    if (edge.errors) counter('istio_requests_total', { ...labels, response_code: '404' }, edge.errors / 3);
    histogram(
      'istio_request_duration_milliseconds',
      { ...labels, response_code: '200' },
      edge.rate,
      edge.median,
      1.1,
      MS_BOUNDS,
    );
    counter('istio_request_bytes_sum', { ...labels, response_code: '200' }, edge.rate * 420);
    counter('istio_response_bytes_sum', { ...labels, response_code: '200' }, edge.rate * 2100);
  }

const VIEWS = [
  { view: '/fast-endpoint', rate: 3.1, median: 0.012, sigma: 0.6 },
  { view: '/slow-endpoint', rate: 0.8, median: 3.02, sigma: 0.05 },
];
for (const view of VIEWS) {
  const base = {
    app: 'business-logic',
    namespace: 'default',
    pod: WORKLOADS[1].pods[0],
    job: 'kubernetes-pods',
    method: 'GET',
    view: view.view,
  };
  counter('http_requests_total', { ...base, transport: 'http' }, view.rate);
  counter('http_responses_total', { ...base, transport: 'http', status: '200' }, view.rate);
  counter('http_responses_total', { ...base, transport: 'http', status: '404' }, view.rate / 60);
  counter('http_responses_total', { ...base, transport: 'http', status: '500' }, view.rate / 40);
  histogram('http_request_duration_seconds', base, view.rate, view.median, view.sigma, S_BOUNDS);
  counter(
    'http_exceptions_total',
    { app: base.app, namespace: base.namespace, pod: base.pod, type: 'TransformationError', view: view.view },
    0.02,
  );
  histogram('http_request_body_bytes', base, view.rate, 60, 0.5, [16, 64, 256, 1024, 4096, 16384]);
  histogram('http_response_body_bytes', base, view.rate, 700, 0.7, [16, 64, 256, 1024, 4096, 16384]);
}
for (const workload of WORKLOADS)
  for (const [index, pod] of workload.pods.entries()) {
    const labels = {
      namespace: workload.namespace,
      pod,
      container: workload.app,
      node: `kind-e2e-worker${index === 0 ? '' : String(index + 1)}`,
    };
    counter('container_cpu_usage_seconds_total', labels, 0.042);
    gauge('container_memory_working_set_bytes', labels, (second) => 62e6 + 6e6 * Math.sin(second / 300 + index));
    gauge('kube_pod_info', labels, () => 1);
    gauge('kube_pod_status_phase', { ...labels, phase: 'Running' }, () => 1);
    gauge('kube_pod_container_status_restarts_total', labels, () => index);
  }
for (const [index, app] of [
  'istio-ingressgateway',
  'jaeger',
  'prometheus',
  'loki',
  'grafana',
  'kiali',
  'front-end',
  'business-logic',
].entries()) {
  gauge(
    'up',
    {
      job: 'kubernetes-pods',
      app,
      namespace: index < 6 ? 'istio-system' : 'default',
      instance: `127.32.0.${index + 4}:15090`,
    },
    () => 1,
  );
  gauge('scrape_duration_seconds', { job: 'kubernetes-pods', app }, (second) => 0.004 + 0.003 * noise(index, second));
  gauge(
    'process_resident_memory_bytes',
    { job: 'kubernetes-pods', app },
    (second) => 50e6 + 1e6 * index + 2e6 * noise(index, second),
  );
}
gauge('kind_e2e_build_info', { version: '0.1.0' }, () => 1);

export const FIXTURE_SERIES: readonly FixtureSeries[] = list;
