/** What an expression costs at worst, before it is ever run (cel-go `checker/cost.go`, as apiextensions uses it). */
import type { CallExpr, Expr, Literal, MacroExpr } from './ast.ts';
import { type Argument, builtinCost, libraryCost } from './call-costs.ts';
import { ACCUMULATOR, type Comprehension, expanded } from './comprehensions.ts';
import { NAMESPACES, type Overload, overloadsOf } from './declarations.ts';
import {
  type EntrySizes,
  fixed,
  LARGEST,
  NOTHING,
  plus,
  type Range,
  times,
  UNKNOWN,
  union,
  unionOfEntries,
} from './estimates.ts';
import type { SchemaSizes } from './schema-sizes.ts';
import { accepts, BOOL, type CelType, DYN, INT } from './types.ts';

const ONE = fixed(1);
const LIST = fixed(10);
const MAP = fixed(30);
const STRUCT = fixed(40);
const SCALARS: ReadonlySet<string> = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint']);

/** `root` says how large what `self` and `oldSelf` stand for may be. */
export function maxCost(expr: Expr, types: ReadonlyMap<Expr, CelType>, root: SchemaSizes): number {
  return new Coster(types, root).cost(expr).max;
}

type Path = readonly string[];

interface Local {
  readonly path: Path;
  readonly size: Range | undefined;
  readonly entries: EntrySizes | undefined;
}

class Coster {
  readonly #types: Map<Expr, CelType>;
  readonly #root: SchemaSizes;
  readonly #paths = new Map<Expr, Path>();
  readonly #sizes = new Map<Expr, Range>();
  readonly #entries = new Map<Expr, EntrySizes>();
  readonly #locals = new Map<string, Local[]>();

