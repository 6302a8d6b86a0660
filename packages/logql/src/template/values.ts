import { formatGoFloat } from '../syntax/go-float.ts';
import { formatGoDuration } from '../syntax/units.ts';

/** A moment with the zone that it prints in. */
export class GoTime {
  readonly ns: bigint;
  readonly zone: string;

  constructor(ns: bigint, zone = 'UTC') {
    this.ns = ns;
    this.zone = zone;
  }
}

export class GoDuration {
  readonly ns: bigint;

  constructor(ns: bigint) {
    this.ns = ns;
  }
}

/** A value inside a template: bigint is an integer, number a float64, null is nil. */
export type TemplateValue =
  | string
  | bigint
  | number
  | boolean
  | null
  | GoTime
  | GoDuration
  | readonly TemplateValue[]
  | ReadonlyMap<string, TemplateValue>;

export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** A value that a function does not take: said of the value, not of the call. */
export class ArgumentError extends TemplateError {
  readonly value: TemplateValue;
  readonly expected: string;

  constructor(value: TemplateValue, expected: string) {
    super(`wrong type for value; expected ${expected}; got ${typeName(value)}`);
    this.value = value;
    this.expected = expected;
  }
}

/** Whether `if` takes it: not the zero value, not empty (text/template, IsTrue). */
export function isTrue(value: TemplateValue): boolean {
  if (value === null || value === '' || value === false || value === 0 || value === 0n) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return true;
}

export function typeName(value: TemplateValue): string {
  if (value === null) return 'nil';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (value instanceof GoTime) return 'time.Time';
  if (value instanceof GoDuration) return 'time.Duration';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

/** How a value prints (fmt.Fprint). */
export function printValue(value: TemplateValue): string {
  if (value === null) return '<no value>';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatGoFloat(value);
  if (value instanceof GoTime) return goTimeText(value);
  if (value instanceof GoDuration) return formatGoDuration(value.ns);
  if (value instanceof Map) {
    const members = [...value.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${members.map(([key, member]) => `${key}:${printNested(member)}`).join(' ')}]`;
  }
  if (Array.isArray(value)) return `[${value.map(printNested).join(' ')}]`;
  return String(value);
}

function printNested(value: TemplateValue): string {
  return value === null ? '<nil>' : printValue(value);
}

function goTimeText(time: GoTime): string {
  const date = new Date(Number(time.ns / 1_000_000n));
  const fraction = (((time.ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)
    .toString()
    .padStart(9, '0')
    .replace(/0+$/, '');
  const text = date.toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)}${fraction === '' ? '' : `.${fraction}`} +0000 UTC`;
}
