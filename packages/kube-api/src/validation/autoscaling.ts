/** Horizontal autoscalers (`pkg/apis/autoscaling/validation`). */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt } from '../values/access.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { invalidMessages, notNegative } from './field-rules.ts';
import { pathSegmentName } from './object-meta.ts';
import { quantityOf, quantityText } from './pod/resources.ts';

const specOf = (object: JsonRecord): JsonRecord => recordAt(object, 'spec') ?? {};

const METRIC_TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];

export function validateAutoscaler(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  const min = spec.minReplicas;
  const max = numberAt(spec, 'maxReplicas') ?? 0;
  if (typeof min === 'number' && min < 1)
    out.push(invalidValue('spec.minReplicas', min, 'must be greater than or equal to 1'));
  if (max < 1) out.push(invalidValue('spec.maxReplicas', max, 'must be greater than 0'));
  if (typeof min === 'number' && max < min)
    out.push(invalidValue('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`'));
  out.push(...crossVersionReference(recordAt(spec, 'scaleTargetRef') ?? {}, 'spec.scaleTargetRef'));
  for (const [index, metric] of recordsAt(spec, 'metrics').entries())
    out.push(...validateMetric(metric, `spec.metrics[${index}]`));
  // Of autoscaling/v1: inside it is the first metric.
  const utilization = spec.targetCPUUtilizationPercentage;
  if (typeof utilization === 'number' && utilization < 1)
    out.push(invalidValue('spec.metrics[0].resource.target.averageUtilization', utilization, 'must be greater than 0'));
  const behavior = recordAt(spec, 'behavior');
  for (const direction of ['scaleUp', 'scaleDown']) {
    const rules = recordAt(behavior, direction);
    if (rules !== undefined) out.push(...validateScalingRules(rules, `spec.behavior.${direction}`));
  }
  return out;
}

export function validateAutoscalerStatus(object: JsonRecord): FieldError[] {
  const status = recordAt(object, 'status');
  return ['currentReplicas', 'desiredReplicas'].flatMap((name) => notNegative(status?.[name], `status.${name}`));
}

function crossVersionReference(reference: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const name of ['kind', 'name']) {
    const value = stringAt(reference, name);
    if (value === '') out.push(requiredValue(`${field}.${name}`));
    else out.push(...invalidMessages(`${field}.${name}`, value, pathSegmentName(value, false)));
  }
  const apiVersion = stringAt(reference, 'apiVersion');
  const parts = apiVersion.split('/');
  if (parts.length > 2)
    out.push(invalidValue(`${field}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else if (parts.length < 2 && !(apiVersion === 'v1' && reference.kind === 'ReplicationController'))
    out.push(invalidValue(`${field}.apiVersion`, apiVersion, 'apiVersion must specify API group'));
  return out;
}

function validateScalingRules(rules: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const window = rules.stabilizationWindowSeconds;
  if (typeof window === 'number') {
    if (window < 0)
      out.push(invalidValue(`${field}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'));
    if (window > 3600)
      out.push(invalidValue(`${field}.stabilizationWindowSeconds`, window, 'must be less than or equal to 3600'));
  }
  const tolerance = quantityOf(rules.tolerance);
  if (tolerance !== undefined && tolerance.nano < 0n)
    out.push(invalidValue(`${field}.tolerance`, quantityText(rules.tolerance), 'must be greater or equal to zero'));
  const select = rules.selectPolicy;
  if (typeof select === 'string' && !['Max', 'Min', 'Disabled'].includes(select))
    out.push(unsupportedValue(`${field}.selectPolicy`, select, ['Disabled', 'Max', 'Min']));
  const policies = recordsAt(rules, 'policies');
  if (policies.length === 0) out.push(requiredValue(`${field}.policies`, 'must specify at least one Policy'));
  for (const [index, policy] of policies.entries()) {
    const path = `${field}.policies[${index}]`;
    const type = stringAt(policy, 'type');
    if (type !== 'Pods' && type !== 'Percent') out.push(unsupportedValue(`${path}.type`, type, ['Percent', 'Pods']));
    const value = numberAt(policy, 'value') ?? 0;
    if (value <= 0) out.push(invalidValue(`${path}.value`, value, 'must be greater than zero'));
    const period = numberAt(policy, 'periodSeconds') ?? 0;
    if (period <= 0) out.push(invalidValue(`${path}.periodSeconds`, period, 'must be greater than zero'));
    if (period > 1800) out.push(invalidValue(`${path}.periodSeconds`, period, 'must be less than or equal to 1800'));
  }
  return out;
}

