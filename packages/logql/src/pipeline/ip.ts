import { quote } from '@kind-e2e/telemetry';

/** IP matching of line and label filters (pkg/logql/log/ip.go): an address, a range `a-b`, or a CIDR block. */

function parseV4(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0n;
  for (const part of match.slice(1)) {
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    value = value * 256n + BigInt(part);
  }
  return value;
}

function parseV6(text: string): bigint | undefined {
  let body = text;
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (tail !== null) {
    const v4 = parseV4(tail[2] ?? '');
    if (v4 === undefined) return undefined;
    body = `${tail[1]}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
  }
  const halves = body.split('::');
  if (halves.length > 2 || !body.includes(':')) return undefined;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const given = groups.flat();
  if (given.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  if (halves.length === 1 ? given.length !== 8 : given.length > 7) return undefined;
  const filled = [...(groups[0] ?? []), ...new Array(8 - given.length).fill('0'), ...(groups[1] ?? [])];
  return filled.reduce((value, group) => value * 65536n + BigInt(`0x${group}`), 0n);
}

interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

function parseAddress(text: string): Address | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return { bits: 32, value: v4 };
  const v6 = parseV6(text);
  return v6 === undefined ? undefined : { bits: 128, value: v6 };
}

export interface IpRange {
  readonly bits: 32 | 128;
  readonly first: bigint;
  readonly last: bigint;
}

/** Undefined where the pattern is none. */
export function parseIpPattern(pattern: string): IpRange | undefined {
  const cidr = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(pattern);
  if (cidr !== null) {
    const base = parseAddress(cidr[1] ?? '');
    const length = Number(cidr[2]);
    if (base === undefined || length > base.bits) return undefined;
    const hosts = BigInt(base.bits - length);
    const first = (base.value >> hosts) << hosts;
    return { bits: base.bits, first, last: first + (1n << hosts) - 1n };
  }
  const hyphen = pattern.indexOf('-');
  const first = parseAddress(hyphen < 0 ? pattern : pattern.slice(0, hyphen));
  const last = hyphen < 0 ? first : parseAddress(pattern.slice(hyphen + 1));
  if (first === undefined || last === undefined || first.bits !== last.bits) return undefined;
  return first.value <= last.value ? { bits: first.bits, first: first.value, last: last.value } : undefined;
}

export function invalidIp(pattern: string): Error {
  return new Error(`ip: invalid pattern: ${quote(pattern)}`);
}

/** Where an address may begin, and what it may consist of. */
const V4_HINT = /^\d(?:\.|.\.|..\.)/s;
const V6_HINT = /^(?:::[\da-fA-F]|[\da-fA-F]{1,4}:)/;
const V4_SPAN = /^[\d.]*/;
const V6_SPAN = /^[\da-fA-F:.]*/;

/**
 * Whether an address in the text lies in the range. What looks like the begin of one is read as far as its characters
 * go, and is one as a whole or not at all (ipFilter.filter).
 */
export function containsIp(text: string, range: IpRange): boolean {
  const { length } = text;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    const isDigit = code >= 48 && code <= 57;
    if (!isDigit && code !== 58 && !(code >= 65 && code <= 70) && !(code >= 97 && code <= 102)) continue;
    const rest = text.slice(i, i + 64);
    const span =
      i + 3 < length && V4_HINT.test(rest) ? V4_SPAN : i + 4 < length && V6_HINT.test(rest) ? V6_SPAN : undefined;
    if (span === undefined) continue;
    const candidate = span.exec(text.slice(i))?.[0] ?? '';
    const address = parseAddress(candidate);
    if (address?.bits === range.bits && address.value >= range.first && address.value <= range.last) return true;
    i += candidate.length;
  }
  return false;
}
