/** Evaluation of a checked expression (cel-go `interpreter`), with a limit on its steps. */
import { type Expr, type MacroExpr, qualifiedName } from './ast.ts';
import { NAMESPACES } from './declarations.ts';
import { callFunction } from './functions.ts';
import { TYPE_NAMES } from './types.ts';
import { CelError, CelMap, CelObject, noSuchOverload, Optional, TypeValue, Uint, type Value } from './values.ts';

/** `PerCallLimit` of apiserver's CEL: what one rule may cost. */
const MAX_STEPS = 1_000_000;

/** What the rules of one object may still cost together (`RuntimeCELCostBudget`). */
export interface Budget {
  steps: number;
}

/** Throws `CelError` with the words of cel-go. */
export function evaluateCel(expr: Expr, variables: ReadonlyMap<string, Value>, budget?: Budget): Value {
  const run = new Run(variables);
  try {
    return run.evaluate(expr);
  } finally {
    if (budget) budget.steps -= run.steps;
  }
}

class Run {
  steps = 0;
  readonly #outer: ReadonlyMap<string, Value>;
  readonly #scopes: Map<string, Value>[] = [];

  constructor(variables: ReadonlyMap<string, Value>) {
    this.#outer = variables;
  }

  evaluate(expr: Expr): Value {
    if (++this.steps > MAX_STEPS) throw new CelError('operation cancelled: actual cost limit exceeded');
    switch (expr.kind) {
      case 'literal': {
        const { value } = expr;
        return typeof value === 'object' && value !== null && 'uint' in value ? new Uint(value.uint) : (value as Value);
      }
      case 'ident':
        return this.#ident(expr.name);
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list': {
        const list: Value[] = [];
        for (const [index, element] of expr.elements.entries()) {
          const value = this.evaluate(element);
          if (!expr.optional.has(index)) list.push(value);
          else if (value instanceof Optional && value.value !== undefined) list.push(value.value);
        }
        return list;
      }
      case 'map': {
        const pairs: [Value, Value][] = [];
        for (const { key, value, optional } of expr.entries) {
          const name = this.evaluate(key);
          const entry = this.evaluate(value);
          if (!optional) pairs.push([name, entry]);
          else if (entry instanceof Optional && entry.value !== undefined) pairs.push([name, entry.value]);
        }
        return new CelMap(pairs);
      }
      case 'struct': {
        const pairs: [Value, Value][] = [];
        for (const field of expr.fields) {
          const value = this.evaluate(field.value);
          if (!field.optional) pairs.push([field.name, value]);
          else if (value instanceof Optional && value.value !== undefined) pairs.push([field.name, value.value]);
        }
        return new CelObject(expr.name, pairs);
      }
      case 'macro':
        return this.#macro(expr);
    }
  }

  #ident(written: string): Value {
    const name = written.replace(/^\./, '');
    if (written === name)
      for (let index = this.#scopes.length - 1; index >= 0; index--) {
        const value = this.#scopes[index]?.get(name);
        if (value !== undefined) return value;
      }
    const outer = this.#outer.get(name);
    if (outer !== undefined) return outer;
    if (TYPE_NAMES.has(name)) return new TypeValue(name);
    throw new CelError(`no such attribute(s): ${name}`);
  }

  #select(expr: Extract<Expr, { kind: 'select' }>): Value {
    const qualified = qualifiedName(expr);
    const variable = qualified === undefined ? undefined : this.#outer.get(qualified);
    if (variable !== undefined) return variable;
    let operand = this.evaluate(expr.operand);
    let isOptional = expr.optional;
    if (operand instanceof Optional) {
      if (operand.value === undefined) return expr.test ? false : operand;
      operand = operand.value;
      isOptional = true;
    }
    if (!(operand instanceof CelMap)) {
      if (isOptional) return new Optional(undefined);
      throw expr.test ? noSuchOverload() : new CelError(`no such key: ${expr.field}`);
    }
    const found = operand.get(expr.field);
    if (expr.test) return found !== undefined;
    if (isOptional) return new Optional(found);
    if (found === undefined) throw new CelError(`no such key: ${expr.field}`);
    return found;
  }

  #call(expr: Extract<Expr, { kind: 'call' }>): Value {
    const { name, target, args } = expr;
    const [first, second, third] = args;
    if (target === undefined && first !== undefined && second !== undefined)
      switch (name) {
        case '_&&_':
          return this.#logical(first, second, false);
        case '_||_':
          return this.#logical(first, second, true);
        case '_?_:_': {
          const condition = this.evaluate(first);
          if (typeof condition !== 'boolean') throw noSuchOverload();
          return this.evaluate(condition || third === undefined ? second : third);
        }
        case '_[_]':
          return this.#index(this.evaluate(first), this.evaluate(second));
        case '_[?_]':
          return optionalIndex(this.evaluate(first), this.evaluate(second));
      }
    if (target?.kind === 'ident' && NAMESPACES.has(target.name) && !this.#outer.has(target.name))
      return this.#invoke(
        `${target.name}.${name}`,
        args.map((arg) => this.evaluate(arg)),
      );
    const values = target === undefined ? [] : [this.evaluate(target)];
    for (const arg of args) values.push(this.evaluate(arg));
    if (target !== undefined) {
      const [receiver] = values;
      if (receiver instanceof Optional && (name === 'orValue' || name === 'or'))
        return receiver.value === undefined ? (values[1] ?? null) : name === 'or' ? receiver : receiver.value;
    }
    return this.#invoke(name, values);
  }

  #invoke(name: string, values: readonly Value[]): Value {
    // Work on long values counts by their length, as the real costs do.
    for (const value of values)
      if (typeof value === 'string') this.steps += Math.ceil(value.length / 10);
      else if (Array.isArray(value)) this.steps += value.length;
    return callFunction(name, values);
  }

  /** `&&` and `||`: one side that decides is enough, even where the other fails. */
  #logical(left: Expr, right: Expr, decides: boolean): Value {
    let failure: unknown;
    try {
      const value = this.evaluate(left);
      if (value === decides) return decides;
      if (typeof value !== 'boolean') failure = noSuchOverload();
    } catch (error) {
      failure = error;
    }
    const value = this.evaluate(right);
    if (value === decides) return decides;
    if (failure !== undefined) throw failure;
    if (typeof value !== 'boolean') throw noSuchOverload();
    return !decides;
  }

  #index(operand: Value, index: Value): Value {
    if (operand instanceof Optional) return operand.value === undefined ? operand : optionalIndex(operand.value, index);
    if (Array.isArray(operand)) {
      const at = listIndex(index);
      if (at < 0 || at >= operand.length) throw new CelError(`index out of bounds: ${at}`);
      return operand[at] as Value;
    }
    if (!(operand instanceof CelMap)) throw noSuchOverload();
    const found = operand.get(index);
    if (found === undefined) throw new CelError(`no such key: ${shownKey(index)}`);
    return found;
  }

  #macro(expr: MacroExpr): Value {
    const [first = '', second] = expr.variables;
    const body = expr.args.at(-1);
    if (body === undefined) throw noSuchOverload();
    const range = this.evaluate(expr.range);
    switch (expr.macro) {
      case 'bind':
        return this.#with([[first, range]], () => this.evaluate(body));
      case 'optMap':
      case 'optFlatMap': {
        if (!(range instanceof Optional)) throw noSuchOverload();
        const { value } = range;
        if (value === undefined) return range;
        const result = this.#with([[first, value]], () => this.evaluate(body));
        return expr.macro === 'optMap' ? new Optional(result) : result;
      }
      case 'all':
      case 'exists':
      case 'exists_one':
      case 'map':
      case 'filter':
      case 'transformList':
      case 'transformMap':
      case 'transformMapEntry':
        break;
    }
    const items = itemsOf(range, second !== undefined);
    const within = <T>([key, value]: readonly [Value, Value], action: () => T): T =>
      this.#with(
        second === undefined
          ? [[first, key]]
          : [
              [first, key],
              [second, value],
            ],
        action,
      );
    const accepted = (item: readonly [Value, Value], filter: Expr): boolean => {
      const value = within(item, () => this.evaluate(filter));
      if (typeof value !== 'boolean') throw noSuchOverload();
      return value;
    };
    const chosen = expr.args.length > 1 ? items.filter((item) => accepted(item, expr.args[0] as Expr)) : items;
    switch (expr.macro) {
      case 'all':
      case 'exists': {
        const decides = expr.macro === 'exists';
        let failure: unknown;
        for (const item of items) {
          try {
            if (accepted(item, body) === decides) return decides;
          } catch (error) {
            if (!(error instanceof CelError) || error.message.startsWith('operation cancelled')) throw error;
            failure ??= error;
          }
        }
        if (failure !== undefined) throw failure;
        return !decides;
      }
      case 'exists_one':
        return items.filter((item) => accepted(item, body)).length === 1;
      case 'filter':
        return items.filter((item) => accepted(item, body)).map(([key]) => key);
      case 'map':
      case 'transformList':
        return chosen.map((item) => within(item, () => this.evaluate(body)));
      case 'transformMap':
        return new CelMap(chosen.map((item) => [item[0], within(item, () => this.evaluate(body))]));
      case 'transformMapEntry': {
        const pairs: (readonly [Value, Value])[] = [];
        for (const item of chosen) {
          const entry = within(item, () => this.evaluate(body));
          if (!(entry instanceof CelMap)) throw noSuchOverload();
          pairs.push(...entry.entries.values());
        }
        return new CelMap(pairs);
      }
    }
  }

  #with<T>(variables: readonly (readonly [string, Value])[], action: () => T): T {
    this.#scopes.push(new Map(variables));
    try {
      return action();
    } finally {
      this.#scopes.pop();
    }
  }
}

/** What a macro goes through: with one variable the element or key, with two index or key and value. */
function itemsOf(range: Value, hasBoth: boolean): (readonly [Value, Value])[] {
  if (Array.isArray(range))
    return range.map((value: Value, index: number) => (hasBoth ? [BigInt(index), value] : [value, value]));
  if (range instanceof CelMap) return [...range.entries.values()];
  throw noSuchOverload();
}

function listIndex(index: Value): number {
  if (typeof index === 'bigint') return Number(index);
  if (index instanceof Uint) return Number(index.value);
  if (typeof index === 'number' && Number.isInteger(index)) return index;
  throw new CelError(`unsupported index type '${typeof index}' in list`);
}

function shownKey(value: Value): string {
  return value instanceof Uint ? String(value.value) : String(value);
}

function optionalIndex(operand: Value, index: Value): Value {
  if (operand instanceof Optional) return operand.value === undefined ? operand : optionalIndex(operand.value, index);
  if (Array.isArray(operand)) {
    const at = listIndex(index);
    return new Optional(at < 0 || at >= operand.length ? undefined : (operand[at] as Value));
  }
  if (operand instanceof CelMap) return new Optional(operand.get(index));
  throw noSuchOverload();
}
