/** Checks that many kinds share (apimachinery `api/validation`, `pkg/apis/core/validation`). */
import {
  type FieldError,
  invalidValue,
  NIL_COLLECTION,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { recordAt } from '../values/access.ts';
import { semanticEquals } from '../values/json.ts';
import { isDns1123Subdomain } from './names.ts';

export const NOT_NEGATIVE = 'must be greater than or equal to 0';
export const IMMUTABLE = 'field is immutable';

/** Number of any field; an absent one counts as 0. */
export function notNegative(value: unknown, field: string): FieldError[] {
  return typeof value === 'number' && value < 0 ? [invalidValue(field, value, NOT_NEGATIVE)] : [];
}

/** `shown` is the value as Go has it inside, where it has other names there. */
export function immutableField(value: unknown, old: unknown, field: string, shown: unknown = value): FieldError[] {
  return semanticEquals(value, old) ? [] : [invalidValue(field, shown ?? null, IMMUTABLE)];
}

/** A value out of a closed list; '' and absent are the caller's business. The list is shown as given. */
export function oneOf(value: unknown, field: string, supported: readonly string[]): FieldError[] {
  return typeof value === 'string' && supported.includes(value) ? [] : [unsupportedValue(field, value, supported)];
}

/** One error for each message. */
export function invalidMessages(field: string, value: unknown, messages: readonly string[]): FieldError[] {
  return messages.map((message) => invalidValue(field, value, message));
}

/** The labels of a pod template as errors show them: null where there are none. */
export function shownLabels(spec: unknown): unknown {
  return recordAt(recordAt(recordAt(spec, 'template'), 'metadata'), 'labels') ?? NIL_COLLECTION;
}

const HTTP_PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;
const HTTP_PATH_PROBLEM = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";

/** `example.com/name` (`IsDomainPrefixedPath`). */
export function domainPrefixedPath(text: string, field: string): FieldError[] {
  if (text === '') return [requiredValue(field)];
  const slash = text.indexOf('/');
  if (slash <= 0 || slash === text.length - 1)
    return [invalidValue(field, text, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  const host = text.slice(0, slash);
  const path = text.slice(slash + 1);
  return [
    ...invalidMessages(field, host, isDns1123Subdomain(host)),
    ...(HTTP_PATH.test(path) ? [] : [invalidValue(field, path, HTTP_PATH_PROBLEM)]),
  ];
}
