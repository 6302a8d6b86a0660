import { badRequest, unclassified } from '../errors/status-errors.ts';
import { apiVersionOf, type GroupVersionKind } from '../registry/resource-definition.ts';
import { decodeObject } from '../schema/decode.ts';
import type { StructSchema } from '../schema/schema.ts';
import { ensureRecord, recordAt, stringAt, stringMapAt } from '../values/access.ts';
import { copyJson, isRecord, type JsonRecord } from '../values/json.ts';
import { applyConflictError, type Conflict } from './apply-conflict.ts';
import type { FieldSet } from './field-set.ts';
import {
  type ManagerFields,
  type Managers,
  managerId,
  readManagers,
  setManagedFields,
  withoutManagedFields,
} from './managed-fields.ts';
import { emptyObject, resetFields } from './track-update.ts';
import { compareTyped, fieldSetOf, typedProblems } from './typed-value.ts';
import { applyOwnership, updateOwnership } from './updater.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** The client that once applied on its own side; its annotation is honoured and kept up. */
const KUBECTL = 'kubectl';
/** `TotalAnnotationSizeLimitB`. */
const MAX_ANNOTATION_BYTES = 256 * 1024;

export interface ApplyPatchOptions {
  readonly schema: StructSchema;
  readonly gvk: GroupVersionKind;
  /** The stored object with its managedFields; absent where the apply creates it. */
  readonly live?: JsonRecord;
  readonly applied: JsonRecord;
  readonly manager: string;
  readonly force: boolean;
  readonly subresource?: string;
  readonly now: string;
  readonly hasStatus?: boolean;
  /** Defaults the merged object (built-in: `applyDefaults`; custom: pruning and schema defaults); in place. */
  readonly applyDefaults: (object: JsonRecord) => void;
}

/**
 * Server-side apply: the live object with the applied configuration merged in, decoded and defaulted, with new
 * managedFields. Throws a `StatusError`: 409 for conflicts, 400 for managedFields in the configuration, 500 for a
 * configuration that does not fit the schema (as the real server answers).
 */
export function applyPatch(options: ApplyPatchOptions): JsonRecord {
  const { schema, gvk, applied, manager, force } = options;
  const version = apiVersionOf(gvk);
  const subresource = options.subresource ?? '';
  const appliedVersion = stringAt(applied, 'apiVersion');
  if (appliedVersion !== version)
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${appliedVersion}, expected: ${version}`,
    );
  const appliedMetadata = recordAt(applied, 'metadata');
  if (appliedMetadata?.managedFields !== undefined && appliedMetadata.managedFields !== null)
    throw badRequest('metadata.managedFields must be nil');
  const problems = typedProblems(schema, applied, false);
  if (problems.length > 0)
    throw unclassified(`failed to create typed patch object (${objectText(applied, gvk)}): ${joinProblems(problems)}`);
  const reset = resetFields(schema, gvk, subresource, options.hasStatus ?? false);
  const empty = emptyObject(schema, gvk);
  const live = options.live === undefined ? empty : withoutManagedFields(options.live);
  const managers = startingManagers(options, live, empty, reset);
  const finish = (merged: JsonRecord): JsonRecord => {
    const object = schema.name === undefined ? copyJson(merged) : decodeObject(schema, merged).object;
    options.applyDefaults(object);
    return object;
  };
  const self: Omit<ManagerFields, 'set'> = {
    manager,
    operation: 'Apply',
    apiVersion: version,
    subresource,
    time: options.now,
  };
  const workflow = managerId({ ...self });
  const previous = managers.get(workflow);
  const result = applyOwnership(schema, live, applied, managers, workflow, self, reset, finish);
  if (result.conflicts.length > 0 && !force) {
    const left = manager === KUBECTL ? disallowed(schema, live, result.conflicts) : result.conflicts;
    if (left.length > 0) throw applyConflictError(left);
  }
  let object = result.object;
  if (object === undefined) {
    object = copyJson(live);
    const own = result.managers.get(workflow);
    // Nothing changed: the entry keeps its time.
    if (own !== undefined && previous?.time !== undefined)
      result.managers.set(workflow, { ...own, time: previous.time });
  }
  if (manager === KUBECTL) updateLastApplied(object, applied);
  ensureRecord(object, 'metadata');
  setManagedFields(object, result.managers);
  return object;
}

/** An object that nobody tracked yet belongs to `before-first-apply`. */
function startingManagers(options: ApplyPatchOptions, live: JsonRecord, empty: JsonRecord, reset: FieldSet): Managers {
  const managers = readManagers(recordAt(options.live, 'metadata'));
  if (managers.size > 0 || options.live === undefined) return managers;
  const { taken } = updateOwnership(options.schema, empty, live, new Map(), reset);
  if (taken.isEmpty()) return managers;
  const entry: ManagerFields = {
    manager: 'before-first-apply',
    operation: 'Update',
    apiVersion: apiVersionOf(options.gvk),
    subresource: options.subresource ?? '',
    time: options.now,
    set: taken,
  };
  return new Map([[managerId(entry), entry]]);
}

/** `namespace/name; group/version, Kind=Kind` of a configuration (`objectGVKNN`). */
function objectText(applied: JsonRecord, gvk: GroupVersionKind): string {
  const metadata = recordAt(applied, 'metadata');
  return `${stringAt(metadata, 'namespace')}/${stringAt(metadata, 'name')}; ${gvk.group}/${gvk.version}, Kind=${gvk.kind}`;
}

export function joinProblems(problems: readonly string[]): string {
  return problems.length === 1 ? (problems[0] ?? '') : `errors:\n${problems.map((text) => `  ${text}`).join('\n')}`;
}

/** Conflicts that the annotation of a client-side apply does not excuse (`allowedConflictsFromLastApplied`). */
function disallowed(schema: StructSchema, live: JsonRecord, conflicts: readonly Conflict[]): Conflict[] {
  const text = stringMapAt(recordAt(live, 'metadata'), 'annotations')[LAST_APPLIED];
  if (text === undefined || text === '') return [...conflicts];
  let allowed: FieldSet;
  try {
    const last: unknown = JSON.parse(text);
    if (!isRecord(last) || typedProblems(schema, last, true).length > 0) return [...conflicts];
    const comparison = compareTyped(schema, last, live);
    allowed = fieldSetOf(schema, last).difference(comparison.modified).difference(comparison.removed);
  } catch {
    return [...conflicts];
  }
  return conflicts
    .map((conflict) => ({ manager: conflict.manager, fields: conflict.fields.difference(allowed) }))
    .filter((conflict) => !conflict.fields.isEmpty());
}

/** Keeps the annotation true where the live object has one (`lastAppliedUpdater`). */
function updateLastApplied(object: JsonRecord, applied: JsonRecord): void {
  const annotations = recordAt(recordAt(object, 'metadata'), 'annotations');
  if (annotations?.[LAST_APPLIED] === undefined) return;
  const copy = copyJson(applied);
  const own = recordAt(recordAt(copy, 'metadata'), 'annotations');
  if (own !== undefined) {
    delete own[LAST_APPLIED];
    if (Object.keys(own).length === 0) delete ensureRecord(copy, 'metadata').annotations;
  }
  const text = `${JSON.stringify(sorted(copy))}\n`;
  if (text.length > MAX_ANNOTATION_BYTES) annotations[LAST_APPLIED] = '';
  else annotations[LAST_APPLIED] = text;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
