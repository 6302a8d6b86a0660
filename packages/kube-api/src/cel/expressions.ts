/** Expressions over objects without a schema, as admission policies use them (`apiserver/pkg/admission/plugin/cel`). */
import { isRecord } from '../values/json.ts';
import { type Expr, showProblems } from './ast.ts';
import { checkCel, type StructTypes } from './checker.ts';
import { evaluateCel } from './evaluator.ts';
import { parseCel } from './parser.ts';
import { durationText, timestampText } from './time-text.ts';
import { type CelType, DYN, formatType } from './types.ts';
import { CelError, CelMap, CelObject, Duration, Timestamp, Uint, type Value } from './values.ts';

export interface Expression {
  /** Undefined where the expression is wrong. */
  readonly expr: Expr | undefined;
  readonly type: CelType;
  readonly problem: string | undefined;
}

/** `wanted` are the types that will do, none for any; what is only known later is not one of them. */
export function compileExpression(
  source: string,
  variables: ReadonlyMap<string, CelType>,
  wanted: readonly string[] = [],
  structs?: StructTypes,
): Expression {
  const parsed = parseCel(source);
  const broken = (problem: string): Expression => ({ expr: undefined, type: DYN, problem });
  if (parsed.expr === undefined) return broken(`compilation failed: ${showProblems(source, parsed.problems)}`);
  const { type, problems } = checkCel(parsed.expr, variables, structs);
  if (problems.length > 0) return broken(`compilation failed: ${showProblems(source, problems)}`);
  const given = typeText(type);
  // A list that may be empty has the type of what it may hold.
  const fits = wanted.includes(given) || (given === 'list(dyn)' && parsed.expr.kind !== 'list' && hasList(wanted));
  if (wanted.length > 0 && !fits)
    return broken(
      `must evaluate to ${wanted.length === 1 ? wanted[0] : `one of [${wanted.join(' ')}]`} but got ${given}`,
    );
  return { expr: parsed.expr, type, problem: undefined };
}

const hasList = (types: readonly string[]): boolean => types.some((type) => type.startsWith('list('));

/** A type as `cel.Type.String` shows it. */
function typeText(type: CelType): string {
  switch (type.kind) {
    case 'null':
      return 'null_type';
    case 'timestamp':
      return 'google.protobuf.Timestamp';
    case 'duration':
      return 'google.protobuf.Duration';
  }
  return formatType(type);
}

/** An expression that was checked when it was written: only read. */
export function parseExpression(source: string): Pick<Expression, 'expr' | 'problem'> {
  const { expr, problems } = parseCel(source);
  return expr === undefined
    ? { expr, problem: `compilation failed: ${showProblems(source, problems)}` }
    : { expr, problem: undefined };
}

/** JSON as CEL sees it without a schema. */
export function dynamicValue(value: unknown): Value {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(dynamicValue);
  if (isRecord(value)) return new CelMap(Object.entries(value).map(([key, entry]) => [key, dynamicValue(entry)]));
  return value as Value;
}

/** A value as JSON; throws a `CelError` for one that has no place there. */
export function jsonOfValue(value: Value): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (Array.isArray(value)) return value.map((entry: Value) => jsonOfValue(entry));
  if (value instanceof Timestamp) return timestampText(value.nanos);
  if (value instanceof Duration) return durationText(value.nanos);
  if (value instanceof Uint8Array) return base64Of(value);
  if (!(value instanceof CelMap)) throw new CelError(`unable to convert to JSON`);
  const out: [string, unknown][] = [];
  for (const [key, entry] of value.entries.values()) {
    if (typeof key !== 'string') throw new CelError(`map key ${String(key)} is of type int, not string`);
    out.push([key, jsonOfValue(entry)]);
  }
  return Object.fromEntries(out);
}

const base64Of = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

/** What is called otherwise than the field it is in, in an object that was made (`CheckTypeNamesMatchFieldPathNames`). */
export function typeNameProblem(value: Value): string | undefined {
  return value instanceof CelObject ? nameProblemAt(value, value.typeName) : undefined;
}

function nameProblemAt(value: Value, path: string): string | undefined {
  if (Array.isArray(value)) return firstProblem(value, (entry: Value) => nameProblemAt(entry, path));
  if (!(value instanceof CelMap)) return undefined;
  if (!(value instanceof CelObject))
    return firstProblem(value.entries.values(), ([, entry]) => nameProblemAt(entry, path));
  if (value.typeName !== path)
    return `unexpected type name "${value.typeName}", expected "${path}", which matches field name path from root Object type`;
  return firstProblem(value.entries.values(), ([key, entry]) => nameProblemAt(entry, `${path}.${String(key)}`));
}

function firstProblem<T>(values: Iterable<T>, problemOf: (value: T) => string | undefined): string | undefined {
  for (const value of values) {
    const problem = problemOf(value);
    if (problem !== undefined) return problem;
  }
  return undefined;
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
