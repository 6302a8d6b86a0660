/** Affinity, tolerations, topology spread: what places a pod. */

import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../../errors/field-error.ts';
import { listAt, numberAt, recordAt, recordsAt, stringAt, stringsAt } from '../../values/access.ts';
import { isRecord, type JsonRecord } from '../../values/json.ts';
import { invalidMessages } from '../field-rules.ts';
import { goToleration } from '../go-dump.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { isDns1123Label, isLabelValue, isQualifiedName } from '../names.ts';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateTolerations(tolerations: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const [index, toleration] of tolerations.entries()) {
    const path = `${field}[${index}]`;
    const key = stringAt(toleration, 'key');
    const operator = stringAt(toleration, 'operator');
    const effect = stringAt(toleration, 'effect');
    const value = stringAt(toleration, 'value');
    if (key !== '') out.push(...invalidMessages(`${path}.key`, key, isQualifiedName(key)));
    if (key === '' && operator !== 'Exists')
      out.push(
        invalidValue(
          `${path}.operator`,
          operator,
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute')
      out.push(invalidValue(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    if (operator === 'Equal' || operator === '') {
      const problems = isLabelValue(value);
      if (problems.length > 0) out.push(invalidValue(`${path}.operator`, value, problems.join(';')));
    } else if (operator === 'Exists') {
      if (value !== '')
        out.push(
          invalidValue(`${path}.operator`, goToleration(toleration), "value must be empty when `operator` is 'Exists'"),
        );
    } else out.push(unsupportedValue(`${path}.operator`, operator, ['Equal', 'Exists']));
    if (effect !== '' && !EFFECTS.includes(effect)) out.push(unsupportedValue(`${path}.effect`, effect, EFFECTS));
  }
  return out;
}

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'];

function requirement(entry: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const operator = stringAt(entry, 'operator');
  const values = stringsAt(entry, 'values');
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0)
        out.push(requiredValue(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0)
        out.push(
          forbiddenValue(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1)
        out.push(requiredValue(`${field}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
      break;
    default:
      if (!OPERATORS.includes(operator))
        out.push(invalidValue(`${field}.operator`, operator, 'not a valid selector operator'));
  }
  const key = stringAt(entry, 'key');
  return [...out, ...invalidMessages(`${field}.key`, key, isQualifiedName(key))];
}

function fieldRequirement(entry: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const operator = stringAt(entry, 'operator');
  const values = stringsAt(entry, 'values');
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length !== 1)
      out.push(
        requiredValue(
          `${field}.values`,
          "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
        ),
      );
  } else out.push(invalidValue(`${field}.operator`, operator, 'not a valid selector operator'));
  const key = stringAt(entry, 'key');
  if (key !== 'metadata.name') out.push(invalidValue(`${field}.key`, key, 'not a valid field selector key'));
  return out;
}

function nodeSelectorTerm(term: JsonRecord, field: string): FieldError[] {
  return [
    ...recordsAt(term, 'matchExpressions').flatMap((entry, at) =>
      requirement(entry, `${field}.matchExpressions[${at}]`),
    ),
    ...recordsAt(term, 'matchFields').flatMap((entry, at) => fieldRequirement(entry, `${field}.matchFields[${at}]`)),
  ];
}

export function validateNodeSelector(selector: JsonRecord, field: string): FieldError[] {
  const terms = recordsAt(selector, 'nodeSelectorTerms');
  if (terms.length === 0)
    return [requiredValue(`${field}.nodeSelectorTerms`, 'must have at least one node selector term')];
  return terms.flatMap((term, at) => nodeSelectorTerm(term, `${field}.nodeSelectorTerms[${at}]`));
}

function podAffinityTerm(term: JsonRecord, field: string): FieldError[] {
  const out = validateLabelSelector(recordAt(term, 'labelSelector'), `${field}.labelSelector`);
  out.push(...validateLabelSelector(recordAt(term, 'namespaceSelector'), `${field}.namespaceSelector`));
  for (const name of stringsAt(term, 'namespaces'))
    out.push(...invalidMessages(`${field}.namespace`, name, isDns1123Label(name)));
  const key = stringAt(term, 'topologyKey');
  if (key === '') out.push(requiredValue(`${field}.topologyKey`, 'can not be empty'));
  return [...out, ...invalidMessages(`${field}.topologyKey`, key, isQualifiedName(key))];
}

function weight(entry: JsonRecord, field: string): FieldError[] {
  const value = numberAt(entry, 'weight') ?? 0;
  return value <= 0 || value > 100 ? [invalidValue(`${field}.weight`, value, 'must be in the range 1-100')] : [];
}

export function validateAffinity(affinity: JsonRecord | undefined, field: string): FieldError[] {
  if (affinity === undefined) return [];
  const out: FieldError[] = [];
  const node = recordAt(affinity, 'nodeAffinity');
  const needed = recordAt(node, 'requiredDuringSchedulingIgnoredDuringExecution');
  if (needed !== undefined)
    out.push(...validateNodeSelector(needed, `${field}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution`));
  for (const [at, entry] of recordsAt(node, 'preferredDuringSchedulingIgnoredDuringExecution').entries()) {
    const path = `${field}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${at}]`;
    out.push(...weight(entry, path));
    out.push(...nodeSelectorTerm(recordAt(entry, 'preference') ?? {}, `${path}.preference`));
  }
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const part = recordAt(affinity, kind);
    for (const [at, term] of recordsAt(part, 'requiredDuringSchedulingIgnoredDuringExecution').entries())
      out.push(...podAffinityTerm(term, `${field}.${kind}.requiredDuringSchedulingIgnoredDuringExecution[${at}]`));
    for (const [at, entry] of recordsAt(part, 'preferredDuringSchedulingIgnoredDuringExecution').entries()) {
      const path = `${field}.${kind}.preferredDuringSchedulingIgnoredDuringExecution[${at}]`;
      out.push(...weight(entry, path));
      out.push(...podAffinityTerm(recordAt(entry, 'podAffinityTerm') ?? {}, `${path}.podAffinityTerm`));
    }
  }
  return out;
}

export function validateTopologySpread(constraints: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, constraint] of constraints.entries()) {
    const path = `${field}[${index}]`;
    const skew = numberAt(constraint, 'maxSkew') ?? 0;
    if (skew <= 0) out.push(invalidValue(`${path}.maxSkew`, skew, 'must be greater than zero'));
    const key = stringAt(constraint, 'topologyKey');
    if (key === '') out.push(requiredValue(`${path}.topologyKey`, 'can not be empty'));
    else out.push(...invalidMessages(`${path}.topologyKey`, key, isQualifiedName(key)));
    const when = stringAt(constraint, 'whenUnsatisfiable');
    if (when !== 'DoNotSchedule' && when !== 'ScheduleAnyway')
      out.push(unsupportedValue(`${path}.whenUnsatisfiable`, when, ['DoNotSchedule', 'ScheduleAnyway']));
    const pair = `{${key}, ${when}}`;
    if (seen.has(pair)) out.push(duplicateValue(`${path}.{topologyKey, whenUnsatisfiable}`, pair));
    seen.add(pair);
    const domains = constraint.minDomains;
    if (typeof domains === 'number') {
      if (domains <= 0) out.push(invalidValue(`${path}.minDomains`, domains, 'must be greater than zero'));
      if (when !== 'DoNotSchedule')
        out.push(
          invalidValue(
            `${path}.minDomains`,
            domains,
            `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${when}`,
          ),
        );
    }
    for (const name of ['nodeAffinityPolicy', 'nodeTaintsPolicy']) {
      const policy = constraint[name];
      if (typeof policy === 'string' && policy !== 'Honor' && policy !== 'Ignore')
        out.push(unsupportedValue(`${path}.${name}`, policy, ['Honor', 'Ignore']));
    }
    const selector = recordAt(constraint, 'labelSelector');
    out.push(...validateLabelSelector(selector, `${path}.labelSelector`));
    if (listAt(constraint, 'matchLabelKeys').length > 0 && !isRecord(selector))
      out.push(forbiddenValue(`${path}.matchLabelKeys`, 'must not be specified when labelSelector is not set'));
  }
  return out;
}
