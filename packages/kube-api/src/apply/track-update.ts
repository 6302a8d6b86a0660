import { apiVersionOf, type GroupVersionKind } from '../registry/resource-definition.ts';
import { decodeObject } from '../schema/decode.ts';
import type { StructSchema } from '../schema/schema.ts';
import { ensureRecord, recordAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import type { FieldSet } from './field-set.ts';
import {
  isReset,
  type ManagerFields,
  type Managers,
  managerId,
  readManagers,
  setManagedFields,
  withoutManagedFields,
} from './managed-fields.ts';
import { customResetFields, resetFieldsOf } from './reset-fields.ts';
import { updateOwnership } from './updater.ts';

/** More Update managers than this are put together as `ancient-changes` (`DefaultMaxUpdateManagers`). */
export const MAX_UPDATE_MANAGERS = 10;

export interface TrackUpdateOptions {
  readonly schema: StructSchema;
  readonly gvk: GroupVersionKind;
  /** The stored object with its managedFields; absent on create. */
  readonly live?: JsonRecord;
  /** The new object, decoded and defaulted, before admission and preparation; changed in place. */
  readonly object: JsonRecord;
  readonly manager: string;
  /** '' for the object itself. */
  readonly subresource?: string;
  /** Now, RFC 3339 with whole seconds. */
  readonly now: string;
  /** Custom resources: has a status subresource. */
  readonly hasStatus?: boolean;
}

/** A new, empty object of the kind, as Go's `New` makes it: what everything is compared with on create. */
export function emptyObject(schema: StructSchema, gvk: GroupVersionKind): JsonRecord {
  const identity = { apiVersion: apiVersionOf(gvk), kind: gvk.kind };
  return schema.name === undefined ? identity : decodeObject(schema, identity).object;
}

export function resetFields(
  schema: StructSchema,
  gvk: GroupVersionKind,
  subresource: string,
  hasStatus: boolean,
): FieldSet {
  return schema.name === undefined ? customResetFields(subresource, hasStatus) : resetFieldsOf(gvk, subresource);
}

/**
 * Writes metadata.managedFields after a create, update or patch that is no apply. Honours managedFields that the request
 * itself sets or resets. Never throws: where fields cannot be told apart the stored entries stay (`UpdateNoErrors`).
 */
export function trackUpdate(options: TrackUpdateOptions): void {
  const { schema, gvk, live, object, manager, now } = options;
  const subresource = options.subresource ?? '';
  const metadata = ensureRecord(object, 'metadata');
  const liveManagers = readManagers(recordAt(live, 'metadata'));
  let managers: Managers;
  if (subresource !== '') managers = liveManagers;
  else if (isReset(metadata)) managers = new Map();
  else {
    const own = readManagers(metadata);
    managers = own.size === 0 ? liveManagers : own;
  }
  delete metadata.managedFields;
  // An object that nobody tracks stays so; new ones are tracked.
  if (managers.size === 0 && live !== undefined) return;
  let result: ReturnType<typeof updateOwnership>;
  try {
    result = updateOwnership(
      schema,
      live === undefined ? emptyObject(schema, gvk) : withoutManagedFields(live),
      object,
      managers,
      resetFields(schema, gvk, subresource, options.hasStatus ?? false),
    );
  } catch {
    setManagedFields(object, managers);
    return;
  }
  const entry = { manager, operation: 'Update' as const, apiVersion: apiVersionOf(gvk), subresource };
  if (!result.taken.isEmpty()) {
    const id = managerId(entry);
    const previous = result.managers.get(id);
    const set = previous === undefined ? result.taken : result.taken.union(previous.set);
    result.managers.set(id, { ...entry, time: now, set });
  }
  setManagedFields(object, capped(result.managers));
}

function capped(managers: Map<string, ManagerFields>): Managers {
  const updaters = [...managers.values()].filter((entry) => entry.operation === 'Update' && entry.subresource === '');
  const tooMany = updaters.length - MAX_UPDATE_MANAGERS;
  if (tooMany <= 0) return managers;
  const oldest = updaters.toSorted((left, right) => ((left.time ?? '') < (right.time ?? '') ? -1 : 1));
  const out = new Map(managers);
  for (const entry of oldest.slice(0, tooMany + 1)) {
    out.delete(managerId(entry));
    const bucket = { ...entry, manager: 'ancient-changes' };
    const id = managerId(bucket);
    const present = out.get(id);
    out.set(id, present === undefined ? bucket : { ...bucket, set: present.set.union(entry.set) });
  }
  return out;
}
