import { conflict, type KubeObject } from '@kind-e2e/kube-api';
import type { ApiContext } from '../api-context.ts';
import type { User } from '../options.ts';
import type { ServedResource } from '../resources/served-resource.ts';
import type { ObjectRecord } from '../storage/object-record.ts';
import { recordsOf, sectionOf, timestampOf } from './object-identity.ts';
import { currentRecord, servedCopy } from './update.ts';

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly orphanDependents?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun: boolean;
  readonly user: User;
  readonly warnings: string[];
  readonly operationOptions?: Readonly<Record<string, unknown>>;
  /** The server's own write: webhooks are not asked. */
  readonly isInternal?: boolean;
}

export interface Deleted {
  readonly object: KubeObject;
  /** False where the object stays for a while: a grace period, or finalizers. */
  readonly isGone: boolean;
}

/** A CRD goes after its objects; crd-controller.ts lets it go. */
const CRDS = 'apiextensions.k8s.io/customresourcedefinitions';
const CRD_CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';
const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';
/** Kinds whose dependents stay unless the client says otherwise (`DefaultGarbageCollectionPolicy`). */
const ORPHANED_BY_DEFAULT: ReadonlySet<string> = new Set(['batch/jobs', 'replicationcontrollers']);

/** Deletes an object, or marks it for deletion (registry.Store.Delete with rest.BeforeDelete). */
export async function deleteObject(
  context: ApiContext,
  resource: ServedResource,
  given: ObjectRecord,
  options: DeleteOptions,
): Promise<Deleted> {
  const current = await admitDeletion(context, resource, given, options);
  const object = servedCopy(resource, current);
  const isPod = resource.collection === 'pods';
  const metadata = { ...object.metadata };
  const finalizers = finalizersFor(resource, metadata.finalizers ?? [], options);
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  const isNamespace = resource.collection === 'namespaces';
  const graceSeconds = isPod ? podGraceSeconds(object, options.gracePeriodSeconds) : 0;
  const nowMs = context.clock.now();
  if (metadata.deletionTimestamp === undefined) {
    if (isPod || finalizers.length > 0 || isNamespace) {
      metadata.deletionTimestamp = timestampOf(nowMs + graceSeconds * 1000);
      metadata.deletionGracePeriodSeconds = graceSeconds;
      if (metadata.generation !== undefined && metadata.generation > 0) metadata.generation++;
    }
  } else if (isPod) shorten(metadata, options.gracePeriodSeconds, nowMs);
  const next: KubeObject = { ...object, metadata };
  const stays =
    finalizers.length > 0 ||
    (isPod && (metadata.deletionGracePeriodSeconds ?? 0) > 0) ||
    (isNamespace && namespaceFinalizers(object).length > 0);
  if (isNamespace && stays) setPhase(next, 'Terminating');
  if (options.dryRun) return { object: next, isGone: !stays };
  const stored = resource.conversion?.toStored(next) ?? next;
  if (!stays) {
    context.store.remove(resource.collection, current, stored);
    return { object: next, isGone: true };
  }
  if (JSON.stringify(next) === JSON.stringify(object)) return { object, isGone: false };
  const record = context.store.update(resource.collection, current, stored);
  return { object: resource.conversion ? servedCopy(resource, record) : record.object, isGone: false };
}

/** Asks who may refuse a deletion, until the object that was asked about is the one that is stored. */
async function admitDeletion(
  context: ApiContext,
  resource: ServedResource,
  given: ObjectRecord,
  options: DeleteOptions,
): Promise<ObjectRecord> {
  for (let current = given; ; current = currentRecord(context, resource, given.namespace, given.name)) {
    const object = servedCopy(resource, current);
    checkPreconditions(resource, object, options);
    const all = { ...options, fieldManager: '' };
    const mutated = context.admission.mutate(resource, 'DELETE', '', object, object, all);
    if (mutated instanceof Promise) await mutated;
    const checked = context.admission.validate(resource, 'DELETE', '', object, object, all);
    if (checked) await checked;
    if (recordsOf(context.store, resource).get(given.namespace, given.name) === current) return current;
  }
}

/** How long a pod has: none where no kubelet runs it (podStrategy.CheckGracefulDelete). */
function podGraceSeconds(pod: KubeObject, wanted: number | undefined): number {
  const spec = sectionOf(pod, 'spec');
  const phase = sectionOf(pod, 'status').phase;
  if (typeof spec.nodeName !== 'string' || spec.nodeName === '') return 0;
  if (phase === 'Failed' || phase === 'Succeeded') return 0;
  const own = typeof spec.terminationGracePeriodSeconds === 'number' ? spec.terminationGracePeriodSeconds : 30;
  const period = wanted ?? own;
  return period < 0 ? 1 : period;
}

/** A second deletion may shorten the grace period, never lengthen it (rest.BeforeDelete). */
function shorten(metadata: NonNullable<KubeObject['metadata']>, wanted: number | undefined, nowMs: number): void {
  const before = metadata.deletionGracePeriodSeconds ?? 0;
  if (wanted === undefined || before === 0 || wanted >= before) return;
  const requestedMs = Date.parse(metadata.deletionTimestamp ?? '') - before * 1000;
  const endMs = Math.max(requestedMs + wanted * 1000, wanted === 0 ? 0 : nowMs);
  metadata.deletionTimestamp = timestampOf(endMs);
  metadata.deletionGracePeriodSeconds = wanted;
  if (metadata.generation !== undefined) metadata.generation++;
}

function finalizersFor(resource: ServedResource, present: readonly string[], options: DeleteOptions): string[] {
  const others = present.filter((name) => name !== ORPHAN && name !== FOREGROUND);
  const kept = resource.collection === CRDS && !others.includes(CRD_CLEANUP) ? [...others, CRD_CLEANUP] : others;
  if (options.orphanDependents === true || options.propagationPolicy === 'Orphan') return [...kept, ORPHAN];
  if (options.propagationPolicy === 'Foreground') return [...kept, FOREGROUND];
  if (options.propagationPolicy === 'Background' || options.orphanDependents === false) return kept;
  if (present.includes(ORPHAN)) return [...kept, ORPHAN];
  if (present.includes(FOREGROUND)) return [...kept, FOREGROUND];
  if (ORPHANED_BY_DEFAULT.has(resource.collection)) {
    if (resource.collection === 'batch/jobs')
      options.warnings.push(
        'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
      );
    return [...kept, ORPHAN];
  }
  return kept;
}

function checkPreconditions(resource: ServedResource, object: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const { group, kind } = resource.definition;
  const name = object.metadata?.name ?? '';
  if (uid !== undefined && uid !== object.metadata?.uid)
    throw conflict(
      { group, resource: kind },
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${object.metadata?.uid ?? ''}). The object might have been deleted and then recreated`,
    );
  if (resourceVersion !== undefined && resourceVersion !== object.metadata?.resourceVersion)
    throw conflict(
      { group, resource: kind },
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${object.metadata?.resourceVersion ?? ''}). The object might have been modified`,
    );
}

function namespaceFinalizers(object: KubeObject): unknown[] {
  const { finalizers } = sectionOf(object, 'spec');
  return Array.isArray(finalizers) ? finalizers : [];
}

function setPhase(object: KubeObject, phase: string): void {
  Object.assign(object, { status: { ...sectionOf(object, 'status'), phase } });
}
