/**
 * Request bodies of type `application/vnd.kubernetes.protobuf`: the prefix `k8s\0`, then runtime.Unknown with the kind's
 * own message inside (apimachinery `runtime/serializer/protobuf`). The result is plain JSON, to be decoded like any.
 */
import { parseApiVersion } from '../registry/resource-definition.ts';
import { definitionName } from '../schema/builtin.ts';
import { encodeBase64 } from '../values/base64.ts';
import { isRecord, type JsonRecord, setOwn } from '../values/json.ts';
import { formatMicroTime, formatTime } from '../values/time.ts';
import { WIRE } from './generated/wire.generated.ts';
import { ProtobufError, ProtobufReader } from './reader.ts';

interface WireField {
  /** '' where the message's fields belong to the outer object. */
  readonly name: string;
  readonly code: string;
}

interface WireMessage {
  readonly isList: boolean;
  readonly fields: ReadonlyMap<number, WireField>;
}

const META = 'apimachinery.pkg.apis.meta.v1';
const OPTIONS = new Set(['DeleteOptions', 'CreateOptions', 'UpdateOptions', 'PatchOptions', 'Status']);
const MAX_DEPTH = 64;

let lines: readonly string[] | undefined;
let byName: Map<string, number> | undefined;
const unpacked = new Map<number, WireMessage>();

function table(): readonly string[] {
  lines ??= WIRE.split('\n');
  return lines;
}

function messageIndex(name: string): number | undefined {
  byName ??= new Map(table().map((line, index) => [line.slice(0, line.indexOf('|')), index]));
  return byName.get(name);
}

function messageAt(index: number): WireMessage {
  let message = unpacked.get(index);
  if (message === undefined) {
    const [, flags = '', text = ''] = (table()[index] ?? '').split('|');
    const fields = new Map<number, WireField>();
    for (const token of text.split(' ')) {
      const match = /^(\d+)(?:\^|:([^:]*):)(.*)$/.exec(token);
      if (match !== null) fields.set(Number(match[1]), { name: match[2] ?? '', code: match[3] ?? '' });
    }
    message = { isList: flags === 'L', fields };
    unpacked.set(index, message);
  }
  return message;
}

export function isProtobuf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x6b && bytes[1] === 0x38 && bytes[2] === 0x73 && bytes[3] === 0;
}

/** Throws `ProtobufError` for anything that is no whole message of a kind we know. */
export function decodeProtobuf(bytes: Uint8Array): JsonRecord {
  if (!isProtobuf(bytes))
    throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  const { apiVersion, kind, raw } = readEnvelope(new ProtobufReader(bytes, 4));
  const gv = parseApiVersion(apiVersion);
  if (gv === undefined || kind === '') throw new ProtobufError('the body names no apiVersion and kind');
  const index =
    messageIndex(definitionName({ ...gv, kind })) ?? (OPTIONS.has(kind) ? messageIndex(`${META}.${kind}`) : undefined);
  if (index === undefined)
    throw new ProtobufError(`no kind "${kind}" is registered for version "${apiVersion}" in protobuf`);
  const object: JsonRecord = { apiVersion, kind };
  readMessage(messageAt(index), raw, object, 0);
  return object;
}

function readEnvelope(reader: ProtobufReader): { apiVersion: string; kind: string; raw: ProtobufReader } {
  let apiVersion = '';
  let kind = '';
  let raw = new ProtobufReader(new Uint8Array());
  while (!reader.isDone) {
    const { number, wireType } = reader.tag();
    if (number === 1 && wireType === 2) {
      const typeMeta = reader.part();
      while (!typeMeta.isDone) {
        const field = typeMeta.tag();
        if (field.number === 1 && field.wireType === 2) apiVersion = typeMeta.text();
        else if (field.number === 2 && field.wireType === 2) kind = typeMeta.text();
        else typeMeta.skip(field.wireType);
      }
    } else if (number === 2 && wireType === 2) raw = reader.part();
    else reader.skip(wireType);
  }
  return { apiVersion, kind, raw };
}

