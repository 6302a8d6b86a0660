import { ProtobufReader, WIRE_BYTES } from '../bytes/protobuf.ts';
import { attributeText, readValue } from './attribute-codec.ts';

/** A tag that is looked for in many spans. */
export interface WantedTag {
  readonly key: Buffer;
  readonly value: string;
  readonly valueBytes: Buffer;
}

export function wantedTag(key: string, value: string): WantedTag {
  return { key: Buffer.from(key), value, valueBytes: Buffer.from(value) };
}

/** Whether a span's bytes have an attribute, or an event with an attribute, of this key and this value as text. */
export function bodyHasTag(bytes: Buffer, at: number, end: number, wanted: WantedTag): boolean {
  const reader = new ProtobufReader(bytes, at, end);
  while (reader.next()) {
    if (reader.wire !== WIRE_BYTES || (reader.field !== 9 && reader.field !== 11)) {
      reader.skipField();
      continue;
    }
    const length = reader.varint();
    const from = reader.at;
    reader.skip(length);
    if (reader.field === 9 && attributeIs(bytes, from, reader.at, wanted)) return true;
    if (reader.field === 11 && eventHasTag(bytes, from, reader.at, wanted)) return true;
  }
  return false;
}

function eventHasTag(bytes: Buffer, at: number, end: number, wanted: WantedTag): boolean {
  const event = new ProtobufReader(bytes, at, end);
  while (event.next()) {
    if (event.wire !== WIRE_BYTES || event.field !== 3) {
      event.skipField();
      continue;
    }
    const length = event.varint();
    const from = event.at;
    event.skip(length);
    if (attributeIs(bytes, from, event.at, wanted)) return true;
  }
  return false;
}

function attributeIs(bytes: Buffer, at: number, end: number, wanted: WantedTag): boolean {
  const { key, value } = wanted;
  // The usual attribute begins with a short key; of another one it is told without reading on.
  const length = bytes[at + 1] ?? 255;
  if (bytes[at] === 0x0a && length < 128) {
    if (length !== key.length) return false;
    for (let i = 0; i < length; i++) if (bytes[at + 2 + i] !== key[i]) return false;
  }
  const message = new ProtobufReader(bytes, at, end);
  let isKey = key.length === 0;
  let isValue = value === '';
  while (message.next()) {
    if (message.field === 1) {
      isKey = message.blob().equals(key);
      if (!isKey) return false;
    } else if (message.field === 2) isValue = valueIs(message.message(), wanted);
    else message.skipField();
  }
  return isKey && isValue;
}

/** A text is compared as bytes; only what is none is decoded. */
function valueIs(value: ProtobufReader, wanted: WantedTag): boolean {
  const { buffer, at, end } = value;
  if (buffer[at] === 0x0a) {
    value.next();
    const length = value.varint();
    const from = value.at;
    if (from + length === end)
      return length === wanted.valueBytes.length && buffer.compare(wanted.valueBytes, 0, length, from, end) === 0;
    value.at = at;
  }
  return attributeText(readValue(value)) === wanted.value;
}
