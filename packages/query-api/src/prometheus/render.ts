import type { QueryResult, QueryValue, VectorSample } from '@kind-e2e/promql';
import type { Labels, NativeHistogram } from '@kind-e2e/telemetry';
import { bucketsOf } from './buckets.ts';
import { MatrixBytes } from './matrix-bytes.ts';
import { timestampText, valueText } from './value-bytes.ts';

const PART_CHARACTERS = 256 * 1024;
const MAX_ANNOTATIONS = 10;

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

export function histogramText(histogram: NativeHistogram): string {
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
export function renderResult(result: QueryResult, limit: number, stats: string | undefined): (string | Uint8Array)[] {
  const parts: (string | Uint8Array)[] = ['{"status":"success","data":'];
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
function renderValue(value: QueryValue, limit: number, parts: (string | Uint8Array)[]): boolean {
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
      const bytes = new MatrixBytes();
      bytes.text('{"resultType":"matrix","result":[');
      series.forEach((one, i) => {
        if (i > 0) bytes.text(',');
        bytes.add(one);
      });
      bytes.text(']');
      parts.push(...bytes.take());
      return series.length < value.series.length;
    }
  }
}

function renderEach<T>(items: readonly T[], text: (item: T) => string, parts: (string | Uint8Array)[]): void {
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
