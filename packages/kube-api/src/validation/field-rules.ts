/** Checks that many kinds share (apimachinery `api/validation`, `pkg/apis/core/validation`). */
import { type FieldError, invalidValue, unsupportedValue } from '../errors/field-error.ts';
import { semanticEquals } from '../values/json.ts';

export const NOT_NEGATIVE = 'must be greater than or equal to 0';
export const IMMUTABLE = 'field is immutable';

/** Number of any field; an absent one counts as 0. */
export function notNegative(value: unknown, field: string): FieldError[] {
  return typeof value === 'number' && value < 0 ? [invalidValue(field, value, NOT_NEGATIVE)] : [];
}

export function immutableField(value: unknown, old: unknown, field: string): FieldError[] {
  return semanticEquals(value, old) ? [] : [invalidValue(field, value ?? null, IMMUTABLE)];
}

/** A value out of a closed list; '' and absent are the caller's business. The list is shown as given. */
export function oneOf(value: unknown, field: string, supported: readonly string[]): FieldError[] {
  return typeof value === 'string' && supported.includes(value) ? [] : [unsupportedValue(field, value, supported)];
}

/** One error for each message. */
export function invalidMessages(field: string, value: unknown, messages: readonly string[]): FieldError[] {
  return messages.map((message) => invalidValue(field, value, message));
}
