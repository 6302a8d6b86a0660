import {
  badRequest,
  crdSchema,
  DecodeError,
  decodeCustomResource,
  defaultCustomResource,
  evaluateJsonPath,
  type FieldError,
  hasRules,
  invalid,
  invalidValue,
  isDns1123Subdomain,
  isRecord,
  type JsonSchemaProps,
  jsonEquals,
  type KubeObject,
  nameRule,
  parseJsonPath,
  type StructSchema,
  validateAgainstSchema,
  validateObjectMeta,
  validateObjectMetaUpdate,
  validateRules,
  validateScalePaths,
} from '@kind-e2e/kube-api';
import { DecodeProblem } from '../resources/decode-problem.ts';
import type { ResourceBehavior } from '../resources/served-resource.ts';
import { judgeStrictErrors } from '../resources/strictness.ts';
import type { CrdSpec, CrdVersion } from './crd-spec.ts';

type Json = Record<string, unknown>;

const NAME_RULE = nameRule(isDns1123Subdomain);
/** Errors that keep rules from being checked (`hasBlockingErr`). */
const BLOCKING: ReadonlySet<FieldError['type']> = new Set<FieldError['type']>([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);
const RULES_UNCHECKED = invalidValue(
  '<nil>',
  undefined,
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
);
const IDENTITY: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/** Behaviour of the objects of one version of a CRD (apiextensions-apiserver `customresource.strategy`). */
export function customBehavior(crd: CrdSpec, version: CrdVersion): ResourceBehavior {
  const { names, group } = crd;
  const apiVersion = `${group}/${version.name}`;
  let schema: StructSchema | undefined;
  const problemsOf = (object: KubeObject, old?: KubeObject): FieldError[] => {
    const errors = [
      ...(version.schema
        ? validateAgainstSchema(
            bodySchema(version.schema),
            withoutIdentity(object),
            '',
            old === undefined ? undefined : withoutIdentity(old),
          )
        : []),
      ...(version.scale ? validateScalePaths(object as Json, version.scale) : []),
    ];
    if (version.schema === undefined || !hasRules(version.schema)) return errors;
    // Rules are not asked of values that the schema itself refuses.
    if (errors.some((error) => BLOCKING.has(error.type))) return [...errors, RULES_UNCHECKED];
    return [...errors, ...validateRules(version.schema, object, old)];
  };
  return {
    decode(raw, validation, _old, duplicates = []) {
      if (!isRecord(raw))
        throw new DecodeProblem('json: cannot unmarshal into Go value of type map[string]interface {}');
      checkType(raw, apiVersion, { group, kind: names.kind });
      try {
        const { object, strictErrors } = decodeCustomResource(version.schema, raw, crd.preserveUnknown);
        object.apiVersion = apiVersion;
        object.kind = names.kind;
        return {
          object: object as KubeObject,
          warnings: judgeStrictErrors([...duplicates, ...strictErrors], validation),
        };
      } catch (error) {
        if (error instanceof DecodeError) throw new DecodeProblem(error.message, { cause: error });
        throw error;
      }
    },
    setDefaults: (object) => defaultCustomResource(version.schema, object as Json),
    prepareForCreate(object) {
      if (version.hasStatus) delete (object as Json).status;
      object.metadata = { ...object.metadata, generation: 1 };
    },
    validateCreate: (object) => [
      ...validateObjectMeta(object.metadata, crd.namespaced, NAME_RULE),
      ...problemsOf(object),
    ],
    prepareForUpdate(object, old, subresource) {
      const fields = object as Json;
      const before = old as Json;
      if (subresource === 'status') {
        for (const name of new Set([...Object.keys(fields), ...Object.keys(before)]))
          if (name !== 'status' && !IDENTITY.has(name)) keep(fields, before, name);
        // A status update changes nothing of metadata but who manages it.
        object.metadata = {
          ...old.metadata,
          ...(object.metadata?.managedFields ? { managedFields: object.metadata.managedFields } : {}),
        };
        return;
      }
      if (version.hasStatus) keep(fields, before, 'status');
      if (!jsonEquals(contentOf(fields, version.hasStatus), contentOf(before, version.hasStatus)))
        object.metadata = { ...object.metadata, generation: (old.metadata?.generation ?? 0) + 1 };
    },
    validateUpdate(object, old) {
      const meta = validateObjectMetaUpdate(object.metadata, old.metadata);
      return [...meta, ...problemsOf(object, old)];
    },
    warnings: () => [],
    supportsField: (path) => version.selectableFields.includes(`.${path}`),
    fieldProblem: (path) => `field label not supported: ${path}`,
    field(object, path) {
      const [value] = evaluateJsonPath(parseJsonPath(`.${path}`), object);
      return value === undefined || value === null ? undefined : String(value);
    },
    schema: () => {
      schema ??= crdSchema(version.schema, crd.preserveUnknown);
      return schema;
    },
  };
}

/** A custom resource says what it is, unlike kinds of our own (runtime `unstructured`, `handlers.createHandler`). */
function checkType(raw: Json, apiVersion: string, wanted: { readonly group: string; readonly kind: string }): void {
  if (typeof raw.kind !== 'string' || raw.kind === '')
    throw badRequest("Object 'Kind' is missing in 'unstructured object has no kind'");
  const given = typeof raw.apiVersion === 'string' ? raw.apiVersion : '';
  if (given !== apiVersion)
    throw badRequest(`the API version in the data (${given}) does not match the expected API version (${apiVersion})`);
  if (raw.kind === wanted.kind) return;
  const name = isRecord(raw.metadata) && typeof raw.metadata.name === 'string' ? raw.metadata.name : '';
  throw invalid({ group: wanted.group, kind: raw.kind }, name, [
    invalidValue('kind', raw.kind, `must be ${wanted.kind}`),
  ]);
}

/** metadata is checked apart from the schema, which may say little of it. */
function withoutIdentity(object: KubeObject): Json {
  const { metadata: _metadata, ...rest } = object as Json;
  return rest;
}

const bodySchemas = new WeakMap<JsonSchemaProps, JsonSchemaProps>();

function bodySchema(schema: JsonSchemaProps): JsonSchemaProps {
  const known = bodySchemas.get(schema);
  if (known) return known;
  const { metadata: _metadata, ...properties } = schema.properties ?? {};
  const required = (schema.required ?? []).filter((name) => name !== 'metadata');
  const body = { ...schema, properties, ...(schema.required ? { required } : {}) };
  bodySchemas.set(schema, body);
  return body;
}

function keep(target: Json, source: Json, name: string): void {
  if (source[name] === undefined) delete target[name];
  else target[name] = source[name];
}

function contentOf(object: Json, withoutStatus: boolean): Json {
  return Object.fromEntries(
    Object.entries(object).filter(([name]) => !IDENTITY.has(name) && !(withoutStatus && name === 'status')),
  );
}
