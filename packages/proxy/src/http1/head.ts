import type { HeaderList } from '../http/headers.ts';

/** What is wrong with a message, and the status by which the sender is told. */
export class ProtocolError extends Error {
  readonly status: number;
  /** Envoy's response code details. */
  readonly details: string;

  constructor(status: number, details: string) {
    super(details);
    this.name = 'ProtocolError';
    this.status = status;
    this.details = details;
  }
}

/** Envoy's `max_request_headers_kb` of 60 and 100 fields. */
export const MAX_HEAD_BYTES = 60 * 1024;
const MAX_HEADER_FIELDS = 100;
const MAX_RESPONSE_FIELDS = 400;

export type Framing = 'none' | 'length' | 'chunked' | 'close';

export interface MessageHead {
  /** Lower-case names; hop-by-hop fields, Host, Content-Length and Transfer-Encoding are taken out. */
  readonly headers: HeaderList;
  readonly minorVersion: 0 | 1;
  readonly keepAlive: boolean;
  readonly framing: Framing;
  readonly contentLength: number | undefined;
  /** Lower-case value of Upgrade where Connection names it. */
  readonly upgrade: string | undefined;
}

export interface RequestHead1 extends MessageHead {
  readonly method: string;
  readonly target: string;
  readonly host: string | undefined;
  readonly expectContinue: boolean;
}

export interface ResponseHead1 extends MessageHead {
  readonly status: number;
  readonly reason: string;
  /** Seconds of `Keep-Alive: timeout=…`. */
  readonly keepAliveSeconds: number | undefined;
}

// RFC 9110 section 5.6.2: token characters; the value is the lower-case character code.
const TOKEN = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
  TOKEN[char.charCodeAt(0)] = 1;

// Anything but visible characters, space, tab, obs-text and CRLF pairs; a lone CR or LF is how requests are smuggled.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?:^|[^\r])\n/;
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}) ([\x21-\x7e\x80-\xff]+) HTTP\/1\.([01])$/;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: ([^\r\n]*))?$/;
const DIGITS = /^[0-9]{1,15}$/;

/** Index behind the blank line that ends the head, or -1; throws where it can never become a head. */
export function findHeadEnd(buffer: Buffer, scanFrom: number): number {
  const end = buffer.indexOf('\r\n\r\n', Math.max(0, scanFrom - 3), 'latin1');
  if (end >= 0) {
    if (end > MAX_HEAD_BYTES) throw new ProtocolError(431, 'request_headers_too_large');
    return end + 4;
  }
  if (buffer.length > MAX_HEAD_BYTES) throw new ProtocolError(431, 'request_headers_too_large');
  const feed = buffer.indexOf(10, scanFrom);
  if (feed >= 0 && (feed === 0 || buffer[feed - 1] !== 13)) throw new ProtocolError(400, 'http1.codec_error');
  return -1;
}

/** Parses a request head, `end` being behind its blank line. Throws ProtocolError. */
export function parseRequestHead(buffer: Buffer, end: number): RequestHead1 {
  const text = buffer.toString('latin1', 0, end - 2);
  if (FORBIDDEN.test(text)) throw new ProtocolError(400, 'http1.codec_error');
  const lineEnd = text.indexOf('\r\n');
  const line = REQUEST_LINE.exec(text.slice(0, lineEnd));
  if (line === null) throw new ProtocolError(400, 'http1.codec_error');
  const fields = parseFields(text, lineEnd + 2, MAX_HEADER_FIELDS);
  const minorVersion = line[3] === '1' ? 1 : 0;
  if (fields.hosts > 1) throw new ProtocolError(400, 'http1.codec_error');
  if (fields.host === undefined && minorVersion === 1) throw new ProtocolError(400, 'missing_host_header');
  let framing: Framing = 'none';
  if (fields.transferEncoding !== undefined) {
    // RFC 9112 section 6.1: both lengths, or a coding in HTTP/1.0, are attacks until proven otherwise.
    if (fields.contentLength !== undefined)
      throw new ProtocolError(400, 'http1.content_length_and_chunked_not_allowed');
    if (minorVersion === 0) throw new ProtocolError(400, 'http1.transfer_encoding_not_allowed');
    if (fields.transferEncoding.toLowerCase() !== 'chunked')
      throw new ProtocolError(501, 'http1.invalid_transfer_encoding');
    framing = 'chunked';
  } else if (fields.contentLength !== undefined && fields.contentLength > 0) framing = 'length';
  return {
    method: line[1] as string,
    target: line[2] as string,
    host: fields.host,
    headers: fields.headers,
    minorVersion,
    keepAlive: keepsAlive(minorVersion, fields),
    framing,
    contentLength: fields.contentLength,
    upgrade: fields.upgrade,
    expectContinue: fields.expectContinue,
  };
}

