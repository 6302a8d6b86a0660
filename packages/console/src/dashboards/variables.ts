import type { TimeRange } from '../time/range.ts';
import { promDuration, rateInterval } from '../time/range.ts';
import type { Variable } from './model.ts';

/** Chosen values by name of the variable. */
export type VariableValues = Readonly<Record<string, readonly string[]>>;

export const ALL = '$__all';

export interface InterpolationContext {
  values: VariableValues;
  variables: readonly Variable[];
  /** What `ALL` stands for. */
  options: Readonly<Record<string, readonly string[]>>;
  range: TimeRange;
  stepSeconds: number;
  scrapeSeconds: number;
  /** Values of a repeated panel come before those of the dashboard. */
  scoped?: VariableValues;
}

const escapeRegex = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
/** Inside a PromQL or LogQL string a backslash is written twice. */
const escapePromRegex = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\\\$&');

/** Grafana's format options (grafana: docs/sources/dashboards/variables/variable-syntax). Without one: one value as it is, several as a regular expression. */
export function formatValues(values: readonly string[], format: string | undefined): string {
  switch (format) {
    case undefined:
      return values.length === 1 ? (values[0] ?? '') : `(${values.map(escapePromRegex).join('|')})`;
    case 'raw':
    case 'csv':
    case 'text':
      return values.join(',');
    case 'pipe':
      return values.join('|');
    case 'regex':
      return values.length === 1 ? escapeRegex(values[0] ?? '') : `(${values.map(escapeRegex).join('|')})`;
    case 'glob':
      return values.length === 1 ? (values[0] ?? '') : `{${values.join(',')}}`;
    case 'json':
      return JSON.stringify(values.length === 1 ? values[0] : values);
    case 'doublequote':
      return values.map((value) => `"${value.replaceAll('"', '\\"')}"`).join(',');
    case 'singlequote':
      return values.map((value) => `'${value.replaceAll("'", "\\'")}'`).join(',');
    case 'sqlstring':
      return values.map((value) => `'${value.replaceAll("'", "''")}'`).join(',');
    case 'percentencode':
      return encodeURIComponent(values.length === 1 ? (values[0] ?? '') : `{${values.join(',')}}`);
    default:
      return values.join(',');
  }
}

function builtin(name: string, format: string | undefined, context: InterpolationContext): string | undefined {
  const { range, stepSeconds, scrapeSeconds } = context;
  const seconds = Math.round((range.to - range.from) / 1000);
  switch (name) {
    case '__interval':
      return promDuration(stepSeconds);
    case '__interval_ms':
      return String(stepSeconds * 1000);
    case '__rate_interval':
      return promDuration(rateInterval(stepSeconds, scrapeSeconds));
    case '__range':
      return `${seconds}s`;
    case '__range_s':
      return String(seconds);
    case '__range_ms':
      return String(seconds * 1000);
    case '__from':
    case '__to': {
      const at = name === '__from' ? range.from : range.to;
      if (format === 'date' || format === 'date:iso') return new Date(at).toISOString();
      return format === 'date:seconds' ? String(Math.floor(at / 1000)) : String(Math.floor(at));
    }
    default:
      return undefined;
  }
}

export function valuesOf(name: string, context: InterpolationContext): readonly string[] | undefined {
  const chosen = context.scoped?.[name] ?? context.values[name];
  if (chosen === undefined) return undefined;
  if (!chosen.includes(ALL)) return chosen;
  const variable = context.variables.find((item) => item.name === name);
  if (variable?.allValue) return [variable.allValue];
  return context.options[name] ?? [];
}

const PATTERN = /\$(\w+)|\[\[(\w+)(?::(\w+))?\]\]|\$\{(\w+)(?:\.[^:^}]+)?(?::([^}]+))?\}/g;

/** Replaces `$name`, `${name}`, `${name:format}` and `[[name]]`; a name that nobody knows stays. */
export function interpolate(text: string, context: InterpolationContext): string {
  return text.replace(
    PATTERN,
    (whole, plain?: string, square?: string, squareFormat?: string, braces?: string, format?: string) => {
      const name = plain ?? square ?? braces ?? '';
      const own = format ?? squareFormat;
      const known = builtin(name, own, context);
      if (known !== undefined) return known;
      const variable = context.variables.find((item) => item.name === name);
      const values = valuesOf(name, context);
      if (values === undefined) return whole;
      // An `allValue` is meant as it is written.
      if (context.values[name]?.includes(ALL) && variable?.allValue && context.scoped?.[name] === undefined)
        return variable.allValue;
      if (own === 'queryparam') return values.map((value) => `var-${name}=${encodeURIComponent(value)}`).join('&');
      return formatValues(values, own);
    },
  );
}

/** The names of the variables that a text uses. */
export function variablesIn(text: string): string[] {
  return [...text.matchAll(PATTERN)]
    .map((match) => match[1] ?? match[2] ?? match[4] ?? '')
    .filter((name) => !name.startsWith('__'));
}

/** `a,b , c\,d` and `label : value` lists of custom variables. */
export function customOptions(query: string): { text: string; value: string }[] {
  return query
    .split(/(?<!\\),/)
    .map((part) => part.replaceAll('\\,', ',').trim())
    .filter((part) => part !== '')
    .map((part) => {
      const pair = /^(.+?)\s+:\s+(.+)$/.exec(part);
      return pair ? { text: pair[1] ?? '', value: pair[2] ?? '' } : { text: part, value: part };
    });
}

/** Keeps what the variable's regex matches; a group of it becomes the value (grafana: variables/query/reducer). */
export function filterByRegex(values: readonly string[], regex: string | undefined): string[] {
  const match = /^\/(.*)\/([gimsuy]*)$/.exec(regex ?? '');
  const source = match ? (match[1] ?? '') : (regex ?? '');
  if (source === '') return [...values];
  let pattern: RegExp;
  try {
    pattern = new RegExp(source, (match?.[2] ?? '').replace('g', ''));
  } catch {
    return [...values];
  }
  const kept = values.flatMap((value) => {
    const found = pattern.exec(value);
    return found ? [found.groups?.value ?? found[1] ?? value] : [];
  });
  return [...new Set(kept)];
}

/** 0 none, 1/2 alphabetical, 3/4 numerical, 5/6 alphabetical without case; even ones descending. */
export function sortOptions(values: readonly string[], sort: number | null | undefined): string[] {
  if (!sort) return [...values];
  const digits = (text: string): number => Number(/\d+(\.\d+)?/.exec(text)?.[0] ?? Number.NaN);
  const by: Record<number, (a: string, b: string) => number> = {
    0: (a, b) => a.localeCompare(b),
    1: (a, b) => digits(a) - digits(b) || a.localeCompare(b),
    2: (a, b) => a.toLowerCase().localeCompare(b.toLowerCase()),
  };
  const sorted = [...values].sort(by[Math.floor((sort - 1) / 2)] ?? by[0]);
  return sort % 2 === 0 ? sorted.reverse() : sorted;
}
