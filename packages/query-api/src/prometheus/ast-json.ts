import type { Expr, VectorSelector } from '@kind-e2e/promql';
import type { LabelMatcher } from '@kind-e2e/telemetry';

/** The tree of an expression as `/api/v1/parse_query` shows it (prometheus web/api/v1/translate_ast.go). */
export function astToJson(expr: Expr): unknown {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: String(expr.value) };
    case 'string':
      return { type: 'stringLiteral', val: expr.value };
    case 'paren':
      return { type: 'parenExpr', expr: astToJson(expr.expr) };
    case 'unary':
      return { type: 'unaryExpr', op: expr.op, expr: astToJson(expr.expr) };
    case 'vector-selector':
      return { type: 'vectorSelector', ...selector(expr) };
    case 'matrix-selector':
      return { type: 'matrixSelector', range: expr.rangeMs, ...selector(expr.selector) };
    case 'subquery':
      return {
        type: 'subquery',
        expr: astToJson(expr.expr),
        range: expr.rangeMs,
        step: expr.stepMs,
        ...time(expr.time),
      };
    case 'aggregation':
      return {
        type: 'aggregation',
        op: expr.op,
        expr: astToJson(expr.expr),
        param: expr.param ? astToJson(expr.param) : null,
        grouping: expr.grouping,
        without: expr.without,
      };
    case 'call':
      return {
        type: 'call',
        func: { name: expr.fn.name },
        args: expr.args.map(astToJson),
      };
    case 'binary': {
      const isVectors =
        expr.matching.cardinality !== 'one-to-one' || expr.matching.on || expr.matching.labels.length > 0;
      return {
        type: 'binaryExpr',
        op: expr.op,
        lhs: astToJson(expr.left),
        rhs: astToJson(expr.right),
        matching: isVectors
          ? {
              card: expr.matching.cardinality,
              labels: expr.matching.labels,
              on: expr.matching.on,
              include: expr.matching.include,
            }
          : null,
        bool: expr.bool,
      };
    }
  }
}

function selector(expr: VectorSelector): Record<string, unknown> {
  return { name: expr.name, matchers: expr.matchers.map(matcher), ...time(expr.time) };
}

function matcher({ name, operator, value }: LabelMatcher): Record<string, unknown> {
  return { name, value, type: operator };
}

function time({ offsetMs, atMs, atBoundary }: VectorSelector['time']): Record<string, unknown> {
  return { offset: offsetMs, timestamp: atMs ?? null, startOrEnd: atBoundary ?? null };
}
