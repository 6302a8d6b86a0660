import { METRIC_NAME, quote } from '@kind-e2e/telemetry';
import {
  type BinaryExpr,
  type Call,
  type Expr,
  isComparison,
  isSetOperator,
  type Position,
  typeOf,
  type ValueType,
} from './ast.ts';
import { believedEnd } from './closing-parens.ts';
import { PromqlSyntaxError } from './errors.ts';

/** Types and argument counts, with the texts and the order of promql/parser/parse.go's checkAST. Throws PromqlSyntaxError. */
export function checkExpr(expr: Expr, query: string): ValueType {
  const fail = (reason: string, position: Position): never => {
    throw new PromqlSyntaxError(reason, query, position);
  };
  const expectType = (node: Expr, want: ValueType, context: string): void => {
    const got = check(node);
    if (got !== want) fail(`expected type ${want} in ${context}, got ${got}`, node);
  };

  function check(node: Expr): ValueType {
    switch (node.kind) {
      case 'number':
      case 'string':
        break;
      case 'aggregation':
        expectType(node.expr, 'instant vector', 'aggregation expression');
        if (node.param !== undefined)
          expectType(node.param, node.op === 'count_values' ? 'string' : 'scalar', 'aggregation parameter');
        break;
      case 'binary':
        checkBinary(node);
        break;
      case 'call':
        checkCall(node);
        break;
      case 'paren':
        check(node.expr);
        break;
      case 'unary': {
        const type = check(node.expr);
        if (type !== 'scalar' && type !== 'instant vector')
          fail(
            `unary expression only allowed on expressions of type scalar or instant vector, got ${quote(type)}`,
            node,
          );
        break;
      }
      case 'subquery': {
        const type = check(node.expr);
        const shown = type === 'range vector' ? 'matrix' : type;
        if (type !== 'instant vector') fail(`subquery is only allowed on instant vector, got ${shown} instead`, node);
        break;
      }
      case 'matrix-selector':
        check(node.selector);
        break;
      case 'vector-selector': {
        if (node.name !== '') {
          const other = node.matchers.slice(0, -1).find((matcher) => matcher.name === METRIC_NAME);
          if (other !== undefined)
            fail(`metric name must not be set twice: ${quote(node.name)} or ${quote(other.value)}`, node);
        } else if (node.matchers.every((matcher) => matcher.matches('')))
          fail('vector selector must contain at least one non-empty matcher', node);
        break;
      }
    }
    return typeOf(node);
  }

  function checkBinary(node: BinaryExpr): void {
    const left = check(node.left);
    const right = check(node.right);
    const opPosition = (): Position => {
      const leftEnd = believedEnd(query, expr, node.left);
      const between = query.slice(leftEnd, node.right.start);
      return { start: leftEnd + (between.length - between.trimStart().length), end: node.right.start };
    };
    if (node.bool && !isComparison(node.op))
      fail('bool modifier can only be used on comparison operators', opPosition());
    if (isComparison(node.op) && !node.bool && left === 'scalar' && right === 'scalar')
      fail('comparisons between scalars must use BOOL modifier', opPosition());
    const both = node.matching.on
      ? node.matching.labels.find((label) => node.matching.include.includes(label))
      : undefined;
    if (both !== undefined) fail(`label ${quote(both)} must not occur in ON and GROUP clause at once`, opPosition());
    for (const [side, type] of [
      [node.left, left],
      [node.right, right],
    ] as const)
      if (type !== 'scalar' && type !== 'instant vector')
        fail('binary expression must contain only scalar and instant vector types', side);
    if (left !== 'instant vector' || right !== 'instant vector') {
      if (node.matching.labels.length > 0) fail('vector matching only allowed between instant vectors', node);
    } else if (isSetOperator(node.op) && node.matching.cardinality !== 'many-to-many')
      fail(`no grouping allowed for ${quote(node.op)} operation`, node);
    if ((left === 'scalar' || right === 'scalar') && isSetOperator(node.op))
      fail(`set operator ${quote(node.op)} not allowed in binary scalar expression`, node);
  }

  function checkCall(node: Call): void {
    const { fn, args } = node;
    const called = `call to ${quote(fn.name)}`;
    if (fn.variadic === 0) {
      if (fn.args.length !== args.length)
        fail(`expected ${fn.args.length} argument(s) in ${called}, got ${args.length}`, node);
    } else {
      const least = fn.args.length - 1;
      if (least > args.length) fail(`expected at least ${least} argument(s) in ${called}, got ${args.length}`, node);
      const most = least + fn.variadic;
      if (fn.variadic > 0 && most < args.length)
        fail(`expected at most ${most} argument(s) in ${called}, got ${args.length}`, node);
    }
    const second = args[1];
    const isInfo = fn.name === 'info' && second !== undefined;
    if (isInfo) {
      if (second.kind !== 'vector-selector') fail('expected label selectors only', second);
      else if (second.name !== '') fail('expected label selectors only, got vector selector instead', second);
    }
    args.forEach((arg, index) => {
      if (isInfo && index === 1) return;
      const want = fn.args[Math.min(index, fn.args.length - 1)];
      const got = check(arg);
      if (want !== undefined && got !== want)
        fail(`expected type ${want} in call to function ${quote(fn.name)}, got ${got}`, arg);
    });
  }

  return check(expr);
}
