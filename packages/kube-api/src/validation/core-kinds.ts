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
import { invalidMessages } from './field-rules.ts';
import { cidrProblem } from './ip.ts';
import { isLabelValue, isQualifiedName } from './names.ts';

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
