/**
 * Reads `key=value key2="quoted value" flag` (pkg/logql/log/logfmt, after go-logfmt). Strict stops at the first
 * mistake and returns its text; else what is wrong is skipped to the next blank. A pair that returns false is the last.
 */
export function parseLogfmt(
  text: string,
  strict: boolean,
  pair: (key: string, value: string) => boolean,
): string | undefined {
  const { length } = text;
  let at = 0;
  let problem: string | undefined;
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
    if (at < length && code === 34) {
      problem ??= `logfmt syntax error at pos ${at + 1} : unexpected '"'`;
      if (strict) return problem;
      skip();
      continue;
    }
    if (at >= length || code <= 32) {
      if (!pair(key, '')) return undefined;
      continue;
    }
    if (key === '') {
      problem ??= `logfmt syntax error at pos ${at + 1} : unexpected '='`;
      if (strict) return problem;
      skip();
      continue;
    }
    at++;
    if (text.charCodeAt(at) === 34) {
      const end = endOfQuoted(text, at + 1);
      if (end < 0) {
        problem ??= `logfmt syntax error at pos ${length + 1} : unterminated quoted value`;
        if (strict) return problem;
        return undefined;
      }
      const raw = text.slice(at + 1, end);
      at = end + 1;
      if (!pair(key, raw.includes('\\') ? unescapeValue(raw) : raw)) return undefined;
      if (at < length && text.charCodeAt(at) > 32) {
        problem ??= `logfmt syntax error at pos ${at + 1} : unexpected '${text[at]}'`;
        if (strict) return problem;
      }
      continue;
    }
    const valueStart = at;
    while (at < length) {
      code = text.charCodeAt(at);
      if (code <= 32 || code === 61 || code === 34) break;
      at++;
    }
    if (at < length && code > 32) {
      problem ??= `logfmt syntax error at pos ${at + 1} : unexpected '${text[at]}'`;
      if (strict) return problem;
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

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function unescapeValue(raw: string): string {
  return raw.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, hex: string | undefined, simple: string | undefined) =>
    hex === undefined ? (ESCAPES[simple ?? ''] ?? simple ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
