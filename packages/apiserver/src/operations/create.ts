import { randomUUID } from 'node:crypto';
import {
  alreadyExists,
  badRequest,
  generateNameConflict,
  invalid,
  type KubeObject,
  type ObjectMeta,
  unclassified,
} from '@kind-e2e/kube-api';
import type { ApiContext } from '../api-context.ts';
import type { User } from '../options.ts';
import type { ServedResource } from '../resources/served-resource.ts';
import type { ObjectRecord } from '../storage/object-record.ts';
import { allocate } from './allocate.ts';
import { generateName } from './generate-name.ts';
import { trackFields } from './managed-fields.ts';
import { groupResourceOf, recordsOf, timestampOf } from './object-identity.ts';
import { nameOwnersOnce } from './owner-references.ts';

export interface CreateOptions {
  readonly user: User;
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly warnings: string[];
  readonly operationOptions?: Readonly<Record<string, unknown>>;
  /** The server's own write: webhooks are not asked. */
  readonly isInternal?: boolean;
  /** True for objects whose managedFields are made already (server-side apply). */
  readonly isApplied?: boolean;
}

export interface Created {
  readonly object: KubeObject;
  /** What is stored; undefined after a dry run. */
  readonly record: ObjectRecord | undefined;
}

const GENERATE_ATTEMPTS = 8;

/**
 * Creates an object that was decoded: admission, what the kind sets itself, validation, name, storage
 * (registry.Store.Create). Gives it as it is stored; it is durable when `store.durable()` resolves. All is done before
 * the first pause, unless webhooks are asked.
 */
export async function createObject(
  context: ApiContext,
  resource: ServedResource,
  namespace: string,
  decoded: KubeObject,
  options: CreateOptions,
): Promise<Created> {
  const { definition, behavior } = resource;
  const metadata: ObjectMeta = { ...decoded.metadata };
  let object: KubeObject = { ...decoded, metadata };
  if (definition.namespaced) {
    if (metadata.namespace !== undefined && metadata.namespace !== '' && metadata.namespace !== namespace)
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    metadata.namespace = namespace;
  } else delete metadata.namespace;
  if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== '' && metadata.resourceVersion !== '0')
    throw unclassified('resourceVersion should not be set on objects to be created');
  delete metadata.resourceVersion;
  delete metadata.deletionTimestamp;
  delete metadata.selfLink;
  delete metadata.deletionGracePeriodSeconds;
  metadata.uid = randomUUID();
  metadata.creationTimestamp = timestampOf(context.clock.now());
  const isGenerated = !metadata.name && !!metadata.generateName;
  if (isGenerated) metadata.name = generateName(metadata.generateName ?? '');
  nameOwnersOnce(object, options.warnings, 'sent');
  if (options.isApplied !== true) trackFields(resource, undefined, object, options.fieldManager, '', context.clock);
  const mutated = context.admission.mutate(resource, 'CREATE', '', object, undefined, options);
  object = mutated instanceof Promise ? await mutated : mutated;
  nameOwnersOnce(object, options.warnings, 'admitted');
  // As upstream, whose services get their addresses before anything is validated (`BeginCreate`).
  allocate(context, resource, object, undefined);
  behavior.prepareForCreate(object);
  const errors = behavior.validateCreate(object);
  const name = object.metadata?.name ?? '';
  if (errors.length > 0) throw invalid(definition, name, errors);
  options.warnings.push(...behavior.warnings(object));
  const checked = context.admission.validate(resource, 'CREATE', '', object, undefined, options);
  if (checked) await checked;
  let existing = recordsOf(context.store, resource).get(namespace, name);
  for (let attempt = 1; existing && isGenerated && attempt < GENERATE_ATTEMPTS; attempt++) {
    const another = generateName(object.metadata?.generateName ?? '');
    object = { ...object, metadata: { ...object.metadata, name: another } };
    existing = recordsOf(context.store, resource).get(namespace, another);
  }
  if (existing)
    throw isGenerated
      ? generateNameConflict(groupResourceOf(resource), existing.name, 1)
      : alreadyExists(groupResourceOf(resource), name);
  if (options.dryRun) return { object, record: undefined };
  const record = context.store.create(resource.collection, resource.conversion?.toStored(object) ?? object);
  return { object: resource.conversion ? resource.conversion.toServed(record.copy()) : record.object, record };
}
