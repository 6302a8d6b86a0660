import { formatValue } from '../numbers.ts';
import type { Position } from './ast.ts';
import { formatDurationMs } from './literals.ts';
import { describeToken, type Token, tokenize } from './tokens.ts';

type DurationOperator = '+' | '-' | '*' | '/' | '%' | '^';

interface Literal extends Position {
  readonly kind: 'literal';
  /** Seconds. */
  readonly value: number;
  readonly duration: boolean;
}

interface Operation extends Position {
  readonly kind: 'operation';
  readonly op: DurationOperator;
  /** Absent where it is a sign. */
  readonly left?: Duration;
  readonly right: Duration;
  readonly wrapped: boolean;
}

type Duration = Literal | Operation;

/** A duration between brackets or after `offset`. */
export interface ParsedDuration {
  readonly ms: number;
  /** As it is printed again, where it is more than a literal. */
  readonly text?: string;
  /** Why a query with it cannot begin. Prometheus computes expressions then, so that it is no mistake of syntax. */
  readonly problem?: string;
}

export interface DurationContext {
  /** Where the duration begins and ends in the query. */
  readonly position: Position;
  /** Whether `--enable-feature=promql-duration-expr` is on. */
  readonly isEnabled: boolean;
  readonly mustBePositive: boolean;
  /** What it is called where a word is found in its place. */
  readonly place: string;
  literal(text: string, position: Position): { readonly value: number; readonly duration: boolean };
  fail(reason: string, position: Position): never;
}

const LEVELS: Readonly<Record<DurationOperator, number>> = { '+': 1, '-': 1, '*': 2, '/': 2, '%': 2, '^': 3 };
const SIGN_LEVEL = 2;
/** 2^63 nanoseconds. */
const MAX_SECONDS = 9_223_372_036.854_776;

function isOperator(text: string): text is DurationOperator {
  return text in LEVELS;
}

/** Reads and computes a duration (promql/parser/generated_parser.y `duration_expr`, promql/durations.go). */
export function parseDuration(query: string, context: DurationContext): ParsedDuration {
  const { position, mustBePositive } = context;
  const reader = new DurationReader(query.slice(position.start, position.end), context);
  const duration = reader.read();
  if (duration.kind === 'literal') {
    if (mustBePositive && !(duration.value > 0)) context.fail('duration must be greater than 0', duration);
    return { ms: Math.round(duration.value * 1000) };
  }
  const text = textOf(duration);
  const seconds = secondsOf(duration);
  if (typeof seconds !== 'number') return { ms: 0, text, problem: problemAt(seconds.at, seconds.reason) };
  if (mustBePositive && seconds <= 0)
    return { ms: 0, text, problem: problemAt(duration, 'duration must be greater than 0') };
  // Prometheus lets more through, and then computes with what is left of 64 bits.
  if (!(Math.abs(seconds) <= MAX_SECONDS))
    return { ms: 0, text, problem: problemAt(duration, 'duration is out of range') };
  return { ms: Math.trunc(seconds * 1000) + 0, text };
}

function problemAt({ start, end }: Position, reason: string): string {
  return `${start}:${end}: ${reason}`;
}

class DurationReader {
  readonly #context: DurationContext;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string, context: DurationContext) {
    this.#context = context;
    // A number may end in what must not end a query.
    this.#tokens = tokenize(`${text} `).filter((token) => token.text !== '' || token.kind !== 'end of input');
  }

  read(): Duration {
    const duration = this.#binary(0);
    const rest = this.#tokens[this.#at];
    return rest === undefined ? duration : this.#unexpected(rest);
  }

  #positionOf({ start, end }: Position): Position {
    const from = this.#context.position.start;
    return { start: from + start, end: from + end };
  }

  #unexpected(token: Token): never {
    const { place } = this.#context;
    if (token.kind === 'error') return this.#context.fail(token.text, this.#positionOf(token));
    return this.#context.fail(
      `unexpected ${describeToken(token)} in ${place}, expected number or duration`,
      this.#positionOf(token),
    );
  }

  #experimental(at: Position): void {
    if (!this.#context.isEnabled) this.#context.fail('experimental duration expression is not enabled', at);
  }

  #binary(level: number): Duration {
    let left = this.#signed();
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined || !isOperator(token.text) || LEVELS[token.text] < level) return left;
      const op = token.text;
      this.#at++;
      const right = this.#binary(op === '^' ? LEVELS[op] : LEVELS[op] + 1);
      this.#experimental(left);
      if ((op === '/' || op === '%') && right.kind === 'literal' && right.value === 0)
        this.#context.fail(op === '/' ? 'division by zero' : 'modulo by zero', this.#positionOf(token));
      left = { kind: 'operation', op, left, right, wrapped: false, start: left.start, end: right.end };
    }
  }

  #signed(): Duration {
    const token = this.#tokens[this.#at];
    if (token?.text !== '-' && token?.text !== '+') return this.#primary();
    this.#at++;
    const right = this.#binary(SIGN_LEVEL + 1);
    const { start } = this.#positionOf(token);
    if (right.kind === 'literal') return { ...right, value: token.text === '-' ? -right.value : right.value, start };
    if (token.text === '+') return right;
    return { kind: 'operation', op: '-', right, wrapped: false, start, end: right.end };
  }

  #primary(): Duration {
    const token = this.#tokens[this.#at];
    const { position } = this.#context;
    if (token === undefined)
      return this.#context.fail('unexpected end of input', { start: position.end, end: position.end });
    this.#at++;
    if (token.kind === 'number' || token.kind === 'duration') {
      const own = this.#positionOf(token);
      const { value, duration } = this.#context.literal(token.text, own);
      if (!(Math.abs(value) <= MAX_SECONDS)) this.#context.fail('duration out of range', own);
      return { kind: 'literal', value, duration, ...own };
    }
    if (token.text !== '(') return this.#unexpected(token);
    const inner = this.#binary(0);
    const close = this.#tokens[this.#at];
    if (close?.text !== ')') return this.#unexpected(close ?? token);
    this.#at++;
    this.#experimental(inner);
    return inner.kind === 'operation' ? { ...inner, wrapped: true } : inner;
  }
}

/** The seconds, or what division makes no sense. */
function secondsOf(duration: Duration): number | { readonly at: Position; readonly reason: string } {
  if (duration.kind === 'literal') return duration.value;
  const left = duration.left === undefined ? 0 : secondsOf(duration.left);
  if (typeof left !== 'number') return left;
  const right = secondsOf(duration.right);
  if (typeof right !== 'number') return right;
  switch (duration.op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return right === 0 ? { at: duration, reason: 'division by zero' } : left / right;
    case '%':
      return right === 0 ? { at: duration, reason: 'modulo by zero' } : left % right;
    case '^':
      return left ** right;
  }
}

function textOf(duration: Duration): string {
  if (duration.kind === 'literal')
    return duration.duration ? formatDurationMs(Math.round(duration.value * 1000)) : formatValue(duration.value);
  const { op, left, right, wrapped } = duration;
  const text = left === undefined ? `${op}${textOf(right)}` : `${textOf(left)} ${op} ${textOf(right)}`;
  return wrapped ? `(${text})` : text;
}
