/**
 * Reads JSON into a built-in type as Go does and gives it back as Go would write it: unknown fields dropped and reported,
 * wrong types refused in encoding/json's words, quantities and times canonical, `omitempty` respected, fields in the
 * order of the Go struct (sigs.k8s.io/json, `serializer/json`).
 */

import { base64Problem, canonicalBase64 } from '../values/base64.ts';
import { copyJson, isRecord, type JsonRecord, setOwn } from '../values/json.ts';
import { canonicalQuantity, QUANTITY_FORMAT_MESSAGE } from '../values/quantity.ts';
import { formatMicroTime, formatTime, parseRfc3339 } from '../values/time.ts';
import { goScalarTypeName } from './go-types.ts';
import type { FieldSchema, ScalarType, Schema, StructSchema } from './schema.ts';

/** A value of the wrong type. The message is Go's, without the server's prefix. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

export interface DecodeResult {
  readonly object: JsonRecord;
  /** `unknown field "spec.x"`, in the order met. */
  readonly strictErrors: readonly string[];
}

/** Deeper than any real object; guards the stack. */
const MAX_DEPTH = 1000;

export interface DecodeOptions {
  /**
   * The words of errors: encoding/json's, or those of the conversion from unstructured content, which strategic merge
   * patches go through (apimachinery `runtime.DefaultUnstructuredConverter`).
   */
  readonly words?: 'json' | 'unstructured';
}

interface State {
  readonly strictErrors: string[];
  readonly words: 'json' | 'unstructured';
  /** The first wrong type; reading goes on behind it, as in Go. */
  saved: DecodeError | undefined;
}

interface Place {
  /** `spec.containers[0].image`, for unknown fields. */
  readonly path: string;
  /** `spec.containers`, as Go's errors print it. */
  readonly goPath: string;
  readonly struct: string;
  readonly field: FieldSchema | undefined;
  readonly depth: number;
}

/** Throws `DecodeError`; never changes the given value. */
export function decodeObject(schema: StructSchema, value: unknown, options: DecodeOptions = {}): DecodeResult {
  const state: State = { strictErrors: [], words: options.words ?? 'json', saved: undefined };
  const root: Place = { path: '', goPath: '', struct: '', field: undefined, depth: 0 };
  const object = decode(schema, value, root, state);
  if (state.saved !== undefined) throw state.saved;
  return { object: isRecord(object) ? object : {}, strictErrors: state.strictErrors };
}

/** The same object with its fields in Go's order; what the schema does not know, or cannot read, gives it back as it is. */
export function inGoOrder(schema: StructSchema, object: JsonRecord): JsonRecord {
  try {
    return decodeObject(schema, object).object;
  } catch (error) {
    if (error instanceof DecodeError) return object;
    throw error;
  }
}

/** One value of any schema, the same way. */
export function decodeValue(schema: Schema, value: unknown): unknown {
  const state: State = { strictErrors: [], words: 'json', saved: undefined };
  const out = decode(schema, value, { path: '', goPath: '', struct: '', field: undefined, depth: 0 }, state);
  if (state.saved !== undefined) throw state.saved;
  return out;
}

function decode(schema: Schema, value: unknown, place: Place, state: State): unknown {
  if (place.depth > MAX_DEPTH) throw new DecodeError('exceeded max depth');
  switch (schema.kind) {
    case 'struct':
      if (!isRecord(value)) return wrongType(value, goTypeOf(schema, place), place, state);
      return decodeStruct(schema, value, place, state);
    case 'map': {
      if (!isRecord(value)) return wrongType(value, goTypeOf(schema, place), place, state);
      const out: JsonRecord = {};
      for (const key of Object.keys(value).sort()) {
        const path = `${place.path}.${key}`;
        const entry = decodeOrZero(schema.values, value[key], { ...place, path, depth: place.depth + 1 }, state);
        setOwn(out, key, entry);
      }
      return out;
    }
    case 'list': {
      if (!Array.isArray(value)) return wrongType(value, goTypeOf(schema, place), place, state);
      return value.map((entry, index) =>
        decodeOrZero(schema.items, entry, { ...place, path: `${place.path}[${index}]`, depth: place.depth + 1 }, state),
      );
    }
    case 'any':
      return copyJson(value);
    case 'scalar':
      return decodeScalar(schema.type, value, place, state);
  }
}

