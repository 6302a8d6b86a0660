/** OpenAPI definitions of the built-in types and of custom resources, in version 2 and 3. */
import type { GroupVersionKind } from '../registry/resource-definition.ts';
import { RESOURCES } from '../registry/resources.ts';
import { builtinType, builtinTypeNames, definitionName } from '../schema/builtin.ts';
import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import type { FieldSchema, Schema } from '../schema/schema.ts';
import type { JsonRecord } from '../values/json.ts';

/** A custom kind as the API server serves it. */
export interface CustomKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly schema?: JsonSchemaProps;
  readonly hasStatus?: boolean;
  readonly hasScale?: boolean;
}

export type OpenApiStyle = 'v2' | 'v3';

/** Doc comments by definition: the type's, then each field's in the table's order. */
export type Descriptions = ReadonlyMap<string, readonly string[]>;

let loaded: Promise<Descriptions> | undefined;

/** Loads the texts; they are big and needed by `kubectl explain` alone, so they are not kept. */
export async function loadDescriptions(): Promise<Descriptions> {
  loaded ??= import('../schema/generated/descriptions.generated.ts').then(({ DESCRIPTIONS }) => {
    const rows = DESCRIPTIONS.split('\n');
    return new Map(
      builtinTypeNames().map((name, index) => [
        name,
        (rows[index] ?? '')
          .split('\t')
          .map((text) => text.replaceAll(/\\(n|\\)/g, (_, c) => (c === 'n' ? '\n' : '\\'))),
      ]),
    );
  });
  const descriptions = await loaded;
  loaded = undefined;
  return descriptions;
}

const TIME = 'apimachinery.pkg.apis.meta.v1.Time';
const MICRO_TIME = 'apimachinery.pkg.apis.meta.v1.MicroTime';
const QUANTITY = 'apimachinery.pkg.api.resource.Quantity';
const INT_OR_STRING = 'apimachinery.pkg.util.intstr.IntOrString';
const RAW = 'apimachinery.pkg.runtime.RawExtension';

