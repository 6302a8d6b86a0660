/**
 * Values against a CRD's schema, in the words of kube-openapi's validator as apiextensions turns them into field errors
 * (`apiserver/validation/validation.go`).
 */
import { RE2JS } from 're2js';
import {
  type FieldError,
  invalidValue,
  requiredValue,
  tooLong,
  tooMany,
  typeInvalid,
  unsupportedValue,
} from '../errors/field-error.ts';
import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import { isRecord, jsonEquals } from '../values/json.ts';
import { hasFormat } from './formats.ts';

const patterns = new Map<string, RE2JS | undefined>();

/** Go's regular expressions; one that it does not know matches everything. */
function patternOf(source: string): RE2JS | undefined {
  if (!patterns.has(source)) {
    let pattern: RE2JS | undefined;
    try {
      pattern = RE2JS.compile(source);
    } catch {
      pattern = undefined;
    }
    patterns.set(source, pattern);
  }
  return patterns.get(source);
}

function typeWord(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function hasType(value: unknown, type: string): boolean {
  const word = typeWord(value);
  return word === type || (type === 'number' && word === 'integer');
}

/**
 * All problems of a value; `path` is '' for the whole object. What is as it was in `old` is not held against an update
 * (`ratcheting_schema_validator`).
 */
export function validateAgainstSchema(props: JsonSchemaProps, value: unknown, path = '', old?: unknown): FieldError[] {
  const out: FieldError[] = [];
  check(props, value, path, out, old);
  return out;
}

function wrongType(path: string, expected: string, value: unknown): FieldError {
  const word = typeWord(value);
  return typeInvalid(path === '' ? '<nil>' : path, word, `${path} in body must be of type ${expected}: "${word}"`);
}

function check(props: JsonSchemaProps, value: unknown, path: string, out: FieldError[], old?: unknown): void {
  if (old !== undefined && jsonEquals(value, old)) return;
  if (value === null || value === undefined) {
    if (props.nullable === true) return;
    if (props['x-kubernetes-int-or-string'] === true) out.push(wrongType(path, 'integer,string', value));
    else if (props.type !== undefined) out.push(wrongType(path, props.type, value));
    return;
  }
  if (props['x-kubernetes-int-or-string'] === true) {
    if (!hasType(value, 'integer') && !hasType(value, 'string')) {
      out.push(wrongType(path, 'integer,string', value));
      return;
    }
  } else if (props.type !== undefined && !hasType(value, props.type)) {
    out.push(wrongType(path, props.type, value));
    return;
  }
  if (props.enum !== undefined && !props.enum.some((entry) => jsonEquals(entry, value)))
    out.push(
      unsupportedValue(
        path,
        value,
        props.enum.map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry))),
      ),
    );
  if (typeof value === 'string') checkString(props, value, path, out);
  else if (typeof value === 'number') checkNumber(props, value, path, out);
  else if (Array.isArray(value)) checkList(props, value, path, out, old);
  else if (isRecord(value)) checkObject(props, value, path, out, old);
  checkCombinations(props, value, path, out);
}

function checkString(props: JsonSchemaProps, value: string, path: string, out: FieldError[]): void {
  const length = [...value].length;
  if (props.maxLength !== undefined && length > props.maxLength) out.push(tooLong(path, props.maxLength));
  if (props.minLength !== undefined && length < props.minLength)
    out.push(invalidValue(path, value, `${path} in body should be at least ${props.minLength} chars long`));
  if (props.pattern !== undefined && patternOf(props.pattern)?.matcher(value).find() === false)
    out.push(invalidValue(path, value, `${path} in body should match '${props.pattern}'`));
  if (props.format !== undefined && !hasFormat(props.format, value))
    out.push(typeInvalid(path, value, `${path} in body must be of type ${props.format}: "${value}"`));
}

function checkNumber(props: JsonSchemaProps, value: number, path: string, out: FieldError[]): void {
  const wrong = (text: string): void => {
    out.push(invalidValue(path, value, `${path} in body should be ${text}`));
  };
  if (props.multipleOf !== undefined && value % props.multipleOf !== 0) wrong(`a multiple of ${props.multipleOf}`);
  if (props.maximum !== undefined) {
    if (props.exclusiveMaximum === true ? value >= props.maximum : value > props.maximum)
      wrong(`less than ${props.exclusiveMaximum === true ? '' : 'or equal to '}${props.maximum}`);
  }
  if (props.minimum !== undefined) {
    if (props.exclusiveMinimum === true ? value <= props.minimum : value < props.minimum)
      wrong(`greater than ${props.exclusiveMinimum === true ? '' : 'or equal to '}${props.minimum}`);
  }
  if (props.format === 'int32' && (value > 2_147_483_647 || value < -2_147_483_648))
    out.push(invalidValue(path, value, `Checked value must be of type integer with format int32 in ${path}`));
}

