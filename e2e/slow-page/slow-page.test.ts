import type { Lab, LabTrace } from '@kind-e2e/lab';
import { beforeAll, describe, expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';

const PROXY_TAGS = [
  'node_id',
  'istio.canonical_service',
  'istio.canonical_revision',
  'istio.mesh_id',
  'istio.namespace',
  'http.method',
  'http.url',
  'http.status_code',
  'http.protocol',
  'upstream_cluster',
  'response_flags',
  'request_size',
  'response_size',
  'user_agent',
  'guid:x-request-id',
  'peer.address',
];
/** Clocks of one machine, but spans are rounded to microseconds and written by three processes. */
const ROUNDING_MS = 2;

describe('one slow page', () => {
  let lab: Lab;
  let trace: LabTrace;
  let traceId: string;

  beforeAll(async () => {
    lab = await sharedLab();
    const answer = await lab.request('/demo-app/slow-page');
    expect(answer.status, answer.text).toBe(200);
    expect(answer.durationMs).toBeGreaterThanOrEqual(3_000);
    traceId = answer.traceId ?? '';
    trace = await lab.telemetry.waitForTrace(traceId, { minSpans: 11 });
  });

  it('gives one trace of five services and depth nine', () => {
    expect(trace.services).toEqual([
      'business-logic',
      'business-logic.default',
      'front-end',
      'front-end.default',
      'istio-ingressgateway.istio-system',
    ]);
    expect(trace.roots).toHaveLength(1);
    const transformation = trace.find({ name: 'data_transformation' });
    expect(transformation && trace.pathOf(transformation), String(trace)).toEqual([
      'istio-ingressgateway.istio-system: front-end.default.svc.cluster.local:8080/demo-app/*',
      'front-end.default: front-end.default.svc.cluster.local:8080/*',
      'front-end: GET /slow-page',
      'front-end: slow-page-custom-span',
      expect.stringMatching(/^front-end: (HTTP )?GET$/),
      'front-end.default: business-logic.default.svc.cluster.local:8000/*',
      'business-logic.default: business-logic.default.svc.cluster.local:8000/*',
      'business-logic: GET /slow-endpoint',
      'business-logic: data_transformation',
    ]);
    expect(transformation?.durationMs).toBeGreaterThanOrEqual(2_990);
  });

  it('has the kinds of the reference', () => {
    const kinds = (service: string): string[] =>
      trace.spans.filter((span) => span.service === service).map((span) => span.kind);
    expect(kinds('istio-ingressgateway.istio-system')).toEqual(['client']);
    expect(kinds('front-end.default').sort()).toEqual(['client', 'server']);
    expect(kinds('business-logic.default')).toEqual(['server']);
    expect(trace.find({ service: 'front-end', name: 'request handler - /slow-page' })?.kind).toBe('internal');
    expect(trace.find({ service: 'front-end', name: 'GET /slow-page' })?.kind).toBe('server');
  });

  it('has every parent, and parents that contain their children', () => {
    for (const span of trace.spans) {
      const parent = trace.parentOf(span);
      if (span.parentSpanId === '') continue;
      expect(parent, `parent of ${span.name}\n${trace}`).toBeDefined();
      if (!parent) continue;
      expect(span.startMs, `${span.name} starts before ${parent.name}`).toBeGreaterThanOrEqual(
        parent.startMs - ROUNDING_MS,
      );
      expect(span.startMs + span.durationMs, `${span.name} ends after ${parent.name}`).toBeLessThanOrEqual(
        parent.startMs + parent.durationMs + ROUNDING_MS,
      );
    }
  });

  it("carries Istio's tags on the proxies' spans", () => {
    const proxySpans = trace.spans.filter((span) => span.tags.component === 'proxy');
    expect(proxySpans).toHaveLength(4);
    for (const span of proxySpans)
      expect(Object.keys(span.tags), `${span.service}: ${span.name}`).toEqual(expect.arrayContaining(PROXY_TAGS));
  });

  it('has a log line with the same ids, found by the trace id', async () => {
    const lines = await lab.telemetry.waitForLines(`{app="business-logic"} |= "${traceId}"`);
    const line = lines.find(({ line: text }) => text.includes('data_transformation'));
    expect(line?.line).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO \[views\] \[views\.ts:\d+\] \[trace_id=[0-9a-f]{32} span_id=[0-9a-f]{16} resource\.service\.name=business-logic\] - Calling the slow function 'data_transformation'$/,
    );
    expect(/(?:trace_id)=(\w+)/.exec(line?.line ?? '')?.[1]).toBe(traceId);
    const spanId = /span_id=(\w+)/.exec(line?.line ?? '')?.[1];
    expect(trace.spans.find((span) => span.spanId === spanId)?.service).toBe('business-logic');
    expect(line?.labels).toMatchObject({ namespace: 'default', container: 'business-logic', app: 'business-logic' });
    expect(line?.labels.pod).toMatch(/^business-logic-/);
    expect(line?.labels.node_name).toMatch(/^worker-/);
  });

  it("has the graph's edges in Istio's metrics", async () => {
    const edges = [
      ['istio-ingressgateway', 'front-end', 'front-end'],
      ['front-end', 'business-logic', 'business-logic'],
      ['front-end', 'zipkin', 'jaeger'],
      ['business-logic', 'zipkin', 'jaeger'],
    ];
    for (const [source, service, destination] of edges)
      await lab.telemetry.waitForSamples(
        `sum(istio_requests_total{reporter="source",source_workload="${source}",destination_service_name="${service}",destination_workload="${destination}"})`,
      );
    const mtls = await lab.telemetry.promql(
      'sum by (connection_security_policy) (istio_requests_total{reporter="destination",destination_workload="business-logic",response_code="200"})',
    );
    expect(mtls.some(({ labels }) => labels.connection_security_policy === 'mutual_tls')).toBe(true);
    const p95 = await lab.telemetry.waitForSamples(
      'histogram_quantile(0.95, sum by (le) (istio_request_duration_milliseconds_bucket{reporter="destination",destination_workload="business-logic",request_protocol="http"}))',
    );
    expect(p95[0]?.value).toBeGreaterThan(0);
  });

  it("has kube-state-metrics' families of the app's objects", async () => {
    const [sample] = await lab.telemetry.waitForSamples(
      'kube_deployment_status_replicas_ready{deployment="business-logic"}',
    );
    expect(sample?.labels).toMatchObject({ namespace: 'default', job: 'kube-state-metrics' });
    await lab.telemetry.waitForSamples('sum(kube_pod_status_phase{phase="Running"}) by (namespace)');
    // As the usual dashboards join them: requests of running pods, by node.
    await lab.telemetry.waitForSamples(
      'count by (node) (kube_pod_info{node!=""} * on (namespace, pod) group_left (phase) (kube_pod_status_phase{phase="Running"} == 1))',
    );
  });

  it("has the app's metrics with exemplars that name the trace", async () => {
    const exemplars = async (): Promise<string> => {
      const now = Date.now() / 1_000;
      const query = new URLSearchParams({
        query: 'http_request_duration_seconds_bucket{app="business-logic"}',
        start: String(now - 600),
        end: String(now + 60),
      });
      return (await lab.request(`/prometheus/api/v1/query_exemplars?${query}`)).text;
    };
    await expect.poll(exemplars, { timeout: 30_000 }).toContain(`"trace_id":"${traceId}"`);
  });

  it.each(['/', '/demo-app/', '/grafana', '/jaeger', '/kiali', '/prometheus', '/jenkins'])(
    'is looked at under %s, by a client that takes anything',
    async (path) => {
      const answer = await lab.request(path, { headers: { accept: '*/*' } });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    },
  );
});
