/** Structural schemas (apiextensions `schema/validation.go`, `schema/complete.go`): every value has one place and type. */
import { RE2JS } from 're2js';
import { type FieldError, forbiddenValue, invalidValue, requiredValue } from '../errors/field-error.ts';
import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import { jsonEquals } from '../values/json.ts';

type Level = 'root' | 'item' | 'field';

const EMPTY: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};
const INT_OR_STRING = [{ type: 'integer' }, { type: 'string' }];

export function validateStructural(schema: JsonSchemaProps, field: string): FieldError[] {
  const out: FieldError[] = [];
  invariants(schema, 'root', field, out);
  completeness(schema, field, out);
  return out;
}

function invariants(node: JsonSchemaProps, level: Level, field: string, out: FieldError[]): void {
  const type = node.type ?? '';
  const isEmbedded = node['x-kubernetes-embedded-resource'] === true;
  const keepsUnknown = node['x-kubernetes-preserve-unknown-fields'] === true;
  const isIntOrString = node['x-kubernetes-int-or-string'] === true;
  if (type === 'array' && node.items === undefined) out.push(requiredValue(`${field}.items`, 'must be specified'));
  if (node.items !== undefined && !Array.isArray(node.items)) invariants(node.items, 'item', `${field}.items`, out);
  for (const [name, child] of Object.entries(node.properties ?? {}))
    invariants(child, 'field', `${field}.properties[${name}]`, out);
  const { additionalProperties } = node;
  if (additionalProperties !== undefined) {
    if (level === 'root') out.push(forbiddenValue(`${field}.additionalProperties`, 'must not be used at the root'));
    if (typeof additionalProperties === 'object')
      invariants(additionalProperties, 'field', `${field}.additionalProperties`, out);
    if (isEmbedded)
      out.push(
        forbiddenValue(`${field}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set'),
      );
  }
  if (isIntOrString && keepsUnknown)
    out.push(
      invalidValue(
        `${field}.x-kubernetes-preserve-unknown-fields`,
        true,
        'must be false if x-kubernetes-int-or-string is true',
      ),
    );
  if (isIntOrString && isEmbedded)
    out.push(
      invalidValue(
        `${field}.x-kubernetes-embedded-resource`,
        true,
        'must be false if x-kubernetes-int-or-string is true',
      ),
    );
  const skipsAnyOf = jsonEquals(node.anyOf ?? null, INT_OR_STRING);
  const skipsFirst = jsonEquals(node.allOf?.[0]?.anyOf ?? null, INT_OR_STRING);
  values(node, skipsAnyOf, skipsFirst, field, out);
  if (isEmbedded && type !== 'object')
    out.push(
      type === ''
        ? requiredValue(`${field}.type`, 'must be object if x-kubernetes-embedded-resource is true')
        : invalidValue(`${field}.type`, type, 'must be object if x-kubernetes-embedded-resource is true'),
    );
  else if (type === '' && !isIntOrString && !keepsUnknown) out.push(requiredValue(`${field}.type`, EMPTY[level]));
  if (level === 'root' && type !== '' && type !== 'object')
    out.push(invalidValue(`${field}.type`, type, 'must be object at the root'));
  metadata(node, level === 'root' || isEmbedded, level, field, out);
  if (isEmbedded && !keepsUnknown && Object.keys(node.properties ?? {}).length === 0)
    out.push(
      requiredValue(
        `${field}.properties`,
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    );
}

function metadata(node: JsonSchemaProps, isChecked: boolean, level: Level, field: string, out: FieldError[]): void {
  const properties = node.properties ?? {};
  if (isChecked)
    for (const name of ['kind', 'apiVersion']) {
      const child = properties[name];
      if (child !== undefined && child.type !== 'string')
        out.push(invalidValue(`${field}.properties[${name}].type`, child.type ?? '', 'must be string'));
    }
  const meta = properties.metadata;
  if (meta === undefined) return;
  const at = `${field}.properties[metadata]`;
  if (isChecked && meta.type !== 'object') out.push(invalidValue(`${at}.type`, meta.type ?? '', 'must be object'));
  if (level !== 'root') return;
  const { type: _type, default: _default, properties: named = {}, ...rest } = meta;
  const isNamesOnly = Object.keys(named).every((name) => name === 'name' || name === 'generateName');
  const others = Object.entries(rest).filter(([, value]) => value !== undefined && value !== null);
  if (!isNamesOnly || others.length > 0)
    out.push(
      forbiddenValue(
        at,
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      ),
    );
}

/** What restricts values without giving structure. */
function values(
  node: JsonSchemaProps,
  skipsAnyOf: boolean,
  skipsFirst: boolean,
  field: string,
  out: FieldError[],
): void {
  if (!skipsAnyOf)
    for (const [index, child] of (node.anyOf ?? []).entries()) nested(child, false, `${field}.anyOf[${index}]`, out);
  for (const [index, child] of (node.allOf ?? []).entries())
    nested(child, skipsFirst && index === 0, `${field}.allOf[${index}]`, out);
  for (const [index, child] of (node.oneOf ?? []).entries()) nested(child, false, `${field}.oneOf[${index}]`, out);
  if (node.not !== undefined) nested(node.not, false, `${field}.not`, out);
  if (node.pattern === undefined || node.pattern === '') return;
  try {
    RE2JS.compile(node.pattern);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    out.push(
      invalidValue(`${field}.pattern`, node.pattern, `must be a valid regular expression, but isn't: ${problem}`),
    );
  }
}

const FORBIDDEN: readonly (readonly [keyof JsonSchemaProps, string])[] = [
  ['type', 'must be empty to be structural'],
  ['default', 'must be undefined to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
];

function nested(node: JsonSchemaProps, skipsAnyOf: boolean, field: string, out: FieldError[]): void {
  values(node, skipsAnyOf, false, field, out);
  if (node.items !== undefined) nested(node.items, false, `${field}.items`, out);
  for (const [name, child] of Object.entries(node.properties ?? {}))
    nested(child, false, `${field}.properties[${name}]`, out);
  for (const [name, words] of FORBIDDEN) {
    const value = node[name];
    const isSet =
      value !== undefined &&
      value !== null &&
      value !== false &&
      value !== '' &&
      !(Array.isArray(value) && value.length === 0);
    if (isSet) out.push(forbiddenValue(`${field}.${name}`, words));
  }
  if ('title' in node && node.title !== '')
    out.push(forbiddenValue(`${field}.title`, 'must be empty to be structural'));
  if (node.additionalProperties !== undefined)
    out.push(forbiddenValue(`${field}.additionalProperties`, 'must be undefined to be structural'));
  if (node.properties?.metadata !== undefined)
    out.push(forbiddenValue(`${field}.properties[metadata]`, 'must not be specified in a nested context'));
}

/** What nested schemas restrict has to be there. */
function completeness(node: JsonSchemaProps, field: string, out: FieldError[]): void {
  const all: (readonly [JsonSchemaProps, string])[] = [];
  const gather = (from: JsonSchemaProps, path: string): void => {
    for (const name of ['anyOf', 'allOf', 'oneOf'] as const)
      for (const [index, child] of (from[name] ?? []).entries()) {
        all.push([child, `${path}.${name}[${index}]`]);
        gather(child, `${path}.${name}[${index}]`);
      }
    if (from.not !== undefined) {
      all.push([from.not, `${path}.not`]);
      gather(from.not, `${path}.not`);
    }
  };
  gather(node, field);
  for (const [restriction, origin] of all) missing(node, restriction, field, origin, out);
  if (node.items !== undefined && !Array.isArray(node.items)) completeness(node.items, `${field}.items`, out);
  for (const [name, child] of Object.entries(node.properties ?? {}))
    completeness(child, `${field}.properties[${name}]`, out);
  if (typeof node.additionalProperties === 'object')
    completeness(node.additionalProperties, `${field}.additionalProperties`, out);
}

function missing(
  node: JsonSchemaProps,
  restriction: JsonSchemaProps,
  field: string,
  origin: string,
  out: FieldError[],
): void {
  if (restriction.items !== undefined) {
    if (node.items === undefined) out.push(requiredValue(`${field}.items`, `because it is defined in ${origin}.items`));
    else missing(node.items, restriction.items, `${field}.items`, `${origin}.items`, out);
  }
  for (const [name, child] of Object.entries(restriction.properties ?? {})) {
    const own = node.properties?.[name];
    const from = `${origin}.properties[${name}]`;
    if (own === undefined) out.push(requiredValue(`${field}.properties[${name}]`, `because it is defined in ${from}`));
    else missing(own, child, `${field}.properties[${name}]`, from, out);
  }
}