function checkList(
  props: JsonSchemaProps,
  value: readonly unknown[],
  path: string,
  out: FieldError[],
  old: unknown,
): void {
  const items = props.items;
  if (props.maxItems !== undefined && value.length > props.maxItems)
    out.push(tooMany(path, value.length, props.maxItems));
  if (props.minItems !== undefined && value.length < props.minItems)
    out.push(invalidValue(path, value.length, `${path} in body should have at least ${props.minItems} items`));
  if (
    props.uniqueItems === true &&
    value.some((entry, at) => value.findIndex((other) => jsonEquals(other, entry)) < at)
  )
    out.push(invalidValue(path, value, `${path} in body shouldn't contain duplicates`));
  const keys = props['x-kubernetes-list-type'] === 'map' ? (props['x-kubernetes-list-map-keys'] ?? []) : undefined;
  const before = Array.isArray(old) && keys !== undefined ? old.filter(isRecord) : [];
  if (items !== undefined)
    for (const [index, entry] of value.entries()) {
      const match = isRecord(entry)
        ? before.find((other) => keys?.every((key) => jsonEquals(other[key] ?? null, entry[key] ?? null)))
        : undefined;
      check(items, entry, `${path}[${index}]`, out, match);
    }
  checkListKeys(props, value, path, out);
}

/** `x-kubernetes-list-type` set and map: no two alike (`apiserver/schema/listtype`). */
function checkListKeys(props: JsonSchemaProps, value: readonly unknown[], path: string, out: FieldError[]): void {
  const type = props['x-kubernetes-list-type'];
  if (type !== 'set' && type !== 'map') return;
  const seen: unknown[] = [];
  for (const [index, entry] of value.entries()) {
    let key: unknown = entry;
    if (type === 'map') {
      if (!isRecord(entry)) continue;
      const keys = props['x-kubernetes-list-map-keys'] ?? [];
      key = Object.fromEntries(keys.filter((name) => entry[name] !== undefined).map((name) => [name, entry[name]]));
    }
    if (seen.some((other) => jsonEquals(other, key)))
      out.push({ type: 'FieldValueDuplicate', field: `${path}[${index}]`, badValue: key, detail: '' });
    else seen.push(key);
  }
}

function checkObject(
  props: JsonSchemaProps,
  value: Readonly<Record<string, unknown>>,
  path: string,
  out: FieldError[],
  old: unknown,
): void {
  const before = isRecord(old) ? old : {};
  const size = Object.keys(value).length;
  if (props.maxProperties !== undefined && size > props.maxProperties)
    out.push(tooMany(path, size, props.maxProperties));
  if (props.minProperties !== undefined && size < props.minProperties)
    out.push(invalidValue(path, size, `${path} in body should have at least ${props.minProperties} properties`));
  const join = (key: string): string => (path === '' ? key : `${path}.${key}`);
  for (const name of props.required ?? []) if (!Object.hasOwn(value, name)) out.push(requiredValue(join(name)));
  for (const key of Object.keys(value)) {
    if (path === '' && (key === 'metadata' || key === 'apiVersion' || key === 'kind')) continue;
    const child =
      props.properties !== undefined && Object.hasOwn(props.properties, key) ? props.properties[key] : undefined;
    const previous = Object.hasOwn(before, key) ? before[key] : undefined;
    if (child !== undefined) check(child, value[key], join(key), out, previous);
    else if (typeof props.additionalProperties === 'object')
      check(props.additionalProperties, value[key], join(key), out, previous);
  }
}

function checkCombinations(props: JsonSchemaProps, value: unknown, path: string, out: FieldError[]): void {
  const problems = (schema: JsonSchemaProps): FieldError[] => validateAgainstSchema(schema, value, path);
  for (const schema of props.allOf ?? []) out.push(...problems(schema));
  const name = path === '' ? '<nil>' : path;
  const shown = isRecord(value) || Array.isArray(value) ? '' : value;
  if (props.anyOf !== undefined && props.anyOf.length > 0) {
    const all = props.anyOf.map(problems);
    if (all.every((list) => list.length > 0)) {
      out.push(invalidValue(name, shown, `"${path}" must validate at least one schema (anyOf)`));
      out.push(...best(all));
    }
  }
  if (props.oneOf !== undefined && props.oneOf.length > 0) {
    const all = props.oneOf.map(problems);
    const good = all.filter((list) => list.length === 0).length;
    if (good === 0) {
      out.push(invalidValue(name, shown, `"${path}" must validate one and only one schema (oneOf). Found none valid`));
      out.push(...best(all));
    } else if (good > 1)
      out.push(
        invalidValue(
          name,
          shown,
          `"${path}" must validate one and only one schema (oneOf). Found ${good} valid alternatives`,
        ),
      );
  }
  if (props.not !== undefined && problems(props.not).length === 0)
    out.push(invalidValue(name, shown, `"${path}" must not validate the schema (not)`));
}

/** The alternative that came closest. */
function best(all: readonly (readonly FieldError[])[]): readonly FieldError[] {
  return all.reduce((left, right) => (right.length < left.length ? right : left), all[0] ?? []);
}
