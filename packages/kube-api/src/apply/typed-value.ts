/** Walks over typed values (structured-merge-diff `typed`): validation, field sets, comparison, merge, removal. */
import type { ListSchema, Schema } from '../schema/schema.ts';
import { goDynamicType } from '../values/go-format.ts';
import { isRecord, type JsonRecord, jsonEquals, setOwn } from '../values/json.ts';
import { childSchema, FieldSet } from './field-set.ts';
import { elementText, fieldElement, listItemElement } from './path-element.ts';

/** Lists and maps whose parts are owned one by one; everything else is a leaf. */
function shapeOf(schema: Schema | undefined, value: unknown): 'map' | 'list' | 'leaf' {
  switch (schema?.kind) {
    case 'struct':
      return schema.atomic ? 'leaf' : 'map';
    case 'map':
      return schema.atomic ? 'leaf' : 'map';
    case 'list':
      return schema.listType === 'atomic' ? 'leaf' : 'list';
    case 'any':
      return !schema.atomic && isRecord(value) ? 'map' : 'leaf';
    case 'scalar':
    case undefined:
      return 'leaf';
  }
}

/** Problems of an applied object: unknown fields, wrong shapes, missing and repeated list keys. */
export function typedProblems(schema: Schema, value: unknown, allowDuplicates: boolean): string[] {
  const out: string[] = [];
  check(schema, value, '', allowDuplicates, out);
  return out;
}

function goValue(value: unknown): string {
  if (typeof value === 'string') return `&value.valueUnstructured{Value:${JSON.stringify(value)}}`;
  if (Array.isArray(value) || isRecord(value)) return `&value.valueUnstructured{Value:${goSyntax(value)}}`;
  return `&value.valueUnstructured{Value:${String(value)}}`;
}

