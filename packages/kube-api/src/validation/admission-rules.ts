/** What policies and webhooks of admission have in common (`pkg/apis/admissionregistration/validation`). */
import {
  duplicateValue,
  type FieldError,
  invalidValue,
  requiredValue,
  tooMany,
  unsupportedValue,
} from '../errors/field-error.ts';
import { recordAt, recordsAt, stringAt, stringsAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { type ExpressionTypes, expressionProblems } from './admission-expressions.ts';
import { invalidMessages } from './field-rules.ts';
import { validateLabelSelector } from './label-selector.ts';
import { isQualifiedName } from './names.ts';
import { pathSegmentName } from './object-meta.ts';

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const SCOPES = ['*', 'Cluster', 'Namespaced'];
const MATCH_POLICIES = ['Equivalent', 'Exact'];
const MAX_MATCH_CONDITIONS = 64;

export const FAILURE_POLICIES = ['Fail', 'Ignore'];

/** A list entry that stands for all. */
const ANY = '*';

export function oneOfGiven(value: unknown, field: string, supported: readonly string[]): FieldError[] {
  return typeof value !== 'string' || supported.includes(value) ? [] : [unsupportedValue(field, value, supported)];
}

/** `validateMatchConditions` */
export function matchConditionProblems(
  conditions: readonly JsonRecord[],
  field: string,
  types: ExpressionTypes,
): FieldError[] {
  const seen = new Set<string>();
  const out: FieldError[] = [];
  if (conditions.length > MAX_MATCH_CONDITIONS) out.push(tooMany(field, conditions.length, MAX_MATCH_CONDITIONS));
  for (const [index, condition] of conditions.entries()) {
    const path = `${field}[${index}]`;
    const name = stringAt(condition, 'name');
    const source = stringAt(condition, 'expression').trim();
    if (source === '') out.push(requiredValue(`${path}.expression`));
    else out.push(...expressionProblems(source, `${path}.expression`, types, ['bool']));
    if (name === '') {
      out.push(requiredValue(`${path}.name`));
      continue;
    }
    out.push(...invalidMessages(`${path}.name`, name, isQualifiedName(name)));
    if (seen.has(name)) out.push(duplicateValue(`${path}.name`, name));
    seen.add(name);
  }
  return out;
}

/** `validateMatchResources` */
export function matchResourceProblems(match: JsonRecord, field: string): FieldError[] {
  const out = [
    ...oneOfGiven(match.matchPolicy, `${field}.matchPolicy`, MATCH_POLICIES),
    ...selectorProblems(match, field),
  ];
  for (const list of ['resourceRules', 'excludeResourceRules'])
    for (const [index, rule] of recordsAt(match, list).entries()) {
      const path = `${field}.${list}[${index}]`;
      const seen = new Set<string>();
      for (const [at, name] of stringsAt(rule, 'resourceNames').entries()) {
        const place = `${path}.resourceNames[${at}]`;
        out.push(...invalidMessages(place, name, pathSegmentName(name, false)));
        if (seen.has(name)) out.push(duplicateValue(place, name));
        seen.add(name);
      }
      out.push(...ruleProblems(rule, path));
    }
  return out;
}

export function selectorProblems(object: JsonRecord, field: string): FieldError[] {
  return [
    ...validateLabelSelector(recordAt(object, 'namespaceSelector'), `${field}.namespaceSelector`),
    ...validateLabelSelector(recordAt(object, 'objectSelector'), `${field}.objectSelector`),
  ];
}

/** `validateRuleWithOperations` */
export function ruleProblems(rule: JsonRecord, field: string): FieldError[] {
  const operations = stringsAt(rule, 'operations');
  const out = listProblems(operations, `${field}.operations`, 'operations');
  for (const [index, operation] of operations.entries())
    out.push(...oneOfGiven(operation, `${field}.operations[${index}]`, OPERATIONS));
  out.push(
    ...listProblems(stringsAt(rule, 'apiGroups'), `${field}.apiGroups`, 'API groups'),
    ...listProblems(stringsAt(rule, 'apiVersions'), `${field}.apiVersions`, 'API versions'),
  );
  for (const [index, version] of stringsAt(rule, 'apiVersions').entries())
    if (version === '') out.push(requiredValue(`${field}.apiVersions[${index}]`));
  out.push(
    ...resourceProblems(stringsAt(rule, 'resources'), `${field}.resources`),
    ...oneOfGiven(rule.scope, `${field}.scope`, SCOPES),
  );
  return out;
}

function listProblems(values: readonly string[], field: string, what: string): FieldError[] {
  if (values.length === 0) return [requiredValue(field)];
  return values.length > 1 && values.includes(ANY)
    ? [invalidValue(field, values, `if '*' is present, must not specify other ${what}`)]
    : [];
}

/** `validateResources`: a wildcard leaves nothing for others to say. */
function resourceProblems(resources: readonly string[], field: string): FieldError[] {
  const out: FieldError[] = resources.length === 0 ? [requiredValue(field)] : [];
  const wildParts = new Set<string>();
  const wildResources = new Set<string>();
  let isPlain = false;
  for (const [index, entry] of resources.entries()) {
    const path = `${field}[${index}]`;
    if (entry === '') {
      out.push(requiredValue(path));
      continue;
    }
    const slash = entry.indexOf('/');
    if (slash < 0) {
      isPlain = entry !== ANY;
      continue;
    }
    const [resource, part] = [entry.slice(0, slash), entry.slice(slash + 1)];
    if (wildParts.has(resource))
      out.push(invalidValue(path, entry, `if '${resource}/*' is present, must not specify ${entry}`));
    if (wildResources.has(part))
      out.push(invalidValue(path, entry, `if '*/${part}' is present, must not specify ${entry}`));
    if (part === ANY) wildParts.add(resource);
    if (resource === ANY) wildResources.add(part);
  }
  if (resources.length > 1 && resources.includes('*/*'))
    out.push(invalidValue(field, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.includes(ANY) && isPlain)
    out.push(
      invalidValue(field, resources, "if '*' is present, must not specify other resources without subresources"),
    );
  return out;
}
