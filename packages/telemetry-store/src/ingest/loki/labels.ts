import { Labels } from '@kind-e2e/telemetry';
import { IngestError } from '../ingest-error.ts';

const PAIR = /\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*=\s*("(?:[^"\\]|\\.)*"|`[^`]*`)\s*(,|$)/y;

/** The label set of a stream as Loki's protobuf has it: `{app="x", pod="y"}`. */
export function parseStreamLabels(text: string): Labels {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) throw invalid(text);
  const inside = trimmed.slice(1, -1).trim();
  const pairs: [string, string][] = [];
  PAIR.lastIndex = 0;
  let at = 0;
  while (at < inside.length) {
    PAIR.lastIndex = at;
    const match = PAIR.exec(inside);
    if (!match) throw invalid(text);
    pairs.push([match[1] ?? '', unquote(match[2] ?? '', text)]);
    at = PAIR.lastIndex;
  }
  return Labels.from(pairs);
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };

function unquote(quoted: string, whole: string): string {
  if (quoted.startsWith('`')) return quoted.slice(1, -1);
  return quoted
    .slice(1, -1)
    .replace(/\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{3}|.)/gs, (_all, code: string) => {
      const first = code[0] ?? '';
      if (code.length > 1) {
        const point =
          first === 'u' || first === 'U' || first === 'x'
            ? Number.parseInt(code.slice(1), 16)
            : Number.parseInt(code, 8);
        if (point > 0x10ffff) throw invalid(whole);
        return String.fromCodePoint(point);
      }
      return ESCAPES[first] ?? first;
    });
}

function invalid(text: string): IngestError {
  return new IngestError(400, `couldn't parse labels: ${JSON.stringify(text.slice(0, 200))} is no label set`);
}
