/** Defaults of a CRD are good values themselves (apiextensions `schema/defaulting/validation.go`). */
import { type FieldError, invalidValue } from '../errors/field-error.ts';
import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import { copyJson, jsonEquals } from '../values/json.ts';
import { pruneValue } from './prune.ts';
import { validateAgainstSchema } from './validate-value.ts';

export function validateDefaults(schema: JsonSchemaProps, field: string): FieldError[] {
  const out: FieldError[] = [];
  check(schema, field, out);
  return out;
}

function check(node: JsonSchemaProps, field: string, out: FieldError[]): void {
  const { default: value } = node;
  if (value !== undefined && value !== null) {
    const at = `${field}.default`;
    const pruned = copyJson(value);
    pruneValue(node, pruned);
    if (!jsonEquals(pruned, value)) out.push(invalidValue(at, value, 'must not have unknown fields'));
    out.push(...validateAgainstSchema(node, value, at));
  }
  // Defaults below additionalProperties are not followed.
  if (node.items !== undefined) check(node.items, `${field}.items`, out);
  for (const [name, child] of Object.entries(node.properties ?? {})) check(child, `${field}.properties[${name}]`, out);
}
