/** Values at evaluation and their equality, order and text (cel-go `common/types`). */
import type { IpAddress, IpNetwork } from '../values/ip-network.ts';
import { compareQuantities, type Quantity } from '../values/quantity.ts';

export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** The first and the last second of the years 1 to 9999. */
const FIRST_NANOS = -62_135_596_800n * 1_000_000_000n;
const LAST_NANOS = 253_402_300_800n * 1_000_000_000n;

/** Nanoseconds since 1970. */
export class Timestamp {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    if (nanos < FIRST_NANOS || nanos >= LAST_NANOS) throw new CelError('timestamp overflow');
    this.nanos = nanos;
  }
}

export class Duration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

export class Optional {
  readonly value: Value | undefined;
  constructor(value: Value | undefined) {
    this.value = value;
  }
}

/** A value that only functions look into: `kernel` is what they see. */
export class Opaque {
  readonly type: string;
  readonly kernel: unknown;
  constructor(type: string, kernel: unknown) {
    this.type = type;
    this.kernel = kernel;
  }
}

/** Keys are strings, ints, uints and bools; 1, 1u and 1.0 are one key. */
export class CelMap {
  readonly entries: ReadonlyMap<string, readonly [Value, Value]>;
  /** Fields of an object instead of entries of a map. */
  readonly isObject: boolean;

  constructor(pairs: Iterable<readonly [Value, Value]>, isObject = false) {
    const entries = new Map<string, readonly [Value, Value]>();
    for (const pair of pairs) {
      const key = keyOf(pair[0]);
      if (key === undefined) throw new CelError('unsupported key type');
      entries.set(key, pair);
    }
    this.entries = entries;
    this.isObject = isObject;
  }

  get(key: Value): Value | undefined {
    const normal = keyOf(key);
    return normal === undefined ? undefined : this.entries.get(normal)?.[1];
  }

  has(key: Value): boolean {
    const normal = keyOf(key);
    return normal !== undefined && this.entries.has(normal);
  }
}

/** A value of a type with a name, made in an expression. */
export class CelObject extends CelMap {
  readonly typeName: string;

  constructor(typeName: string, pairs: Iterable<readonly [Value, Value]>) {
    super(pairs, true);
    this.typeName = typeName;
  }
}

/** Lists whose order says nothing: two are equal where they have the same elements (`x-kubernetes-list-type`). */
export class CelSet extends Array<Value> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

export type Value =
  | string
  | bigint
  | number
  | boolean
  | null
  | Uint8Array
  | readonly Value[]
  | CelMap
  | Uint
  | Timestamp
  | Duration
  | TypeValue
  | Optional
  | Opaque;

/** A failed evaluation; the message is the client's. */
export class CelError extends Error {}

export function noSuchOverload(): CelError {
  return new CelError('no such overload');
}

function keyOf(value: Value): string | undefined {
  if (typeof value === 'string') return `s${value}`;
  if (typeof value === 'boolean') return `b${value}`;
  if (typeof value === 'bigint') return `n${value}`;
  if (value instanceof Uint) return `n${value.value}`;
  return typeof value === 'number' && Number.isInteger(value) ? `n${BigInt(value)}` : undefined;
}

/** The number of a numeric value in a form that compares exactly. */
function numeric(value: Value): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return value instanceof Uint ? value.value : undefined;
}

export function celEquals(left: Value, right: Value): boolean {
  const number = numeric(left);
  if (number !== undefined) {
    const other = numeric(right);
    // biome-ignore lint/suspicious/noDoubleEquals: bigint and number compare by value only so
    return other !== undefined && number == other;
  }
  if (left instanceof CelSet && Array.isArray(right))
    return left.length === right.length && left.every((one) => right.some((other: Value) => celEquals(one, other)));
  if (Array.isArray(left))
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((one: Value, index: number) => celEquals(one, right[index] as Value))
    );
  if (left instanceof CelMap) {
    if (!(right instanceof CelMap) || left.entries.size !== right.entries.size) return false;
    for (const [key, [, value]] of left.entries) {
      const other = right.entries.get(key);
      if (other === undefined || !celEquals(value, other[1])) return false;
    }
    return true;
  }
  if (left instanceof Timestamp) return right instanceof Timestamp && left.nanos === right.nanos;
  if (left instanceof Duration) return right instanceof Duration && left.nanos === right.nanos;
  if (left instanceof TypeValue) return right instanceof TypeValue && left.name === right.name;
  if (left instanceof Uint8Array)
    return (
      right instanceof Uint8Array && left.length === right.length && left.every((byte, index) => byte === right[index])
    );
  if (left instanceof Optional) {
    if (!(right instanceof Optional)) return false;
    if (left.value === undefined || right.value === undefined) return left.value === right.value;
    return celEquals(left.value, right.value);
  }
  if (left instanceof Opaque) {
    if (!(right instanceof Opaque) || left.type !== right.type) return false;
    if (left.type === QUANTITY) return compareQuantities(left.kernel as Quantity, right.kernel as Quantity) === 0;
    return opaqueKey(left) === opaqueKey(right);
  }
  return left === right;
}

export const QUANTITY = 'kubernetes.Quantity';

function opaqueKey(value: Opaque): string {
  return JSON.stringify(value.kernel, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
}

/** Negative, 0 or positive; throws where the two have no order. */
export function celCompare(left: Value, right: Value): number {
  const number = numeric(left);
  const other = numeric(right);
  if (number !== undefined && other !== undefined) {
    if (Number.isNaN(number) || Number.isNaN(other)) return Number.NaN;
    return number < other ? -1 : number > other ? 1 : 0;
  }
  if (typeof left === 'string' && typeof right === 'string') return compareCodePoints(left, right);
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  if (left instanceof Timestamp && right instanceof Timestamp) return order(left.nanos, right.nanos);
  if (left instanceof Duration && right instanceof Duration) return order(left.nanos, right.nanos);
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    const length = Math.min(left.length, right.length);
    for (let at = 0; at < length; at++) {
      const difference = (left[at] ?? 0) - (right[at] ?? 0);
      if (difference !== 0) return difference;
    }
    return left.length - right.length;
  }
  throw noSuchOverload();
}

function order(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareCodePoints(left: string, right: string): number {
  if (left === right) return 0;
  const a = [...left];
  const b = [...right];
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = (a[at]?.codePointAt(0) ?? 0) - (b[at]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** The name that `type(x)` gives. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'boolean':
      return 'bool';
  }
  if (value === null) return 'null_type';
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return 'list';
  if (value instanceof CelObject) return value.typeName;
  if (value instanceof CelMap) return value.isObject ? 'object' : 'map';
  if (value instanceof Uint) return 'uint';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (value instanceof TypeValue) return 'type';
  if (value instanceof Optional) return 'optional_type';
  return value instanceof Opaque ? value.type : 'dyn';
}

export const ipOf = (value: Value): IpAddress | undefined =>
  value instanceof Opaque && value.type === 'kubernetes.IP' ? (value.kernel as IpAddress) : undefined;
export const cidrOf = (value: Value): IpNetwork | undefined =>
  value instanceof Opaque && value.type === 'kubernetes.CIDR' ? (value.kernel as IpNetwork) : undefined;
