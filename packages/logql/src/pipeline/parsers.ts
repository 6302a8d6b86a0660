import type { ExtractionExpression } from '../syntax/ast.ts';
import { parseJsonPath, parseLogfmtKey } from './expressions.ts';
import { Extraction, type ParserHints, sanitizeName } from './extraction.ts';
import { eachMember, JsonError, type JsonValue, jsonError, unescapeString, valueAt } from './json-scan.ts';
import { ERROR_LABEL, type LineLabels } from './line-labels.ts';
import { parseLogfmt } from './logfmt.ts';
import { compileNamedGroups } from './named-groups.ts';
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

function labelText(value: JsonValue): string {
  return value.type === 'string' ? unescapeString(value.raw) : value.type === 'null' ? '' : value.raw;
}

/** What a JSON expression finds: arrays too are unescaped as if they were strings. */
function expressionText(value: JsonValue): string {
  return value.type === 'array' ? unescapeString(value.raw) : labelText(value);
}

const MAX_JSON_DEPTH = 128;

function flatten(text: string, prefix: string, extraction: Extraction, depth: number): boolean {
  let goOn = true;
  eachMember(text, (key, value) => {
    if (value.type === 'array') return true;
    const name = prefix === '' ? key : `${prefix}_${sanitizeName(key, false)}`;
    if (value.type === 'object') {
      const inner = prefix === '' ? sanitizeName(key, true) : name;
      if (depth < MAX_JSON_DEPTH && extraction.wantsPrefix(inner))
        goOn = flatten(value.raw, inner, extraction, depth + 1);
    } else if (value.type !== 'null') goOn = extraction.add(name, labelText(value));
    return goOn;
  });
  return goOn;
}

export function jsonStage(hints: ParserHints = {}): LineStage {
  const extraction = new Extraction(hints);
  return ({ text, labels }) => {
    if (!extraction.begin(labels)) return true;
    try {
      flatten(text, '', extraction, 0);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      labels.setParserError(JSON_ERROR, error.message);
    }
    return !extraction.refused;
  };
}

export function jsonExpressionsStage(expressions: readonly ExtractionExpression[], hints: ParserHints = {}): LineStage {
  const wanted = expressions.map(({ label, expression }) => ({ label, path: parseJsonPath(expression) }));
  const extraction = new Extraction(hints);
  return ({ text, labels }) => {
    if (text === '' || !extraction.begin(labels)) return true;
    if (!/^["{[]/.test(text)) {
      labels.setParserError(JSON_ERROR);
      return true;
    }
    for (const { label, path } of wanted) {
      let value: JsonValue | undefined;
      try {
        value = valueAt(text, path);
      } catch (error) {
        if (!(error instanceof JsonError)) throw error;
        labels.setParserError(JSON_ERROR, error.message);
      }
      if (value !== undefined) labels.extract(label, expressionText(value));
      else if (!labels.has(label)) labels.set(label, '');
    }
    return true;
  };
}

/** Values as labels have them: what is no character is a blank. */
function withoutReplacements(value: string): string {
  return value.includes('\ufffd') ? value.replaceAll('\ufffd', ' ') : value;
}

export function logfmtStage(strict: boolean, keepEmpty: boolean, hints: ParserHints = {}): LineStage {
  const extraction = new Extraction(hints);
  const pair = (key: string, value: string): boolean =>
    (value === '' && !keepEmpty) || extraction.add(key, withoutReplacements(value));
  const errorFilter = hints.filters?.get(ERROR_LABEL);
  return ({ text, labels }) => {
    if (!extraction.begin(labels)) return true;
    const problem = parseLogfmt(text, strict, pair);
    if (extraction.refused) return false;
    if (problem === undefined) return true;
    labels.setParserError(LOGFMT_ERROR, problem);
    return errorFilter?.(labels) ?? true;
  };
}

/** A key counts under the label that asks for it, or under its own name where that is a label of the stage. */
export function logfmtExpressionsStage(
  expressions: readonly ExtractionExpression[],
  strict: boolean,
  hints: ParserHints = {},
): LineStage {
  const { wanted } = hints;
  const extraction = new Extraction(hints);
  const keyOf = new Map(expressions.map(({ label, expression }) => [label, parseLogfmtKey(expression)]));
  const labelOf = new Map<string, string>();
  for (const [label, key] of keyOf) if (!labelOf.has(key)) labelOf.set(key, label);
  return ({ text, labels }) => {
    if (!extraction.begin(labels)) return true;
    for (const id of keyOf.keys()) if (!labels.isTaken(id)) labels.set(id, '');
    const problem = parseLogfmt(text, strict, (key, value) => {
      const name = sanitizeName(key, true);
      // Loki asks of the key, not of the label that it becomes, whether the query needs it.
      if (!keyOf.has(name) && wanted?.has(name) === false) return true;
      const id = labelOf.get(name) ?? name;
      if (keyOf.has(id)) labels.extract(id, value.includes('\ufffd') ? '' : value);
      return true;
    });
    if (problem !== undefined) labels.setParserError(LOGFMT_ERROR, problem);
    return true;
  };
}

export function regexpStage(expression: string, hints: ParserHints = {}): LineStage {
  const regex = compileNamedGroups(expression);
  const names = regex.groupNames;
  const extraction = new Extraction(hints);
  return ({ text, labels }) => {
    const match = regex.find(text);
    if (match === undefined) return true;
    extraction.begin(labels);
    for (const [i, name] of names.entries()) {
      if (name !== undefined) extraction.add(name, match.groups[i + 1] ?? '');
      if (extraction.refused) return false;
    }
    return true;
  };
}

export function patternStage(expression: string, hints: ParserHints = {}): LineStage {
  const parts = parsePattern(expression);
  const extraction = new Extraction(hints);
  return ({ text, labels }) => {
    if (!extraction.begin(labels)) return true;
    extractPattern(parts, text, (name, value) => {
      if (!extraction.refused) extraction.addName(name, value);
    });
    return !extraction.refused;
  };
}

/** Undoes the packing of Promtail: string members become labels, `_entry` the line. */
export function unpackStage(hints: ParserHints = {}): LineStage {
  const extraction = new Extraction(hints);
  return (line) => {
    const { text, labels } = line;
    if (text === '' || !extraction.begin(labels)) return true;
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
      extraction.add(key, value);
      if (extraction.refused) return false;
    }
    return true;
  };
}
