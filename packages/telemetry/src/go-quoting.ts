/** Go's strconv.Quote: double quotes, with escapes for what is not printable. Both query languages' errors quote so. */
export function quote(text: string): string {
  let out = '"';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (char === '"' || char === '\\') out += `\\${char}`;
    else if (char === '\n') out += '\\n';
    else if (char === '\t') out += '\\t';
    else if (char === '\r') out += '\\r';
    else if (code === 7) out += '\\a';
    else if (code === 8) out += '\\b';
    else if (code === 12) out += '\\f';
    else if (code === 11) out += '\\v';
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code >= 0xdc80 && code <= 0xdcff) out += `\\x${(code - 0xdc00).toString(16)}`;
    else if (code > 0x7f && !/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char))
      out += code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    else out += char;
  }
  return `${out}"`;
}

const SIMPLE: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92 };
const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * What a quoted string means (Prometheus' strutil.Unquote); undefined where it is malformed. Bytes that are no UTF-8, which
 * a Go string may hold, are kept as lone surrogates (U+DC80 for the byte 80 and so on), which no valid text has.
 */
export function unquote(quoted: string): string | undefined {
  const mark = quoted[0] ?? '';
  if (quoted.length < 2 || !quoted.endsWith(mark)) return undefined;
  const inner = quoted.slice(1, -1);
  if (mark === '`') return inner.includes('`') ? undefined : inner;
  if (mark !== '"' && mark !== "'") return undefined;
  if (inner.includes('\n')) return undefined;
  if (!inner.includes('\\')) return inner.includes(mark) ? undefined : inner;
  const bytes: number[] = [];
  for (let i = 0; i < inner.length; ) {
    const char = String.fromCodePoint(inner.codePointAt(i) ?? 0);
    i += char.length;
    if (char === mark) return undefined;
    if (char !== '\\') {
      bytes.push(...encoder.encode(char));
      continue;
    }
    const mnemonic = inner[i] ?? '';
    i += 1;
    const simple = SIMPLE[mnemonic];
    if (simple !== undefined) bytes.push(simple);
    else if (mnemonic === mark) bytes.push(mark.charCodeAt(0));
    else {
      const hexLength = mnemonic === 'x' ? 2 : mnemonic === 'u' ? 4 : mnemonic === 'U' ? 8 : 0;
      const digits = hexLength > 0 ? inner.slice(i, i + hexLength) : inner.slice(i - 1, i + 2);
      if (hexLength > 0 ? !/^[0-9a-fA-F]+$/.test(digits) || digits.length !== hexLength : !/^[0-7]{3}$/.test(digits))
        return undefined;
      const code = Number.parseInt(digits, hexLength > 0 ? 16 : 8);
      i += hexLength > 0 ? hexLength : 2;
      if (hexLength > 2) {
        if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined;
        bytes.push(...encoder.encode(String.fromCodePoint(code)));
      } else {
        if (code > 255) return undefined;
        bytes.push(code);
      }
    }
  }
  return decodeBytes(new Uint8Array(bytes));
}

function decodeBytes(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    let out = '';
    for (let i = 0; i < bytes.length; ) {
      const length = sequenceLength(bytes, i);
      out +=
        length === 0
          ? String.fromCharCode(0xdc00 + (bytes[i] ?? 0))
          : strictDecoder.decode(bytes.subarray(i, i + length));
      i += Math.max(1, length);
    }
    return out;
  }
}

/** The length of the UTF-8 sequence at an index, 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      strictDecoder.decode(bytes.subarray(at, at + length));
      return length;
    } catch {
      // Not complete, or no sequence at all.
    }
  }
  return 0;
}
