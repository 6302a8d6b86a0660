import type { Labels } from './labels.ts';

export type MatchOperator = '=' | '!=' | '=~' | '!~';

/** One condition of a selector. The expression of `=~` and `!~` is RE2 and matches the whole value. */
export interface LabelMatcher {
  readonly name: string;
  readonly operator: MatchOperator;
  readonly value: string;
  /** Whether a label's value ('' for an absent label) meets the condition. */
  matches(value: string): boolean;
}

export function matchesAll(labels: Labels, matchers: readonly LabelMatcher[]): boolean {
  return matchers.every((matcher) => matcher.matches(labels.get(matcher.name)));
}
