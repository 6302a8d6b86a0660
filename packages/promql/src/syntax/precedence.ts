import type { SyntaxNode } from '@lezer/common';

/**
 * lezer-promql lets `offset`, `@` and brackets take the whole of `a - b` where Prometheus' grammar lets them take `b`,
 * and reads the sign of `-1 ^ 2` as part of the number. So a chain of operators is laid out in the order of its text,
 * and put together again by Prometheus' table (promql/parser/generated_parser.y).
 */
export type ChainItem =
  | { readonly kind: 'operand'; readonly node: SyntaxNode }
  /** A number without the sign that the tree has with it. */
  | { readonly kind: 'number'; readonly start: number; readonly end: number }
  | { readonly kind: 'prefix'; readonly op: '+' | '-'; readonly start: number }
  /** A binary operator with its modifiers: the children of the tree's node between the operands. */
  | { readonly kind: 'infix'; readonly nodes: readonly SyntaxNode[] }
  /** `offset`, `@`, a range or a subquery: the node that has the operand as its first child. */
  | { readonly kind: 'postfix'; readonly node: SyntaxNode };

const POSTFIX = new Set(['OffsetExpr', 'StepInvariantExpr', 'MatrixSelector', 'SubqueryExpr']);

export function childrenOfNode(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling)
    if (child.name !== 'LineComment') children.push(child);
  return children;
}

/** The chain that a node stands for, in the order of the text. */
export function layOut(top: SyntaxNode, query: string): ChainItem[] {
  const items: ChainItem[] = [];
  const todo: (SyntaxNode | ChainItem)[] = [top];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if ('kind' in next) {
      items.push(next);
      continue;
    }
    const children = childrenOfNode(next);
    const first = children[0];
    const last = children.at(-1);
    if (next.name === 'BinaryExpr' && first !== undefined && last !== undefined) {
      todo.push(last, { kind: 'infix', nodes: children.slice(1, -1) }, first);
    } else if (next.name === 'UnaryExpr' && first !== undefined && last !== undefined) {
      todo.push(last);
      items.push({ kind: 'prefix', op: query[first.from] === '-' ? '-' : '+', start: first.from });
    } else if (POSTFIX.has(next.name) && first !== undefined) {
      todo.push({ kind: 'postfix', node: next }, first);
    } else if (next.name === 'NumberDurationLiteral' && /[-+]/.test(query[next.from] ?? '')) {
      const blanks = /^\s*/.exec(query.slice(next.from + 1, next.to))?.[0].length ?? 0;
      items.push({ kind: 'prefix', op: query[next.from] === '-' ? '-' : '+', start: next.from });
      items.push({ kind: 'number', start: next.from + 1 + blanks, end: next.to });
    } else items.push({ kind: 'operand', node: next });
  }
  return items;
}

const LEVELS: readonly (readonly string[])[] = [
  ['or'],
  ['and', 'unless'],
  ['==', '>=', '>', '<', '<=', '!='],
  ['+', '-'],
  ['*', '/', '%', 'atan2'],
  ['^'],
];

/** How tightly an operator binds; a sign binds as `*` does. */
export const SIGN_LEVEL = 4;

export function levelOf(operator: string): number {
  return LEVELS.findIndex((level) => level.includes(operator));
}
