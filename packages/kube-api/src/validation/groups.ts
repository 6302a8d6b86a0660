/** policy, coordination, storage, scheduling, node, apiregistration: a kind or two each. */
import {
  type FieldError,
  forbiddenValue,
  goQuote,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt, stringMapAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { validateConditions } from './conditions.ts';
import { immutableField, invalidMessages, notNegative } from './field-rules.ts';
import { goBudgetSpec } from './go-dump.ts';
import { validateLabelSelector } from './label-selector.ts';
import { isDns1035Label, isDns1123Label, isDns1123Subdomain, isQualifiedName } from './names.ts';
import { intOrPercent, notMoreThan100Percent } from './numbers.ts';
import { pathSegmentName, validateLabels } from './object-meta.ts';
import { validateResources } from './pod/resources.ts';
import { validateTolerations } from './pod/scheduling.ts';

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

const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};

/** `IsKnownSystemPriorityClass` */
function systemClassProblem(name: string, value: number, isDefault: unknown): string | undefined {
  const wanted = SYSTEM_CLASSES[name];
  if (wanted === undefined) return `${name} is not a known system priority class`;
  if (value !== wanted) return `value of ${name} PriorityClass must be ${wanted}`;
  return isDefault === true ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

export function validatePriorityClass(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const name = stringAt(recordAt(object, 'metadata'), 'name');
  const value = numberAt(object, 'value') ?? 0;
  const problem = name.startsWith('system-') ? systemClassProblem(name, value, object.globalDefault) : undefined;
  if (problem !== undefined)
    out.push(
      forbiddenValue(
        'metadata.name',
        `priority class names with 'system-' prefix are reserved for system use only. error: ${problem}`,
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
  return [...out, ...immutableField(object.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy')];
}

export function validateRuntimeClass(object: JsonRecord): FieldError[] {
  const handler = stringAt(object, 'handler');
  const out = invalidMessages('handler', handler, isDns1123Label(handler));
  const overhead = recordAt(object, 'overhead');
  if (overhead !== undefined)
    out.push(...validateResources({ limits: recordAt(overhead, 'podFixed') ?? {} }, 'overhead'));
  const scheduling = recordAt(object, 'scheduling');
  out.push(
    ...validateLabels(stringMapAt(scheduling, 'nodeSelector'), 'scheduling.nodeSelector'),
    ...validateTolerations(recordsAt(scheduling, 'tolerations'), 'scheduling.tolerations'),
  );
  return out;
}

export function validateRuntimeClassUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return immutableField(object.handler, old.handler, 'handler');
}

/** kube-aggregator `ValidateAPIService`: the name says version and group, `v1.` for the core group. */
export function validateApiService(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  const name = stringAt(recordAt(object, 'metadata'), 'name');
  const group = stringAt(spec, 'group');
  const version = stringAt(spec, 'version');
  const wanted = `${version}.${group}`;
  if (name !== '' && pathSegmentName(name, false).length === 0 && name !== wanted)
    out.push(invalidValue('metadata.name', name, `must be \`spec.version+"."+spec.group\`: ${goQuote(wanted)}`));
  if (group === '' && version !== 'v1')
    out.push(requiredValue('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  if (group !== '') out.push(...invalidMessages('spec.group', group, isDns1123Subdomain(group)));
  out.push(...invalidMessages('spec.version', version, isDns1035Label(version)));
  for (const [part, max] of [
    ['groupPriorityMinimum', 20_000],
    ['versionPriority', 1000],
  ] as const) {
    const value = numberAt(spec, part) ?? 0;
    if (value <= 0 || value > max)
      out.push(invalidValue(`spec.${part}`, value, `must be positive and less than ${max}`));
  }
  const bundle = decodedLength(stringAt(spec, 'caBundle'));
  const isInsecure = spec.insecureSkipTLSVerify === true;
  const field = 'spec.insecureSkipTLSVerify';
  const service = recordAt(spec, 'service');
  if (service === undefined) {
    if (bundle > 0)
      out.push(invalidValue('spec.caBundle', `${bundle} bytes`, 'local APIServices may not have a caBundle'));
    if (isInsecure) out.push(invalidValue(field, true, 'local APIServices may not have insecureSkipTLSVerify'));
    return out;
  }
  for (const part of ['namespace', 'name'])
    if (stringAt(service, part) === '') out.push(requiredValue(`spec.service.${part}`));
  if (isInsecure && bundle > 0) out.push(invalidValue(field, true, 'may not be true if caBundle is present'));
  return out;
}

/** The number of bytes that base64 stands for. */
function decodedLength(text: string): number {
  return Math.floor((text.replace(/=+$/, '').length * 3) / 4);
}

export function validateApiServiceStatus(object: JsonRecord): FieldError[] {
  return recordsAt(recordAt(object, 'status'), 'conditions').flatMap(({ status }, index) =>
    status === 'True' || status === 'False' || status === 'Unknown'
      ? []
      : [unsupportedValue(`status.conditions[${index}].status`, status ?? '', ['True', 'False', 'Unknown'])],
  );
}
