import { DecodeProblem } from './decode-problem.ts';
import type { FieldValidation } from './served-resource.ts';

const MAX_SHOWN = 50;

/** Refuses, warns of, or forgets fields that a kind does not have. Gives the warnings. */
export function judgeStrictErrors(errors: readonly string[], validation: FieldValidation): string[] {
  if (errors.length === 0 || validation === 'Ignore') return [];
  const sorted = [...errors].sort();
  if (validation === 'Warn') return sorted.slice(0, MAX_SHOWN);
  throw new DecodeProblem(`strict decoding error: ${sorted.join(', ')}`);
}
