import type { Clock } from '@kind-e2e/base';
import { type Attributes, type AttributeValue, Labels, type LogEntry } from '@kind-e2e/telemetry';
import { ProtobufReader } from '../../bytes/protobuf.ts';
import { attributeText, readAttribute, readValue } from '../../traces/attribute-codec.ts';
import { decodeResource, decodeScope } from '../../traces/span-codec.ts';
import { IngestError } from '../ingest-error.ts';
import type { PushedStream } from '../loki/push.ts';
import { anyValueOf, attributesOf, bigintOf, enumOf, objectOf, objectsOf, parseJsonObject, textOf } from './json.ts';

/** Resource attributes that become labels of the stream; Loki's default (`otlp_config.resource_attributes`). */
const INDEX_ATTRIBUTES = new Set([
  'service.name',
  'service.namespace',
  'service.instance.id',
  'deployment.environment',
  'deployment.environment.name',
  'cloud.region',
  'cloud.availability_zone',
  'k8s.cluster.name',
  'k8s.namespace.name',
  'k8s.pod.name',
  'k8s.container.name',
  'container.name',
  'k8s.replicaset.name',
  'k8s.deployment.name',
  'k8s.statefulset.name',
  'k8s.daemonset.name',
  'k8s.cronjob.name',
  'k8s.job.name',
]);

interface LogRecord {
  timeNs: bigint;
  observedNs: bigint;
  severityNumber: number;
  severityText: string;
  body: AttributeValue;
  attributes: Attributes;
  traceId: string;
  spanId: string;
  flags: number;
}

/** An ExportLogsServiceRequest, protobuf or JSON by media type, as streams: the mapping is Loki's (pkg/loghttp/push/otlp.go). */
export function decodeOtlpLogs(body: Buffer, mediaType: string, clock: Clock): PushedStream[] {
  const streams = new Map<string, { labels: Labels; entries: LogEntry[] }>();
  const add = (resource: Attributes, scope: { name: string; version: string }, record: LogRecord): void => {
    const { labels, rest } = splitResource(resource);
    let stream = streams.get(labels.key);
    if (!stream) {
      stream = { labels, entries: [] };
      streams.set(labels.key, stream);
    }
    const metadata: [string, string][] = [...rest];
    if (scope.name !== '') metadata.push(['scope_name', scope.name]);
    if (scope.version !== '') metadata.push(['scope_version', scope.version]);
    if (record.severityNumber !== 0) metadata.push(['severity_number', String(record.severityNumber)]);
    if (record.severityText !== '') metadata.push(['severity_text', record.severityText]);
    if (record.observedNs !== 0n) metadata.push(['observed_timestamp', String(record.observedNs)]);
    if (record.flags !== 0) metadata.push(['flags', String(record.flags)]);
    if (record.traceId !== '') metadata.push(['trace_id', record.traceId]);
    if (record.spanId !== '') metadata.push(['span_id', record.spanId]);
    for (const [key, value] of Object.entries(record.attributes)) metadata.push([labelName(key), attributeText(value)]);
    const timestampNs = record.timeNs || record.observedNs || BigInt(Math.trunc(clock.now())) * 1_000_000n;
    stream.entries.push({ timestampNs, line: attributeText(record.body), structuredMetadata: Labels.from(metadata) });
  };
  if (mediaType === 'application/json') readJson(body, add);
  else if (mediaType === 'application/x-protobuf' || mediaType === '') readProtobuf(body, add);
  else
    throw new IngestError(
      415,
      `unsupported Content-Type: ${mediaType}; use application/x-protobuf or application/json`,
    );
  return [...streams.values()];
}

type Add = (resource: Attributes, scope: { name: string; version: string }, record: LogRecord) => void;

