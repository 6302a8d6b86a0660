import { RE2JS } from 're2js';
import type { StringMatch } from '../snapshot/routes.ts';

export type Matcher = (value: string | undefined) => boolean;

/** Compiles a matcher. Expressions run in linear time (RE2) and must match the whole value, as Envoy's do. */
export function compileMatch(match: StringMatch, ignoreCase = false): Matcher {
  const fold = ignoreCase ? (text: string) => text.toLowerCase() : (text: string) => text;
  if ('exact' in match) {
    const wanted = fold(match.exact);
    return (value) => value !== undefined && fold(value) === wanted;
  }
  if ('prefix' in match) {
    const wanted = fold(match.prefix);
    return (value) => value !== undefined && fold(value).startsWith(wanted);
  }
  if ('suffix' in match) {
    const wanted = fold(match.suffix);
    return (value) => value !== undefined && fold(value).endsWith(wanted);
  }
  if ('contains' in match) {
    const wanted = fold(match.contains);
    return (value) => value !== undefined && fold(value).includes(wanted);
  }
  if ('present' in match) return (value) => value !== undefined;
  const expression = compileExpression(match.regex, ignoreCase);
  return (value) => value !== undefined && expression.matches(value);
}

/** Throws what RE2 says about a bad expression. */
export function compileExpression(source: string, ignoreCase = false): RE2JS {
  return RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
}
