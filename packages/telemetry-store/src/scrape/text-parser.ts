import { Labels, type MetricMetadata, type MetricType, type NativeHistogram } from '@kind-e2e/telemetry';

/** A sample as a target exposes it. */
export interface ExposedSample {
  readonly name: string;
  readonly labels: readonly (readonly [string, string])[];
  readonly value: number;
  /** Milliseconds, where the target says so. */
  readonly timestampMs: number | undefined;
  readonly exemplar?: { readonly labels: Labels; readonly value: number; readonly timestampMs: number | undefined };
  readonly histogram?: NativeHistogram;
  /** The text of name and labels, the same each time: a key for what was made of them before. */
  readonly key: string;
}

export interface Exposition {
  sample(sample: ExposedSample): void;
  metadata(metric: string, change: Partial<MetricMetadata>): void;
}

/** The text of a target cannot be understood; `line` counts from 1. */
export class ExpositionError extends Error {
  constructor(message: string, line: number) {
    super(`${message} (line ${line})`);
    this.name = 'ExpositionError';
  }
}

const TYPES: Readonly<Record<string, MetricType>> = {
  counter: 'counter',
  gauge: 'gauge',
  histogram: 'histogram',
  gaugehistogram: 'gaugehistogram',
  summary: 'summary',
  info: 'info',
  stateset: 'stateset',
  unknown: 'unknown',
  untyped: 'unknown',
};

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;

/**
 * Reads the text format 0.0.4 or OpenMetrics 1.0 (prometheus.io, "Exposition formats"; openmetrics.io). OpenMetrics has
 * times in seconds, exemplars after `#`, and must end in `# EOF`.
 */
export function parseExposition(text: string, openMetrics: boolean, out: Exposition): void {
  let at = 0;
  let line = 0;
  let ended = false;
  while (at < text.length) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    line++;
    const from = at;
    at = end + 1;
    if (ended) throw new ExpositionError('data after # EOF', line);
    let start = from;
    let stop = end;
    if (!openMetrics) {
      while (start < stop && isBlank(text.charCodeAt(start))) start++;
      while (stop > start && isBlank(text.charCodeAt(stop - 1))) stop--;
    }
    if (start === stop) {
      if (openMetrics) throw new ExpositionError('empty line', line);
      continue;
    }
    if (text.charCodeAt(start) === 35) ended = comment(text.slice(start, stop), openMetrics, line, out);
    else new LineReader(text, start, stop, line, openMetrics).read(out);
  }
  if (openMetrics && !ended) throw new ExpositionError('data does not end with # EOF', line);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 13;
}

function comment(text: string, openMetrics: boolean, line: number, out: Exposition): boolean {
  if (openMetrics && text === '# EOF') return true;
  const match = /^#[ \t]+(HELP|TYPE|UNIT)[ \t]+("(?:[^"\\]|\\.)*"|\S+)(?:[ \t]+(.*))?$/.exec(text);
  if (!match) {
    if (openMetrics) throw new ExpositionError(`invalid comment ${JSON.stringify(text.slice(0, 80))}`, line);
    return false;
  }
  const [, keyword, quoted = '', rest = ''] = match;
  const name = quoted.startsWith('"') ? unescapeText(quoted.slice(1, -1)) : quoted;
  if (keyword === 'HELP') out.metadata(name, { help: unescapeText(rest) });
  else if (keyword === 'UNIT') out.metadata(name, { unit: rest });
  else {
    const type = TYPES[rest.trim()];
    if (!type) throw new ExpositionError(`invalid metric type ${JSON.stringify(rest)}`, line);
    out.metadata(name, { type });
  }
  return false;
}

function unescapeText(text: string): string {
  return text.includes('\\')
    ? text.replace(/\\(.)/g, (_all, code: string) =>
        code === 'n' ? '\n' : code === '\\' || code === '"' ? code : `\\${code}`,
      )
    : text;
}

class LineReader {
  readonly #text: string;
  #at: number;
  readonly #end: number;
  readonly #line: number;
  readonly #openMetrics: boolean;

  constructor(text: string, at: number, end: number, line: number, openMetrics: boolean) {
    this.#text = text;
    this.#at = at;
    this.#end = end;
    this.#line = line;
    this.#openMetrics = openMetrics;
  }

