import { compileRegex, RegexSyntaxError } from '@kind-e2e/telemetry';
import type { ExtractionExpression } from '../syntax/ast.ts';
import { LogqlSyntaxError } from '../syntax/errors.ts';
import { eachMember, JsonError, type JsonValue, readValue, unescapeString, valueAt } from './json-scan.ts';
import type { LineLabels } from './line-labels.ts';
import { parseLogfmt } from './logfmt.ts';
import { extractPattern, parsePattern } from './pattern.ts';

export const JSON_ERROR = 'JSONParserErr';
export const LOGFMT_ERROR = 'LogfmtParserErr';
export const UNPACK_ENTRY = '_entry';

/** A line on its way; stages change it. */
export interface Line {
  text: string;
  timestampNs: bigint;
  readonly labels: LineLabels;
}

/** False where the line is left out. */
export type LineStage = (line: Line) => boolean;

const sanitized = new Map<string, string>();

/** A label name from any key: other characters become `_`, and a digit may not come first. */
export function sanitizeName(key: string, first: boolean): string {
  const id = (first ? '1' : '0') + key;
  let name = sanitized.get(id);
  if (name === undefined) {
    name = key.trim();
    if (first && /^\d/.test(name)) name = `_${name}`;
    name = name.replace(/[^a-zA-Z0-9_]/gu, '_');
    if (sanitized.size > 10_000) sanitized.clear();
    sanitized.set(id, name);
  }
  return name;
}

function labelText(value: JsonValue): string {
  return value.type === 'string' ? unescapeString(value.raw) : value.type === 'null' ? '' : value.raw;
}

const MAX_JSON_DEPTH = 128;

function flatten(text: string, prefix: string, labels: LineLabels, depth: number): void {
  eachMember(text, (key, value) => {
    if (value.type === 'array') return;
    const name = prefix === '' ? sanitizeName(key, true) : `${prefix}_${sanitizeName(key, false)}`;
    if (value.type === 'object') {
      if (depth < MAX_JSON_DEPTH) flatten(value.raw, name, labels, depth + 1);
    } else if (value.type !== 'null') labels.extract(name, labelText(value));
  });
}

export function jsonStage(): LineStage {
  return (line) => {
    if (line.text === '') return true;
    try {
      flatten(line.text, '', line.labels, 0);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      line.labels.setError(JSON_ERROR, error.message);
    }
    return true;
  };
}

/** `a.b[0]["c d"]` as keys and indexes. Throws with Loki's text. */
export function parseJsonPath(expression: string): readonly (string | number)[] {
  const path: (string | number)[] = [];
  const pattern = /\.?([A-Za-z_][A-Za-z0-9_-]*)|\[\s*(\d+)\s*\]|\[\s*("(?:[^"\\]|\\.)*")\s*\]/y;
  while (pattern.lastIndex < expression.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(expression);
    if (match === null || (at === 0 && expression.startsWith('.')))
      throw new LogqlSyntaxError(
        `cannot parse expression [${expression}]: syntax error: unexpected ${expression[at] ?? '$end'}`,
      );
    if (match[1] !== undefined) path.push(match[1]);
    else if (match[2] !== undefined) path.push(Number(match[2]));
    else path.push(unescapeString((match[3] ?? '""').slice(1, -1)));
  }
  if (path.length === 0)
    throw new LogqlSyntaxError(`cannot parse expression [${expression}]: syntax error: unexpected $end`);
  return path;
}

export function jsonExpressionsStage(expressions: readonly ExtractionExpression[]): LineStage {
  const wanted = expressions.map(({ label, expression }) => ({ label, path: parseJsonPath(expression) }));
  return (line) => {
    if (line.text === '') return true;
    for (const { label, path } of wanted) {
      try {
        if (!/^\s*[[{]/.test(line.text)) throw new JsonError('');
        const value = valueAt(line.text, path);
        line.labels.extract(label, value === undefined ? '' : labelText(value));
      } catch (error) {
        if (!(error instanceof JsonError)) throw error;
        line.labels.setError(JSON_ERROR, error.message);
        return true;
      }
    }
    return true;
  };
}

export function logfmtStage(strict: boolean, keepEmpty: boolean): LineStage {
  return (line) => {
    const problem = parseLogfmt(line.text, strict, (key, value) => {
      if (value === '' && !keepEmpty) return;
      const name = sanitizeName(key, true);
      if (name !== '') line.labels.extract(name, value);
    });
    if (problem !== undefined) line.labels.setError(LOGFMT_ERROR, problem);
    return true;
  };
}

export function logfmtExpressionsStage(expressions: readonly ExtractionExpression[], strict: boolean): LineStage {
  return (line) => {
    const values = new Map<string, string>();
    const problem = parseLogfmt(line.text, strict, (key, value) => {
      values.set(key, value);
    });
    if (problem !== undefined) {
      line.labels.setError(LOGFMT_ERROR, problem);
      return true;
    }
    for (const { label, expression } of expressions) line.labels.extract(label, values.get(expression) ?? '');
    return true;
  };
}

export function regexpStage(expression: string): LineStage {
  let regex: ReturnType<typeof compileRegex>;
  try {
    regex = compileRegex(expression);
  } catch (error) {
    if (error instanceof RegexSyntaxError) throw new LogqlSyntaxError(`invalid regexp parser: ${error.message}`);
    throw error;
  }
  const names = regex.groupNames;
  const named = names.filter((name) => name !== undefined);
  if (named.length === 0)
    throw new LogqlSyntaxError('invalid regexp parser: at least one named capture must be supplied');
  const twice = named.find((name, i) => named.indexOf(name) !== i);
  if (twice !== undefined)
    throw new LogqlSyntaxError(`invalid regexp parser: duplicate extracted label name '${twice}'`);
  return (line) => {
    const match = regex.find(line.text);
    if (match === undefined) return true;
    names.forEach((name, i) => {
      if (name !== undefined) line.labels.extract(name, match.groups[i + 1] ?? '');
    });
    return true;
  };
}

export function patternStage(expression: string): LineStage {
  let parts: ReturnType<typeof parsePattern>;
  try {
    parts = parsePattern(expression);
  } catch (error) {
    throw new LogqlSyntaxError(`invalid pattern parser: ${error instanceof Error ? error.message : String(error)}`);
  }
  return (line) => {
    extractPattern(parts, line.text, (name, value) => line.labels.extract(name, value));
    return true;
  };
}

/** Undoes the packing of Promtail: string members become labels, `_entry` the line. */
export function unpackStage(): LineStage {
  return (line) => {
    if (line.text === '') return true;
    const found: [string, string][] = [];
    let entry: string | undefined;
    try {
      const start = readValue(`${line.text} `, 0);
      if (start.type !== 'object') throw new JsonError('expecting json object(6), but it is not');
      eachMember(line.text, (key, value) => {
        if (value.type !== 'string') return;
        if (key === UNPACK_ENTRY) entry = unescapeString(value.raw);
        else found.push([key, unescapeString(value.raw)]);
      });
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      line.labels.setError(JSON_ERROR, error.message);
      return true;
    }
    if (entry !== undefined) {
      line.text = entry;
      for (const [key, value] of found) line.labels.extract(key, value);
    }
    return true;
  };
}
