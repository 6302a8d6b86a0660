import type { Span, SpanKind } from '@kind-e2e/telemetry';
import { encodeSpans, SPAN_KINDS } from '../../traces/span-codec.ts';
import { IngestError } from '../ingest-error.ts';
import {
  attributesOf,
  bigintOf,
  enumOf,
  type JsonObject,
  objectOf,
  objectsOf,
  parseJsonObject,
  textOf,
} from './json.ts';

const STATUS_NAMES = ['unset', 'ok', 'error'] as const;

/** An ExportTraceServiceRequest in OTLP's JSON as protobuf. */
export function encodeOtlpJsonTraces(request: JsonObject): Buffer {
  return encodeSpans(spansOfJson(request)).copy();
}

/** The spans of a body in OTLP's JSON, for who wants to see and not to keep them. Throws an IngestError. */
export function readOtlpJsonTraces(body: Buffer): readonly Span[] {
  return spansOfJson(parseJsonObject(body));
}

/**
 * The spans of OTLP's JSON (opentelemetry.io, "OTLP", JSON Protobuf encoding: ids in hexadecimal). An id of a wrong form
 * becomes zeros, so that its span alone is refused and counted.
 */
function spansOfJson(request: JsonObject): Span[] {
  const spans: Span[] = [];
  objectsOf(request.resourceSpans, 'resourceSpans').forEach((resourceSpans, r) => {
    const resource = { attributes: attributesOf(objectOf(resourceSpans.resource).attributes, 'resource.attributes') };
    objectsOf(resourceSpans.scopeSpans, `resourceSpans[${r}].scopeSpans`).forEach((scopeSpans, s) => {
      const named = objectOf(scopeSpans.scope);
      const scope = { name: textOf(named.name), version: textOf(named.version) };
      objectsOf(scopeSpans.spans, `resourceSpans[${r}].scopeSpans[${s}].spans`).forEach((span, i) => {
        spans.push(spanOf(span, `resourceSpans[${r}].scopeSpans[${s}].spans[${i}]`, resource, scope));
      });
    });
  });
  return spans;
}

function spanOf(span: JsonObject, path: string, resource: Span['resource'], scope: Span['scope']): Span {
  const status = objectOf(span.status);
  return {
    traceId: idOf(span.traceId, 32),
    spanId: idOf(span.spanId, 16),
    parentSpanId: textOf(span.parentSpanId) === '' ? '' : idOf(span.parentSpanId, 16),
    traceState: textOf(span.traceState),
    name: textOf(span.name),
    kind: kindOf(span.kind),
    startTimeUnixNano: unsigned(span.startTimeUnixNano, `${path}.startTimeUnixNano`),
    endTimeUnixNano: unsigned(span.endTimeUnixNano, `${path}.endTimeUnixNano`),
    status: { code: STATUS_NAMES[enumOf(status.code, STATUS_NAMES)] ?? 'unset', message: textOf(status.message) },
    attributes: attributesOf(span.attributes, `${path}.attributes`),
    events: objectsOf(span.events, `${path}.events`).map((event, i) => ({
      timeUnixNano: unsigned(event.timeUnixNano, `${path}.events[${i}].timeUnixNano`),
      name: textOf(event.name),
      attributes: attributesOf(event.attributes, `${path}.events[${i}].attributes`),
    })),
    links: objectsOf(span.links, `${path}.links`).map((link, i) => ({
      traceId: idOf(link.traceId, 32),
      spanId: idOf(link.spanId, 16),
      traceState: textOf(link.traceState),
      attributes: attributesOf(link.attributes, `${path}.links[${i}].attributes`),
    })),
    resource,
    scope,
  };
}

function unsigned(value: unknown, path: string): bigint {
  const time = bigintOf(value, path);
  if (time < 0n || time >= 1n << 64n) throw new IngestError(400, `${path}: out of range`);
  return time;
}

function kindOf(value: unknown): SpanKind {
  return SPAN_KINDS[enumOf(value, SPAN_KINDS)] ?? 'unspecified';
}

function idOf(value: unknown, digits: number): string {
  return typeof value === 'string' && value.length === digits && /^[0-9a-fA-F]+$/.test(value)
    ? value.toLowerCase()
    : '0'.repeat(digits);
}
