import type { Labels } from './labels.ts';
import { compileRegex } from './regex.ts';

export type MatchOperator = '=' | '!=' | '=~' | '!~';

/** One condition of a selector. The expression of `=~` and `!~` is RE2 and matches the whole value. */
export interface LabelMatcher {
  readonly name: string;
  readonly operator: MatchOperator;
  readonly value: string;
  /** Whether a label's value ('' for an absent label) meets the condition. */
  matches(value: string): boolean;
  /** Where only these values can match: an index can look them up instead of testing every value. */
  readonly values?: readonly string[];
  /** Every matching value starts with it. */
  readonly prefix?: string;
}

export function matchesAll(labels: Labels, matchers: readonly LabelMatcher[]): boolean {
  return matchers.every((matcher) => matcher.matches(labels.get(matcher.name)));
}

const MAX_REMEMBERED_VALUES = 10_000;
const LITERAL_PIECE = /^[^\\.+*?()|[\]{}^$]*$/;

/**
 * A matcher, with fast ways for literals, alternations of literals, and `prefix.*`. `.` matches a line feed, as in
 * Prometheus (model/labels/regexp.go). Throws RegexSyntaxError where the expression is not RE2.
 */
export function createMatcher(name: string, operator: MatchOperator, value: string): LabelMatcher {
  switch (operator) {
    case '=':
      return { name, operator, value, values: [value], matches: (candidate) => candidate === value };
    case '!=':
      return { name, operator, value, matches: (candidate) => candidate !== value };
    case '=~': {
      const compiled = compileFullMatch(value);
      return {
        name,
        operator,
        value,
        matches: compiled.matches,
        ...(compiled.values === undefined ? {} : { values: compiled.values }),
        ...(compiled.prefix === undefined ? {} : { prefix: compiled.prefix }),
      };
    }
    case '!~': {
      const { matches } = compileFullMatch(value);
      return { name, operator, value, matches: (candidate) => !matches(candidate) };
    }
  }
}

interface FullMatch {
  readonly matches: (value: string) => boolean;
  readonly values?: readonly string[];
  readonly prefix?: string;
}

function compileFullMatch(expression: string): FullMatch {
  const alternatives = expression.split('|');
  if (alternatives.every((piece) => LITERAL_PIECE.test(piece))) {
    const values = new Set(alternatives);
    return { values: [...values], matches: (value) => values.has(value) };
  }
  if (expression === '.*') return { matches: () => true };
  if (expression === '.+') return { matches: (value) => value !== '' };
  const tail = /\.[*+]$/.exec(expression)?.[0] ?? '';
  const beginning = expression.slice(0, expression.length - tail.length);
  if (tail !== '' && LITERAL_PIECE.test(beginning)) {
    const least = beginning.length + (tail === '.+' ? 1 : 0);
    return { prefix: beginning, matches: (value) => value.length >= least && value.startsWith(beginning) };
  }
  const regex = compileRegex(expression, { dotAll: true });
  const remembered = new Map<string, boolean>();
  const literalHead = /^[^\\.+*?()|[\]{}^$]*(?![*?{])/.exec(expression)?.[0] ?? '';
  const prefix = expression.includes('|') || /^[*?{]/.test(expression.slice(literalHead.length)) ? '' : literalHead;
  return {
    ...(prefix === '' ? {} : { prefix }),
    matches: (value) => {
      const known = remembered.get(value);
      if (known !== undefined) return known;
      const result = regex.testFull(value);
      if (remembered.size >= MAX_REMEMBERED_VALUES) remembered.clear();
      remembered.set(value, result);
      return result;
    },
  };
}
