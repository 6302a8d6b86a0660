import type { Attributes, AttributeValue, Span, SpanEvent, SpanKind, SpanLink } from '@kind-e2e/telemetry';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { ProtobufReader } from '../bytes/protobuf.ts';
import { readAttribute, writeAttributes } from './attribute-codec.ts';

/** OTLP's numbers of span kinds (opentelemetry/proto/trace/v1/trace.proto). */
export const SPAN_KINDS: readonly SpanKind[] = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
export const STATUS_ERROR = 2;
const STATUS_CODES = ['unset', 'ok', 'error'] as const;

/** Spans as an ExportTraceServiceRequest, the form in which the store keeps them until they are sealed. */
export function encodeSpans(spans: readonly Span[], out = new ByteWriter(spans.length * 400)): ByteWriter {
  let i = 0;
  while (i < spans.length) {
    const first = spans[i];
    if (!first) break;
    out.u8(0x0a);
    const resourceSpansAt = out.reserveVarint();
    const resourceSpansStart = out.length;
    out.u8(0x0a);
    const resourceAt = out.reserveVarint();
    const resourceStart = out.length;
    writeAttributes(out, 1, first.resource.attributes);
    out.setVarint(resourceAt, out.length - resourceStart);
    out.u8(0x12);
    const scopeSpansAt = out.reserveVarint();
    const scopeSpansStart = out.length;
    if (first.scope.name !== '' || first.scope.version !== '') {
      out.u8(0x0a);
      const scopeAt = out.reserveVarint();
      const scopeStart = out.length;
      writeText(out, 0x0a, first.scope.name);
      writeText(out, 0x12, first.scope.version);
      out.setVarint(scopeAt, out.length - scopeStart);
    }
    for (; i < spans.length; i++) {
      const span = spans[i];
      if (!span || span.resource !== first.resource || span.scope !== first.scope) break;
      out.u8(0x12);
      const at = out.reserveVarint();
      const start = out.length;
      writeSpan(out, span);
      out.setVarint(at, out.length - start);
    }
    out.setVarint(scopeSpansAt, out.length - scopeSpansStart);
    out.setVarint(resourceSpansAt, out.length - resourceSpansStart);
  }
  return out;
}

function writeText(out: ByteWriter, tag: number, value: string): void {
  if (value === '') return;
  out.u8(tag);
  out.string(value);
}

function writeSpan(out: ByteWriter, span: Span): void {
  out.u8(0x0a);
  out.u8(16);
  out.hex(span.traceId);
  out.u8(0x12);
  out.u8(8);
  out.hex(span.spanId);
  if (span.parentSpanId !== '') {
    out.u8(0x22);
    out.u8(8);
    out.hex(span.parentSpanId);
  }
  writeText(out, 0x2a, span.name);
  out.u8(0x30);
  out.u8(SPAN_KINDS.indexOf(span.kind));
  out.u8(0x39);
  out.u64(span.startTimeUnixNano);
  out.u8(0x41);
  out.u64(span.endTimeUnixNano);
  writeText(out, 0x1a, span.traceState);
  writeAttributes(out, 9, span.attributes);
  for (const event of span.events) {
    out.u8(0x5a);
    const at = out.reserveVarint();
    const start = out.length;
    out.u8(0x09);
    out.u64(event.timeUnixNano);
    writeText(out, 0x12, event.name);
    writeAttributes(out, 3, event.attributes);
    out.setVarint(at, out.length - start);
  }
  for (const link of span.links) {
    out.u8(0x6a);
    const at = out.reserveVarint();
    const start = out.length;
    out.u8(0x0a);
    out.u8(link.traceId.length >> 1);
    out.hex(link.traceId);
    out.u8(0x12);
    out.u8(link.spanId.length >> 1);
    out.hex(link.spanId);
    writeText(out, 0x1a, link.traceState);
    writeAttributes(out, 4, link.attributes);
    out.setVarint(at, out.length - start);
  }
  if (span.status.code !== 'unset' || span.status.message !== '') {
    out.u8(0x7a);
    const at = out.reserveVarint();
    const start = out.length;
    writeText(out, 0x12, span.status.message);
    out.u8(0x18);
    out.u8(STATUS_CODES.indexOf(span.status.code));
    out.setVarint(at, out.length - start);
  }
}

/** What a span's bytes say of themselves, without its attributes. */
export interface SpanFields {
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  readonly status: Span['status'];
  readonly traceState: string;
  readonly name: string;
}

/** Reads the fields of a span that are not columns of their own; the others are passed over. */
export function decodeSpanFields(bytes: Buffer, at: number, end: number): SpanFields {
  const reader = new ProtobufReader(bytes, at, end);
  const attributes: Record<string, AttributeValue> = {};
  const events: SpanEvent[] = [];
  const links: SpanLink[] = [];
  let status: Span['status'] = { code: 'unset', message: '' };
  let traceState = '';
  let name = '';
  while (reader.next()) {
    switch (reader.field) {
      case 3:
        traceState = reader.text();
        break;
      case 5:
        name = reader.text();
        break;
      case 9:
        readAttribute(reader.message(), attributes);
        break;
      case 11:
        events.push(readEvent(reader.message()));
        break;
      case 13:
        links.push(readLink(reader.message()));
        break;
      case 15:
        status = readStatus(reader.message());
        break;
      default:
        reader.skipField();
    }
  }
  return { attributes, events, links, status, traceState, name };
}

function readEvent(reader: ProtobufReader): SpanEvent {
  let timeUnixNano = 0n;
  let name = '';
  const attributes: Record<string, AttributeValue> = {};
  while (reader.next()) {
    if (reader.field === 1) timeUnixNano = reader.fixed64();
    else if (reader.field === 2) name = reader.text();
    else if (reader.field === 3) readAttribute(reader.message(), attributes);
    else reader.skipField();
  }
  return { timeUnixNano, name, attributes };
}

function readLink(reader: ProtobufReader): SpanLink {
  let traceId = '';
  let spanId = '';
  let traceState = '';
  const attributes: Record<string, AttributeValue> = {};
  while (reader.next()) {
    if (reader.field === 1) traceId = reader.blob().toString('hex');
    else if (reader.field === 2) spanId = reader.blob().toString('hex');
    else if (reader.field === 3) traceState = reader.text();
    else if (reader.field === 4) readAttribute(reader.message(), attributes);
    else reader.skipField();
  }
  return { traceId, spanId, traceState, attributes };
}

/** A Status message. */
export function readStatus(reader: ProtobufReader): Span['status'] {
  let message = '';
  let code: Span['status']['code'] = 'unset';
  while (reader.next()) {
    if (reader.field === 2) message = reader.text();
    else if (reader.field === 3) code = STATUS_CODES[reader.uint()] ?? 'unset';
    else reader.skipField();
  }
  return { code, message };
}

export function decodeResource(bytes: Uint8Array): Attributes {
  const reader = new ProtobufReader(bytes);
  const attributes: Record<string, AttributeValue> = {};
  while (reader.next()) {
    if (reader.field === 1) readAttribute(reader.message(), attributes);
    else reader.skipField();
  }
  return attributes;
}

export function decodeScope(bytes: Uint8Array): Span['scope'] {
  const reader = new ProtobufReader(bytes);
  let name = '';
  let version = '';
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 2) version = reader.text();
    else reader.skipField();
  }
  return { name, version };
}
