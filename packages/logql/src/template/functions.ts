import { compileRegex, expandTemplate, formatGoTime, type LinearRegex, parseGoTime } from '@kind-e2e/telemetry';
import { toBytes, toSeconds } from '../pipeline/label-filter.ts';
import { decodeBase64, substring, title, truncate } from './byte-functions.ts';
import { COMPARISONS } from './comparisons.ts';
import { type DecimalOperator, decimalOperation } from './decimal.ts';
import { fromJson } from './from-json.ts';
import { sprintf } from './printf.ts';
import { ArgumentError, GoDuration, GoTime, printValue, TemplateError, type TemplateValue } from './values.ts';

export interface FunctionContext {
  /** `__line__`. */
  readonly line: string;
  /** `__timestamp__`. */
  readonly timestampNs: bigint;
  /** `now`. */
  nowNs(): bigint;
}

export interface TemplateFunction {
  readonly least: number;
  readonly most: number;
  call(args: readonly TemplateValue[], context: FunctionContext): TemplateValue;
}

const MAX_REPEAT = 1_000_000;

function text(value: TemplateValue | undefined): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  throw new ArgumentError(value, 'string');
}

/** An integer of a program: a leading zero means octal (strconv.ParseInt with base 0). */
const INTEGER = /^([-+]?)(0[xX]_?[\da-fA-F][\da-fA-F_]*|0[bB]_?[01][01_]*|0[oO]_?[0-7][0-7_]*|0[0-7_]*|[1-9][\d_]*)$/;

/** cast.ToInt64: what is no number is 0. */
function int(value: TemplateValue | undefined): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (value instanceof GoDuration) return value.ns;
  if (typeof value !== 'string') return 0n;
  const match = INTEGER.exec(value.replace(/^([-+]?\d+)\.0+$/, '$1'));
  if (match === null) return 0n;
  const [, sign = '', digits = ''] = match;
  const plain = digits.replaceAll('_', '');
  const number = BigInt(/^0\d/.test(plain) ? `0o${plain.slice(1)}` : plain);
  return sign === '-' ? -number : number;
}

/** An argument that must be an int as it is. */
function integer(value: TemplateValue | undefined): bigint {
  if (typeof value === 'bigint') return value;
  throw new ArgumentError(value ?? null, 'int');
}

function time(value: TemplateValue | undefined): GoTime {
  if (value instanceof GoTime) return value;
  throw new ArgumentError(value ?? null, 'time.Time');
}

/** fmt.Sprint: a blank between two values that are no strings. */
function sprint(args: readonly TemplateValue[]): string {
  return args.reduce<string>((out, arg, i) => {
    const separated = i > 0 && typeof arg !== 'string' && typeof args[i - 1] !== 'string';
    return out + (separated ? ' ' : '') + printArgument(arg);
  }, '');
}

/** A nil that is an argument prints otherwise than one that an action gives. */
function printArgument(value: TemplateValue): string {
  return value === null ? '<nil>' : printValue(value);
}

function float(value: TemplateValue | undefined): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'string' || value.trim() === '') return 0;
  const number = Number(value);
  return Number.isNaN(number) ? 0 : number;
}

function asTime(value: TemplateValue | undefined, context: FunctionContext): GoTime {
  if (value instanceof GoTime) return value;
  if (typeof value === 'bigint') return new GoTime(value * 1_000_000_000n);
  return new GoTime(context.nowNs());
}

function regex(source: string): LinearRegex {
  try {
    return compileRegex(source);
  } catch (error) {
    throw new TemplateError(error instanceof Error ? error.message : String(error));
  }
}

function repeat(count: bigint, value: string): string {
  if (count < 0n) throw new TemplateError('strings: negative Repeat count');
  if (Number(count) * value.length > MAX_REPEAT) throw new TemplateError('repeat gives too long a text');
  return value.repeat(Number(count));
}

function trimSet(value: string, set: string, sides: 'both' | 'left' | 'right'): string {
  const chars = new Set(set);
  const runes = [...value];
  let from = 0;
  let to = runes.length;
  if (sides !== 'right') while (from < to && chars.has(runes[from] ?? '')) from++;
  if (sides !== 'left') while (to > from && chars.has(runes[to - 1] ?? '')) to--;
  return runes.slice(from, to).join('');
}

function align(count: number, value: string, right: boolean): string {
  const runes = [...value];
  if (count < 0 || runes.length === count) return value;
  if (runes.length > count) return right ? runes.slice(runes.length - count).join('') : runes.slice(0, count).join('');
  const blanks = repeat(BigInt(count - runes.length), ' ');
  return right ? blanks + value : value + blanks;
}

function replaceLimited(value: string, from: string, to: string, count: number): string {
  return count < 0
    ? value.replaceAll(from, () => to)
    : value.split(from).reduce((out, part, i) => (i === 0 ? part : out + (i <= count ? to : from) + part), '');
}

function divide(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new TemplateError('runtime error: integer divide by zero');
  return a / b;
}

function remainder(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new TemplateError('runtime error: integer divide by zero');
  return a % b;
}

