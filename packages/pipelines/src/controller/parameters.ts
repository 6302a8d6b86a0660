import type { Parameter } from '../jenkinsfile/ast.ts';

/** What a build's parameters are: as given, else as declared. Passwords apart, since they are kept nowhere. */
export function parameterValues(
  parameters: readonly Parameter[],
  given: Readonly<Record<string, string>>,
): { plain: Record<string, string>; secret: Record<string, string> } {
  const plain: Record<string, string> = {};
  const secret: Record<string, string> = {};
  for (const { name, kind, defaultValue, choices, trim } of parameters) {
    const value = trim ? (given[name] ?? defaultValue).trim() : (given[name] ?? defaultValue);
    if (kind === 'password') secret[name] = value;
    else plain[name] = kind === 'choice' && !choices.includes(value) ? defaultValue : value;
  }
  return { plain, secret };
}
