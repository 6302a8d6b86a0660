/** Paths inside volumes and file modes (`validateLocalDescendingPath` and its relatives). */
import { type FieldError, invalidValue } from '../../errors/field-error.ts';

const MODE_RANGE = 'must be a number between 0 and 0777 (octal), both inclusive';

export function noBacksteps(path: string, field: string): FieldError[] {
  return path.split('/').includes('..') ? [invalidValue(field, path, "must not contain '..'")] : [];
}

export function descendingPath(path: string, field: string): FieldError[] {
  const out: FieldError[] = [];
  if (path.startsWith('/')) out.push(invalidValue(field, path, 'must be a relative path'));
  return [...out, ...noBacksteps(path, field)];
}

/** `ValidateLocalNonReservedPath` */
export function nonReservedPath(path: string, field: string): FieldError[] {
  const out = descendingPath(path, field);
  if (path.startsWith('..') && !path.startsWith('../')) out.push(invalidValue(field, path, "must not start with '..'"));
  return out;
}

export function fileMode(value: unknown, field: string): FieldError[] {
  return typeof value === 'number' && (value < 0 || value > 0o777) ? [invalidValue(field, value, MODE_RANGE)] : [];
}
