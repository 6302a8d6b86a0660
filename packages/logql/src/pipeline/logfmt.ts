/**
 * Reads `key=value key2="quoted value" flag` (pkg/logql/log/logfmt/decode.go, after go-logfmt). Strict stops at the
 * first mistake and returns its text; else what is wrong is left out up to the next blank. A pair that returns false is
 * the last.
 */
export function parseLogfmt(
  text: string,
  strict: boolean,
  pair: (key: string, value: string) => boolean,
): string | undefined {
  const { length } = text;
  let at = 0;
  const problem = (reason: string): string =>
    `logfmt syntax error at pos ${new TextEncoder().encode(text.slice(0, at)).length + 1} : ${reason}`;
  const skip = (): void => {
    while (at < length && text.charCodeAt(at) > 32) at++;
  };
  while (at < length) {
    if (text.charCodeAt(at) <= 32) {
      at++;
      continue;
    }
    const keyStart = at;
    let code = 0;
    while (at < length) {
      code = text.charCodeAt(at);
      if (code <= 32 || code === 61 || code === 34) break;
      at++;
    }
    const key = text.slice(keyStart, at);
    const ended = at >= length || code <= 32;
    if (!ended && (code === 34 || key === '')) {
      if (strict) return problem(`unexpected '${text[at]}'`);
      skip();
      continue;
    }
    if (key.includes('\ufffd')) {
      if (strict) return problem('invalid key');
      skip();
      continue;
    }
    if (ended) {
      if (!pair(key, '')) return undefined;
      continue;
    }
    at++;
    if (text.charCodeAt(at) === 34) {
      const end = endOfQuoted(text, at + 1);
      if (end < 0) {
        at = length;
        return strict ? problem('unterminated quoted value') : undefined;
      }
      const raw = text.slice(at + 1, end);
      at = end + 1;
      const value = raw.includes('\\') ? unquote(raw) : raw;
      if (value === undefined) {
        if (strict) return problem('invalid quoted value');
        continue;
      }
      if (!pair(key, value)) return undefined;
      continue;
    }
    const valueStart = at;
    while (at < length) {
      code = text.charCodeAt(at);
      if (code <= 32 || code === 61 || code === 34) break;
      at++;
    }
    if (at < length && code > 32) {
      if (strict) return problem(`unexpected '${text[at]}'`);
      skip();
      continue;
    }
    if (!pair(key, text.slice(valueStart, at))) return undefined;
  }
  return undefined;
}

function endOfQuoted(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 92) i++;
    else if (code === 34) return i;
  }
  return -1;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  "'": "'",
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** A quoted value with escapes, by the rules of JSON (unquoteBytes of encoding/json); undefined where it breaks them. */
function unquote(raw: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what may not be there
  let isMalformed = /[\x00-\x1f]/.test(raw);
  const value = raw.replace(
    /\\(?:u([0-9a-fA-F]{4})|(.?))/gs,
    (_, hex: string | undefined, simple: string | undefined) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      const known = ESCAPES[simple ?? ''];
      if (known === undefined) isMalformed = true;
      return known ?? '';
    },
  );
  return isMalformed ? undefined : value.toWellFormed();
}
