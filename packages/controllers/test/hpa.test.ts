import { RESOURCES } from '@kind-e2e/kube-client';
import type { HorizontalPodAutoscaler, MetricSpec } from 'kubernetes-types/autoscaling/v2.d.ts';
import type { Event } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from './cluster.ts';
import { deployment, until } from './objects.ts';

/** The metrics API of the test's server has no figures: what is told of that, and of targets that cannot be sized. */
describe('horizontal pod autoscaler', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({ hpaSyncMs: 100 });
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const cpu: MetricSpec = {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
  };
  const queue: MetricSpec = {
    type: 'External',
    external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '30' } },
  };
  const make = (
    name: string,
    target: string,
    spec: Partial<NonNullable<HorizontalPodAutoscaler['spec']>> = {},
  ): Promise<HorizontalPodAutoscaler> =>
    cluster.client.create<HorizontalPodAutoscaler>(RESOURCES.horizontalpodautoscalers, {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name, namespace: 'default' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: target },
        maxReplicas: 4,
        metrics: [cpu],
        ...spec,
      },
    });
  const conditionOf = async (name: string, type: string, reason: string) => {
    const hpa = await until(
      () => cluster.client.get<HorizontalPodAutoscaler>(RESOURCES.horizontalpodautoscalers, name, 'default'),
      ({ status }) => status?.conditions?.some((entry) => entry.type === type && entry.reason === reason) ?? false,
    );
    return { status: hpa.status, condition: hpa.status?.conditions?.find((entry) => entry.type === type) };
  };
  const told = (name: string, reason: string): Promise<string | undefined> =>
    until(
      async () =>
        (
          await cluster.client.list<Event>(RESOURCES.events, {
            namespace: 'default',
            fieldSelector: `involvedObject.kind=HorizontalPodAutoscaler,involvedObject.name=${name},reason=${reason}`,
          })
        ).items[0]?.message,
      (message) => message !== undefined,
    );

  it('says of each metric why it cannot be had', async () => {
    await cluster.client.create(RESOURCES.deployments, deployment('idle', 2));
    await make('idle', 'idle', { metrics: [cpu, queue] });
    const why =
      'failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API';
    const { status, condition } = await conditionOf('idle', 'ScalingActive', 'FailedGetResourceMetric');
    expect(condition).toMatchObject({
      status: 'False',
      message: `the HPA was unable to compute the replica count: ${why}`,
    });
    expect(status).toMatchObject({
      currentReplicas: 2,
      desiredReplicas: 0,
      currentMetrics: [{ type: '' }, { type: '' }],
    });
    expect(await told('idle', 'FailedGetResourceMetric')).toBe(why);
    expect(await told('idle', 'FailedGetExternalMetric')).toMatch(
      /^unable to get external metric default\/queue\/nil: /,
    );
    expect(await told('idle', 'FailedComputeMetricsReplicas')).toBe(
      `invalid metrics (2 invalid out of 2), first error is: failed to get cpu resource metric value: ${why}`,
    );
  });

  it('sizes nothing that two of them select', async () => {
    await cluster.client.create(RESOURCES.deployments, deployment('shared', 1));
    await make('one', 'shared');
    await conditionOf('one', 'ScalingActive', 'FailedGetResourceMetric');
    await make('two', 'shared');
    const message = 'pods by selector app=shared are controlled by multiple HPAs: [default/one default/two]';
    for (const name of ['one', 'two']) {
      const { condition } = await conditionOf(name, 'ScalingActive', 'AmbiguousSelector');
      expect(condition).toMatchObject({ status: 'False', message });
      expect(await told(name, 'AmbiguousSelector')).toBe(message);
    }
    await cluster.client.delete(RESOURCES.horizontalpodautoscalers, { name: 'two', namespace: 'default' });
    await conditionOf('one', 'ScalingActive', 'FailedGetResourceMetric');
  });

  it('brings the size into its bounds without asking for metrics', async () => {
    await cluster.client.create(RESOURCES.deployments, deployment('big', 6));
    await make('big', 'big');
    expect(await told('big', 'SuccessfulRescale')).toBe(
      'New size: 4; reason: Current number of replicas above Spec.MaxReplicas',
    );
    const { status } = await conditionOf('big', 'ScalingActive', 'FailedGetResourceMetric');
    expect(status?.lastScaleTime).toBeDefined();
  });

  it('leaves alone what was scaled to nothing', async () => {
    await cluster.client.create(RESOURCES.deployments, deployment('off', 0));
    await make('off', 'off');
    const { condition } = await conditionOf('off', 'ScalingActive', 'ScalingDisabled');
    expect(condition?.message).toBe('scaling is disabled since the replica count of the target is zero');
  });

  it('says that its target is not there', async () => {
    await make('lost', 'nowhere');
    const { condition } = await conditionOf('lost', 'AbleToScale', 'FailedGetScale');
    expect(condition?.message).toBe(
      'the HPA controller was unable to get the target\'s current scale: deployments.apps "nowhere" not found',
    );
  });
});
