import { createMatcher, type LabelMatcher, type MatchOperator, METRIC_NAME, quote, unquote } from '@kind-e2e/telemetry';
import type { SyntaxNode } from '@lezer/common';
import {
  AGGREGATORS,
  type Aggregator,
  BINARY_OPERATORS,
  type BinaryOperator,
  type Expr,
  isSetOperator,
  type MatchingCardinality,
  type Position,
  type TimeModifiers,
  type VectorMatching,
  type VectorSelector,
} from './ast.ts';
import { diagnose } from './diagnose.ts';
import { type ParsedDuration, parseDuration } from './duration-expression.ts';
import { PromqlSyntaxError } from './errors.ts';
import { literalProblem, parseDurationMs, parseNumber } from './literals.ts';
import { readNumberOrDuration } from './number-token.ts';
import type { ParseOptions } from './parse-options.ts';
import { type ChainItem, childrenOfNode, layOut, levelOf, SIGN_LEVEL } from './precedence.ts';
import { FUNCTIONS } from './signatures.ts';

/** Turns a tree of lezer-promql without error nodes into the AST. Throws PromqlSyntaxError for what the grammar lets pass. */
export class AstBuilder {
  readonly #query: string;
  readonly #experimental: boolean;
  readonly #durationExpressions: boolean;

  constructor(query: string, options: ParseOptions) {
    this.#query = query;
    this.#experimental = options.experimentalFunctions === true;
    this.#durationExpressions = options.durationExpressions === true;
  }

  build(node: SyntaxNode): Expr {
    const items = layOut(node, this.#query);
    const [only] = items;
    if (items.length === 1 && only?.kind === 'operand') return this.#operand(only.node);
    return this.#chain(items, { at: 0 }, 0);
  }

  /** Precedence climbing over a chain; a level's operators take their right side from the level above, `^` from its own. */
  #chain(items: readonly ChainItem[], position: { at: number }, level: number): Expr {
    let left = this.#signed(items, position);
    for (;;) {
      const item = items[position.at];
      const operator = item?.kind === 'infix' ? item.nodes[0] : undefined;
      if (item?.kind !== 'infix' || operator === undefined) return left;
      const text = this.#text(operator).toLowerCase();
      const op = BINARY_OPERATORS.find((known) => known === text);
      if (op === undefined) this.#fail(`unexpected <op:${text}>`, { start: operator.from, end: operator.to });
      const own = levelOf(op);
      if (own < level) return left;
      position.at += 1;
      const right = this.#chain(items, position, op === '^' ? own : own + 1);
      left = this.#binary(op, left, right, item.nodes.slice(1));
    }
  }

