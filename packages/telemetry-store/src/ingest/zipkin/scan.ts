/**
 * Long because the places of one span's values and what is written of them belong together.
 *
 * Zipkin v2's JSON straight from its bytes to OTLP's: the usual shape only (strings without escapes and of ASCII, whole
 * numbers, keys of the model), which is what reporters send. Anything else, errors included, is for `parseZipkinJson`
 * and `encodeZipkin`; both ways give the same bytes.
 */
import { ByteWriter } from '../../bytes/byte-writer.ts';
import { attribute, endpointAttributes, writeNanoseconds } from './encode.ts';
import { CLOSED_BRACKET, COMMA, JsonCursor, OPEN_BRACKET, QUOTE } from './json-cursor.ts';

/** Places of a string in the body; `end` is -1 where there is none. */
interface Text {
  at: number;
  end: number;
}

interface Endpoint {
  readonly service: Text;
  readonly ipv4: Text;
  readonly ipv6: Text;
  port: number;
}

const text = (): Text => ({ at: 0, end: -1 });
const endpoint = (): Endpoint => ({ service: text(), ipv4: text(), ipv6: text(), port: 0 });

/** One span's values; used again for each. */
class ScannedSpan {
  readonly traceId = text();
  readonly id = text();
  readonly parentId = text();
  readonly name = text();
  kind = 1;
  timestamp = 0;
  duration = 0;
  readonly local = endpoint();
  readonly remote = endpoint();
  hasLocal = false;
  hasRemote = false;
  /** Four places a tag: of the key and of the value. */
  readonly tags: number[] = [];
  /** Three a value: its time, and the places of the text. */
  readonly annotations: number[] = [];

  clear(): void {
    this.traceId.end = -1;
    this.id.end = -1;
    this.parentId.end = -1;
    this.name.end = -1;
    this.kind = 1;
    this.timestamp = 0;
    this.duration = 0;
    this.hasLocal = false;
    this.hasRemote = false;
    this.tags.length = 0;
    this.annotations.length = 0;
  }
}

/** The request as OTLP's bytes; undefined where the body is not of the usual shape. */
export function scanZipkinJson(body: Buffer, nowUs: number): Buffer | undefined {
  const cursor = new JsonCursor(body);
  if (!cursor.take(OPEN_BRACKET)) return undefined;
  const out = new ByteWriter(body.length + 1024);
  const span = new ScannedSpan();
  let service = '';
  let resourceSpansAt = -1;
  let scopeSpansAt = -1;
  const endResource = (): void => {
    if (resourceSpansAt < 0) return;
    out.setVarint(scopeSpansAt, out.length - scopeSpansAt - 4);
    out.setVarint(resourceSpansAt, out.length - resourceSpansAt - 4);
  };
  if (!cursor.take(CLOSED_BRACKET)) {
    do {
      if (!scanSpan(cursor, span)) return undefined;
      const { at, end } = span.local.service;
      const isSame =
        resourceSpansAt >= 0 && (span.hasLocal && end >= 0 ? cursor.equals(at, end, service) : service === '');
      if (!isSame) {
        endResource();
        service = span.hasLocal && end >= 0 ? body.toString('latin1', at, end) : '';
        out.u8(0x0a);
        resourceSpansAt = out.reserveVarint();
        out.u8(0x0a);
        const resourceAt = out.reserveVarint();
        if (service !== '') attribute(out, 0x0a, 'service.name', service);
        out.setVarint(resourceAt, out.length - resourceAt - 4);
        out.u8(0x12);
        scopeSpansAt = out.reserveVarint();
      }
      out.u8(0x12);
      const spanAt = out.reserveVarint();
      if (!writeSpan(out, cursor, span, nowUs)) return undefined;
      out.setVarint(spanAt, out.length - spanAt - 4);
    } while (cursor.take(COMMA));
    if (!cursor.take(CLOSED_BRACKET)) return undefined;
  }
  endResource();
  return cursor.atEnd ? out.copy() : undefined;
}

function scanSpan(cursor: JsonCursor, span: ScannedSpan): boolean {
  span.clear();
  return cursor.object((keyAt, keyEnd) => scanField(cursor, span, keyAt, keyEnd));
}

