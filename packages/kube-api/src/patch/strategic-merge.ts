/**
 * Strategic merge patch with all its directives (apimachinery `util/strategicpatch`): lists merge by their key, `$patch`,
 * `$setElementOrder`, `$deleteFromPrimitiveList` and `$retainKeys` are obeyed, broken directives give upstream's errors.
 */
import type { FieldSchema, Schema, StructSchema } from '../schema/schema.ts';
import { goDynamicType, goFormat } from '../values/go-format.ts';
import { copyJson, isRecord, type JsonRecord, jsonEquals, setOwn } from '../values/json.ts';
import { mergedInOrder, partition } from './list-order.ts';
import { PatchError } from './patch-error.ts';

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const SET_ORDER = '$setElementOrder';
const DELETE_FROM = '$deleteFromPrimitiveList';

/** The patched object, not yet decoded; the given one is not changed. Throws `PatchError`. */
export function applyStrategicMergePatch(original: JsonRecord, patch: unknown, schema: StructSchema): JsonRecord {
  // null is a map without entries to encoding/json.
  if (patch === null) return copyJson(original);
  if (!isRecord(patch))
    throw new PatchError(
      'malformed',
      `error decoding patch: json: cannot unmarshal ${Array.isArray(patch) ? 'array' : typeof patch} into Go value of type map[string]interface {}`,
    );
  return mergeMap(copyJson(original), copyJson(patch), schema);
}

function internal(message: string): PatchError {
  return new PatchError('internal', message);
}

function badArgument(expected: string, actual: unknown): PatchError {
  return internal(`expected a ${expected}, but received a ${goDynamicType(actual)}`);
}

function badPatchType(type: unknown, map: JsonRecord): PatchError {
  return internal(`unknown patch type: ${goFormat(type)} in map: ${goFormat(map)}`);
}

function noMergeKey(map: JsonRecord, key: string): PatchError {
  return internal(`map: ${goFormat(map)} does not contain declared merge key: ${key}`);
}

interface FieldPlan {
  readonly schema: Schema | undefined;
  readonly strategy: 'merge' | 'replace';
  readonly mergeKey: string;
}

/** How a field is patched; in maps and open values nothing is known and maps merge, lists are replaced. */
function planOf(schema: Schema | undefined, key: string): FieldPlan {
  if (schema?.kind === 'map') return { schema: schema.values, strategy: 'replace', mergeKey: '' };
  const field: FieldSchema | undefined = schema?.kind === 'struct' ? schema.fields.get(key) : undefined;
  if (field === undefined) return { schema: undefined, strategy: 'replace', mergeKey: '' };
  return { schema: field.schema, strategy: field.patchStrategy, mergeKey: field.mergeKey ?? '' };
}

/** Only the fields with `patchStrategy=replace` on a struct are replaced whole. */
function isReplacedStruct(schema: Schema | undefined, key: string): boolean {
  const field = schema?.kind === 'struct' ? schema.fields.get(key) : undefined;
  return field?.replaceWhole === true;
}

function mergeMap(original: JsonRecord, patch: JsonRecord, schema: Schema | undefined): JsonRecord {
  const directive = patch[DIRECTIVE];
  if (Object.hasOwn(patch, DIRECTIVE)) {
    if (directive === 'replace') {
      delete patch[DIRECTIVE];
      return patch;
    }
    if (directive === 'delete') return {};
    throw badPatchType(directive, patch);
  }
  applyRetainKeys(original, patch);
  applySetElementOrder(original, patch, schema);
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    const isDeletion = key.startsWith(DELETE_FROM);
    const name = isDeletion ? directiveField(key, DELETE_FROM, 'invalid patch format of primitive list') : key;
    if (value === null) {
      delete original[name];
      continue;
    }
    const own = Object.hasOwn(original, name) ? original[name] : undefined;
    if (own === undefined || own === null || kindOf(own) !== kindOf(value)) {
      if (!isDeletion) setOwn(original, name, withoutDirectives(withoutNulls(value)));
      continue;
    }
    const plan = planOf(schema, name);
    if (isRecord(own) && isRecord(value))
      original[name] = isReplacedStruct(schema, name) ? value : mergeMap(own, value, plan.schema);
    else if (Array.isArray(own) && Array.isArray(value)) original[name] = mergeList(own, value, plan, isDeletion);
    else setOwn(original, name, value);
  }
  return original;
}