/** Of a conversion: a number, or the text of its error. */
function numberOf(converted: number | string): number {
  if (typeof converted === 'string') throw new TemplateError(converted);
  return converted;
}

/** Go's zero time where the text does not fit. */
function parsedTime(layout: string, value: string, zone: string): GoTime {
  const parsed = parseGoTime(layout, value, zone);
  return parsed ? new GoTime(parsed.ns, parsed.zone) : new GoTime(-62_135_596_800_000_000_000n);
}

function unixToTime(value: string): GoTime {
  if (!/^\d+$/.test(value))
    throw new TemplateError(`unable to parse time '${value}': strconv.ParseInt: parsing "${value}": invalid syntax`);
  const number = BigInt(value);
  switch (value.length) {
    case 5:
      return new GoTime(number * 86_400_000_000_000n);
    case 10:
      return new GoTime(number * 1_000_000_000n);
    case 13:
      return new GoTime(number * 1_000_000n);
    case 16:
      return new GoTime(number * 1000n);
    case 19:
      return new GoTime(number);
    default:
      throw new TemplateError(`unable to parse time '${value}': %!w(<nil>)`);
  }
}

function decimal(operator: DecimalOperator, first: number, rest: readonly TemplateValue[]): number {
  return rest.reduce((result: number, value) => {
    const next = decimalOperation(operator, result, float(value));
    if (next === undefined) throw new TemplateError('decimal division by 0');
    return next;
  }, first);
}

const fixed = (count: number, call: TemplateFunction['call']): TemplateFunction => ({
  least: count,
  most: count,
  call,
});
const many = (least: number, call: TemplateFunction['call']): TemplateFunction => ({
  least,
  most: Number.POSITIVE_INFINITY,
  call,
});

