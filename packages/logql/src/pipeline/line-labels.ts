import { Labels } from '@kind-e2e/telemetry';

export const ERROR_LABEL = '__error__';
export const ERROR_DETAILS_LABEL = '__error_details__';
export const PRESERVE_ERROR_LABEL = '__preserve_error__';

const RESULT_CACHE_SIZE = 4096;

/** The same label set again and again is one object. */
export class LabelsCache {
  readonly #known = new Map<string, Labels>();

  get(key: string, make: () => Labels): Labels {
    let labels = this.#known.get(key);
    if (labels === undefined) {
      if (this.#known.size >= RESULT_CACHE_SIZE) this.#known.clear();
      labels = make();
      this.#known.set(key, labels);
    }
    return labels;
  }
}

/** Structured metadata does not hide a label of the stream: it gets a name of its own. */
function renameTaken(stream: Labels, metadata: Labels): Labels {
  let taken = false;
  for (const [name] of metadata) taken ||= stream.has(name) || name === ERROR_LABEL || name === ERROR_DETAILS_LABEL;
  if (!taken) return metadata;
  const renamed = [...metadata].map(([name, value]) => [stream.has(name) ? `${name}_extracted` : name, value] as const);
  return Labels.from(renamed.filter(([name]) => name !== ERROR_LABEL && name !== ERROR_DETAILS_LABEL));
}

/**
 * The labels of one line on its way through a pipeline (pkg/logql/log/labels.go, LabelsBuilder): those of the stream,
 * of structured metadata, and parsed ones, where the latter win. One object is used for many lines.
 */
export class LineLabels {
  stream: Labels = Labels.EMPTY;
  structuredMetadata: Labels = Labels.EMPTY;
  readonly parsed = new Map<string, string>();
  readonly #deleted = new Set<string>();
  error = '';
  errorDetails = '';
  /** Whether errors of parsers may stand in the samples of a metric: the query names `__error__`. */
  preservesErrors = false;

  reset(stream: Labels, structuredMetadata: Labels): void {
    this.stream = stream;
    this.structuredMetadata =
      structuredMetadata.size === 0 ? structuredMetadata : renameTaken(stream, structuredMetadata);
    if (this.parsed.size > 0) this.parsed.clear();
    if (this.#deleted.size > 0) this.#deleted.clear();
    this.error = '';
    this.errorDetails = '';
    if (this.structuredMetadata !== structuredMetadata) {
      // An error that was stored with the line is the line's.
      this.error = stream.has(ERROR_LABEL) ? '' : structuredMetadata.get(ERROR_LABEL);
      this.errorDetails = stream.has(ERROR_DETAILS_LABEL) ? '' : structuredMetadata.get(ERROR_DETAILS_LABEL);
    }
  }

  /** The value, or '' where there is none; errors are no labels here. */
  get(name: string): string {
    const parsed = this.parsed.get(name);
    if (parsed !== undefined) return parsed;
    if (this.#deleted.has(name)) return '';
    return this.structuredMetadata.get(name) || this.stream.get(name);
  }

  has(name: string): boolean {
    if (this.parsed.has(name)) return true;
    return !this.#deleted.has(name) && (this.structuredMetadata.has(name) || this.stream.has(name));
  }

  /** Whether the stream itself has the label; a parser then adds `_extracted` to the name it found. */
  isTaken(name: string): boolean {
    return this.stream.has(name);
  }

  /** Sets a label found by a parser. */
  extract(name: string, value: string): void {
    this.set(this.isTaken(name) ? `${name}_extracted` : name, value);
  }

  set(name: string, value: string): void {
    this.#deleted.delete(name);
    this.parsed.set(name, value);
  }

  delete(name: string): void {
    if (name === ERROR_LABEL) this.error = '';
    else if (name === ERROR_DETAILS_LABEL) this.errorDetails = '';
    else {
      this.parsed.delete(name);
      if (this.stream.has(name) || this.structuredMetadata.has(name)) this.#deleted.add(name);
    }
  }

  setError(error: string, details = ''): void {
    this.error = error;
    this.errorDetails = details;
  }

  /** An error of a parser (addErrLabel of pkg/logql/log/parser.go). */
  setParserError(error: string, details?: string): void {
    this.error = error;
    if (details !== undefined) this.errorDetails = details;
    if (this.preservesErrors) this.set(PRESERVE_ERROR_LABEL, 'true');
  }

  /** All labels that are not empty, errors included. */
  entries(): Map<string, string> {
    const all = new Map<string, string>();
    for (const labels of [this.stream, this.structuredMetadata])
      for (const [name, value] of labels) if (!this.#deleted.has(name)) all.set(name, value);
    for (const [name, value] of this.parsed) all.set(name, value);
    if (this.error !== '') all.set(ERROR_LABEL, this.error);
    if (this.errorDetails !== '') all.set(ERROR_DETAILS_LABEL, this.errorDetails);
    return all;
  }

  /** What templates see. */
  toObject(): Record<string, string> {
    return Object.fromEntries(this.entries());
  }

  get isChanged(): boolean {
    return this.parsed.size > 0 || this.#deleted.size > 0 || this.error !== '' || this.structuredMetadata.size > 0;
  }

  #key(): string {
    let key = `${this.stream.key}\xfe${this.structuredMetadata.key}\xfe`;
    for (const [name, value] of this.parsed) key += `${name}\xff${value}\xff`;
    key += `\xfe${this.error}\xfe${this.errorDetails}`;
    if (this.#deleted.size > 0) key += `\xfe${[...this.#deleted].join('\xff')}`;
    return key;
  }

  result(cache: LabelsCache): Labels {
    return this.isChanged ? cache.get(this.#key(), () => Labels.withEmpty(this.entries())) : this.stream;
  }

  /** With `by` or `without`; a line with an error keeps all its labels, so that the error is not lost. */
  grouped(cache: LabelsCache, grouping: { readonly without: boolean; readonly labels: ReadonlySet<string> }): Labels {
    if (this.error !== '') return this.result(cache);
    if (grouping.without)
      return cache.get(`-${this.#key()}`, () => Labels.withEmpty(this.entries()).without(grouping.labels));
    let key = '+';
    for (const name of grouping.labels) key += this.has(name) ? `${this.get(name)}\xff` : '\xfe';
    return cache.get(key, () =>
      Labels.withEmpty(
        [...grouping.labels].filter((name) => this.has(name)).map((name) => [name, this.get(name)] as const),
      ),
    );
  }

  categories(): { readonly stream: Labels; readonly structuredMetadata: Labels; readonly parsed: Labels } {
    const gone = new Set([...this.#deleted, ...this.parsed.keys()]);
    const parsed = new Map(this.parsed);
    if (this.error !== '') parsed.set(ERROR_LABEL, this.error);
    if (this.errorDetails !== '') parsed.set(ERROR_DETAILS_LABEL, this.errorDetails);
    return {
      stream: this.stream.without(new Set([...gone, ...[...this.structuredMetadata].map(([name]) => name)])),
      structuredMetadata: this.structuredMetadata.without(gone),
      parsed: Labels.withEmpty(parsed),
    };
  }
}
