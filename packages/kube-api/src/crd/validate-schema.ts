/** A CRD's schema: what is supported, lists and maps, rules (`ValidateCustomResourceDefinitionOpenAPISchema`). */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import { isRecord } from '../values/json.ts';
import { goSchema } from './go-crd.ts';
import { RuleCosts } from './rule-costs.ts';
import { validateStructural } from './structural.ts';
import { validateDefaults } from './validate-defaults.ts';
import { checkRules, checkRuleText } from './validate-rules.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const META: ReadonlySet<string> = new Set(['metadata', 'kind', 'apiVersion']);
/** With a status subresource these may stand at the root; in Go's names, as the message lists them. */
const AT_ROOT =
  'Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations';
const NOT_AT_ROOT: readonly (keyof JsonSchemaProps)[] = [
  'default',
  'enum',
  'maxProperties',
  'minProperties',
  'allOf',
  'oneOf',
  'anyOf',
  'not',
  'additionalProperties',
  'nullable',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
];

/** How a node stands in its schema. */
interface Place {
  readonly isRoot: boolean;
  /** Why defaults are not allowed; undefined where they are. */
  readonly noDefaults?: string;
  readonly insideMeta?: boolean;
  /** The part whose old and new items cannot be told apart. */
  readonly uncorrelatable?: string;
  /** Rules are compiled: the schema is structural, and this is no `allOf` and its like. */
  readonly withRules: boolean;
  /** How often it may occur in one object; undefined for without limit. */
  readonly cardinality: number | undefined;
}

export function validateCrdSchema(schema: JsonSchemaProps, field: string, hasStatus: boolean): FieldError[] {
  const out: FieldError[] = [];
  if (hasStatus) {
    if (schema.type !== undefined && schema.type !== '' && schema.type !== 'object')
      out.push(
        invalidValue(
          `${field}.type`,
          schema.type,
          'only "object" is allowed as the type at the root of the schema if the status subresource is enabled',
        ),
      );
    else if (NOT_AT_ROOT.some((name) => isSet(schema[name])))
      out.push(
        invalidValue(
          field,
          goSchema(schema),
          `only [${AT_ROOT}] fields are allowed at the root of the schema if the status subresource is enabled`,
        ),
      );
  }
  if (schema.nullable === true) out.push(forbiddenValue(`${field}.nullable`, 'nullable cannot be true at the root'));
  const structural = validateStructural(schema, field);
  const defaults = structural.length > 0 ? [] : validateDefaults(schema, field);
  out.push(...structural, ...defaults);
  const errors: Errors = { schema: [], rules: [], costs: new RuleCosts() };
  const withRules = structural.length + defaults.length === 0;
  checkNode(schema, field, { isRoot: true, withRules, cardinality: 1 }, errors);
  return [...out, ...errors.schema, ...errors.rules, ...errors.costs.problems(field)];
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  return Array.isArray(value) ? value.length > 0 : true;
}

interface Errors {
  readonly schema: FieldError[];
  readonly rules: FieldError[];
  readonly costs: RuleCosts;
}

