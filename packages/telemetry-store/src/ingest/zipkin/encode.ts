import { ByteWriter } from '../../bytes/byte-writer.ts';
import { IngestError } from '../ingest-error.ts';
import type { ZipkinEndpoint, ZipkinSpan } from './model.ts';

/** OTLP's span kinds by Zipkin's. */
const KINDS: Readonly<Record<string, number>> = { CLIENT: 3, SERVER: 2, PRODUCER: 4, CONSUMER: 5 };

/**
 * Zipkin spans as OTLP bytes. The mapping is that of OpenTelemetry's collector (pkg/translator/zipkin): the local
 * endpoint's name is the resource's `service.name`; its address and the remote endpoint become `net.host.*`,
 * `net.peer.*` and `peer.service`; tags are string attributes; annotations are events; `error` makes the status.
 */
export function encodeZipkin(spans: readonly ZipkinSpan[], nowUs: number): Buffer {
  const out = new ByteWriter(spans.length * 512 + 64);
  for (let i = 0; i < spans.length; ) {
    const service = serviceName(spans[i]);
    out.u8(0x0a);
    const resourceSpansAt = out.reserveVarint();
    const resourceSpansStart = out.length;
    out.u8(0x0a);
    const resourceAt = out.reserveVarint();
    const resourceStart = out.length;
    if (service !== '') attribute(out, 0x0a, 'service.name', service);
    out.setVarint(resourceAt, out.length - resourceStart);
    out.u8(0x12);
    const scopeSpansAt = out.reserveVarint();
    const scopeSpansStart = out.length;
    for (; i < spans.length; i++) {
      const span = spans[i];
      if (typeof span !== 'object' || span === null) throw new IngestError(400, `span ${i} is not an object`);
      if (serviceName(span) !== service) break;
      out.u8(0x12);
      const at = out.reserveVarint();
      const start = out.length;
      writeSpan(out, span, i, nowUs);
      out.setVarint(at, out.length - start);
    }
    out.setVarint(scopeSpansAt, out.length - scopeSpansStart);
    out.setVarint(resourceSpansAt, out.length - resourceSpansStart);
  }
  return out.copy();
}

function serviceName(span: ZipkinSpan | undefined): string {
  const name = span?.localEndpoint?.serviceName;
  return typeof name === 'string' ? name : '';
}

function writeSpan(out: ByteWriter, span: ZipkinSpan, index: number, nowUs: number): void {
  out.u8(0x0a);
  out.u8(16);
  id(out, span.traceId, 32, index, 'traceId');
  out.u8(0x12);
  out.u8(8);
  id(out, span.id, 16, index, 'id');
  if (span.parentId) {
    out.u8(0x22);
    out.u8(8);
    id(out, span.parentId, 16, index, 'parentId');
  }
  if (span.name !== undefined && span.name !== null) {
    out.u8(0x2a);
    out.string(String(span.name));
  }
  out.u8(0x30);
  out.u8(typeof span.kind === 'string' ? (KINDS[span.kind.toUpperCase()] ?? 1) : 1);
  const startUs = startOf(span, nowUs);
  const duration = typeof span.duration === 'number' && span.duration > 0 ? span.duration : 0;
  out.u8(0x39);
  writeNanoseconds(out, startUs);
  out.u8(0x41);
  writeNanoseconds(out, startUs + duration);
  const { localEndpoint, remoteEndpoint, tags, annotations } = span;
  if (localEndpoint) endpoint(out, localEndpoint, 'net.host');
  if (remoteEndpoint) {
    if (typeof remoteEndpoint.serviceName === 'string' && remoteEndpoint.serviceName !== '')
      attribute(out, 0x4a, 'peer.service', remoteEndpoint.serviceName);
    endpoint(out, remoteEndpoint, 'net.peer');
  }
  let error: string | undefined;
  if (typeof tags === 'object' && tags !== null)
    for (const key in tags) {
      const value = tags[key];
      const text =
        typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value);
      if (key === 'error') {
        error = text;
        if (text === 'true') continue;
      }
      attribute(out, 0x4a, key, text);
    }
  if (Array.isArray(annotations))
    for (const annotation of annotations) {
      if (typeof annotation !== 'object' || annotation === null) continue;
      out.u8(0x5a);
      const at = out.reserveVarint();
      const start = out.length;
      out.u8(0x09);
      writeNanoseconds(out, Number(annotation.timestamp) || startUs);
      out.u8(0x12);
      out.string(String(annotation.value ?? ''));
      out.setVarint(at, out.length - start);
    }
  if (error !== undefined && error !== 'false') {
    out.u8(0x7a);
    const at = out.reserveVarint();
    const start = out.length;
    if (error !== 'true' && error !== '') {
      out.u8(0x12);
      out.string(error);
    }
    out.u8(0x18);
    out.u8(2);
    out.setVarint(at, out.length - start);
  }
}

