/** Standard base64 with padding, as encoding/json reads []byte. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const CODES = new Int8Array(128).fill(-1);
for (let index = 0; index < ALPHABET.length; index++) CODES[ALPHABET.charCodeAt(index)] = index;

/** `illegal base64 data at input byte N`; `undefined` for good text. Newlines are skipped, as Go skips them. */
export function base64Problem(text: string): string | undefined {
  let digits = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 10 || code === 13) continue;
    if (code === 61) {
      // Padding: only at places 2 and 3 of a group, and nothing behind it.
      const place = digits % 4;
      if (place < 2) return illegal(index);
      let at = index + 1;
      if (place === 2) {
        while (at < text.length && /[\r\n]/.test(text.charAt(at))) at += 1;
        if (text.charAt(at) !== '=') return illegal(Math.min(at, text.length));
        at += 1;
      }
      while (at < text.length && /[\r\n]/.test(text.charAt(at))) at += 1;
      return at < text.length ? illegal(at) : undefined;
    }
    if (code > 127 || (CODES[code] ?? -1) < 0) return illegal(index);
    digits += 1;
  }
  return digits % 4 === 0 ? undefined : illegal(text.length - (digits % 4));
}

function illegal(at: number): string {
  return `illegal base64 data at input byte ${at}`;
}

/** The same bytes in the one form Go writes. */
export function canonicalBase64(text: string): string {
  if (!/[\r\n]/.test(text)) return text;
  return text.replaceAll(/[\r\n]/g, '');
}

export function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let start = 0; start < bytes.length; start += 8192)
    binary += String.fromCharCode(...bytes.subarray(start, start + 8192));
  return btoa(binary);
}

export function decodeBase64(text: string): Uint8Array {
  const binary = atob(text);
  const out = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) out[index] = binary.charCodeAt(index);
  return out;
}