function scanField(cursor: JsonCursor, span: ScannedSpan, at: number, end: number): boolean {
  const { bytes } = cursor;
  // The first letter tells nearly all keys of the model apart.
  switch (bytes[at]) {
    case 0x74: // t
      if (cursor.equals(at, end, 'traceId')) return scanText(cursor, span.traceId);
      if (cursor.equals(at, end, 'timestamp')) {
        span.timestamp = cursor.wholeNumber();
        return span.timestamp >= 0;
      }
      return cursor.equals(at, end, 'tags') && scanTags(cursor, span.tags);
    case 0x69: // i
      return cursor.equals(at, end, 'id') && scanText(cursor, span.id);
    case 0x70: // p
      return cursor.equals(at, end, 'parentId') && scanText(cursor, span.parentId);
    case 0x6e: // n
      return cursor.equals(at, end, 'name') && scanText(cursor, span.name);
    case 0x6b: // k
      return cursor.equals(at, end, 'kind') && scanKind(cursor, span);
    case 0x64: // d
      if (cursor.equals(at, end, 'debug')) return cursor.boolean();
      if (!cursor.equals(at, end, 'duration')) return false;
      span.duration = cursor.wholeNumber();
      return span.duration >= 0;
    case 0x73: // s
      return cursor.equals(at, end, 'shared') && cursor.boolean();
    case 0x6c: // l
      span.hasLocal = true;
      return cursor.equals(at, end, 'localEndpoint') && scanEndpoint(cursor, span.local);
    case 0x72: // r
      span.hasRemote = true;
      return cursor.equals(at, end, 'remoteEndpoint') && scanEndpoint(cursor, span.remote);
    case 0x61: // a
      return cursor.equals(at, end, 'annotations') && scanAnnotations(cursor, span.annotations);
    default:
      return false;
  }
}

function scanText(cursor: JsonCursor, into: Text): boolean {
  if (!cursor.take(QUOTE)) return false;
  into.at = cursor.at;
  into.end = cursor.string();
  return into.end >= 0;
}

function scanKind(cursor: JsonCursor, span: ScannedSpan): boolean {
  if (!cursor.take(QUOTE)) return false;
  const { at } = cursor;
  const end = cursor.string();
  if (cursor.equals(at, end, 'SERVER')) span.kind = 2;
  else if (cursor.equals(at, end, 'CLIENT')) span.kind = 3;
  else if (cursor.equals(at, end, 'PRODUCER')) span.kind = 4;
  else if (cursor.equals(at, end, 'CONSUMER')) span.kind = 5;
  else return false;
  return true;
}

function scanEndpoint(cursor: JsonCursor, into: Endpoint): boolean {
  into.service.end = -1;
  into.ipv4.end = -1;
  into.ipv6.end = -1;
  into.port = 0;
  return cursor.object((at, end) => {
    if (cursor.equals(at, end, 'serviceName')) return scanText(cursor, into.service);
    if (cursor.equals(at, end, 'ipv4')) return scanText(cursor, into.ipv4);
    if (cursor.equals(at, end, 'ipv6')) return scanText(cursor, into.ipv6);
    if (!cursor.equals(at, end, 'port')) return false;
    into.port = cursor.wholeNumber();
    return into.port >= 0;
  });
}

function scanTags(cursor: JsonCursor, into: number[]): boolean {
  into.length = 0;
  return cursor.object((at, end) => {
    if (!cursor.take(QUOTE)) return false;
    const from = cursor.at;
    const to = cursor.string();
    into.push(at, end, from, to);
    return to >= 0;
  });
}

function scanAnnotations(cursor: JsonCursor, into: number[]): boolean {
  into.length = 0;
  if (!cursor.take(OPEN_BRACKET)) return false;
  if (cursor.take(CLOSED_BRACKET)) return true;
  const value = text();
  do {
    let time = 0;
    value.end = -1;
    const isWhole = cursor.object((at, end) => {
      if (cursor.equals(at, end, 'value')) return scanText(cursor, value);
      if (!cursor.equals(at, end, 'timestamp')) return false;
      time = cursor.wholeNumber();
      return time >= 0;
    });
    if (!isWhole || value.end < 0) return false;
    into.push(time, value.at, value.end);
  } while (cursor.take(COMMA));
  return cursor.take(CLOSED_BRACKET);
}

