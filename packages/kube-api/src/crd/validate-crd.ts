/** CustomResourceDefinitions themselves (`pkg/apis/apiextensions/validation`, `apiserver/schema/validation.go`). */
import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { immutableField } from '../validation/field-rules.ts';
import { isDns1035Label, isDns1123Subdomain } from '../validation/names.ts';
import { recordAt, recordsAt, stringAt, stringsAt } from '../values/access.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { parseJsonPath } from './json-path.ts';

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const SCHEMA_TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];

export function validateCrd(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const names = recordAt(spec, 'names') ?? {};
  const out: FieldError[] = [];
  const group = stringAt(spec, 'group');
  const plural = stringAt(names, 'plural');
  const name = stringAt(recordAt(object, 'metadata'), 'name');
  if (name !== `${plural}.${group}`)
    out.push(invalidValue('metadata.name', name, 'must be spec.names.plural+"."+spec.group'));
  if (group === '') out.push(requiredValue('spec.group'));
  else {
    const problems = isDns1123Subdomain(group);
    if (problems.length > 0) out.push(invalidValue('spec.group', group, problems.join(',')));
    else if (!group.includes('.'))
      out.push(invalidValue('spec.group', group, 'should be a domain with at least one dot'));
  }
  const scope = stringAt(spec, 'scope');
  if (scope === '') out.push(requiredValue('spec.scope'));
  else if (scope !== 'Cluster' && scope !== 'Namespaced')
    out.push(unsupportedValue('spec.scope', scope, ['Cluster', 'Namespaced']));
  if (spec.preserveUnknownFields === true)
    out.push(
      invalidValue(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    );
  out.push(...validateNames(names, 'spec.names'));
  out.push(...validateVersions(spec));
  out.push(...validateConversion(recordAt(spec, 'conversion') ?? {}, 'spec.conversion'));
  return out;
}

function label(value: string, field: string, mixedCase: boolean): FieldError[] {
  if (value === '') return [requiredValue(field)];
  const problems = isDns1035Label(mixedCase ? value.toLowerCase() : value);
  if (problems.length === 0) return [];
  const text = problems.join(',');
  return [invalidValue(field, value, mixedCase ? `may have mixed case, but should otherwise match: ${text}` : text)];
}

function validateNames(names: JsonRecord, field: string): FieldError[] {
  const out = [
    ...label(stringAt(names, 'plural'), `${field}.plural`, false),
    ...label(stringAt(names, 'singular'), `${field}.singular`, false),
    ...label(stringAt(names, 'kind'), `${field}.kind`, true),
    ...label(stringAt(names, 'listKind'), `${field}.listKind`, true),
  ];
  for (const part of ['shortNames', 'categories'])
    for (const [index, value] of stringsAt(names, part).entries())
      out.push(...label(value, `${field}.${part}[${index}]`, false));
  const kind = stringAt(names, 'kind');
  if (kind !== '' && kind === stringAt(names, 'listKind'))
    out.push(invalidValue(`${field}.listKind`, kind, 'kind and listKind may not be the same'));
  return out;
}

function validateVersions(spec: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const versions = recordsAt(spec, 'versions');
  const seen = new Set<string>();
  let storage = 0;
  let isUnique = true;
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    const name = stringAt(version, 'name');
    if (version.storage === true) storage += 1;
    if (seen.has(name)) isUnique = false;
    seen.add(name);
    const problems = isDns1035Label(name);
    if (problems.length > 0) out.push(invalidValue(`${path}.name`, name, problems.join(',')));
    const schema = recordAt(recordAt(version, 'schema'), 'openAPIV3Schema');
    if (schema === undefined) out.push(requiredValue(`${path}.schema.openAPIV3Schema`));
    else out.push(...validateRoot(schema, `${path}.schema.openAPIV3Schema`));
    out.push(...validateColumns(recordsAt(version, 'additionalPrinterColumns'), `${path}.additionalPrinterColumns`));
    out.push(...validateSubresources(recordAt(version, 'subresources'), `${path}.subresources`));
  }
  if (!isUnique) out.push(invalidValue('spec.versions', versions, 'must contain unique version names'));
  if (storage !== 1)
    out.push(invalidValue('spec.versions', versions, 'must have exactly one version marked as storage version'));
  return out;
}