/** Go compares dynamic types: whole numbers and fractions differ, which matters to nobody here. */
function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'list' : isRecord(value) ? 'map' : typeof value;
}

function directiveField(key: string, prefix: string, problem: string): string {
  const slash = key.indexOf('/');
  if (slash < 0 || key.slice(0, slash) !== prefix) throw internal(problem);
  return key.slice(slash + 1);
}

function applyRetainKeys(original: JsonRecord, patch: JsonRecord): void {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return;
  const list = patch[RETAIN_KEYS];
  delete patch[RETAIN_KEYS];
  if (!Array.isArray(list)) throw internal('invalid patch format of retainKeys');
  const keep = new Set<unknown>(list);
  for (const key of Object.keys(patch)) {
    if (patch[key] === null || key.startsWith(DELETE_FROM) || key.startsWith(SET_ORDER)) continue;
    if (!keep.has(key)) throw internal('invalid patch format of retainKeys');
  }
  for (const key of Object.keys(original)) if (!keep.has(key)) delete original[key];
}

/** `$setElementOrder/x` together with the patch list of `x`; both leave the patch. */
function applySetElementOrder(original: JsonRecord, patch: JsonRecord, schema: Schema | undefined): void {
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(SET_ORDER)) continue;
    const order = patch[key];
    if (!Array.isArray(order)) throw badArgument('[]interface {}', order);
    const name = directiveField(key, SET_ORDER, 'invalid patch format of setElementOrder list');
    delete patch[key];
    const own = original[name];
    const change = patch[name];
    if (own !== undefined && own !== null && !Array.isArray(own)) throw badArgument('[]interface {}', own);
    if (change !== undefined && change !== null && !Array.isArray(change)) throw badArgument('[]interface {}', change);
    const plan = planOf(schema, name);
    const hasOwn = Array.isArray(own);
    const hasChange = Array.isArray(change);
    if (hasChange) checkOrder(change, order, plan.mergeKey);
    if (!hasOwn && !hasChange) continue;
    let merged: unknown[];
    if (hasOwn && hasChange) merged = mergeList([...own], change, plan, false);
    else if (hasChange) {
      const cleaned = withoutDirectives(withoutNulls(change));
      merged = Array.isArray(cleaned) ? cleaned : [];
    } else merged = hasOwn ? own : [];
    const { listed, others } = partition(merged, order, plan.mergeKey);
    original[name] = mergedInOrder(listed, others, order, hasOwn ? own : [], plan.mergeKey);
    delete patch[name];
  }
}

/** The patch list must come in the order it asks for (`validatePatchWithSetOrderList`). */
function checkOrder(change: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  const present = change.filter((entry) => !(isRecord(entry) && Object.hasOwn(entry, DIRECTIVE)));
  let at = 0;
  for (const entry of present) {
    const found = order.slice(at).findIndex((wanted) => sameElement(entry, wanted, mergeKey));
    if (found < 0)
      throw internal(
        `The order in patch list:\n${goFormat(change)}\n doesn't match ${SET_ORDER} list:\n${goFormat(order)}\n`,
      );
    at += found + 1;
  }
}

function sameElement(left: unknown, right: unknown, mergeKey: string): boolean {
  if (mergeKey === '') return jsonEquals(left, right);
  return isRecord(left) && isRecord(right) && jsonEquals(left[mergeKey], right[mergeKey]);
}

