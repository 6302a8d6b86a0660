import { formatValue } from '@kind-e2e/promql';

/** A value as Prometheus' API writes it (util/jsonutil `MarshalFloat`): with an exponent below 1e-6 and from 1e21 on. */
export function valueText(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e-6 && size < 1e21) return String(value);
  if ((size < 1e-6 && size !== 0) || (size >= 1e21 && size !== Infinity))
    return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
  return formatValue(value);
}

/** Milliseconds as seconds with three decimals where there are any (util/jsonutil `MarshalTimestamp`). */
export function timestampText(ms: number): string {
  const whole = Math.trunc(ms);
  const size = Math.abs(whole);
  const fraction = size % 1000;
  const seconds = `${whole < 0 ? '-' : ''}${Math.floor(size / 1000)}`;
  return fraction === 0 ? seconds : `${seconds}.${String(fraction).padStart(3, '0')}`;
}

/** Bytes that `writeValue` needs at most: a sign, 17 digits, and 21 places or the exponent. */
export const MAX_VALUE_BYTES = 32;

const ZERO = 48;
const MINUS = 45;
const POINT = 46;

/** Numbers with at most this many decimal places are written digit by digit. */
const PLACES = 6;
const UNIT = 10 ** PLACES;
/** A decimal of up to 15 digits is the shortest text of the double that is nearest to it. */
const MAX_EXACT = 1e15;

/** Writes what `valueText` gives, without a string where the number is whole or has few places; gives where it ends. */
export function writeValue(bytes: Uint8Array, at: number, value: number): number {
  if (value === (value | 0)) {
    if (value === 0 && Object.is(value, -0)) return writeText(bytes, at, '-0');
    if (value >= 0) return writeWhole(bytes, at, value);
    bytes[at] = MINUS;
    return writeWhole(bytes, at + 1, -value);
  }
  const size = Math.abs(value);
  const scaled = Math.round(size * UNIT);
  if (scaled < MAX_EXACT && scaled / UNIT === size) {
    let to = at;
    if (value < 0) bytes[to++] = MINUS;
    const whole = Math.floor(size);
    to = writeWhole(bytes, to, whole);
    let fraction = (scaled - whole * UNIT) | 0;
    if (fraction === 0) return to;
    bytes[to++] = POINT;
    let places = PLACES;
    if (fraction % 10_000 === 0) {
      fraction = (fraction / 10_000) | 0;
      places -= 4;
    }
    while (fraction % 10 === 0) {
      fraction = (fraction / 10) | 0;
      places--;
    }
    return writeDigits(bytes, to, fraction, places);
  }
  if (Number.isInteger(value) && size < MAX_EXACT) {
    let to = at;
    if (value < 0) bytes[to++] = MINUS;
    return writeWhole(bytes, to, size);
  }
  return writeRemembered(bytes, at, value);
}

const REMEMBERED = 8192;
const keys = new Float64Array(REMEMBERED).fill(Number.NaN);
const texts = new Uint8Array(REMEMBERED * MAX_VALUE_BYTES);
const lengths = new Uint8Array(REMEMBERED);
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** Remembers texts: the values of neighbouring series and steps repeat, and making digits is the dear part of an answer. */
function writeRemembered(bytes: Uint8Array, at: number, value: number): number {
  double[0] = value;
  const slot = (((words[0] ?? 0) ^ Math.imul(words[1] ?? 0, 0x9e3779b1)) >>> 7) & (REMEMBERED - 1);
  const from = slot * MAX_VALUE_BYTES;
  if (keys[slot] !== value) {
    const end = writeText(texts, from, valueText(value));
    lengths[slot] = end - from;
    keys[slot] = value;
  }
  const length = lengths[slot] ?? 0;
  for (let i = 0; i < length; i++) bytes[at + i] = texts[from + i] ?? 0;
  return at + length;
}

/** Writes what `timestampText` gives. */
export function writeTimestamp(bytes: Uint8Array, at: number, timeMs: number): number {
  const whole = Math.trunc(timeMs);
  const size = Math.abs(whole);
  if (size >= MAX_EXACT) return writeText(bytes, at, timestampText(timeMs));
  let to = at;
  if (whole < 0) bytes[to++] = MINUS;
  const seconds = Math.floor(size / 1000);
  const fraction = size - seconds * 1000;
  to = writeWhole(bytes, to, seconds);
  if (fraction === 0) return to;
  bytes[to++] = POINT;
  return writeDigits(bytes, to, fraction, 3);
}

/** ASCII only. */
function writeText(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** A whole number from 0 to below 1e15. */
function writeWhole(bytes: Uint8Array, at: number, value: number): number {
  if (value < 1e9) return writeDigits(bytes, at, value, digitsOf(value));
  const high = Math.floor(value / 1e9);
  const to = writeDigits(bytes, at, high, digitsOf(high));
  return writeDigits(bytes, to, value - high * 1e9, 9);
}

function digitsOf(value: number): number {
  if (value < 1e3) return value < 10 ? 1 : value < 100 ? 2 : 3;
  if (value < 1e6) return value < 1e4 ? 4 : value < 1e5 ? 5 : 6;
  return value < 1e7 ? 7 : value < 1e8 ? 8 : 9;
}

/** So many digits of a number below 1e9, with zeros in front. */
function writeDigits(bytes: Uint8Array, at: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = (rest / 10) | 0;
    bytes[i] = ZERO + (rest - next * 10);
    rest = next;
  }
  return at + digits;
}
