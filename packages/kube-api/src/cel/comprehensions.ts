/** What macros stand for, as far as it costs (cel-go `parser/macro.go`, `cel/macro.go`, `ext/comprehensions.go`). */
import type { CallExpr, Expr, IdentExpr, Literal, MacroExpr } from './ast.ts';

export const ACCUMULATOR = '@result';

/** A loop over a range. */
export interface Comprehension {
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

/** A loop, or the expression that an optional's macro is short for; undefined for `cel.bind`. */
export function expanded(macro: MacroExpr): Comprehension | Expr | undefined {
  const { at, range, variables, args } = macro;
  const call = (name: string, ...given: Expr[]): CallExpr => ({
    kind: 'call',
    at,
    name,
    target: undefined,
    args: given,
  });
  const method = (target: Expr, name: string): CallExpr => ({ kind: 'call', at, name, target, args: [] });
  const ident = (name: string): IdentExpr => ({ kind: 'ident', at, name });
  const literal = (value: Literal): Expr => ({ kind: 'literal', at, value });
  const list = (...elements: Expr[]): Expr => ({ kind: 'list', at, elements, optional: new Set() });
  const accumulator = (): Expr => ident(ACCUMULATOR);
  const holds = (expr: Expr): Expr => call('@not_strictly_false', expr);
  const body = args.at(-1) ?? literal(true);
  const filtered = (step: Expr): Expr => {
    const [filter] = args;
    return args.length < 2 || filter === undefined ? step : call('_?_:_', filter, step, accumulator());
  };
  const made = (init: Expr, step: Expr): Comprehension => ({
    init,
    condition: literal(true),
    step,
    result: accumulator(),
  });
  const appended = (element: Expr): Expr => call('_+_', accumulator(), list(element));
  const [first = ''] = variables;
  switch (macro.macro) {
    case 'all':
      return {
        init: literal(true),
        condition: holds(accumulator()),
        step: call('_&&_', accumulator(), body),
        result: accumulator(),
      };
    case 'exists':
      return {
        init: literal(false),
        condition: holds(call('!_', accumulator())),
        step: call('_||_', accumulator(), body),
        result: accumulator(),
      };
    case 'exists_one':
      return {
        init: literal(0n),
        condition: literal(true),
        step: call('_?_:_', body, call('_+_', accumulator(), literal(1n)), accumulator()),
        result: call('_==_', accumulator(), literal(1n)),
      };
    case 'map':
    case 'transformList':
      return made(list(), filtered(appended(body)));
    case 'filter':
      return made(list(), call('_?_:_', body, appended(ident(first)), accumulator()));
    case 'transformMap':
    case 'transformMapEntry': {
      const inserted = macro.macro === 'transformMap' ? [ident(first), body] : [body];
      const empty: Expr = { kind: 'map', at, entries: [] };
      return made(empty, filtered(call('cel.@mapInsert', accumulator(), ...inserted)));
    }
    case 'optMap':
    case 'optFlatMap': {
      const bound: Expr = { ...macro, macro: 'bind', range: method(range, 'value') };
      const given = macro.macro === 'optMap' ? call('optional.of', bound) : bound;
      return call('_?_:_', method(range, 'hasValue'), given, call('optional.none'));
    }
    case 'bind':
      return undefined;
  }
}
