import { MalformedError } from '../../bytes/byte-reader.ts';
import { ProtobufReader } from '../../bytes/protobuf.ts';
import { IngestError } from '../ingest-error.ts';
import type { ZipkinEndpoint, ZipkinSpan } from './model.ts';

/** A JSON list of v2 spans. */
export function parseZipkinJson(body: Buffer): ZipkinSpan[] {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new IngestError(400, `the body is not JSON: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  if (!Array.isArray(value)) throw new IngestError(400, 'Expected a JSON list of spans');
  return value as ZipkinSpan[];
}

interface V1Annotation {
  readonly timestamp?: number;
  readonly value?: string;
  readonly endpoint?: ZipkinEndpoint;
}

interface V1Span extends Omit<ZipkinSpan, 'annotations'> {
  readonly annotations?: readonly V1Annotation[];
  readonly binaryAnnotations?: readonly {
    readonly key: string;
    readonly value: unknown;
    readonly endpoint?: ZipkinEndpoint;
  }[];
}

const V1_KINDS: Readonly<Record<string, string>> = {
  cs: 'CLIENT',
  cr: 'CLIENT',
  sr: 'SERVER',
  ss: 'SERVER',
  ms: 'PRODUCER',
  mr: 'CONSUMER',
};

/** v1 JSON (zipkin2.internal.V1SpanReader and V1SpanConverter): a span with both sides of a call becomes two. */
export function parseZipkinV1Json(body: Buffer): ZipkinSpan[] {
  return parseZipkinJson(body).flatMap((span, index) => {
    if (typeof span !== 'object' || span === null) throw new IngestError(400, `span ${index} is not an object`);
    return fromV1(span as V1Span);
  });
}

function fromV1(span: V1Span): ZipkinSpan[] {
  const annotations = Array.isArray(span.annotations) ? span.annotations : [];
  const binary = Array.isArray(span.binaryAnnotations) ? span.binaryAnnotations : [];
  const kinds = [...new Set(annotations.map((a) => V1_KINDS[a.value ?? '']).filter((kind) => kind !== undefined))];
  const tags: Record<string, string> = {};
  let remote: ZipkinEndpoint | undefined;
  let local = annotations.find((a) => a.endpoint)?.endpoint;
  for (const { key, value, endpoint } of binary) {
    if ((key === 'ca' || key === 'sa' || key === 'ma') && value === true) remote = endpoint;
    else if (key !== 'lc') tags[String(key)] = typeof value === 'string' ? value : String(value);
    local ??= key === 'ca' || key === 'sa' || key === 'ma' ? undefined : endpoint;
  }
  const others = annotations.filter((a) => V1_KINDS[a.value ?? ''] === undefined);
  const base = {
    traceId: span.traceId,
    id: span.id,
    ...(span.parentId && { parentId: span.parentId }),
    name: span.name,
  };
  const sides = kinds.length === 0 ? [undefined] : kinds;
  return sides.map((kind, i) => {
    const own = annotations.filter((a) => V1_KINDS[a.value ?? ''] === kind && kind !== undefined);
    const times = own.map((a) => Number(a.timestamp)).filter((t) => t > 0);
    const begin = times.length > 0 ? Math.min(...times) : undefined;
    const timestamp = i === 0 && typeof span.timestamp === 'number' ? span.timestamp : begin;
    const measured = times.length > 1 && begin !== undefined ? Math.max(...times) - begin : undefined;
    const duration = i === 0 && typeof span.duration === 'number' ? span.duration : measured;
    return {
      ...base,
      name: span.name ?? '',
      ...(kind && { kind }),
      ...(timestamp !== undefined && { timestamp }),
      ...(duration !== undefined && { duration }),
      localEndpoint: own.find((a) => a.endpoint)?.endpoint ?? local ?? null,
      remoteEndpoint: remote ?? null,
      annotations: i === 0 ? others : [],
      tags: i === 0 ? tags : {},
      shared: kind === 'SERVER' && kinds.includes('CLIENT'),
    };
  });
}

const PROTO_KINDS = [undefined, 'CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'] as const;

/** zipkin.proto3.ListOfSpans (zipkin-api/zipkin.proto). */
export function parseZipkinProtobuf(body: Buffer): ZipkinSpan[] {
  const spans: ZipkinSpan[] = [];
  try {
    const list = new ProtobufReader(body);
    while (list.next()) {
      if (list.field === 1) spans.push(readSpan(list.message()));
      else list.skipField();
    }
  } catch (error) {
    if (error instanceof MalformedError)
      throw new IngestError(400, `the body is no list of Zipkin spans: ${error.message}`, { cause: error });
    throw error;
  }
  return spans;
}

function readSpan(reader: ProtobufReader): ZipkinSpan {
  const span: { -readonly [K in keyof ZipkinSpan]: ZipkinSpan[K] } = { traceId: '', id: '' };
  const tags: Record<string, string> = {};
  const annotations: { timestamp: number; value: string }[] = [];
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        span.traceId = reader.blob().toString('hex');
        break;
      case 2:
        span.parentId = reader.blob().toString('hex');
        break;
      case 3:
        span.id = reader.blob().toString('hex');
        break;
      case 4: {
        const kind = PROTO_KINDS[reader.uint()];
        if (kind) span.kind = kind;
        break;
      }
      case 5:
        span.name = reader.text();
        break;
      case 6:
        span.timestamp = Number(reader.fixed64());
        break;
      case 7:
        span.duration = reader.uint();
        break;
      case 8:
        span.localEndpoint = readEndpoint(reader.message());
        break;
      case 9:
        span.remoteEndpoint = readEndpoint(reader.message());
        break;
      case 10: {
        const message = reader.message();
        const annotation = { timestamp: 0, value: '' };
        while (message.next()) {
          if (message.field === 1) annotation.timestamp = Number(message.fixed64());
          else if (message.field === 2) annotation.value = message.text();
          else message.skipField();
        }
        annotations.push(annotation);
        break;
      }
      case 11: {
        const message = reader.message();
        let key = '';
        let value = '';
        while (message.next()) {
          if (message.field === 1) key = message.text();
          else if (message.field === 2) value = message.text();
          else message.skipField();
        }
        if (key !== '__proto__') tags[key] = value;
        break;
      }
      case 13:
        span.shared = reader.bool();
        break;
      default:
        reader.skipField();
    }
  }
  return { ...span, tags, annotations };
}

function readEndpoint(reader: ProtobufReader): ZipkinEndpoint {
  const endpoint: { -readonly [K in keyof ZipkinEndpoint]: ZipkinEndpoint[K] } = {};
  while (reader.next()) {
    if (reader.field === 1) endpoint.serviceName = reader.text();
    else if (reader.field === 2) endpoint.ipv4 = [...reader.blob()].join('.');
    else if (reader.field === 3) {
      const hex = reader.blob().toString('hex');
      endpoint.ipv6 = (hex.match(/.{4}/g) ?? []).map((part) => part.replace(/^0{1,3}/, '')).join(':');
    } else if (reader.field === 4) endpoint.port = reader.uint();
    else reader.skipField();
  }
  return endpoint;
}
