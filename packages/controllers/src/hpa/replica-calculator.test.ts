import type { MetricSpec } from 'kubernetes-types/autoscaling/v2.d.ts';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { type CalculatorInput, MetricError, type PodMetrics, proposeReplicas } from './replica-calculator.ts';

const NOW = Date.parse('2026-01-01T01:00:00Z');
const OLD = '2026-01-01T00:00:00Z';

const pod = (name: string, status: Partial<Pod['status']> = {}): Pod => ({
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'main', resources: { requests: { cpu: '1', memory: '100Mi' } } }] },
  status: {
    phase: 'Running',
    startTime: OLD,
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: OLD }],
    ...status,
  },
});
const usage = (name: string, cpu: string): [string, PodMetrics] => [
  name,
  {
    metadata: { name },
    timestamp: '2026-01-01T00:59:50Z',
    window: '15s',
    containers: [{ name: 'main', usage: { cpu, memory: '50Mi' } }],
  },
];
const input = (pods: Pod[], usages: [string, PodMetrics][]): CalculatorInput => ({
  namespace: 'default',
  pods,
  metrics: new Map(usages),
  specReplicas: pods.length,
  statusReplicas: pods.length,
  nowMs: NOW,
});
const cpu = (averageUtilization: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});
const three = [pod('a'), pod('b'), pod('c')];

describe('replica calculator', () => {
  it('grows and shrinks with the ratio to the target', () => {
    const grown = proposeReplicas(cpu(30), input(three, [usage('a', '300m'), usage('b', '500m'), usage('c', '700m')]));
    expect(grown.replicas).toBe(5);
    expect(grown.metricName).toBe('cpu resource utilization (percentage of request)');
    expect(grown.status.resource?.current).toEqual({ averageUtilization: 50, averageValue: '500m' });
    expect(
      proposeReplicas(cpu(50), input(three, [usage('a', '100m'), usage('b', '100m'), usage('c', '100m')])).replicas,
    ).toBe(1);
  });

  it('changes nothing within the tolerance', () => {
    expect(
      proposeReplicas(cpu(50), input(three, [usage('a', '540m'), usage('b', '540m'), usage('c', '540m')])).replicas,
    ).toBe(3);
  });

  it('takes pods without figures for idle when growing, and for busy when shrinking', () => {
    expect(proposeReplicas(cpu(30), input(three, [usage('a', '600m'), usage('b', '600m')])).replicas).toBe(4);
    expect(proposeReplicas(cpu(100), input(three, [usage('a', '200m'), usage('b', '200m')])).replicas).toBe(2);
  });

  it('does not count pods that are not ready when growing', () => {
    const young = pod('c', {
      startTime: '2026-01-01T00:59:30Z',
      conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '2026-01-01T00:59:30Z' }],
    });
    expect(
      proposeReplicas(
        cpu(30),
        input([pod('a'), pod('b'), young], [usage('a', '600m'), usage('b', '600m'), usage('c', '900m')]),
      ).replicas,
    ).toBe(4);
  });

  it('counts memory by its average value', () => {
    const metric: MetricSpec = {
      type: 'Resource',
      resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '25Mi' } },
    };
    const found = proposeReplicas(metric, input(three, [usage('a', '1'), usage('b', '1'), usage('c', '1')]));
    expect(found.replicas).toBe(6);
    expect(found.status.resource?.current.averageValue).toBe('52428800');
  });

  it('refuses what it cannot measure', () => {
    expect(() => proposeReplicas(cpu(30), input(three, []))).toThrow(MetricError);
    const bare: Pod = { ...pod('a'), spec: { containers: [{ name: 'main' }] } };
    expect(() => proposeReplicas(cpu(30), input([bare], [usage('a', '1')]))).toThrow(
      'failed to get cpu utilization: missing request for cpu in container main of Pod a',
    );
  });

  it.each<[string, MetricSpec, string]>([
    [
      'Pods',
      { type: 'Pods', pods: { metric: { name: 'q' }, target: { type: 'AverageValue', averageValue: '1' } } },
      'unable to get metric q: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
    ],
    [
      'Object',
      {
        type: 'Object',
        object: {
          metric: { name: 'q' },
          describedObject: { kind: 'Ingress', name: 'main' },
          target: { type: 'Value', value: '1' },
        },
      },
      'unable to get metric q: Ingress on default main/unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
    ],
    [
      'External',
      {
        type: 'External',
        external: {
          metric: { name: 'q', selector: { matchLabels: { a: 'b' } } },
          target: { type: 'Value', value: '1' },
        },
      },
      'unable to get external metric default/q/&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},}: unable to fetch metrics from external metrics API: the server could not find the requested resource (get q.external.metrics.k8s.io)',
    ],
  ])('says that no adapter serves metrics of type %s', (_, metric, message) => {
    expect(() => proposeReplicas(metric, input(three, []))).toThrow(message);
  });

  it('goes by the tolerance of each direction', () => {
    const busy = input(three, [usage('a', '540m'), usage('b', '540m'), usage('c', '540m')]);
    expect(proposeReplicas(cpu(50), { ...busy, tolerance: { up: 0.05, down: 0.1 } }).replicas).toBe(4);
    const idle = input(three, [usage('a', '300m'), usage('b', '300m'), usage('c', '300m')]);
    expect(proposeReplicas(cpu(50), { ...idle, tolerance: { up: 0.1, down: 0.5 } }).replicas).toBe(3);
  });
});
