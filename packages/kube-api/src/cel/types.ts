/** Types of CEL expressions and how they fit (cel-go `common/types`, `checker/types.go`). */

export interface CelType {
  /** `int`, `list`, `object`, `param`, … or the name of an opaque type (`kubernetes.URL`). */
  readonly kind: string;
  /** Of list, map, optional and type. */
  readonly params: readonly CelType[];
  /** Of objects and type parameters. */
  readonly name: string;
  /** Fields of an object. */
  readonly fields?: ReadonlyMap<string, CelType>;
}

const NONE: readonly CelType[] = [];

export function simple(kind: string): CelType {
  return { kind, params: NONE, name: kind };
}

export const DYN = simple('dyn');
export const BOOL = simple('bool');
export const INT = simple('int');
export const UINT = simple('uint');
export const DOUBLE = simple('double');
export const STRING = simple('string');
export const BYTES = simple('bytes');
export const NULL = simple('null');
export const TIMESTAMP = simple('timestamp');
export const DURATION = simple('duration');

export function listOf(element: CelType): CelType {
  return { kind: 'list', params: [element], name: 'list' };
}

export function mapOf(key: CelType, value: CelType): CelType {
  return { kind: 'map', params: [key, value], name: 'map' };
}

export function optionalOf(type: CelType): CelType {
  return { kind: 'optional', params: [type], name: 'optional_type' };
}

export function typeOf(type: CelType): CelType {
  return { kind: 'type', params: [type], name: 'type' };
}

export function objectType(name: string, fields: ReadonlyMap<string, CelType>): CelType {
  return { kind: 'object', params: NONE, name, fields };
}

/** A type as messages show it (`cel.FormatCELType`). */
export function formatType(type: CelType): string {
  const inner = type.params.map(formatType).join(', ');
  switch (type.kind) {
    case 'param':
      return 'dyn';
    case 'optional':
      return `optional_type(${inner})`;
  }
  return type.params.length > 0 ? `${type.name}(${inner})` : type.name;
}

/** `list(A)`, `map(string, B)`, `optional(T)`: what declarations are written in; one capital letter is a parameter. */
export function parseType(text: string): CelType {
  const source = text.trim();
  const open = source.indexOf('(');
  if (open < 0) return /^[A-Z]$/.test(source) ? { kind: 'param', params: NONE, name: source } : simple(source);
  const name = source.slice(0, open);
  const params = splitTypes(source.slice(open + 1, -1)).map(parseType);
  const [first = DYN, second = DYN] = params;
  if (name === 'list') return listOf(first);
  if (name === 'map') return mapOf(first, second);
  if (name === 'optional') return optionalOf(first);
  return { kind: name, params, name };
}

/** Splits at commas that are in no parentheses. */
export function splitTypes(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const char of text) {
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (char === ',' && depth === 0) {
      parts.push(part);
      part = '';
    } else part += char;
  }
  if (part.trim() !== '') parts.push(part);
  return parts;
}

/** What type parameters stand for within one call. */
export type Bindings = Map<string, CelType>;

/** True where a value of `given` may stand for `wanted`; binds the parameters of `wanted`. */
export function accepts(wanted: CelType, given: CelType, bindings: Bindings): boolean {
  if (wanted.kind === 'param') {
    const bound = bindings.get(wanted.name);
    if (bound === undefined) {
      bindings.set(wanted.name, given);
      return true;
    }
    if (bound.kind === 'dyn') return true;
    if (given.kind === 'dyn' || accepts(bound, given, bindings)) return true;
    if (accepts(given, bound, bindings)) {
      bindings.set(wanted.name, given);
      return true;
    }
    return false;
  }
  if (wanted.kind === 'dyn' || given.kind === 'dyn') return true;
  if (given.kind === 'param') return true;
  if (wanted.kind === 'null') return NULLABLE.has(given.kind);
  if (given.kind === 'null') return NULLABLE.has(wanted.kind);
  if (wanted.kind !== given.kind) return false;
  if (wanted.kind === 'object' && wanted.name !== given.name) return false;
  if (wanted.kind === 'type') return true;
  return wanted.params.every((param, index) => accepts(param, given.params[index] ?? DYN, bindings));
}

/** Kinds that may be compared with null. */
const NULLABLE: ReadonlySet<string> = new Set(['null', 'object', 'timestamp', 'duration', 'optional']);

/** A declared type with its parameters replaced; what stayed open is dyn. */
export function substitute(type: CelType, bindings: Bindings): CelType {
  if (type.kind === 'param') {
    const bound = bindings.get(type.name);
    return bound === undefined ? DYN : bound;
  }
  if (type.params.length === 0) return type;
  return { ...type, params: type.params.map((param) => substitute(param, bindings)) };
}

export function sameType(left: CelType, right: CelType): boolean {
  return (
    left.kind === right.kind &&
    left.name === right.name &&
    left.params.length === right.params.length &&
    left.params.every((param, index) => sameType(param, right.params[index] ?? DYN))
  );
}

/** Names of types are values too: `type(x) == int`. */
export const TYPE_NAMES: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'int',
  'list',
  'map',
  'null_type',
  'string',
  'type',
  'uint',
]);
