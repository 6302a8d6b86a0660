import { childrenOf, type Expr } from './ast.ts';
import { tokenize } from './tokens.ts';

/**
 * Where Prometheus believes that an operand ends, which is where it looks for the operator. Its parser keeps the ends of
 * closing parentheses in a queue, from which aggregations, calls and parentheses take theirs, but label lists after `on`
 * or `ignoring`, and `start()`, take none: whatever follows those seems to end too early (promql/parser/generated_parser.y,
 * closingParens).
 */
export function believedEnd(query: string, root: Expr, operand: Expr): number {
  const queue = tokenize(query).flatMap(({ kind, text, end }) => (kind === 'punctuation' && text === ')' ? end : []));
  const ends = new Map<Expr, number>();
  const visit = (expr: Expr): void => {
    for (const child of childrenOf(expr)) visit(child);
    if (expr.kind !== 'aggregation' && expr.kind !== 'call' && expr.kind !== 'paren') return;
    if (expr.kind === 'aggregation' && hasModifier(query, expr) && queue.length > 1) queue.shift();
    const end = queue.shift();
    if (end !== undefined && expr.kind !== 'paren') ends.set(expr, end);
  };
  visit(root);
  let last = operand;
  while (last.kind === 'binary' || last.kind === 'unary') last = last.kind === 'binary' ? last.right : last.expr;
  return ends.get(last) ?? last.end;
}

function hasModifier(query: string, { start, end, param, expr }: Extract<Expr, { kind: 'aggregation' }>): boolean {
  return /\b(?:by|without)\b/i.test(`${query.slice(start, (param ?? expr).start)} ${query.slice(expr.end, end)}`);
}
