/** The structural schema of a custom resource as the one `Schema` all walkers use. */
import { builtinType } from './builtin.ts';
import type { FieldSchema, Schema, StructSchema } from './schema.ts';

/** apiextensions/v1 JSONSchemaProps, as far as structure goes. */
export interface JsonSchemaProps {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchemaProps>>;
  readonly additionalProperties?: boolean | JsonSchemaProps;
  readonly items?: JsonSchemaProps;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly nullable?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly allOf?: readonly JsonSchemaProps[];
  readonly anyOf?: readonly JsonSchemaProps[];
  readonly oneOf?: readonly JsonSchemaProps[];
  readonly not?: JsonSchemaProps;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
}

/** apiextensions/v1 ValidationRule. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

const OPEN: Schema = { kind: 'any', atomic: false };

/** The schema of whole objects: the CRD's, with apiVersion, kind and the real ObjectMeta. */
export function crdSchema(props: JsonSchemaProps | undefined, preserveUnknown = false): StructSchema {
  const fields = new Map<string, FieldSchema>();
  const own = props === undefined ? undefined : convert(props);
  for (const name of ['apiVersion', 'kind']) fields.set(name, field(name, { kind: 'scalar', type: 'string' }, false));
  const metadata = builtinType('apimachinery.pkg.apis.meta.v1.ObjectMeta');
  if (metadata !== undefined) fields.set('metadata', field('metadata', metadata, false));
  if (own?.kind === 'struct') for (const [name, value] of own.fields) if (!fields.has(name)) fields.set(name, value);
  return {
    kind: 'struct',
    fields,
    atomic: false,
    preserveUnknown: preserveUnknown || own === undefined || (own.kind === 'struct' && own.preserveUnknown),
    isObject: true,
  };
}

function field(name: string, schema: Schema, required: boolean, keyDefault?: unknown): FieldSchema {
  return {
    name,
    schema,
    required,
    pointer: true,
    always: false,
    patchStrategy: 'replace',
    retainKeys: false,
    replaceWhole: false,
    ...(keyDefault === undefined ? {} : { keyDefault }),
  };
}

function convert(props: JsonSchemaProps): Schema {
  if (props['x-kubernetes-int-or-string'] === true) return { kind: 'scalar', type: 'int-or-string' };
  const atomic = props['x-kubernetes-map-type'] === 'atomic';
  const preserveUnknown = props['x-kubernetes-preserve-unknown-fields'] === true;
  switch (props.type) {
    case 'object': {
      if (props.properties === undefined && props.additionalProperties !== undefined && !preserveUnknown) {
        const values = typeof props.additionalProperties === 'object' ? convert(props.additionalProperties) : OPEN;
        return { kind: 'map', values, atomic };
      }
      const fields = new Map<string, FieldSchema>();
      if (props['x-kubernetes-embedded-resource'] === true) {
        for (const name of ['apiVersion', 'kind'])
          fields.set(name, field(name, { kind: 'scalar', type: 'string' }, false));
        const metadata = builtinType('apimachinery.pkg.apis.meta.v1.ObjectMeta');
        if (metadata !== undefined) fields.set('metadata', field('metadata', metadata, false));
      }
      for (const [name, child] of Object.entries(props.properties ?? {}))
        if (!fields.has(name)) fields.set(name, field(name, convert(child), false, child.default));
      return { kind: 'struct', fields, atomic, preserveUnknown, isObject: false };
    }
    case 'array': {
      const listType = props['x-kubernetes-list-type'];
      return {
        kind: 'list',
        items: props.items === undefined ? OPEN : convert(props.items),
        listType: listType === 'map' || listType === 'set' ? listType : 'atomic',
        mapKeys: props['x-kubernetes-list-map-keys'] ?? [],
      };
    }
    case 'string':
      return { kind: 'scalar', type: 'string' };
    case 'integer':
      return { kind: 'scalar', type: 'int64' };
    case 'number':
      return { kind: 'scalar', type: 'double' };
    case 'boolean':
      return { kind: 'scalar', type: 'boolean' };
  }
  return OPEN;
}
