/** Quotas (`ValidateResourceQuotaSpec`). */
import { type FieldError, invalidValue, NIL_COLLECTION, requiredValue } from '../errors/field-error.ts';
import { recordAt, recordsAt, stringAt, stringsAt } from '../values/access.ts';
import { type JsonRecord, semanticEquals } from '../values/json.ts';
import { isHugePages, resourceName, resourceQuantity } from './pod/resources.ts';

const OF_PODS = new Set('pods cpu memory limits.cpu limits.memory requests.cpu requests.memory'.split(' '));
const QUOTA_RESOURCES = new Set([
  ...OF_PODS,
  ...(
    'ephemeral-storage requests.storage requests.ephemeral-storage limits.ephemeral-storage resourcequotas services ' +
    'replicationcontrollers secrets persistentvolumeclaims configmaps services.nodeports services.loadbalancers'
  ).split(' '),
]);

/** What a scope can be counted for; all else is refused beside it (`IsResourceQuotaScopeValidForResource`). */
const SCOPES: Readonly<Record<string, ReadonlySet<string>>> = {
  Terminating: OF_PODS,
  NotTerminating: OF_PODS,
  BestEffort: new Set(['pods']),
  NotBestEffort: OF_PODS,
  PriorityClass: OF_PODS,
  CrossNamespacePodAffinity: OF_PODS,
  VolumeAttributesClass: new Set(['persistentvolumeclaims', 'requests.storage']),
};

/** Scopes of which a selector can only say that they are there. */
const EXISTING = new Set(['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']);

function isQuotaResource(name: string): boolean {
  return QUOTA_RESOURCES.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-');
}

function amounts(list: JsonRecord | undefined, field: string): FieldError[] {
  return Object.entries(list ?? {}).flatMap(([name, value]) => {
    const path = `${field}[${name}]`;
    const out = resourceName(name, path);
    if (!name.includes('/') && !isQuotaResource(name))
      out.push(invalidValue(path, name, 'must be a standard resource for quota'));
    return [...out, ...resourceQuantity(name, value, path)];
  });
}

/** One error for each resource that a scope has nothing to do with. */
function unfitResources(scope: string, hard: readonly string[], field: string, shown: unknown): FieldError[] {
  const fit = SCOPES[scope];
  if (fit === undefined) return [];
  return hard
    .filter((name) => isQuotaResource(name) && !fit.has(name))
    .map(() => invalidValue(field, shown, 'unsupported scope applied to resource'));
}

function conflictingScopes(scopes: readonly string[], field: string, shown: unknown): FieldError[] {
  return [
    ['BestEffort', 'NotBestEffort'],
    ['Terminating', 'NotTerminating'],
  ]
    .filter((pair) => pair.every((scope) => scopes.includes(scope)))
    .map(() => invalidValue(field, shown, 'conflicting scopes'));
}

function scopeSelector(selector: JsonRecord, hard: readonly string[], scopes: readonly string[]): FieldError[] {
  const field = 'spec.scopeSelector.matchExpressions';
  const requirements = recordsAt(selector, 'matchExpressions');
  const shown = {
    MatchExpressions: requirements.map((requirement) => ({
      ScopeName: stringAt(requirement, 'scopeName'),
      Operator: stringAt(requirement, 'operator'),
      Values: requirement.values ?? null,
    })),
  };
  const out: FieldError[] = [];
  for (const requirement of requirements) {
    const scope = stringAt(requirement, 'scopeName');
    const operator = stringAt(requirement, 'operator');
    const values = stringsAt(requirement, 'values');
    if (SCOPES[scope] === undefined) out.push(invalidValue(`${field}.scopeName`, scope, 'unsupported scope'));
    out.push(...unfitResources(scope, hard, field, shown));
    if (EXISTING.has(scope) && operator !== 'Exists')
      out.push(
        invalidValue(
          `${field}.operator`,
          operator,
          "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
        ),
      );
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        out.push(
          requiredValue(
            `${field}.values`,
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
          ),
        );
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        out.push(
          invalidValue(
            `${field}.values`,
            values,
            "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
          ),
        );
    } else out.push(invalidValue(`${field}.operator`, operator, 'not a valid selector operator'));
  }
  const named = requirements.map((requirement) => stringAt(requirement, 'scopeName'));
  return [...out, ...conflictingScopes(named, field, scopes.length === 0 ? NIL_COLLECTION : scopes)];
}

function quotaSpec(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const hard = Object.keys(recordAt(spec, 'hard') ?? {}).sort();
  const scopes = stringsAt(spec, 'scopes');
  const out = amounts(recordAt(spec, 'hard'), 'spec.hard');
  for (const scope of scopes) {
    if (SCOPES[scope] === undefined) out.push(invalidValue('spec.scopes', scopes, 'unsupported scope'));
    out.push(...unfitResources(scope, hard, 'spec.scopes', scopes));
  }
  out.push(...conflictingScopes(scopes, 'spec.scopes', scopes));
  const selector = recordAt(spec, 'scopeSelector');
  return selector === undefined ? out : [...out, ...scopeSelector(selector, hard, scopes)];
}

export function validateResourceQuota(object: JsonRecord): FieldError[] {
  return [...quotaSpec(object), ...validateResourceQuotaStatus(object)];
}

export function validateResourceQuotaStatus(object: JsonRecord): FieldError[] {
  const status = recordAt(object, 'status');
  return [...amounts(recordAt(status, 'hard'), 'status.hard'), ...amounts(recordAt(status, 'used'), 'status.used')];
}

export function validateResourceQuotaUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const scopesOf = (source: JsonRecord): string[] => stringsAt(recordAt(source, 'spec'), 'scopes');
  const scopes = scopesOf(object);
  return [
    ...quotaSpec(object),
    ...(semanticEquals([...new Set(scopes)].sort(), [...new Set(scopesOf(old))].sort())
      ? []
      : [invalidValue('spec.scopes', scopes.length === 0 ? NIL_COLLECTION : scopes, 'field is immutable')]),
  ];
}
