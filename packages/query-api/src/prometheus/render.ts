import {
  type MatrixSeries,
  type QueryResult,
  type QueryValue,
  ValueFormatter,
  type VectorSample,
} from '@kind-e2e/promql';
import { isStaleAt, type Labels, type NativeHistogram } from '@kind-e2e/telemetry';
import { bucketsOf } from './buckets.ts';

const formatter = new ValueFormatter();
const PART_CHARACTERS = 256 * 1024;
const MAX_ANNOTATIONS = 10;

/** A value as Prometheus' API writes it (util/jsonutil `MarshalFloat`): with an exponent below 1e-6 and from 1e21 on. */
export function valueText(value: number): string {
  const size = Math.abs(value);
  if ((size < 1e-6 && size !== 0) || (size >= 1e21 && size !== Infinity))
    return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
  return formatter.format(value);
}

/** Milliseconds as seconds with three decimals where there are any (`MarshalTimestamp`). */
export function timestampText(ms: number): string {
  const whole = Math.trunc(ms);
  const size = Math.abs(whole);
  const fraction = size % 1000;
  const seconds = `${whole < 0 ? '-' : ''}${Math.floor(size / 1000)}`;
  return fraction === 0 ? seconds : `${seconds}.${String(fraction).padStart(3, '0')}`;
}

const labelTexts = new WeakMap<Labels, string>();

/** A label set as a JSON object. */
export function labelsText(labels: Labels): string {
  const known = labelTexts.get(labels);
  if (known !== undefined) return known;
  let text = '{';
  for (const [name, value] of labels)
    text += `${text.length > 1 ? ',' : ''}${JSON.stringify(name)}:${JSON.stringify(value)}`;
  text += '}';
  labelTexts.set(labels, text);
  return text;
}

function histogramText(histogram: NativeHistogram): string {
  const buckets = bucketsOf(histogram)
    .map(
      ({ boundaries, lower, upper, count }) =>
        `[${boundaries},"${valueText(lower)}","${valueText(upper)}","${valueText(count)}"]`,
    )
    .join(',');
  const head = `{"count":"${valueText(histogram.count)}","sum":"${valueText(histogram.sum)}"`;
  return buckets === '' ? `${head}}` : `${head},"buckets":[${buckets}]}`;
}

/** The answer of a query in parts, so that a large one need not be one string. */
export function renderResult(result: QueryResult, limit: number, stats: string | undefined): string[] {
  const parts = ['{"status":"success","data":'];
  const truncated = renderValue(result.value, limit, parts);
  const warnings = truncated ? [...result.warnings, 'results truncated due to limit'] : result.warnings;
  let tail = stats === undefined ? '}' : `,"stats":${stats}}`;
  if (warnings.length > 0) tail += `,"warnings":${JSON.stringify(shortened(warnings, 'warning'))}`;
  if (result.infos.length > 0) tail += `,"infos":${JSON.stringify(shortened(result.infos, 'info'))}`;
  parts.push(`${tail}}`);
  return parts;
}

/** As many as Prometheus shows (Annotations.AsStrings), and how many more there are. */
function shortened(annotations: readonly string[], kind: 'warning' | 'info'): readonly string[] {
  const more = annotations.length - MAX_ANNOTATIONS;
  if (more <= 0) return annotations;
  return [...annotations.slice(0, MAX_ANNOTATIONS), `${more} more ${kind} annotations omitted`];
}

/** Writes `{"resultType":…,"result":…` without its end; true where the limit cut it. */
function renderValue(value: QueryValue, limit: number, parts: string[]): boolean {
  switch (value.type) {
    case 'scalar':
      parts.push(`{"resultType":"scalar","result":[${timestampText(value.timestampMs)},"${valueText(value.value)}"]`);
      return false;
    case 'string':
      parts.push(
        `{"resultType":"string","result":[${timestampText(value.timestampMs)},${JSON.stringify(value.value.toWellFormed())}]`,
      );
      return false;
    case 'vector': {
      const samples = limit > 0 ? value.samples.slice(0, limit) : value.samples;
      parts.push(`{"resultType":"vector","result":[`);
      renderEach(samples, vectorText, parts);
      parts.push(']');
      return samples.length < value.samples.length;
    }
    case 'matrix': {
      const series = limit > 0 ? value.series.slice(0, limit) : value.series;
      parts.push(`{"resultType":"matrix","result":[`);
      renderEach(series, new MatrixText().text, parts);
      parts.push(']');
      return series.length < value.series.length;
    }
  }
}

function renderEach<T>(items: readonly T[], text: (item: T) => string, parts: string[]): void {
  let part = '';
  let first = true;
  for (const item of items) {
    part += first ? text(item) : `,${text(item)}`;
    first = false;
    if (part.length < PART_CHARACTERS) continue;
    parts.push(part);
    part = '';
  }
  parts.push(part);
}

function vectorText({ labels, timestampMs, value, histogram }: VectorSample): string {
  const time = timestampText(timestampMs);
  return histogram
    ? `{"metric":${labelsText(labels)},"histogram":[${time},${histogramText(histogram)}]}`
    : `{"metric":${labelsText(labels)},"value":[${time},"${valueText(value)}"]}`;
}

/** Writes series; those that share their array of times share its text. */
class MatrixText {
  #times: Float64Array | undefined;
  #texts: string[] = [];

  readonly text = ({ labels, timestamps, values, histograms }: MatrixSeries): string => {
    const times = this.#textsOf(timestamps);
    let floats = '';
    let natives = '';
    for (let i = 0; i < timestamps.length; i++) {
      const histogram = histograms?.[i];
      if (histogram) natives += `${natives === '' ? '' : ','}[${times[i]},${histogramText(histogram)}]`;
      else {
        const value = values[i] ?? 0;
        if (Number.isNaN(value) && isStaleAt(values, i)) continue;
        floats += floats === '' ? `[${times[i]},"${valueText(value)}"]` : `,[${times[i]},"${valueText(value)}"]`;
      }
    }
    let text = `{"metric":${labelsText(labels)}`;
    if (floats !== '') text += `,"values":[${floats}]`;
    if (natives !== '') text += `,"histograms":[${natives}]`;
    return `${text}}`;
  };

  #textsOf(timestamps: Float64Array): readonly string[] {
    if (this.#times === timestamps) return this.#texts;
    const before = this.#times;
    const isSame =
      before !== undefined &&
      before.length === timestamps.length &&
      before[0] === timestamps[0] &&
      timestamps.every((time, i) => time === before[i]);
    if (!isSame) this.#texts = Array.from(timestamps, timestampText);
    this.#times = timestamps;
    return this.#texts;
  }
}
