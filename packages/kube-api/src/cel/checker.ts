/** Types of a parsed expression and what is wrong with them, in the words of cel-go (`checker/checker.go`, `errors.go`). */
import { type Expr, type MacroExpr, type Problem, qualifiedName, type StructExpr } from './ast.ts';
import { NAMESPACES, type Overload, overloadsOf } from './declarations.ts';
import { literalProblems } from './literal-checks.ts';
import {
  accepts,
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DYN,
  formatType,
  INT,
  listOf,
  mapOf,
  NULL,
  optionalOf,
  STRING,
  sameType,
  substitute,
  TYPE_NAMES,
  typeOf,
  UINT,
} from './types.ts';

export interface Checked {
  readonly type: CelType;
  readonly problems: readonly Problem[];
  /** Variables of the outside that are read. */
  readonly variables: ReadonlySet<string>;
  /** Of each part. */
  readonly types: ReadonlyMap<Expr, CelType>;
}

/** `structs` says which types can be constructed; none where it is left out. */
export function checkCel(expr: Expr, variables: ReadonlyMap<string, CelType>, structs?: StructTypes): Checked {
  const checker = new Checker(variables, structs);
  const type = checker.check(expr);
  const problems = checker.problems.length > 0 ? checker.problems : literalProblems(expr);
  return { type, problems, variables: checker.used, types: checker.types };
}

/** The type of a name that can be constructed; its fields are of any type where it has none listed. */
export type StructTypes = (name: string) => CelType | undefined;

/** A type that stands for a mistake: fits everything, so that one mistake is told once. */
const BROKEN: CelType = DYN;

class Checker {
  readonly problems: Problem[] = [];
  readonly used = new Set<string>();
  readonly types = new Map<Expr, CelType>();
  readonly #outer: ReadonlyMap<string, CelType>;
  readonly #scopes: Map<string, CelType>[] = [];

  readonly #structs: StructTypes | undefined;

  constructor(variables: ReadonlyMap<string, CelType>, structs: StructTypes | undefined) {
    this.#outer = variables;
    this.#structs = structs;
  }

  check(expr: Expr): CelType {
    const type = this.#typeOf(expr);
    this.types.set(expr, type);
    return type;
  }

