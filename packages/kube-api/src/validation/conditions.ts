/** Conditions of the shared type (`ValidateConditions` of apis/meta/v1/validation). */
import {
  duplicateValue,
  type FieldError,
  invalidValue,
  requiredValue,
  tooLong,
  unsupportedValue,
} from '../errors/field-error.ts';
import { numberAt, stringAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { invalidMessages } from './field-rules.ts';
import { byteLength, isQualifiedName } from './names.ts';

const STATUSES = ['False', 'True', 'Unknown'];
const REASON = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
const REASON_MESSAGE =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";
const MAX_REASON = 1024;
const MAX_MESSAGE = 32 * 1024;

export function validateConditions(conditions: readonly JsonRecord[], field: string): FieldError[] {
  const types = new Map<string, number>();
  return conditions.flatMap((condition, index) => {
    const path = `${field}[${index}]`;
    const type = stringAt(condition, 'type');
    const out: FieldError[] = [];
    if (types.has(type)) out.push(duplicateValue(`${path}.type`, type));
    types.set(type, index);
    out.push(...invalidMessages(`${path}.type`, type, isQualifiedName(type)));
    const status = stringAt(condition, 'status');
    if (!STATUSES.includes(status)) out.push(unsupportedValue(`${path}.status`, status, STATUSES));
    const generation = numberAt(condition, 'observedGeneration') ?? 0;
    if (generation < 0)
      out.push(invalidValue(`${path}.observedGeneration`, generation, 'must be greater than or equal to zero'));
    if (condition.lastTransitionTime === undefined || condition.lastTransitionTime === null)
      out.push(requiredValue(`${path}.lastTransitionTime`, 'must be set'));
    const reason = stringAt(condition, 'reason');
    if (reason === '') out.push(requiredValue(`${path}.reason`, 'must be set'));
    else {
      if (!REASON.test(reason)) out.push(invalidValue(`${path}.reason`, reason, REASON_MESSAGE));
      if (byteLength(reason) > MAX_REASON) out.push(tooLong(`${path}.reason`, MAX_REASON));
    }
    if (byteLength(stringAt(condition, 'message')) > MAX_MESSAGE) out.push(tooLong(`${path}.message`, MAX_MESSAGE));
    return out;
  });
}
