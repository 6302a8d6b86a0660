import { formatValue } from '@kind-e2e/promql';
import {
  type Attributes,
  compareStrings,
  type Exemplar,
  Labels,
  type MetricMetadata,
  type MetricType,
  type NativeHistogram,
  type Sample,
} from '@kind-e2e/telemetry';
import { attributeText } from '../../traces/attribute-codec.ts';
import { IngestError } from '../ingest-error.ts';
import { parseJsonObject } from './json.ts';
import type { OtlpExemplar, OtlpMetric, OtlpPoint, OtlpResourceMetrics } from './metric-model.ts';
import { prometheusLabel, prometheusName } from './metric-names.ts';
import { readMetricsJson } from './metrics-json.ts';
import { readMetricsProtobuf } from './metrics-protobuf.ts';

const CUMULATIVE = 2;
/** Coarser exponential histograms have no native form. */
const LEAST_SCALE = -4;
const ZERO_THRESHOLD = 1e-128;
/** Of all labels of an exemplar (OpenMetrics). */
const MAX_EXEMPLAR_CHARACTERS = 128;

export interface DecodedMetrics {
  readonly samples: readonly Sample[];
  readonly metadata: ReadonlyMap<string, MetricMetadata>;
  /** Points that cannot be kept, by reason. */
  readonly problems: ReadonlyMap<string, number>;
}

/** An ExportMetricsServiceRequest as samples (prometheus/storage/remote/otlptranslator/prometheusremotewrite). */
export function decodeOtlpMetrics(body: Buffer, mediaType: string): DecodedMetrics {
  if (mediaType === 'application/json') return translate(readMetricsJson(parseJsonObject(body)));
  if (mediaType === 'application/x-protobuf' || mediaType === '') return translate(readMetricsProtobuf(body));
  throw new IngestError(415, `unsupported Content-Type: ${mediaType}; use application/x-protobuf or application/json`);
}

function translate(all: readonly OtlpResourceMetrics[]): DecodedMetrics {
  const samples: Sample[] = [];
  const metadata = new Map<string, MetricMetadata>();
  const problems = new Map<string, number>();
  for (const { resource, metrics } of all) {
    const base = resourceLabels(resource);
    let newest = 0;
    for (const metric of metrics) {
      const problem = problemOf(metric);
      if (problem) {
        problems.set(problem, (problems.get(problem) ?? 0) + metric.points.length);
        continue;
      }
      const isCounter = metric.kind === 'sum' && metric.isMonotonic;
      const kind = isCounter ? 'counter' : metric.kind === 'gauge' || metric.kind === 'sum' ? 'gauge' : 'other';
      const name = prometheusName(metric.name, metric.unit, kind);
      metadata.set(name, { type: typeOf(metric), help: metric.description, unit: metric.unit });
      for (const point of metric.points) {
        newest = Math.max(newest, milliseconds(point.timeNs));
        if (metric.kind === 'exponential' && point.scale < LEAST_SCALE) {
          const reason = `cannot convert exponential to native histogram. Scale must be >= ${LEAST_SCALE}, was ${point.scale}`;
          problems.set(reason, (problems.get(reason) ?? 0) + 1);
          continue;
        }
        addPoint(samples, name, metric, point, base);
      }
    }
    const info = targetInfo(resource, base);
    if (info && newest > 0) samples.push({ labels: info, timestampMs: newest, value: 1 });
  }
  return { samples, metadata, problems };
}

function problemOf(metric: OtlpMetric): string | undefined {
  if (metric.name === '') return 'a metric has no name';
  if (metric.kind === 'none') return `metric ${metric.name} has no data`;
  if (metric.temporality !== CUMULATIVE && metric.kind !== 'gauge' && metric.kind !== 'summary')
    return `invalid temporality and type combination for metric ${JSON.stringify(metric.name)}`;
  return undefined;
}

function typeOf(metric: OtlpMetric): MetricType {
  if (metric.kind === 'sum') return metric.isMonotonic ? 'counter' : 'gauge';
  if (metric.kind === 'exponential') return 'histogram';
  return metric.kind === 'none' ? 'unknown' : metric.kind;
}

/** `job` and `instance` from the service's attributes (OpenTelemetry, "Prometheus and OpenMetrics Compatibility"). */
function resourceLabels(resource: Attributes): [string, string][] {
  const text = (key: string): string => {
    const value = Object.hasOwn(resource, key) ? resource[key] : undefined;
    return value === undefined ? '' : attributeText(value);
  };
  const namespace = Object.hasOwn(resource, 'service.namespace') ? `${text('service.namespace')}/` : '';
  const service = text('service.name');
  const labels: [string, string][] = [];
  if (service !== '' || (namespace !== '' && Object.hasOwn(resource, 'service.name')))
    labels.push(['job', namespace + service]);
  const instance = text('service.instance.id');
  if (instance !== '') labels.push(['instance', instance]);
  return labels;
}

function targetInfo(resource: Attributes, base: readonly [string, string][]): Labels | undefined {
  if (base.length === 0) return undefined;
  const rest = Object.entries(resource).filter(
    ([key]) => key !== 'service.name' && key !== 'service.namespace' && key !== 'service.instance.id',
  );
  if (rest.length === 0) return undefined;
  return Labels.from([...attributeLabels(Object.fromEntries(rest)), ...base, ['__name__', 'target_info']]);
}

