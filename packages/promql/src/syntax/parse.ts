import { parser } from '@prometheus-io/lezer-promql';
import type { Expr } from './ast.ts';
import { AstBuilder } from './build.ts';
import { checkExpr } from './check.ts';
import { diagnose } from './diagnose.ts';
import { PromqlSyntaxError } from './errors.ts';
import type { ParseOptions } from './parse-options.ts';
import { tokenize } from './tokens.ts';

/** It stops at the first error: to recover from many takes long, and what is built then is not used. */
const strictParser = parser.configure({ strict: true });

/** Deeper nesting than this is refused, so that no query can exhaust the stack. */
const MAX_DEPTH = 2_000;

/** Parses and checks a query. Throws PromqlSyntaxError with Prometheus' text and position. */
export function parseExpr(query: string, options: ParseOptions = {}): Expr {
  return buildExpr(query, withPlainNumbers(query), options);
}

/**
 * Prometheus reads more as a number than lezer-promql does: `5.`, `0x_1F`, `0X1F`. Digits in such a number's place keep all
 * positions; its value is read from the query itself.
 */
function withPlainNumbers(query: string): string {
  if (!/\d\.(?!\d)|\d_|0[xX]/.test(query)) return query;
  let text = query;
  for (const { kind, start, end } of tokenize(query))
    if (kind === 'number') text = `${text.slice(0, start)}${'1'.repeat(end - start)}${text.slice(end)}`;
  return text;
}

function buildExpr(query: string, text: string, options: ParseOptions): Expr {
  let tree: ReturnType<typeof strictParser.parse>;
  try {
    tree = strictParser.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw diagnose(query, Number(/\d+/.exec(error.message)?.[0] ?? 0));
  }
  let depth = 0;
  let deepest = 0;
  tree.iterate({
    enter() {
      depth += 1;
      deepest = Math.max(deepest, depth);
    },
    leave() {
      depth -= 1;
    },
  });
  if (deepest > MAX_DEPTH)
    throw new PromqlSyntaxError(`expression is nested deeper than ${MAX_DEPTH} levels`, query, {
      start: 0,
      end: query.length,
    });
  let top = tree.topNode.firstChild;
  while (top !== null && top.name === 'LineComment') top = top.nextSibling;
  // Of nothing at all Prometheus knows no position.
  if (top === null)
    throw new PromqlSyntaxError('no expression found in input', query, query === '' ? undefined : { start: 0, end: 0 });
  const expr = new AstBuilder(query, options).build(top);
  checkExpr(expr, query);
  return expr;
}
