import { messageOf } from '@kind-e2e/base';
import {
  formatTime,
  type GroupVersionResource,
  matchesLabels,
  parseLabelSelector,
  parseQuantity,
} from '@kind-e2e/kube-api';
import {
  type ApiObject,
  createController,
  type KubeClient,
  keyOf,
  RESOURCES,
  resourcePath,
  statusErrorOf,
} from '@kind-e2e/kube-client';
import type { Scale } from 'kubernetes-types/autoscaling/v1.d.ts';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  MetricSpec,
  MetricStatus,
} from 'kubernetes-types/autoscaling/v2.d.ts';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { findCondition } from '../conditions.ts';
import type { ControllerContext } from '../context.ts';
import { discoverResources } from '../discovery/served-resources.ts';
import { isSameJson } from '../equality.ts';
import { groupOf } from '../ownership/owner-references.ts';
import { ScalingHistory } from './behavior.ts';
import {
  type CalculatorInput,
  MetricError,
  type PodMetrics,
  type Proposal,
  proposeReplicas,
  TOLERANCE,
} from './replica-calculator.ts';

/** --horizontal-pod-autoscaler-sync-period. */
const SYNC_MS = 15_000;

export interface HpaOptions {
  /** How often metrics are read. Default 15 s, as upstream. */
  readonly syncMs?: number;
}

type Conditions = HorizontalPodAutoscalerCondition[];
type LabelRequirements = ReturnType<typeof parseLabelSelector>;

/** Reason and message are those of the condition ScalingActive. */
interface Judged {
  readonly reason: string;
  readonly message: string;
  readonly statuses: MetricStatus[] | undefined;
}
interface Found extends Judged {
  readonly type: 'found';
  readonly replicas: number;
  readonly metricName: string;
}
interface Failure extends Judged {
  readonly type: 'failed';
  readonly error: string;
}

