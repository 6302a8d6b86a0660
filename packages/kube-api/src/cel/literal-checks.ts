/** Literals that no call can use (cel-go `cel/validator.go`: durations, timestamps and regular expressions). */
import { childrenOf, type Expr, type Problem } from './ast.ts';
import { evaluateCel } from './evaluator.ts';
import { CelError } from './values.ts';

const FUNCTIONS: ReadonlySet<string> = new Set(['duration', 'timestamp', 'matches']);

export function literalProblems(root: Expr): Problem[] {
  const out: Problem[] = [];
  const rest: Expr[] = [root];
  for (let expr = rest.pop(); expr !== undefined; expr = rest.pop()) {
    rest.push(...childrenOf(expr));
    if (expr.kind !== 'call' || !FUNCTIONS.has(expr.name)) continue;
    const [literal] = expr.args;
    if (literal?.kind === 'literal' && typeof literal.value === 'string' && !isUsable(expr.name, literal))
      out.push({ at: literal.at, message: `invalid ${expr.name} argument` });
  }
  return out;
}

function isUsable(name: string, literal: Expr): boolean {
  const { at } = literal;
  const target: Expr | undefined = name === 'matches' ? { kind: 'literal', at, value: '' } : undefined;
  try {
    evaluateCel({ kind: 'call', at, name, target, args: [literal] }, new Map());
    return true;
  } catch (error) {
    if (error instanceof CelError) return false;
    throw error;
  }
}