/** Go's %#v of decoded JSON. */
function goSyntax(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (isRecord(value))
    return `map[string]interface {}{${Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${goSyntax(value[key])}`)
      .join(', ')}}`;
  return String(value);
}

function check(schema: Schema, value: unknown, path: string, allowDuplicates: boolean, out: string[]): void {
  if (value === null || value === undefined) return;
  switch (schema.kind) {
    case 'any':
      return;
    case 'scalar':
      checkScalar(schema.type, value, path, out);
      return;
    case 'struct':
    case 'map':
      if (!isRecord(value)) {
        out.push(`${path}: expected map, got ${goValue(value)}`);
        return;
      }
      for (const key of Object.keys(value).sort()) {
        const child = childSchema(schema, fieldElement(key));
        if (child !== undefined) check(child, value[key], `${path}.${key}`, allowDuplicates, out);
        else if (schema.kind === 'struct' && !schema.preserveUnknown)
          out.push(`${path}.${key}: field not declared in schema`);
      }
      return;
    case 'list':
      if (!Array.isArray(value)) {
        out.push(`${path}: expected list, got ${goValue(value)}`);
        return;
      }
      checkList(schema, value, path, allowDuplicates, out);
  }
}

function checkScalar(type: string, value: unknown, path: string, out: string[]): void {
  switch (type) {
    case 'string':
    case 'time':
    case 'micro-time':
    case 'bytes':
      if (typeof value !== 'string') out.push(`${path}: expected string, got ${goValue(value)}`);
      return;
    case 'int32':
    case 'int64':
    case 'double':
      if (typeof value !== 'number') out.push(`${path}: expected numeric (int or float), got ${goDynamicType(value)}`);
      return;
    case 'boolean':
      if (typeof value !== 'boolean') out.push(`${path}: expected boolean, got ${goValue(value)}`);
      return;
    default:
      if (typeof value === 'object') out.push(`${path}: expected scalar, got ${goValue(value)}`);
  }
}

function checkList(
  schema: ListSchema,
  list: readonly unknown[],
  path: string,
  allowDuplicates: boolean,
  out: string[],
): void {
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    if (schema.listType === 'atomic') {
      check(schema.items, item, `${path}[${index}]`, allowDuplicates, out);
      continue;
    }
    let element: string;
    try {
      element = listItemElement(schema, item);
    } catch (error) {
      out.push(`${path}: element ${index}: ${error instanceof Error ? error.message : String(error)}`);
      // The real walker stops at the first broken element of a list.
      return;
    }
    if (seen.has(element) && !allowDuplicates) out.push(`${path}: duplicate entries for key ${elementText(element)}`);
    seen.add(element);
    check(schema.items, item, `${path}${elementText(element)}`, allowDuplicates, out);
  }
}

/** The fields that a value sets (`ToFieldSet`). */
export function fieldSetOf(schema: Schema | undefined, value: unknown): FieldSet {
  const set = new FieldSet();
  collect(schema, value, [], set);
  return set;
}

function collect(schema: Schema | undefined, value: unknown, path: string[], set: FieldSet): void {
  switch (shapeOf(schema, value)) {
    case 'leaf':
      if (path.length > 0) set.insert(path);
      return;
    case 'map': {
      if (!isRecord(value)) return;
      for (const key of Object.keys(value)) {
        const element = fieldElement(key);
        const next = childSchema(schema, element);
        const child = value[key];
        path.push(element);
        collect(next, child, path, set);
        const isNamed = schema?.kind === 'struct' && schema.fields.has(key);
        if (!isNamed || child === null || (isRecord(child) && Object.keys(child).length === 0)) set.insert(path);
        path.pop();
      }
      return;
    }
    case 'list': {
      if (!Array.isArray(value) || schema?.kind !== 'list') return;
      for (const item of value) {
        path.push(listItemElement(schema, item));
        collect(schema.items, item, path, set);
        set.insert(path);
        path.pop();
      }
    }
  }
}

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

export function isSame(comparison: Comparison): boolean {
  return comparison.added.isEmpty() && comparison.modified.isEmpty() && comparison.removed.isEmpty();
}

/** What changed from one value to another (`Compare`). */
export function compareTyped(schema: Schema, before: unknown, after: unknown): Comparison {
  const comparison: Comparison = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() };
  compare(schema, before, after, [], comparison);
  return comparison;
}

function isEmptyMap(value: unknown): boolean {
  return !isRecord(value) || Object.keys(value).length === 0;
}

function isEmptyList(value: unknown): boolean {
  return !Array.isArray(value) || value.length === 0;
}

function compare(schema: Schema | undefined, before: unknown, after: unknown, path: string[], out: Comparison): void {
  const shape = shapeOf(schema, after ?? before);
  const isLeaf =
    shape === 'leaf' ||
    (shape === 'map' && isEmptyMap(before) && isEmptyMap(after)) ||
    (shape === 'list' && isEmptyList(before) && isEmptyList(after));
  if (isLeaf) {
    if (path.length === 0) return;
    if (before === undefined) out.added.insert(path);
    else if (after === undefined) out.removed.insert(path);
    else if (!jsonEquals(before, after)) out.modified.insert(path);
    return;
  }
  if (shape === 'map') {
    const left = isRecord(before) ? before : {};
    const right = isRecord(after) ? after : {};
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const element = fieldElement(key);
      path.push(element);
      compare(childSchema(schema, element), own(left, key), own(right, key), path, out);
      path.pop();
    }
  } else if (schema?.kind === 'list') compareLists(schema, before, after, path, out);
  if (path.length === 0) return;
  if (before === undefined) out.added.insert(path);
  else if (after === undefined) out.removed.insert(path);
}

function own(record: JsonRecord, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Items by their element; of repeated ones all. */
function indexItems(schema: ListSchema, list: unknown): Map<string, unknown[]> {
  const out = new Map<string, unknown[]>();
  if (!Array.isArray(list)) return out;
  for (const item of list) {
    const element = listItemElement(schema, item);
    const found = out.get(element);
    if (found === undefined) out.set(element, [item]);
    else found.push(item);
  }
  return out;
}

function compareLists(schema: ListSchema, before: unknown, after: unknown, path: string[], out: Comparison): void {
  const left = indexItems(schema, before);
  const right = indexItems(schema, after);
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    const old = left.get(element) ?? [];
    const next = right.get(element) ?? [];
    path.push(element);
    if (old.length > 1 || next.length > 1) {
      if (next.length === 0) out.removed.insert(path);
      else if (old.length === 0) out.added.insert(path);
      else if (!jsonEquals(old, next)) out.modified.insert(path);
    } else compare(schema.items, old[0], next[0], path, out);
    path.pop();
  }
}

/** The applied value laid over the live one (`Merge`). */
export function mergeTyped(schema: Schema | undefined, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live;
  if (live === undefined) return mergeOver(schema, undefined, applied);
  return mergeOver(schema, live, applied);
}

function mergeOver(schema: Schema | undefined, live: unknown, applied: unknown): unknown {
  const shape = shapeOf(schema, applied);
  if (shape === 'map') {
    if (isEmptyMap(live) && isEmptyMap(applied)) return applied;
    const left = isRecord(live) ? live : {};
    const right = isRecord(applied) ? applied : {};
    const out: JsonRecord = {};
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const value = mergeTyped(childSchema(schema, fieldElement(key)), own(left, key), own(right, key));
      if (value !== undefined) setOwn(out, key, value);
    }
    return out;
  }
  if (shape === 'list' && schema?.kind === 'list') {
    if (isEmptyList(live) && isEmptyList(applied)) return applied;
    return mergeLists(schema, Array.isArray(live) ? live : [], Array.isArray(applied) ? applied : []);
  }
  return applied;
}

/** Keeps the applied order for shared items and the place of live-only items (`mergingWalker.visitListItems`). */
function mergeLists(schema: ListSchema, live: readonly unknown[], applied: readonly unknown[]): unknown[] {
  const left = live.map((item) => listItemElement(schema, item));
  const right = applied.map((item) => listItemElement(schema, item));
  const leftIndex = indexItems(schema, live);
  const rightIndex = indexItems(schema, applied);
  const single = (index: Map<string, unknown[]>, element: string): unknown => {
    const found = index.get(element);
    return found?.length === 1 ? found[0] : undefined;
  };
  const shared = right.filter((element) => leftIndex.has(element));
  let nextShared = shared.shift();
  const merged = new Set<string>();
  const out: unknown[] = [];
  const take = (element: string): void => {
    merged.add(element);
    out.push(mergeTyped(schema.items, single(leftIndex, element), rightIndex.get(element)?.[0]));
  };
  let atLeft = 0;
  let atRight = 0;
  while (atLeft < left.length || atRight < right.length) {
    const leftElement = left[atLeft];
    const rightElement = right[atRight];
    if (leftElement !== undefined && rightElement !== undefined) {
      if (leftElement === rightElement) {
        take(rightElement);
        atLeft += 1;
        atRight += 1;
        nextShared = shared.shift();
        continue;
      }
      if (rightIndex.has(leftElement) && nextShared !== undefined && nextShared !== leftElement) {
        atLeft += 1;
        continue;
      }
    }
    if (leftElement !== undefined) {
      if (!rightIndex.has(leftElement)) {
        out.push(live[atLeft]);
        atLeft += 1;
        continue;
      }
      if (merged.has(leftElement)) atLeft += 1;
    }
    if (rightElement !== undefined) {
      take(rightElement);
      atRight += 1;
      if (nextShared === rightElement) nextShared = shared.shift();
    }
  }
  return out;
}

/** The value without the fields of a set (`RemoveItems`); containers that it empties go, too. */
export function removeFields(schema: Schema | undefined, value: unknown, remove: FieldSet): unknown {
  switch (shapeOf(schema, value)) {
    case 'leaf':
      return value;
    case 'map': {
      if (!isRecord(value)) return value;
      const out: JsonRecord = {};
      for (const key of Object.keys(value)) {
        const element = fieldElement(key);
        if (remove.members.has(element)) continue;
        const below = remove.below(element);
        const child = below === undefined ? value[key] : removeFields(childSchema(schema, element), value[key], below);
        if (child !== undefined) setOwn(out, key, child);
      }
      return Object.keys(out).length > 0 || Object.keys(value).length === 0 ? out : undefined;
    }
    case 'list': {
      if (!Array.isArray(value) || schema?.kind !== 'list') return value;
      const out: unknown[] = [];
      for (const item of value) {
        const element = listItemElement(schema, item);
        if (remove.members.has(element)) continue;
        const below = remove.below(element);
        const child = below === undefined ? item : removeFields(schema.items, item, below);
        if (child !== undefined) out.push(child);
      }
      return out.length > 0 || value.length === 0 ? out : undefined;
    }
  }
}
