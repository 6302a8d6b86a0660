/** How large the values of a schema may be (`apiserver/pkg/cel/common/schemas.go`, `pkg/cel/limits.go`). */
import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import { celTypeOf, effectiveSchema, escapeName } from './schema-values.ts';

/** `DefaultMaxRequestSizeBytes` */
const MAX_REQUEST = 3 * 1024 * 1024;
const MAX_TIME_TEXT = 32;
const DATE_TEXT = 12;
const DATE_TIME_TEXT = 21;
const MIN_DURATION_TEXT = 3;
const MIN_STRING = 2;
const MIN_BOOL = 4;

export interface SchemaSizes {
  /** Characters, items or properties; nought for what has no length. */
  readonly maxElements: number;
  /** Bytes of the shortest JSON. */
  readonly minSerialized: number;
  /** Of items and of additional properties. */
  readonly element?: SchemaSizes;
  readonly key?: SchemaSizes;
  readonly fields?: ReadonlyMap<string, SchemaSizes>;
}

const ANY_STRING: SchemaSizes = { maxElements: 0, minSerialized: MIN_STRING };
const known = new WeakMap<JsonSchemaProps, SchemaSizes>();

/** How often a value of a schema may occur in one request (`maxCardinality`). */
export function maxCardinality({ minSerialized }: SchemaSizes): number {
  return Math.floor(MAX_REQUEST / (minSerialized + 1));
}

export function sizesOf(source: JsonSchemaProps, isRoot = false): SchemaSizes {
  if (isRoot) return measure(source, true);
  let sizes = known.get(source);
  if (sizes === undefined) {
    sizes = measure(source, false);
    known.set(source, sizes);
  }
  return sizes;
}

function measure(source: JsonSchemaProps, isRoot: boolean): SchemaSizes {
  const props = effectiveSchema(source, isRoot);
  if (props['x-kubernetes-int-or-string'] === true)
    return { maxElements: stringLength(props.maxLength, MAX_REQUEST - 2), minSerialized: 1 };
  switch (props.type) {
    case 'array': {
      const element = sizesOf(props.items ?? {});
      const most = Math.floor((MAX_REQUEST - 2) / (element.minSerialized + 1));
      return { maxElements: Math.max(props.maxItems ?? most, 0), minSerialized: 2, element };
    }
    case 'object':
      return objectSizes(props);
    case 'string':
      return stringSizes(props);
    case 'boolean':
      return { maxElements: 0, minSerialized: MIN_BOOL };
    default:
      return { maxElements: 0, minSerialized: 1 };
  }
}

function objectSizes(props: JsonSchemaProps): SchemaSizes {
  if (typeof props.additionalProperties === 'object') {
    const element = sizesOf(props.additionalProperties);
    const most = Math.floor((MAX_REQUEST - 2) / (element.minSerialized + 6));
    return { maxElements: Math.max(props.maxProperties ?? most, 0), minSerialized: 2, element, key: ANY_STRING };
  }
  const fields = new Map<string, SchemaSizes>();
  let minSerialized = 2;
  for (const [name, child] of Object.entries(props.properties ?? {})) {
    if (celTypeOf(child) === undefined) continue;
    const sizes = sizesOf(child);
    const escaped = escapeName(name);
    if (escaped !== undefined) fields.set(escaped, sizes);
    if ((props.required ?? []).includes(name) && child.default === undefined)
      minSerialized += Buffer.byteLength(name) + sizes.minSerialized + 4;
  }
  return { maxElements: 0, minSerialized, fields };
}

function stringSizes({ format, maxLength, enum: values }: JsonSchemaProps): SchemaSizes {
  switch (format) {
    case 'byte':
      return { maxElements: Math.max(maxLength ?? MAX_REQUEST - 2, 0), minSerialized: MIN_STRING };
    case 'duration':
      return { maxElements: MAX_TIME_TEXT, minSerialized: MIN_DURATION_TEXT };
    case 'date':
      return { maxElements: DATE_TEXT, minSerialized: DATE_TEXT };
    case 'date-time':
      return { maxElements: MAX_TIME_TEXT, minSerialized: DATE_TIME_TEXT };
  }
  const longest = (values ?? []).reduce<number>(
    (most, value) => (typeof value === 'string' ? Math.max(most, Buffer.byteLength(value)) : most),
    0,
  );
  const otherwise = (values ?? []).length > 0 ? longest : MAX_REQUEST - 2;
  return { maxElements: stringLength(maxLength, otherwise), minSerialized: MIN_STRING };
}

/** A character may take four bytes. */
function stringLength(maxLength: number | undefined, otherwise: number): number {
  return maxLength === undefined ? otherwise : Math.max(maxLength, 0) * 4;
}
