/** Sets of field paths (structured-merge-diff `fieldpath.Set`): a tree whose nodes may be members themselves. */
import type { Schema } from '../schema/schema.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';

export class FieldSet {
  readonly members = new Set<string>();
  readonly children = new Map<string, FieldSet>();

  /** Reads FieldsV1; entries that are no objects are skipped. */
  static fromJson(fields: unknown): FieldSet {
    const set = new FieldSet();
    if (!isRecord(fields)) return set;
    for (const [key, value] of Object.entries(fields)) {
      if (key === '.' || !/^[fkvi]:/.test(key)) continue;
      const child = FieldSet.fromJson(value);
      const own = isRecord(value) ? Object.keys(value) : [];
      if (own.length === 0 || own.includes('.')) set.members.add(key);
      if (!child.isEmpty()) set.children.set(key, child);
    }
    return set;
  }

  static of(...paths: readonly (readonly string[])[]): FieldSet {
    const set = new FieldSet();
    for (const path of paths) set.insert(path.map((name) => `f:${name}`));
    return set;
  }

  /** FieldsV1, sorted as upstream sorts. */
  toJson(): JsonRecord {
    const out: JsonRecord = {};
    const keys = [...new Set([...this.members, ...this.children.keys()])].sort(compareElements);
    for (const key of keys) {
      const child = this.children.get(key);
      if (child === undefined || child.isEmpty()) out[key] = {};
      else out[key] = this.members.has(key) ? { '.': {}, ...child.toJson() } : child.toJson();
    }
    return out;
  }

  insert(path: readonly string[]): void {
    let node: FieldSet = this;
    for (const [index, element] of path.entries()) {
      if (index === path.length - 1) {
        node.members.add(element);
        return;
      }
      let child = node.children.get(element);
      if (child === undefined) {
        child = new FieldSet();
        node.children.set(element, child);
      }
      node = child;
    }
  }

  isEmpty(): boolean {
    if (this.members.size > 0) return false;
    for (const child of this.children.values()) if (!child.isEmpty()) return false;
    return true;
  }

  /** The part below one element; `undefined` where there is none. */
  below(element: string): FieldSet | undefined {
    const child = this.children.get(element);
    return child === undefined || child.isEmpty() ? undefined : child;
  }

  union(other: FieldSet): FieldSet {
    const out = new FieldSet();
    for (const member of this.members) out.members.add(member);
    for (const member of other.members) out.members.add(member);
    for (const key of new Set([...this.children.keys(), ...other.children.keys()])) {
      const left = this.children.get(key);
      const right = other.children.get(key);
      const both = left !== undefined && right !== undefined ? left.union(right) : (left ?? right);
      if (both !== undefined) out.children.set(key, both);
    }
    return out;
  }

  intersection(other: FieldSet): FieldSet {
    const out = new FieldSet();
    for (const member of this.members) if (other.members.has(member)) out.members.add(member);
    for (const [key, child] of this.children) {
      const right = other.children.get(key);
      if (right === undefined) continue;
      const both = child.intersection(right);
      if (!both.isEmpty()) out.children.set(key, both);
    }
    return out;
  }

  difference(other: FieldSet): FieldSet {
    return this.#difference(other, false);
  }

  /** As `difference`, and what lies below a member of the other set goes, too. */
  recursiveDifference(other: FieldSet): FieldSet {
    return this.#difference(other, true);
  }

  #difference(other: FieldSet, recursive: boolean): FieldSet {
    const out = new FieldSet();
    for (const member of this.members) if (!other.members.has(member)) out.members.add(member);
    for (const [key, child] of this.children) {
      if (recursive && other.members.has(key)) continue;
      const right = other.children.get(key);
      const rest = right === undefined ? child : child.#difference(right, recursive);
      if (!rest.isEmpty()) out.children.set(key, rest);
    }
    return out;
  }

  /** Every path, parents first, in upstream's order. */
  *paths(prefix: readonly string[] = []): Generator<readonly string[]> {
    const keys = [...new Set([...this.members, ...this.children.keys()])].sort(compareElements);
    for (const key of keys) if (this.members.has(key)) yield [...prefix, key];
    for (const key of keys) {
      const child = this.children.get(key);
      if (child !== undefined) yield* child.paths([...prefix, key]);
    }
  }

  /** Also owns the named struct fields on the way to its members (`EnsureNamedFieldsAreMembers`). */
  withNamedFields(schema: Schema | undefined): FieldSet {
    const out = new FieldSet();
    for (const member of this.members) out.members.add(member);
    for (const [key, child] of this.children) {
      const next = childSchema(schema, key);
      if (key.startsWith('f:') && schema?.kind === 'struct' && schema.fields.has(key.slice(2))) out.members.add(key);
      out.children.set(key, child.withNamedFields(next));
    }
    return out;
  }
}

/** The schema below one path element. */
export function childSchema(schema: Schema | undefined, element: string): Schema | undefined {
  if (schema === undefined) return undefined;
  if (element.startsWith('f:')) {
    if (schema.kind === 'struct') return schema.fields.get(element.slice(2))?.schema;
    if (schema.kind === 'map') return schema.values;
    return schema.kind === 'any' ? schema : undefined;
  }
  return schema.kind === 'list' ? schema.items : undefined;
}

/** Field names first, then keys, values and indices, each sorted. */
function compareElements(left: string, right: string): number {
  const rank = (element: string): number => 'fkvi'.indexOf(element.charAt(0));
  const difference = rank(left) - rank(right);
  if (difference !== 0) return difference;
  if (left.startsWith('k:') || left.startsWith('v:') || left.startsWith('i:')) {
    const a: unknown = JSON.parse(left.slice(2));
    const b: unknown = JSON.parse(right.slice(2));
    return compareJson(a, b);
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareJson(left: unknown, right: unknown): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (isRecord(left) && isRecord(right)) {
    for (const key of Object.keys(left)) {
      const result = compareJson(left[key], right[key]);
      if (result !== 0) return result;
    }
    return 0;
  }
  const a = typeof left === 'string' ? left : JSON.stringify(left);
  const b = typeof right === 'string' ? right : JSON.stringify(right);
  return a < b ? -1 : a > b ? 1 : 0;
}
