/** Label selectors inside objects (`apis/meta/v1/validation.ValidateLabelSelector`). */
import { type FieldError, forbiddenValue, invalidValue, requiredValue } from '../errors/field-error.ts';
import { recordsAt, stringAt, stringMapAt, stringsAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { invalidMessages } from './field-rules.ts';
import { isLabelValue, isQualifiedName } from './names.ts';
import { validateLabels } from './object-meta.ts';

export function validateLabelSelector(selector: JsonRecord | undefined, field: string): FieldError[] {
  if (selector === undefined) return [];
  const out = validateLabels(stringMapAt(selector, 'matchLabels'), `${field}.matchLabels`);
  for (const [index, entry] of recordsAt(selector, 'matchExpressions').entries()) {
    const path = `${field}.matchExpressions[${index}]`;
    const operator = stringAt(entry, 'operator');
    const values = stringsAt(entry, 'values');
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        out.push(requiredValue(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        out.push(
          forbiddenValue(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
    } else out.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'));
    const key = stringAt(entry, 'key');
    out.push(...invalidMessages(`${path}.key`, key, isQualifiedName(key)));
    for (const [at, value] of values.entries())
      for (const message of isLabelValue(value)) out.push(invalidValue(`${path}.values[${at}]`, value, message));
  }
  return out;
}
