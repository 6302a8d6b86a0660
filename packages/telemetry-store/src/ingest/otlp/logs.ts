import type { Clock } from '@kind-e2e/base';
import { type Attributes, type AttributeValue, compareStrings, Labels, type LogEntry } from '@kind-e2e/telemetry';
import { ProtobufReader } from '../../bytes/protobuf.ts';
import { attributeText, readAttribute, readValue } from '../../traces/attribute-codec.ts';
import { decodeResource } from '../../traces/span-codec.ts';
import { IngestError } from '../ingest-error.ts';
import type { PushedStream } from '../loki/push.ts';
import {
  anyValueOf,
  attributesOf,
  bigintOf,
  enumOf,
  numberOf,
  objectOf,
  objectsOf,
  parseJsonObject,
  textOf,
} from './json.ts';

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

/** The endings of the names of SeverityNumber, by number. */
const SEVERITIES = [
  'unspecified',
  ...['trace', 'debug', 'info', 'warn', 'error', 'fatal'].flatMap((level) => [
    level,
    `${level}2`,
    `${level}3`,
    `${level}4`,
  ]),
];

interface LogRecord {
  timeNs: bigint;
  observedNs: bigint;
  severityNumber: number;
  severityText: string;
  body: AttributeValue;
  attributes: Attributes;
  droppedAttributes: number;
  traceId: string;
  spanId: string;
  flags: number;
}

interface Scope {
  name: string;
  version: string;
  attributes: Attributes;
  droppedAttributes: number;
}

