import { formatQuantity, parseQuantity } from '@kind-e2e/kube-api';
import type { MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from 'kubernetes-types/autoscaling/v2.d.ts';
import type { Container, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { LabelSelector } from 'kubernetes-types/meta/v1.d.ts';
import { isPodReady, podCondition } from '../pods/pod-state.ts';
import { amountOf } from '../scheduler/requests.ts';

/** Deviations below this part of the target change nothing (--horizontal-pod-autoscaler-tolerance). */
export const TOLERANCE = 0.1;

/** A young pod's CPU is not believed for so long (--horizontal-pod-autoscaler-cpu-initialization-period, …-initial-readiness-delay). */
const CPU_INITIALIZATION_MS = 300_000;
const INITIAL_READINESS_MS = 30_000;

/** What is said of metrics that no adapter serves here. */
const NO_CUSTOM =
  'unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered';

/** A metric cannot be had; `reason` is the one of the condition ScalingActive. */
export class MetricError extends Error {
  override readonly name = 'MetricError';
  readonly reason: string;
  /** The message as it stands in the error of all metrics; some kinds wrap it once more. */
  readonly wrapped: string;

  constructor(reason: string, message: string, wrapped = message) {
    super(message);
    this.reason = reason;
    this.wrapped = wrapped;
  }
}

/** `metrics.k8s.io/v1beta1` PodMetrics. */
export interface PodMetrics {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly timestamp?: string;
  readonly window?: string;
  readonly containers?: readonly { readonly name: string; readonly usage: Readonly<Record<string, string>> }[];
}

export interface CalculatorInput {
  readonly namespace: string;
  readonly metrics: ReadonlyMap<string, PodMetrics>;
  /** Why there are no metrics: the metrics API's error. */
  readonly metricsError?: string | undefined;
  readonly pods: readonly Pod[];
  /** spec.replicas of the target. */
  readonly specReplicas: number;
  /** status.replicas of the target. */
  readonly statusReplicas: number;
  /** By which part of the target what is measured may miss it; default TOLERANCE. */
  readonly tolerance?: { readonly up: number; readonly down: number };
  readonly nowMs: number;
}

export interface Proposal {
  readonly replicas: number;
  readonly metricName: string;
  readonly status: MetricStatus;
}

/** How many replicas one metric asks for (podautoscaler/replica_calculator.go). Throws a MetricError. */
export function proposeReplicas(metric: MetricSpec, input: CalculatorInput): Proposal {
  switch (metric.type) {
    case 'Resource': {
      const { name = '', target } = metric.resource ?? {};
      const found = resourceProposal(name, undefined, target, input);
      const current = found.current;
      return {
        replicas: found.replicas,
        metricName: found.description,
        status: { type: 'Resource', resource: { name, current } },
      };
    }
    case 'ContainerResource': {
      const { name = '', container = '', target } = metric.containerResource ?? {};
      const found = resourceProposal(name, container, target, input);
      return {
        replicas: found.replicas,
        metricName: found.description,
        status: { type: 'ContainerResource', containerResource: { name, container, current: found.current } },
      };
    }
    case 'Pods':
      throw new MetricError('FailedGetPodsMetric', `unable to get metric ${metric.pods?.metric.name}: ${NO_CUSTOM}`);
    case 'Object': {
      const { metric: wanted, target, describedObject } = metric.object ?? {};
      const why = `unable to get metric ${wanted?.name}: ${describedObject?.kind} on ${input.namespace} ${describedObject?.name}/${NO_CUSTOM}`;
      const isAverage = target?.averageValue !== undefined && target.averageValue !== null;
      throw new MetricError(
        'FailedGetObjectMetric',
        why,
        isAverage ? `failed to get ${wanted?.name} object metric: ${why}` : why,
      );
    }
    case 'External': {
      const { metric: wanted, target } = metric.external ?? {};
      const why = `unable to get external metric ${input.namespace}/${wanted?.name}/${selectorText(wanted?.selector)}: unable to fetch metrics from external metrics API: the server could not find the requested resource (get ${wanted?.name}.external.metrics.k8s.io)`;
      const isAverage = target?.averageValue !== undefined && target.averageValue !== null;
      throw new MetricError(
        'FailedGetExternalMetric',
        why,
        isAverage
          ? `failed to get ${wanted?.name} external metric: ${why}`
          : `failed to get external metric ${wanted?.name}: ${why}`,
      );
    }
  }
  throw new MetricError('InvalidMetricSourceType', `unknown metric source type "${metric.type}"`);
}

function resourceProposal(
  resource: string,
  container: string | undefined,
  target: MetricTarget | undefined,
  input: CalculatorInput,
): { replicas: number; description: string; current: MetricValueStatus } {
  const failed = container === undefined ? 'FailedGetResourceMetric' : 'FailedGetContainerResourceMetric';
  const fail = (why: string): MetricError =>
    new MetricError(
      failed,
      target?.averageUtilization === undefined
        ? `failed to get ${resource} usage: ${why}`
        : `failed to get ${resource} utilization: ${why}`,
    );
  const usages = new Map<string, number>();
  for (const [name, metrics] of input.metrics) {
    const parts = (metrics.containers ?? []).filter((entry) => container === undefined || entry.name === container);
    if (parts.length === 0) continue;
    usages.set(
      name,
      parts.reduce((sum, part) => sum + milliOf(resource, part.usage[resource] ?? '0'), 0),
    );
  }
  if (input.metricsError !== undefined)
    throw fail(
      `unable to get metrics for resource ${resource}: unable to fetch metrics from resource metrics API: ${input.metricsError}`,
    );
  if (usages.size === 0)
    throw fail(`unable to get metrics for resource ${resource}: no metrics returned from resource metrics API`);
  const groups = groupPods(input, resource, usages);
  const measured = [...usages].filter(([name]) => !groups.ignored.has(name) && !groups.unready.has(name));
  if (measured.length === 0) throw fail('did not receive metrics for targeted pods (pods might be unready)');
  const sum = measured.reduce((total, [, usage]) => total + usage, 0);
  const average = sum / measured.length;
  const averageValue = formatAmount(resource, average);
  if (target?.averageUtilization !== undefined) {
    const requests = new Map<string, number>();
    for (const pod of input.pods) requests.set(pod.metadata?.name ?? '', requestOf(pod, resource, container, fail));
    const requested = measured.reduce((total, [name]) => total + (requests.get(name) ?? 0), 0);
    if (requested === 0) throw fail('no metrics returned matched known pods');
    const utilization = Math.floor((sum * 100) / requested);
    const goal = target.averageUtilization;
    const ratio = utilization / goal;
    const ratioWith = (fill: (name: string, up: boolean) => number): { ratio: number; count: number } => {
      const all = fillMissing(measured, groups, ratio > 1, (name, up) => fill(name, up) * (requests.get(name) ?? 0));
      const total = all.reduce((value, [, usage]) => value + usage, 0);
      const base = all.reduce((value, [name]) => value + (requests.get(name) ?? 0), 0);
      return { ratio: base === 0 ? 0 : Math.floor((total * 100) / base) / goal, count: all.length };
    };
    // A pod without figures counts as idle when growing, and as at its target when shrinking.
    const replicas = decide(input, ratio, measured.length, groups, () => ratioWith((_, up) => (up ? 0 : goal / 100)));
    return {
      replicas,
      description: `${resource} ${container === undefined ? '' : 'container '}resource utilization (percentage of request)`,
      current: { averageUtilization: utilization, averageValue },
    };
  }
  const goal = target?.averageValue === undefined ? 0 : milliOf(resource, target.averageValue);
  if (goal === 0) throw fail('invalid metric source: neither a utilization target nor a value target was set');
  const ratio = average / goal;
  const replicas = decide(input, ratio, measured.length, groups, () => {
    const all = fillMissing(measured, groups, ratio > 1, (_, up) => (up ? 0 : goal));
    return { ratio: all.reduce((total, [, usage]) => total + usage, 0) / all.length / goal, count: all.length };
  });
  return { replicas, description: `${resource} resource`, current: { averageValue } };
}

interface Groups {
  readonly readyCount: number;
  readonly unready: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
  readonly ignored: ReadonlySet<string>;
}

/** replica_calculator.go groupPods. */
function groupPods(input: CalculatorInput, resource: string, usages: ReadonlyMap<string, number>): Groups {
  const unready = new Set<string>();
  const missing = new Set<string>();
  const ignored = new Set<string>();
  let readyCount = 0;
  for (const pod of input.pods) {
    const name = pod.metadata?.name ?? '';
    if (pod.metadata?.deletionTimestamp || pod.status?.phase === 'Failed') ignored.add(name);
    else if (pod.status?.phase === 'Pending') unready.add(name);
    else if (!usages.has(name)) missing.add(name);
    else if (resource === 'cpu' && isTooYoung(pod, input)) unready.add(name);
    else readyCount++;
  }
  const known = new Set(input.pods.map((pod) => pod.metadata?.name ?? ''));
  for (const name of usages.keys()) if (!known.has(name)) ignored.add(name);
  return { readyCount, unready, missing, ignored };
}

function isTooYoung(pod: Pod, { nowMs, metrics }: CalculatorInput): boolean {
  const ready = podCondition(pod, 'Ready');
  const started = Date.parse(pod.status?.startTime ?? '');
  if (!ready || Number.isNaN(started)) return true;
  const changed = Date.parse(ready.lastTransitionTime ?? '') || started;
  if (started + CPU_INITIALIZATION_MS > nowMs) {
    const measured = metrics.get(pod.metadata?.name ?? '');
    const windowSeconds = Number(/^(\d+(?:\.\d+)?)s$/.exec(measured?.window ?? '')?.[1] ?? 0);
    const isOld = (Date.parse(measured?.timestamp ?? '') || nowMs) < changed + windowSeconds * 1000;
    return !isPodReady(pod) || isOld;
  }
  return !isPodReady(pod) && started + INITIAL_READINESS_MS > changed;
}

function fillMissing(
  measured: readonly (readonly [string, number])[],
  groups: Groups,
  isGrowing: boolean,
  fill: (name: string, up: boolean) => number,
): (readonly [string, number])[] {
  return [
    ...measured,
    ...[...groups.missing].map((name) => [name, fill(name, isGrowing)] as const),
    ...(isGrowing ? [...groups.unready].map((name) => [name, 0] as const) : []),
  ];
}

function decide(
  input: CalculatorInput,
  ratio: number,
  measuredCount: number,
  groups: Groups,
  refined: () => { readonly ratio: number; readonly count: number },
): number {
  const isGrowing = ratio > 1;
  const hasGaps = groups.missing.size > 0 || (isGrowing && groups.unready.size > 0);
  if (!hasGaps) {
    if (isWithin(ratio, input)) return input.specReplicas;
    return Math.ceil(ratio * measuredCount);
  }
  const next = refined();
  const isTurned = (ratio < 1 && next.ratio > 1) || (ratio > 1 && next.ratio < 1);
  if (isWithin(next.ratio, input) || isTurned) return input.specReplicas;
  const replicas = Math.ceil(next.ratio * next.count);
  const isAgainst =
    (next.ratio < 1 && replicas > input.specReplicas) || (next.ratio > 1 && replicas < input.specReplicas);
  return isAgainst ? input.specReplicas : replicas;
}

function isWithin(ratio: number, { tolerance = { up: TOLERANCE, down: TOLERANCE } }: CalculatorInput): boolean {
  return 1 - tolerance.down <= ratio && ratio <= 1 + tolerance.up;
}

/** A label selector as Go's `%+v` prints it. */
function selectorText(selector: LabelSelector | undefined): string {
  if (!selector) return 'nil';
  const labels = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  const matchLabels = labels.map(([key, value]) => `${key}: ${value},`).join('');
  return `&LabelSelector{MatchLabels:map[string]string{${matchLabels}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`;
}

/** Thousandths of any resource: memory in thousandths of bytes, so that averages are exact enough. */
function milliOf(resource: string, text: string): number {
  return resource === 'cpu' ? amountOf('cpu', text) : amountOf(resource, text) * 1000;
}

function formatAmount(resource: string, milli: number): string {
  const text = resource === 'cpu' ? `${Math.floor(milli)}m` : String(Math.floor(milli / 1000));
  const quantity = parseQuantity(text);
  return quantity ? formatQuantity(quantity) : text;
}

function requestOf(
  pod: Pod,
  resource: string,
  container: string | undefined,
  fail: (why: string) => MetricError,
): number {
  const sidecars = (pod.spec?.initContainers ?? []).filter((entry) => entry.restartPolicy === 'Always');
  const wanted = [...(pod.spec?.containers ?? []), ...sidecars].filter(
    (entry: Container) => container === undefined || entry.name === container,
  );
  return wanted.reduce((sum, entry) => {
    const request = entry.resources?.requests?.[resource];
    if (request === undefined)
      throw fail(`missing request for ${resource} in container ${entry.name} of Pod ${pod.metadata?.name}`);
    return sum + milliOf(resource, request);
  }, 0);
}
