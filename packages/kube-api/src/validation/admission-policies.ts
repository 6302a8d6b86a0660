/** Validating admission policies and their bindings, webhook configurations (`pkg/apis/admissionregistration/validation`). */
import { compileExpression } from '../cel/expressions.ts';
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { recordAt, recordsAt, stringAt, stringsAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { invalidMessages } from './field-rules.ts';
import { validateLabelSelector } from './label-selector.ts';
import { isCIdentifier, isDns1123Subdomain, isQualifiedName } from './names.ts';

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized'];
const ACTIONS = ['Audit', 'Deny', 'Warn'];

/** What expressions of a policy may read; `authorizer` is not among them: nobody would answer it here. */
export const POLICY_VARIABLES: readonly string[] = [
  'object',
  'oldObject',
  'request',
  'namespaceObject',
  'params',
  'variables',
];
const CONDITION_VARIABLES = POLICY_VARIABLES.filter((name) => name !== 'variables' && name !== 'namespaceObject');

function expression(source: string, field: string, variables: readonly string[], wanted?: string): FieldError[] {
  if (source.trim() === '') return [requiredValue(field, 'expression is not specified')];
  const { problem } = compileExpression(source, variables, wanted);
  return problem === undefined ? [] : [invalidValue(field, source, problem)];
}

export function validateAdmissionPolicy(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const out: FieldError[] = [];
  if (spec.paramKind !== undefined)
    out.push(forbiddenValue('spec.paramKind', 'policies with parameters are not supported by kind-e2e'));
  if (recordAt(spec, 'matchConstraints') === undefined) out.push(requiredValue('spec.matchConstraints'));
  else {
    const constraints = recordAt(spec, 'matchConstraints') ?? {};
    if (recordsAt(constraints, 'resourceRules').length === 0)
      out.push(requiredValue('spec.matchConstraints.resourceRules'));
    out.push(...matchResources(constraints, 'spec.matchConstraints'));
  }
  const policy = spec.failurePolicy;
  if (typeof policy === 'string' && policy !== 'Fail' && policy !== 'Ignore')
    out.push(unsupportedValue('spec.failurePolicy', policy, ['Fail', 'Ignore']));
  out.push(...matchConditions(recordsAt(spec, 'matchConditions'), 'spec.matchConditions'));
  for (const [index, variable] of recordsAt(spec, 'variables').entries()) {
    const path = `spec.variables[${index}]`;
    const name = stringAt(variable, 'name');
    if (name.trim() === '') out.push(requiredValue(`${path}.name`, 'name is not specified'));
    else if (isCIdentifier(name).length > 0)
      out.push(invalidValue(`${path}.name`, name, 'name is not a valid CEL identifier'));
    out.push(...expression(stringAt(variable, 'expression'), `${path}.expression`, POLICY_VARIABLES));
  }
  const validations = recordsAt(spec, 'validations');
  const annotations = recordsAt(spec, 'auditAnnotations');
  if (validations.length === 0 && annotations.length === 0)
    out.push(
      requiredValue('spec.validations', 'validations or auditAnnotations must be non-empty'),
      requiredValue('spec.auditAnnotations', 'validations or auditAnnotations must be non-empty'),
    );
  for (const [index, validation] of validations.entries())
    out.push(...validationRule(validation, `spec.validations[${index}]`));
  return out;
}

function validationRule(validation: JsonRecord, field: string): FieldError[] {
  const out = expression(stringAt(validation, 'expression'), `${field}.expression`, POLICY_VARIABLES, 'bool');
  const message = stringAt(validation, 'message');
  if (message !== '' && message.trim() === '')
    out.push(invalidValue(`${field}.message`, message, 'message must be non-empty if specified'));
  else if (/[\n\r]/.test(message.trim()))
    out.push(invalidValue(`${field}.message`, message, 'message must not contain line breaks'));
  const words = stringAt(validation, 'messageExpression');
  if (words !== '') out.push(...expression(words, `${field}.messageExpression`, POLICY_VARIABLES, 'string'));
  const reason = validation.reason;
  if (typeof reason === 'string' && !REASONS.includes(reason))
    out.push(unsupportedValue(`${field}.reason`, reason, REASONS));
  return out;
}

function matchConditions(conditions: readonly JsonRecord[], field: string): FieldError[] {
  const seen = new Set<string>();
  return conditions.flatMap((condition, index) => {
    const path = `${field}[${index}]`;
    const name = stringAt(condition, 'name');
    const out = expression(stringAt(condition, 'expression'), `${path}.expression`, CONDITION_VARIABLES, 'bool');
    if (name === '') out.push(requiredValue(`${path}.name`));
    else {
      out.push(...invalidMessages(`${path}.name`, name, isQualifiedName(name)));
      if (seen.has(name)) out.push({ type: 'FieldValueDuplicate', field: `${path}.name`, badValue: name, detail: '' });
      seen.add(name);
    }
    return out;
  });
}

function matchResources(match: JsonRecord, field: string): FieldError[] {
  const out = [
    ...validateLabelSelector(recordAt(match, 'namespaceSelector'), `${field}.namespaceSelector`),
    ...validateLabelSelector(recordAt(match, 'objectSelector'), `${field}.objectSelector`),
  ];
  for (const list of ['resourceRules', 'excludeResourceRules'])
    for (const [index, rule] of recordsAt(match, list).entries())
      out.push(...ruleOf(rule, `${field}.${list}[${index}]`));
  return out;
}

function ruleOf(rule: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const operations = stringsAt(rule, 'operations');
  if (operations.length === 0) out.push(requiredValue(`${field}.operations`));
  if (operations.length > 1 && operations.includes('*'))
    out.push(invalidValue(`${field}.operations`, operations, "if '*' is present, must not specify other operations"));
  for (const [index, operation] of operations.entries())
    if (!OPERATIONS.includes(operation))
      out.push(unsupportedValue(`${field}.operations[${index}]`, operation, OPERATIONS));
  for (const name of ['apiGroups', 'apiVersions', 'resources']) {
    const values = stringsAt(rule, name);
    if (values.length === 0) out.push(requiredValue(`${field}.${name}`));
    if (name !== 'resources' && values.length > 1 && values.includes('*'))
      out.push(
        invalidValue(
          `${field}.${name}`,
          values,
          `if '*' is present, must not specify other ${name === 'apiGroups' ? 'API groups' : 'API versions'}`,
        ),
      );
  }
  for (const [index, version] of stringsAt(rule, 'apiVersions').entries())
    if (version === '') out.push(requiredValue(`${field}.apiVersions[${index}]`));
  const { scope } = rule;
  if (typeof scope === 'string' && !['*', 'Cluster', 'Namespaced'].includes(scope))
    out.push(unsupportedValue(`${field}.scope`, scope, ['*', 'Cluster', 'Namespaced']));
  return out;
}

export function validateAdmissionPolicyBinding(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const out: FieldError[] = [];
  const policy = stringAt(spec, 'policyName');
  if (policy === '') out.push(requiredValue('spec.policyName'));
  else out.push(...invalidMessages('spec.policyName', policy, isDns1123Subdomain(policy)));
  if (spec.paramRef !== undefined)
    out.push(forbiddenValue('spec.paramRef', 'policies with parameters are not supported by kind-e2e'));
  const match = recordAt(spec, 'matchResources');
  if (match !== undefined) out.push(...matchResources(match, 'spec.matchResources'));
  const actions = stringsAt(spec, 'validationActions');
  if (actions.length === 0) out.push(requiredValue('spec.validationActions'));
  const seen = new Set<string>();
  for (const [index, action] of actions.entries()) {
    const path = `spec.validationActions[${index}]`;
    if (!ACTIONS.includes(action)) out.push(unsupportedValue(path, action, ACTIONS));
    if (seen.has(action)) out.push({ type: 'FieldValueDuplicate', field: path, badValue: action, detail: '' });
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
  return out;
}

/** Webhooks of both kinds. */
export function validateWebhooks(object: JsonRecord): FieldError[] {
  const seen = new Set<string>();
  return recordsAt(object, 'webhooks').flatMap((webhook, index) => {
    const path = `webhooks[${index}]`;
    const name = stringAt(webhook, 'name');
    const out = segments(name, `${path}.name`);
    if (seen.has(name)) out.push({ type: 'FieldValueDuplicate', field: `${path}.name`, badValue: name, detail: '' });
    seen.add(name);
    for (const [at, rule] of recordsAt(webhook, 'rules').entries()) out.push(...ruleOf(rule, `${path}.rules[${at}]`));
    const policy = webhook.failurePolicy;
    if (typeof policy === 'string' && policy !== 'Fail' && policy !== 'Ignore')
      out.push(unsupportedValue(`${path}.failurePolicy`, policy, ['Fail', 'Ignore']));
    const effects = webhook.sideEffects;
    if (typeof effects !== 'string' || effects === '')
      out.push(requiredValue(`${path}.sideEffects`, 'must specify one of None, NoneOnDryRun'));
    else if (effects !== 'None' && effects !== 'NoneOnDryRun')
      out.push(unsupportedValue(`${path}.sideEffects`, effects, ['None', 'NoneOnDryRun']));
    const seconds = webhook.timeoutSeconds;
    if (typeof seconds === 'number' && (seconds < 1 || seconds > 30))
      out.push(invalidValue(`${path}.timeoutSeconds`, seconds, 'the timeout value must be between 1 and 30 seconds'));
    const client = recordAt(webhook, 'clientConfig') ?? {};
    const hasUrl = typeof client.url === 'string';
    if (hasUrl === (recordAt(client, 'service') !== undefined))
      out.push(requiredValue(`${path}.clientConfig`, 'exactly one of url or service is required'));
    if (stringsAt(webhook, 'admissionReviewVersions').length === 0)
      out.push(requiredValue(`${path}.admissionReviewVersions`, 'must specify one of v1, v1beta1'));
    out.push(
      ...validateLabelSelector(recordAt(webhook, 'namespaceSelector'), `${path}.namespaceSelector`),
      ...validateLabelSelector(recordAt(webhook, 'objectSelector'), `${path}.objectSelector`),
    );
    return out;
  });
}

/** `IsFullyQualifiedName`: three segments at least. */
function segments(name: string, field: string): FieldError[] {
  if (name === '') return [requiredValue(field)];
  const problems = isDns1123Subdomain(name);
  if (problems.length > 0) return [invalidValue(field, name, problems.join(','))];
  return name.split('.').length < 3
    ? [invalidValue(field, name, 'should be a domain with at least three segments separated by dots')]
    : [];
}