/** Sources in the order in which the first of them is looked at. */
const METRIC_FIELDS: Readonly<Record<string, string>> = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
};

function validateMetric(metric: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const type = stringAt(metric, 'type');
  const expected = METRIC_FIELDS[type];
  if (type === '') out.push(requiredValue(`${field}.type`, 'must specify a metric source type'));
  if (expected === undefined) out.push(unsupportedValue(`${field}.type`, type, METRIC_TYPES));
  const present = Object.values(METRIC_FIELDS).filter((name) => isRecord(metric[name]));
  const [first] = present;
  if (first !== undefined) out.push(...validateMetricSource(first, recordAt(metric, first) ?? {}, `${field}.${first}`));
  if (expected === undefined) out.push(unsupportedValue(`${field}.type`, type, METRIC_TYPES));
  else if (!present.includes(expected))
    out.push(requiredValue(`${field}.${expected}`, 'must populate information for the given metric source'));
  if (present.length !== 1)
    for (const name of present)
      if (name !== expected) out.push(forbiddenValue(`${field}.${name}`, 'must populate the given metric source only'));
  return out;
}

function validateMetricSource(kind: string, source: JsonRecord, path: string): FieldError[] {
  const out: FieldError[] = [];
  const target = recordAt(source, 'target') ?? {};
  const isResource = kind === 'resource' || kind === 'containerResource';
  if (kind === 'object')
    out.push(...crossVersionReference(recordAt(source, 'describedObject') ?? {}, `${path}.describedObject`));
  if (isResource) {
    if (stringAt(source, 'name') === '') out.push(requiredValue(`${path}.name`, 'must specify a resource name'));
    if (kind === 'containerResource' && stringAt(source, 'container') === '')
      out.push(requiredValue(`${path}.container`, 'must specify a container'));
  } else {
    const name = stringAt(recordAt(source, 'metric'), 'name');
    if (name === '') out.push(requiredValue(`${path}.metric.name`, 'must specify a metric name'));
    else out.push(...invalidMessages(`${path}.metric.name`, name, pathSegmentName(name, false)));
  }
  out.push(...validateTarget(target, `${path}.target`));
  const has = (name: string): boolean => target[name] !== undefined;
  if (isResource) {
    if (!has('averageUtilization') && !has('averageValue'))
      out.push(
        requiredValue(
          `${path}.target.averageUtilization`,
          'must set either a target raw value or a target utilization',
        ),
      );
    if (has('averageUtilization') && has('averageValue'))
      out.push(
        forbiddenValue(`${path}.target.averageValue`, 'may not set both a target raw value and a target utilization'),
      );
  } else if (kind === 'pods') {
    if (!has('averageValue'))
      out.push(requiredValue(`${path}.target.averageValue`, 'must specify a positive target averageValue'));
  } else if (!has('value') && !has('averageValue'))
    out.push(
      requiredValue(
        `${path}.target.averageValue`,
        kind === 'object'
          ? 'must set either a target value or averageValue'
          : 'must set either a target value for metric or a per-pod target',
      ),
    );
  if (kind === 'external' && has('value') && has('averageValue'))
    out.push(forbiddenValue(`${path}.target.value`, 'may not set both a target value for metric and a per-pod target'));
  return out;
}

function validateTarget(target: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const type = stringAt(target, 'type');
  if (type === '') out.push(requiredValue(`${field}.type`, 'must specify a metric target type'));
  if (!['Utilization', 'Value', 'AverageValue'].includes(type))
    out.push(invalidValue(`${field}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  for (const name of ['value', 'averageValue']) {
    const quantity = quantityOf(target[name]);
    if (quantity !== undefined && quantity.nano <= 0n)
      out.push(invalidValue(`${field}.${name}`, quantityText(target[name]), 'must be positive'));
  }
  const utilization = target.averageUtilization;
  if (typeof utilization === 'number' && utilization < 1)
    out.push(invalidValue(`${field}.averageUtilization`, utilization, 'must be greater than 0'));
  return out;
}
