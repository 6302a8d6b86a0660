import { compileRegex, type LabelMatcher, quote } from '@kind-e2e/telemetry';
import type { CompareOperator, LabelFilter } from '../syntax/ast.ts';
import { humanBytes } from '../syntax/format.ts';
import { parseGoFloat } from '../syntax/go-float.ts';
import { parseBytes, parseGoDurationNs } from '../syntax/units.ts';
import { containsIp, invalidIp, parseIpPattern } from './ip.ts';
import { ERROR_LABEL, type LineLabels } from './line-labels.ts';
import { simpleTest, simplifyRegex } from './simple-regex.ts';

const FILTER_ERROR = 'LabelFilterErr';

/** A condition on the labels of a line. Throws an Error with Loki's text where a pattern is malformed. */
export type LabelCondition = (labels: LineLabels) => boolean;

export function compileLabelFilter(filter: LabelFilter): LabelCondition {
  switch (filter.kind) {
    case 'matcher': {
      const { name } = filter.matcher;
      const matches = valueTest(filter.matcher);
      if (name === ERROR_LABEL) return (labels) => matches(labels.error);
      return (labels) => matches(labels.get(name));
    }
    case 'ip': {
      const range = parseIpPattern(filter.pattern);
      if (range === undefined) throw invalidIp(filter.pattern);
      const { name, operator } = filter;
      return (labels) => {
        if (labels.error !== '') return true;
        if (!labels.has(name)) return false;
        return containsIp(labels.get(name), range) === (operator === '=');
      };
    }
    case 'and': {
      const left = compileLabelFilter(filter.left);
      const right = compileLabelFilter(filter.right);
      return (labels) => left(labels) && right(labels);
    }
    case 'or': {
      const left = compileLabelFilter(filter.left);
      const right = compileLabelFilter(filter.right);
      return (labels) => left(labels) || right(labels);
    }
    case 'number':
      return comparison(filter.name, filter.operator, filter.value, toNumber);
    case 'duration':
      return comparison(filter.name, filter.operator, filter.value, toSeconds);
    case 'bytes':
      return comparison(filter.name, filter.operator, asPrinted(filter.value), toBytes);
  }
}

/** Expressions are anchored where they are run, but not where they are simple enough for a plain comparison. */
function valueTest({ operator, value, matches }: LabelMatcher): (value: string) => boolean {
  if (operator === '=' || operator === '!=') return matches;
  const simple = simplifyRegex(value, true);
  const regex = compileRegex(value);
  const test = simple === undefined ? (text: string) => regex.testFull(text) : simpleTest(simple);
  return operator === '=~' ? test : (text) => !test(text);
}

/** Whether it lets everything pass: Loki then leaves it out (NoopLabelFilter). */
export function passesAll(filter: LabelFilter): boolean {
  return (
    filter.kind === 'matcher' &&
    filter.matcher.operator === '=~' &&
    simplifyRegex(filter.matcher.value, true)?.kind === 'all'
  );
}

/**
 * A size as Loki compares with it: its frontend prints the query and sends that on, and a size prints with two digits
 * in thousands, so that `1KiB` is 1000 (BytesLabelFilter.String).
 */
function asPrinted(bytes: number): number {
  return parseBytes(humanBytes(bytes)) ?? bytes;
}

/**
 * A line without the label is left out. A value that cannot be read is an error, unless the line has one already, and
 * the line passes (pkg/logql/log/label_filter.go).
 */
function comparison(
  name: string,
  operator: CompareOperator,
  wanted: number,
  convert: (text: string) => number | string,
): LabelCondition {
  const holds = compare(operator);
  return (labels) => {
    if (!labels.has(name)) return false;
    const value = convert(labels.get(name));
    if (typeof value === 'string') {
      if (labels.error === '') labels.setError(FILTER_ERROR, value);
      return true;
    }
    return holds(value, wanted);
  };
}

function compare(operator: CompareOperator): (a: number, b: number) => boolean {
  switch (operator) {
    case '=':
    case '==':
      return (a, b) => a === b;
    case '!=':
      return (a, b) => a !== b;
    case '>':
      return (a, b) => a > b;
    case '>=':
      return (a, b) => a >= b;
    case '<':
      return (a, b) => a < b;
    case '<=':
      return (a, b) => a <= b;
  }
}

/** strconv.ParseFloat, or the text of its error. */
export function toNumber(text: string): number | string {
  return SIMPLE_NUMBER.test(text) ? Number(text) : parseGoFloat(text);
}

const SIMPLE_NUMBER = /^-?\d{1,15}(?:\.\d{1,15})?$/;
const SIMPLE_DURATION = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)$/;
const UNIT_NS: Readonly<Record<string, number>> = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** time.ParseDuration in seconds, or the text of its error. */
export function toSeconds(text: string): number | string {
  const simple = SIMPLE_DURATION.exec(text);
  if (simple !== null) return Math.round(Number(simple[1]) * (UNIT_NS[simple[2] ?? ''] ?? 0)) / 1e9;
  const ns = parseGoDurationNs(text);
  if (ns !== undefined) return Number(ns) / 1e9;
  if (/^[-+]?[\d.]+$/.test(text)) return `time: missing unit in duration ${quote(text)}`;
  const unit = /^[-+]?(?:[\d.]+(?:ns|us|µs|μs|ms|s|m|h))*[\d.]+([^\d.]+)/.exec(text)?.[1];
  return unit === undefined
    ? `time: invalid duration ${quote(text)}`
    : `time: unknown unit ${quote(unit)} in duration ${quote(text)}`;
}

/** humanize.ParseBytes, or the text of its error. */
export function toBytes(text: string): number | string {
  const bytes = parseBytes(text);
  if (bytes !== undefined) return bytes;
  const unit = /^[\d.,]+\s*(.*)$/.exec(text)?.[1];
  return unit === undefined || unit === ''
    ? `strconv.ParseFloat: parsing ${quote(text.replace(/[^\d.,].*$/, ''))}: invalid syntax`
    : `unhandled size name: ${unit.trim().toLowerCase()}`;
}
