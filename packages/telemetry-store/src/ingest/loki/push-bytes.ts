import { isUtf8 } from 'node:buffer';
import type { Labels } from '@kind-e2e/telemetry';
import { MalformedError } from '../../bytes/byte-reader.ts';
import { ProtobufReader, WIRE_BYTES, WIRE_VARINT } from '../../bytes/protobuf.ts';
import type { Lines } from '../../logs/chunk-codec.ts';
import { LinesBuilder, textScratch } from './lines-builder.ts';

/** A stream of a push request as a block of lines, whose text is only there until the next request is read. */
export interface PushedLines {
  readonly labels: Labels;
  readonly lines: Lines;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const ZERO = 0x30;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const BEGIN = 0x7b;
const END = 0x7d;
/** What stands for the character behind a backslash; 0 where it is more than one letter. */
const ESCAPES = new Uint8Array(128);
for (const [letter, value] of Object.entries({ '"': 34, '\\': 92, '/': 47, b: 8, f: 12, n: 10, r: 13, t: 9 }))
  ESCAPES[letter.charCodeAt(0)] = value;
const TIMESTAMP_DIGITS = 19;
const SECONDS_DIGITS = 10;

/** Gives up: the request is left to the reader that takes everything, and that knows what is wrong with it. */
class Unusual extends Error {}

/**
 * Reads Loki's push request from the bytes of its JSON where it has the usual form: streams of times and lines,
 * without structured metadata. Undefined where anything else is in it, mistakes included.
 */
export function readJsonLines(body: Buffer, labelsOf: (json: string) => Labels): PushedLines[] | undefined {
  if (!isUtf8(body)) return undefined;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return new JsonPush(body, labelsOf).read();
  } catch (error) {
    if (error instanceof Unusual) return undefined;
    throw error;
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** Four bytes at a time, of UTF-8: in a word without them nothing is borrowed from the byte above. */
function hasControls(body: Buffer): boolean {
  const first = Math.min(body.length, (4 - (body.byteOffset & 3)) & 3);
  const count = (body.length - first) >>> 2;
  for (let at = 0; at < first; at++) if ((body[at] ?? 0) < 0x20) return true;
  for (let at = first + count * 4; at < body.length; at++) if ((body[at] ?? 0) < 0x20) return true;
  const words = new Int32Array(body.buffer, body.byteOffset + first, count);
  let found = 0;
  for (let i = 0; i < count; i++) {
    const word = words[i] ?? 0;
    found |= (word - 0x20202020) & ~word;
  }
  return (found & 0x80808080) !== 0;
}

class JsonPush {
  readonly #body: Buffer;
  readonly #labelsOf: (json: string) => Labels;
  readonly #text: Buffer;
  /** Whether there are control characters, which JSON allows between its parts but not within a line. */
  readonly #hasControls: boolean;
  #used = 0;
  #at = 0;
  /** The next one, or the end. */
  #backslash = -1;

  constructor(body: Buffer, labelsOf: (json: string) => Labels) {
    this.#body = body;
    this.#hasControls = hasControls(body);
    this.#text = textScratch(body.length);
    this.#labelsOf = labelsOf;
  }

  read(): PushedLines[] {
    const streams: PushedLines[] = [];
    this.#take(BEGIN);
    this.#key('"streams"');
    this.#take(OPEN);
    if (!this.#takeIf(CLOSE))
      do {
        streams.push(this.#stream());
      } while (this.#more(CLOSE));
    this.#take(END);
    if (this.#peek() !== undefined) throw new Unusual();
    return streams;
  }

  #stream(): PushedLines {
    this.#take(BEGIN);
    this.#key('"stream"');
    const labels = this.#labels();
    this.#take(COMMA);
    this.#key('"values"');
    const lines = this.#values();
    this.#take(END);
    return { labels, lines };
  }

  #labels(): Labels {
    if (this.#peek() !== BEGIN) throw new Unusual();
    const end = this.#body.indexOf(END, this.#at);
    const json = this.#body.toString('utf8', this.#at, end + 1);
    // A brace within a label is not the end, and what comes before it no JSON.
    if (end < 0 || json.includes('\\') || (json.split('"').length & 1) === 0) throw new Unusual();
    this.#at = end + 1;
    return this.#labelsOf(json);
  }

  #values(): Lines {
    const builder = new LinesBuilder(this.#text.subarray(this.#used));
    this.#take(OPEN);
    if (!this.#takeIf(CLOSE))
      do {
        this.#take(OPEN);
        this.#value(builder);
        this.#take(CLOSE);
      } while (this.#more(CLOSE));
    this.#used += builder.length;
    return builder.lines();
  }

  #value(builder: LinesBuilder): void {
    const body = this.#body;
    this.#take(QUOTE);
    const at = this.#at;
    const seconds = this.#digits(at, SECONDS_DIGITS);
    const nanoseconds = this.#digits(at + SECONDS_DIGITS, TIMESTAMP_DIGITS - SECONDS_DIGITS);
    this.#at += TIMESTAMP_DIGITS;
    // What follows 9223372036.854775807 does not fit.
    if (seconds > 9_223_372_035 || body[this.#at++] !== QUOTE) throw new Unusual();
    this.#take(COMMA);
    this.#take(QUOTE);
    this.#line(builder);
    builder.end(seconds, nanoseconds);
  }

  #digits(from: number, count: number): number {
    const body = this.#body;
    let number = 0;
    let all = 0;
    for (let at = from; at < from + count; at++) {
      const digit = (body[at] ?? 0) - ZERO;
      // Digits, and digits with six added, fit into four bits; the two of nothing else do.
      all |= digit | (digit + 6);
      number = number * 10 + digit;
    }
    if (all >>> 4 !== 0) throw new Unusual();
    return number;
  }

  /** Takes what is between backslashes in one piece. */
  #line(builder: LinesBuilder): void {
    const body = this.#body;
    const { text } = builder;
    let out = builder.length;
    let at = this.#at;
    let end = body.indexOf(QUOTE, at);
    for (;;) {
      if (end < 0) throw new Unusual();
      if (this.#backslash < at) {
        const next = body.indexOf(BACKSLASH, at);
        this.#backslash = next < 0 ? body.length : next;
      }
      const until = Math.min(end, this.#backslash);
      if (this.#hasControls) this.#refuseControls(at, until);
      body.copy(text, out, at, until);
      out += until - at;
      at = until + 1;
      if (until === end) break;
      const escaped = ESCAPES[body[at++] ?? 0] ?? 0;
      if (escaped === 0) throw new Unusual();
      text[out++] = escaped;
      if (at > end) end = body.indexOf(QUOTE, at);
    }
    this.#at = at;
    builder.length = out;
  }

  #refuseControls(from: number, to: number): void {
    const body = this.#body;
    for (let at = from; at < to; at++) if ((body[at] ?? 0) < 0x20) throw new Unusual();
  }

  /** Skips what JSON allows between its parts. */
  #peek(): number | undefined {
    const body = this.#body;
    for (;;) {
      const byte = body[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.#at++;
    }
  }

  #take(wanted: number): void {
    // Mostly there is no space.
    if (this.#body[this.#at] !== wanted && this.#peek() !== wanted) throw new Unusual();
    this.#at++;
  }

  #takeIf(wanted: number): boolean {
    if (this.#peek() !== wanted) return false;
    this.#at++;
    return true;
  }

  #more(end: number): boolean {
    if (this.#takeIf(COMMA)) return true;
    this.#take(end);
    return false;
  }

  #key(quoted: string): void {
    this.#peek();
    if (this.#body.toString('latin1', this.#at, this.#at + quoted.length) !== quoted) throw new Unusual();
    this.#at += quoted.length;
    this.#take(COLON);
  }
}

/**
 * The same of logproto.PushRequest (pkg/push/push.proto), after snappy. Undefined where anything unusual is in it.
 * Throws MalformedError where it is no protobuf.
 */
export function readProtobufLines(body: Buffer, labelsOf: (text: string) => Labels): PushedLines[] | undefined {
  const streams: PushedLines[] = [];
  const request = new ProtobufReader(body);
  const text = textScratch(body.length);
  let used = 0;
  while (request.next()) {
    if (request.field !== 1) {
      request.skipField();
      continue;
    }
    const stream = readStream(request.message(), text.subarray(used), labelsOf);
    if (stream === undefined) return undefined;
    used += stream.lines.text.length;
    streams.push(stream);
  }
  return streams;
}

function readStream(reader: ProtobufReader, text: Buffer, labelsOf: (text: string) => Labels): PushedLines | undefined {
  let labels: Labels | undefined;
  const builder = new LinesBuilder(text);
  while (reader.next()) {
    if (reader.field === 1) labels = labelsOf(reader.text());
    else if (reader.field !== 2) reader.skipField();
    else if (reader.wire !== WIRE_BYTES || !readEntry(reader, builder)) return undefined;
  }
  const lines = builder.lines();
  return labels && labels.size > 0 && isUtf8(lines.text) ? { labels, lines } : undefined;
}

/** Reads an entry in place: a reader for each would cost more than all the rest. */
function readEntry(reader: ProtobufReader, builder: LinesBuilder): boolean {
  const { buffer } = reader;
  const length = reader.varint();
  const end = reader.at + length;
  if (end > reader.end) throw new MalformedError('the data ends in the middle of an entry');
  let seconds = 0;
  let nanoseconds = 0;
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === (1 << 3) + WIRE_BYTES) {
      const timeEnd = reader.varint() + reader.at;
      while (reader.at < timeEnd) {
        const part = reader.varint();
        if (part === (1 << 3) + WIRE_VARINT) seconds = reader.varint();
        else if (part === (2 << 3) + WIRE_VARINT) nanoseconds = reader.varint();
        else return false;
      }
    } else if (tag === (2 << 3) + WIRE_BYTES) {
      const bytes = reader.varint();
      const at = reader.at;
      reader.skip(bytes);
      buffer.copy(builder.text, builder.length, at, at + bytes);
      builder.length += bytes;
    } else return false;
  }
  if (reader.at !== end || seconds > 9_223_372_035 || nanoseconds > 999_999_999) return false;
  builder.end(seconds, nanoseconds);
  return true;
}
