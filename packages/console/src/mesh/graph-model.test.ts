import { expect, it } from 'vitest';
import { parseQuery } from '../../test/fixture-promql.ts';
import type { Series } from '../api/prometheus.ts';
import { buildMeshGraph, healthOf, type MeshInput, meshQueries, withoutTools } from './graph-model.ts';

function answers(window: string): MeshInput {
  const ask = (query: string): Series[] => {
    const value = parseQuery(query)(1_768_216_000);
    return typeof value === 'number'
      ? []
      : value.map((point) => ({ labels: point.labels, times: [1], values: [point.value] }));
  };
  const queries = meshQueries(window);
  return { requests: ask(queries.requests), p50: ask(queries.p50), p95: ask(queries.p95), tcp: ask(queries.tcp) };
}

it('draws the graph of the slow page', () => {
  const graph = buildMeshGraph(answers('5m'), 'workload');
  expect(graph.edges.map((edge) => edge.id)).toEqual([
    'service:default/business-logic→workload:default/business-logic',
    'service:default/front-end→workload:default/front-end',
    'service:istio-system/zipkin→workload:istio-system/jaeger',
    'workload:default/business-logic→service:istio-system/zipkin',
    'workload:default/front-end→service:default/business-logic',
    'workload:default/front-end→service:istio-system/zipkin',
    'workload:istio-system/istio-ingressgateway→service:default/front-end',
  ]);
  const edge = graph.edges.find((item) => item.id.endsWith('service:default/business-logic'));
  expect(edge?.mtls).toBe(1);
  expect(edge?.p95).toBeGreaterThan(edge?.p50 ?? Number.POSITIVE_INFINITY);
  expect(edge?.errorRate).toBeGreaterThan(0);
  expect(graph.nodes.filter((node) => node.isRoot).map((node) => node.name)).toEqual(['istio-ingressgateway']);
  expect(graph.namespaces).toEqual(['default', 'istio-system']);
});

it('counts a request once when both sides report it', () => {
  const labels = {
    source_workload: 'a',
    source_workload_namespace: 'n',
    destination_service_name: 'b',
    destination_service_namespace: 'n',
    destination_workload: 'b',
    destination_workload_namespace: 'n',
    response_code: '200',
  };
  const series = (reporter: string, value: number, policy: string): Series => ({
    labels: { ...labels, reporter, connection_security_policy: policy },
    times: [1],
    values: [value],
  });
  const graph = buildMeshGraph(
    { requests: [series('source', 5, 'unknown'), series('destination', 4, 'mutual_tls')], p50: [], p95: [], tcp: [] },
    'workload',
  );
  expect(graph.edges.map((edge) => [edge.rate, edge.mtls])).toEqual([
    [5, 1],
    [5, 1],
  ]);
});

it('takes the receiver when the sender is outside the mesh, and shows requests that reached nobody', () => {
  const outside: Series = {
    labels: {
      reporter: 'destination',
      source_workload: 'unknown',
      destination_service_name: 'b',
      destination_service_namespace: 'n',
      destination_workload: 'b',
      destination_workload_namespace: 'n',
      response_code: '200',
    },
    times: [1],
    values: [2],
  };
  const lost: Series = {
    labels: {
      reporter: 'source',
      source_workload: 'a',
      source_workload_namespace: 'n',
      destination_service_name: 'gone',
      destination_service_namespace: 'n',
      destination_workload: 'unknown',
      response_code: '503',
    },
    times: [1],
    values: [1],
  };
  const graph = buildMeshGraph({ requests: [outside, lost], p50: [], p95: [], tcp: [] }, 'workload');
  expect(graph.edges.map((edge) => edge.id)).toEqual([
    'service:n/b→workload:n/b',
    'unknown→service:n/b',
    'workload:n/a→service:n/gone',
  ]);
  expect(graph.edges.at(-1)?.errorRate).toBe(1);
});

it('judges as Kiali does', () => {
  expect([healthOf(0, 0), healthOf(0, 5), healthOf(0.01, 5), healthOf(1, 5)]).toEqual(['idle', 'ok', 'warn', 'bad']);
});

it('leaves out what only looks at the mesh', () => {
  const call = (destination: string, workload: string, namespace: string): Series => ({
    labels: {
      reporter: 'source',
      source_workload: 'istio-ingressgateway',
      source_workload_namespace: 'istio-system',
      destination_service_name: destination,
      destination_service_namespace: namespace,
      destination_workload: workload,
      destination_workload_namespace: namespace,
      response_code: '200',
    },
    times: [1],
    values: [1],
  });
  const requests = [
    call('front-end', 'front-end', 'default'),
    call('grafana', 'jaeger', 'istio-system'),
    call('loki', 'jaeger', 'istio-system'),
  ];
  const graph = withoutTools(buildMeshGraph({ requests, p50: [], p95: [], tcp: [] }, 'workload'));
  expect(graph.nodes.map((node) => node.id)).toEqual([
    'service:default/front-end',
    'workload:default/front-end',
    'workload:istio-system/istio-ingressgateway',
  ]);
  expect(withoutTools(buildMeshGraph({ ...answers('5m') }, 'workload')).edges).toHaveLength(7);
  expect(
    withoutTools(buildMeshGraph({ requests: requests.slice(1), p50: [], p95: [], tcp: [] }, 'workload')).nodes,
  ).toEqual([]);
});
