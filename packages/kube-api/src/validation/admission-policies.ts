/** Validating admission policies and their bindings (`pkg/apis/admissionregistration/validation`). */
import {
  duplicateValue,
  type FieldError,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { recordAt, recordsAt, stringAt, stringsAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { type ExpressionTypes, expressionProblems, type PolicyTypes, typesOfPolicy } from './admission-expressions.ts';
import { oneOfGiven } from './admission-rules.ts';
import { invalidMessages } from './field-rules.ts';
import { isQualifiedName } from './names.ts';
import { bindingProblems, policyProblems } from './policy-parts.ts';

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const ACTIONS = ['Audit', 'Deny', 'Warn'];
const MAX_AUDIT_ANNOTATIONS = 20;
const MAX_VALUE_EXPRESSION_BYTES = 5 * 1024;

export function validateAdmissionPolicy(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const types = typesOfPolicy(spec);
  const out = policyProblems(spec, types);
  const validations = recordsAt(spec, 'validations');
  const annotations = recordsAt(spec, 'auditAnnotations');
  if (validations.length === 0 && annotations.length === 0) {
    const detail = 'validations or auditAnnotations must contain at least one item';
    out.push(requiredValue('spec.validations', detail), requiredValue('spec.auditAnnotations', detail));
  }
  for (const [index, validation] of validations.entries())
    out.push(...validationProblems(validation, `spec.validations[${index}]`, types));
  out.push(...auditProblems(stringAt(recordAt(object, 'metadata') ?? {}, 'name'), annotations, types.expressions));
  return out;
}

function validationProblems(validation: JsonRecord, field: string, types: PolicyTypes): FieldError[] {
  const source = stringAt(validation, 'expression');
  const out: FieldError[] =
    source.trim() === ''
      ? [requiredValue(`${field}.expression`, 'expression is not specified')]
      : expressionProblems(source, `${field}.expression`, types.expressions, ['bool']);
  const words = stringAt(validation, 'messageExpression');
  if (words !== '' && words.trim() === '')
    out.push(invalidValue(`${field}.messageExpression`, words, 'must be non-empty if specified'));
  else if (words !== '')
    out.push(...expressionProblems(words, `${field}.messageExpression`, types.messages, ['string']));
  const message = stringAt(validation, 'message');
  if (message !== '' && message.trim() === '')
    out.push(invalidValue(`${field}.message`, message, 'message must be non-empty if specified'));
  else if (/[\n\r]/.test(message.trim()))
    out.push(invalidValue(`${field}.message`, message, 'message must not contain line breaks'));
  out.push(...oneOfGiven(validation.reason, `${field}.reason`, REASONS));
  return out;
}

/** `validateAuditAnnotation` */
function auditProblems(policy: string, annotations: readonly JsonRecord[], types: ExpressionTypes): FieldError[] {
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
    else out.push(...expressionProblems(source, `${field}.valueExpression`, types, ['string', 'null_type']));
    if (seen.has(key)) out.push(duplicateValue(`${field}.key`, key));
    seen.add(key);
  }
  return out;
}

export function validateAdmissionPolicyBinding(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  // The name of the field is misspelt upstream.
  const out = bindingProblems(spec, 'spec.matchResouces');
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