/** Definitions that are no structs. */
function specials(style: OpenApiStyle): Record<string, JsonRecord> {
  const quantity =
    'Quantity is a fixed-point representation of a number. It provides convenient marshaling/unmarshaling in JSON and YAML, in addition to String() and AsInt64() accessors.';
  const intOrString =
    'IntOrString is a type that can hold an int32 or a string.  When used in JSON or YAML marshalling and unmarshalling, it produces or consumes the inner type.  This allows you to have, for example, a JSON field that can accept a name or number.';
  return {
    [TIME]: {
      description:
        'Time is a wrapper around time.Time which supports correct marshaling to YAML and JSON.  Wrappers are provided for many of the factory methods that the time package offers.',
      type: 'string',
      format: 'date-time',
    },
    [MICRO_TIME]: {
      description: 'MicroTime is version of Time with microsecond level precision.',
      type: 'string',
      format: 'date-time',
    },
    [QUANTITY]:
      style === 'v2'
        ? { description: quantity, type: 'string' }
        : { description: quantity, oneOf: [{ type: 'string' }, { type: 'number' }] },
    [INT_OR_STRING]:
      style === 'v2'
        ? { description: intOrString, type: 'string', format: 'int-or-string' }
        : { description: intOrString, format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
    [RAW]: { description: 'RawExtension is used to hold extensions in external versions.', type: 'object' },
  };
}

function refOf(name: string, style: OpenApiStyle): string {
  return `#/${style === 'v2' ? 'definitions' : 'components/schemas'}/io.k8s.${name}`;
}

function scalarSchema(schema: Extract<Schema, { kind: 'scalar' }>, style: OpenApiStyle): JsonRecord {
  switch (schema.type) {
    case 'string':
      return { type: 'string' };
    case 'int32':
    case 'int64':
      return { type: 'integer', format: schema.type };
    case 'double':
      return { type: 'number', format: 'double' };
    case 'boolean':
      return { type: 'boolean' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'time':
      return { $ref: refOf(TIME, style) };
    case 'micro-time':
      return { $ref: refOf(MICRO_TIME, style) };
    case 'quantity':
      return { $ref: refOf(QUANTITY, style) };
    case 'int-or-string':
      return { $ref: refOf(INT_OR_STRING, style) };
  }
}

function schemaOf(schema: Schema, style: OpenApiStyle): JsonRecord {
  switch (schema.kind) {
    case 'struct':
      return { $ref: refOf(schema.name ?? '', style) };
    case 'map':
      return {
        type: 'object',
        additionalProperties: schemaOf(schema.values, style),
        ...(schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      };
    case 'list':
      return {
        type: 'array',
        items: schemaOf(schema.items, style),
        'x-kubernetes-list-type': schema.listType,
        ...(schema.mapKeys.length > 0 ? { 'x-kubernetes-list-map-keys': schema.mapKeys } : {}),
      };
    case 'any':
      return { $ref: refOf(RAW, style) };
    case 'scalar':
      return scalarSchema(schema, style);
  }
}

function fieldSchema(field: FieldSchema, description: string, style: OpenApiStyle): JsonRecord {
  const own = schemaOf(field.schema, style);
  const strategies = [
    ...(field.patchStrategy === 'merge' ? ['merge'] : []),
    ...(field.replaceWhole ? ['replace'] : []),
    ...(field.retainKeys ? ['retainKeys'] : []),
  ];
  const more = {
    ...(description === '' ? {} : { description }),
    ...(field.mergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': field.mergeKey }),
    ...(strategies.length === 0 ? {} : { 'x-kubernetes-patch-strategy': strategies.join(',') }),
  };
  // Version 3 says nothing beside a reference, so the reference moves into allOf.
  if (style === 'v3' && own.$ref !== undefined) return { allOf: [own], ...more };
  return { ...own, ...more };
}

/** The definition of one built-in type. */
function structDefinition(name: string, descriptions: Descriptions, style: OpenApiStyle): JsonRecord {
  const struct = builtinType(name);
  if (struct === undefined) return { type: 'object' };
  const texts = descriptions.get(name) ?? [];
  const properties: JsonRecord = {};
  const required: string[] = [];
  let index = 1;
  for (const field of struct.fields.values()) {
    properties[field.name] = fieldSchema(field, texts[index] ?? '', style);
    if (field.required) required.push(field.name);
    index += 1;
  }
  const kinds = KINDS.get(name);
  return {
    ...((texts[0] ?? '') === '' ? {} : { description: texts[0] }),
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
    ...(struct.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(kinds === undefined ? {} : { 'x-kubernetes-group-version-kind': kinds }),
  };
}

/** Which definitions are kinds of their own. */
const KINDS: ReadonlyMap<string, GroupVersionKind[]> = new Map(
  RESOURCES.flatMap((resource) => {
    const { group, version } = resource;
    const own = [resource.kind, ...(resource.verbs.includes('list') ? [resource.listKind] : [])].map(
      (kind): [string, GroupVersionKind[]] => [definitionName({ group, version, kind }), [{ group, version, kind }]],
    );
    const others = resource.subresources
      .filter((sub) => sub.group !== undefined)
      .map((sub): [string, GroupVersionKind[]] => {
        const gvk = { group: sub.group ?? '', version: sub.version ?? '', kind: sub.kind };
        return [definitionName(gvk), [gvk]];
      });
    return [...own, ...others];
  }),
);

/** The definitions that a set of types needs, itself included, by their full names. */
export function definitionsFor(
  roots: readonly string[],
  descriptions: Descriptions,
  style: OpenApiStyle,
): Record<string, JsonRecord> {
  const known = specials(style);
  const out: Record<string, JsonRecord> = {};
  const queue = [...roots];
  const seen = new Set(queue);
  const prefix = refOf('', style);
  const follow = (value: unknown): void => {
    if (Array.isArray(value)) for (const entry of value) follow(entry);
    else if (typeof value === 'object' && value !== null)
      for (const [key, entry] of Object.entries(value)) {
        if (key === '$ref' && typeof entry === 'string' && entry.startsWith(prefix)) {
          const name = entry.slice(prefix.length);
          if (!seen.has(name)) {
            seen.add(name);
            queue.push(name);
          }
        } else follow(entry);
      }
  };
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const definition = known[name] ?? structDefinition(name, descriptions, style);
    out[`io.k8s.${name}`] = definition;
    follow(definition);
  }
  return Object.fromEntries(Object.entries(out).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** `com.example.golden.v1.Widget`. */
export function customDefinitionName(kind: { group: string; version: string; kind: string }): string {
  return `${kind.group.split('.').toReversed().join('.')}.${kind.version}.${kind.kind}`;
}

const OBJECT_META = 'apimachinery.pkg.apis.meta.v1.ObjectMeta';
const LIST_META = 'apimachinery.pkg.apis.meta.v1.ListMeta';
const API_VERSION =
  'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources';
const KIND =
  'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds';

/** Definitions of a custom kind and its list; the types of metadata must be added by the caller. */
export function customDefinitions(kind: CustomKind, style: OpenApiStyle): Record<string, JsonRecord> {
  const name = customDefinitionName(kind);
  const { group, version } = kind;
  const identity = {
    apiVersion: { description: API_VERSION, type: 'string' },
    kind: { description: KIND, type: 'string' },
  };
  const reference = (target: string, description: string): JsonRecord =>
    style === 'v3'
      ? { allOf: [{ $ref: refOf(target, style) }], description }
      : { $ref: refOf(target, style), description };
  const { properties, ...rest } = (kind.schema ?? { 'x-kubernetes-preserve-unknown-fields': true }) as JsonRecord & {
    properties?: JsonRecord;
  };
  const listName = name.replace(/[^.]+$/, kind.listKind);
  const own = `#/${style === 'v2' ? 'definitions' : 'components/schemas'}/${name}`;
  return {
    [name]: {
      ...(style === 'v2' ? toVersion2(rest) : rest),
      type: 'object',
      properties: {
        ...identity,
        ...(style === 'v2' ? (toVersion2(properties ?? {}) as JsonRecord) : properties),
        apiVersion: identity.apiVersion,
        kind: identity.kind,
        metadata: reference(
          OBJECT_META,
          "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
        ),
      },
      'x-kubernetes-group-version-kind': [{ group, version, kind: kind.kind }],
    },
    [listName]: {
      description: `${kind.listKind} is a list of ${kind.kind}`,
      type: 'object',
      required: ['items'],
      properties: {
        ...identity,
        items: {
          description: `List of ${kind.plural}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md`,
          type: 'array',
          items: style === 'v3' ? { allOf: [{ $ref: own }] } : { $ref: own },
        },
        metadata: reference(LIST_META, 'Standard list metadata.'),
      },
      'x-kubernetes-group-version-kind': [{ group, version, kind: kind.listKind }],
    },
  };
}

/** Version 2 knows neither alternatives nor nullable; what is open stays untyped (`builder.ToStructuralOpenAPIV2`). */
function toVersion2(value: JsonRecord): JsonRecord {
  const out: JsonRecord = {};
  for (const [key, entry] of Object.entries(value)) {
    if (['oneOf', 'anyOf', 'not', 'allOf', 'nullable', 'default', 'x-kubernetes-validations'].includes(key)) continue;
    if (Array.isArray(entry)) out[key] = entry;
    else if (typeof entry === 'object' && entry !== null) out[key] = toVersion2(entry as JsonRecord);
    else out[key] = entry;
  }
  if (out['x-kubernetes-int-or-string'] === true || (value.nullable === true && out.type !== undefined)) {
    delete out.type;
    delete out.properties;
    delete out.items;
  }
  return out;
}