function readMessage(message: WireMessage, reader: ProtobufReader, into: JsonRecord, depth: number): void {
  if (depth > MAX_DEPTH) throw new ProtobufError('exceeded max depth');
  while (!reader.isDone) {
    const { number, wireType } = reader.tag();
    const field = message.fields.get(number);
    if (field === undefined) {
      reader.skip(wireType);
      continue;
    }
    const { name, code } = field;
    if (name === '') {
      checkType(wireType, 2, number);
      readMessage(messageAt(indexOf(code)), reader.part(), into, depth + 1);
    } else if (code.startsWith('{')) {
      checkType(wireType, 2, number);
      const known = into[name];
      const map = isRecord(known) ? known : {};
      into[name] = map;
      readEntry(code.slice(1), reader.part(), map, depth);
    } else if (code.startsWith('[')) {
      const known: unknown = into[name];
      const list: unknown[] = Array.isArray(known) ? known : [];
      into[name] = list;
      const item = code.slice(1);
      if (wireType === 2 && (item === 'i' || item === 'l')) {
        const packed = reader.part();
        while (!packed.isDone) list.push(packed.int());
      } else list.push(readValue(item, wireType, number, reader, depth));
    } else {
      const value = readValue(code, wireType, number, reader, depth);
      if (value !== undefined) setOwn(into, name, value);
    }
  }
}

function indexOf(code: string): number {
  return Number.parseInt(code.slice(1), 36);
}

function checkType(actual: number, expected: number, number: number): void {
  if (actual !== expected) throw new ProtobufError(`proto: wrong wireType = ${actual} for field ${number}`);
}

function readEntry(code: string, reader: ProtobufReader, map: JsonRecord, depth: number): void {
  let key = '';
  let value: unknown;
  while (!reader.isDone) {
    const { number, wireType } = reader.tag();
    if (number === 1 && wireType === 2) key = reader.text();
    else if (number === 2) value = readValue(code, wireType, number, reader, depth + 1);
    else reader.skip(wireType);
  }
  setOwn(map, key, value ?? (code === 's' || code === 'B' ? '' : {}));
}

function readValue(code: string, wireType: number, number: number, reader: ProtobufReader, depth: number): unknown {
  switch (code) {
    case 's':
      checkType(wireType, 2, number);
      return reader.text();
    case 'B':
      checkType(wireType, 2, number);
      return encodeBase64(reader.bytes());
    case 'i':
    case 'l':
      checkType(wireType, 0, number);
      return reader.int();
    case 'b':
      checkType(wireType, 0, number);
      return reader.varint() !== 0n;
    case 'd':
      checkType(wireType, 1, number);
      return reader.double();
  }
  checkType(wireType, 2, number);
  const part = reader.part();
  switch (code) {
    case 'q':
      return readQuantity(part);
    case 'x':
      return readIntOrString(part);
    case 't':
    case 'T':
      return readTime(part, code === 'T');
    case 'R':
      return readRaw(part);
  }
  const message = messageAt(indexOf(code));
  const out: JsonRecord = {};
  readMessage(message, part, out, depth + 1);
  return message.isList ? (out.items ?? []) : out;
}

function readQuantity(reader: ProtobufReader): string {
  let text = '0';
  while (!reader.isDone) {
    const { number, wireType } = reader.tag();
    if (number === 1 && wireType === 2) text = reader.text();
    else reader.skip(wireType);
  }
  return text;
}

function readIntOrString(reader: ProtobufReader): number | string {
  let type = 0;
  let number = 0;
  let text = '';
  while (!reader.isDone) {
    const tag = reader.tag();
    if (tag.number === 1 && tag.wireType === 0) type = reader.int();
    else if (tag.number === 2 && tag.wireType === 0) number = reader.int();
    else if (tag.number === 3 && tag.wireType === 2) text = reader.text();
    else reader.skip(tag.wireType);
  }
  return type === 1 ? text : number;
}

/** An empty message is Go's zero time, which is no time at all. */
function readTime(reader: ProtobufReader, micro: boolean): string | undefined {
  if (reader.isEmpty) return undefined;
  let seconds = 0;
  let nanos = 0;
  while (!reader.isDone) {
    const { number, wireType } = reader.tag();
    if (number === 1 && wireType === 0) seconds = reader.int();
    else if (number === 2 && wireType === 0) nanos = reader.int();
    else reader.skip(wireType);
  }
  if (Math.abs(seconds) > 253_402_300_799) throw new ProtobufError('proto: time out of range');
  return micro ? formatMicroTime(seconds * 1000, Math.floor(nanos / 1000)) : formatTime(seconds * 1000);
}

/** JSON inside a message: RawExtension and FieldsV1. */
function readRaw(reader: ProtobufReader): unknown {
  let value: unknown;
  while (!reader.isDone) {
    const { number, wireType } = reader.tag();
    if (number === 1 && wireType === 2) {
      const text = reader.text();
      try {
        value = text === '' ? undefined : JSON.parse(text);
      } catch (error) {
        throw new ProtobufError('proto: embedded JSON cannot be read', { cause: error });
      }
    } else reader.skip(wireType);
  }
  return value;
}
