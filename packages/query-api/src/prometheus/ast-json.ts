import { type Expr, formatValue, typeOf, type ValueType, type VectorSelector } from '@kind-e2e/promql';
import type { LabelMatcher } from '@kind-e2e/telemetry';

/** The tree of an expression as `/api/v1/parse_query` shows it (prometheus web/api/v1/translate_ast.go). */
export function astToJson(expr: Expr): unknown {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: formatValue(expr.value) };
    case 'string':
      return { type: 'stringLiteral', val: expr.value.toWellFormed() };
    case 'paren':
      return { type: 'parenExpr', expr: astToJson(expr.expr) };
    case 'unary':
      return { type: 'unaryExpr', op: expr.op, expr: astToJson(expr.expr) };
    case 'vector-selector':
      return { type: 'vectorSelector', ...selector(expr) };
    case 'matrix-selector':
      return { type: 'matrixSelector', range: written(expr.rangeMs, expr.rangeText), ...selector(expr.selector) };
    case 'subquery':
      return {
        type: 'subquery',
        expr: astToJson(expr.expr),
        range: written(expr.rangeMs, expr.rangeText),
        step: written(expr.stepMs, expr.stepText),
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
        func: {
          name: expr.fn.name,
          argTypes: expr.fn.args.map(typeName),
          variadic: expr.fn.variadic,
          returnType: typeName(expr.fn.returns),
        },
        args: expr.args.map(astToJson),
      };
    case 'binary': {
      const { cardinality, labels, on, include } = expr.matching;
      // The parser of Prometheus forgets how to match where there is nothing to match.
      const isMatching = typeOf(expr.left) === 'instant vector' && typeOf(expr.right) === 'instant vector';
      return {
        type: 'binaryExpr',
        op: expr.op,
        lhs: astToJson(expr.left),
        rhs: astToJson(expr.right),
        matching: isMatching ? { card: cardinality, labels, on, include } : null,
        bool: expr.bool,
      };
    }
  }
}

/** The names of types in the API, which are not those of error messages (promql/parser/value.go). */
function typeName(type: ValueType): string {
  switch (type) {
    case 'instant vector':
      return 'vector';
    case 'range vector':
      return 'matrix';
    case 'scalar':
    case 'string':
      return type;
  }
}

function selector(expr: VectorSelector): Record<string, unknown> {
  return { name: expr.name, matchers: expr.matchers.map(matcher), ...time(expr.time) };
}

function matcher({ name, operator, value }: LabelMatcher): Record<string, unknown> {
  return { name, value, type: operator };
}

/** Prometheus computes expressions only when a query begins, and shows nothing of them here. */
function written(ms: number, expression: string | undefined): number {
  return expression === undefined ? ms : 0;
}

function time({ offsetMs, offsetText, atMs, atBoundary }: VectorSelector['time']): Record<string, unknown> {
  return { offset: written(offsetMs, offsetText), timestamp: atMs ?? null, startOrEnd: atBoundary ?? null };
}
