/** Plain JSON values: what patches and walkers work on. */
export type JsonRecord = Record<string, unknown>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A deep copy; `__proto__` stays a plain key. */
export function copyJson<T>(value: T): T {
  if (Array.isArray(value)) return value.map((entry) => copyJson(entry)) as T;
  if (!isRecord(value)) return value;
  const out: JsonRecord = {};
  for (const key of Object.keys(value)) setOwn(out, key, copyJson(value[key]));
  return out as T;
}

/** Sets a key also where it is called `__proto__`. */
export function setOwn(record: JsonRecord, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(record, key, { value, enumerable: true, writable: true, configurable: true });
  else record[key] = value;
}

export function jsonEquals(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    return left.every((entry, index) => jsonEquals(entry, right[index]));
  }
  if (!isRecord(left) || !isRecord(right)) return false;
  const keys = Object.keys(left).filter((key) => left[key] !== undefined);
  const others = Object.keys(right).filter((key) => right[key] !== undefined);
  return (
    keys.length === others.length && keys.every((key) => Object.hasOwn(right, key) && jsonEquals(left[key], right[key]))
  );
}

/** apimachinery `equality.Semantic.DeepEqual` on JSON: absent, null and empty lists and maps are the same. */
export function semanticEquals(left: unknown, right: unknown): boolean {
  if (isEmpty(left) && isEmpty(right)) return true;
  if (Array.isArray(left) && Array.isArray(right))
    return left.length === right.length && left.every((entry, index) => semanticEquals(entry, right[index]));
  if (isRecord(left) && isRecord(right)) {
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)]))
      if (!semanticEquals(left[key], right[key])) return false;
    return true;
  }
  return left === right;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) && value.length === 0;
}
