/** Parsed CEL (cel-spec `syntax.proto`), with macros kept as nodes of their own instead of being expanded. */

export type Literal = string | bigint | number | boolean | null | Uint8Array | { readonly uint: bigint };

interface Node {
  /** Where errors about the node point: a character's offset in the source. */
  readonly at: number;
}

export interface LiteralExpr extends Node {
  readonly kind: 'literal';
  readonly value: Literal;
}

export interface IdentExpr extends Node {
  readonly kind: 'ident';
  readonly name: string;
}

export interface SelectExpr extends Node {
  readonly kind: 'select';
  readonly operand: Expr;
  readonly field: string;
  /** `has(a.b)` */
  readonly test: boolean;
  /** `a.?b` */
  readonly optional: boolean;
}

export interface CallExpr extends Node {
  readonly kind: 'call';
  readonly name: string;
  readonly target: Expr | undefined;
  readonly args: readonly Expr[];
}

export interface ListExpr extends Node {
  readonly kind: 'list';
  readonly elements: readonly Expr[];
  readonly optional: ReadonlySet<number>;
}

export interface MapEntry {
  readonly key: Expr;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface MapExpr extends Node {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
}

export interface StructField extends Node {
  readonly name: string;
  readonly value: Expr;
  readonly optional: boolean;
}

/** `Object.spec{replicas: 1}` */
export interface StructExpr extends Node {
  readonly kind: 'struct';
  readonly name: string;
  readonly fields: readonly StructField[];
}

export type MacroName =
  | 'all'
  | 'exists'
  | 'exists_one'
  | 'map'
  | 'filter'
  | 'optMap'
  | 'optFlatMap'
  | 'transformList'
  | 'transformMap'
  | 'transformMapEntry'
  | 'bind';

export interface MacroExpr extends Node {
  readonly kind: 'macro';
  readonly macro: MacroName;
  /** What is gone through; of `cel.bind` the value. */
  readonly range: Expr;
  readonly variables: readonly string[];
  /** The body last; before it a filter, where the form has one. */
  readonly args: readonly Expr[];
}

export type Expr = LiteralExpr | IdentExpr | SelectExpr | CallExpr | ListExpr | MapExpr | StructExpr | MacroExpr;

/** The parts of an expression. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'literal':
    case 'ident':
      return [];
    case 'select':
      return [expr.operand];
    case 'call':
      return expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    case 'list':
      return expr.elements;
    case 'map':
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case 'struct':
      return expr.fields.map(({ value }) => value);
    case 'macro':
      return [expr.range, ...expr.args];
  }
}

/** `a.b.c`, where an expression is nothing but a name. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name;
  if (expr.kind !== 'select' || expr.test || expr.optional) return undefined;
  const before = qualifiedName(expr.operand);
  return before === undefined ? undefined : `${before}.${expr.field}`;
}

export interface Problem {
  readonly at: number;
  readonly message: string;
}

/** Problems as cel-go shows them: place, message, the line and a mark under it (`common.Error.ToDisplayString`). */
export function showProblems(source: string, problems: readonly Problem[]): string {
  const lines = source.split('\n');
  return [...problems]
    .sort((left, right) => left.at - right.at)
    .map(({ at, message }) => {
      const before = source.slice(0, at).split('\n');
      const row = before.length - 1;
      const column = [...(before.at(-1) ?? '')].length;
      const text = (lines[row] ?? '').replaceAll('\t', ' ');
      const characters = [...text];
      const dots = characters
        .slice(0, column)
        .map((char) => (isWide(char) ? '．' : '.'))
        .join('');
      const mark = isWide(characters[column] ?? '') ? '＾' : '^';
      return `ERROR: <input>:${row + 1}:${column + 1}: ${message}\n | ${text}\n | ${dots}${mark}`;
    })
    .join('\n');
}

function isWide(char: string): boolean {
  return char !== '' && (char.codePointAt(0) ?? 0) > 0x7f;
}
