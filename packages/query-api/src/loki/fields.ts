import type { ResultEntry, StreamResult } from '@kind-e2e/logql';
import { parseDurationNs } from '@kind-e2e/logql';

export interface DetectedField {
  readonly label: string;
  readonly type: 'string' | 'int' | 'float' | 'boolean' | 'duration' | 'bytes';
  readonly cardinality: number;
  readonly parsers: readonly string[] | null;
}

const LOGFMT = /([a-zA-Z_][a-zA-Z0-9_.-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)/g;
const BYTES = /^\d+(\.\d+)?\s?([KMGTPE]i?)?B$/i;

/** Fields that `json` or `logfmt` would find in lines, and structured metadata (Loki's `detected_fields`). */
export function detectFields(streams: readonly StreamResult[], limit: number): DetectedField[] {
  const found = new Map<string, { values: Set<string>; parsers: Set<string> }>();
  const add = (label: string, value: string, parser: string | undefined): void => {
    let field = found.get(label);
    if (!field) {
      field = { values: new Set(), parsers: new Set() };
      found.set(label, field);
    }
    field.values.add(value);
    if (parser) field.parsers.add(parser);
  };
  for (const stream of streams) {
    for (const [name, value] of stream.categories.structuredMetadata) add(name, value, undefined);
    for (const entry of stream.entries) detectIn(entry, add);
  }
  return [...found]
    .map(([label, { values, parsers }]) => ({
      label,
      type: typeOf([...values]),
      cardinality: values.size,
      parsers: parsers.size > 0 ? [...parsers].sort() : null,
    }))
    .sort((a, b) => (a.label < b.label ? -1 : 1))
    .slice(0, limit);
}

/** Values of one field, most frequent first. */
export function detectFieldValues(streams: readonly StreamResult[], field: string, limit: number): string[] {
  const counts = new Map<string, number>();
  const add = (label: string, value: string): void => {
    if (label === field) counts.set(value, (counts.get(value) ?? 0) + 1);
  };
  for (const stream of streams) {
    for (const [name, value] of stream.categories.structuredMetadata) add(name, value);
    for (const entry of stream.entries) detectIn(entry, add);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, limit)
    .map(([value]) => value);
}

function detectIn({ line }: ResultEntry, add: (label: string, value: string, parser: string) => void): void {
  if (line.trimStart().startsWith('{')) {
    try {
      flatten(JSON.parse(line), '', (label, value) => add(label, value, 'json'));
      return;
    } catch {
      // No JSON after all.
    }
  }
  for (const [, name = '', raw = ''] of line.matchAll(LOGFMT))
    add(name.replace(/[.-]/g, '_'), raw.startsWith('"') ? raw.slice(1, -1) : raw, 'logfmt');
}

function flatten(value: unknown, prefix: string, add: (label: string, value: string) => void): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) {
      const name = key.replace(/[^a-zA-Z0-9_]/g, '_');
      flatten(inner, prefix === '' ? name : `${prefix}_${name}`, add);
    }
  } else if (prefix !== '' && !Array.isArray(value) && value !== null) add(prefix, String(value));
}

function typeOf(values: readonly string[]): DetectedField['type'] {
  const all = (test: (value: string) => boolean): boolean => values.length > 0 && values.every(test);
  if (all((value) => /^-?\d+$/.test(value))) return 'int';
  if (all((value) => value !== '' && Number.isFinite(Number(value)))) return 'float';
  if (all((value) => value === 'true' || value === 'false')) return 'boolean';
  if (all((value) => parseDurationNs(value) !== undefined)) return 'duration';
  if (all((value) => BYTES.test(value))) return 'bytes';
  return 'string';
}