  constructor(types: ReadonlyMap<Expr, CelType>, root: SchemaSizes) {
    this.#types = new Map(types);
    this.#root = root;
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case 'literal':
        return NOTHING;
      case 'ident':
        this.#paths.set(expr, this.#local(expr.name)?.path ?? [expr.name]);
        return ONE;
      case 'select': {
        const operand = this.cost(expr.operand);
        if (expr.test) return operand;
        if (expr.optional) return plus(operand, ONE);
        this.#paths.set(expr, [...this.#path(expr.operand), expr.field]);
        const { kind } = this.#type(expr.operand);
        return kind === 'map' || kind === 'object' || kind === 'param' ? plus(operand, ONE) : operand;
      }
      case 'call':
        return this.#call(expr);
      case 'list': {
        const cost = plus(LIST, ...expr.elements.map((element) => this.cost(element)));
        this.#entries.set(expr, { isList: true, key: ONE, value: this.#widest(expr.elements) });
        return cost;
      }
      case 'map': {
        const cost = plus(MAP, ...expr.entries.flatMap(({ key, value }) => [this.cost(key), this.cost(value)]));
        const keys = this.#widest(expr.entries.map(({ key }) => key));
        const values = this.#widest(expr.entries.map(({ value }) => value));
        this.#entries.set(expr, { isList: false, key: keys, value: values });
        return cost;
      }
      case 'struct':
        return plus(STRUCT, ...expr.fields.map(({ value }) => this.cost(value)));
      case 'macro':
        return this.#macro(expr);
    }
  }

  #widest(exprs: readonly Expr[]): Range {
    if (exprs.length === 0) return NOTHING;
    return exprs.map((expr) => this.#size(expr) ?? UNKNOWN).reduce(union);
  }

  #macro(expr: MacroExpr): Range {
    const meant = expanded(expr);
    if (meant === undefined) return this.#bind(expr);
    if ('kind' in meant) {
      this.#types.set(meant, this.#type(expr));
      const cost = this.cost(meant);
      this.#copySizes(expr, meant);
      return cost;
    }
    return this.#comprehension(expr, meant);
  }

  #comprehension(expr: MacroExpr, { init, condition, step, result }: Comprehension): Range {
    const kept = expr.macro === 'exists_one' ? INT : this.#type(expr);
    for (const part of [init, step, result]) this.#types.set(part, kept);
    this.#types.set(condition, BOOL);
    const before = plus(this.cost(expr.range), this.cost(init));
    this.#push(ACCUMULATOR, { path: [], size: this.#size(init), entries: this.#entriesOf(init) });
    const [first = '', second] = expr.variables;
    if (second === undefined) this.#push(first, this.#iterated(expr.range, 'single'));
    else {
      this.#push(first, this.#iterated(expr.range, 'key'));
      this.#push(second, this.#iterated(expr.range, 'value'));
    }
    const each = plus(this.cost(condition), this.cost(step));
    for (const variable of expr.variables) this.#locals.get(variable)?.pop();
    const after = this.cost(result);
    this.#locals.get(ACCUMULATOR)?.pop();
    const count = this.#size(expr.range) ?? UNKNOWN;
    if (init.kind === 'literal') this.#setSize(expr, this.#size(init));
    else {
      this.#setSize(expr, count);
      this.#setEntries(expr, this.#entriesOf(step));
    }
    return plus(before, after, times(count, each));
  }

  /** Binds are made when they are first read; the empty range is what they cost themselves. */
  #bind({ range, variables, args }: MacroExpr): Range {
    const [variable = ''] = variables;
    const before = plus(LIST, this.cost(range));
    this.#push(variable, { path: this.#path(range), size: this.#size(range), entries: this.#entriesOf(range) });
    const [body] = args;
    const after = body === undefined ? NOTHING : this.cost(body);
    this.#locals.get(variable)?.pop();
    return plus(before, after);
  }

  #iterated(range: Expr, what: 'single' | 'key' | 'value'): Local {
    const entries = this.#entriesOf(range);
    const isList = entries?.isList ?? this.#type(range).kind === 'list';
    const isValue = what === 'value' || (what === 'single' && isList);
    const step = isValue ? (isList ? '@items' : '@values') : isList ? '@indices' : '@keys';
    return { path: [...this.#path(range), step], size: isValue ? entries?.value : entries?.key, entries: undefined };
  }

  #call(expr: CallExpr): Range {
    const { args } = expr;
    const [first, second, third] = args;
    if (expr.name === 'dyn' && expr.target === undefined && first !== undefined) {
      const cost = plus(ONE, this.cost(first));
      this.#copySizes(expr, first);
      return cost;
    }
    const costs = args.map((arg) => this.cost(arg));
    const given = args.map((arg) => this.#argument(arg));
    const { name, target } = this.#called(expr);
    const targetCost = target === undefined ? NOTHING : this.cost(target);
    const called = target === undefined ? undefined : this.#argument(target);
    let cost: Range = { min: LARGEST, max: 0 };
    let size: Range | undefined;
    for (const overload of this.#overloads(name, called, given)) {
      const made =
        (overload && libraryCost(name, overload, called, given)) ?? builtinCost(name, overload, called, given, costs);
      cost = union(cost, made.withArguments === true ? made.cost : plus(made.cost, ...costs));
      if (made.size !== undefined) size = size === undefined ? made.size : union(size, made.size);
      if (name === '_[_]' && first !== undefined && overload?.args[0]?.kind !== 'optional') {
        const isList = overload?.args[0]?.kind === 'list';
        size = this.#entriesOf(first)?.value;
        this.#paths.set(expr, [...this.#path(first), isList ? '@items' : '@values']);
      }
      size ??= this.#size(expr);
    }
    if (name === '_?_:_' && second !== undefined && third !== undefined)
      this.#setEntries(expr, unionOfEntries(this.#entriesOf(second), this.#entriesOf(third)));
    if (name === '_+_' && first !== undefined && second !== undefined)
      this.#setEntries(expr, unionOfEntries(this.#entriesOf(first), this.#entriesOf(second)));
    this.#setSize(expr, size);
    return plus(targetCost, cost);
  }

  /** `strings.quote(x)` is a function of that name. */
  #called({ name, target }: CallExpr): { readonly name: string; readonly target: Expr | undefined } {
    if (target?.kind !== 'ident' || !NAMESPACES.has(target.name)) return { name, target };
    const qualified = `${target.name}.${name}`;
    return overloadsOf(qualified) === undefined ? { name, target } : { name: qualified, target: undefined };
  }

  #overloads(name: string, target: Argument | undefined, args: readonly Argument[]): readonly (Overload | undefined)[] {
    const fitting = (overloadsOf(name) ?? []).filter((overload) => {
      if ((overload.target === undefined) !== (target === undefined) || overload.args.length !== args.length)
        return false;
      const bindings = new Map<string, CelType>();
      if (overload.target && target && !accepts(overload.target, target.type, bindings)) return false;
      return overload.args.every((arg, index) => accepts(arg, args[index]?.type ?? DYN, bindings));
    });
    return fitting.length === 0 ? [undefined] : fitting;
  }

  #argument(expr: Expr): Argument {
    const path = this.#path(expr);
    return {
      type: this.#type(expr),
      size: this.#size(expr),
      entries: this.#entriesOf(expr),
      literal: expr.kind === 'literal' ? expr.value : undefined,
      itemSize: () => (path.length === 0 ? undefined : this.#schemaSize([...path, '@items'])) ?? UNKNOWN,
    };
  }

  #type(expr: Expr): CelType {
    return this.#types.get(expr) ?? DYN;
  }

  #path(expr: Expr): Path {
    const local = expr.kind === 'ident' ? this.#local(expr.name) : undefined;
    return local?.path ?? this.#paths.get(expr) ?? [];
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  #push(name: string, local: Local): void {
    const stack = this.#locals.get(name);
    if (stack) stack.push(local);
    else this.#locals.set(name, [local]);
  }

  #setSize(expr: Expr, size: Range | undefined): void {
    if (size !== undefined) this.#sizes.set(expr, size);
  }

  #setEntries(expr: Expr, entries: EntrySizes | undefined): void {
    if (entries !== undefined) this.#entries.set(expr, entries);
  }

  #copySizes(expr: Expr, from: Expr): void {
    this.#setSize(expr, this.#size(from));
    this.#setEntries(expr, this.#entriesOf(from));
  }

  #entriesOf(expr: Expr): EntrySizes | undefined {
    return this.#entries.get(expr) ?? (expr.kind === 'ident' ? this.#local(expr.name)?.entries : undefined);
  }

  /** Characters, bytes or entries. */
  #size(expr: Expr): Range | undefined {
    const known = this.#sizes.get(expr) ?? writtenSize(expr);
    if (known !== undefined) return known;
    const size = this.#schemaSize(this.#path(expr));
    if (size !== undefined) {
      this.#sizes.set(expr, size);
      return size;
    }
    if (isScalar(this.#type(expr))) return ONE;
    return expr.kind === 'ident' ? this.#local(expr.name)?.size : undefined;
  }

  /** By the limits of the schema; the first step is the variable. */
  #schemaSize(path: Path): Range | undefined {
    if (path.length === 0) return undefined;
    let node: SchemaSizes | undefined = this.#root;
    for (const step of path.slice(1)) {
      if (step === '@items' || step === '@values') node = node.element;
      else if (step === '@keys') node = node.key;
      else node = node.fields?.get(step);
      if (node === undefined) return undefined;
    }
    return { min: 0, max: node.maxElements };
  }
}

function writtenSize(expr: Expr): Range | undefined {
  switch (expr.kind) {
    case 'literal':
      return fixed(literalSize(expr.value));
    case 'list':
      return fixed(expr.elements.length);
    case 'map':
      return fixed(expr.entries.length);
    default:
      return undefined;
  }
}

function literalSize(value: Literal): number {
  if (typeof value === 'string') return [...value].length;
  return value instanceof Uint8Array ? value.length : 1;
}

function isScalar(type: CelType): boolean {
  if (type.kind === 'optional') return isScalar(type.params[0] ?? DYN);
  return SCALARS.has(type.kind);
}