/** null in a list or map is Go's zero value. */
function decodeOrZero(schema: Schema, value: unknown, place: Place, state: State): unknown {
  if (value !== null && value !== undefined) return decode(schema, value, place, state);
  return schema.kind === 'struct' ? decodeStruct(schema, {}, place, state) : zeroOf(schema);
}

function decodeStruct(schema: StructSchema, value: JsonRecord, place: Place, state: State): JsonRecord {
  const struct = schema.name === undefined ? '' : schema.name.slice(schema.name.lastIndexOf('.') + 1);
  const read = new Map<string, unknown>();
  for (const key of Object.keys(value)) {
    const field = schema.fields.get(key);
    const path = place.path === '' ? key : `${place.path}.${key}`;
    if (field === undefined) {
      if (schema.preserveUnknown) read.set(key, copyJson(value[key]));
      else state.strictErrors.push(`unknown field "${path}"`);
      continue;
    }
    const entry = value[key];
    if (entry === null || entry === undefined) continue;
    const goPath = place.goPath === '' ? key : `${place.goPath}.${key}`;
    const out = decode(field.schema, entry, { path, goPath, struct, field, depth: place.depth + 1 }, state);
    if (out !== undefined) read.set(key, out);
  }
  return writeStruct(schema, read);
}

/** The struct as encoding/json writes it: order, `omitempty`, zero values of what is always there. */
function writeStruct(schema: StructSchema, read: ReadonlyMap<string, unknown>): JsonRecord {
  const out: JsonRecord = {};
  for (const field of schema.fields.values()) {
    const value = read.get(field.name);
    if (value === undefined) {
      if (field.always || field.required) {
        const zero = zeroOfField(field);
        if (zero !== undefined) out[field.name] = zero;
      }
      continue;
    }
    // Protobuf, which all but CRDs are stored in, knows no lists without entries: they come back as none.
    if (field.always && !field.required && isEmptyList(value) && schema.name?.includes('apiextensions') !== true) {
      out[field.name] = zeroOfField(field);
      continue;
    }
    const isKept = field.required || field.pointer || (field.always && field.schema.kind === 'scalar');
    if (!isKept && isZero(field.schema, value)) continue;
    setOwn(out, field.name, value);
  }
  if (schema.preserveUnknown) for (const [key, value] of read) if (!schema.fields.has(key)) setOwn(out, key, value);
  return out;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isZero(schema: Schema, value: unknown): boolean {
  switch (schema.kind) {
    case 'list':
      return Array.isArray(value) && value.length === 0;
    case 'map':
      return isRecord(value) && Object.keys(value).length === 0;
    case 'scalar':
      switch (schema.type) {
        case 'quantity':
        case 'time':
        case 'micro-time':
        case 'int-or-string':
          return false;
        case 'string':
        case 'bytes':
          return value === '';
        case 'boolean':
          return value === false;
        case 'int32':
        case 'int64':
        case 'double':
          return value === 0;
      }
      return false;
    case 'struct':
    case 'any':
      return false;
  }
}

function zeroOfField(field: FieldSchema): unknown {
  const { schema } = field;
  if (schema.kind === 'struct') {
    // A required struct that is a pointer in Go (Deployment's selector) is written as null.
    return field.pointer ? null : writeStruct(schema, new Map());
  }
  return field.pointer ? null : zeroOf(schema);
}

function zeroOf(schema: Schema): unknown {
  switch (schema.kind) {
    case 'struct':
      return writeStruct(schema, new Map());
    case 'map':
    case 'list':
    case 'any':
      return null;
    case 'scalar':
      switch (schema.type) {
        case 'string':
          return '';
        case 'int32':
        case 'int64':
        case 'double':
        case 'int-or-string':
          return 0;
        case 'boolean':
          return false;
        case 'quantity':
          return '0';
        case 'time':
        case 'micro-time':
        case 'bytes':
          return null;
      }
  }
  return null;
}

const INT32_MAX = 2_147_483_647;

function decodeScalar(type: ScalarType, value: unknown, place: Place, state: State): unknown {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : wrongType(value, goScalar(type, place), place, state);
    case 'boolean':
      return typeof value === 'boolean' ? value : wrongType(value, goScalar(type, place), place, state);
    case 'double':
      return typeof value === 'number' ? value : wrongType(value, goScalar(type, place), place, state);
    case 'int32':
    case 'int64':
      if (typeof value !== 'number') return wrongType(value, goScalar(type, place), place, state);
      if (!Number.isInteger(value) || (type === 'int32' && (value > INT32_MAX || value < -INT32_MAX - 1)))
        return wrongType(value, goScalar(type, place), place, state, `number ${value}`);
      return value;
    case 'bytes': {
      if (typeof value !== 'string') return wrongType(value, '[]uint8', place, state);
      const problem = base64Problem(value);
      // A custom error ends the reading at once, as Go's decoder does.
      if (problem !== undefined) throw new DecodeError(problem);
      return canonicalBase64(value);
    }
    case 'quantity': {
      if (value === '') return '0';
      const text = typeof value === 'string' || typeof value === 'number' ? canonicalQuantity(value) : undefined;
      if (text === undefined) throw new DecodeError(QUANTITY_FORMAT_MESSAGE);
      return text;
    }
    case 'int-or-string':
      if (typeof value === 'string') return value;
      if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= INT32_MAX) return value;
      throw new DecodeError(
        `json: cannot unmarshal ${typeof value === 'number' ? `number ${value}` : jsonWord(value)} into Go value of type int32`,
      );
    case 'time':
    case 'micro-time': {
      if (typeof value !== 'string')
        throw new DecodeError(`json: cannot unmarshal ${jsonWord(value)} into Go value of type string`);
      const time = parseRfc3339(value);
      if (time === undefined) {
        const layout = type === 'time' ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00';
        throw new DecodeError(
          `parsing time ${JSON.stringify(value)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(value)} as "2006"`,
        );
      }
      return type === 'time' ? formatTime(time.ms) : formatMicroTime(time.ms, Math.floor(time.nanos / 1000));
    }
  }
}

