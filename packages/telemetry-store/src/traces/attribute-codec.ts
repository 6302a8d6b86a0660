import type { Attributes, AttributeValue } from '@kind-e2e/telemetry';
import { MalformedError } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import type { ProtobufReader } from '../bytes/protobuf.ts';

/** Attributes nest at most this deep. */
const MAX_DEPTH = 32;

/** OTLP's KeyValue list (opentelemetry/proto/common/v1/common.proto), each as a field of the given number. */
export function writeAttributes(out: ByteWriter, field: number, attributes: Attributes): void {
  for (const key in attributes) {
    const value = attributes[key];
    if (value === undefined) continue;
    out.varint(field * 8 + 2);
    const at = out.reserveVarint();
    const start = out.length;
    out.u8(0x0a);
    out.string(key);
    out.u8(0x12);
    writeValue(out, value);
    out.setVarint(at, out.length - start);
  }
}

/** An AnyValue with its length before it. */
function writeValue(out: ByteWriter, value: AttributeValue): void {
  const at = out.reserveVarint();
  const start = out.length;
  if (typeof value === 'string') {
    out.u8(0x0a);
    out.string(value);
  } else if (typeof value === 'boolean') {
    out.u8(0x10);
    out.u8(value ? 1 : 0);
  } else if (typeof value === 'bigint') {
    out.u8(0x18);
    out.varint64(value);
  } else if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      out.u8(0x18);
      if (value >= 0) out.varint(value);
      else out.varint64(BigInt(value));
    } else {
      out.u8(0x21);
      out.f64(value);
    }
  } else if (value instanceof Uint8Array) {
    out.u8(0x3a);
    out.lengthPrefixed(value);
  } else if (isList(value)) {
    out.u8(0x2a);
    const listAt = out.reserveVarint();
    const listStart = out.length;
    for (const item of value) {
      out.u8(0x0a);
      writeValue(out, item);
    }
    out.setVarint(listAt, out.length - listStart);
  } else {
    out.u8(0x32);
    const mapAt = out.reserveVarint();
    const mapStart = out.length;
    writeAttributes(out, 1, value);
    out.setVarint(mapAt, out.length - mapStart);
  }
  out.setVarint(at, out.length - start);
}

function isList(value: AttributeValue): value is readonly AttributeValue[] {
  return Array.isArray(value);
}

/** Reads one KeyValue message into the record. */
export function readAttribute(message: ProtobufReader, into: Record<string, AttributeValue>, depth = 0): void {
  let key = '';
  let value: AttributeValue = '';
  while (message.next()) {
    if (message.field === 1) key = message.text();
    else if (message.field === 2) value = readValue(message.message(), depth);
    else message.skipField();
  }
  // A plain assignment would let the key `__proto__` do harm.
  if (key === '__proto__')
    Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
  else into[key] = value;
}

export function readValue(message: ProtobufReader, depth = 0): AttributeValue {
  if (depth > MAX_DEPTH) throw new MalformedError('an attribute is nested too deep');
  let value: AttributeValue = '';
  while (message.next()) {
    switch (message.field) {
      case 1:
        value = message.text();
        break;
      case 2:
        value = message.bool();
        break;
      case 3: {
        const whole = message.bigint();
        value = whole >= -9007199254740991n && whole <= 9007199254740991n ? Number(whole) : whole;
        break;
      }
      case 4:
        value = message.double();
        break;
      case 5: {
        const list: AttributeValue[] = [];
        const items = message.message();
        while (items.next()) {
          if (items.field === 1) list.push(readValue(items.message(), depth + 1));
          else items.skipField();
        }
        value = list;
        break;
      }
      case 6: {
        const map: Record<string, AttributeValue> = {};
        const entries = message.message();
        while (entries.next()) {
          if (entries.field === 1) readAttribute(entries.message(), map, depth + 1);
          else entries.skipField();
        }
        value = map;
        break;
      }
      case 7:
        value = new Uint8Array(message.blob());
        break;
      default:
        message.skipField();
    }
  }
  return value;
}

/** An attribute as search and Jaeger's string tags show it. */
export function attributeText(value: AttributeValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object') {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    return JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'bigint'
        ? part.toString()
        : part instanceof Uint8Array
          ? Buffer.from(part).toString('base64')
          : part,
    );
  }
  return String(value);
}
