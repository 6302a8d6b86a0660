/** What policies that validate and policies that mutate have in common (`pkg/apis/admissionregistration/validation`). */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { recordAt, recordsAt, stringAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import type { PolicyTypes } from './admission-expressions.ts';
import { FAILURE_POLICIES, matchConditionProblems, matchResourceProblems, oneOfGiven } from './admission-rules.ts';
import { invalidMessages } from './field-rules.ts';
import { validateLabelSelector } from './label-selector.ts';
import { isDns1035Label, isDns1123Subdomain } from './names.ts';
import { pathSegmentName } from './object-meta.ts';

const NOT_FOUND_ACTIONS = ['Deny', 'Allow'];

/** Of a policy, up to what it does. */
export function policyProblems(spec: JsonRecord, types: PolicyTypes): FieldError[] {
  const out = oneOfGiven(spec.failurePolicy, 'spec.failurePolicy', FAILURE_POLICIES);
  const paramKind = recordAt(spec, 'paramKind');
  if (paramKind) out.push(...paramKindProblems(paramKind, 'spec.paramKind'));
  const constraints = recordAt(spec, 'matchConstraints');
  if (constraints === undefined) out.push(requiredValue('spec.matchConstraints'));
  else {
    out.push(...matchResourceProblems(constraints, 'spec.matchConstraints'));
    if (recordsAt(constraints, 'resourceRules').length === 0)
      out.push(requiredValue('spec.matchConstraints.resourceRules'));
  }
  out.push(
    ...matchConditionProblems(recordsAt(spec, 'matchConditions'), 'spec.matchConditions', types.conditions),
    ...types.problems,
  );
  return out;
}

/** Of a binding, up to what it does with what a policy says. */
export function bindingProblems(spec: JsonRecord, matchField: string): FieldError[] {
  const policy = stringAt(spec, 'policyName');
  const out: FieldError[] =
    policy === ''
      ? [requiredValue('spec.policyName')]
      : invalidMessages('spec.policyName', policy, isDns1123Subdomain(policy));
  const paramRef = recordAt(spec, 'paramRef');
  if (paramRef) out.push(...paramRefProblems(paramRef, 'spec.paramRef'));
  const match = recordAt(spec, 'matchResources');
  if (match !== undefined) out.push(...matchResourceProblems(match, matchField));
  return out;
}

/** `validateParamKind` */
function paramKindProblems(paramKind: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const apiVersion = stringAt(paramKind, 'apiVersion');
  const parts = apiVersion.split('/');
  const [group, version] = parts.length === 1 ? ['', apiVersion] : parts;
  if (apiVersion === '') out.push(requiredValue(`${field}.apiVersion`));
  else if (parts.length > 2)
    out.push(invalidValue(`${field}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else {
    if (group) out.push(...joined(`${field}.apiVersion`, group, isDns1123Subdomain(group)));
    if (!version) out.push(invalidValue(`${field}.apiVersion`, apiVersion, 'version must be specified'));
    else out.push(...joined(`${field}.apiVersion`, version, isDns1035Label(version)));
  }
  const kind = stringAt(paramKind, 'kind');
  if (kind === '') out.push(requiredValue(`${field}.kind`));
  else
    out.push(
      ...joined(
        `${field}.kind`,
        kind,
        isDns1035Label(kind.toLowerCase()),
        'may have mixed case, but should otherwise match: ',
      ),
    );
  return out;
}

function joined(field: string, value: string, problems: readonly string[], before = ''): FieldError[] {
  return problems.length === 0 ? [] : [invalidValue(field, value, `${before}${problems.join(',')}`)];
}

/** `validateParamRef` */
function paramRefProblems(paramRef: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const name = stringAt(paramRef, 'name');
  const selector = recordAt(paramRef, 'selector');
  const exclusive = 'name and selector are mutually exclusive';
  if (name !== '') {
    out.push(...invalidMessages(`${field}.name`, name, pathSegmentName(name, false)));
    if (selector) out.push(forbiddenValue(`${field}.name`, exclusive));
  }
  if (selector) {
    out.push(...validateLabelSelector(selector, `${field}.selector`));
    if (name !== '') out.push(forbiddenValue(`${field}.selector`, exclusive));
  }
  if (name === '' && !selector) out.push(requiredValue(field, 'one of name or selector must be specified'));
  const action = stringAt(paramRef, 'parameterNotFoundAction');
  if (action === '') out.push(requiredValue(`${field}.parameterNotFoundAction`));
  else if (!NOT_FOUND_ACTIONS.includes(action))
    out.push(unsupportedValue(`${field}.parameterNotFoundAction`, action, NOT_FOUND_ACTIONS));
  return out;
}
