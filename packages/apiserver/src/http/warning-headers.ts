/** Warnings as headers: `299 - "text"` (RFC 7234, 5.5), as kube-apiserver's warning recorder and net/http write them. */
const TOTAL_RUNES = 4096;
const ITEM_RUNES = 256;

/**
 * The headers for the warnings of one request: each text once, none with control characters; where all together are
 * too long, each is cut (`endpoints/filters/warning.go`).
 */
export function warningHeaders(warnings: readonly string[]): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const texts = [...new Set(warnings)].filter((text) => text !== '' && !/[\x00-\x1f\x7f]/.test(text));
  const runes = texts.map((text) => [...text]);
  const total = runes.reduce((sum, { length }) => sum + length, 0);
  if (total <= TOTAL_RUNES) return texts.map(warningHeader);
  const out: string[] = [];
  let written = 0;
  for (const characters of runes) {
    if (written >= TOTAL_RUNES) break;
    const cut = characters.slice(0, ITEM_RUNES);
    written += cut.length;
    out.push(warningHeader(cut.join('')));
  }
  return out;
}

/** Bytes of UTF-8, which is what Go sends; Node writes header values as Latin-1. */
function warningHeader(text: string): string {
  return `299 - "${Buffer.from(text.replace(/[\\"]/g, '\\$&'), 'utf8').toString('latin1')}"`;
}
