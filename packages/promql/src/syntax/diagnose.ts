import { quote } from '@kind-e2e/telemetry';
import { PromqlSyntaxError } from './errors.ts';
import { literalProblem } from './literals.ts';
import { FUNCTIONS } from './signatures.ts';
import { describeToken, type Token, type TokenKind, tokenize } from './tokens.ts';

/**
 * Says what is wrong with a query that lezer-promql found an error in, in the words of Prometheus' parser
 * (promql/parser/generated_parser.y: each `error` production with its context). It reads the tokens once, by descent,
 * and stops at the first that does not fit.
 */
export function diagnose(query: string, stoppedAt: number): PromqlSyntaxError {
  try {
    new Recognizer(query).run();
  } catch (error) {
    if (error instanceof PromqlSyntaxError) return error;
    throw error;
  }
  const position = { start: Math.min(stoppedAt, query.length), end: query.length };
  return new PromqlSyntaxError('expression has more operators in a row than the parser takes', query, position);
}

/** Deeper nesting is refused. */
const MAX_NESTING = 400;

/** A label may be any of these, keywords included. */
const LABEL_KINDS: readonly TokenKind[] = ['identifier', 'aggregator', 'keyword', 'boundary', 'metric identifier'];

class Recognizer {
  readonly #query: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(query: string) {
    this.#query = query;
    this.#tokens = tokenize(query);
  }

  run(): void {
    if (this.#peek().kind === 'end of input')
      throw new PromqlSyntaxError('no expression found in input', this.#query, undefined);
    this.#expr();
    if (this.#peek().kind !== 'end of input') this.#unexpected();
  }

  #peek(ahead = 0): Token {
    const token = this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)];
    if (token === undefined) throw new PromqlSyntaxError('no expression found in input', this.#query, undefined);
    if (token.kind === 'error') throw new PromqlSyntaxError(token.text, this.#query, token);
    return token;
  }

  #take(): Token {
    const token = this.#peek();
    this.#at += 1;
    if (token.kind === 'number' || token.kind === 'duration') {
      const problem = literalProblem(token.kind, token.text);
      if (problem !== undefined) throw new PromqlSyntaxError(problem, this.#query, token);
    }
    return token;
  }

  #unexpected(context = '', expected = ''): never {
    const token = this.#peek();
    const where = context === '' ? '' : ` in ${context}`;
    const what = expected === '' ? '' : `, expected ${expected}`;
    throw new PromqlSyntaxError(`unexpected ${describeToken(token)}${where}${what}`, this.#query, token);
  }

  #is(text: string, kind?: TokenKind): boolean {
    const token = this.#peek();
    return token.text.toLowerCase() === text && token.kind !== 'string' && (kind === undefined || token.kind === kind);
  }

  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string, context = '', expected = ''): void {
    if (!this.#accept(text)) this.#unexpected(context, expected);
  }

  /** Precedence does not matter for what comes next, so operators are read from left to right. */
  #expr(): void {
    if (++this.#depth > MAX_NESTING)
      throw new PromqlSyntaxError(`expression is nested deeper than ${MAX_NESTING} levels`, this.#query, this.#peek());
    this.#operands();
    this.#depth -= 1;
  }

  #operands(): void {
    this.#unary();
    while (this.#peek().kind === 'operator' && !this.#is('@')) {
      if (['=~', '!~'].includes(this.#peek().text)) this.#unexpected();
      this.#take();
      this.#accept('bool');
      if (this.#accept('on') || this.#accept('ignoring')) {
        this.#groupingLabels();
        if ((this.#accept('group_left') || this.#accept('group_right')) && this.#is('(')) this.#groupingLabels();
      }
      this.#unary();
    }
  }

  #unary(): void {
    while (this.#is('-', 'operator') || this.#is('+', 'operator')) this.#take();
    this.#primary();
    for (;;) {
      if (this.#accept('offset')) this.#offset();
      else if (this.#is('@', 'operator')) {
        this.#take();
        this.#timestamp();
      } else if (this.#accept('[')) this.#range();
      else return;
    }
  }

  #primary(): void {
    const token = this.#peek();
    switch (token.kind) {
      case 'number':
      case 'duration':
      case 'string':
        this.#take();
        return;
      case 'aggregator':
        if (this.#peek(1).text === '(' || ['by', 'without'].includes(this.#peek(1).text.toLowerCase())) {
          this.#take();
          this.#aggregation();
        } else if (this.#peek(1).kind === 'identifier') {
          this.#take();
          this.#unexpected('aggregation');
        } else this.#selector();
        return;
      case 'identifier':
      case 'metric identifier':
      case 'boundary':
        if (token.kind === 'identifier' && this.#peek(1).text === '(') {
          this.#take();
          this.#callBody();
          if (!FUNCTIONS.has(token.text))
            throw new PromqlSyntaxError(`unknown function with name ${quote(token.text)}`, this.#query, token);
        } else this.#selector();
        return;
      case 'keyword':
        if (!['by', 'without'].includes(token.text.toLowerCase())) this.#unexpected();
        this.#selector();
        return;
      case 'operator':
        if (!/^\w/.test(token.text)) this.#unexpected();
        this.#selector();
        return;
      default:
        if (this.#is('{')) {
          this.#selector();
          return;
        }
        if (!this.#accept('(')) this.#unexpected();
        this.#expr();
        this.#expect(')');
    }
  }

  #aggregation(): void {
    const modifier = (): boolean => {
      if (!this.#accept('by') && !this.#accept('without')) return false;
      this.#groupingLabels();
      return true;
    };
    if (modifier()) {
      if (!this.#is('(')) this.#unexpected('aggregation');
      this.#callBody();
    } else {
      this.#callBody();
      modifier();
    }
  }

  #callBody(): void {
    this.#expect('(');
    if (this.#accept(')')) return;
    this.#expr();
    while (this.#is(',')) {
      const comma = this.#take();
      if (this.#is(')'))
        throw new PromqlSyntaxError('trailing commas not allowed in function call args', this.#query, comma);
      this.#expr();
    }
    this.#expect(')');
  }

  #groupingLabels(): void {
    this.#expect('(', 'grouping opts', '"("');
    if (this.#accept(')')) return;
    for (;;) {
      const token = this.#peek();
      const isLabel = LABEL_KINDS.includes(token.kind) || (token.kind === 'operator' && /^\w/.test(token.text));
      if ((!isLabel && token.kind !== 'string') || token.kind === 'metric identifier')
        this.#unexpected('grouping opts', 'label');
      this.#take();
      if (this.#accept(')')) return;
      this.#expect(',', 'grouping opts', '"," or ")"');
      if (this.#accept(')')) return;
    }
  }

  #offset(): void {
    const startsWithParen = this.#is('(');
    this.#durationOperand('offset', 'number or duration');
    if (startsWithParen) this.#durationRest('offset', 'number or duration');
  }

  /** Signs and a literal or an expression in parentheses. */
  #durationOperand(context: string, expected: string): void {
    while (this.#is('-', 'operator') || this.#is('+', 'operator')) this.#take();
    if (this.#accept('(')) {
      this.#durationOperand(context, expected);
      this.#durationRest(context, expected);
      this.#expect(')', context, expected);
      return;
    }
    const { kind } = this.#peek();
    if (kind !== 'number' && kind !== 'duration') this.#unexpected(context, expected);
    this.#take();
  }

  #durationRest(context: string, expected: string): void {
    while (['+', '-', '*', '/', '%', '^'].includes(this.#peek().text) && this.#peek().kind === 'operator') {
      this.#take();
      this.#durationOperand(context, expected);
    }
  }

  #timestamp(): void {
    if (this.#peek().kind === 'boundary') {
      this.#take();
      if (!this.#accept('(')) this.#unexpected('@', 'timestamp');
      this.#expect(')', '@', 'timestamp');
      return;
    }
    if (!this.#accept('-')) this.#accept('+');
    const { kind } = this.#peek();
    if (kind !== 'number' && kind !== 'duration') this.#unexpected('@', 'timestamp');
    this.#take();
  }

  #range(): void {
    const duration = (context: string, expected: string): void => {
      this.#durationOperand(context, expected);
      this.#durationRest(context, expected);
    };
    duration('subquery selector', 'number or duration');
    if (this.#accept(']')) return;
    this.#expect(':', 'subquery or range', '":" or "]"');
    if (this.#accept(']')) return;
    duration('subquery selector', 'number or duration or "]"');
    this.#expect(']', 'subquery selector', '"]"');
  }

  #selector(): void {
    if (!this.#is('{')) this.#take();
    if (!this.#accept('{')) return;
    if (this.#accept('}')) return;
    for (;;) {
      const token = this.#peek();
      if (token.kind !== 'identifier' && token.kind !== 'string')
        this.#unexpected('label matching', 'identifier or "}"');
      this.#take();
      if (!(token.kind === 'string' && (this.#is(',') || this.#is('}')))) {
        if (!['=', '!=', '=~', '!~'].includes(this.#peek().text) || this.#peek().kind === 'string')
          this.#unexpected('label matching', 'label matching operator');
        this.#take();
        if (this.#peek().kind !== 'string') this.#unexpected('label matching', 'string');
        this.#take();
      }
      if (this.#accept('}')) return;
      this.#expect(',', 'label matching', '"," or "}"');
      if (this.#accept('}')) return;
    }
  }
}
