/** Who owns what after an update or an apply (structured-merge-diff `merge.Updater`), for objects of one version. */
import type { StructSchema } from '../schema/schema.ts';
import type { JsonRecord } from '../values/json.ts';
import { isRecord } from '../values/json.ts';
import type { Conflict } from './apply-conflict.ts';
import { FieldSet } from './field-set.ts';
import type { ManagerFields, Managers } from './managed-fields.ts';
import { type Comparison, compareTyped, fieldSetOf, isSame, mergeTyped, removeFields } from './typed-value.ts';

/** Fields that nobody owns (`stripMetaManager`). */
const UNOWNED = FieldSet.of(
  ['apiVersion'],
  ['kind'],
  ['metadata'],
  ['metadata', 'name'],
  ['metadata', 'namespace'],
  ['metadata', 'creationTimestamp'],
  ['metadata', 'selfLink'],
  ['metadata', 'uid'],
  ['metadata', 'clusterName'],
  ['metadata', 'generation'],
  ['metadata', 'managedFields'],
  ['metadata', 'resourceVersion'],
);

function without(comparison: Comparison, fields: FieldSet): Comparison {
  return {
    added: comparison.added.recursiveDifference(fields),
    modified: comparison.modified.recursiveDifference(fields),
    removed: comparison.removed.recursiveDifference(fields),
  };
}

/** What other managers lose to a change, and the conflicts that arise from it. */
function loseTo(
  managers: Managers,
  workflow: string,
  comparison: Comparison,
): { managers: Map<string, ManagerFields>; conflicts: Conflict[] } {
  const changed = comparison.modified.union(comparison.added);
  const conflicts: Conflict[] = [];
  const out = new Map<string, ManagerFields>();
  for (const [id, entry] of managers) {
    if (id === workflow) {
      out.set(id, entry);
      continue;
    }
    const lost = entry.set.intersection(changed);
    if (!lost.isEmpty()) conflicts.push({ manager: entry, fields: lost });
    const set = entry.set.difference(lost).difference(comparison.removed);
    if (!set.isEmpty()) out.set(id, { ...entry, set });
  }
  return { managers: out, conflicts };
}

/** The fields that a plain write takes, and what is left to the others. */
export function updateOwnership(
  schema: StructSchema,
  live: JsonRecord,
  next: JsonRecord,
  managers: Managers,
  reset: FieldSet,
): { managers: Map<string, ManagerFields>; taken: FieldSet } {
  const comparison = without(compareTyped(schema, live, next), reset);
  const rest = loseTo(managers, '', comparison);
  const taken = comparison.modified.union(comparison.added).recursiveDifference(reset).difference(UNOWNED);
  return { managers: rest.managers, taken };
}

export interface ApplyResult {
  /** `undefined` where nothing changes. */
  readonly object: JsonRecord | undefined;
  readonly managers: Map<string, ManagerFields>;
  readonly conflicts: readonly Conflict[];
}

/** Merges an applied configuration, and prunes what its manager no longer applies. `self` describes the manager. */
export function applyOwnership(
  schema: StructSchema,
  live: JsonRecord,
  applied: JsonRecord,
  managers: Managers,
  workflow: string,
  self: Omit<ManagerFields, 'set'>,
  reset: FieldSet,
  finish: (merged: JsonRecord) => JsonRecord,
): ApplyResult {
  const last = managers.get(workflow);
  const set = fieldSetOf(schema, applied).recursiveDifference(reset);
  const withSelf = new Map(managers);
  withSelf.set(workflow, { ...self, set });
  let merged = mergeTyped(schema, live, applied);
  if (last !== undefined && !last.set.isEmpty()) merged = prune(schema, merged, withSelf, last.set);
  const object = isRecord(merged) ? merged : {};
  const comparison = without(compareTyped(schema, live, object), reset);
  const rest = loseTo(withSelf, workflow, comparison);
  const own = rest.managers.get(workflow);
  if (own !== undefined) {
    const stripped = own.set.difference(UNOWNED);
    if (stripped.isEmpty()) rest.managers.delete(workflow);
    else rest.managers.set(workflow, { ...own, set: stripped });
  }
  return {
    object: isSame(comparison) ? undefined : finish(object),
    managers: rest.managers,
    conflicts: rest.conflicts,
  };
}

/** Takes away what the last configuration had, but for what somebody owns or what hangs on it. */
function prune(schema: StructSchema, merged: unknown, managers: Managers, last: FieldSet): unknown {
  const lastNamed = last.withNamedFields(schema);
  const pruned = removeFields(schema, merged, lastNamed);
  let owned = new FieldSet();
  for (const entry of managers.values()) owned = owned.union(entry.set);
  const mergedSet = fieldSetOf(schema, merged).withNamedFields(schema);
  const prunedSet = fieldSetOf(schema, pruned).withNamedFields(schema);
  const kept = removeFields(schema, merged, mergedSet.difference(prunedSet.union(owned.withNamedFields(schema))));
  const keptSet = fieldSetOf(schema, kept).withNamedFields(schema);
  return removeFields(schema, merged, mergedSet.difference(keptSet).intersection(lastNamed));
}