function validateColumns(columns: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const [index, column] of columns.entries()) {
    const path = `${field}[${index}]`;
    if (stringAt(column, 'name') === '') out.push(requiredValue(`${path}.name`));
    const type = stringAt(column, 'type');
    if (type === '') out.push(requiredValue(`${path}.type`, `must be one of ${COLUMN_TYPES.join(',')}`));
    else if (!COLUMN_TYPES.includes(type))
      out.push(invalidValue(`${path}.type`, type, `must be one of ${COLUMN_TYPES.join(',')}`));
    const jsonPath = stringAt(column, 'jsonPath');
    if (jsonPath === '') out.push(requiredValue(`${path}.jsonPath`));
    else
      try {
        if (!jsonPath.startsWith('.')) throw new Error('must be a simple json path starting with .');
        parseJsonPath(jsonPath);
      } catch (error) {
        out.push(
          invalidValue(
            `${path}.jsonPath`,
            jsonPath,
            `is an invalid path: ${error instanceof Error ? error.message : String(error)}`,
          ),
        );
      }
  }
  return out;
}

function validateSubresources(subresources: JsonRecord | undefined, field: string): FieldError[] {
  const scale = recordAt(subresources, 'scale');
  if (scale === undefined) return [];
  const out: FieldError[] = [];
  for (const [name, root] of [
    ['specReplicasPath', '.spec.'],
    ['statusReplicasPath', '.status.'],
    ['labelSelectorPath', '.s'],
  ] as const) {
    const path = stringAt(scale, name);
    if (path === '') {
      if (name !== 'labelSelectorPath') out.push(requiredValue(`${field}.scale.${name}`));
      continue;
    }
    if (!/^(\.[^.[\]*?]+)+$/.test(path))
      out.push(
        invalidValue(
          `${field}.scale.${name}`,
          path,
          'is invalid: only field names with no array notation are supported',
        ),
      );
    else if (!path.startsWith(root))
      out.push(
        invalidValue(
          `${field}.scale.${name}`,
          path,
          `should be a json path under ${name === 'labelSelectorPath' ? 'either .spec or .status' : root.slice(0, -1)}`,
        ),
      );
  }
  return out;
}

function validateConversion(conversion: JsonRecord, field: string): FieldError[] {
  const strategy = stringAt(conversion, 'strategy');
  const webhook = recordAt(conversion, 'webhook');
  if (strategy === 'Webhook') {
    const out: FieldError[] = [];
    if (webhook === undefined || recordAt(webhook, 'clientConfig') === undefined)
      out.push(requiredValue(`${field}.webhookClientConfig`, 'required when strategy is set to Webhook'));
    if (webhook !== undefined && stringsAt(webhook, 'conversionReviewVersions').length === 0)
      out.push(requiredValue(`${field}.conversionReviewVersions`));
    return out;
  }
  if (strategy === '') return [requiredValue(`${field}.strategy`)];
  if (strategy !== 'None') return [unsupportedValue(`${field}.strategy`, strategy, ['None', 'Webhook'])];
  return webhook === undefined
    ? []
    : [forbiddenValue(`${field}.webhookClientConfig`, 'should not be set when strategy is not set to Webhook')];
}

function validateRoot(schema: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const type = stringAt(schema, 'type');
  if (type === '') out.push(requiredValue(`${field}.type`, 'must not be empty at the root'));
  else if (type !== 'object') out.push(invalidValue(`${field}.type`, type, 'must be object at the root'));
  if (schema.nullable === true) out.push(forbiddenValue(`${field}.nullable`, 'nullable cannot be true at the root'));
  validateNode(schema, field, false, out);
  return out;
}