  #typeOf(expr: Expr): CelType {
    switch (expr.kind) {
      case 'literal':
        return literalType(expr.value);
      case 'ident':
        return this.#ident(expr.name) ?? this.#undeclared(expr.at, expr.name);
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#map(expr);
      case 'struct':
        return this.#struct(expr);
      case 'macro':
        return this.#macro(expr);
    }
  }

  #problem(at: number, message: string): CelType {
    this.problems.push({ at, message });
    return BROKEN;
  }

  #undeclared(at: number, name: string): CelType {
    return this.#problem(at, `undeclared reference to '${name}' (in container '')`);
  }

  #ident(written: string): CelType | undefined {
    const name = written.replace(/^\./, '');
    if (written === name)
      for (let index = this.#scopes.length - 1; index >= 0; index--) {
        const type = this.#scopes[index]?.get(name);
        if (type !== undefined) return type;
      }
    const outer = this.#outer.get(name);
    if (outer !== undefined) {
      this.used.add(name);
      return outer;
    }
    return TYPE_NAMES.has(name) ? typeOf(DYN) : undefined;
  }

  #select(expr: Extract<Expr, { kind: 'select' }>): CelType {
    // A variable may have a name of several parts: `authorizer.requestResource`.
    const qualified = qualifiedName(expr);
    const variable = qualified === undefined ? undefined : this.#outer.get(qualified);
    if (qualified !== undefined && variable !== undefined) {
      this.used.add(qualified);
      return variable;
    }
    const operand = this.check(expr.operand);
    const isOptional = operand.kind === 'optional';
    const base = isOptional ? (operand.params[0] ?? DYN) : operand;
    const found = this.#field(expr.at, base, expr.field);
    if (expr.test) return BOOL;
    return isOptional || expr.optional ? optionalOf(found) : found;
  }

  #field(at: number, type: CelType, field: string): CelType {
    switch (type.kind) {
      case 'dyn':
        return DYN;
      case 'map':
        return type.params[1] ?? DYN;
      case 'object':
        if (type.fields === undefined) return DYN;
        return type.fields.get(field) ?? this.#problem(at, `undefined field '${field}'`);
    }
    return this.#problem(at, `type '${formatType(type)}' does not support field selection`);
  }

  #call(expr: Extract<Expr, { kind: 'call' }>): CelType {
    const { at, name, target, args } = expr;
    // `strings.quote(x)`: a qualified function, not a member.
    if (target?.kind === 'ident' && NAMESPACES.has(target.name) && this.#ident(target.name) === undefined) {
      const qualified = `${target.name}.${name}`;
      const overloads = overloadsOf(qualified);
      if (overloads === undefined) return this.#undeclared(at, qualified);
      return this.#resolve(
        at,
        qualified,
        overloads,
        undefined,
        args.map((arg) => this.check(arg)),
      );
    }
    const overloads = overloadsOf(name);
    if (overloads === undefined || (target === undefined && overloads.every((one) => one.target !== undefined))) {
      for (const arg of args) this.check(arg);
      if (target !== undefined) this.check(target);
      return this.#undeclared(at, name);
    }
    const given = target === undefined ? undefined : this.check(target);
    return this.#resolve(
      at,
      name,
      overloads,
      given,
      // What is formatted may be of all types at once.
      args.map((arg) => (name === 'format' && arg.kind === 'list' ? this.#mixed(arg.elements) : this.check(arg))),
    );
  }

  #resolve(
    at: number,
    name: string,
    overloads: readonly Overload[],
    target: CelType | undefined,
    args: readonly CelType[],
  ): CelType {
    let result: CelType | undefined;
    for (const overload of overloads) {
      if ((overload.target === undefined) !== (target === undefined) || overload.args.length !== args.length) continue;
      const bindings = new Map<string, CelType>();
      if (overload.target !== undefined && target !== undefined && !accepts(overload.target, target, bindings))
        continue;
      if (!overload.args.every((arg, index) => accepts(arg, args[index] ?? DYN, bindings))) continue;
      const type = name === 'type' ? typeOf(DYN) : substitute(overload.result, bindings);
      if (result !== undefined && !sameType(result, type)) result = DYN;
      else result = type;
    }
    if (result !== undefined) return result;
    const shown = args.map(formatType).join(', ');
    const applied = target === undefined ? `(${shown})` : `${formatType(target)}.(${shown})`;
    return this.#problem(at, `found no matching overload for '${name}' applied to '${applied}'`);
  }

  #mixed(elements: readonly Expr[]): CelType {
    for (const element of elements) this.check(element);
    return listOf(DYN);
  }

  #list({ elements, optional }: Extract<Expr, { kind: 'list' }>): CelType {
    let type: CelType | undefined;
    for (const [index, element] of elements.entries()) {
      let given = this.check(element);
      if (optional.has(index)) given = this.#unwrapped(element.at, given);
      type = this.#joined(element.at, type, given);
    }
    return listOf(type ?? DYN);
  }

  #map({ entries }: Extract<Expr, { kind: 'map' }>): CelType {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const entry of entries) {
      key = this.#joined(entry.key.at, key, this.check(entry.key));
      let given = this.check(entry.value);
      if (entry.optional) given = this.#unwrapped(entry.value.at, given);
      value = this.#joined(entry.value.at, value, given);
    }
    return mapOf(key ?? DYN, value ?? DYN);
  }

  #struct({ at, name, fields }: StructExpr): CelType {
    const type = this.#structs?.(name);
    for (const field of fields) {
      const given = this.check(field.value);
      if (type?.fields === undefined) continue;
      const wanted = type.fields.get(field.name);
      if (wanted === undefined) this.#problem(field.at, `undefined field '${field.name}'`);
      else if (!accepts(field.optional ? optionalOf(wanted) : wanted, given, new Map()))
        this.#problem(
          field.at,
          `expected type of field '${field.name}' is '${formatType(wanted)}' but provided type is '${formatType(given)}'`,
        );
    }
    return type ?? this.#undeclared(at, name);
  }

  /** Aggregates hold one type (`HomogeneousAggregateLiterals`). */
  #joined(at: number, type: CelType | undefined, given: CelType): CelType {
    if (type === undefined) return given;
    const bindings = new Map<string, CelType>();
    if (accepts(type, given, bindings)) return type.kind === 'dyn' ? given : type;
    if (accepts(given, type, bindings)) return given;
    return this.#problem(at, `expected type '${formatType(type)}' but found '${formatType(given)}'`);
  }

  #unwrapped(at: number, type: CelType): CelType {
    if (type.kind === 'optional') return type.params[0] ?? DYN;
    if (type.kind === 'dyn') return DYN;
    return this.#problem(at, `expected type 'optional_type(${formatType(type)})' but found '${formatType(type)}'`);
  }

  #macro(expr: MacroExpr): CelType {
    const range = this.check(expr.range);
    const [first = '', second] = expr.variables;
    if (expr.macro === 'bind') return this.#within([[first, range]], () => this.#bodies(expr.args, []));
    if (expr.macro === 'optMap' || expr.macro === 'optFlatMap') {
      const inner = range.kind === 'optional' ? (range.params[0] ?? DYN) : DYN;
      if (range.kind !== 'optional' && range.kind !== 'dyn')
        return this.#problem(expr.at, `found no matching overload for 'hasValue' applied to '${formatType(range)}.()'`);
      const body = this.#within([[first, inner]], () => this.#bodies(expr.args, []));
      return expr.macro === 'optMap' ? optionalOf(body) : body;
    }
    let key: CelType = INT;
    let value: CelType = DYN;
    switch (range.kind) {
      case 'list':
        value = range.params[0] ?? DYN;
        break;
      case 'map':
        key = range.params[0] ?? DYN;
        value = second === undefined ? key : (range.params[1] ?? DYN);
        break;
      case 'dyn':
        key = DYN;
        break;
      default:
        this.#problem(
          expr.range.at,
          `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        );
        key = DYN;
    }
    const scope: [string, CelType][] =
      second === undefined
        ? [[first, value]]
        : [
            [first, key],
            [second, value],
          ];
    return this.#within(scope, () => {
      switch (expr.macro) {
        case 'all':
        case 'exists':
        case 'exists_one':
          this.#wantBool(expr.args[0], expr.at, expr.macro);
          return BOOL;
        case 'filter':
          this.#wantBool(expr.args[0], expr.at, expr.macro);
          return listOf(value);
        case 'map':
        case 'transformList':
          return listOf(this.#bodies(expr.args, expr.args.slice(0, -1)));
        case 'transformMap':
          return mapOf(key, this.#bodies(expr.args, expr.args.slice(0, -1)));
        case 'transformMapEntry':
          return this.#bodies(expr.args, expr.args.slice(0, -1));
        case 'bind':
        case 'optMap':
        case 'optFlatMap':
          return DYN;
      }
    });
  }

  #within<T>(variables: readonly (readonly [string, CelType])[], body: () => T): T {
    this.#scopes.push(new Map(variables));
    const result = body();
    this.#scopes.pop();
    return result;
  }

  /** The type of the last; the filters before it must be bool. */
  #bodies(args: readonly Expr[], filters: readonly Expr[]): CelType {
    for (const filter of filters) this.#wantBool(filter, filter.at, 'filter');
    const body = args.at(-1);
    return body === undefined ? DYN : this.check(body);
  }

  #wantBool(expr: Expr | undefined, at: number, macro: string): void {
    if (expr === undefined) return;
    const type = this.check(expr);
    if (type.kind === 'bool' || type.kind === 'dyn') return;
    // The expansion of each macro combines its body by one of these.
    const shown = formatType(type);
    const [name, applied] =
      macro === 'all'
        ? ['_&&_', `(bool, ${shown})`]
        : macro === 'exists'
          ? ['_||_', `(bool, ${shown})`]
          : ['_?_:_', `(${shown}, ${macro === 'exists_one' ? 'int, int' : 'list(dyn), list(dyn)'})`];
    this.#problem(at, `found no matching overload for '${name}' applied to '${applied}'`);
  }
}

function literalType(value: unknown): CelType {
  switch (typeof value) {
    case 'string':
      return STRING;
    case 'bigint':
      return INT;
    case 'number':
      return DOUBLE;
    case 'boolean':
      return BOOL;
  }
  if (value === null) return NULL;
  return value instanceof Uint8Array ? BYTES : UINT;
}
