import { DecodeProblem } from './decode-problem.ts';
import type { FieldValidation } from './served-resource.ts';

const MAX_SHOWN = 50;

/** Refuses, warns of, or forgets fields that a kind does not have. Gives the warnings. */
export function judgeStrictErrors(errors: readonly string[], validation: FieldValidation): string[] {
  if (errors.length === 0 || validation === 'Ignore') return [];
  // Duplicates are found while the text is read, before anything is known of the kind.
  const sorted = [...errors].sort(
    (left, right) => rank(left) - rank(right) || (rank(left) === 0 ? 0 : left < right ? -1 : 1),
  );
  if (validation === 'Warn') return sorted.slice(0, MAX_SHOWN);
  throw new DecodeProblem(`strict decoding error: ${sorted.join(', ')}`);
}

function rank(error: string): number {
  return error.startsWith('unknown field ') ? 1 : 0;
}
