/**
 * Whether two JSON values are equal; an absent field, null, an empty list and a number or string of zero value in a
 * field count as the same, as they do in Go's structures with `omitempty`.
 */
export function isSameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (isZero(left) && isZero(right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => isSameJson(item, right[index]));
  }
  const a = left as Readonly<Record<string, unknown>>;
  const b = right as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(a)) if (!isSameJson(a[key], b[key])) return false;
  for (const key of Object.keys(b)) if (!(key in a) && !isSameJson(undefined, b[key])) return false;
  return true;
}

function isZero(value: unknown): boolean {
  return (
    value === undefined || value === null || value === 0 || value === '' || (Array.isArray(value) && value.length === 0)
  );
}