/** Sizes workloads by their pods' CPU and memory (upstream pkg/controller/podautoscaler). */
export function startHpaController(context: ControllerContext, options: HpaOptions = {}): AsyncDisposable {
  const { client, clock, informers } = context;
  const autoscalers = informers.of('horizontalpodautoscalers');
  const pods = informers.of('pods');
  const recorder = context.recorder('horizontal-pod-autoscaler');
  const histories = new Map<string, ScalingHistory>();
  /** Which pods the targets of the autoscalers select, by the autoscalers' keys. */
  const selectors = new Map<string, { readonly namespace: string; readonly requirements: LabelRequirements }>();
  const kinds = new Map<string, GroupVersionResource>();

  async function resourceOf(apiVersion: string, kind: string, signal: AbortSignal): Promise<GroupVersionResource> {
    const identity = `${apiVersion}/${kind}`;
    const known = kinds.get(identity);
    if (known) return known;
    const { resources } = await discoverResources(client, signal);
    const found = resources.find((entry) => entry.kind === kind && entry.group === groupOf(apiVersion));
    if (!found) throw new Error(`no matches for kind "${kind}" in group "${groupOf(apiVersion)}"`);
    kinds.set(identity, found);
    return found;
  }

  /** Conditions keep their place; reason and message are always those of now (horizontal.go setConditionInList). */
  const condition = (
    conditions: Conditions,
    type: string,
    status: 'True' | 'False',
    reason: string,
    message: string,
  ): Conditions => {
    const before = findCondition(conditions, type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : formatTime(clock.now());
    const made = { type, status, reason, message, ...(lastTransitionTime ? { lastTransitionTime } : {}) };
    return before ? conditions.map((entry) => (entry.type === type ? made : entry)) : [...conditions, made];
  };

  async function reconcile(hpa: HorizontalPodAutoscaler, history: ScalingHistory, signal: AbortSignal): Promise<void> {
    const { apiVersion = '', kind = '', name = '' } = hpa.spec?.scaleTargetRef ?? {};
    const namespace = hpa.metadata?.namespace ?? '';
    let conditions: Conditions = hpa.status?.conditions ?? [];
    const before = hpa.status ?? { currentReplicas: 0, desiredReplicas: 0, conditions: [] };
    const write = async (status: Partial<HorizontalPodAutoscalerStatus>): Promise<void> => {
      const next = { ...before, ...status, conditions, observedGeneration: hpa.metadata?.generation ?? 0 };
      if (isSameJson(next, hpa.status)) return;
      await client.update<HorizontalPodAutoscaler>(
        RESOURCES.horizontalpodautoscalers,
        { ...hpa, status: next },
        { subresource: 'status', signal },
      );
    };
    let resource: GroupVersionResource;
    let scale: Scale;
    try {
      resource = await resourceOf(apiVersion, kind, signal);
      scale = await readScale(client, resource, name, namespace, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const message = `the HPA controller was unable to get the target's current scale: ${messageOf(error)}`;
      recorder.event(hpa, 'Warning', 'FailedGetScale', messageOf(error));
      conditions = condition(conditions, 'AbleToScale', 'False', 'FailedGetScale', message);
      await write({});
      return;
    }
    const current = scale.spec?.replicas ?? 0;
    history.begin(current, clock.now());
    conditions = condition(
      conditions,
      'AbleToScale',
      'True',
      'SucceededGetScale',
      "the HPA controller was able to get the target's current scale",
    );
    const { minReplicas = 1, maxReplicas = 1 } = hpa.spec ?? {};
    let desired = current;
    let reason = '';
    let metrics: MetricStatus[] | undefined;
    if (current === 0 && minReplicas !== 0) {
      conditions = condition(
        conditions,
        'ScalingActive',
        'False',
        'ScalingDisabled',
        'scaling is disabled since the replica count of the target is zero',
      );
    } else if (current > maxReplicas) {
      [desired, reason] = [maxReplicas, 'Current number of replicas above Spec.MaxReplicas'];
    } else if (current < minReplicas) {
      [desired, reason] = [minReplicas, 'Current number of replicas below Spec.MinReplicas'];
    } else {
      const proposal = await propose(hpa, scale, signal);
      metrics = proposal.statuses;
      conditions = condition(
        conditions,
        'ScalingActive',
        proposal.type === 'found' ? 'True' : 'False',
        proposal.reason,
        proposal.message,
      );
      if (proposal.type === 'failed') {
        await write({ currentReplicas: current, currentMetrics: metrics });
        recorder.event(hpa, 'Warning', 'FailedComputeMetricsReplicas', proposal.error);
        return;
      }
      if (proposal.replicas > current) reason = `${proposal.metricName} above target`;
      if (proposal.replicas < current) reason = 'All metrics below target';
      const limited = history.limit(hpa, current, proposal.replicas, clock.now());
      conditions = condition(conditions, 'AbleToScale', 'True', limited.able.reason, limited.able.message);
      conditions = condition(
        conditions,
        'ScalingLimited',
        limited.isLimited ? 'True' : 'False',
        limited.limited.reason,
        limited.limited.message,
      );
      desired = limited.replicas;
    }
    let lastScaleTime = before.lastScaleTime;
    if (desired !== current) {
      try {
        await writeScale(client, resource, { ...scale, spec: { ...scale.spec, replicas: desired } }, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        const text = `New size: ${desired}; reason: ${reason}; error: ${messageOf(error)}`;
        recorder.event(hpa, 'Warning', 'FailedRescale', text);
        const message = `the HPA controller was unable to update the target scale: ${messageOf(error)}`;
        conditions = condition(conditions, 'AbleToScale', 'False', 'FailedUpdateScale', message);
        await write({ currentReplicas: current, currentMetrics: metrics });
        throw error;
      }
      history.scaled(current, desired, clock.now());
      recorder.event(hpa, 'Normal', 'SuccessfulRescale', `New size: ${desired}; reason: ${reason}`);
      conditions = condition(
        conditions,
        'AbleToScale',
        'True',
        'SucceededRescale',
        `the HPA controller was able to update the target scale to ${desired}`,
      );
      lastScaleTime = formatTime(clock.now());
    }
    await write({
      currentReplicas: current,
      desiredReplicas: desired,
      currentMetrics: metrics,
      ...(lastScaleTime ? { lastScaleTime } : {}),
    });
  }

  /** Whose pods a selector finds must be sized by nobody else (horizontal.go validateAndParseSelector). */
  function podsOf(hpa: HorizontalPodAutoscaler, selector: string): readonly Pod[] | Failure {
    const namespace = hpa.metadata?.namespace ?? '';
    const key = keyOf(hpa);
    const fail = (reason: string, error: string, event = reason, message = error): Failure => {
      recorder.event(hpa, 'Warning', event, error);
      return { type: 'failed', reason, message, error, statuses: undefined };
    };
    selectors.delete(key);
    if (selector === '')
      return fail(
        'InvalidSelector',
        'selector is required',
        'SelectorRequired',
        "the HPA target's scale is missing a selector",
      );
    const requirements = parseLabelSelector(selector);
    const own = pods.list(namespace).filter((pod) => matchesLabels(requirements, pod.metadata?.labels));
    selectors.set(key, { namespace, requirements });
    const owners = [...selectors].flatMap(([name, other]) =>
      other.namespace === namespace && own.some((pod) => matchesLabels(other.requirements, pod.metadata?.labels))
        ? [name]
        : [],
    );
    if (owners.length > 1)
      return fail(
        'AmbiguousSelector',
        `pods by selector ${selector} are controlled by multiple HPAs: [${owners.sort().join(' ')}]`,
      );
    return own;
  }

  /** The most that any metric asks for; metrics that fail forbid shrinking (computeReplicasForMetrics). */
  async function propose(hpa: HorizontalPodAutoscaler, scale: Scale, signal: AbortSignal): Promise<Found | Failure> {
    const namespace = hpa.metadata?.namespace ?? '';
    const selector = scale.status?.selector ?? '';
    const own = podsOf(hpa, selector);
    if ('type' in own) return own;
    const metrics = new Map<string, PodMetrics>();
    let metricsError: string | undefined;
    try {
      const list = await client.list<ApiObject & PodMetrics>(RESOURCES.podmetrics, {
        namespace,
        labelSelector: selector,
        signal,
      });
      for (const item of list.items) metrics.set(item.metadata?.name ?? '', item);
    } catch (error) {
      if (signal.aborted) throw error;
      metricsError = messageOf(error);
    }
    const current = scale.spec?.replicas ?? 0;
    const input: CalculatorInput = {
      namespace,
      metrics,
      metricsError,
      pods: own,
      specReplicas: current,
      statusReplicas: scale.status?.replicas ?? 0,
      tolerance: tolerancesOf(hpa),
      nowMs: clock.now(),
    };
    const specs = hpa.spec?.metrics ?? [];
    const statuses: MetricStatus[] = [];
    const failures: { readonly spec: MetricSpec; readonly error: MetricError }[] = [];
    let best: Proposal | undefined;
    for (const spec of specs) {
      try {
        const proposal = proposeReplicas(spec, input);
        statuses.push(proposal.status);
        if (!best || best.replicas === 0 || proposal.replicas > best.replicas) best = proposal;
      } catch (error) {
        if (!(error instanceof MetricError)) throw error;
        statuses.push({ type: '' });
        failures.push({ spec, error });
        recorder.event(hpa, 'Warning', error.reason, error.message);
      }
    }
    const [first] = failures;
    if (first && (!best || best.replicas < current))
      return {
        type: 'failed',
        reason: first.error.reason,
        message: `the HPA was unable to compute the replica count: ${first.error.message}`,
        error: `invalid metrics (${failures.length} invalid out of ${specs.length}), first error is: failed to get ${valueName(first.spec)}: ${first.error.wrapped}`,
        statuses,
      };
    return {
      type: 'found',
      replicas: best?.replicas ?? 0,
      metricName: best?.metricName ?? '',
      reason: 'ValidMetricFound',
      message: `the HPA was able to successfully calculate a replica count from ${best?.metricName ?? ''}`,
      statuses,
    };
  }

  return createController({
    name: 'horizontal-pod-autoscaler',
    clock,
    logger: context.logger,
    concurrency: 5,
    sources: [
      {
        informer: autoscalers,
        attach: (add) =>
          autoscalers.addHandler({
            added: (hpa) => add(keyOf(hpa)),
            updated: (old, hpa) => {
              if (!isSameJson(old.spec, hpa.spec)) add(keyOf(hpa));
            },
            deleted: (hpa) => add(keyOf(hpa)),
          }),
      },
    ],
    reads: [pods],
    reconcile: async ({ namespace, name, key, signal }) => {
      const hpa = autoscalers.get(name, namespace);
      if (!hpa) {
        selectors.delete(key);
        histories.delete(key);
        return undefined;
      }
      const history = histories.get(key) ?? new ScalingHistory();
      histories.set(key, history);
      await reconcile(hpa, history, signal);
      return { requeueAfterMs: options.syncMs ?? SYNC_MS };
    },
  });
}

/** What horizontal.go calls the value of a metric in its errors. */
function valueName(metric: MetricSpec | undefined): string {
  switch (metric?.type) {
    case 'Object':
      return 'object metric value';
    case 'Pods':
      return 'pods metric value';
    case 'External':
      return `${metric.external?.metric.name} external metric value`;
    case 'ContainerResource':
      return `${metric.containerResource?.container} container metric value`;
  }
  return `${metric?.resource?.name ?? 'cpu'} resource metric value`;
}

/** How far what is measured may miss its target before that changes anything (horizontal.go tolerancesForHpa). */
function tolerancesOf(hpa: HorizontalPodAutoscaler): { up: number; down: number } {
  const { scaleUp, scaleDown } = hpa.spec?.behavior ?? {};
  const of = (rules: object | undefined): number => {
    const { tolerance } = (rules ?? {}) as { readonly tolerance?: string | null };
    const quantity = tolerance === undefined || tolerance === null ? undefined : parseQuantity(tolerance);
    return quantity ? Number(quantity.nano) / 1e9 : TOLERANCE;
  };
  return { up: of(scaleUp), down: of(scaleDown) };
}

async function readScale(
  client: KubeClient,
  resource: GroupVersionResource,
  name: string,
  namespace: string,
  signal: AbortSignal,
): Promise<Scale> {
  const path = resourcePath(resource, { namespace, name, subresource: 'scale' });
  const answer = await client.request('GET', path, { headers: { accept: 'application/json' }, signal });
  const text = await answer.text();
  if (!answer.ok) throw statusErrorOf(answer.status, text);
  return JSON.parse(text) as Scale;
}

async function writeScale(
  client: KubeClient,
  resource: GroupVersionResource,
  scale: Scale,
  signal: AbortSignal,
): Promise<void> {
  await client.update<Scale>(resource, scale, { subresource: 'scale', signal });
}
