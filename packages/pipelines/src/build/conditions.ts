import type { Comparator, Condition } from '../jenkinsfile/ast.ts';
import { javaRegex } from '../jenkinsfile/java-regex.ts';
import { fill, type Scope } from './scope.ts';

/** Whether a condition of `when` holds (jenkins.io/doc/book/pipeline/syntax/#when). */
export async function holds(condition: Condition, scope: Scope): Promise<boolean> {
  const { run } = scope;
  switch (condition.kind) {
    case 'branch':
      return matches(run.record.branch, fill(condition.pattern, scope), condition.comparator);
    case 'tag': {
      const tag = scope.env.TAG_NAME;
      return tag !== undefined && matches(tag, fill(condition.pattern, scope), condition.comparator);
    }
    case 'buildingTag':
      return scope.env.TAG_NAME !== undefined;
    case 'changeRequest':
      return (
        scope.env.CHANGE_ID !== undefined &&
        condition.wanted.every(({ variable, pattern }) =>
          matches(scope.env[variable] ?? '', fill(pattern, scope), condition.comparator),
        )
      );
    case 'changelog': {
      const regex = javaRegex(fill(condition.pattern, scope), 'ms');
      return (await run.changes()).some(({ message }) => regex.test(message));
    }
    case 'changeset': {
      const { comparator, caseSensitive } = condition;
      const fold = (text: string): string => (caseSensitive ? text : text.toLowerCase());
      const pattern = fill(condition.pattern, scope);
      const isIn = (file: string): boolean =>
        comparator === 'REGEXP'
          ? javaRegex(pattern, caseSensitive ? '' : 'i').test(file)
          : matches(fold(file), fold(pattern), comparator);
      return (await run.changes()).some(({ files }) => files.some(isIn));
    }
    case 'environment': {
      const value = scope.env[condition.name] ?? '';
      const wanted = fill(condition.value, scope);
      return condition.ignoreCase ? value.toLowerCase() === wanted.toLowerCase() : value === wanted;
    }
    case 'equals':
      return fill(condition.expected, scope) === fill(condition.actual, scope);
    case 'triggeredBy':
      return run.record.causes.some(
        (cause) =>
          (cause.kind === condition.cause ||
            (cause.kind === 'RestartCause' && condition.cause === 'RestartDeclarativePipelineCause') ||
            (cause.kind === 'UpstreamCause' && condition.cause === 'BuildUpstreamCause')) &&
          (condition.detail === undefined || cause.text.includes(condition.detail)),
      );
    case 'isRestartedRun':
      return run.record.restartedFrom !== undefined;
    case 'not':
      return !(await holds(condition.condition, scope));
    case 'allOf':
      for (const one of condition.conditions) if (!(await holds(one, scope))) return false;
      return true;
    case 'anyOf':
      for (const one of condition.conditions) if (await holds(one, scope)) return true;
      return false;
  }
}

export function matches(value: string, pattern: string, comparator: Comparator): boolean {
  switch (comparator) {
    case 'EQUALS':
      return value === pattern;
    case 'REGEXP':
      return javaRegex(pattern).test(value);
    case 'GLOB':
      return new RegExp(`^(?:${globRegex(pattern)})$`).test(value);
  }
}

/** Ant's patterns: `*` any but a slash, `**` any folders, also none. */
function globRegex(pattern: string): string {
  return (pattern.endsWith('/') ? `${pattern}**` : pattern)
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\*\*|\*|\?/g, (wild) => GLOBS[wild] ?? wild);
}

const GLOBS: Readonly<Record<string, string>> = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };
