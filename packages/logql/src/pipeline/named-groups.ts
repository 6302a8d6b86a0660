import { compileRegex, type LinearRegex } from '@kind-e2e/telemetry';

/** The expression of `| regexp`, each of whose named groups makes a label. Throws with Loki's text. */
export function compileNamedGroups(expression: string): LinearRegex {
  const regex = compileRegex(expression);
  const named = regex.groupNames.filter((name) => name !== undefined);
  if (named.length === 0) throw new Error('at least one named capture must be supplied');
  const twice = named.find((name, i) => named.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`duplicate extracted label name '${twice}'`);
  return regex;
}
