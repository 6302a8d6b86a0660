/** Expressions over objects without a schema, as admission policies use them (`apiserver/pkg/admission/plugin/cel`). */
import { isRecord } from '../values/json.ts';
import { type Expr, showProblems } from './ast.ts';
import { checkCel } from './checker.ts';
import { evaluateCel } from './evaluator.ts';
import { parseCel } from './parser.ts';
import { DYN } from './types.ts';
import { CelError, CelMap, type Value } from './values.ts';

export interface Expression {
  /** Undefined where the expression is wrong. */
  readonly expr: Expr | undefined;
  readonly problem: string | undefined;
}

/** `wanted` are the types that will do, none for any; what is only known later passes. */
export function compileExpression(
  source: string,
  variables: readonly string[],
  wanted: readonly string[] = [],
): Expression {
  const parsed = parseCel(source);
  const broken = (problem: string): Expression => ({ expr: undefined, problem });
  if (parsed.expr === undefined) return broken(`compilation failed: ${showProblems(source, parsed.problems)}`);
  const { type, problems } = checkCel(parsed.expr, new Map(variables.map((name) => [name, DYN])));
  if (problems.length > 0) return broken(`compilation failed: ${showProblems(source, problems)}`);
  if (wanted.length > 0 && type.kind !== 'dyn' && !wanted.includes(type.kind === 'null' ? 'null_type' : type.kind))
    return broken(`must evaluate to ${wanted.length === 1 ? wanted[0] : `one of [${wanted.join(' ')}]`}`);
  return { expr: parsed.expr, problem: undefined };
}

/** JSON as CEL sees it without a schema. */
export function dynamicValue(value: unknown): Value {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(dynamicValue);
  if (isRecord(value)) return new CelMap(Object.entries(value).map(([key, entry]) => [key, dynamicValue(entry)]));
  return value as Value;
}

/** Values that are made when they are first asked for: `variables` of a policy, which may use each other. */
export class LazyValues extends CelMap {
  readonly #make: ReadonlyMap<string, () => Value>;
  readonly #made = new Map<string, Value>();

  constructor(make: ReadonlyMap<string, () => Value>) {
    super([]);
    this.#make = make;
  }

  override get(key: Value): Value | undefined {
    if (typeof key !== 'string') return undefined;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const make = this.#make.get(key);
    if (make === undefined) return undefined;
    const value = make();
    this.#made.set(key, value);
    return value;
  }

  override has(key: Value): boolean {
    return typeof key === 'string' && this.#make.has(key);
  }
}

/** `failure` is what was thrown, for those who pass it on. */
export type Evaluation = { readonly value: Value } | { readonly error: string; readonly failure: Error };

export function evaluationFailure(message: string): Evaluation {
  return { error: message, failure: new CelError(message) };
}

export function evaluateExpression(expr: Expr, variables: ReadonlyMap<string, Value>): Evaluation {
  try {
    return { value: evaluateCel(expr, variables) };
  } catch (error) {
    if (error instanceof CelError) return { error: error.message, failure: error };
    throw error;
  }
}
