/**
 * JSON Patch (RFC 6902) with the behaviour of evanphx/json-patch, which the real server uses: every failed operation is
 * the same 422, a patch that is no list of operations a 400.
 */
import { copyJson, isRecord, jsonEquals } from '../values/json.ts';
import { PatchError } from './patch-error.ts';

/** `maxJSONPatchOperations` of the real server. */
export const MAX_JSON_PATCH_OPERATIONS = 10_000;

interface Operation {
  readonly op: string;
  readonly path: string | undefined;
  readonly from?: string;
  readonly value?: unknown;
  readonly hasValue: boolean;
}

/** The patched document; the given one is not changed. Throws `PatchError`. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  const operations = readOperations(patch);
  if (operations.length > MAX_JSON_PATCH_OPERATIONS)
    throw new PatchError(
      'too-many',
      `The allowed maximum operations in a JSON patch is ${MAX_JSON_PATCH_OPERATIONS}, got ${operations.length}`,
    );
  const holder: { root: unknown } = { root: copyJson(document) };
  for (const operation of operations) applyOperation(holder, operation);
  return holder.root;
}

function readOperations(patch: unknown): Operation[] {
  // null is a list without entries to encoding/json.
  if (patch === null) return [];
  if (!Array.isArray(patch)) {
    const type = isRecord(patch) ? 'object' : goTypeWord(patch);
    throw new PatchError(
      'malformed',
      `error decoding patch: json: cannot unmarshal ${type} into Go value of type []handlers.jsonPatchOp`,
    );
  }
  return patch.map((entry) => {
    if (!isRecord(entry))
      throw new PatchError(
        'malformed',
        `error decoding patch: json: cannot unmarshal ${goTypeWord(entry)} into Go value of type handlers.jsonPatchOp`,
      );
    for (const name of ['op', 'path', 'from'] as const)
      if (entry[name] !== undefined && entry[name] !== null && typeof entry[name] !== 'string')
        throw new PatchError(
          'malformed',
          `error decoding patch: json: cannot unmarshal ${goTypeWord(entry[name])} into Go struct field jsonPatchOp.${name} of type string`,
        );
    return {
      op: typeof entry.op === 'string' ? entry.op : '',
      path: typeof entry.path === 'string' ? entry.path : undefined,
      ...(typeof entry.from === 'string' ? { from: entry.from } : {}),
      value: entry.value,
      hasValue: Object.hasOwn(entry, 'value'),
    };
  });
}

/** The word of encoding/json for a value's type. */
export function goTypeWord(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (value === null) return 'null';
  return typeof value;
}

function inapplicable(text: string): PatchError {
  return new PatchError('inapplicable', text);
}

function parsePointer(path: string): string[] {
  if (path === '') return [];
  if (!path.startsWith('/')) throw inapplicable(`path ${path} does not start with a slash`);
  return path
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function childOf(container: unknown, key: string, path: string): unknown {
  if (Array.isArray(container)) {
    const index = arrayIndex(container, key, path, container.length - 1);
    return container[index];
  }
  if (isRecord(container) && Object.hasOwn(container, key)) return container[key];
  throw inapplicable(`missing path ${path}`);
}

function arrayIndex(list: readonly unknown[], key: string, path: string, max: number): number {
  if (!/^-?\d+$/.test(key)) throw inapplicable(`${path}: ${key} is no index`);
  let index = Number(key);
  // evanphx/json-patch v4 supports negative indices by default.
  if (index < 0) index += list.length;
  if (index < 0 || index > max) throw inapplicable(`${path}: index ${key} out of range`);
  return index;
}

function containerOf(root: unknown, parts: readonly string[], path: string): { container: unknown; key: string } {
  let container = root;
  for (const part of parts.slice(0, -1)) container = childOf(container, part, path);
  return { container, key: parts.at(-1) ?? '' };
}

function setKey(record: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(record, key, { value, enumerable: true, writable: true, configurable: true });
}

function add(holder: { root: unknown }, path: string, value: unknown): void {
  const parts = parsePointer(path);
  if (parts.length === 0) {
    holder.root = value;
    return;
  }
  const { container, key } = containerOf(holder.root, parts, path);
  if (Array.isArray(container)) {
    if (key === '-') container.push(value);
    else {
      let index = Number(key);
      if (!/^-?\d+$/.test(key)) throw inapplicable(`${path}: ${key} is no index`);
      if (index < 0) index += container.length + 1;
      if (index < 0 || index > container.length) throw inapplicable(`${path}: index ${key} out of range`);
      container.splice(index, 0, value);
    }
  } else if (isRecord(container)) setKey(container, key, value);
  else throw inapplicable(`${path}: the parent is no container`);
}

function remove(holder: { root: unknown }, path: string): unknown {
  const parts = parsePointer(path);
  if (parts.length === 0) throw inapplicable('the whole document cannot be removed');
  const { container, key } = containerOf(holder.root, parts, path);
  const value = childOf(container, key, path);
  if (Array.isArray(container)) container.splice(arrayIndex(container, key, path, container.length - 1), 1);
  else if (isRecord(container)) delete container[key];
  return value;
}

function lookUp(root: unknown, path: string): unknown {
  let value = root;
  for (const part of parsePointer(path)) value = childOf(value, part, path);
  return value;
}

function applyOperation(holder: { root: unknown }, operation: Operation): void {
  const { op, path, from, value } = operation;
  if (path === undefined) throw inapplicable('operation missing path field');
  switch (op) {
    case 'add':
      add(holder, path, copyJson(value ?? null));
      return;
    case 'remove':
      remove(holder, path);
      return;
    case 'replace': {
      const parts = parsePointer(path);
      if (parts.length === 0) {
        holder.root = copyJson(value ?? null);
        return;
      }
      const { container, key } = containerOf(holder.root, parts, path);
      childOf(container, key, path);
      if (Array.isArray(container))
        container[arrayIndex(container, key, path, container.length - 1)] = copyJson(value ?? null);
      else if (isRecord(container)) setKey(container, key, copyJson(value ?? null));
      return;
    }
    case 'move': {
      if (from === undefined) throw inapplicable('move without from');
      const moved = remove(holder, from);
      add(holder, path, moved);
      return;
    }
    case 'copy': {
      if (from === undefined) throw inapplicable('copy without from');
      add(holder, path, copyJson(lookUp(holder.root, from)));
      return;
    }
    case 'test': {
      let found: unknown;
      try {
        found = lookUp(holder.root, path);
      } catch (error) {
        // A missing value equals null, as in the library.
        if ((value ?? null) === null) return;
        throw error;
      }
      if (!jsonEquals(found ?? null, value ?? null))
        throw new PatchError('inapplicable', `testing value ${path} failed`, { isTest: true });
      return;
    }
  }
  throw inapplicable(`Unexpected kind: ${op}`);
}
