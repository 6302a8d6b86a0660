/** Strings: CEL's own and its extension (cel-go `ext/strings.go`), regular expressions in linear time (RE2). */
import { RE2JS } from 're2js';
import { NOT_MINE } from './not-mine.ts';
import { durationText, timestampText } from './time-text.ts';
import { CelError, CelMap, Duration, noSuchOverload, Timestamp, TypeValue, Uint, type Value } from './values.ts';

type Function = (args: readonly Value[]) => Value;

function text(value: Value | undefined): string {
  if (typeof value !== 'string') throw noSuchOverload();
  return value;
}

function index(value: Value | undefined): number {
  if (typeof value !== 'bigint') throw noSuchOverload();
  return Number(value);
}

const patterns = new Map<string, RE2JS>();
const MAX_PATTERNS = 500;
/** What `toFixed` can do. */
const MAX_PRECISION = 100;

export function compiledPattern(source: string): RE2JS {
  let pattern = patterns.get(source);
  if (pattern === undefined) {
    try {
      pattern = RE2JS.compile(source);
    } catch (error) {
      throw new CelError(
        `error parsing regexp: ${error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error)}`,
      );
    }
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    patterns.set(source, pattern);
  }
  return pattern;
}

/** The position of a string in another by characters; -1 where it is not. */
function positionOf(haystack: readonly string[], needle: readonly string[], from: number, step: 1 | -1): number {
  const last = haystack.length - needle.length;
  for (let at = step === 1 ? from : Math.min(from, last); at >= 0 && at <= last; at += step)
    if (needle.every((char, offset) => haystack[at + offset] === char)) return at;
  return -1;
}

function indexOf([value, part, offset]: readonly Value[]): Value {
  if (typeof value !== 'string') return NOT_MINE;
  const characters = [...value];
  const from = offset === undefined ? 0 : index(offset);
  if (text(part) === '') return BigInt(from);
  if (from < 0 || from > characters.length) throw new CelError(`index out of range: ${from}`);
  return BigInt(positionOf(characters, [...text(part)], from, 1));
}

function lastIndexOf([value, part, offset]: readonly Value[]): Value {
  if (typeof value !== 'string') return NOT_MINE;
  const characters = [...value];
  if (offset !== undefined) {
    const from = index(offset);
    if (from < 0 || from > characters.length) throw new CelError(`index out of range: ${from}`);
    return text(part) === '' ? BigInt(from) : BigInt(positionOf(characters, [...text(part)], from, -1));
  }
  if (text(part) === '') return BigInt(characters.length);
  return BigInt(positionOf(characters, [...text(part)], characters.length, -1));
}

function replace([value, old, next, limit]: readonly Value[]): Value {
  const parts = text(value).split(text(old));
  let left = limit === undefined ? -1 : index(limit);
  let out = parts[0] ?? '';
  for (const part of parts.slice(1)) {
    out += left === 0 ? text(old) : text(next);
    if (left > 0) left--;
    out += part;
  }
  return out;
}

function split([value, separator, limit]: readonly Value[]): Value {
  const parts = text(separator) === '' ? [...text(value)] : text(value).split(text(separator));
  const count = limit === undefined ? -1 : index(limit);
  if (count < 0 || parts.length <= count) return parts;
  if (count === 0) return [];
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(text(separator))];
}

function substring([value, start, end]: readonly Value[]): Value {
  const characters = [...text(value)];
  const from = index(start);
  const to = end === undefined ? characters.length : index(end);
  if (from < 0 || from > characters.length) throw new CelError(`index out of range: ${from}`);
  if (to < 0 || to > characters.length) throw new CelError(`index out of range: ${to}`);
  if (from > to) throw new CelError(`invalid substring range. start: ${from}, end: ${to}`);
  return characters.slice(from, to).join('');
}

function join([list, separator]: readonly Value[]): Value {
  if (!Array.isArray(list)) throw noSuchOverload();
  return list.map((entry: Value) => text(entry)).join(separator === undefined ? '' : text(separator));
}

function quote([value]: readonly Value[]): Value {
  const names: Readonly<Record<string, string>> = {
    '\x07': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\v': '\\v',
    '\\': '\\\\',
    '"': '\\"',
  };
  return `"${[...text(value)].map((char) => names[char] ?? char).join('')}"`;
}

