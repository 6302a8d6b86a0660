import {
  applyDefaults,
  badRequest,
  builtinSchema,
  DecodeError,
  decodeObject,
  dropStringData,
  type FieldError,
  isRecord,
  type KubeObject,
  parseApiVersion,
  prepareForCreate,
  prepareForUpdate,
  type ResourceDefinition,
  type StructSchema,
  validateCreate,
  validateUpdate,
  warningsOf,
} from '@kind-e2e/kube-api';
import { DecodeProblem } from './decode-problem.ts';
import { fieldReader } from './field-labels.ts';
import { keyPairWarnings } from './key-pair.ts';
import type { Decoded, FieldValidation, ResourceBehavior } from './served-resource.ts';
import { judgeStrictErrors } from './strictness.ts';

type Json = Record<string, unknown>;

/** Behaviour of a kind of our own, from the tables of kube-api. */
export function builtinBehavior(definition: ResourceDefinition, apiVersion: string): ResourceBehavior {
  const { group, version, kind } = definition;
  let schema: StructSchema | undefined;
  const gvk = { group, version, kind };
  const fields = fieldReader(definition);
  return {
    decode(raw, validation, _old, duplicates = []) {
      schema ??= builtinSchema(gvk);
      checkType(raw, definition, apiVersion);
      return decodeAs(schema, raw, definition, apiVersion, validation, duplicates);
    },
    setDefaults: (object) => applyDefaults(gvk, object),
    prepareForCreate: (object) => prepareForCreate(gvk, object as Json),
    validateCreate: (object): FieldError[] => validateCreate(gvk, object as Json),
    prepareForUpdate: (object, old, subresource) => prepareForUpdate(gvk, object as Json, old as Json, subresource),
    validateUpdate: (object, old, subresource): FieldError[] =>
      validateUpdate(gvk, object as Json, old as Json, subresource),
    warnings: (object, old) => [
      ...warningsOf(gvk, object as Json, old as Json | undefined),
      ...(kind === 'Secret' ? keyPairWarnings(object as Json) : []),
    ],
    ...fields,
    schema: () => {
      schema ??= builtinSchema(gvk);
      return schema;
    },
  };
}

function decodeAs(
  schema: StructSchema | undefined,
  raw: Json,
  definition: ResourceDefinition,
  apiVersion: string,
  validation: FieldValidation,
  duplicates: readonly string[],
): Decoded {
  const { kind } = definition;
  if (!schema) return { object: { ...raw, kind, apiVersion } as KubeObject, warnings: [] };
  try {
    const { object, strictErrors } = decodeObject(schema, raw);
    const warnings = judgeStrictErrors([...duplicates, ...strictErrors], validation);
    object.kind = kind;
    object.apiVersion = apiVersion;
    if (!isRecord(object.metadata)) object.metadata = {};
    if (kind === 'Secret') dropStringData(object);
    return { object: object as KubeObject, warnings };
  } catch (error) {
    if (error instanceof DecodeError) throw new DecodeProblem(error.message, { cause: error });
    throw error;
  }
}

/** A body may leave out its type, but not name another. */
function checkType(raw: unknown, definition: ResourceDefinition, apiVersion: string): asserts raw is Json {
  const { kind, group, version } = definition;
  if (!isRecord(raw)) throw new DecodeProblem('json: cannot unmarshal into Go value');
  const given = typeof raw.apiVersion === 'string' ? raw.apiVersion : '';
  const givenKind = typeof raw.kind === 'string' ? raw.kind : '';
  if (given === '' && givenKind === '') return;
  if (given !== '' && given !== apiVersion) {
    const parsed = parseApiVersion(given);
    if (!parsed) throw new DecodeProblem(`unexpected GroupVersion string: ${given}`);
    if (parsed.group !== group)
      throw badRequest(
        `the API version in the data (${given}) does not match the expected API version (${apiVersion})`,
      );
    throw new DecodeProblem(
      `no kind "${givenKind || kind}" is registered for version "${given}" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"`,
    );
  }
  if (givenKind !== '' && givenKind !== kind)
    throw new DecodeProblem(
      `converting (${version}.${givenKind}) to (${internalPackage(group)}.${kind}): unknown conversion`,
    );
}

/** Go's package of a group's internal types. */
function internalPackage(group: string): string {
  return group === '' ? 'core' : (group.split('.')[0] ?? group);
}
