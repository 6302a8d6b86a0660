/** What a CRD's schema means to rules: types of expressions, and values of objects (`apiserver/pkg/cel/common`). */
import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import { decodeBase64 } from '../values/base64.ts';
import { parseGoDuration } from '../values/duration.ts';
import { isRecord } from '../values/json.ts';
import { parseRfc3339 } from '../values/time.ts';
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  objectType,
  STRING,
  TIMESTAMP,
} from './types.ts';
import { CelMap, CelSet, Duration, Timestamp, type Value } from './values.ts';

const KEYWORDS: ReadonlySet<string> = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
]);

/** A property's name in expressions; undefined where it cannot be written (`apiservercel.Escape`). */
export function escapeName(name: string): string | undefined {
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return undefined;
  if (KEYWORDS.has(name)) return `__${name}__`;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}

const METADATA: JsonSchemaProps = {
  type: 'object',
  properties: { name: { type: 'string' }, generateName: { type: 'string' } },
};
const withIdentity = new WeakMap<JsonSchemaProps, JsonSchemaProps>();

/** Roots of resources have apiVersion, kind and metadata's names (`WithTypeAndObjectMeta`). */
function resourceSchema(props: JsonSchemaProps): JsonSchemaProps {
  let made = withIdentity.get(props);
  if (made === undefined) {
    made = {
      ...props,
      properties: { ...props.properties, apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: METADATA },
    };
    withIdentity.set(props, made);
  }
  return made;
}

/** A schema with what resources have besides. */
export function effectiveSchema(props: JsonSchemaProps, isRoot: boolean): JsonSchemaProps {
  return isRoot || props['x-kubernetes-embedded-resource'] === true ? resourceSchema(props) : props;
}

/** Undefined for what rules cannot see: values without a type. */
export function celTypeOf(source: JsonSchemaProps, isRoot = false): CelType | undefined {
  if (source['x-kubernetes-int-or-string'] === true) return DYN;
  const props = effectiveSchema(source, isRoot);
  switch (props.type) {
    case 'array': {
      const items = props.items === undefined ? undefined : celTypeOf(props.items);
      return items === undefined ? undefined : listOf(items);
    }
    case 'object': {
      if (typeof props.additionalProperties === 'object') {
        const values = celTypeOf(props.additionalProperties);
        return values === undefined ? undefined : mapOf(STRING, values);
      }
      const fields = new Map<string, CelType>();
      for (const [name, child] of Object.entries(props.properties ?? {})) {
        const escaped = escapeName(name);
        const type = celTypeOf(child);
        if (escaped !== undefined && type !== undefined) fields.set(escaped, type);
      }
      return objectType('object', fields);
    }
    case 'string':
      switch (props.format) {
        case 'byte':
          return BYTES;
        case 'duration':
          return DURATION;
        case 'date':
        case 'date-time':
          return TIMESTAMP;
      }
      return STRING;
    case 'boolean':
      return BOOL;
    case 'integer':
      return INT;
    case 'number':
      return DOUBLE;
  }
  return undefined;
}

/** JSON as rules see it. */
export function celValueOf(source: JsonSchemaProps, value: unknown, isRoot = false): Value {
  if (value === null || value === undefined) return null;
  if (source['x-kubernetes-int-or-string'] === true)
    return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : (value as Value);
  const props = effectiveSchema(source, isRoot);
  if (Array.isArray(value)) {
    const { items } = props;
    const entries = value.map((entry) => (items === undefined ? null : celValueOf(items, entry)));
    const type = props['x-kubernetes-list-type'];
    return type === 'set' || type === 'map' ? CelSet.from(entries) : entries;
  }
  if (isRecord(value)) {
    const { additionalProperties } = props;
    if (typeof additionalProperties === 'object')
      return new CelMap(Object.entries(value).map(([key, entry]) => [key, celValueOf(additionalProperties, entry)]));
    const pairs: [Value, Value][] = [];
    for (const [name, child] of Object.entries(props.properties ?? {})) {
      if (!Object.hasOwn(value, name) || celTypeOf(child) === undefined) continue;
      const escaped = escapeName(name);
      if (escaped !== undefined) pairs.push([escaped, celValueOf(child, value[name])]);
    }
    return new CelMap(pairs, true);
  }
  if (typeof value === 'number') return props.type === 'integer' && Number.isInteger(value) ? BigInt(value) : value;
  return typeof value === 'string' ? stringValue(props.format, value) : (value as Value);
}

function stringValue(format: string | undefined, text: string): Value {
  switch (format) {
    case 'byte': {
      const bytes = decodeBase64(text);
      return bytes instanceof Uint8Array ? bytes : text;
    }
    case 'duration': {
      const ms = parseGoDuration(text);
      return ms === undefined ? text : new Duration(BigInt(Math.round(ms * 1e6)));
    }
    case 'date':
    case 'date-time': {
      const time = parseRfc3339(format === 'date' ? `${text}T00:00:00Z` : text);
      if (time === undefined) return text;
      return new Timestamp(BigInt(Math.floor(time.ms / 1000)) * 1_000_000_000n + BigInt(time.nanos));
    }
  }
  return text;
}
