/** Reads DER (X.690), as far as certification requests need it. */
export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly whole: Buffer;
}

export const SEQUENCE = 0x30;
export const OBJECT_IDENTIFIER = 0x06;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;

/** The values that follow each other in these bytes. Throws a RangeError where they are no DER. */
export function readDer(bytes: Buffer): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    let length = bytes[at + 1] ?? Number.NaN;
    let from = at + 2;
    if (length > 0x80) {
      const octets = length & 0x7f;
      length = octets <= 4 && from + octets <= bytes.length ? bytes.readUIntBE(from, octets) : Number.NaN;
      from += octets;
    }
    if (!(length >= 0) || from + length > bytes.length) throw new RangeError('asn1: syntax error: data truncated');
    values.push({ tag, content: bytes.subarray(from, from + length), whole: bytes.subarray(at, from + length) });
    at = from + length;
  }
  return values;
}

/** The values in one of this tag. */
export function inside(value: DerValue | undefined, tag: number): DerValue[] {
  if (value?.tag !== tag) throw new RangeError('asn1: structure error: tags do not match');
  return readDer(value.content);
}

/** `1.2.840.113549` of an object identifier. */
export function dottedOf(value: DerValue | undefined): string {
  if (value?.tag !== OBJECT_IDENTIFIER) throw new RangeError('asn1: structure error: tags do not match');
  const parts: number[] = [];
  let part = 0;
  for (const byte of value.content) {
    part = part * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (parts.length === 0) {
      const first = Math.min(2, Math.floor(part / 40));
      parts.push(first, part - first * 40);
    } else parts.push(part);
    part = 0;
  }
  return parts.join('.');
}
