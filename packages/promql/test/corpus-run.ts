import { type Labels, METRIC_NAME, type NativeHistogram, quote } from '@kind-e2e/telemetry';
import {
  createEngine,
  formatValue,
  PromqlError,
  PromqlSyntaxError,
  type QueryResult,
  type QueryValue,
} from '../src/index.ts';
import { matcherText } from '../src/syntax/index.ts';
import { type Command, type EvalCommand, must, parseHistogram, type SequenceValue } from './corpus-syntax.ts';
import type { MemoryReader } from './memory-reader.ts';

const engine = createEngine({ experimentalFunctions: true });

/** A result as the lines that belong below its `eval`. */
export function resultLines(command: EvalCommand, result: QueryResult): string[] {
  const lines: string[] = [];
  if (command.expectations.some(({ kind }) => kind === 'ordered')) lines.push('expect ordered');
  for (const warning of result.warnings) lines.push(`expect warn msg: ${warning}`);
  for (const info of result.infos) lines.push(`expect info msg: ${info}`);
  return [...lines, ...valueLines(command, result.value)];
}

function valueLines(command: EvalCommand, value: QueryValue): string[] {
  switch (value.type) {
    case 'scalar':
      return [formatValue(value.value)];
    case 'string':
      return [`expect string ${quote(value.value)}`];
    case 'vector':
      return value.samples.map((s) => `${metricText(s.labels)} ${pointText(s.value, s.histogram)}`);
    case 'matrix': {
      const { range } = command;
      const stepMs = range?.stepMs ?? 0;
      return value.series.map((series) => {
        const points = [...series.timestamps].map((time, i) => ({
          step: stepMs === 0 ? i : Math.round((time - command.startMs) / stepMs),
          text: pointText(must(series.values[i]), series.histograms?.[i]),
        }));
        const cells: string[] = [];
        for (const point of points) {
          while (cells.length < point.step) cells.push('_');
          cells.push(point.text);
        }
        return `${metricText(series.labels)} ${cells.join(' ')}`;
      });
    }
  }
}

function metricText(labels: Labels): string {
  const name = labels.get(METRIC_NAME);
  const plain = /^[A-Za-z_:][\w:]*$/.test(name);
  const rest = [...labels]
    .filter(([label]) => label !== METRIC_NAME || (name !== '' && !plain))
    .map(([label, value]) => matcherText({ name: label, operator: '=', value, matches: () => true }));
  if (rest.length === 0) return plain ? name : '{}';
  return `${plain ? name : ''}{${rest.join(', ')}}`;
}

function pointText(value: number, histogram: NativeHistogram | undefined): string {
  return histogram === undefined ? formatValue(value) : histogramText(histogram);
}

export function histogramText(h: NativeHistogram): string {
  const fields = [`schema:${h.schema}`, `count:${formatValue(h.count)}`, `sum:${formatValue(h.sum)}`];
  if (h.zeroCount !== 0) fields.push(`z_bucket:${formatValue(h.zeroCount)}`);
  if (h.zeroThreshold !== 0) fields.push(`z_bucket_w:${formatValue(h.zeroThreshold)}`);
  if (h.customValues.length > 0) fields.push(`custom_values:[${h.customValues.map(formatValue).join(' ')}]`);
  if (h.counterResetHint !== 'unknown') fields.push(`counter_reset_hint:${h.counterResetHint.replace('-', '_')}`);
  const side = (prefix: string, spans: NativeHistogram['positiveSpans'], buckets: readonly number[]): void => {
    if (buckets.length === 0) return;
    const dense: number[] = [];
    let next = 0;
    spans.forEach((span, i) => {
      if (i > 0) for (let gap = 0; gap < span.offset; gap++) dense.push(0);
      for (let j = 0; j < span.length; j++) dense.push(must(buckets[next++]));
    });
    if (must(spans[0]).offset !== 0) fields.push(`${prefix}offset:${must(spans[0]).offset}`);
    fields.push(`${prefix}buckets:[${dense.map(formatValue).join(' ')}]`);
  };
  side('', h.positiveSpans, h.positiveBuckets);
  side('n_', h.negativeSpans, h.negativeBuckets);
  return `{{${fields.join(' ')}}}`;
}

export function apply(reader: MemoryReader, command: Exclude<Command, EvalCommand>): void {
  if (command.kind === 'clear') {
    reader.clear();
    return;
  }
  for (const { labels, values } of command.series)
    values.forEach((one, i) => {
      if (one.kind === 'missing') return;
      reader.add(labels, {
        timestampMs: i * command.stepMs,
        value: one.value,
        ...(one.kind === 'stale' ? { stale: true } : {}),
        ...(one.histogram === undefined ? {} : { histogram: one.histogram }),
      });
    });
}

/** The lines of the actual outcome, failures included. */
export async function runEval(reader: MemoryReader, command: EvalCommand): Promise<string[]> {
  const { query, startMs, range } = command;
  try {
    const result =
      range === undefined
        ? await engine.instant(reader, query, startMs)
        : await engine.range(reader, query, startMs, range.endMs, range.stepMs);
    return resultLines(command, result);
  } catch (error) {
    if (error instanceof PromqlError || error instanceof PromqlSyntaxError)
      return [`expect fail msg: ${error.message}`];
    throw error;
  }
}

