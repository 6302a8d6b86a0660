import { TemplateError } from './values.ts';

/** Text of bytes as Go's encoding/json writes it: each byte that is no part of a character is one U+FFFD. */
function fromBytes(bytes: Buffer): string {
  const text = bytes.toString();
  if (!text.includes('\ufffd')) return text;
  let out = '';
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i] ?? 0;
    const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
    const char = bytes.subarray(i, i + length).toString();
    const whole = [...char].length === 1 && Buffer.byteLength(char) === length && i + length <= bytes.length;
    out += whole ? char : '\ufffd';
    i += whole ? length : 1;
  }
  return out;
}

/** sprig's trunc: the first bytes, or the last. */
export function truncate(count: number, value: string): string {
  const bytes = Buffer.from(value);
  if (count < 0) return bytes.length + count > 0 ? fromBytes(bytes.subarray(bytes.length + count)) : value;
  return bytes.length > count ? fromBytes(bytes.subarray(0, count)) : value;
}

function outOfRange(range: string): never {
  throw new TemplateError(`runtime error: slice bounds out of range ${range}`);
}

/** sprig's substr, in bytes. */
export function substring(start: number, end: number, value: string): string {
  const bytes = Buffer.from(value);
  const { length } = bytes;
  if (start < 0) {
    if (end < 0) return outOfRange(`[:${end}]`);
    return end > length ? outOfRange(`[:${end}] with length ${length}`) : fromBytes(bytes.subarray(0, end));
  }
  if (end < 0 || end > length)
    return start > length ? outOfRange(`[${start}:${length}]`) : fromBytes(bytes.subarray(start));
  return start > end ? outOfRange(`[${start}:${end}]`) : fromBytes(bytes.subarray(start, end));
}

/** sprig's b64dec: what is no base64 gives the text of the error. */
export function decodeBase64(value: string): string {
  const text = value.replace(/[\r\n]/g, '');
  const illegal = /[^A-Za-z0-9+/]/.exec(text.replace(/={0,2}$/, ''))?.index;
  if (illegal !== undefined) return `illegal base64 data at input byte ${illegal}`;
  if (text.length % 4 !== 0) return `illegal base64 data at input byte ${text.length - (text.length % 4)}`;
  return fromBytes(Buffer.from(text, 'base64'));
}

/** strings.Title: a letter behind what separates words is upper case. */
export function title(value: string): string {
  let out = '';
  let separated = true;
  for (const char of value) {
    out += separated ? char.toUpperCase() : char;
    separated = char < '\u0080' ? !/\w/.test(char) : /\s/.test(char);
  }
  return out;
}
