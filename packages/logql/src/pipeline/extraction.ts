import { Labels } from '@kind-e2e/telemetry';
import type { LabelCondition } from './label-filter.ts';
import { LineLabels } from './line-labels.ts';

/** What a query tells its parsers beforehand (pkg/logql/log/parser_hints.go). */
export interface ParserHints {
  /** The labels that the query needs, undefined where it may need all. */
  readonly wanted?: ReadonlySet<string> | undefined;
  /** Filters of one label each, by its name: a line that one of them refuses needs no more reading. */
  readonly filters?: ReadonlyMap<string, LabelCondition>;
}

const sanitized = new Map<string, string>();
const MAX_SANITIZED = 10_000;
const MAX_KEYS = 1024;

/** A label name from any key: other characters become `_`, and a digit may not come first. */
export function sanitizeName(key: string, first: boolean): string {
  const id = (first ? '1' : '0') + key;
  let name = sanitized.get(id);
  if (name === undefined) {
    name = key.trim();
    if (first && /^\d/.test(name)) name = `_${name}`;
    name = name.replace(/[^a-zA-Z0-9_]/gu, '_');
    if (sanitized.size > MAX_SANITIZED) sanitized.clear();
    sanitized.set(id, name);
  }
  return name;
}

/**
 * Takes the labels that one parser finds, line by line. A label that an earlier stage or the metadata has set stays,
 * and of several keys that make the same name the first counts; of one key that comes twice the last value. That is
 * decided once for each key of a stream, when it is seen first, as Loki does.
 */
export class Extraction {
  readonly #wanted: ReadonlySet<string> | undefined;
  readonly #filters: ReadonlyMap<string, LabelCondition> | undefined;
  readonly #names = new Map<string, string>();
  #stream: Labels = Labels.EMPTY;
  #labels = new LineLabels();
  #found = 0;
  /** Whether a filter refuses the line for what was found in it. */
  refused = false;

  constructor({ wanted, filters }: ParserHints) {
    this.#wanted = wanted;
    this.#filters = filters !== undefined && filters.size > 0 ? filters : undefined;
  }

  /** False where all that is needed is there already. */
  begin(labels: LineLabels): boolean {
    this.refused = false;
    this.#labels = labels;
    if (labels.stream !== this.#stream) {
      this.#stream = labels.stream;
      this.#names.clear();
    }
    const wanted = this.#wanted;
    if (wanted === undefined) return true;
    this.#found = 0;
    for (const name of wanted) if (labels.parsed.has(name) || labels.structuredMetadata.has(name)) this.#found++;
    return this.#found < wanted.size;
  }

  /** Whether a label whose name begins so may be wanted. */
  wantsPrefix(prefix: string): boolean {
    if (this.#wanted === undefined) return true;
    for (const name of this.#wanted) if (name.startsWith(prefix)) return true;
    return false;
  }

  /** The label of a key, '' where it is none. */
  nameOf(key: string): string {
    let name = this.#names.get(key);
    if (name === undefined) {
      name = this.#newName(sanitizeName(key, true));
      if (this.#names.size < MAX_KEYS) this.#names.set(key, name);
    }
    return name;
  }

  #newName(plain: string): string {
    const labels = this.#labels;
    const name = labels.isTaken(plain) ? `${plain}_extracted` : plain;
    const isSet = labels.parsed.has(name) || labels.structuredMetadata.has(name);
    return isSet || this.#wanted?.has(name) === false ? '' : name;
  }

  /** Takes the value of a key; false where the rest of the line is not needed. */
  add(key: string, value: string): boolean {
    const name = this.nameOf(key);
    return name === '' || this.set(name, value);
  }

  /** The same for a name that counts anew in each line. */
  addName(plain: string, value: string): boolean {
    const name = this.#newName(plain);
    return name === '' || this.set(name, value);
  }

  set(name: string, value: string): boolean {
    const labels = this.#labels;
    const wanted = this.#wanted;
    if (wanted !== undefined && !labels.parsed.has(name)) this.#found += 1;
    labels.set(name, value);
    if (this.#filters?.get(name)?.(labels) === false) {
      this.refused = true;
      return false;
    }
    return wanted === undefined || this.#found < wanted.size;
  }
}
