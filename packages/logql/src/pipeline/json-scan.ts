/** A scanner of JSON that takes what buger/jsonparser takes, with its errors, and leaves values as they are written. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

const errors = new Map<string, JsonError>();

/** Errors with the same text are one object: a stack trace for each line that is no JSON would cost more than the rest. */
export function jsonError(message: string): JsonError {
  let error = errors.get(message);
  if (error === undefined) {
    error = new JsonError(message);
    errors.set(message, error);
  }
  return error;
}

const MALFORMED = 'Malformed JSON error';
const MALFORMED_OBJECT = "Value looks like object, but can't find closing '}' symbol";
const MALFORMED_ARRAY = "Value is array, but can't find closing ']' symbol";
const MALFORMED_STRING = "Value is string, but can't find closing '\"' symbol";
const MALFORMED_VALUE = "Value looks like Number/Boolean/None, but can't find its end: ',' or '}' symbol";
const UNKNOWN_VALUE = 'Unknown value type';

export type JsonType = 'string' | 'number' | 'boolean' | 'null' | 'object' | 'array';

export interface JsonValue {
  readonly type: JsonType;
  /** As it is written; of a string what is between its quotes. */
  readonly raw: string;
  readonly end: number;
}

function nextToken(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return i;
  }
  return -1;
}

/** The place after the closing quote, or -1. */
function stringEnd(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 92) i++;
    else if (code === 34) return i + 1;
  }
  return -1;
}

function blockEnd(text: string, from: number, open: number, close: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 34) {
      const end = stringEnd(text, i + 1);
      if (end < 0) return -1;
      i = end - 1;
    } else if (code === open) depth++;
    else if (code === close && --depth === 0) return i + 1;
  }
  return -1;
}

export function readValue(text: string, from: number): JsonValue {
  const start = nextToken(text, from);
  if (start < 0) throw jsonError(MALFORMED);
  const char = text[start] ?? '';
  if (char === '"') {
    const end = stringEnd(text, start + 1);
    if (end < 0) throw jsonError(MALFORMED_STRING);
    return { type: 'string', raw: text.slice(start + 1, end - 1), end };
  }
  if (char === '{' || char === '[') {
    const end = char === '{' ? blockEnd(text, start, 123, 125) : blockEnd(text, start, 91, 93);
    if (end < 0) throw jsonError(char === '{' ? MALFORMED_OBJECT : MALFORMED_ARRAY);
    return { type: char === '{' ? 'object' : 'array', raw: text.slice(start, end), end };
  }
  let end = start;
  while (end < text.length && !' \n\r\t,}]'.includes(text[end] ?? '')) end++;
  if (end >= text.length) throw jsonError(MALFORMED_VALUE);
  const raw = text.slice(start, end);
  if (raw === 'true' || raw === 'false') return { type: 'boolean', raw, end };
  if (raw === 'null') return { type: 'null', raw, end };
  if (/^[-\d]/.test(raw)) return { type: 'number', raw, end };
  throw jsonError(UNKNOWN_VALUE);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** What the raw text of a string means, blanks for what is no character; '' where an escape is malformed. */
export function unescapeString(raw: string): string {
  if (!raw.includes('\\')) return raw.includes('\ufffd') ? raw.replaceAll('\ufffd', ' ') : raw;
  let malformed = false;
  const text = raw.replace(
    /\\(?:u([0-9a-fA-F]{4})|(.?))/gs,
    (_, hex: string | undefined, simple: string | undefined) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      const known = ESCAPES[simple ?? ''];
      if (known === undefined) malformed = true;
      return known ?? '';
    },
  );
  return malformed || LONE_SURROGATE.test(text) ? '' : text.replaceAll('\ufffd', ' ');
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/**
 * Calls for each member of an object until it returns false; what comes after its end is not looked at. Each key is
 * told before its value is read.
 */
export function eachMember(
  text: string,
  member: (key: string, value: JsonValue) => boolean,
  begin?: (key: string) => void,
): void {
  let at = nextToken(text, 0);
  if (at < 0 || text[at] !== '{') throw jsonError(MALFORMED_OBJECT);
  at = nextToken(text, at + 1);
  if (at < 0) throw jsonError(MALFORMED);
  for (;;) {
    if (text[at] === '}') return;
    if (text[at] !== '"') throw jsonError(MALFORMED_OBJECT);
    const keyEnd = stringEnd(text, at + 1);
    if (keyEnd < 0) throw jsonError(MALFORMED);
    const key = unescapeString(text.slice(at + 1, keyEnd - 1));
    const colon = nextToken(text, keyEnd);
    if (colon < 0 || text[colon] !== ':') throw jsonError(MALFORMED);
    begin?.(key);
    const value = readValue(text, colon + 1);
    if (!member(key, value)) return;
    at = nextToken(text, value.end);
    if (at < 0) throw jsonError(MALFORMED_ARRAY);
    if (text[at] === '}') return;
    if (text[at] !== ',') throw jsonError(MALFORMED_OBJECT);
    at = nextToken(text, at + 1);
    if (at < 0) throw jsonError(MALFORMED);
  }
}

/**
 * The value at a path of keys and indexes, undefined where there is none. What is malformed elsewhere does not matter
 * (jsonparser.EachKey): only a value that is asked for and cannot be read throws.
 */
export function valueAt(text: string, path: readonly (string | number)[]): JsonValue | undefined {
  const [first, ...rest] = path;
  let current = typeof first === 'string' ? memberOf(text, first) : elementOf(text, first ?? 0);
  for (const step of rest) {
    if (current === undefined) return undefined;
    if (typeof step === 'number') current = current.type === 'array' ? elementOf(current.raw, step) : undefined;
    else current = current.type === 'object' ? memberOf(current.raw, step) : undefined;
  }
  return current;
}

function memberOf(text: string, key: string): JsonValue | undefined {
  let found: JsonValue | undefined;
  let current: string | undefined;
  try {
    eachMember(
      text,
      (name, member) => {
        if (name === key) found = member;
        current = undefined;
        return found === undefined;
      },
      (name) => {
        current = name;
      },
    );
  } catch (error) {
    if (!(error instanceof JsonError) || current === key) throw error;
  }
  return found;
}

function elementOf(text: string, index: number): JsonValue | undefined {
  const open = nextToken(text, 0);
  if (text[open] !== '[') return undefined;
  let at = open + 1;
  for (let i = 0; ; i++) {
    const start = nextToken(text, at);
    if (start < 0 || text[start] === ']') return undefined;
    const element = readValue(text, start);
    if (i === index) return element;
    at = nextToken(text, element.end);
    if (at < 0 || text[at] !== ',') return undefined;
    at += 1;
  }
}
