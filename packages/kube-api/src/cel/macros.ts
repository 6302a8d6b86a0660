/** Which calls are macros, and what cel-go says of wrong ones (`parser/macro.go`, `ext/comprehensions.go`). */
import type { Expr, MacroExpr, MacroName, Problem, SelectExpr } from './ast.ts';

/** Arguments of each form: how many variables, how many in all. */
const FORMS: Readonly<
  Record<string, readonly { readonly macro: MacroName; readonly variables: number; readonly count: number }[]>
> = {
  all: [
    { macro: 'all', variables: 1, count: 2 },
    { macro: 'all', variables: 2, count: 3 },
  ],
  exists: [
    { macro: 'exists', variables: 1, count: 2 },
    { macro: 'exists', variables: 2, count: 3 },
  ],
  exists_one: [{ macro: 'exists_one', variables: 1, count: 2 }],
  existsOne: [
    { macro: 'exists_one', variables: 1, count: 2 },
    { macro: 'exists_one', variables: 2, count: 3 },
  ],
  map: [
    { macro: 'map', variables: 1, count: 2 },
    { macro: 'map', variables: 1, count: 3 },
  ],
  filter: [{ macro: 'filter', variables: 1, count: 2 }],
  optMap: [{ macro: 'optMap', variables: 1, count: 2 }],
  optFlatMap: [{ macro: 'optFlatMap', variables: 1, count: 2 }],
  transformList: [
    { macro: 'transformList', variables: 2, count: 3 },
    { macro: 'transformList', variables: 2, count: 4 },
  ],
  transformMap: [
    { macro: 'transformMap', variables: 2, count: 3 },
    { macro: 'transformMap', variables: 2, count: 4 },
  ],
  transformMapEntry: [
    { macro: 'transformMapEntry', variables: 2, count: 3 },
    { macro: 'transformMapEntry', variables: 2, count: 4 },
  ],
};

/** The macro that a call is, the problem it has, or undefined where it is an ordinary call. */
export function macroOf(
  name: string,
  at: number,
  target: Expr | undefined,
  args: readonly Expr[],
): MacroExpr | SelectExpr | Problem | undefined {
  if (target === undefined) {
    if (name !== 'has' || args.length !== 1) return undefined;
    const [operand] = args;
    if (operand?.kind !== 'select') return { at: operand?.at ?? at, message: 'invalid argument to has() macro' };
    return { ...operand, at, test: true };
  }
  if (target.kind === 'ident' && target.name === 'cel' && name === 'bind' && args.length === 3) {
    const [variable, value, body] = args;
    if (variable?.kind !== 'ident')
      return { at: variable?.at ?? at, message: 'cel.bind() variable names must be simple identifiers' };
    if (value === undefined || body === undefined) return undefined;
    return { kind: 'macro', at, macro: 'bind', range: value, variables: [variable.name], args: [body] };
  }
  const form = Object.hasOwn(FORMS, name) ? FORMS[name]?.find(({ count }) => count === args.length) : undefined;
  if (form === undefined) return undefined;
  const variables: string[] = [];
  for (const variable of args.slice(0, form.variables)) {
    if (variable.kind !== 'ident' || variable.name.startsWith('.'))
      return {
        at: variable.at,
        message: name.startsWith('opt')
          ? `${name}() variable name must be a simple identifier`
          : 'argument must be a simple name',
      };
    variables.push(variable.name);
  }
  return { kind: 'macro', at, macro: form.macro, range: target, variables, args: args.slice(form.variables) };
}