/** Go's built-in functions, those of sprig that Loki admits, and Loki's own (pkg/logql/log/fmt.go). */
export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  ...COMPARISONS,
  and: many(1, (args) => args.at(-1) ?? null),
  or: many(1, (args) => args.at(-1) ?? null),
  print: many(0, sprint),
  println: many(0, (args) => `${args.map(printArgument).join(' ')}\n`),
  printf: many(1, ([format, ...args]) => sprintf(text(format), args)),
  html: many(0, (args) =>
    sprint(args).replace(/[&<>"']/g, (char) =>
      `&#${char.charCodeAt(0)};`.replace('&#38;', '&amp;').replace('&#60;', '&lt;').replace('&#62;', '&gt;'),
    ),
  ),
  js: many(0, (args) => JSON.stringify(sprint(args)).slice(1, -1).replaceAll("'", "\\'")),
  urlquery: many(0, (args) => queryEscape(sprint(args))),
  __line__: fixed(0, (_args, context) => context.line),
  __timestamp__: fixed(0, (_args, context) => new GoTime(context.timestampNs)),
  now: fixed(0, (_args, context) => new GoTime(context.nowNs())),
  ToLower: fixed(1, ([value]) => text(value).toLowerCase()),
  ToUpper: fixed(1, ([value]) => text(value).toUpperCase()),
  lower: fixed(1, ([value]) => text(value).toLowerCase()),
  upper: fixed(1, ([value]) => text(value).toUpperCase()),
  title: fixed(1, ([value]) => title(text(value))),
  Replace: fixed(4, ([value, from, to, count]) =>
    replaceLimited(text(value), text(from), text(to), Number(integer(count))),
  ),
  replace: fixed(3, ([from, to, value]) => text(value).replaceAll(text(from), () => text(to))),
  Trim: fixed(2, ([value, set]) => trimSet(text(value), text(set), 'both')),
  TrimLeft: fixed(2, ([value, set]) => trimSet(text(value), text(set), 'left')),
  TrimRight: fixed(2, ([value, set]) => trimSet(text(value), text(set), 'right')),
  TrimPrefix: fixed(2, ([value, prefix]) =>
    text(value).startsWith(text(prefix)) ? text(value).slice(text(prefix).length) : text(value),
  ),
  TrimSuffix: fixed(2, ([value, suffix]) =>
    text(suffix) !== '' && text(value).endsWith(text(suffix))
      ? text(value).slice(0, -text(suffix).length)
      : text(value),
  ),
  TrimSpace: fixed(1, ([value]) => text(value).trim()),
  trim: fixed(1, ([value]) => text(value).trim()),
  trimAll: fixed(2, ([set, value]) => trimSet(text(value), text(set), 'both')),
  trimPrefix: fixed(2, ([prefix, value]) =>
    text(value).startsWith(text(prefix)) ? text(value).slice(text(prefix).length) : text(value),
  ),
  trimSuffix: fixed(2, ([suffix, value]) =>
    text(suffix) !== '' && text(value).endsWith(text(suffix))
      ? text(value).slice(0, -text(suffix).length)
      : text(value),
  ),
  trunc: fixed(2, ([count, value]) => truncate(Number(integer(count)), text(value))),
  substr: fixed(3, ([start, end, value]) => substring(Number(integer(start)), Number(integer(end)), text(value))),
  alignLeft: fixed(2, ([count, value]) => align(Number(integer(count)), text(value), false)),
  alignRight: fixed(2, ([count, value]) => align(Number(integer(count)), text(value), true)),
  contains: fixed(2, ([part, value]) => text(value).includes(text(part))),
  hasPrefix: fixed(2, ([prefix, value]) => text(value).startsWith(text(prefix))),
  hasSuffix: fixed(2, ([suffix, value]) => text(value).endsWith(text(suffix))),
  indent: fixed(2, ([count, value]) => indent(integer(count), text(value))),
  nindent: fixed(2, ([count, value]) => `\n${indent(integer(count), text(value))}`),
  repeat: fixed(2, ([count, value]) => repeat(integer(count), text(value))),
  regexReplaceAll: fixed(3, ([source, value, replacement]) => {
    const compiled = regex(text(source));
    return compiled.replaceAll(text(value), (match) => expandTemplate(text(replacement), compiled, match));
  }),
  regexReplaceAllLiteral: fixed(3, ([source, value, replacement]) =>
    regex(text(source)).replaceAll(text(value), () => text(replacement)),
  ),
  count: fixed(2, ([source, value]) => {
    let count = 0n;
    regex(text(source)).replaceAll(text(value), () => {
      count++;
      return '';
    });
    return count;
  }),
  urlencode: fixed(1, ([value]) => queryEscape(text(value))),
  urldecode: fixed(1, ([value]) => {
    try {
      return decodeURIComponent(text(value).replaceAll('+', ' '));
    } catch {
      throw new TemplateError(`invalid URL escape ${JSON.stringify(/%.{0,2}/.exec(text(value))?.[0] ?? '%')}`);
    }
  }),
  b64enc: fixed(1, ([value]) => Buffer.from(text(value)).toString('base64')),
  b64dec: fixed(1, ([value]) => decodeBase64(text(value))),
  bytes: fixed(1, ([value]) => numberOf(toBytes(text(value)))),
  duration: fixed(1, ([value]) => numberOf(toSeconds(text(value)))),
  duration_seconds: fixed(1, ([value]) => numberOf(toSeconds(text(value)))),
  unixEpoch: fixed(1, ([value]) => String(time(value).ns / 1_000_000_000n)),
  unixEpochMillis: fixed(1, ([value]) => String(time(value).ns / 1_000_000n)),
  unixEpochNanos: fixed(1, ([value]) => String(time(value).ns)),
  unixToTime: fixed(1, ([value]) => unixToTime(text(value))),
  date: fixed(2, ([layout, value], context) => formatGoTime(asTime(value, context), text(layout))),
  toDate: fixed(2, ([layout, value]) => parsedTime(text(layout), text(value), 'UTC')),
  toDateInZone: fixed(3, ([layout, zone, value]) => parsedTime(text(layout), text(value), text(zone))),
  fromJson: fixed(1, ([value]) => fromJson(text(value))),
  default: {
    least: 1,
    most: 2,
    call: ([fallback, given]) => (given === undefined || isEmpty(given) ? (fallback ?? null) : given),
  },
  int: fixed(1, ([value]) => int(value)),
  float64: fixed(1, ([value]) => float(value)),
  add: many(0, (args) => args.reduce((sum: bigint, value) => sum + int(value), 0n)),
  sub: fixed(2, ([a, b]) => int(a) - int(b)),
  mul: many(1, (args) => args.reduce((product: bigint, value) => product * int(value), 1n)),
  div: fixed(2, ([a, b]) => divide(int(a), int(b))),
  mod: fixed(2, ([a, b]) => remainder(int(a), int(b))),
  addf: many(0, (args) => decimal('+', 0, args)),
  subf: many(1, ([first, ...rest]) => decimal('-', float(first), rest)),
  mulf: many(1, ([first, ...rest]) => decimal('*', float(first), rest)),
  divf: many(1, ([first, ...rest]) => decimal('/', float(first), rest)),
  max: many(1, (args) => args.map(int).sort(compareInts).at(-1) ?? 0n),
  min: many(1, (args) => args.map(int).sort(compareInts)[0] ?? 0n),
  maxf: many(1, (args) => Math.max(...args.map(float))),
  minf: many(1, (args) => Math.min(...args.map(float))),
  ceil: fixed(1, ([value]) => Math.ceil(float(value))),
  floor: fixed(1, ([value]) => Math.floor(float(value))),
  round: {
    least: 2,
    most: 3,
    call: ([value, places, roundOn]) => {
      const power = 10 ** Number(integer(places));
      const digits = float(value) * power;
      const rest = digits - Math.trunc(digits);
      return (rest >= (roundOn === undefined ? 0.5 : float(roundOn)) ? Math.ceil(digits) : Math.floor(digits)) / power;
    },
  },
};

function compareInts(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isEmpty(value: TemplateValue): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (value instanceof Map) return value.size === 0;
  return value === null || value === '' || value === false || value === 0 || value === 0n;
}

function indent(count: bigint, value: string): string {
  const blanks = repeat(count, ' ');
  return blanks + value.replaceAll('\n', `\n${blanks}`);
}

/** url.QueryEscape. */
function queryEscape(value: string): string {
  return encodeURIComponent(value)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}