  #signed(items: readonly ChainItem[], position: { at: number }): Expr {
    const item = items[position.at];
    position.at += 1;
    if (item?.kind === 'prefix') return this.#negate(item.op, this.#chain(items, position, SIGN_LEVEL + 1), item.start);
    let expr: Expr;
    if (item?.kind === 'operand') expr = this.#operand(item.node);
    else if (item?.kind === 'number') expr = this.#number(item.start, item.end);
    else return this.#fail('unexpected end of input', { start: this.#query.length, end: this.#query.length });
    for (;;) {
      const next = items[position.at];
      if (next?.kind !== 'postfix') return expr;
      position.at += 1;
      expr = this.#postfix(expr, next.node);
    }
  }

  #postfix(expr: Expr, node: SyntaxNode): Expr {
    switch (node.name) {
      case 'MatrixSelector':
        return this.#matrix(expr, node);
      case 'SubqueryExpr':
        return this.#subquery(expr, node);
      case 'OffsetExpr':
        return this.#offset(expr, node);
      default:
        return this.#at(expr, node);
    }
  }

  #operand(node: SyntaxNode): Expr {
    switch (node.name) {
      case 'AggregateExpr':
        return this.#aggregation(node);
      case 'FunctionCall':
        return this.#call(node);
      case 'NumberDurationLiteral':
        return this.#number(node.from, node.to);
      case 'ParenExpr':
        return { kind: 'paren', expr: this.build(this.#child(node, 0)), start: node.from, end: node.to };
      case 'StringLiteral':
        return { kind: 'string', value: this.#string(node), start: node.from, end: node.to };
      case 'VectorSelector':
        return this.#selector(node);
      default:
        return this.#fail(`unexpected ${quote(this.#text(node))}`, { start: node.from, end: node.to });
    }
  }

  #fail(reason: string, position: Position): never {
    throw new PromqlSyntaxError(reason, this.#query, position);
  }

  #text(node: SyntaxNode): string {
    return this.#query.slice(node.from, node.to);
  }

  #child(node: SyntaxNode, index: number): SyntaxNode {
    let child = node.firstChild;
    for (let i = 0; child !== null; child = child.nextSibling) {
      if (child.name === 'LineComment') continue;
      if (i === index) return child;
      i++;
    }
    return this.#fail('unexpected end of input', { start: node.to, end: node.to });
  }

  #string(node: SyntaxNode): string {
    const text = this.#text(node);
    const value = unquote(text);
    if (text.length < 2 || !text.endsWith(text[0] ?? ''))
      this.#fail('unterminated quoted string', { start: node.from, end: node.to });
    if (value === undefined)
      this.#fail(`error unquoting string ${quote(text)}: invalid syntax`, { start: node.from, end: node.to });
    return value;
  }

  /** Seconds and whether it was written as a duration. */
  #literal(text: string, position: Position): { value: number; duration: boolean } {
    const unsigned = text.replace(/^[+-]\s*/, '');
    const sign = text.startsWith('-') ? -1 : 1;
    if (/^[a-z]/i.test(unsigned)) return { value: sign * (parseNumber(unsigned) ?? Number.NaN), duration: false };
    const start = position.end - unsigned.length;
    const { kind, end } = readNumberOrDuration(this.#query, start);
    if (kind === 'error')
      this.#fail(`bad number or duration syntax: ${quote(this.#query.slice(start, end))}`, position);
    const problem = literalProblem(kind, unsigned);
    if (problem !== undefined) this.#fail(problem, position);
    if (kind === 'duration')
      return { value: (sign * (parseDurationMs(unsigned) ?? Number.NaN)) / 1000, duration: true };
    const value = parseNumber(unsigned) ?? Number.NaN;
    return { value: sign * value, duration: false };
  }

  #number(start: number, end: number): Expr {
    const position = { start, end };
    return { kind: 'number', ...this.#literal(this.#query.slice(start, end), position), ...position };
  }

  #negate(op: '+' | '-', expr: Expr, start: number): Expr {
    if (expr.kind === 'number') return { ...expr, value: op === '-' ? -expr.value : expr.value, start };
    return { kind: 'unary', op, expr, start, end: expr.end };
  }

  #binary(op: BinaryOperator, left: Expr, right: Expr, modifiers: readonly SyntaxNode[]): Expr {
    let bool = false;
    let matching: VectorMatching = { cardinality: 'one-to-one', on: false, labels: [], include: [] };
    for (const child of modifiers) {
      if (child.name === 'BoolModifier') bool = true;
      else if (child.name === 'MatchingModifierClause') matching = this.#matching(child);
      else this.#fail('binop fill modifiers are experimental and not enabled', { start: child.from, end: child.to });
    }
    if (isSetOperator(op) && matching.cardinality === 'one-to-one')
      matching = { ...matching, cardinality: 'many-to-many' };
    return { kind: 'binary', op, left, right, bool, matching, start: left.start, end: right.end };
  }

  #matching(node: SyntaxNode): VectorMatching {
    let on = false;
    let cardinality: MatchingCardinality = 'one-to-one';
    const lists: string[][] = [];
    for (const child of childrenOfNode(node)) {
      if (child.name === 'On') on = true;
      else if (child.name === 'GroupLeft') cardinality = 'many-to-one';
      else if (child.name === 'GroupRight') cardinality = 'one-to-many';
      else if (child.name === 'GroupingLabels') lists.push(this.#groupingLabels(child));
    }
    return { cardinality, on, labels: lists[0] ?? [], include: lists[1] ?? [] };
  }

  #groupingLabels(node: SyntaxNode): string[] {
    return childrenOfNode(node).map((child) =>
      child.name === 'QuotedLabelName' ? this.#string(this.#child(child, 0)) : this.#text(child),
    );
  }

  #args(node: SyntaxNode): Expr[] {
    return childrenOfNode(node).map((child) => this.build(child));
  }

  #aggregation(node: SyntaxNode): Expr {
    const position = { start: node.from, end: node.to };
    let op: Aggregator = 'sum';
    let grouping: string[] = [];
    let without = false;
    let args: Expr[] = [];
    for (const child of childrenOfNode(node)) {
      if (child.name === 'AggregateOp') {
        const text = this.#text(child).toLowerCase();
        op = AGGREGATORS.find((known) => known === text) ?? op;
      } else if (child.name === 'AggregateModifier') {
        without = this.#child(child, 0).name === 'Without';
        grouping = this.#groupingLabels(this.#child(child, 1));
      } else args = this.#args(child);
    }
    if (args.length === 0) this.#fail('no arguments for aggregate expression provided', position);
    const takesParam = ['topk', 'bottomk', 'count_values', 'quantile', 'limitk', 'limit_ratio'].includes(op);
    if ((op === 'limitk' || op === 'limit_ratio') && !this.#experimental)
      this.#fail(
        `${op}() is experimental and must be enabled with --enable-feature=promql-experimental-functions`,
        position,
      );
    const wanted = takesParam ? 2 : 1;
    const expr = args.at(-1);
    if (args.length !== wanted || expr === undefined)
      return this.#fail(
        `wrong number of arguments for aggregate expression provided, expected ${wanted}, got ${args.length}`,
        position,
      );
    const param = takesParam ? args[0] : undefined;
    return { kind: 'aggregation', op, ...(param ? { param } : {}), expr, grouping, without, ...position };
  }

  #call(node: SyntaxNode): Expr {
    const identifier = this.#child(node, 0);
    const name = this.#text(identifier);
    const args = this.#args(this.#child(node, 1));
    const fn = FUNCTIONS.get(name);
    const namePosition = { start: identifier.from, end: identifier.to };
    if (name === 'start' || name === 'end')
      this.#fail('unexpected "("', { start: this.#child(node, 1).from, end: node.to });
    if (fn === undefined) return this.#fail(`unknown function with name ${quote(name)}`, namePosition);
    if (fn.experimental && !this.#experimental) this.#fail(`function ${quote(name)} is not enabled`, namePosition);
    return { kind: 'call', fn, args, start: node.from, end: node.to };
  }

  #selector(node: SyntaxNode): VectorSelector {
    let name = '';
    const matchers: LabelMatcher[] = [];
    for (const child of childrenOfNode(node)) {
      if (child.name === 'Identifier') name = this.#text(child);
      else for (const item of childrenOfNode(child)) matchers.push(this.#matcher(item));
    }
    if (name.toLowerCase() === 'atan2')
      this.#fail(
        `unexpected <op:${name.toLowerCase()}>`,
        node.firstChild === null
          ? { start: node.from, end: node.to }
          : { start: node.firstChild.from, end: node.firstChild.to },
      );
    if (name !== '') matchers.push(createMatcher(METRIC_NAME, '=', name));
    return { kind: 'vector-selector', name, matchers, time: { offsetMs: 0 }, start: node.from, end: node.to };
  }

  #matcher(node: SyntaxNode): LabelMatcher {
    if (node.name === 'QuotedLabelName') return createMatcher(METRIC_NAME, '=', this.#string(this.#child(node, 0)));
    const label = this.#child(node, 0);
    const name = label.name === 'QuotedLabelName' ? this.#string(this.#child(label, 0)) : this.#text(label);
    const operator = this.#text(this.#child(node, 1)) as MatchOperator;
    const value = this.#string(this.#child(node, 2));
    try {
      return createMatcher(name, operator, value);
    } catch (error) {
      return this.#fail(error instanceof Error ? error.message : String(error), { start: node.from, end: node.to });
    }
  }

  /** A duration between brackets or after `offset`. */
  #duration(node: SyntaxNode, mustBePositive: boolean, place: string): ParsedDuration {
    // The grammar of lezer-promql is of a newer version, which has functions here.
    if (/[a-z_]\w*\s*\(/i.test(this.#text(node))) throw diagnose(this.#query, node.from);
    return parseDuration(this.#query, {
      position: { start: node.from, end: node.to },
      isEnabled: this.#durationExpressions,
      mustBePositive,
      place,
      literal: (text, position) => this.#literal(text, position),
      fail: (reason, position) => this.#fail(reason, position),
    });
  }

  #matrix(expr: Expr, node: SyntaxNode): Expr {
    const range = this.#duration(this.#child(node, 1), true, 'subquery selector');
    const bracket = { start: this.#query.indexOf('[', expr.end), end: node.to };
    if (expr.kind !== 'vector-selector') return this.#fail('ranges only allowed for vector selectors', bracket);
    if (expr.time.offsetMs !== 0) this.#fail('no offset modifiers allowed before range', bracket);
    if (expr.time.atMs !== undefined || expr.time.atBoundary !== undefined)
      this.#fail('no @ modifiers allowed before range', bracket);
    return {
      kind: 'matrix-selector',
      selector: expr,
      rangeMs: range.ms,
      ...(range.text !== undefined && { rangeText: range.text }),
      ...(range.problem !== undefined && { problem: range.problem }),
      start: expr.start,
      end: node.to,
    };
  }

  #subquery(expr: Expr, node: SyntaxNode): Expr {
    const [, range, step] = childrenOfNode(node);
    if (range === undefined) return this.#fail('unexpected end of input', { start: node.to, end: node.to });
    const { ms: rangeMs, text: rangeText, ...ofRange } = this.#duration(range, true, 'subquery selector');
    const none: ParsedDuration = { ms: 0 };
    const parsedStep = step === undefined ? none : this.#duration(step, true, 'subquery selector');
    const { ms: stepMs, text: stepText } = parsedStep;
    const problem = parsedStep.problem ?? ofRange.problem;
    return {
      kind: 'subquery',
      expr,
      rangeMs,
      stepMs,
      ...(rangeText !== undefined && { rangeText }),
      ...(stepText !== undefined && { stepText }),
      ...(problem !== undefined && { problem }),
      time: { offsetMs: 0 },
      start: expr.start,
      end: node.to,
    };
  }

  #withTime(expr: Expr, end: number, change: (time: TimeModifiers, expr: Expr) => TimeModifiers, what: string): Expr {
    switch (expr.kind) {
      case 'vector-selector':
      case 'subquery':
        return { ...expr, time: change(expr.time, expr), end };
      case 'matrix-selector':
        return { ...expr, selector: { ...expr.selector, time: change(expr.selector.time, expr) }, end };
      default:
        return this.#fail(
          `${what} modifier must be preceded by an instant vector selector or range vector selector or a subquery`,
          expr,
        );
    }
  }

  #offset(expr: Expr, node: SyntaxNode): Expr {
    const { ms: offsetMs, text: offsetText, problem } = this.#duration(this.#child(node, 2), false, 'offset');
    return this.#withTime(
      expr,
      node.to,
      (time) => {
        if (time.offsetMs !== 0 || time.offsetText !== undefined)
          this.#fail('offset may not be set multiple times', expr);
        return {
          ...time,
          offsetMs,
          ...(offsetText !== undefined && { offsetText }),
          ...(problem !== undefined && { problem }),
        };
      },
      'offset',
    );
  }

  #at(expr: Expr, node: SyntaxNode): Expr {
    const argument = this.#child(node, 2);
    const set: Partial<TimeModifiers> = {};
    if (argument.name === 'AtModifierPreprocessors')
      Object.assign(set, { atBoundary: this.#text(argument).toLowerCase().startsWith('start') ? 'start' : 'end' });
    else {
      const seconds = this.#literal(this.#text(argument), { start: argument.from, end: argument.to }).value;
      if (!Number.isFinite(seconds) || Math.abs(seconds) >= 2 ** 63) {
        const shown = Number.isNaN(seconds)
          ? 'NaN'
          : !Number.isFinite(seconds)
            ? seconds > 0
              ? '+Inf'
              : '-Inf'
            : `${BigInt(seconds)}.000000`;
        this.#fail(`timestamp out of bounds for @ modifier: ${shown}`, expr);
      }
      Object.assign(set, { atMs: Math.round(seconds * 1000) });
    }
    return this.#withTime(
      expr,
      node.to,
      (time) => {
        if (time.atMs !== undefined || time.atBoundary !== undefined)
          this.#fail('@ <timestamp> may not be set multiple times', expr);
        return { ...time, ...set };
      },
      '@',
    );
  }
}