/** Parses a response head; `method` is that of its request, which decides whether a body follows. */
export function parseResponseHead(buffer: Buffer, end: number, method: string): ResponseHead1 {
  const text = buffer.toString('latin1', 0, end - 2);
  if (FORBIDDEN.test(text)) throw new ProtocolError(502, 'http1.codec_error');
  const lineEnd = text.indexOf('\r\n');
  const line = STATUS_LINE.exec(text.slice(0, lineEnd));
  if (line === null) throw new ProtocolError(502, 'http1.codec_error');
  const fields = parseFields(text, lineEnd + 2, MAX_RESPONSE_FIELDS);
  const status = Number(line[2]);
  const minorVersion = line[1] === '1' ? 1 : 0;
  let framing: Framing;
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') framing = 'none';
  else if (fields.transferEncoding !== undefined) {
    if (fields.contentLength !== undefined || fields.transferEncoding.toLowerCase() !== 'chunked')
      throw new ProtocolError(502, 'http1.content_length_and_chunked_not_allowed');
    framing = 'chunked';
  } else if (fields.contentLength !== undefined) framing = fields.contentLength === 0 ? 'none' : 'length';
  else framing = 'close';
  return {
    status,
    reason: line[3] ?? '',
    headers: fields.headers,
    minorVersion,
    keepAlive: keepsAlive(minorVersion, fields) && framing !== 'close',
    framing,
    contentLength: fields.contentLength,
    upgrade: fields.upgrade,
    keepAliveSeconds: fields.keepAliveSeconds,
  };
}

interface Fields {
  readonly headers: HeaderList;
  host: string | undefined;
  hosts: number;
  contentLength: number | undefined;
  transferEncoding: string | undefined;
  connection: string | undefined;
  upgrade: string | undefined;
  expectContinue: boolean;
  keepAliveSeconds: number | undefined;
}

function keepsAlive(minorVersion: number, fields: Fields): boolean {
  if (fields.connection === undefined) return minorVersion === 1;
  const tokens = fields.connection;
  if (tokens.includes('close')) return false;
  return minorVersion === 1 || tokens.includes('keep-alive');
}

function parseFields(text: string, start: number, limit: number): Fields {
  const headers: HeaderList = [];
  const fields: Fields = {
    headers,
    host: undefined,
    hosts: 0,
    contentLength: undefined,
    transferEncoding: undefined,
    connection: undefined,
    upgrade: undefined,
    expectContinue: false,
    keepAliveSeconds: undefined,
  };
  let count = 0;
  let position = start;
  while (position < text.length) {
    const end = text.indexOf('\r\n', position);
    const colon = tokenEnd(text, position);
    // A space in front of the name is an obsolete folded line, one behind it is an old way to hide a field.
    if (colon === position || text.charCodeAt(colon) !== 58) throw new ProtocolError(400, 'http1.codec_error');
    if (++count > limit) throw new ProtocolError(431, 'too_many_headers');
    const name = text.slice(position, colon).toLowerCase();
    const value = trimmed(text, colon + 1, end);
    position = end + 2;
    takeField(fields, name, value);
  }
  if (fields.connection !== undefined) dropConnectionFields(fields);
  else fields.upgrade = undefined;
  return fields;
}

/** First position that holds no token character. */
function tokenEnd(text: string, start: number): number {
  let at = start;
  while (TOKEN[text.charCodeAt(at)] === 1) at++;
  return at;
}

function trimmed(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && (text.charCodeAt(from) === 32 || text.charCodeAt(from) === 9)) from++;
  while (to > from && (text.charCodeAt(to - 1) === 32 || text.charCodeAt(to - 1) === 9)) to--;
  return text.slice(from, to);
}

function takeField(fields: Fields, name: string, value: string): void {
  switch (name) {
    case 'host':
      fields.hosts++;
      fields.host = value;
      return;
    case 'content-length':
      if (fields.contentLength !== undefined || !DIGITS.test(value)) throw new ProtocolError(400, 'http1.codec_error');
      fields.contentLength = Number(value);
      return;
    case 'transfer-encoding':
      if (fields.transferEncoding !== undefined) throw new ProtocolError(400, 'http1.codec_error');
      fields.transferEncoding = value;
      return;
    case 'connection':
      fields.connection =
        fields.connection === undefined ? value.toLowerCase() : `${fields.connection},${value.toLowerCase()}`;
      return;
    case 'upgrade':
      fields.upgrade = value.toLowerCase();
      return;
    case 'expect':
      if (value.toLowerCase() !== '100-continue') throw new ProtocolError(417, 'http1.unknown_expectation');
      fields.expectContinue = true;
      return;
    case 'keep-alive': {
      const seconds = /timeout=(\d{1,6})/.exec(value)?.[1];
      if (seconds !== undefined) fields.keepAliveSeconds = Number(seconds);
      return;
    }
    case 'proxy-connection':
    case 'http2-settings':
      return;
    default:
      fields.headers.push(name, value);
  }
}

/** RFC 9110 section 7.6.1: fields that Connection names are for this hop only. */
function dropConnectionFields(fields: Fields): void {
  const { headers } = fields;
  const tokens = (fields.connection ?? '').split(',').map((token) => token.trim());
  if (!tokens.includes('upgrade')) fields.upgrade = undefined;
  for (const token of tokens) {
    if (token === '' || token === 'close' || token === 'keep-alive' || token === 'upgrade') continue;
    // Fields that decide on routing or framing may not be taken away by naming them.
    if (token === 'te' || (!token.startsWith('x-forwarded') && token !== 'authorization' && token !== 'cookie'))
      for (let i = headers.length - 2; i >= 0; i -= 2) if (headers[i] === token) headers.splice(i, 2);
  }
}
