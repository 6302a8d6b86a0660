import type { TemplateFunction } from './functions.ts';
import { isTrue, printValue, TemplateError, type TemplateValue } from './values.ts';

function kindOf(value: TemplateValue | undefined): string {
  if (value === null || value === undefined) return 'nil';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'float';
  return typeof value === 'object' ? 'other' : typeof value;
}

/** text/template's eq: kinds must agree. */
function equal(a: TemplateValue | undefined, b: TemplateValue | undefined): boolean {
  const left = kindOf(a);
  const right = kindOf(b);
  if (left === 'nil' || right === 'nil') return left === right;
  if (left !== right) throw new TemplateError('incompatible types for comparison');
  return left === 'other' ? a === b || printValue(a ?? null) === printValue(b ?? null) : a === b;
}

function less(a: TemplateValue | undefined, b: TemplateValue | undefined): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a < b;
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b;
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  throw new TemplateError(
    kindOf(a) === kindOf(b) ? 'invalid type for comparison' : 'incompatible types for comparison',
  );
}

function element(collection: TemplateValue, key: TemplateValue): TemplateValue {
  if (collection instanceof Map) return collection.get(printValue(key)) ?? null;
  if (typeof key !== 'bigint') throw new TemplateError(`cannot index slice/array with type ${kindOf(key)}`);
  if (typeof collection === 'string') {
    const bytes = Buffer.from(collection);
    const byte = bytes[Number(key)];
    if (byte === undefined) throw new TemplateError(`index out of range: ${key}`);
    return BigInt(byte);
  }
  const item: TemplateValue | undefined = Array.isArray(collection) ? collection[Number(key)] : undefined;
  if (item === undefined) throw new TemplateError(`index out of range: ${key}`);
  return item;
}

function slice(value: TemplateValue, from: TemplateValue | undefined, to: TemplateValue | undefined): TemplateValue {
  const start = from === undefined ? 0 : Number(from);
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    const end = to === undefined ? bytes.length : Number(to);
    if (start < 0 || end > bytes.length || start > end) throw new TemplateError(`index out of range: ${end}`);
    return bytes.subarray(start, end).toString();
  }
  if (!Array.isArray(value)) throw new TemplateError(`can't slice item of type ${kindOf(value)}`);
  return value.slice(start, to === undefined ? undefined : Number(to));
}

const many = (least: number, most: number, call: TemplateFunction['call']): TemplateFunction => ({ least, most, call });
const UNBOUNDED = Number.POSITIVE_INFINITY;

/** Comparison and access: the built-in functions of text/template. */
export const COMPARISONS: Readonly<Record<string, TemplateFunction>> = {
  eq: many(2, UNBOUNDED, ([first, ...others]) => others.some((other) => equal(first, other))),
  ne: many(2, 2, ([a, b]) => !equal(a, b)),
  lt: many(2, 2, ([a, b]) => less(a, b)),
  le: many(2, 2, ([a, b]) => less(a, b) || equal(a, b)),
  gt: many(2, 2, ([a, b]) => less(b, a)),
  ge: many(2, 2, ([a, b]) => !less(a, b)),
  not: many(1, 1, ([value]) => !isTrue(value ?? null)),
  len: many(1, 1, ([value]) => {
    if (typeof value === 'string') return BigInt(Buffer.byteLength(value));
    if (Array.isArray(value)) return BigInt(value.length);
    if (value instanceof Map) return BigInt(value.size);
    throw new TemplateError(`len of type ${kindOf(value)}`);
  }),
  index: many(1, UNBOUNDED, ([collection, ...keys]) =>
    keys.reduce((value, key) => element(value, key), collection ?? null),
  ),
  slice: many(1, 3, ([value, from, to]) => slice(value ?? null, from, to)),
};
