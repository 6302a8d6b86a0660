/**
 * The syntax of `testdata/corpus/*.test`, which is that of Prometheus' promqltest (promql/promqltest/README.md):
 *
 *     load 30s
 *       requests_total{code="200"} 0+10x20 _x3 stale 5
 *       durations {{schema:0 sum:5 count:4 buckets:[1 2 1]}}x4
 *     eval instant at 5m sum by (code) (requests_total)
 *       {code="200"} 100
 *     eval range from 0 to 2m step 30s requests_total
 *       requests_total{code="200"} 0 10 20 30 40
 *     eval instant at 1m 1 +
 *       expect fail msg: 1:4: parse error: unexpected end of input
 *     clear
 *
 * `expect ordered`, `expect warn`, `expect info` (each with `msg: …` or alone), `expect no_warn`, `expect no_info`.
 * A scalar is a number alone, a string is quoted after `expect string`.
 */
import { Labels, type NativeHistogram, unquote } from '@kind-e2e/telemetry';
import { parseDurationMs, parseExpr } from '../src/syntax/index.ts';

/** For what the surrounding code has just made sure of. */
export function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the corpus is malformed');
  return value;
}

export interface SequenceValue {
  readonly kind: 'value' | 'missing' | 'stale';
  readonly value: number;
  readonly histogram?: NativeHistogram;
}

export interface SeriesLine {
  readonly labels: Labels;
  readonly values: readonly SequenceValue[];
}

export interface Expectation {
  readonly kind: 'fail' | 'warn' | 'info' | 'no_warn' | 'no_info' | 'ordered' | 'string';
  readonly message?: string;
}

export interface EvalCommand {
  readonly kind: 'eval';
  readonly line: number;
  /** Lines of the block, the first included, for the update. */
  readonly lineCount: number;
  readonly query: string;
  readonly startMs: number;
  /** Absent for an instant query. */
  readonly range?: { readonly endMs: number; readonly stepMs: number };
  readonly expectations: readonly Expectation[];
  readonly series: readonly SeriesLine[];
  readonly scalar?: number;
}

export type Command =
  | { readonly kind: 'load'; readonly line: number; readonly stepMs: number; readonly series: readonly SeriesLine[] }
  | { readonly kind: 'clear'; readonly line: number }
  | EvalCommand;

function duration(text: string): number {
  const negative = text.startsWith('-');
  const bare = negative ? text.slice(1) : text;
  const ms = /^[\d.]+$/.test(bare) ? Number(bare) * 1000 : parseDurationMs(bare);
  if (ms === undefined) throw new Error(`not a duration: ${text}`);
  return negative ? -ms : ms;
}

export function parseCorpus(text: string): Command[] {
  const commands: Command[] = [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; ) {
    const line = must(lines[i]);
    if (line.trim() === '' || line.startsWith('#')) {
      i++;
      continue;
    }
    let end = i + 1;
    while (end < lines.length && /^\s+\S/.test(must(lines[end]))) end++;
    const body = lines
      .slice(i + 1, end)
      .map((one) => one.trim())
      .filter((one) => !one.startsWith('#'));
    commands.push(parseCommand(line, body, i + 1, end - i));
    i = end;
  }
  return commands;
}

function parseCommand(head: string, body: readonly string[], line: number, lineCount: number): Command {
  if (head === 'clear') return { kind: 'clear', line };
  const load = /^load (\S+)$/.exec(head);
  if (load) return { kind: 'load', line, stepMs: duration(must(load[1])), series: body.map(parseSeriesLine) };
  const instant = /^eval instant at (\S+) (.*)$/.exec(head);
  const range = /^eval range from (\S+) to (\S+) step (\S+) (.*)$/.exec(head);
  if (!instant && !range) throw new Error(`line ${line}: not a command: ${head}`);
  const expectations = body.filter((one) => one.startsWith('expect ')).map(parseExpectation);
  const values = body.filter((one) => !one.startsWith('expect '));
  const scalar = values.length === 1 && /^[-+]?(?:[\d.]+(?:e[-+]?\d+)?|Inf|NaN)$/i.test(must(values[0]));
  return {
    kind: 'eval',
    line,
    lineCount,
    query: (instant?.[2] ?? range?.[4] ?? '').replaceAll('\\n', '\n'),
    startMs: duration(instant?.[1] ?? range?.[1] ?? '0'),
    ...(range ? { range: { endMs: duration(must(range[2])), stepMs: duration(must(range[3])) } } : {}),
    expectations,
    series: scalar ? [] : values.map(parseSeriesLine),
    ...(scalar ? { scalar: number(must(values[0])) } : {}),
  };
}

function parseExpectation(text: string): Expectation {
  const match = /^expect (\w+)(?: (?:msg: ?)?(.*))?$/.exec(text);
  if (!match) throw new Error(`not an expectation: ${text}`);
  const message = match[1] === 'string' ? unquote(match[2] ?? '') : match[2];
  return { kind: match[1] as Expectation['kind'], ...(message === undefined ? {} : { message }) };
}

