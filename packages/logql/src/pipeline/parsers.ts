import { compileRegex, RegexSyntaxError } from '@kind-e2e/telemetry';
import type { ExtractionExpression } from '../syntax/ast.ts';
import { LogqlSyntaxError } from '../syntax/errors.ts';
import { eachMember, JsonError, type JsonValue, jsonError, unescapeString, valueAt } from './json-scan.ts';
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

/** What a JSON expression finds: arrays too are unescaped as if they were strings. */
function expressionText(value: JsonValue): string {
  return value.type === 'array' ? unescapeString(value.raw) : labelText(value);
}

const MAX_JSON_DEPTH = 128;

/** The labels that the query needs, undefined where it may need all. */
export type WantedLabels = ReadonlySet<string> | undefined;

/** Extracts labels until all that are wanted are there; false from then on. */
class Extraction {
  readonly #labels: LineLabels;
  readonly #wanted: WantedLabels;
  #found = 0;

  constructor(labels: LineLabels, wanted: WantedLabels) {
    this.#labels = labels;
    this.#wanted = wanted;
    if (wanted !== undefined)
      for (const name of wanted) if (labels.parsed.has(name) || labels.structuredMetadata.has(name)) this.#found++;
  }

  /** Whether a label whose name begins so may be wanted. */
  wantsPrefix(prefix: string): boolean {
    if (this.#wanted === undefined) return true;
    for (const name of this.#wanted) if (name.startsWith(prefix)) return true;
    return false;
  }

  add(found: string, value: string): boolean {
    const labels = this.#labels;
    if (this.#wanted === undefined) {
      labels.extract(found, value);
      return true;
    }
    const name = labels.isTaken(found) ? `${found}_extracted` : found;
    if (!this.#wanted.has(name)) return true;
    if (!labels.parsed.has(name)) this.#found += 1;
    labels.set(name, value);
    return this.#found < this.#wanted.size;
  }
}

function flatten(text: string, prefix: string, extraction: Extraction, depth: number): boolean {
  let goOn = true;
  eachMember(text, (key, value) => {
    if (value.type === 'array') return true;
    const name = prefix === '' ? sanitizeName(key, true) : `${prefix}_${sanitizeName(key, false)}`;
    if (value.type === 'object') {
      if (depth < MAX_JSON_DEPTH && extraction.wantsPrefix(name))
        goOn = flatten(value.raw, name, extraction, depth + 1);
    } else if (value.type !== 'null') goOn = extraction.add(name, labelText(value));
    return goOn;
  });
  return goOn;
}

/** A line is left out where `refuses` says so of the labels before a mistake. */
export function jsonStage(wanted?: WantedLabels, refuses?: (labels: LineLabels) => boolean): LineStage {
  return (line) => {
    try {
      flatten(line.text, '', new Extraction(line.labels, wanted), 0);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      if (refuses?.(line.labels) === true) return false;
      line.labels.setParserError(JSON_ERROR, error.message);
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
    if (!/^["{[]/.test(line.text)) {
      line.labels.setParserError(JSON_ERROR);
      return true;
    }
    for (const { label, path } of wanted) {
      let value: JsonValue | undefined;
      try {
        value = valueAt(line.text, path);
      } catch (error) {
        if (!(error instanceof JsonError)) throw error;
        line.labels.setParserError(JSON_ERROR, error.message);
      }
      if (value !== undefined) line.labels.extract(label, expressionText(value));
      else if (!line.labels.has(label)) line.labels.set(label, '');
    }
    return true;
  };
}

/** Values as labels have them: what is no character is a blank. */
function withoutReplacements(value: string): string {
  return value.includes('\ufffd') ? value.replaceAll('\ufffd', ' ') : value;
}

export function logfmtStage(strict: boolean, keepEmpty: boolean, wanted?: WantedLabels): LineStage {
  return (line) => {
    const extraction = new Extraction(line.labels, wanted);
    const problem = parseLogfmt(line.text, strict, (key, value) => {
      if (value === '' && !keepEmpty) return true;
      const name = sanitizeName(key, true);
      return name === '' || extraction.add(name, withoutReplacements(value));
    });
    if (problem !== undefined) line.labels.setParserError(LOGFMT_ERROR, problem);
    return true;
  };
}

/** A key counts under the label that asks for it, or under its own name where that is a label of the stage. */
export function logfmtExpressionsStage(
  expressions: readonly ExtractionExpression[],
  strict: boolean,
  wanted?: WantedLabels,
): LineStage {
  const ids = new Set(expressions.map(({ label }) => label));
  const labelOf = new Map<string, string>();
  for (const { label, expression } of expressions) if (!labelOf.has(expression)) labelOf.set(expression, label);
  return (line) => {
    const { labels } = line;
    for (const id of ids) if (!labels.isTaken(id) && !labels.structuredMetadata.has(id)) labels.set(id, '');
    const problem = parseLogfmt(line.text, strict, (key, value) => {
      const name = sanitizeName(key, true);
      // Loki asks of the key, not of the label that it becomes, whether the query needs it.
      if (!ids.has(name) && wanted?.has(name) === false) return true;
      const id = labelOf.get(name) ?? name;
      if (ids.has(id)) labels.extract(id, value.includes('\ufffd') ? '' : value);
      return true;
    });
    if (problem !== undefined) labels.setParserError(LOGFMT_ERROR, problem);
    return true;
  };
}

function extractWanted(labels: LineLabels, wanted: WantedLabels, found: string, value: string): void {
  const name = labels.isTaken(found) ? `${found}_extracted` : found;
  if (wanted?.has(name) ?? true) labels.set(name, value);
}

export function regexpStage(expression: string, wanted?: WantedLabels): LineStage {
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
      if (name !== undefined) extractWanted(line.labels, wanted, name, match.groups[i + 1] ?? '');
    });
    return true;
  };
}

export function patternStage(expression: string, wanted?: WantedLabels): LineStage {
  let parts: ReturnType<typeof parsePattern>;
  try {
    parts = parsePattern(expression);
  } catch (error) {
    throw new LogqlSyntaxError(`invalid pattern parser: ${error instanceof Error ? error.message : String(error)}`);
  }
  return (line) => {
    extractPattern(parts, line.text, (name, value) => extractWanted(line.labels, wanted, name, value));
    return true;
  };
}

/** Undoes the packing of Promtail: string members become labels, `_entry` the line. */
export function unpackStage(wanted?: WantedLabels): LineStage {
  return (line) => {
    const { text, labels } = line;
    if (text === '') return true;
    const found: [string, string][] = [];
    let entry: string | undefined;
    try {
      if (!text.startsWith('{')) throw jsonError('expecting json object(6), but it is not');
      eachMember(text, (key, value) => {
        if (value.type !== 'string') return true;
        if (key === UNPACK_ENTRY) entry = unescapeString(value.raw);
        else found.push([key, unescapeString(value.raw)]);
        return true;
      });
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      labels.setParserError(JSON_ERROR, error.message);
      return true;
    }
    if (entry === undefined) return true;
    line.text = entry;
    for (const [key, value] of found) {
      const name = labels.isTaken(key) ? `${key}_extracted` : key;
      if (wanted?.has(name) ?? true) labels.set(sanitizeName(name, true), value);
    }
    return true;
  };
}
