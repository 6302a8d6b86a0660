/** Reading and defaulting of plain objects without casts all over. */
import { isRecord, type JsonRecord } from './json.ts';

/** The object at a key; `undefined` where there is none. */
export function recordAt(parent: unknown, key: string): JsonRecord | undefined {
  const value = isRecord(parent) ? parent[key] : undefined;
  return isRecord(value) ? value : undefined;
}

/** The objects of a list at a key; other entries are left out. */
export function recordsAt(parent: unknown, key: string): JsonRecord[] {
  const value = isRecord(parent) ? parent[key] : undefined;
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

export function stringAt(parent: unknown, key: string): string {
  const value = isRecord(parent) ? parent[key] : undefined;
  return typeof value === 'string' ? value : '';
}

export function numberAt(parent: unknown, key: string): number | undefined {
  const value = isRecord(parent) ? parent[key] : undefined;
  return typeof value === 'number' ? value : undefined;
}

export function listAt(parent: unknown, key: string): readonly unknown[] {
  const value = isRecord(parent) ? parent[key] : undefined;
  return Array.isArray(value) ? value : [];
}

export function stringsAt(parent: unknown, key: string): string[] {
  return listAt(parent, key).filter((entry): entry is string => typeof entry === 'string');
}

/** Map of strings at a key. */
export function stringMapAt(parent: unknown, key: string): Record<string, string> {
  const value = recordAt(parent, key);
  if (value === undefined) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** Sets a key that is absent or null; an empty string counts as absent too, as for Go's string fields. */
export function setDefault(parent: JsonRecord, key: string, value: unknown): void {
  const old = parent[key];
  if (old === undefined || old === null || (old === '' && typeof value === 'string')) parent[key] = value;
}

/** As `setDefault`, and 0 counts as absent: numbers that are no pointers in Go. */
export function setNumberDefault(parent: JsonRecord, key: string, value: number): void {
  const old = parent[key];
  if (old === undefined || old === null || old === 0) parent[key] = value;
}

/** The object at a key, made where it is absent. */
export function ensureRecord(parent: JsonRecord, key: string): JsonRecord {
  const value = parent[key];
  if (isRecord(value)) return value;
  const made: JsonRecord = {};
  parent[key] = made;
  return made;
}