/** `%d %s %f %e %x %X %o %b %%` with a precision (cel-go `ext/formatting.go`). */
function format([template, args]: readonly Value[]): Value {
  if (!Array.isArray(args)) throw noSuchOverload();
  let next = 0;
  return text(template).replaceAll(
    /%(?:%|(?:\.(\d+))?(.))/gs,
    (whole, precision: string | undefined, verb: string | undefined) => {
      if (whole === '%%') return '%';
      if (next >= args.length) throw new CelError(`index ${next} out of range`);
      return formatOne(verb ?? '', args[next++] as Value, precision === undefined ? undefined : Number(precision));
    },
  );
}

function formatOne(verb: string, value: Value, precision: number | undefined): string {
  const number = typeof value === 'bigint' ? value : value instanceof Uint ? value.value : undefined;
  const wrong = (): CelError =>
    new CelError(`error during formatting: no formatting clause for verb: could not convert argument for '%${verb}'`);
  switch (verb) {
    case 's':
      return shown(value);
    case 'd':
      if (number !== undefined) return String(number);
      if (typeof value === 'number' && !Number.isFinite(value)) return shown(value);
      throw wrong();
    case 'f':
    case 'e': {
      const double = number === undefined ? value : Number(number);
      if (typeof double !== 'number') throw wrong();
      if (!Number.isFinite(double)) return shown(double);
      if ((precision ?? 0) > MAX_PRECISION)
        throw new CelError(`error during formatting: precision ${precision} is more than ${MAX_PRECISION}`);
      if (verb === 'f') return double.toFixed(precision ?? 6);
      return double.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2');
    }
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0';
      if (number !== undefined) return number.toString(2);
      throw wrong();
    case 'o':
      if (number !== undefined) return number.toString(8);
      throw wrong();
    case 'x':
    case 'X': {
      let hex: string;
      if (number !== undefined) hex = number.toString(16);
      else if (typeof value === 'string') hex = hexOf(new TextEncoder().encode(value));
      else if (value instanceof Uint8Array) hex = hexOf(value);
      else throw wrong();
      return verb === 'x' ? hex : hex.toUpperCase();
    }
  }
  throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function shown(value: Value): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'number':
      return Number.isNaN(value)
        ? 'NaN'
        : value === Infinity
          ? 'Infinity'
          : value === -Infinity
            ? '-Infinity'
            : String(value);
  }
  if (value === null) return 'null';
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value instanceof Timestamp) return timestampText(value.nanos);
  if (value instanceof Duration) return durationText(value.nanos);
  if (value instanceof TypeValue) return value.name;
  if (Array.isArray(value)) return `[${value.map((entry: Value) => shown(entry)).join(', ')}]`;
  if (value instanceof CelMap)
    return `{${[...value.entries.values()]
      .map(([key, entry]) => `${shown(key)}: ${shown(entry)}`)
      .sort()
      .join(', ')}}`;
  throw new CelError(
    'error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  );
}

function find([value, pattern]: readonly Value[]): Value {
  const matcher = compiledPattern(text(pattern)).matcher(text(value));
  return matcher.find() ? (matcher.group() ?? '') : '';
}

function findAll([value, pattern, limit]: readonly Value[]): Value {
  const matcher = compiledPattern(text(pattern)).matcher(text(value));
  const most = limit === undefined ? -1 : index(limit);
  const found: string[] = [];
  while ((most < 0 || found.length < most) && matcher.find()) found.push(matcher.group() ?? '');
  return found;
}

export const STRING_FUNCTIONS: Readonly<Record<string, Function>> = {
  contains: ([value, part]) => text(value).includes(text(part)),
  startsWith: ([value, part]) => text(value).startsWith(text(part)),
  endsWith: ([value, part]) => text(value).endsWith(text(part)),
  matches: ([value, pattern]) => compiledPattern(text(pattern)).matcher(text(value)).find(),
  charAt: ([value, at]) => {
    const characters = [...text(value)];
    const position = index(at);
    if (position < 0 || position > characters.length) throw new CelError(`index out of range: ${position}`);
    return characters[position] ?? '';
  },
  indexOf,
  lastIndexOf,
  lowerAscii: ([value]) => text(value).replaceAll(/[A-Z]/g, (char) => char.toLowerCase()),
  upperAscii: ([value]) => text(value).replaceAll(/[a-z]/g, (char) => char.toUpperCase()),
  replace,
  split,
  substring,
  trim: ([value]) => text(value).trim(),
  join,
  reverse: ([value]) => [...text(value)].reverse().join(''),
  format,
  'strings.quote': quote,
  find,
  findAll,
};
