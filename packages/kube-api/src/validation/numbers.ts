/** Numbers, percentages and quantities that many specs share. */
import { type FieldError, invalidValue } from '../errors/field-error.ts';
import { parsePercent } from '../values/int-or-string.ts';
import { NOT_NEGATIVE } from './field-rules.ts';

const PERCENT =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** An int that is not negative, or a percentage (`ValidatePositiveIntOrPercent`). */
export function intOrPercent(value: unknown, field: string): FieldError[] {
  if (typeof value === 'string') return parsePercent(value) === undefined ? [invalidValue(field, value, PERCENT)] : [];
  return typeof value === 'number' && value < 0 ? [invalidValue(field, value, NOT_NEGATIVE)] : [];
}

export function notMoreThan100Percent(value: unknown, field: string): FieldError[] {
  const percent = typeof value === 'string' ? parsePercent(value) : undefined;
  return percent !== undefined && percent > 100 ? [invalidValue(field, value, 'must not be greater than 100%')] : [];
}

/** 0 and 0% are the same to a rolling update. */
export function isZeroIntOrPercent(value: unknown): boolean {
  return (
    value === undefined || value === null || value === 0 || (typeof value === 'string' && parsePercent(value) === 0)
  );
}