/** Structural rules: every node that is named has a type, and what combines schemas adds no structure. */
function validateNode(schema: JsonRecord, field: string, needsType: boolean, out: FieldError[], whatFor = ''): void {
  const type = stringAt(schema, 'type');
  const isOpen =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (type === '') {
    if (needsType && !isOpen) out.push(requiredValue(`${field}.type`, `must not be empty for specified ${whatFor}`));
  } else if (!SCHEMA_TYPES.includes(type)) out.push(unsupportedValue(`${field}.type`, type, SCHEMA_TYPES));
  if (schema['x-kubernetes-int-or-string'] === true && type !== '')
    out.push(forbiddenValue(`${field}.type`, 'must be empty if x-kubernetes-int-or-string is true'));
  const properties = recordAt(schema, 'properties');
  const additional = schema.additionalProperties;
  if (properties !== undefined && additional !== undefined)
    out.push(
      forbiddenValue(`${field}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
    );
  if (additional === false)
    out.push(forbiddenValue(`${field}.additionalProperties`, 'additionalProperties cannot be set to false'));
  if (schema.uniqueItems === true)
    out.push(
      forbiddenValue(
        `${field}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
  for (const name of [
    '$ref',
    'definitions',
    'dependencies',
    'deprecated',
    'id',
    'patternProperties',
    'additionalItems',
  ])
    if (schema[name] !== undefined && schema[name] !== null && schema[name] !== '')
      out.push(forbiddenValue(`${field}.${name}`, `${name} is not supported`));
  validateListType(schema, field, type, out);
  const pattern = stringAt(schema, 'pattern');
  if (pattern !== '')
    try {
      new RegExp(pattern.replaceAll('(?P<', '(?<').replace(/^\(\?i\)/, ''));
    } catch {
      out.push(invalidValue(`${field}.pattern`, pattern, "must be a valid regular expression, but isn't"));
    }
  for (const [name, child] of Object.entries(properties ?? {}))
    if (isRecord(child)) validateNode(child, `${field}.properties[${name}]`, true, out, 'object fields');
  if (isRecord(additional)) validateNode(additional, `${field}.additionalProperties`, true, out, 'object fields');
  const items = recordAt(schema, 'items');
  if (items !== undefined) validateNode(items, `${field}.items`, true, out, 'array items');
  else if (type === 'array') out.push(requiredValue(`${field}.items`, 'must be specified'));
}

function validateListType(schema: JsonRecord, field: string, type: string, out: FieldError[]): void {
  const listType = schema['x-kubernetes-list-type'];
  const keys = stringsAt(schema, 'x-kubernetes-list-map-keys');
  if (listType !== undefined) {
    if (type !== 'array')
      out.push(
        type === ''
          ? requiredValue(`${field}.type`, 'must be array if x-kubernetes-list-type is specified')
          : invalidValue(`${field}.type`, type, 'must be array if x-kubernetes-list-type is specified'),
      );
    if (listType !== 'atomic' && listType !== 'set' && listType !== 'map')
      out.push(unsupportedValue(`${field}.x-kubernetes-list-type`, listType, ['atomic', 'map', 'set']));
  }
  if (keys.length > 0 && listType !== 'map')
    out.push(
      listType === undefined
        ? requiredValue(`${field}.x-kubernetes-list-type`, 'must be map if x-kubernetes-list-map-keys is non-empty')
        : invalidValue(
            `${field}.x-kubernetes-list-type`,
            listType,
            'must be map if x-kubernetes-list-map-keys is non-empty',
          ),
    );
  if (listType === 'map') {
    if (keys.length === 0)
      out.push(
        requiredValue(`${field}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'),
      );
    const items = recordAt(schema, 'items');
    const seen = new Set<string>();
    for (const [index, key] of keys.entries()) {
      if (seen.has(key)) out.push(duplicateValue(`${field}.x-kubernetes-list-map-keys[${index}]`, key));
      seen.add(key);
      const child = recordAt(recordAt(items, 'properties'), key);
      if (child === undefined)
        out.push(
          invalidValue(
            `${field}.x-kubernetes-list-map-keys[${index}]`,
            key,
            'entries have to be specified as properties in items.properties',
          ),
        );
      else if (!stringsAt(items, 'required').includes(key) && child.default === undefined)
        out.push(
          requiredValue(
            `${field}.items.properties[${key}].default`,
            'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
          ),
        );
    }
  }
}

export function validateCrdUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const before = recordAt(old, 'spec') ?? {};
  const out = validateCrd(object);
  const isEstablished = recordsAt(recordAt(old, 'status'), 'conditions').some(
    (condition) => condition.type === 'Established' && condition.status === 'True',
  );
  if (isEstablished) {
    out.push(...immutableField(spec.scope, before.scope, 'spec.scope'));
    out.push(...immutableField(recordAt(spec, 'names')?.kind, recordAt(before, 'names')?.kind, 'spec.names.kind'));
  }
  out.push(...immutableField(spec.group, before.group, 'spec.group'));
  out.push(...immutableField(recordAt(spec, 'names')?.plural, recordAt(before, 'names')?.plural, 'spec.names.plural'));
  const versions = new Set(recordsAt(spec, 'versions').map((version) => stringAt(version, 'name')));
  for (const [index, stored] of stringsAt(recordAt(old, 'status'), 'storedVersions').entries())
    if (!versions.has(stored))
      out.push(
        invalidValue(
          `status.storedVersions[${index}]`,
          stored,
          `missing from spec.versions; ${stored} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${stored} and removes ${stored} from status.storedVersions`,
        ),
      );
  return out;
}