function mergeList(original: unknown[], patch: unknown[], plan: FieldPlan, isDeletion: boolean): unknown[] {
  if (plan.strategy !== 'merge' && !isDeletion) return patch;
  if (original.length === 0 && patch.length === 0) return original;
  const kind = elementKind([...original, ...patch]);
  if (kind !== 'map') {
    if (isDeletion) return original.filter((entry) => !patch.some((gone) => jsonEquals(gone, entry)));
    const merged = [...original, ...patch].filter(
      (entry, index, all) => all.findIndex((other) => jsonEquals(other, entry)) === index,
    );
    const { listed, others } = partition(merged, patch, '');
    return mergedInOrder(listed, others, patch, original, '');
  }
  if (plan.mergeKey === '') throw internal(`cannot merge lists without merge key for ${typeName(plan.schema)}`);
  const special = applySpecialElements(original, patch.filter(isRecord), plan.mergeKey);
  const merged = mergeElements(special.original, special.patch, plan);
  const { listed, others } = partition(merged, special.patch, plan.mergeKey);
  return mergedInOrder(listed, others, special.patch, special.original, plan.mergeKey);
}

function typeName(schema: Schema | undefined): string {
  const items = schema?.kind === 'list' ? schema.items : undefined;
  return items?.kind === 'struct' ? (items.name ?? '').split('.').slice(-2).join('.') : '';
}

function elementKind(all: readonly unknown[]): string {
  const kinds = new Set(all.map(kindOf));
  if (kinds.has('list')) throw internal('merging lists of lists is not supported');
  if (kinds.size > 1)
    throw internal(`list element types are not identical: ${goFormat([...new Set(all.map(goDynamicType))])}`);
  return [...kinds][0] ?? '';
}

/** `$patch: delete` and `replace` inside a list. */
function applySpecialElements(
  original: readonly unknown[],
  patch: readonly JsonRecord[],
  mergeKey: string,
): { original: unknown[]; patch: JsonRecord[] } {
  let kept = [...original];
  const plain: JsonRecord[] = [];
  let replace = false;
  for (const entry of patch) {
    if (!Object.hasOwn(entry, DIRECTIVE)) {
      plain.push(entry);
      continue;
    }
    switch (entry[DIRECTIVE]) {
      case 'delete': {
        if (!Object.hasOwn(entry, mergeKey)) throw noMergeKey(entry, mergeKey);
        const gone = entry[mergeKey];
        kept = kept.filter((own) => !(isRecord(own) && jsonEquals(own[mergeKey], gone)));
        break;
      }
      case 'replace':
        replace = true;
        break;
      case 'merge':
        throw internal('merging lists cannot yet be specified in the patch');
      default:
        throw badPatchType(entry[DIRECTIVE], entry);
    }
  }
  return replace ? { original: plain, patch: [] } : { original: kept, patch: plain };
}

function mergeElements(original: readonly unknown[], patch: readonly JsonRecord[], plan: FieldPlan): unknown[] {
  const merged = [...original];
  const items = plan.schema?.kind === 'list' ? plan.schema.items : undefined;
  for (const entry of patch) {
    if (!Object.hasOwn(entry, plan.mergeKey)) throw noMergeKey(entry, plan.mergeKey);
    const at = merged.findIndex((own) => isRecord(own) && jsonEquals(own[plan.mergeKey], entry[plan.mergeKey]));
    const own = merged[at];
    if (isRecord(own)) merged[at] = mergeMap({ ...own }, copyJson(entry), items);
    else merged.push(withoutDirectives(withoutNulls(entry)));
  }
  return merged;
}

/** Nulls of a value that is taken over whole mean nothing. */
function withoutNulls(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const out: JsonRecord = {};
  for (const key of Object.keys(value)) if (value[key] !== null) setOwn(out, key, withoutNulls(value[key]));
  return out;
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value))
    return value.filter((entry) => !(isRecord(entry) && Object.hasOwn(entry, DIRECTIVE))).map(withoutDirectives);
  if (!isRecord(value)) return value;
  const out: JsonRecord = {};
  for (const key of Object.keys(value)) {
    if (key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(SET_ORDER) || key.startsWith(DELETE_FROM)) continue;
    setOwn(out, key, withoutDirectives(value[key]));
  }
  return out;
}