export function number(text: string): number {
  const lower = text.toLowerCase().replace(/^\+/, '');
  if (lower === 'inf') return Number.POSITIVE_INFINITY;
  if (lower === '-inf') return Number.NEGATIVE_INFINITY;
  if (lower === 'nan') return Number.NaN;
  const value = Number(lower);
  if (Number.isNaN(value)) throw new Error(`not a number: ${text}`);
  return value;
}

function parseSeriesLine(text: string): SeriesLine {
  const end = endOfMetric(text);
  return { labels: parseMetric(text.slice(0, end).trim()), values: parseSequence(text.slice(end).trim()) };
}

/** Where the metric ends: after its braces, or at the first blank. */
function endOfMetric(text: string): number {
  const name = /^[\w:]*/.exec(text)?.[0].length ?? 0;
  const rest = text.slice(name);
  if (!/^\s*\{(?!\{)/.test(rest)) return name;
  let quoted = '';
  for (let i = name; i < text.length; i++) {
    const char = must(text[i]);
    if (quoted !== '') {
      if (char === '\\') i++;
      else if (char === quoted) quoted = '';
    } else if (char === '"' || char === "'" || char === '`') quoted = char;
    else if (char === '}') return i + 1;
  }
  throw new Error(`unclosed braces: ${text}`);
}

function parseMetric(text: string): Labels {
  if (text === '{}') return Labels.EMPTY;
  const expr = parseExpr(text);
  if (expr.kind !== 'vector-selector') throw new Error(`not a metric: ${text}`);
  return Labels.from(expr.matchers.map((matcher) => [matcher.name, matcher.value] as const));
}

function parseSequence(text: string): SequenceValue[] {
  const values: SequenceValue[] = [];
  for (const item of text.match(/(?:[-+]?\{\{.*?\}\}|[^\s{])+(?:x\d+)?/g) ?? []) values.push(...parseItem(item));
  return values;
}

function parseItem(item: string): SequenceValue[] {
  const times = /x(\d+)$/.exec(item);
  const count = times ? Number(times[1]) : 0;
  const base = times ? item.slice(0, -times[0].length) : item;
  if (base === '_') return new Array(Math.max(1, count)).fill({ kind: 'missing', value: 0 });
  if (base === 'stale') return [{ kind: 'stale', value: 0 }];
  const histograms = /^\{\{(.*?)\}\}(?:([-+])\{\{(.*?)\}\})?$/.exec(base);
  if (histograms) {
    const first = parseHistogram(must(histograms[1]));
    const step = histograms[3] === undefined ? undefined : parseHistogram(histograms[3]);
    const sign = histograms[2] === '-' ? -1 : 1;
    return Array.from({ length: count + 1 }, (_, i) => ({
      kind: 'value',
      value: 0,
      histogram: step === undefined ? first : stepped(first, step, sign * i),
    }));
  }
  const series = /^([-+]?(?:[\d.]+(?:e[-+]?\d+)?|inf|nan))(?:([-+])([\d.]+(?:e[-+]?\d+)?))?$/i.exec(base);
  if (!series) throw new Error(`not a value: ${item}`);
  const first = number(must(series[1]));
  const step = series[3] === undefined ? 0 : number(series[3]) * (series[2] === '-' ? -1 : 1);
  return Array.from({ length: count + 1 }, (_, i) => ({ kind: 'value', value: first + step * i }));
}

/** `{{a}}+{{b}}xN` for histograms of one layout. */
function stepped(first: NativeHistogram, step: NativeHistogram, times: number): NativeHistogram {
  const add = (a: readonly number[], b: readonly number[]): number[] =>
    a.map((value, i) => value + times * (b[i] ?? 0));
  return {
    ...first,
    count: first.count + times * step.count,
    sum: first.sum + times * step.sum,
    zeroCount: first.zeroCount + times * step.zeroCount,
    positiveBuckets: add(first.positiveBuckets, step.positiveBuckets),
    negativeBuckets: add(first.negativeBuckets, step.negativeBuckets),
  };
}

export function parseHistogram(text: string): NativeHistogram {
  const fields = new Map<string, string>();
  for (const [, key, list, plain] of text.matchAll(/(\w+):(?:\[([^\]]*)\]|(\S+))/g))
    fields.set(must(key), list ?? plain ?? '');
  const get = (key: string): number => number(fields.get(key) ?? '0');
  const list = (key: string): number[] => (fields.get(key) ?? '').split(/\s+/).filter(Boolean).map(number);
  const positiveBuckets = list('buckets');
  const negativeBuckets = list('n_buckets');
  const hint = fields.get('counter_reset_hint') ?? 'unknown';
  return {
    counterResetHint: hint === 'not_reset' ? 'not-reset' : (hint as NativeHistogram['counterResetHint']),
    schema: get('schema'),
    zeroThreshold: get('z_bucket_w'),
    zeroCount: get('z_bucket'),
    count: get('count'),
    sum: get('sum'),
    positiveSpans: positiveBuckets.length === 0 ? [] : [{ offset: get('offset'), length: positiveBuckets.length }],
    positiveBuckets,
    negativeSpans: negativeBuckets.length === 0 ? [] : [{ offset: get('n_offset'), length: negativeBuckets.length }],
    negativeBuckets,
    customValues: list('custom_values'),
  };
}
