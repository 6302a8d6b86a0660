/** Rules in a CRD's schema (`ValidateCustomResourceDefinitionOpenAPISchema`). */
import { compileRules } from '../cel/rules.ts';
import { type FieldError, invalidValue, requiredValue, unsupportedValue } from '../errors/field-error.ts';
import type { JsonSchemaProps, ValidationRule } from '../schema/crd-schema.ts';
import { findFieldPath } from './field-path.ts';
import { goRule } from './go-crd.ts';
import type { RuleCosts } from './rule-costs.ts';

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

export interface RulePlace {
  readonly isRoot: boolean;
  readonly uncorrelatable?: string;
  readonly cardinality: number | undefined;
}

export function checkRuleText(node: JsonSchemaProps, rule: ValidationRule, field: string, out: FieldError[]): void {
  const text = (rule.rule ?? '').trim();
  const message = rule.message ?? '';
  const hasBreaks = (value: string): boolean => /[\n\r]/.test(value);
  if (text === '') out.push(requiredValue(`${field}.rule`, 'rule is not specified'));
  else if (message !== '' && message.trim() === '')
    out.push(invalidValue(`${field}.message`, message, 'message must be non-empty if specified'));
  else if (hasBreaks(message.trim()))
    out.push(invalidValue(`${field}.message`, message, 'message must not contain line breaks'));
  else if (hasBreaks(text) && message.trim() === '')
    out.push(requiredValue(`${field}.message`, 'message must be specified if rule contains line breaks'));
  const expression = rule.messageExpression ?? '';
  if (expression !== '' && expression.trim() === '')
    out.push(requiredValue(`${field}.messageExpression`, 'messageExpression must be non-empty if specified'));
  if (rule.reason !== undefined && !REASONS.includes(rule.reason))
    out.push(unsupportedValue(`${field}.reason`, rule.reason, REASONS));
  const path = rule.fieldPath ?? '';
  if (path === '') return;
  if (path.trim() === '')
    out.push(invalidValue(`${field}.fieldPath`, path, 'fieldPath must be non-empty if specified'));
  if (hasBreaks(path)) out.push(invalidValue(`${field}.fieldPath`, path, 'fieldPath must not contain line breaks'));
  if (typeof findFieldPath(path, node) === 'string')
    out.push(invalidValue(`${field}.fieldPath`, path, 'fieldPath must be a valid path'));
}

export function checkRules(
  node: JsonSchemaProps,
  field: string,
  place: RulePlace,
  { rules: out, costs }: { readonly rules: FieldError[]; readonly costs: RuleCosts },
): void {
  for (const [index, rule] of compileRules(node, place.isRoot).entries()) {
    const at = `${field}.x-kubernetes-validations[${index}]`;
    const times = place.cardinality ?? rule.cardinality;
    out.push(...costs.observe(`${at}.rule`, 'rule', rule.cost * times));
    if (rule.problem !== undefined) out.push(invalidValue(`${at}.rule`, goRule(rule.source), rule.problem));
    if (rule.messageProblem !== undefined)
      out.push(invalidValue(`${at}.messageExpression`, goRule(rule.source), rule.messageProblem));
    else if (rule.message !== undefined)
      out.push(...costs.observe(`${at}.messageExpression`, 'messageExpression', rule.messageCost));
    if (rule.usesOldSelf) {
      if (place.uncorrelatable !== undefined)
        out.push(
          invalidValue(
            `${at}.rule`,
            rule.source.rule,
            `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelatable}`,
          ),
        );
    } else if (rule.source.optionalOldSelf !== undefined && rule.source.optionalOldSelf !== null)
      out.push(
        invalidValue(
          `${at}.optionalOldSelf`,
          rule.source.optionalOldSelf,
          'may not be set if oldSelf is not used in rule',
        ),
      );
  }
}
