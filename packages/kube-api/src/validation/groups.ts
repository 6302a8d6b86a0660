/** policy, coordination, storage, scheduling, node, apiregistration: a kind or two each. */
import {
  type FieldError,
  forbiddenValue,
  goQuote,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { validateConditions } from './conditions.ts';
import { invalidMessages, notNegative } from './field-rules.ts';
import { goBudgetSpec } from './go-dump.ts';
import { validateLabelSelector } from './label-selector.ts';
import { isDns1123Label, isQualifiedName } from './names.ts';
import { intOrPercent, notMoreThan100Percent } from './numbers.ts';

const specOf = (object: JsonRecord): JsonRecord => recordAt(object, 'spec') ?? {};

export function validateDisruptionBudget(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined)
    out.push(invalidValue('spec', goBudgetSpec(spec), 'minAvailable and maxUnavailable cannot be both set'));
  for (const name of ['minAvailable', 'maxUnavailable'])
    if (spec[name] !== undefined)
      out.push(...intOrPercent(spec[name], `spec.${name}`), ...notMoreThan100Percent(spec[name], `spec.${name}`));
  out.push(...validateLabelSelector(recordAt(spec, 'selector'), 'spec.selector'));
  const policy = spec.unhealthyPodEvictionPolicy;
  if (typeof policy === 'string' && policy !== 'AlwaysAllow' && policy !== 'IfHealthyBudget')
    out.push(unsupportedValue('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget']));
  return out;
}

export function validateDisruptionBudgetStatus(object: JsonRecord): FieldError[] {
  const status = recordAt(object, 'status') ?? {};
  return [
    ...validateConditions(recordsAt(status, 'conditions'), 'status.conditions'),
    ...['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'].flatMap((name) =>
      notNegative(status[name], `status.${name}`),
    ),
  ];
}

/** The state of what a claim of leadership follows; only one is Kubernetes' own. */
function leaseStrategy(strategy: string, field: string): FieldError[] {
  if (strategy.includes('/')) return invalidMessages(field, strategy, isQualifiedName(strategy));
  return strategy === 'OldestEmulationVersion' ? [] : [unsupportedValue(field, strategy, ['OldestEmulationVersion'])];
}

export function validateLease(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  const seconds = spec.leaseDurationSeconds;
  if (typeof seconds === 'number' && seconds <= 0)
    out.push(invalidValue('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
  const transitions = spec.leaseTransitions;
  if (typeof transitions === 'number' && transitions < 0)
    out.push(invalidValue('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'));
  if (typeof spec.strategy === 'string') out.push(...leaseStrategy(spec.strategy, 'spec.strategy.strategy'));
  if (stringAt(spec, 'preferredHolder') !== '' && stringAt(spec, 'strategy') === '')
    out.push(forbiddenValue('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
  return out;
}

const MAX_USER_PRIORITY = 1_000_000_000;

export function validatePriorityClass(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const name = stringAt(recordAt(object, 'metadata'), 'name');
  const value = numberAt(object, 'value') ?? 0;
  const isSystem = name === 'system-cluster-critical' || name === 'system-node-critical';
  if (name.startsWith('system-') && !isSystem)
    out.push(
      forbiddenValue(
        'metadata.name',
        "priority class names with 'system-' prefix are reserved for system use only. error: unknown system priority class",
      ),
    );
  if (!name.startsWith('system-') && value > MAX_USER_PRIORITY)
    out.push(forbiddenValue('value', `maximum allowed value of a user defined priority is ${MAX_USER_PRIORITY}`));
  const policy = object.preemptionPolicy;
  if (typeof policy === 'string' && policy !== 'Never' && policy !== 'PreemptLowerPriority')
    out.push(unsupportedValue('preemptionPolicy', policy, ['Never', 'PreemptLowerPriority']));
  return out;
}

export function validatePriorityClassUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  if ((object.value ?? 0) !== (old.value ?? 0)) out.push(forbiddenValue('value', 'may not be changed in an update.'));
  if (object.preemptionPolicy !== old.preemptionPolicy)
    out.push(forbiddenValue('preemptionPolicy', 'may not be changed in an update.'));
  return out;
}

export function validateRuntimeClass(object: JsonRecord): FieldError[] {
  const handler = stringAt(object, 'handler');
  return invalidMessages('handler', handler, isDns1123Label(handler));
}

/** kube-aggregator `ValidateAPIService`: the name says version and group, `v1.` for the core group. */
export function validateApiService(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  const name = stringAt(recordAt(object, 'metadata'), 'name');
  const wanted = `${stringAt(spec, 'version')}.${stringAt(spec, 'group')}`;
  if (name !== wanted)
    out.push(invalidValue('metadata.name', name, `must be \`spec.version+"."+spec.group\`: ${goQuote(wanted)}`));
  if (stringAt(spec, 'version') === '') out.push(requiredValue('spec.version'));
  const service = recordAt(spec, 'service');
  for (const part of ['namespace', 'name'])
    if (service !== undefined && stringAt(service, part) === '') out.push(requiredValue(`spec.service.${part}`));
  return out;
}
