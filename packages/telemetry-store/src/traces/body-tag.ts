import { ProtobufReader, WIRE_BYTES } from '../bytes/protobuf.ts';
import { attributeText, readValue } from './attribute-codec.ts';

/** Whether a span's bytes have an attribute, or an event with an attribute, of this key and this value as text. */
export function bodyHasTag(body: Buffer, key: Buffer, value: string): boolean {
  // Most spans without the tag have its key nowhere, or are told apart at the first attribute of that name.
  if (body.indexOf(key) < 0) return false;
  const reader = new ProtobufReader(body);
  while (reader.next()) {
    if (reader.wire !== WIRE_BYTES || (reader.field !== 9 && reader.field !== 11)) {
      reader.skipField();
      continue;
    }
    const length = reader.varint();
    const at = reader.at;
    reader.skip(length);
    if (reader.field === 9 && attributeIs(body, at, reader.at, key, value)) return true;
    if (reader.field === 11 && eventHasTag(body, at, reader.at, key, value)) return true;
  }
  return false;
}

function eventHasTag(bytes: Buffer, at: number, end: number, key: Buffer, value: string): boolean {
  const event = new ProtobufReader(bytes, at, end);
  while (event.next()) {
    if (event.wire !== WIRE_BYTES || event.field !== 3) {
      event.skipField();
      continue;
    }
    const length = event.varint();
    const from = event.at;
    event.skip(length);
    if (attributeIs(bytes, from, event.at, key, value)) return true;
  }
  return false;
}

function attributeIs(bytes: Buffer, at: number, end: number, key: Buffer, value: string): boolean {
  const message = new ProtobufReader(bytes, at, end);
  let isKey = key.length === 0;
  let text = '';
  while (message.next()) {
    if (message.field === 1) {
      const length = message.varint();
      const from = message.at;
      message.skip(length);
      isKey = length === key.length && bytes.compare(key, 0, length, from, from + length) === 0;
      if (!isKey) return false;
    } else if (message.field === 2) text = attributeText(readValue(message.message()));
    else message.skipField();
  }
  return isKey && text === value;
}
