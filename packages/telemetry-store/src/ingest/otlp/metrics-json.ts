import { attributesOf, bigintOf, enumOf, type JsonObject, numberOf, objectOf, objectsOf, textOf } from './json.ts';
import {
  newPoint,
  type OtlpExemplar,
  type OtlpMetric,
  type OtlpPoint,
  type OtlpResourceMetrics,
} from './metric-model.ts';

const DATA: readonly (readonly [string, OtlpMetric['kind']])[] = [
  ['gauge', 'gauge'],
  ['sum', 'sum'],
  ['histogram', 'histogram'],
  ['exponentialHistogram', 'exponential'],
  ['summary', 'summary'],
];
const TEMPORALITY = ['unspecified', 'delta', 'cumulative'] as const;

/** Reads an ExportMetricsServiceRequest in OTLP's JSON. */
export function readMetricsJson(request: JsonObject): OtlpResourceMetrics[] {
  return objectsOf(request.resourceMetrics, 'resourceMetrics').map((resourceMetrics, r) => ({
    resource: attributesOf(objectOf(resourceMetrics.resource).attributes, 'resource.attributes'),
    metrics: objectsOf(resourceMetrics.scopeMetrics, `resourceMetrics[${r}].scopeMetrics`).flatMap(
      (scopeMetrics, s) => {
        const path = `resourceMetrics[${r}].scopeMetrics[${s}].metrics`;
        return objectsOf(scopeMetrics.metrics, path).map((metric, m) => metricOf(metric, `${path}[${m}]`));
      },
    ),
  }));
}

function metricOf(metric: JsonObject, path: string): OtlpMetric {
  const [key, kind] = DATA.find(([name]) => metric[name] !== undefined) ?? ['', 'none' as const];
  const data = objectOf(metric[key]);
  return {
    name: textOf(metric.name),
    description: textOf(metric.description),
    unit: textOf(metric.unit),
    kind,
    isMonotonic: data.isMonotonic === true,
    temporality: data.aggregationTemporality === undefined ? 2 : enumOf(data.aggregationTemporality, TEMPORALITY),
    points: objectsOf(data.dataPoints, `${path}.${key}.dataPoints`).map((point, i) =>
      pointOf(point, `${path}.${key}.dataPoints[${i}]`),
    ),
  };
}

function pointOf(point: JsonObject, path: string): OtlpPoint {
  const count = (value: unknown): number => Number(bigintOf(value, path));
  const counts = (value: unknown): number[] => (Array.isArray(value) ? value.map(count) : []);
  const buckets = (value: unknown): OtlpPoint['positive'] => {
    const read = objectOf(value);
    return { offset: numberOf(read.offset), counts: counts(read.bucketCounts) };
  };
  return {
    ...newPoint(),
    attributes: attributesOf(point.attributes, `${path}.attributes`),
    timeNs: bigintOf(point.timeUnixNano, `${path}.timeUnixNano`),
    startNs: bigintOf(point.startTimeUnixNano, `${path}.startTimeUnixNano`),
    value: point.asInt !== undefined ? Number(bigintOf(point.asInt, `${path}.asInt`)) : numberOf(point.asDouble),
    count: count(point.count),
    sum: point.sum === undefined ? undefined : numberOf(point.sum),
    bucketCounts: counts(point.bucketCounts),
    explicitBounds: Array.isArray(point.explicitBounds) ? point.explicitBounds.map(numberOf) : [],
    scale: numberOf(point.scale),
    zeroCount: count(point.zeroCount),
    zeroThreshold: numberOf(point.zeroThreshold),
    positive: buckets(point.positive),
    negative: buckets(point.negative),
    quantiles: objectsOf(point.quantileValues, `${path}.quantileValues`).map((value) => ({
      quantile: numberOf(value.quantile),
      value: numberOf(value.value),
    })),
    exemplars: objectsOf(point.exemplars, `${path}.exemplars`).map((exemplar) => exemplarOf(exemplar, path)),
    noRecordedValue: (Number(point.flags ?? 0) & 1) === 1,
  };
}

function exemplarOf(exemplar: JsonObject, path: string): OtlpExemplar {
  return {
    attributes: attributesOf(exemplar.filteredAttributes, `${path}.filteredAttributes`),
    timeNs: bigintOf(exemplar.timeUnixNano, `${path}.timeUnixNano`),
    value: exemplar.asInt !== undefined ? Number(bigintOf(exemplar.asInt, path)) : numberOf(exemplar.asDouble),
    traceId: textOf(exemplar.traceId).toLowerCase(),
    spanId: textOf(exemplar.spanId).toLowerCase(),
  };
}
