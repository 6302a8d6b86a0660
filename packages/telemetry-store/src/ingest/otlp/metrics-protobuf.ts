import type { Attributes, AttributeValue } from '@kind-e2e/telemetry';
import { ProtobufReader } from '../../bytes/protobuf.ts';
import { readAttribute } from '../../traces/attribute-codec.ts';
import { decodeResource } from '../../traces/span-codec.ts';
import {
  newPoint,
  type OtlpExemplar,
  type OtlpMetric,
  type OtlpPoint,
  type OtlpResourceMetrics,
} from './metric-model.ts';

/** Field numbers of a metric's data, by kind: the attributes and the exemplars stand elsewhere in each. */
const KINDS: Readonly<Record<number, OtlpMetric['kind']>> = {
  5: 'gauge',
  7: 'sum',
  9: 'histogram',
  10: 'exponential',
  11: 'summary',
};

/** Reads an ExportMetricsServiceRequest. */
export function readMetricsProtobuf(body: Buffer): OtlpResourceMetrics[] {
  const all: OtlpResourceMetrics[] = [];
  const request = new ProtobufReader(body);
  while (request.next()) {
    if (request.field !== 1) {
      request.skipField();
      continue;
    }
    let resource: Attributes = {};
    const metrics: OtlpMetric[] = [];
    const resourceMetrics = request.message();
    while (resourceMetrics.next()) {
      if (resourceMetrics.field === 1) resource = decodeResource(resourceMetrics.blob());
      else if (resourceMetrics.field === 2) {
        const scopeMetrics = resourceMetrics.message();
        while (scopeMetrics.next()) {
          if (scopeMetrics.field === 2) metrics.push(readMetric(scopeMetrics.message()));
          else scopeMetrics.skipField();
        }
      } else resourceMetrics.skipField();
    }
    all.push({ resource, metrics });
  }
  return all;
}

function readMetric(reader: ProtobufReader): OtlpMetric {
  const metric: OtlpMetric = {
    name: '',
    description: '',
    unit: '',
    kind: 'none',
    isMonotonic: false,
    temporality: 2,
    points: [],
  };
  while (reader.next()) {
    const kind = KINDS[reader.field];
    if (reader.field === 1) metric.name = reader.text();
    else if (reader.field === 2) metric.description = reader.text();
    else if (reader.field === 3) metric.unit = reader.text();
    else if (kind) {
      metric.kind = kind;
      const data = reader.message();
      while (data.next()) {
        if (data.field === 1) metric.points.push(readPoint(data.message(), kind));
        else if (data.field === 2) metric.temporality = data.uint();
        else if (data.field === 3) metric.isMonotonic = data.bool();
        else data.skipField();
      }
    } else reader.skipField();
  }
  return metric;
}

function readPoint(reader: ProtobufReader, kind: OtlpMetric['kind']): OtlpPoint {
  const point = newPoint();
  const attributes: Record<string, AttributeValue> = {};
  point.attributes = attributes;
  while (reader.next()) {
    const { field } = reader;
    if (field === 2) point.startNs = reader.fixed64();
    else if (field === 3) point.timeNs = reader.fixed64();
    else if (kind === 'gauge' || kind === 'sum') {
      if (field === 4) point.value = reader.double();
      else if (field === 6) point.value = Number(reader.sfixed64());
      else if (field === 7) readAttribute(reader.message(), attributes);
      else if (field === 5) point.exemplars.push(readExemplar(reader.message()));
      else if (field === 8) point.noRecordedValue = (reader.uint() & 1) === 1;
      else reader.skipField();
    } else if (field === 4) point.count = Number(reader.fixed64());
    else if (field === 5) point.sum = reader.double();
    else if (kind === 'histogram') {
      if (field === 6) reader.fixed64s(point.bucketCounts);
      else if (field === 7) reader.doubles(point.explicitBounds);
      else if (field === 8) point.exemplars.push(readExemplar(reader.message()));
      else if (field === 9) readAttribute(reader.message(), attributes);
      else if (field === 10) point.noRecordedValue = (reader.uint() & 1) === 1;
      else reader.skipField();
    } else if (kind === 'exponential') {
      if (field === 1) readAttribute(reader.message(), attributes);
      else if (field === 6) point.scale = reader.sint();
      else if (field === 7) point.zeroCount = Number(reader.fixed64());
      else if (field === 8) point.positive = readBuckets(reader.message());
      else if (field === 9) point.negative = readBuckets(reader.message());
      else if (field === 10) point.noRecordedValue = (reader.uint() & 1) === 1;
      else if (field === 11) point.exemplars.push(readExemplar(reader.message()));
      else if (field === 14) point.zeroThreshold = reader.double();
      else reader.skipField();
    } else if (field === 6) {
      const quantile = { quantile: 0, value: 0 };
      const message = reader.message();
      while (message.next()) {
        if (message.field === 1) quantile.quantile = message.double();
        else if (message.field === 2) quantile.value = message.double();
        else message.skipField();
      }
      point.quantiles.push(quantile);
    } else if (field === 7) readAttribute(reader.message(), attributes);
    else if (field === 8) point.noRecordedValue = (reader.uint() & 1) === 1;
    else reader.skipField();
  }
  return point;
}

function readBuckets(reader: ProtobufReader): { offset: number; counts: number[] } {
  const buckets = { offset: 0, counts: [] as number[] };
  while (reader.next()) {
    if (reader.field === 1) buckets.offset = reader.sint();
    else if (reader.field === 2) reader.uints(buckets.counts);
    else reader.skipField();
  }
  return buckets;
}

function readExemplar(reader: ProtobufReader): OtlpExemplar {
  const attributes: Record<string, AttributeValue> = {};
  const exemplar = { attributes, timeNs: 0n, value: 0, traceId: '', spanId: '' };
  while (reader.next()) {
    if (reader.field === 2) exemplar.timeNs = reader.fixed64();
    else if (reader.field === 3) exemplar.value = reader.double();
    else if (reader.field === 4) exemplar.spanId = reader.blob().toString('hex');
    else if (reader.field === 5) exemplar.traceId = reader.blob().toString('hex');
    else if (reader.field === 6) exemplar.value = Number(reader.sfixed64());
    else if (reader.field === 7) readAttribute(reader.message(), attributes);
    else reader.skipField();
  }
  return exemplar;
}