/** Attributes whose names become one are joined, in the order of what they were. */
function attributeLabels(attributes: Attributes): Map<string, string> {
  const labels = new Map<string, string>();
  for (const [key, value] of Object.entries(attributes).sort(([a], [b]) => compareStrings(a, b))) {
    const name = prometheusLabel(key);
    const before = labels.get(name);
    labels.set(name, before === undefined ? attributeText(value) : `${before};${attributeText(value)}`);
  }
  return labels;
}

function milliseconds(ns: bigint): number {
  return Number(ns / 1_000_000n);
}

function addPoint(
  samples: Sample[],
  name: string,
  metric: OtlpMetric,
  point: OtlpPoint,
  base: readonly [string, string][],
): void {
  const timestampMs = milliseconds(point.timeNs);
  const pairs: [string, string][] = [...attributeLabels(point.attributes), ...base];
  const add = (suffix: string, value: number, extra?: [string, string], exemplar?: Exemplar): void => {
    const labels = Labels.from([...pairs, ...(extra ? [extra] : []), ['__name__', name + suffix]]);
    samples.push({
      labels,
      timestampMs,
      value,
      ...(point.noRecordedValue && { stale: true }),
      ...(exemplar && { exemplar }),
    });
  };
  const exemplars = point.exemplars.map(exemplarOf);
  switch (metric.kind) {
    case 'gauge':
    case 'sum':
      add('', point.value, undefined, exemplars.at(-1));
      return;
    case 'summary':
      for (const { quantile, value } of point.quantiles) add('', value, ['quantile', formatValue(quantile)]);
      add('_sum', point.sum ?? 0);
      add('_count', point.count);
      return;
    case 'histogram': {
      let total = 0;
      point.explicitBounds.forEach((bound, i) => {
        total += point.bucketCounts[i] ?? 0;
        const below = point.explicitBounds[i - 1] ?? -Infinity;
        const own = exemplars.findLast((exemplar) => exemplar.value <= bound && exemplar.value > below);
        add('_bucket', total, ['le', formatValue(bound)], own);
      });
      const last = point.explicitBounds.at(-1) ?? -Infinity;
      add(
        '_bucket',
        point.count,
        ['le', '+Inf'],
        exemplars.findLast((exemplar) => exemplar.value > last),
      );
      if (point.sum !== undefined) add('_sum', point.sum);
      add('_count', point.count);
      return;
    }
    case 'exponential': {
      const labels = Labels.from([...pairs, ['__name__', name]]);
      const exemplar = exemplars.at(-1);
      if (point.noRecordedValue) add('', 0);
      else samples.push({ labels, timestampMs, value: 0, histogram: nativeOf(point), ...(exemplar && { exemplar }) });
      return;
    }
    case 'none':
  }
}

/** The trace's ids always; attributes, as they are called, where all stay within OpenMetrics' limit. */
function exemplarOf(exemplar: OtlpExemplar): Exemplar {
  const ids: [string, string][] = [];
  if (exemplar.traceId !== '') ids.push(['trace_id', exemplar.traceId]);
  if (exemplar.spanId !== '') ids.push(['span_id', exemplar.spanId]);
  const attributes = Object.entries(exemplar.attributes).map(([key, value]): [string, string] => [
    key,
    attributeText(value),
  ]);
  const characters = [...ids, ...attributes].reduce(
    (sum, [name, value]) => sum + [...name].length + [...value].length,
    0,
  );
  return {
    labels: Labels.from(characters <= MAX_EXEMPLAR_CHARACTERS ? [...ids, ...attributes] : ids),
    value: exemplar.value,
    timestampMs: milliseconds(exemplar.timeNs),
  };
}

/** An exponential histogram as a native one; scales above 8 are merged down, since 8 is the finest there is. */
function nativeOf(point: OtlpPoint): NativeHistogram {
  const down = Math.max(0, point.scale - 8);
  const side = ({
    offset,
    counts,
  }: OtlpPoint['positive']): Pick<NativeHistogram, 'positiveSpans' | 'positiveBuckets'> => {
    const merged = new Map<number, number>();
    counts.forEach((count, i) => {
      // OTLP's bucket of index i ends at base^(i+1), Prometheus' at base^i.
      const index = ((offset + i) >> down) + 1;
      merged.set(index, (merged.get(index) ?? 0) + count);
    });
    const indexes = [...merged.keys()].sort((a, b) => a - b);
    const [first] = indexes;
    return {
      positiveSpans: first === undefined ? [] : [{ offset: first, length: indexes.length }],
      positiveBuckets: indexes.map((index) => merged.get(index) ?? 0),
    };
  };
  const positive = side(point.positive);
  const negative = side(point.negative);
  return {
    counterResetHint: 'unknown',
    schema: point.scale - down,
    zeroThreshold: ZERO_THRESHOLD,
    zeroCount: point.zeroCount,
    count: point.count,
    sum: point.sum ?? 0,
    positiveSpans: positive.positiveSpans,
    positiveBuckets: positive.positiveBuckets,
    negativeSpans: negative.positiveSpans,
    negativeBuckets: negative.positiveBuckets,
    customValues: [],
  };
}
