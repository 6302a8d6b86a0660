/** Whole custom resources: metadata read as the real type, scale paths checked. */
import { type FieldError, invalidValue } from '../errors/field-error.ts';
import { builtinType } from '../schema/builtin.ts';
import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import { DecodeError, decodeObject } from '../schema/decode.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { defaultCustomResource } from './default-values.ts';
import { pruneCustomResource } from './prune.ts';

/** apiextensions/v1 CustomResourceSubresourceScale. */
export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

export interface CustomDecodeResult {
  readonly object: JsonRecord;
  /** `unknown field "spec.x"`. */
  readonly strictErrors: readonly string[];
}

/**
 * Reads a custom resource in place of a typed one: metadata as ObjectMeta, unknown fields pruned and reported, defaults
 * filled. Throws `DecodeError` for metadata of wrong types. `preserveUnknown` keeps everything.
 */
export function decodeCustomResource(
  props: JsonSchemaProps | undefined,
  value: unknown,
  preserveUnknown = false,
): CustomDecodeResult {
  if (!isRecord(value))
    throw new DecodeError(
      `json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type map[string]interface {}`,
    );
  const object = { ...value };
  const strictErrors: string[] = [];
  const schema = builtinType('apimachinery.pkg.apis.meta.v1.ObjectMeta');
  if (schema !== undefined && object.metadata !== undefined && object.metadata !== null) {
    const metadata = decodeObject(schema, object.metadata);
    object.metadata = metadata.object;
    for (const problem of metadata.strictErrors)
      strictErrors.push(problem.replace('unknown field "', 'unknown field "metadata.'));
  } else object.metadata = {};
  if (!preserveUnknown)
    for (const path of pruneCustomResource(props, object)) strictErrors.push(`unknown field "${path}"`);
  defaultCustomResource(props, object);
  const { apiVersion, kind, metadata, ...rest } = object;
  return { object: { apiVersion, kind, metadata, ...rest }, strictErrors };
}

/** Problems of the fields that the scale subresource reads (`ValidateScaleSpec`, `ValidateScaleStatus`). */
export function validateScalePaths(object: JsonRecord, scale: ScalePaths): FieldError[] {
  return [...replicasProblem(object, scale.specReplicasPath), ...replicasProblem(object, scale.statusReplicasPath)];
}

function replicasProblem(object: JsonRecord, path: string): FieldError[] {
  const names = path.replace(/^\./, '').split('.');
  let value: unknown = object;
  for (const [index, name] of names.entries()) {
    if (value === undefined || value === null) return [];
    if (!isRecord(value))
      return [
        invalidValue(
          path,
          0,
          `.${names.slice(0, index + 1).join('.')} accessor error: ${String(value)} is of the type ${goType(value)}, expected map[string]interface{}`,
        ),
      ];
    value = Object.hasOwn(value, name) ? value[name] : undefined;
  }
  if (value === undefined) return [];
  if (typeof value !== 'number' || !Number.isInteger(value))
    return [
      invalidValue(
        path,
        0,
        `.${names.join('.')} accessor error: ${value === null ? '<nil>' : String(value)} is of the type ${goType(value)}, expected int64`,
      ),
    ];
  if (value < 0) return [invalidValue(path, value, 'should be a non-negative integer')];
  if (value > 2_147_483_647) return [invalidValue(path, value, 'should be less than or equal to 2147483647')];
  return [];
}

function goType(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (isRecord(value)) return 'map[string]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
