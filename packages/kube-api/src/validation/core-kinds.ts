/** Nodes, quotas, limits, events and bodies of subresources. */
import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt, stringsAt } from '../values/access.ts';
import { type JsonRecord, semanticEquals } from '../values/json.ts';
import { compareQuantities } from '../values/quantity.ts';
import { invalidMessages } from './field-rules.ts';
import { cidrProblem } from './ip.ts';
import { isLabelValue, isQualifiedName } from './names.ts';
import { quantityOf, quantityText, resourceQuantity } from './pod/resources.ts';

const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateNode(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const out: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, taint] of recordsAt(spec, 'taints').entries()) {
    const metadataPath = `metadata.taints[${index}]`;
    const key = stringAt(taint, 'key');
    const value = stringAt(taint, 'value');
    out.push(...invalidMessages(`${metadataPath}.key`, key, isQualifiedName(key)));
    const problems = isLabelValue(value);
    if (problems.length > 0) out.push(invalidValue(`${metadataPath}.value`, value, problems.join(';')));
    const effect = stringAt(taint, 'effect');
    if (effect === '') out.push(requiredValue(`${metadataPath}.effect`));
    else if (!TAINT_EFFECTS.includes(effect))
      out.push(unsupportedValue(`${metadataPath}.effect`, effect, TAINT_EFFECTS));
    const pair = `${key}:${effect}`;
    if (seen.has(pair))
      out.push({
        ...duplicateValue(`${metadataPath}`, { Key: key, Value: value, Effect: effect, TimeAdded: null }),
        detail: '',
      });
    seen.add(pair);
  }
  for (const [index, cidr] of stringsAt(spec, 'podCIDRs').entries())
    out.push(...cidrProblem(cidr, `spec.podCIDRs[${index}]`));
  return out;
}

export function validateNodeUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const out = validateNode(object);
  const before = stringsAt(recordAt(old, 'spec'), 'podCIDRs');
  const next = stringsAt(recordAt(object, 'spec'), 'podCIDRs');
  if (before.length > 0 && !semanticEquals(before, next))
    out.push(forbiddenValue('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  const provider = stringAt(recordAt(old, 'spec'), 'providerID');
  if (provider !== '' && provider !== stringAt(recordAt(object, 'spec'), 'providerID'))
    out.push(forbiddenValue('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  return out;
}

export function validateResourceQuota(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const out: FieldError[] = [];
  for (const [name, value] of Object.entries(recordAt(spec, 'hard') ?? {})) {
    const path = `spec.hard[${name}]`;
    const problems = isQualifiedName(name);
    out.push(...invalidMessages(path, name, problems));
    if (
      problems.length === 0 &&
      !name.includes('/') &&
      !QUOTA_RESOURCES.has(name) &&
      !name.startsWith('hugepages-') &&
      !name.startsWith('requests.') &&
      !name.startsWith('limits.')
    )
      out.push(
        invalidValue(path, name, 'must be a standard resource type or fully qualified'),
        invalidValue(path, name, 'must be a standard resource for quota'),
      );
    out.push(...resourceQuantity(name, value, path));
  }
  const scopes = stringsAt(spec, 'scopes');
  const known = [
    'BestEffort',
    'NotBestEffort',
    'NotTerminating',
    'PriorityClass',
    'Terminating',
    'CrossNamespacePodAffinity',
    'VolumeAttributesClass',
  ];
  for (const scope of scopes)
    if (!known.includes(scope)) out.push(invalidValue('spec.scopes', scopes, 'unsupported scope'));
  if (
    (scopes.includes('BestEffort') && scopes.includes('NotBestEffort')) ||
    (scopes.includes('Terminating') && scopes.includes('NotTerminating'))
  )
    out.push(invalidValue('spec.scopes', scopes, 'conflicting scopes'));
  for (const requirement of recordsAt(recordAt(spec, 'scopeSelector'), 'matchExpressions'))
    out.push(...scopeRequirement(requirement, known));
  return out;
}

const QUOTA_RESOURCES = new Set(
  (
    'cpu memory ephemeral-storage requests.cpu requests.memory requests.storage requests.ephemeral-storage limits.cpu ' +
    'limits.memory limits.ephemeral-storage pods resourcequotas services replicationcontrollers secrets ' +
    'persistentvolumeclaims configmaps services.nodeports services.loadbalancers'
  ).split(' '),
);

/** One requirement of a quota's scope selector (`validateScopedResourceSelectorRequirement`). */
function scopeRequirement(requirement: JsonRecord, known: readonly string[]): FieldError[] {
  const field = 'spec.scopeSelector.matchExpressions';
  const scope = stringAt(requirement, 'scopeName');
  const operator = stringAt(requirement, 'operator');
  const values = stringsAt(requirement, 'values');
  const out: FieldError[] = [];
  if (!known.includes(scope)) out.push(invalidValue(`${field}.scopeName`, scope, 'unsupported scope'));
  if (scope !== 'PriorityClass' && known.includes(scope) && operator !== 'Exists')
    out.push(
      invalidValue(
        `${field}.operator`,
        operator,
        "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
      ),
    );
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0)
        out.push(
          requiredValue(
            `${field}.values`,
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
          ),
        );
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0)
        out.push(
          invalidValue(
            `${field}.values`,
            values,
            "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector",
          ),
        );
      break;
    default:
      out.push(invalidValue(`${field}.operator`, operator, 'not a valid selector operator'));
  }
  return out;
}