function writeSpan(out: ByteWriter, cursor: JsonCursor, span: ScannedSpan, nowUs: number): boolean {
  const { bytes } = cursor;
  if (!writeId(out, bytes, 0x0a, span.traceId, 16) || !writeId(out, bytes, 0x12, span.id, 8)) return false;
  if (span.parentId.end > span.parentId.at && !writeId(out, bytes, 0x22, span.parentId, 8)) return false;
  if (span.name.end >= 0) {
    out.u8(0x2a);
    out.lengthPrefixedFrom(bytes, span.name.at, span.name.end);
  }
  out.u8(0x30);
  out.u8(span.kind);
  const [firstAnnotation = 0] = span.annotations;
  const startUs = span.timestamp || firstAnnotation || nowUs;
  out.u8(0x39);
  writeNanoseconds(out, startUs);
  out.u8(0x41);
  writeNanoseconds(out, startUs + span.duration);
  if (span.hasLocal) writeEndpoint(out, bytes, span.local, 'net.host');
  if (span.hasRemote) {
    const { at, end } = span.remote.service;
    if (end > at) attribute(out, 0x4a, 'peer.service', bytes.toString('latin1', at, end));
    writeEndpoint(out, bytes, span.remote, 'net.peer');
  }
  const { tags, annotations } = span;
  let error = -1;
  for (let i = 0; i < tags.length; i += 4) {
    const keyAt = tags[i] ?? 0;
    const keyEnd = tags[i + 1] ?? 0;
    const valueAt = tags[i + 2] ?? 0;
    const valueEnd = tags[i + 3] ?? 0;
    if (cursor.equals(keyAt, keyEnd, 'error')) {
      // Given twice, it is the last that counts; that is for the other way.
      if (error >= 0) return false;
      error = i;
      if (cursor.equals(valueAt, valueEnd, 'true')) continue;
    }
    writeTag(out, bytes, keyAt, keyEnd, valueAt, valueEnd);
  }
  for (let i = 0; i < annotations.length; i += 3) {
    out.u8(0x5a);
    const at = out.reserveVarint();
    out.u8(0x09);
    writeNanoseconds(out, annotations[i] || startUs);
    out.u8(0x12);
    out.lengthPrefixedFrom(bytes, annotations[i + 1] ?? 0, annotations[i + 2] ?? 0);
    out.setVarint(at, out.length - at - 4);
  }
  if (error >= 0) writeStatus(out, cursor, tags[error + 2] ?? 0, tags[error + 3] ?? 0);
  return true;
}

function writeStatus(out: ByteWriter, cursor: JsonCursor, at: number, end: number): void {
  if (cursor.equals(at, end, 'false')) return;
  out.u8(0x7a);
  const lengthAt = out.reserveVarint();
  if (end > at && !cursor.equals(at, end, 'true')) {
    out.u8(0x12);
    out.lengthPrefixedFrom(cursor.bytes, at, end);
  }
  out.u8(0x18);
  out.u8(2);
  out.setVarint(lengthAt, out.length - lengthAt - 4);
}

function writeEndpoint(out: ByteWriter, bytes: Buffer, { ipv4, ipv6, port }: Endpoint, prefix: string): void {
  const ip = ipv4.end > ipv4.at ? ipv4 : ipv6;
  endpointAttributes(out, ip.end > ip.at ? bytes.toString('latin1', ip.at, ip.end) : '', port, prefix);
}

/** A KeyValue with a string value. */
function writeTag(
  out: ByteWriter,
  bytes: Buffer,
  keyAt: number,
  keyEnd: number,
  valueAt: number,
  valueEnd: number,
): void {
  out.u8(0x4a);
  const at = out.reserveVarint();
  out.u8(0x0a);
  out.lengthPrefixedFrom(bytes, keyAt, keyEnd);
  out.u8(0x12);
  const innerAt = out.reserveVarint();
  out.u8(0x0a);
  out.lengthPrefixedFrom(bytes, valueAt, valueEnd);
  out.setVarint(innerAt, out.length - innerAt - 4);
  out.setVarint(at, out.length - at - 4);
}

/** Hexadecimal digits, fewer than there may be with zeros before them. */
function writeId(out: ByteWriter, bytes: Buffer, tag: number, { at, end }: Text, size: number): boolean {
  const digits = end - at;
  if (digits < 1 || digits > size * 2) return false;
  out.u8(tag);
  out.u8(size);
  return out.hexFrom(bytes, at, end, size);
}
