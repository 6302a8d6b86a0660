import {
  badRequest,
  conflict,
  invalid,
  invalidValue,
  type KubeObject,
  keepManagedFieldsTimes,
  notFound,
  OPTIMISTIC_LOCK_MESSAGE,
} from '@kind-e2e/kube-api';
import type { ApiContext } from '../api-context.ts';
import type { User } from '../options.ts';
import type { ServedResource } from '../resources/served-resource.ts';
import type { ObjectRecord } from '../storage/object-record.ts';
import { allocate } from './allocate.ts';
import { trackFields } from './managed-fields.ts';
import { groupResourceOf, recordsOf, sectionOf } from './object-identity.ts';
import { nameOwnersOnce } from './owner-references.ts';

export interface UpdateOptions {
  readonly user: User;
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly warnings: string[];
  readonly subresource: string;
  readonly operationOptions?: Readonly<Record<string, unknown>>;
  /** The server's own write: webhooks are not asked. */
  readonly isInternal?: boolean;
  /** True for objects whose managedFields are made already (server-side apply). */
  readonly isApplied?: boolean;
  /** True where the object came whole from a client, who then has to say which version it was made from. */
  readonly isReplace?: boolean;
}

export interface Updated {
  readonly object: KubeObject;
  /** The record that is stored now; undefined where the update let the object go, or nothing was stored. */
  readonly record: ObjectRecord | undefined;
}

/** The current state of an object. Throws 404. */
export function currentRecord(
  context: ApiContext,
  resource: ServedResource,
  namespace: string,
  name: string,
): ObjectRecord {
  const record = recordsOf(context.store, resource).get(namespace, name);
  if (!record) throw notFound(groupResourceOf(resource), name);
  return record;
}

/** An object in the version of the resource, as a copy that may be changed. */
export function servedCopy(resource: ServedResource, record: ObjectRecord): KubeObject {
  return resource.conversion ? resource.conversion.toServed(record.copy()) : record.copy();
}

/** What an update was made from has changed while webhooks were asked: it has to be made again. */
class StaleRecordError extends Error {
  override readonly name = 'StaleRecordError';
}

/**
 * Makes an update from the state that is stored now, and again where that changed meanwhile
 * (storage `GuaranteedUpdate`).
 */
export async function guaranteedUpdate<T extends Updated>(update: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await update();
    } catch (error) {
      if (!(error instanceof StaleRecordError)) throw error;
    }
}

/**
 * Replaces an object by what it becomes (registry.Store.Update). An update that changes nothing stores nothing. All is
 * done before the first pause, unless webhooks are asked; then it may throw a `StaleRecordError`.
 */
