import {
  badRequest,
  isRecord,
  type KubeObject,
  labelSelectorOf,
  matchesLabels,
  statusError,
  tooManyRequestsWithCause,
} from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { deleteOptionsOf } from '../handlers/delete.ts';
import { parseWriteQuery } from '../handlers/options.ts';
import { sendObject } from '../handlers/send.ts';
import { readBody } from '../http/body.ts';
import { parseDocument } from '../http/documents.ts';
import { deleteObject } from '../operations/delete.ts';
import { recordsOf, sectionOf, timestampOf } from '../operations/object-identity.ts';
import { currentRecord, servedCopy, updateObject } from '../operations/update.ts';
import type { ServedResource } from '../resources/served-resource.ts';
import type { ObjectRecord } from '../storage/object-record.ts';
import { successStatus } from './success.ts';

/** POST of `pods/…/eviction`: a deletion that disruption budgets may refuse (registry/core/pod `EvictionREST`). */
export async function handleEviction(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  const query = parseWriteQuery(call.query, 'CreateOptions', call.request.headers['user-agent'] ?? '');
  const raw = await parseDocument(await readBody(call.request), call.request.headers['content-type'], 'Eviction');
  if (!isRecord(raw)) throw badRequest('the object provided is unrecognized (must be of type Eviction)');
  const metadata = isRecord(raw.metadata) ? raw.metadata : {};
  if (metadata.name !== info.name) throw badRequest('name in URL does not match name in Eviction object');
  const options = {
    ...deleteOptionsOf(isRecord(raw.deleteOptions) ? raw.deleteOptions : {}, call),
    ...(query.dryRun ? { dryRun: true } : {}),
  };
  const current = currentRecord(context, resource, info.namespace, info.name);
  const pod = current.object;
  if (!canIgnoreBudgets(pod)) await takeFromBudget(call, pod, options.dryRun);
  await markDisrupted(call, currentRecord(context, resource, info.namespace, info.name), options.dryRun);
  await deleteObject(context, resource, currentRecord(context, resource, info.namespace, info.name), options);
  await sendObject(call, successStatus(201), 201);
}

/** Pods that are not running, or are going anyway, disrupt nothing. */
function canIgnoreBudgets(pod: KubeObject): boolean {
  const { phase } = sectionOf(pod, 'status');
  return (
    phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata?.deletionTimestamp !== undefined
  );
}

async function takeFromBudget(call: ResourceRequest, pod: KubeObject, dryRun: boolean): Promise<void> {
  const { context, info } = call;
  const budgets = context.resources.find('policy', 'v1', 'poddisruptionbudgets');
  if (!budgets) return;
  const matching = recordsOf(context.store, budgets)
    .list(info.namespace)
    .filter((record) => selects(record, pod));
  if (matching.length > 1)
    throw statusError(
      500,
      'InternalError',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  const [record] = matching;
  if (!record) return;
  const budget = servedCopy(budgets, record);
  const status = sectionOf(budget, 'status');
  const name = budget.metadata?.name ?? '';
  const isReady = readyCondition(pod);
  const healthy = numberOf(status.currentHealthy);
  const desired = numberOf(status.desiredHealthy);
  const policy = sectionOf(budget, 'spec').unhealthyPodEvictionPolicy;
  if (!isReady && (policy === 'AlwaysAllow' || (healthy >= desired && desired > 0))) return;
  if (numberOf(status.observedGeneration) < (budget.metadata?.generation ?? 0))
    throw tooManyRequestsWithCause("Cannot evict pod as it would violate the pod's disruption budget.", [
      { reason: 'DisruptionBudget', message: `The disruption budget ${name} is still being processed by the server.` },
    ]);
  const allowed = numberOf(status.disruptionsAllowed);
  if (allowed <= 0)
    throw tooManyRequestsWithCause("Cannot evict pod as it would violate the pod's disruption budget.", [
      {
        reason: 'DisruptionBudget',
        message: `The disruption budget ${name} needs ${desired} healthy pods and has ${healthy} currently`,
      },
    ]);
  const disrupted = isRecord(status.disruptedPods) ? status.disruptedPods : {};
  await writeStatus(
    call,
    budgets,
    record,
    budget,
    {
      ...status,
      disruptionsAllowed: allowed - 1,
      disruptedPods: { ...disrupted, [pod.metadata?.name ?? '']: timestampOf(context.clock.now()) },
    },
    dryRun,
  );
}

/** The pod says why it goes (`DisruptionTarget`, reason `EvictionByEvictionAPI`). */
async function markDisrupted(call: ResourceRequest, record: ObjectRecord, dryRun: boolean): Promise<void> {
  const pod = servedCopy(call.resource, record);
  const status = sectionOf(pod, 'status');
  const conditions = (Array.isArray(status.conditions) ? status.conditions : []).filter(
    (condition) => !isRecord(condition) || condition.type !== 'DisruptionTarget',
  );
  const observed = pod.metadata?.generation;
  conditions.push({
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastProbeTime: null,
    lastTransitionTime: timestampOf(call.context.clock.now()),
    ...(observed === undefined ? {} : { observedGeneration: observed }),
  });
  await writeStatus(call, call.resource, record, pod, { ...status, conditions }, dryRun);
}

async function writeStatus(
  call: ResourceRequest,
  resource: ServedResource,
  record: ObjectRecord,
  object: KubeObject,
  status: Record<string, unknown>,
  dryRun: boolean,
): Promise<void> {
  await updateObject(call.context, resource, record, { ...object, status } as KubeObject, {
    user: call.user,
    dryRun,
    fieldManager: 'kube-apiserver',
    isInternal: true,
    warnings: [],
    subresource: 'status',
  });
}

function selects(record: ObjectRecord, pod: KubeObject): boolean {
  const { selector } = sectionOf(record.object, 'spec');
  return isRecord(selector) && matchesLabels(labelSelectorOf(selector), pod.metadata?.labels);
}

function readyCondition(pod: KubeObject): boolean {
  const { conditions } = sectionOf(pod, 'status');
  return (
    Array.isArray(conditions) &&
    conditions.some((one) => isRecord(one) && one.type === 'Ready' && one.status === 'True')
  );
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