function startOf(span: ZipkinSpan, nowUs: number): number {
  if (typeof span.timestamp === 'number' && span.timestamp > 0) return span.timestamp;
  const first = Array.isArray(span.annotations) ? span.annotations[0]?.timestamp : undefined;
  return typeof first === 'number' && first > 0 ? first : nowUs;
}

function endpoint(out: ByteWriter, { ipv4, ipv6, port }: ZipkinEndpoint, prefix: string): void {
  const ip = ipv4 || ipv6;
  endpointAttributes(out, typeof ip === 'string' ? ip : '', typeof port === 'number' ? port : 0, prefix);
}

/** An endpoint's address and port, where it has them. */
export function endpointAttributes(out: ByteWriter, ip: string, port: number, prefix: string): void {
  if (ip !== '') attribute(out, 0x4a, `${prefix}.ip`, ip);
  if (port > 0) {
    out.u8(0x4a);
    const at = out.reserveVarint();
    const start = out.length;
    out.u8(0x0a);
    out.string(`${prefix}.port`);
    out.u8(0x12);
    const valueAt = out.reserveVarint();
    const valueStart = out.length;
    out.u8(0x18);
    out.varint(Math.trunc(port));
    out.setVarint(valueAt, out.length - valueStart);
    out.setVarint(at, out.length - start);
  }
}

/** A KeyValue with a string value. */
export function attribute(out: ByteWriter, tag: number, key: string, value: string): void {
  out.u8(tag);
  const at = out.reserveVarint();
  const start = out.length;
  out.u8(0x0a);
  out.string(key);
  out.u8(0x12);
  const valueAt = out.reserveVarint();
  const valueStart = out.length;
  out.u8(0x0a);
  out.string(value);
  out.setVarint(valueAt, out.length - valueStart);
  out.setVarint(at, out.length - start);
}

/** Microseconds as fixed64 nanoseconds, without a BigInt. */
export function writeNanoseconds(out: ByteWriter, us: number): void {
  // us * 1000 = high * 2^32 + low, computed in halves that stay exact.
  const whole = Math.trunc(us);
  const upper = Math.floor(whole / 65_536);
  const lower = whole - upper * 65_536;
  const lowPart = lower * 1000;
  const upperPart = upper * 1000;
  const carry = Math.floor(lowPart / 65_536);
  const middle = upperPart + carry;
  out.u32((middle % 65_536) * 65_536 + (lowPart - carry * 65_536));
  out.u32(Math.floor(middle / 65_536));
}

function id(out: ByteWriter, value: unknown, digits: number, index: number, name: string): void {
  if (typeof value !== 'string' || value.length === 0 || value.length > digits || !isHex(value))
    throw new IngestError(
      400,
      `span ${index}: ${name} should be 1 to ${digits} lower-hex characters, got ${JSON.stringify(value)?.slice(0, 80)}`,
    );
  out.hex(value.length === digits ? value : value.padStart(digits, '0'));
}

function isHex(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    const isDigit = (code >= 48 && code <= 57) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70);
    if (!isDigit) return false;
  }
  return true;
}
