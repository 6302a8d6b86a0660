import { compareQuantities, isRecord, type KubeObject, quantityMilliValue } from '@kind-e2e/kube-api';
import { sectionOf } from '../operations/object-identity.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { type Json, recordsIn, specOf } from './pod-parts.ts';
import { addedResources, podResources, quantityOf } from './pod-resources.ts';
import { forbiddenBy } from './refusal.ts';

const ANNOTATION = 'kubernetes.io/limit-ranger';
type Amounts = Record<string, string>;

/** Sets default requests and limits, and refuses what is beyond a LimitRange (plugin/limitranger). */
export function limitRanger(store: ObjectStore): AdmissionPlugin {
  const rangesOf = (object: KubeObject): Json[] => {
    const ranges: Json[] = [];
    for (const record of store.collection('limitranges').list(object.metadata?.namespace ?? ''))
      ranges.push(...recordsIn(sectionOf(record.object, 'spec'), 'limits'));
    return ranges;
  };
  return {
    name: 'LimitRanger',
    mutate({ resource, operation, subresource, object }) {
      if (resource.collection !== 'pods' || operation !== 'CREATE' || subresource !== '') return undefined;
      for (const range of rangesOf(object).filter(({ type }) => type === 'Container')) setDefaults(object, range);
      return undefined;
    },
    validate({ resource, operation, subresource, object }) {
      if (operation === 'DELETE' || subresource !== '') return;
      const isPod = resource.collection === 'pods' && operation === 'CREATE';
      if (!isPod && resource.collection !== 'persistentvolumeclaims') return;
      const problems = rangesOf(object).flatMap((range) =>
        isPod ? podProblems(object, range) : claimProblems(object, range),
      );
      if (problems.length > 0)
        throw forbiddenBy(resource, object, problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`);
    },
  };
}

function setDefaults(pod: KubeObject, range: Json): void {
  const limits = amountsOf(range.default);
  const requests = amountsOf(range.defaultRequest);
  const notes: string[] = [];
  for (const [list, word] of [
    ['containers', 'container'],
    ['initContainers', 'init container'],
  ] as const)
    for (const container of recordsIn(specOf(pod), list)) {
      const resources: Json = isRecord(container.resources) ? container.resources : {};
      container.resources = resources;
      const setRequests = fill(resources, 'requests', requests);
      const setLimits = fill(resources, 'limits', limits);
      if (setRequests.length > 0) notes.push(`${setRequests.join(', ')} request for ${word} ${String(container.name)}`);
      if (setLimits.length > 0) notes.push(`${setLimits.join(', ')} limit for ${word} ${String(container.name)}`);
    }
  if (notes.length === 0) return;
  pod.metadata = {
    ...pod.metadata,
    annotations: { ...pod.metadata?.annotations, [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}` },
  };
}

/** Gives the names that were set. */
function fill(resources: Json, part: 'requests' | 'limits', defaults: Amounts): string[] {
  const own = amountsOf(resources[part]);
  const missing = Object.keys(defaults)
    .filter((name) => own[name] === undefined)
    .sort();
  if (missing.length === 0) return [];
  resources[part] = { ...own, ...Object.fromEntries(missing.map((name) => [name, defaults[name]])) };
  return missing;
}

function amountsOf(value: unknown): Amounts {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, amount]) => [name, String(amount)]));
}

function podProblems(pod: KubeObject, range: Json): string[] {
  if (range.type === 'Container')
    return ['containers', 'initContainers'].flatMap((list) =>
      recordsIn(specOf(pod), list).flatMap((container) => {
        const resources = isRecord(container.resources) ? container.resources : {};
        return rangeProblems(range, 'Container', amountsOf(resources.requests), amountsOf(resources.limits));
      }),
    );
  if (range.type !== 'Pod') return [];
  const { requests, limits } = podResources(pod);
  return rangeProblems(range, 'Pod', addedResources(requests), addedResources(limits));
}

function claimProblems(claim: KubeObject, range: Json): string[] {
  if (range.type !== 'PersistentVolumeClaim') return [];
  const { resources } = sectionOf(claim, 'spec');
  const requests = amountsOf(isRecord(resources) ? resources.requests : undefined);
  return [
    ...minProblems(amountsOf(range.min), 'PersistentVolumeClaim', requests, {}),
    ...Object.entries(amountsOf(range.max))
      .filter(([name, max]) => requests[name] !== undefined && isMore(requests[name] ?? '0', max))
      .map(
        ([name, max]) => `maximum ${name} usage per PersistentVolumeClaim is ${max}, but request is ${requests[name]}`,
      ),
  ];
}

function rangeProblems(range: Json, kind: string, requests: Amounts, limits: Amounts): string[] {
  return [
    ...minProblems(amountsOf(range.min), kind, requests, limits),
    ...maxProblems(amountsOf(range.max), kind, requests, limits),
    ...ratioProblems(amountsOf(range.maxLimitRequestRatio), kind, requests, limits),
  ];
}

function minProblems(mins: Amounts, kind: string, requests: Amounts, limits: Amounts): string[] {
  return Object.entries(mins).flatMap(([name, min]) => {
    const request = requests[name];
    const limit = limits[name];
    if (request === undefined) return [`minimum ${name} usage per ${kind} is ${min}.  No request is specified`];
    if (isMore(min, request)) return [`minimum ${name} usage per ${kind} is ${min}, but request is ${request}`];
    if (limit !== undefined && isMore(min, limit))
      return [`minimum ${name} usage per ${kind} is ${min}, but limit is ${limit}`];
    return [];
  });
}

function maxProblems(maxima: Amounts, kind: string, requests: Amounts, limits: Amounts): string[] {
  return Object.entries(maxima).flatMap(([name, max]) => {
    const limit = limits[name];
    const request = requests[name];
    if (limit === undefined) return [`maximum ${name} usage per ${kind} is ${max}.  No limit is specified`];
    if (isMore(limit, max)) return [`maximum ${name} usage per ${kind} is ${max}, but limit is ${limit}`];
    if (request !== undefined && isMore(request, max))
      return [`maximum ${name} usage per ${kind} is ${max}, but request is ${request}`];
    return [];
  });
}

function ratioProblems(ratios: Amounts, kind: string, requests: Amounts, limits: Amounts): string[] {
  return Object.entries(ratios).flatMap(([name, ratio]) => {
    const request = requests[name];
    const limit = limits[name];
    const prefix = `${name} max limit to request ratio per ${kind} is ${ratio}, but`;
    if (request === undefined || isZero(request)) return [`${prefix} no request is specified or request is 0`];
    if (limit === undefined || isZero(limit)) return [`${prefix} no limit is specified or limit is 0`];
    const actual = milli(limit) / milli(request);
    return actual > milli(ratio) / 1000 ? [`${prefix} provided ratio is ${actual.toFixed(6)}`] : [];
  });
}

function isMore(a: string, b: string): boolean {
  return compareQuantities(quantityOf(a), quantityOf(b)) > 0;
}

function isZero(amount: string): boolean {
  return milli(amount) === 0;
}

function milli(amount: string): number {
  return quantityMilliValue(quantityOf(amount));
}