function splitResource(resource: Attributes): { labels: Labels; rest: [string, string][] } {
  const labels: [string, string][] = [];
  const rest: [string, string][] = [];
  for (const [key, value] of Object.entries(resource))
    (INDEX_ATTRIBUTES.has(key) ? labels : rest).push([labelName(key), attributeText(value)]);
  if (!labels.some(([name]) => name === 'service_name')) labels.push(['service_name', 'unknown_service']);
  return { labels: Labels.from(labels), rest };
}

/** A name that LogQL can say: other characters become underscores. */
export function labelName(key: string): string {
  const name = key.replace(/[^a-zA-Z0-9_]/g, '_');
  return /^[0-9]/.test(name) ? `key_${name}` : name;
}

function readProtobuf(body: Buffer, add: Add): void {
  const request = new ProtobufReader(body);
  while (request.next()) {
    if (request.field !== 1) {
      request.skipField();
      continue;
    }
    const resourceLogs = request.message();
    let resource: Attributes = {};
    const look = new ProtobufReader(body, resourceLogs.at, resourceLogs.end);
    while (look.next()) {
      if (look.field === 1) resource = decodeResource(look.blob());
      else look.skipField();
    }
    while (resourceLogs.next()) {
      if (resourceLogs.field !== 2) {
        resourceLogs.skipField();
        continue;
      }
      const scopeLogs = resourceLogs.message();
      let scope = { name: '', version: '' };
      while (scopeLogs.next()) {
        if (scopeLogs.field === 1) scope = decodeScope(scopeLogs.blob());
        else if (scopeLogs.field === 2) add(resource, scope, readRecord(scopeLogs.message()));
        else scopeLogs.skipField();
      }
    }
  }
}

function readRecord(reader: ProtobufReader): LogRecord {
  const attributes: Record<string, AttributeValue> = {};
  const record: LogRecord = {
    timeNs: 0n,
    observedNs: 0n,
    severityNumber: 0,
    severityText: '',
    body: '',
    attributes,
    traceId: '',
    spanId: '',
    flags: 0,
  };
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        record.timeNs = reader.fixed64();
        break;
      case 2:
        record.severityNumber = reader.uint();
        break;
      case 3:
        record.severityText = reader.text();
        break;
      case 5:
        record.body = readValue(reader.message());
        break;
      case 6:
        readAttribute(reader.message(), attributes);
        break;
      case 8:
        record.flags = reader.fixed32();
        break;
      case 9:
        record.traceId = reader.blob().toString('hex');
        break;
      case 10:
        record.spanId = reader.blob().toString('hex');
        break;
      case 11:
        record.observedNs = reader.fixed64();
        break;
      default:
        reader.skipField();
    }
  }
  return record;
}

function readJson(body: Buffer, add: Add): void {
  objectsOf(parseJsonObject(body).resourceLogs, 'resourceLogs').forEach((resourceLogs, r) => {
    const resource = attributesOf(objectOf(resourceLogs.resource).attributes, 'resource.attributes');
    objectsOf(resourceLogs.scopeLogs, `resourceLogs[${r}].scopeLogs`).forEach((scopeLogs, s) => {
      const named = objectOf(scopeLogs.scope);
      const scope = { name: textOf(named.name), version: textOf(named.version) };
      const path = `resourceLogs[${r}].scopeLogs[${s}].logRecords`;
      objectsOf(scopeLogs.logRecords, path).forEach((record, i) => {
        add(resource, scope, {
          timeNs: bigintOf(record.timeUnixNano, `${path}[${i}].timeUnixNano`),
          observedNs: bigintOf(record.observedTimeUnixNano, `${path}[${i}].observedTimeUnixNano`),
          severityNumber: enumOf(record.severityNumber, []),
          severityText: textOf(record.severityText),
          body: anyValueOf(record.body, `${path}[${i}].body`),
          attributes: attributesOf(record.attributes, `${path}[${i}].attributes`),
          traceId: textOf(record.traceId).toLowerCase(),
          spanId: textOf(record.spanId).toLowerCase(),
          flags: Number(record.flags ?? 0) || 0,
        });
      });
    });
  });
}