function checkNode(node: JsonSchemaProps, field: string, place: Place, errors: Errors): void {
  const before = errors.schema.length;
  checkSupported(node, field, place, errors.schema);
  if (node.uniqueItems === true)
    errors.schema.push(
      forbiddenValue(
        `${field}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
  checkChildren(node, field, place, errors);
  checkMapType(node, field, errors.schema);
  checkListType(node, field, errors.schema);
  const rules = node['x-kubernetes-validations'];
  if (!Array.isArray(rules) || rules.length === 0) return;
  for (const [index, rule] of rules.entries())
    checkRuleText(node, rule, `${field}.x-kubernetes-validations[${index}]`, errors.schema);
  if (errors.schema.length === before && place.withRules) checkRules(node, field, place, errors);
}

function checkSupported(node: JsonSchemaProps, field: string, place: Place, out: FieldError[]): void {
  if (node.type !== undefined && node.type !== '' && !TYPES.includes(node.type))
    out.push(unsupportedValue(`${field}.type`, node.type, TYPES));
  if (node.default !== undefined && place.noDefaults !== undefined)
    out.push(forbiddenValue(`${field}.default`, `must not be set ${place.noDefaults}`));
  const record = node as unknown as Record<string, unknown>;
  for (const name of ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'])
    if (
      isSet(record[name]) &&
      record[name] !== '' &&
      !(isRecord(record[name]) && Object.keys(record[name]).length === 0)
    )
      out.push(forbiddenValue(`${field}.${name}`, `${name} is not supported`));
  if (node.type === 'null')
    out.push(forbiddenValue(`${field}.type`, 'type cannot be set to null, use nullable as an alternative'));
  if (Array.isArray(node.items))
    out.push(forbiddenValue(`${field}.items`, 'items must be a schema object and not an array'));
  if (place.insideMeta === true && node['x-kubernetes-embedded-resource'] === true)
    out.push(forbiddenValue(`${field}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'));
}

function checkChildren(node: JsonSchemaProps, field: string, place: Place, errors: Errors): void {
  const inner: Place = { ...place, isRoot: false, cardinality: childCardinality(node, place.cardinality) };
  const { additionalProperties } = node;
  if (additionalProperties !== undefined) {
    if (Object.keys(node.properties ?? {}).length > 0 && additionalProperties !== true)
      errors.schema.push(
        forbiddenValue(`${field}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
      );
    if (typeof additionalProperties === 'object')
      checkNode(
        additionalProperties,
        `${field}.additionalProperties`,
        place.insideMeta === true
          ? { ...inner, noDefaults: 'inside additionalProperties applying to object metadata' }
          : inner,
        errors,
      );
  }
  const isAtomicMap = node['x-kubernetes-map-type'] === 'atomic';
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const isMeta = (place.isRoot || node['x-kubernetes-embedded-resource'] === true) && META.has(name);
    checkNode(
      child,
      `${field}.properties[${name}]`,
      {
        ...inner,
        ...(isAtomicMap ? { uncorrelatable: place.uncorrelatable ?? field } : {}),
        ...(isMeta ? { insideMeta: true } : {}),
        ...(isMeta && place.isRoot ? { noDefaults: `in top-level ${name}` } : {}),
      },
      errors,
    );
  }
  const nested: Place = { ...inner, withRules: false };
  if (node.not !== undefined) checkNode(node.not, `${field}.not`, nested, errors);
  for (const name of ['allOf', 'oneOf', 'anyOf'] as const)
    for (const [index, child] of (node[name] ?? []).entries())
      checkNode(child, `${field}.${name}[${index}]`, nested, errors);
  if (node.items !== undefined && !Array.isArray(node.items)) {
    const correlates = node['x-kubernetes-list-type'] === 'map';
    checkNode(
      node.items,
      `${field}.items`,
      correlates ? inner : { ...inner, uncorrelatable: place.uncorrelatable ?? field },
      errors,
    );
  }
  if (node['x-kubernetes-preserve-unknown-fields'] === false)
    errors.schema.push(
      invalidValue(`${field}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'),
    );
}

/** `childContext`, `extractMaxElements` */
function childCardinality(node: JsonSchemaProps, cardinality: number | undefined): number | undefined {
  if (cardinality === undefined) return undefined;
  const isMap = node.type === 'object' && node.additionalProperties !== undefined;
  if (!isMap && node.type !== 'array') return cardinality;
  const most = isMap ? node.maxProperties : node.maxItems;
  return most === undefined ? undefined : cardinality * Math.max(most, 0);
}

function wrongType(node: JsonSchemaProps, field: string, wanted: string, because: string): FieldError {
  const words = `must be ${wanted} if ${because} is specified`;
  return node.type === undefined || node.type === ''
    ? requiredValue(`${field}.type`, words)
    : invalidValue(`${field}.type`, node.type, words);
}

function checkMapType(node: JsonSchemaProps, field: string, out: FieldError[]): void {
  const type = node['x-kubernetes-map-type'];
  if (type === undefined) return;
  if (node.type !== 'object') out.push(wrongType(node, field, 'object', 'x-kubernetes-map-type'));
  if (type !== 'atomic' && type !== 'granular')
    out.push(unsupportedValue(`${field}.x-kubernetes-map-type`, type, ['atomic', 'granular']));
}

function checkListType(node: JsonSchemaProps, field: string, out: FieldError[]): void {
  const type = node['x-kubernetes-list-type'];
  const keys = node['x-kubernetes-list-map-keys'] ?? [];
  const { items } = node;
  const keysField = `${field}.x-kubernetes-list-map-keys`;
  if (type !== undefined && node.type !== 'array') out.push(wrongType(node, field, 'array', 'x-kubernetes-list-type'));
  else if (type === 'set' && items !== undefined) {
    const words = 'must be atomic as item of a list with x-kubernetes-list-type=set';
    const itemList = items['x-kubernetes-list-type'];
    if (items.type === 'array' && itemList !== undefined && itemList !== 'atomic')
      out.push(invalidValue(`${field}.items.x-kubernetes-list-type`, itemList, words));
    if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic')
      out.push(invalidValue(`${field}.items.x-kubernetes-map-type`, itemList ?? null, words));
  }
  if (type !== undefined && type !== 'atomic' && type !== 'set' && type !== 'map')
    out.push(unsupportedValue(`${field}.x-kubernetes-list-type`, type, ['atomic', 'set', 'map']));
  if (keys.length > 0 && type !== 'map')
    out.push(
      type === undefined
        ? requiredValue(`${field}.x-kubernetes-list-type`, 'must be map if x-kubernetes-list-map-keys is non-empty')
        : invalidValue(
            `${field}.x-kubernetes-list-type`,
            type,
            'must be map if x-kubernetes-list-map-keys is non-empty',
          ),
    );
  if (type === 'map') {
    if (keys.length === 0) out.push(requiredValue(keysField, 'must not be empty if x-kubernetes-list-type is map'));
    if (items === undefined)
      out.push(requiredValue(`${field}.items`, 'must have a schema if x-kubernetes-list-type is map'));
    else if (items.type !== 'object')
      out.push(
        invalidValue(
          `${field}.items.type`,
          items.type ?? '',
          "must be object if parent array's x-kubernetes-list-type is map",
        ),
      );
    else checkMapKeys(items, keys, field, out);
  }
  if ((type === 'map' || type === 'set') && items !== undefined) {
    if (items.nullable === true)
      out.push(forbiddenValue(`${field}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${type}`));
    if (type === 'map') checkKeysAreThere(items, keys, field, out);
  }
}

function checkMapKeys(items: JsonSchemaProps, keys: readonly string[], field: string, out: FieldError[]): void {
  const keysField = `${field}.x-kubernetes-list-map-keys`;
  const seen = new Set<string>();
  for (const key of keys) {
    const child = items.properties?.[key];
    if (child === undefined) out.push(invalidValue(keysField, keys, 'entries must all be names of item properties'));
    else if (child.type === 'array' || child.type === 'object')
      out.push(
        invalidValue(
          `${field}.items.properties[${key}].type`,
          items.type,
          "must be a scalar type if parent array's x-kubernetes-list-type is map",
        ),
      );
    if (seen.has(key)) out.push(invalidValue(keysField, keys, 'must not contain duplicate entries'));
    seen.add(key);
  }
}

function checkKeysAreThere(items: JsonSchemaProps, keys: readonly string[], field: string, out: FieldError[]): void {
  for (const key of keys) {
    const child = items.properties?.[key];
    if (child === undefined) continue;
    const at = `${field}.items.properties[${key}]`;
    const because = 'this property is in x-kubernetes-list-map-keys, so it';
    if (!(items.required ?? []).includes(key) && child.default === undefined)
      out.push(requiredValue(`${at}.default`, `${because} must have a default or be a required property`));
    if (child.nullable === true) out.push(forbiddenValue(`${at}.nullable`, `${because} cannot be nullable`));
  }
}
