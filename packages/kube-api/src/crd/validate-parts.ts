/** Printer columns, subresources and selectable fields of a CRD (`pkg/apis/apiextensions/validation`). */
import { duplicateValue, type FieldError, invalidValue, requiredValue, tooMany } from '../errors/field-error.ts';
import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import { recordAt, stringAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { findFieldPath } from './field-path.ts';

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const MAX_SELECTABLE_FIELDS = 8;

/** `validateSimpleJSONPath`. */
function simplePath(path: string, field: string): FieldError[] {
  return path.startsWith('.') ? [] : [invalidValue(field, path, 'must be a simple json path starting with .')];
}

export function validateColumns(columns: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const [index, column] of columns.entries()) {
    const path = `${field}[${index}]`;
    if (stringAt(column, 'name') === '') out.push(requiredValue(`${path}.name`));
    const type = stringAt(column, 'type');
    if (type === '') out.push(requiredValue(`${path}.type`, `must be one of ${COLUMN_TYPES.join(',')}`));
    else if (!COLUMN_TYPES.includes(type))
      out.push(invalidValue(`${path}.type`, type, `must be one of ${COLUMN_TYPES.join(',')}`));
    const format = stringAt(column, 'format');
    if (format !== '' && !COLUMN_FORMATS.includes(format))
      out.push(invalidValue(`${path}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`));
    const jsonPath = stringAt(column, 'jsonPath');
    if (jsonPath === '') out.push(requiredValue(`${path}.JSONPath`));
    else out.push(...simplePath(jsonPath, `${path}.JSONPath`));
  }
  return out;
}

export function validateSubresources(subresources: JsonRecord | undefined, field: string): FieldError[] {
  const scale = recordAt(subresources, 'scale');
  if (scale === undefined) return [];
  const out: FieldError[] = [];
  for (const [name, roots, words] of [
    ['specReplicasPath', ['.spec.'], '.spec'],
    ['statusReplicasPath', ['.status.'], '.status'],
    ['labelSelectorPath', ['.spec.', '.status.'], 'either .spec or .status'],
  ] as const) {
    const path = stringAt(scale, name);
    const at = `${field}.scale.${name}`;
    if (path === '') {
      if (name !== 'labelSelectorPath') out.push(requiredValue(at));
      continue;
    }
    const problems = simplePath(path, at);
    out.push(...problems);
    if (problems.length === 0 && !roots.some((root) => path.startsWith(root)))
      out.push(invalidValue(at, path, `should be a json path under ${words}`));
  }
  return out;
}

export function validateSelectableFields(
  fields: readonly JsonRecord[],
  schema: JsonSchemaProps,
  field: string,
): FieldError[] {
  const out: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, entry] of fields.entries()) {
    const at = `${field}[${index}].jsonPath`;
    const path = stringAt(entry, 'jsonPath');
    if (path === '') {
      out.push(requiredValue(at));
      continue;
    }
    const found = findFieldPath(path, schema, false);
    if (typeof found === 'string') {
      out.push(invalidValue(at, path, `is an invalid path: ${found}`));
      continue;
    }
    if (found.names[0] === 'metadata') out.push(invalidValue(at, path, 'must not point to fields in metadata'));
    if (!['string', 'boolean', 'integer'].includes(found.schema.type ?? ''))
      out.push(
        invalidValue(
          at,
          path,
          'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ),
      );
    const name = found.names.join('.');
    if (seen.has(name)) out.push(duplicateValue(at, path));
    seen.add(name);
  }
  if (seen.size > MAX_SELECTABLE_FIELDS) out.push(tooMany(field, seen.size, MAX_SELECTABLE_FIELDS));
  return out;
}
