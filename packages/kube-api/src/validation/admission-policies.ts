/** Validating admission policies and their bindings (`pkg/apis/admissionregistration/validation`). */
import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { recordAt, recordsAt, stringAt, stringsAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import {
  expressionProblems,
  FAILURE_POLICIES,
  matchConditionProblems,
  matchResourceProblems,
  oneOfGiven,
} from './admission-rules.ts';
import { invalidMessages } from './field-rules.ts';
import { validateLabelSelector } from './label-selector.ts';
import { isCIdentifier, isDns1035Label, isDns1123Subdomain, isQualifiedName } from './names.ts';
import { pathSegmentName } from './object-meta.ts';

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const ACTIONS = ['Audit', 'Deny', 'Warn'];
const NOT_FOUND_ACTIONS = ['Deny', 'Allow'];
const MAX_AUDIT_ANNOTATIONS = 20;
const MAX_VALUE_EXPRESSION_BYTES = 5 * 1024;

/** What match conditions of webhooks may read; `authorizer` is not among them: nobody would answer it here. */
export const CONDITION_VARIABLES: readonly string[] = ['object', 'oldObject', 'request', 'namespaceObject'];
/** What expressions of a policy may read. */
export const POLICY_VARIABLES: readonly string[] = [...CONDITION_VARIABLES, 'params', 'variables'];

function variablesOf(spec: JsonRecord): string[] {
  return [
    ...CONDITION_VARIABLES,
    ...(spec.paramKind === undefined ? [] : ['params']),
    ...(recordsAt(spec, 'variables').length > 0 ? ['variables'] : []),
  ];
}

export function validateAdmissionPolicy(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const variables = variablesOf(spec);
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
    ...matchConditionProblems(
      recordsAt(spec, 'matchConditions'),
      'spec.matchConditions',
      variables.filter((name) => name !== 'variables'),
    ),
  );
  for (const [index, variable] of recordsAt(spec, 'variables').entries())
    out.push(...variableProblems(variable, `spec.variables[${index}]`, variables));
  const validations = recordsAt(spec, 'validations');
  const annotations = recordsAt(spec, 'auditAnnotations');
  if (validations.length === 0 && annotations.length === 0) {
    const detail = 'validations or auditAnnotations must contain at least one item';
    out.push(requiredValue('spec.validations', detail), requiredValue('spec.auditAnnotations', detail));
  }
  for (const [index, validation] of validations.entries())
    out.push(...validationProblems(validation, `spec.validations[${index}]`, variables));
  out.push(...auditProblems(stringAt(recordAt(object, 'metadata') ?? {}, 'name'), annotations, variables));
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

function variableProblems(variable: JsonRecord, field: string, variables: readonly string[]): FieldError[] {
  const out: FieldError[] = [];
  const name = stringAt(variable, 'name');
  if (name.trim() === '') out.push(requiredValue(`${field}.name`, 'name is not specified'));
  else if (isCIdentifier(name).length > 0)
    out.push(invalidValue(`${field}.name`, name, 'name is not a valid CEL identifier'));
  const source = stringAt(variable, 'expression');
  if (source.trim() === '') out.push(requiredValue(`${field}.expression`, 'expression is not specified'));
  else out.push(...expressionProblems(source, `${field}.expression`, variables));
  return out;
}

function validationProblems(validation: JsonRecord, field: string, variables: readonly string[]): FieldError[] {
  const source = stringAt(validation, 'expression');
  const out: FieldError[] =
    source.trim() === ''
      ? [requiredValue(`${field}.expression`, 'expression is not specified')]
      : expressionProblems(source, `${field}.expression`, variables, ['bool']);
  const words = stringAt(validation, 'messageExpression');
  if (words !== '' && words.trim() === '')
    out.push(invalidValue(`${field}.messageExpression`, words, 'must be non-empty if specified'));
  else if (words !== '') out.push(...expressionProblems(words, `${field}.messageExpression`, variables, ['string']));
  const message = stringAt(validation, 'message');
  if (message !== '' && message.trim() === '')
    out.push(invalidValue(`${field}.message`, message, 'message must be non-empty if specified'));
  else if (/[\n\r]/.test(message.trim()))
    out.push(invalidValue(`${field}.message`, message, 'message must not contain line breaks'));
  out.push(...oneOfGiven(validation.reason, `${field}.reason`, REASONS));
  return out;
}

/** `validateAuditAnnotation` */
function auditProblems(policy: string, annotations: readonly JsonRecord[], variables: readonly string[]): FieldError[] {
  const out: FieldError[] = [];
  if (annotations.length > MAX_AUDIT_ANNOTATIONS)
    out.push(
      invalidValue(
        'spec.auditAnnotations',
        annotations,
        `must not have more than ${MAX_AUDIT_ANNOTATIONS} auditAnnotations`,
      ),
    );
  const seen = new Set<string>();
  for (const [index, annotation] of annotations.entries()) {
    const field = `spec.auditAnnotations[${index}]`;
    const key = stringAt(annotation, 'key');
    if (policy === '') out.push(invalidValue(`${field}.key`, key, 'requires metadata.name be non-empty'));
    else out.push(...invalidMessages(`${field}.key`, `${policy}/${key}`, isQualifiedName(`${policy}/${key}`)));
    const given = stringAt(annotation, 'valueExpression');
    const source = given.trim();
    if (source === '') out.push(requiredValue(`${field}.valueExpression`, 'valueExpression is not specified'));
    else if (Buffer.byteLength(source) > MAX_VALUE_EXPRESSION_BYTES)
      out.push(
        requiredValue(`${field}.valueExpression`, `must not exceed ${MAX_VALUE_EXPRESSION_BYTES} bytes in length`),
      );
    else out.push(...expressionProblems(source, `${field}.valueExpression`, variables, ['string', 'null_type']));
    if (seen.has(key)) out.push(duplicateValue(`${field}.key`, key));
    seen.add(key);
  }
  return out;
}

export function validateAdmissionPolicyBinding(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const policy = stringAt(spec, 'policyName');
  const out: FieldError[] =
    policy === ''
      ? [requiredValue('spec.policyName')]
      : invalidMessages('spec.policyName', policy, isDns1123Subdomain(policy));
  const paramRef = recordAt(spec, 'paramRef');
  if (paramRef) out.push(...paramRefProblems(paramRef, 'spec.paramRef'));
  const match = recordAt(spec, 'matchResources');
  if (match !== undefined) out.push(...matchResourceProblems(match, 'spec.matchResources'));
  const actions = stringsAt(spec, 'validationActions');
  const seen = new Set<string>();
  for (const [index, action] of actions.entries()) {
    const path = `spec.validationActions[${index}]`;
    if (!ACTIONS.includes(action)) out.push(unsupportedValue(path, action, ACTIONS));
    if (seen.has(action)) out.push(duplicateValue(path, action));
    seen.add(action);
  }
  if (seen.has('Deny') && seen.has('Warn'))
    out.push(
      invalidValue(
        'spec.validationActions',
        actions,
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ),
    );
  if (seen.size === 0) out.push(requiredValue('spec.validationActions', 'at least one validation action is required'));
  return out;
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