function wrongType(value: unknown, goType: string, place: Place, state: State, word?: string): undefined {
  if (state.words === 'unstructured') throw new DecodeError(restoreProblem(value, goType));
  const what = word ?? jsonWord(value);
  const where =
    place.struct === ''
      ? `Go value of type ${goType}`
      : `Go struct field ${place.struct}.${place.goPath} of type ${goType}`;
  state.saved ??= new DecodeError(`json: cannot unmarshal ${what} into ${where}`);
  return undefined;
}

/** `cannot restore struct from: int64` (`fromUnstructured`). */
function restoreProblem(value: unknown, goType: string): string {
  const from = Array.isArray(value)
    ? 'slice'
    : isRecord(value)
      ? 'map'
      : typeof value === 'number'
        ? Number.isInteger(value)
          ? 'int64'
          : 'float64'
        : typeof value === 'boolean'
          ? 'bool'
          : 'string';
  if (goType.startsWith('[]')) return `cannot restore slice from ${from}`;
  if (goType.startsWith('map[') || goType === 'v1.ResourceList') return `cannot restore map from ${from}`;
  if (/^(int32|int64|bool|float64)$/.test(goType))
    return from === 'float64' && goType.startsWith('int')
      ? `cannot convert float64 to ${goType}`
      : `unrecognized type: ${goType}`;
  if (
    goType === 'string' ||
    /^v\d\w*\.[A-Z]\w*(Policy|Type|Protocol|Phase|Status|Operator|Effect|Mode|Scheme|Medium|Action|Name|UID)$/.test(
      goType,
    )
  )
    return from === 'int64' ? `cannot convert int64 to ${goType}` : 'unrecognized type: string';
  return `cannot restore struct from: ${from}`;
}

function jsonWord(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}

function goScalar(type: ScalarType, place: Place): string {
  return goScalarTypeName(place.struct, place.field?.name ?? '', type);
}

/** `v1.PodSpec`, `[]v1.Container`, `map[string]string`. */
function goTypeOf(schema: Schema, place: Place): string {
  switch (schema.kind) {
    case 'struct': {
      const parts = (schema.name ?? '').split('.');
      return parts.slice(-2).join('.');
    }
    case 'list':
      return `[]${goTypeOf(schema.items, place)}`;
    case 'map':
      if (schema.values.kind === 'scalar' && schema.values.type === 'quantity') return 'v1.ResourceList';
      return `map[string]${goTypeOf(schema.values, place)}`;
    case 'any':
      return 'interface {}';
    case 'scalar':
      return goScalar(schema.type, place);
  }
}
