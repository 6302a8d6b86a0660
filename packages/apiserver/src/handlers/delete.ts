import {
  badRequest,
  type FieldError,
  invalid,
  invalidValue,
  isRecord,
  type KubeObject,
  unsupportedValue,
} from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { readBody } from '../http/body.ts';
import { parseDocument } from '../http/documents.ts';
import { sendText } from '../http/respond.ts';
import { type DeleteOptions, deleteObject } from '../operations/delete.ts';
import { recordsOf } from '../operations/object-identity.ts';
import { currentRecord } from '../operations/update.ts';
import { recordEncoder } from '../views/record-encoder.ts';
import { integerOf, parseListQuery } from './options.ts';
import { createSelection } from './selection.ts';
import { contentTypeOf, encodeBody, sendObject, sendWritten } from './send.ts';

/** Kinds whose deletion answers with the object, not with a Status (`ReturnDeletedObject`). */
const RETURNS_OBJECT: ReadonlySet<string> = new Set([
  'pods',
  'services',
  'serviceaccounts',
  'persistentvolumes',
  'persistentvolumeclaims',
  'podtemplates',
  'resourcequotas',
  'limitranges',
  'storage.k8s.io/storageclasses',
  'storage.k8s.io/csinodes',
  'storage.k8s.io/csidrivers',
  'storage.k8s.io/volumeattachments',
]);

/** DELETE of one object. */
export async function handleDelete(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  const options = await readDeleteOptions(call);
  const current = currentRecord(context, resource, info.namespace, info.name);
  const { object, isGone } = await deleteObject(context, resource, current, options);
  const isAccepted = !isGone && (options.orphanDependents === false || options.propagationPolicy === 'Foreground');
  if (!isGone || RETURNS_OBJECT.has(resource.collection)) {
    await sendWritten(call, { object, record: undefined }, isAccepted ? 202 : 200);
    return;
  }
  const { group, plural } = resource.definition;
  await sendObject(call, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: info.name,
      ...(group === '' ? {} : { group }),
      kind: plural,
      uid: object.metadata?.uid ?? '',
    },
  } as KubeObject);
}

/** DELETE of a collection: each object on its own, those that vanish meanwhile are no problem. */
export async function handleDeleteCollection(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  const options = await readDeleteOptions(call);
  const list = parseListQuery(call.query, false);
  const selection = createSelection(resource, info.namespace, '', list.labelSelector, list.fieldSelector);
  const records = recordsOf(context.store, resource);
  const namespace = resource.definition.namespaced ? info.namespace || undefined : undefined;
  const chosen = records.list(namespace).filter((record) => selection.matches(record));
  for (const record of chosen) {
    const current = records.get(record.namespace, record.name);
    if (current) await deleteObject(context, resource, current, options);
  }
  await context.store.durable();
  const encoder = recordEncoder(resource, call.form, call.include, () => context.clock.now());
  const body = encoder.list(chosen, { resourceVersion: String(context.store.durableRevision) });
  await sendText(call.request, call.response, await encodeBody(call.form, body), {
    contentType: contentTypeOf(call.form),
    warnings: call.warnings,
  });
}

/** DeleteOptions from the body, or from the query where there is none; 422 for values that make no sense. */
export async function readDeleteOptions(call: ResourceRequest): Promise<DeleteOptions> {
  const bytes = await readBody(call.request);
  let raw: Record<string, unknown> = {};
  if (bytes.length > 0) {
    const parsed = await parseDocument(bytes, call.request.headers['content-type'], 'DeleteOptions');
    if (!isRecord(parsed)) throw badRequest('the object provided is unrecognized (must be of type DeleteOptions)');
    raw = parsed;
  } else raw = optionsOfQuery(call.query);
  return deleteOptionsOf(raw, call);
}

export function deleteOptionsOf(raw: Record<string, unknown>, call: ResourceRequest): DeleteOptions {
  const typeProblem = (field: string, value: unknown, type: string): Error =>
    badRequest(
      `DeleteOptions in version "v1" cannot be handled as a DeleteOptions: json: cannot unmarshal ${typeof value} into Go struct field DeleteOptions.${field} of type ${type}`,
    );
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions, dryRun } = raw;
  if (gracePeriodSeconds !== undefined && gracePeriodSeconds !== null && !Number.isSafeInteger(gracePeriodSeconds))
    throw typeProblem('gracePeriodSeconds', gracePeriodSeconds, 'int64');
  if (propagationPolicy !== undefined && propagationPolicy !== null && typeof propagationPolicy !== 'string')
    throw typeProblem('propagationPolicy', propagationPolicy, 'v1.DeletionPropagation');
  if (orphanDependents !== undefined && orphanDependents !== null && typeof orphanDependents !== 'boolean')
    throw typeProblem('orphanDependents', orphanDependents, 'bool');
  if (preconditions !== undefined && preconditions !== null && !isRecord(preconditions))
    throw typeProblem('preconditions', preconditions, 'v1.Preconditions');
  if (
    dryRun !== undefined &&
    dryRun !== null &&
    !(Array.isArray(dryRun) && dryRun.every((one) => typeof one === 'string'))
  )
    throw typeProblem('dryRun', dryRun, '[]string');
  const dryRuns = [
    ...(Array.isArray(dryRun) ? dryRun : []),
    ...call.query.getAll('dryRun').filter((one) => one !== ''),
  ];
  const errors: FieldError[] = [];
  if (typeof propagationPolicy === 'string' && !['Foreground', 'Background', 'Orphan'].includes(propagationPolicy))
    errors.push(
      unsupportedValue('propagationPolicy', propagationPolicy, ['Foreground', 'Background', 'Orphan', 'nil']),
    );
  if (typeof orphanDependents === 'boolean' && typeof propagationPolicy === 'string')
    errors.push(
      invalidValue(
        'propagationPolicy',
        propagationPolicy,
        'orphanDependents and deletionPropagation cannot be both set',
      ),
    );
  if (dryRuns.some((one) => one !== 'All')) errors.push(unsupportedValue('dryRun', dryRuns, ['All']));
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  const uid = isRecord(preconditions) && typeof preconditions.uid === 'string' ? preconditions.uid : undefined;
  const resourceVersion =
    isRecord(preconditions) && typeof preconditions.resourceVersion === 'string'
      ? preconditions.resourceVersion
      : undefined;
  return {
    ...(typeof gracePeriodSeconds === 'number' ? { gracePeriodSeconds } : {}),
    ...(typeof propagationPolicy === 'string'
      ? { propagationPolicy: propagationPolicy as 'Foreground' | 'Background' | 'Orphan' }
      : {}),
    ...(typeof orphanDependents === 'boolean' ? { orphanDependents } : {}),
    preconditions: {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    dryRun: dryRuns.length > 0,
    user: call.user,
    warnings: call.warnings,
    operationOptions: { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1', ...raw },
  };
}

function optionsOfQuery(query: URLSearchParams): Record<string, unknown> {
  const grace = query.get('gracePeriodSeconds');
  const policy = query.get('propagationPolicy');
  const orphan = query.get('orphanDependents');
  return {
    ...(grace === null || grace === '' ? {} : { gracePeriodSeconds: integerOf(query, 'gracePeriodSeconds') }),
    ...(policy === null || policy === '' ? {} : { propagationPolicy: policy }),
    ...(orphan === null || orphan === ''
      ? {}
      : { orphanDependents: orphan !== '0' && orphan.toLowerCase() !== 'false' }),
  };
}