function near(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b), 1e-9);
}

/** What is wrong with the outcome, or undefined. */
export function compare(command: EvalCommand, actual: readonly string[]): string | undefined {
  const wants = (kind: string): boolean => command.expectations.some((one) => one.kind === kind);
  const messages = (kind: string): string[] =>
    actual
      .filter((line) => line.startsWith(`expect ${kind} `))
      .map((line) => line.replace(/^expect \w+ (?:msg: )?/, ''));
  for (const { kind, message } of command.expectations) {
    if (kind === 'ordered') continue;
    if (kind === 'no_warn' || kind === 'no_info') {
      if (messages(kind.slice(3)).length > 0)
        return `did not want ${kind.slice(3)}: ${messages(kind.slice(3)).join('; ')}`;
      continue;
    }
    const got = kind === 'string' ? messages('string').map((text) => JSON.parse(text) as string) : messages(kind);
    if (got.length === 0) return `wanted ${kind} ${message ?? ''}, got ${actual.join(' | ')}`;
    if (message !== undefined && !got.includes(message)) return `wanted ${kind} ${message}, got ${got.join('; ')}`;
  }
  if (wants('fail') || wants('string')) return undefined;
  const failure = messages('fail');
  if (failure.length > 0) return `failed: ${failure.join()}`;
  for (const kind of ['warn', 'info'])
    if (messages(kind).length > 0 && !wants(kind)) return `unexpected ${kind}: ${messages(kind).join('; ')}`;
  return compareSeries(
    command,
    actual.filter((line) => !line.startsWith('expect ')),
    wants('ordered'),
  );
}

function compareSeries(command: EvalCommand, actual: readonly string[], ordered: boolean): string | undefined {
  if (command.scalar !== undefined) {
    const got = parseActual(actual[0] ?? '');
    return actual.length === 1 && got.metric === '' && near(got.values[0]?.value ?? Number.NaN, command.scalar)
      ? undefined
      : `wanted ${command.scalar}, got ${actual.join(' | ')}`;
  }
  const got = actual.map(parseActual);
  if (got.length !== command.series.length) return `wanted ${command.series.length} series, got ${actual.join(' | ')}`;
  for (const [index, want] of command.series.entries()) {
    const metric = metricText(want.labels);
    const found = ordered ? got[index] : got.find((one) => one.metric === metric);
    if (found?.metric !== metric) return `wanted ${metric}, got ${actual.join(' | ')}`;
    const wanted = [...want.values];
    while (wanted.at(-1)?.kind === 'missing') wanted.pop();
    if (wanted.length !== found.values.length)
      return `${metric}: wanted ${wanted.length} points, got ${actual.join(' | ')}`;
    for (const [i, one] of wanted.entries()) {
      const other = must(found.values[i]);
      if (!samePoint(one, other)) return `${metric}: point ${i} differs, got ${actual.join(' | ')}`;
    }
  }
  return undefined;
}

function samePoint(a: SequenceValue, b: SequenceValue): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'missing') return true;
  if (a.histogram === undefined || b.histogram === undefined)
    return !a.histogram && !b.histogram && near(a.value, b.value);
  const left = numbersOf(a.histogram);
  const right = numbersOf(b.histogram);
  return left.length === right.length && left.every((value, i) => near(value, must(right[i])));
}

function numbersOf(h: NativeHistogram): number[] {
  const side = (spans: NativeHistogram['positiveSpans'], buckets: readonly number[]): number[] => {
    const out: number[] = [];
    let index = 0;
    let next = 0;
    for (const span of spans) {
      index += span.offset;
      for (let i = 0; i < span.length; i++, index++) {
        const count = buckets[next++] ?? 0;
        if (count !== 0) out.push(index, count);
      }
    }
    return [...out, Number.MAX_SAFE_INTEGER];
  };
  return [
    h.schema,
    h.count,
    h.sum,
    h.zeroCount,
    h.zeroThreshold,
    ...h.customValues,
    ...side(h.positiveSpans, h.positiveBuckets),
    ...side(h.negativeSpans, h.negativeBuckets),
  ];
}

function parseActual(line: string): { metric: string; values: SequenceValue[] } {
  const scalar = /^[-+]?(?:[\d.]+|Inf|NaN)$/.test(line);
  const split = scalar ? 0 : endOfActualMetric(line);
  const values = (line.slice(split).match(/\{\{.*?\}\}|[^\s]+/g) ?? []).map((cell): SequenceValue => {
    if (cell === '_') return { kind: 'missing', value: 0 };
    if (cell.startsWith('{{')) return { kind: 'value', value: 0, histogram: parseHistogram(cell.slice(2, -2)) };
    return { kind: 'value', value: cell === '+Inf' ? Infinity : cell === '-Inf' ? -Infinity : Number(cell) };
  });
  return { metric: line.slice(0, split).trim(), values };
}

function endOfActualMetric(line: string): number {
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = must(line[i]);
    if (quoted && char === '\\') i++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && char === ' ' && line[i - 1] !== ',') return i;
  }
  return line.length;
}
