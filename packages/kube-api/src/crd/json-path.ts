/**
 * The JSONPath of client-go (`util/jsonpath`) as printer columns and scale paths use it: fields, indices, slices,
 * wildcards, unions, filters and recursive descent. Missing keys give no value, as with AllowMissingKeys.
 */
import { isRecord } from '../values/json.ts';

type Step =
  | { readonly kind: 'field'; readonly names: readonly string[] }
  | { readonly kind: 'index'; readonly at: readonly number[] }
  | { readonly kind: 'slice'; readonly from?: number; readonly to?: number; readonly step: number }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'descend' }
  | { readonly kind: 'filter'; readonly left: Operand; readonly operator: string; readonly right: Operand };
type Operand = { readonly path: readonly Step[] } | { readonly value: unknown };

/** Throws a plain Error for text that is no path. A path may be written `.a.b` or `{.a.b}`. */
export function parseJsonPath(text: string): readonly Step[] {
  const inner = text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text;
  return new PathParser(inner).parse();
}

class PathParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Step[] {
    const steps: Step[] = [];
    if (this.#text.startsWith('$') || this.#text.startsWith('@')) this.#at = 1;
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      if (char === '.') {
        this.#at += 1;
        if (this.#text.charAt(this.#at) === '.') {
          this.#at += 1;
          steps.push({ kind: 'descend' });
        }
        if (this.#text.charAt(this.#at) === '[' || this.#at >= this.#text.length) continue;
        steps.push(this.#field());
      } else if (char === '[') steps.push(this.#bracket());
      else steps.push(this.#field());
    }
    return steps;
  }

  #field(): Step {
    let name = '';
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      if (char === '\\') {
        name += this.#text.charAt(this.#at + 1);
        this.#at += 2;
        continue;
      }
      if (char === '.' || char === '[') break;
      name += char;
      this.#at += 1;
    }
    if (name === '') throw new Error(`unrecognized character in path: ${this.#text}`);
    return name === '*' ? { kind: 'wildcard' } : { kind: 'field', names: [name] };
  }

  #bracket(): Step {
    const end = this.#closing();
    const body = this.#text.slice(this.#at + 1, end).trim();
    this.#at = end + 1;
    if (body === '*') return { kind: 'wildcard' };
    if (body.startsWith('?(') && body.endsWith(')')) return filterStep(body.slice(2, -1));
    if (/^-?\d+(\s*,\s*-?\d+)*$/.test(body)) return { kind: 'index', at: body.split(',').map(Number) };
    const slice = /^(-?\d*):(-?\d*)(?::(-?\d+))?$/.exec(body);
    if (slice !== null)
      return {
        kind: 'slice',
        ...(slice[1] === '' ? {} : { from: Number(slice[1]) }),
        ...(slice[2] === '' ? {} : { to: Number(slice[2]) }),
        step: slice[3] === undefined ? 1 : Number(slice[3]),
      };
    const names = [...body.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g)].map((match) =>
      (match[1] ?? match[2] ?? '').replaceAll(/\\(.)/g, '$1'),
    );
    if (names.length === 0) throw new Error(`invalid array index ${body}`);
    return { kind: 'field', names };
  }

  #closing(): number {
    let quote = '';
    let depth = 0;
    for (let at = this.#at; at < this.#text.length; at++) {
      const char = this.#text.charAt(at);
      if (quote !== '') {
        if (char === '\\') at += 1;
        else if (char === quote) quote = '';
      } else if (char === "'" || char === '"') quote = char;
      else if (char === '[') depth += 1;
      else if (char === ']') {
        depth -= 1;
        if (depth === 0) return at;
      }
    }
    throw new Error('unterminated array');
  }
}

function filterStep(body: string): Step {
  const match = /^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$/.exec(body);
  if (match === null) return { kind: 'filter', left: operand(body), operator: 'exists', right: { value: undefined } };
  return { kind: 'filter', left: operand(match[1] ?? ''), operator: match[2] ?? '', right: operand(match[3] ?? '') };
}

function operand(text: string): Operand {
  const trimmed = text.trim();
  if (trimmed.startsWith('@') || trimmed.startsWith('$') || trimmed.startsWith('.'))
    return { path: parseJsonPath(trimmed) };
  const quoted = /^'(.*)'$|^"(.*)"$/.exec(trimmed);
  if (quoted !== null) return { value: quoted[1] ?? quoted[2] ?? '' };
  if (trimmed === 'true' || trimmed === 'false') return { value: trimmed === 'true' };
  return { value: trimmed !== '' && Number.isFinite(Number(trimmed)) ? Number(trimmed) : trimmed };
}

/** The values a path finds, in order. */
export function evaluateJsonPath(path: readonly Step[], root: unknown): unknown[] {
  let values: unknown[] = [root];
  for (const step of path) values = values.flatMap((value) => applyStep(step, value));
  return values;
}

function children(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isRecord(value) ? Object.values(value) : [];
}

function descendants(value: unknown): unknown[] {
  return [value, ...children(value).flatMap(descendants)];
}

function applyStep(step: Step, value: unknown): unknown[] {
  switch (step.kind) {
    case 'field':
      return isRecord(value) ? step.names.filter((name) => Object.hasOwn(value, name)).map((name) => value[name]) : [];
    case 'index':
      if (!Array.isArray(value)) return [];
      return step.at
        .map((at) => (at < 0 ? at + value.length : at))
        .filter((at) => at >= 0 && at < value.length)
        .map((at) => value[at]);
    case 'slice': {
      if (!Array.isArray(value)) return [];
      const list = value.slice(step.from, step.to);
      return step.step <= 1 ? list : list.filter((_, index) => index % step.step === 0);
    }
    case 'wildcard':
      return children(value);
    case 'descend':
      return descendants(value);
    case 'filter':
      return Array.isArray(value) ? value.filter((entry) => holds(step, entry)) : [];
  }
}

function resolve(side: Operand, entry: unknown): unknown {
  return 'path' in side ? evaluateJsonPath(side.path, entry)[0] : side.value;
}

function holds(step: Extract<Step, { kind: 'filter' }>, entry: unknown): boolean {
  const left = resolve(step.left, entry);
  if (step.operator === 'exists') return left !== undefined;
  const right = resolve(step.right, entry);
  switch (step.operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
  }
  if (
    (typeof left !== 'number' || typeof right !== 'number') &&
    (typeof left !== 'string' || typeof right !== 'string')
  )
    return false;
  switch (step.operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    default:
      return left >= right;
  }
}