/** An ExportLogsServiceRequest, protobuf or JSON by media type, as streams: the mapping is Loki's (pkg/loghttp/push/otlp.go). */
export function decodeOtlpLogs(body: Buffer, mediaType: string, clock: Clock): PushedStream[] {
  const streams = new Map<string, { labels: Labels; entries: LogEntry[] }>();
  const add = (resource: Attributes, scope: Scope, record: LogRecord): void => {
    const { labels, rest } = splitResource(resource);
    let stream = streams.get(labels.key);
    if (!stream) {
      stream = { labels, entries: [] };
      streams.set(labels.key, stream);
    }
    const now = (): bigint => BigInt(Math.trunc(clock.now())) * 1_000_000n;
    const timestampNs = BigInt.asIntN(64, record.timeNs || record.observedNs || now());
    // Of equal names the last counts.
    const metadata = new Map([...metadataOf(record), ...rest, ...metadataOfScope(scope)]);
    stream.entries.push({ timestampNs, line: bodyText(record.body), structuredMetadata: Labels.from(metadata) });
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

type Add = (resource: Attributes, scope: Scope, record: LogRecord) => void;
type Pairs = [string, string][];

function metadataOf(record: LogRecord): Pairs {
  const metadata = labelsOf(record.attributes);
  // A record without a time of its own has that at which it was observed.
  if (record.timeNs !== 0n && record.observedNs !== 0n)
    metadata.push(['observed_timestamp', String(record.observedNs)]);
  if (record.severityNumber !== 0) metadata.push(['severity_number', String(record.severityNumber)]);
  if (record.severityText !== '') metadata.push(['severity_text', record.severityText]);
  if (record.droppedAttributes !== 0) metadata.push(['dropped_attributes_count', String(record.droppedAttributes)]);
  if (record.flags !== 0) metadata.push(['flags', String(record.flags)]);
  if (/[1-9a-f]/.test(record.traceId)) metadata.push(['trace_id', record.traceId]);
  if (/[1-9a-f]/.test(record.spanId)) metadata.push(['span_id', record.spanId]);
  return metadata;
}

function metadataOfScope({ name, version, attributes, droppedAttributes }: Scope): Pairs {
  const metadata = labelsOf(attributes);
  if (name !== '') metadata.push(['scope_name', name]);
  if (version !== '') metadata.push(['scope_version', version]);
  if (droppedAttributes !== 0) metadata.push(['scope_dropped_attributes_count', String(droppedAttributes)]);
  return metadata;
}

/** Attributes as labels; those within a map have the names of both. */
function labelsOf(attributes: Attributes, prefix = ''): Pairs {
  return Object.entries(attributes).flatMap(([key, value]) => {
    const name = labelName(prefix === '' ? key : `${prefix}_${key}`);
    return isMap(value) ? labelsOf(value, name) : [[name, attributeText(value)] as [string, string]];
  });
}

function isMap(value: AttributeValue): value is Attributes {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** Go's encoding/json of maps and lists: keys in order, no `<`, `>` and `&` as such. */
function bodyText(value: AttributeValue): string {
  if (typeof value !== 'object' || value instanceof Uint8Array) return attributeText(value);
  return attributeText(sortedKeys(value)).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function sortedKeys(value: AttributeValue): AttributeValue {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (!isMap(value)) return value;
  const keys = Object.keys(value).sort(compareStrings);
  return Object.fromEntries(keys.map((key) => [key, sortedKeys(value[key] ?? '')]));
}

/** Where there is no `service.name`, the first attribute that is one of these names the service (`discover_service_name`). */
const SERVICE_LABELS = new Set([
  'service',
  'app',
  'application',
  'app_name',
  'name',
  'app_kubernetes_io_name',
  'container',
  'container_name',
  'k8s_container_name',
  'component',
  'workload',
  'job',
  'k8s_job_name',
]);

function splitResource(resource: Attributes): { labels: Labels; rest: Pairs } {
  const labels: Pairs = [];
  const rest: Pairs = [];
  for (const [key, value] of Object.entries(resource))
    (INDEX_ATTRIBUTES.has(key) ? labels : rest).push(...labelsOf({ [key]: value }));
  const named = labels.find(([name]) => name === 'service_name');
  if (named === undefined || named[1] === '') {
    const [, service = 'unknown_service'] = labels.find(([name]) => SERVICE_LABELS.has(name)) ?? [];
    labels.push(['service_name', service]);
  }
  return { labels: Labels.from(new Map(labels)), rest };
}

/** A name that LogQL can say: other characters become underscores (NormalizeLabel of Prometheus' otlptranslator). */
export function labelName(key: string): string {
  const name = key.replace(/[^a-zA-Z0-9_]/gu, '_');
  if (/^[0-9]/.test(name)) return `key_${name}`;
  return /^_(?!_)/.test(name) ? `key${name}` : name;
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
      let scope = NO_SCOPE;
      while (scopeLogs.next()) {
        if (scopeLogs.field === 1) scope = readScope(scopeLogs.message());
        else if (scopeLogs.field === 2) add(resource, scope, readRecord(scopeLogs.message()));
        else scopeLogs.skipField();
      }
    }
  }
}

const NO_SCOPE: Scope = { name: '', version: '', attributes: {}, droppedAttributes: 0 };

function readScope(reader: ProtobufReader): Scope {
  const attributes: Record<string, AttributeValue> = {};
  const scope = { ...NO_SCOPE, attributes };
  while (reader.next()) {
    if (reader.field === 1) scope.name = reader.text();
    else if (reader.field === 2) scope.version = reader.text();
    else if (reader.field === 3) readAttribute(reader.message(), attributes);
    else if (reader.field === 4) scope.droppedAttributes = reader.uint();
    else reader.skipField();
  }
  return scope;
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
    droppedAttributes: 0,
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
      case 7:
        record.droppedAttributes = reader.uint();
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
      const scope = {
        name: textOf(named.name),
        version: textOf(named.version),
        attributes: attributesOf(named.attributes, `resourceLogs[${r}].scopeLogs[${s}].scope.attributes`),
        droppedAttributes: numberOf(named.droppedAttributesCount),
      };
      const path = `resourceLogs[${r}].scopeLogs[${s}].logRecords`;
      objectsOf(scopeLogs.logRecords, path).forEach((record, i) => {
        add(resource, scope, {
          timeNs: bigintOf(record.timeUnixNano, `${path}[${i}].timeUnixNano`),
          observedNs: bigintOf(record.observedTimeUnixNano, `${path}[${i}].observedTimeUnixNano`),
          severityNumber: enumOf(record.severityNumber, SEVERITIES),
          severityText: textOf(record.severityText),
          body: anyValueOf(record.body, `${path}[${i}].body`),
          attributes: attributesOf(record.attributes, `${path}[${i}].attributes`),
          droppedAttributes: numberOf(record.droppedAttributesCount),
          traceId: textOf(record.traceId).toLowerCase(),
          spanId: textOf(record.spanId).toLowerCase(),
          flags: Number(record.flags ?? 0) || 0,
        });
      });
    });
  });
}