  read(out: Exposition): void {
    const start = this.#at;
    let name = '';
    let labels: [string, string][] = [];
    if (this.#text.charCodeAt(this.#at) !== 123) name = this.#name();
    this.#blanks();
    if (this.#text.charCodeAt(this.#at) === 123) {
      const inside = this.#labels();
      labels = inside.labels;
      if (inside.name !== undefined) name = inside.name;
    }
    if (name === '') this.#fail('metric name not set');
    const key = this.#text.slice(start, this.#at);
    const value = parseFloatText(this.#word());
    if (value === undefined) this.#fail('expected a value');
    const time = this.#peek() === 35 || this.#peek() === -1 ? undefined : this.#word();
    let timestampMs: number | undefined;
    if (time !== undefined) timestampMs = this.#time(time);
    const exemplar = this.#peek() === 35 && this.#openMetrics ? this.#exemplar() : undefined;
    if (this.#peek() !== -1) this.#fail('unexpected text after the value');
    out.sample({ name, labels, value, timestampMs, key, ...(exemplar && { exemplar }) });
  }

  #exemplar(): ExposedSample['exemplar'] {
    this.#at++;
    this.#blanks();
    if (this.#text.charCodeAt(this.#at) !== 123) this.#fail('expected the labels of an exemplar');
    const { labels } = this.#labels();
    const value = parseFloatText(this.#word());
    if (value === undefined) this.#fail('expected the value of an exemplar');
    const time = this.#peek() === -1 ? undefined : this.#time(this.#word());
    return { labels: Labels.from(labels), value, timestampMs: time };
  }

  #time(text: string): number {
    const time = Number(text);
    if (text === '' || Number.isNaN(time)) this.#fail(`invalid timestamp ${JSON.stringify(text)}`);
    return this.#openMetrics ? Math.round(time * 1000) : Math.trunc(time);
  }

  #name(): string {
    NAME.lastIndex = this.#at;
    const match = NAME.exec(this.#text);
    if (!match || NAME.lastIndex > this.#end) this.#fail('expected a metric name');
    this.#at = NAME.lastIndex;
    return match[0];
  }

  /** `{a="b",…}`, in which a quoted string alone is the metric's name (UTF-8 names). */
  #labels(): { labels: [string, string][]; name: string | undefined } {
    this.#at++;
    const labels: [string, string][] = [];
    let name: string | undefined;
    for (;;) {
      this.#blanks();
      const code = this.#text.charCodeAt(this.#at);
      if (this.#at >= this.#end) this.#fail('labels do not end');
      if (code === 125) {
        this.#at++;
        return { labels, name };
      }
      const label = code === 34 ? this.#quoted() : this.#name();
      this.#blanks();
      if (this.#text.charCodeAt(this.#at) === 61) {
        this.#at++;
        this.#blanks();
        if (this.#text.charCodeAt(this.#at) !== 34) this.#fail(`expected the value of label ${label} in quotes`);
        labels.push([label, this.#quoted()]);
      } else if (code === 34 && name === undefined) name = label;
      else this.#fail(`expected = after label ${label}`);
      this.#blanks();
      if (this.#text.charCodeAt(this.#at) === 44) this.#at++;
      else if (this.#text.charCodeAt(this.#at) !== 125) this.#fail('expected , or } after a label');
    }
  }

  #quoted(): string {
    const start = ++this.#at;
    for (let escaped = false; this.#at < this.#end; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 92) {
        this.#at++;
        escaped = true;
      } else if (code === 34) {
        const raw = this.#text.slice(start, this.#at++);
        return escaped ? unescapeText(raw) : raw;
      }
    }
    return this.#fail('a quoted string does not end');
  }

  #blanks(): void {
    while (this.#at < this.#end && isBlank(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  /** The code of the next character that is not blank, -1 at the end. */
  #peek(): number {
    this.#blanks();
    return this.#at >= this.#end ? -1 : this.#text.charCodeAt(this.#at);
  }

  #word(): string {
    this.#blanks();
    const start = this.#at;
    while (this.#at < this.#end && !isBlank(this.#text.charCodeAt(this.#at))) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  #fail(message: string): never {
    throw new ExpositionError(message, this.#line);
  }
}

/** A float as Go's strconv reads it; undefined where it is none. */
export function parseFloatText(text: string): number | undefined {
  if (text === '') return undefined;
  const value = Number(text);
  if (!Number.isNaN(value)) return value;
  switch (text.toLowerCase()) {
    case 'nan':
      return Number.NaN;
    case '+inf':
    case 'inf':
    case '+infinity':
    case 'infinity':
      return Infinity;
    case '-inf':
    case '-infinity':
      return -Infinity;
    default:
      return undefined;
  }
}