export function validateResourceQuotaUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const out = validateResourceQuota(object);
  const scopes = (source: JsonRecord): string[] => stringsAt(recordAt(source, 'spec'), 'scopes').sort();
  if (!semanticEquals(scopes(object), scopes(old)))
    out.push(invalidValue('spec.scopes', recordAt(object, 'spec')?.scopes ?? null, 'field is immutable'));
  return out;
}

export function validateLimitRange(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, item] of recordsAt(recordAt(object, 'spec'), 'limits').entries()) {
    const path = `spec.limits[${index}]`;
    const type = stringAt(item, 'type');
    if (type === '') out.push(requiredValue(`${path}.type`));
    if (seen.has(type)) out.push(duplicateValue(`${path}.type`, type));
    seen.add(type);
    const names = new Set<string>();
    for (const part of ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'])
      for (const name of Object.keys(recordAt(item, part) ?? {})) names.add(name);
    if (type === 'Pod')
      for (const part of ['default', 'defaultRequest'])
        if (Object.keys(recordAt(item, part) ?? {}).length > 0)
          out.push(forbiddenValue(`${path}.${part}`, "may not be specified when `type` is 'Pod'"));
    if (type === 'PersistentVolumeClaim') {
      const has = (part: string): boolean => recordAt(item, part)?.storage !== undefined;
      if (!has('min') && !has('max'))
        out.push(
          requiredValue(
            `${path}.limits`,
            'either minimum or maximum storage value is required, but neither was provided',
          ),
        );
    }
    for (const name of names) {
      const value = (part: string): ReturnType<typeof quantityOf> => quantityOf(recordAt(item, part)?.[name]);
      const text = (part: string): string => quantityText(recordAt(item, part)?.[name]);
      const [max, min, limit, request, ratio] = [
        value('max'),
        value('min'),
        value('default'),
        value('defaultRequest'),
        value('maxLimitRequestRatio'),
      ];
      const more = (left: typeof max, right: typeof max): boolean =>
        left !== undefined && right !== undefined && compareQuantities(left, right) > 0;
      if (more(min, max))
        out.push(
          invalidValue(
            `${path}.min[${name}]`,
            text('min'),
            `min value ${text('min')} is greater than max value ${text('max')}`,
          ),
        );
      const requestPath = `${path}.defaultRequest[${name}]`;
      if (more(min, request))
        out.push(
          invalidValue(
            requestPath,
            text('defaultRequest'),
            `min value ${text('min')} is greater than default request value ${text('defaultRequest')}`,
          ),
        );
      if (more(request, max))
        out.push(
          invalidValue(
            requestPath,
            text('defaultRequest'),
            `default request value ${text('defaultRequest')} is greater than max value ${text('max')}`,
          ),
        );
      if (more(request, limit))
        out.push(
          invalidValue(
            requestPath,
            text('defaultRequest'),
            `default request value ${text('defaultRequest')} is greater than default limit value ${text('default')}`,
          ),
        );
      if (more(min, limit))
        out.push(
          invalidValue(
            `${path}.default[${name}]`,
            text('min'),
            `min value ${text('min')} is greater than default value ${text('default')}`,
          ),
        );
      if (more(limit, max))
        out.push(
          invalidValue(
            `${path}.default[${name}]`,
            text('max'),
            `default value ${text('default')} is greater than max value ${text('max')}`,
          ),
        );
      if (ratio !== undefined && ratio.nano < 1_000_000_000n)
        out.push(
          invalidValue(
            `${path}.maxLimitRequestRatio[${name}]`,
            text('maxLimitRequestRatio'),
            `ratio ${text('maxLimitRequestRatio')} is less than 1`,
          ),
        );
    }
  }
  return out;
}

/** Finalizers of a namespace's spec (`ValidateNamespace`). */
export function validateNamespace(object: JsonRecord): FieldError[] {
  return stringsAt(recordAt(object, 'spec'), 'finalizers').flatMap((name) => {
    const problems = isQualifiedName(name);
    if (problems.length > 0) return invalidMessages('spec.finalizers', name, problems);
    return name.includes('/') || name === 'kubernetes' || name === 'foregroundDeletion' || name === 'orphan'
      ? []
      : [invalidValue('spec.finalizers', name, 'name is neither a standard finalizer name nor is it fully qualified')];
  });
}

export function validateScale(object: JsonRecord): FieldError[] {
  const replicas = numberAt(recordAt(object, 'spec'), 'replicas') ?? 0;
  return replicas < 0 ? [invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0')] : [];
}

export function validateTokenRequest(object: JsonRecord): FieldError[] {
  const seconds = numberAt(recordAt(object, 'spec'), 'expirationSeconds') ?? 3600;
  if (seconds < 600)
    return [invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes')];
  if (seconds > 2 ** 32)
    return [invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds')];
  return [];
}
