/** metadata.managedFields in and out of field sets (apimachinery `util/managedfields`). */
import type { ManagedFieldsEntry } from '../object.ts';
import { recordAt, recordsAt, stringAt } from '../values/access.ts';
import { isRecord, type JsonRecord, jsonEquals } from '../values/json.ts';
import { FieldSet } from './field-set.ts';

/** One manager's fields. Appliers are one manager for all versions. */
export interface ManagerFields {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly set: FieldSet;
}

export type Managers = ReadonlyMap<string, ManagerFields>;

/** What makes two entries the same manager (`BuildManagerIdentifier`). */
export function managerId(entry: Pick<ManagerFields, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string {
  const apiVersion = entry.operation === 'Apply' ? '' : entry.apiVersion;
  return JSON.stringify([entry.manager, entry.operation, apiVersion, entry.subresource]);
}

/** The managers of an object; entries of unknown operations are an error upstream and give none at all here. */
export function readManagers(metadata: unknown): Managers {
  const out = new Map<string, ManagerFields>();
  for (const entry of recordsAt(metadata, 'managedFields')) {
    const operation = stringAt(entry, 'operation');
    if (operation !== 'Apply' && operation !== 'Update') return new Map();
    const fields: ManagerFields = {
      manager: stringAt(entry, 'manager'),
      operation,
      apiVersion: stringAt(entry, 'apiVersion'),
      subresource: stringAt(entry, 'subresource'),
      time: typeof entry.time === 'string' ? entry.time : undefined,
      set: FieldSet.fromJson(entry.fieldsV1),
    };
    out.set(managerId(fields), fields);
  }
  return out;
}

/** The entries in the order the server keeps them: appliers first, then by time and name. */
export function writeManagers(managers: Managers): ManagedFieldsEntry[] {
  return [...managers.values()]
    .toSorted(
      (left, right) =>
        compareText(left.operation, right.operation) ||
        compareText((left.time ?? '').slice(0, 19), (right.time ?? '').slice(0, 19)) ||
        compareText(left.manager, right.manager) ||
        compareText(left.apiVersion, right.apiVersion) ||
        compareText(left.subresource, right.subresource),
    )
    .map((entry) => ({
      ...(entry.manager === '' ? {} : { manager: entry.manager }),
      operation: entry.operation,
      apiVersion: entry.apiVersion,
      ...(entry.time === undefined ? {} : { time: entry.time }),
      fieldsType: 'FieldsV1',
      fieldsV1: entry.set.toJson(),
      ...(entry.subresource === '' ? {} : { subresource: entry.subresource }),
    }));
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A request that clears the field: an empty list, or one empty entry (`isResetManagedFields`). */
export function isReset(metadata: unknown): boolean {
  const list = isRecord(metadata) ? metadata.managedFields : undefined;
  if (!Array.isArray(list)) return false;
  return list.length === 0 || (list.length === 1 && isRecord(list[0]) && Object.keys(list[0]).length === 0);
}

/** `managedFields` put in or, where there are none, taken out; in place. */
export function setManagedFields(object: JsonRecord, managers: Managers): void {
  const metadata = recordAt(object, 'metadata');
  if (metadata === undefined) return;
  if (managers.size === 0) delete metadata.managedFields;
  else metadata.managedFields = writeManagers(managers);
}

/** The object without `managedFields`; the given one stays as it is. */
export function withoutManagedFields(object: JsonRecord): JsonRecord {
  const metadata = recordAt(object, 'metadata');
  if (metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...rest } = metadata;
  return { ...object, metadata: rest };
}

/**
 * Where an update changes nothing but times of managedFields, the stored entries are kept, so that it stays without
 * effect (`IgnoreManagedFieldsTimestampsTransformer`). In place; true if that was so.
 */
export function keepManagedFieldsTimes(object: JsonRecord, stored: JsonRecord): boolean {
  const strip = (source: JsonRecord): unknown => {
    const metadata = recordAt(source, 'metadata') ?? {};
    return {
      ...source,
      metadata: {
        ...metadata,
        managedFields: recordsAt(metadata, 'managedFields').map(({ time: _, ...rest }) => rest),
      },
    };
  };
  if (!jsonEquals(strip(object), strip(stored))) return false;
  const metadata = recordAt(object, 'metadata');
  const before = recordAt(stored, 'metadata');
  if (metadata !== undefined && before?.managedFields !== undefined) metadata.managedFields = before.managedFields;
  return true;
}