export async function updateObject(
  context: ApiContext,
  resource: ServedResource,
  current: ObjectRecord,
  wanted: KubeObject,
  options: UpdateOptions,
): Promise<Updated> {
  const { definition, behavior } = resource;
  const old = servedCopy(resource, current);
  const namespace = wanted.metadata?.namespace ?? '';
  if (definition.namespaced && namespace !== '' && namespace !== current.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  checkVersion(resource, old, wanted, options);
  let object: KubeObject = { ...wanted, metadata: keepSystemMetadata(wanted, old) };
  if (options.isReplace === true) nameOwnersOnce(object, options.warnings, 'sent');
  if (options.isApplied !== true)
    trackFields(resource, old, object, options.fieldManager, options.subresource, context.clock);
  const mutated = context.admission.mutate(resource, 'UPDATE', options.subresource, object, old, options);
  object = mutated instanceof Promise ? await mutated : mutated;
  nameOwnersOnce(object, options.warnings, 'admitted');
  behavior.prepareForUpdate(object, old, options.subresource);
  const errors = behavior.validateUpdate(object, old, options.subresource);
  if (errors.length > 0) throw invalid(definition, current.name, errors);
  if (options.subresource === '') allocate(context, resource, object, old);
  const checked = context.admission.validate(resource, 'UPDATE', options.subresource, object, old, options);
  if (checked) await checked;
  if (recordsOf(context.store, resource).get(current.namespace, current.name) !== current) throw new StaleRecordError();
  if (options.subresource === '') options.warnings.push(...behavior.warnings(object, old));
  if (keepManagedFieldsTimes(object as Record<string, unknown>, old as Record<string, unknown>))
    return { object: old, record: current };
  if (options.dryRun) return { object, record: undefined };
  const stored = resource.conversion?.toStored(object) ?? object;
  if (isReleased(object)) {
    const record = context.store.remove(resource.collection, current, stored);
    return { object: record.object, record: undefined };
  }
  const record = context.store.update(resource.collection, current, stored);
  return { object: resource.conversion ? servedCopy(resource, record) : record.object, record };
}

/** True when nothing holds an object that is being deleted. */
export function isReleased(object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata ?? {};
  if (deletionTimestamp === undefined || (deletionGracePeriodSeconds ?? 0) !== 0) return false;
  // A namespace is held by finalizers in its spec too.
  const inSpec = object.kind === 'Namespace' ? sectionOf(object, 'spec').finalizers : undefined;
  return (finalizers?.length ?? 0) === 0 && !(Array.isArray(inSpec) && inSpec.length > 0);
}

/** Throws 409 where a client means an object of another UID. */
export function checkUid(resource: ServedResource, object: KubeObject, uid: string | undefined): void {
  const own = object.metadata?.uid ?? '';
  if (uid === undefined || uid === '' || uid === own) return;
  throw conflict(
    groupResourceOf(resource),
    object.metadata?.name ?? '',
    `StorageError: invalid object, Code: 4, Key: ${storageKey(resource, object)}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${own}`,
  );
}

function checkVersion(resource: ServedResource, old: KubeObject, wanted: KubeObject, options: UpdateOptions): void {
  const name = old.metadata?.name ?? '';
  // Of a patch, validation says that the UID cannot be changed.
  if (options.isReplace === true) checkUid(resource, old, wanted.metadata?.uid);
  const version = wanted.metadata?.resourceVersion;
  if (version === undefined || version === '' || version === '0') {
    if (options.isReplace === true && needsVersion(resource))
      throw invalid(resource.definition, name, [
        invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
      ]);
    return;
  }
  if (version !== old.metadata?.resourceVersion)
    throw conflict(groupResourceOf(resource), name, OPTIMISTIC_LOCK_MESSAGE);
}

/** Kinds whose strategies refuse unconditional updates (`AllowUnconditionalUpdate`). */
function needsVersion(resource: ServedResource): boolean {
  return resource.isCustom || CONDITIONAL.has(resource.collection);
}

const CONDITIONAL: ReadonlySet<string> = new Set([
  'apiextensions.k8s.io/customresourcedefinitions',
  'coordination.k8s.io/leases',
  'policy/poddisruptionbudgets',
  'scheduling.k8s.io/priorityclasses',
]);

function storageKey(resource: ServedResource, object: KubeObject): string {
  const namespace = object.metadata?.namespace;
  const place = resource.definition.group.includes('.') ? `${resource.definition.group}/` : '';
  return `/registry/${place}${resource.definition.plural}/${namespace ? `${namespace}/` : ''}${object.metadata?.name ?? ''}`;
}

/**
 * Clients cannot change these, whatever they send (rest.BeforeUpdate), but are told so of some
 * (`ValidateObjectMetaAccessorUpdate`).
 */
function keepSystemMetadata(wanted: KubeObject, old: KubeObject): KubeObject['metadata'] {
  const { selfLink: _link, ...metadata } = wanted.metadata ?? {};
  const before = old.metadata ?? {};
  return {
    ...metadata,
    name: metadata.name ?? before.name,
    ...(before.namespace === undefined ? {} : { namespace: before.namespace }),
    uid: metadata.uid || before.uid,
    resourceVersion: before.resourceVersion,
    creationTimestamp: before.creationTimestamp,
    ...(before.generation === undefined ? {} : { generation: before.generation }),
    ...(before.generateName !== undefined && metadata.generateName === undefined
      ? { generateName: before.generateName }
      : {}),
    ...(before.deletionTimestamp === undefined ? {} : { deletionTimestamp: before.deletionTimestamp }),
    ...(before.deletionGracePeriodSeconds === undefined || metadata.deletionGracePeriodSeconds !== undefined
      ? {}
      : { deletionGracePeriodSeconds: before.deletionGracePeriodSeconds }),
  };
}
