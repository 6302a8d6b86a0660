/** The pattern language of `| pattern` and `|>` (pkg/logql/log/pattern): literals and captures `<name>`, `<_>`. */
export type PatternPart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'capture'; readonly name: string };

const CAPTURE = /<([a-zA-Z_][a-zA-Z0-9_]*)>/g;

function parseParts(pattern: string): PatternPart[] {
  const parts: PatternPart[] = [];
  let at = 0;
  for (const match of pattern.matchAll(CAPTURE)) {
    if (match.index > at) parts.push({ kind: 'literal', text: pattern.slice(at, match.index) });
    parts.push({ kind: 'capture', name: match[1] ?? '_' });
    at = match.index + match[0].length;
  }
  if (at < pattern.length) parts.push({ kind: 'literal', text: pattern.slice(at) });
  return parts;
}

function refuseConsecutive(parts: readonly PatternPart[]): void {
  parts.forEach((part, i) => {
    const next = parts[i + 1];
    if (part.kind === 'capture' && next?.kind === 'capture')
      throw new Error(`found consecutive capture '<${part.name}><${next.name}>': invalid expression`);
  });
}

/** A pattern for extraction. Throws with Loki's text. */
export function parsePattern(pattern: string): readonly PatternPart[] {
  if (pattern === '')
    throw new Error('parse error at line 1, col 1: syntax error: unexpected $end, expecting IDENTIFIER or LITERAL');
  const parts = parseParts(pattern);
  const names = parts.flatMap((part) => (part.kind === 'capture' && part.name !== '_' ? [part.name] : []));
  if (names.length === 0) throw new Error('at least one capture is required');
  refuseConsecutive(parts);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`duplicate capture name (${twice}): invalid expression`);
  return parts;
}

/** A pattern for a line filter: captures have no names. Throws with Loki's text. */
export function parseLinePattern(pattern: string): readonly PatternPart[] {
  const parts = parseParts(pattern);
  refuseConsecutive(parts);
  for (const part of parts)
    if (part.kind === 'capture' && part.name !== '_')
      throw new Error(`named captures are not allowed: found '<${part.name}>'`);
  return parts;
}

/** Calls for each named capture; where a literal is missed the capture before it has the rest of the line. */
export function extractPattern(
  parts: readonly PatternPart[],
  line: string,
  found: (name: string, value: string) => void,
): void {
  if (line === '') return;
  let at = 0;
  let next = 0;
  const first = parts[0];
  if (first?.kind === 'literal') {
    if (!line.startsWith(first.text)) return;
    at = first.text.length;
    next = 1;
  }
  for (; next < parts.length; next += 2) {
    const capture = parts[next];
    const literal = parts[next + 1];
    if (capture?.kind !== 'capture') return;
    const end = literal?.kind === 'literal' ? line.indexOf(literal.text, at) : -1;
    if (capture.name !== '_') found(capture.name, end < 0 ? line.slice(at) : line.slice(at, end));
    if (end < 0 || literal?.kind !== 'literal') return;
    at = end + literal.text.length;
  }
}

/** Whether the whole line has the pattern's form; a capture takes at least one character. */
export function matchesPattern(parts: readonly PatternPart[], line: string): boolean {
  if (line === '' || parts.length === 0) return line === '' && parts.length === 0;
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (part?.kind !== 'literal') continue;
    const found = line.indexOf(part.text, at);
    if (found < 0 || (i === 0) !== (found === at)) return false;
    at = found + part.text.length;
  }
  return (parts.at(-1)?.kind === 'capture') === at < line.length;
}
