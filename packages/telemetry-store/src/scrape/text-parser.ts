import { Labels, METRIC_NAME, type MetricMetadata, type MetricType, type NativeHistogram } from '@kind-e2e/telemetry';

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

/** The text of a target cannot be understood; the words are Prometheus' (model/textparse). */
export class ExpositionError extends Error {
  constructor(message: string) {
    super(message);
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
const LABEL = /[a-zA-Z_][a-zA-Z0-9_]*/y;

/**
 * Reads the text format 0.0.4 or OpenMetrics 1.0 (prometheus.io, "Exposition formats"; openmetrics.io). OpenMetrics has
 * times in seconds, exemplars after `#`, and must end in `# EOF`.
 */
export function parseExposition(text: string, openMetrics: boolean, out: Exposition): void {
  let at = 0;
  let ended = false;
  let type: MetricType = 'unknown';
  const typed: Exposition = {
    sample: (sample) => out.sample(sample),
    metadata: (metric, change) => {
      // The lexer of Prometheus knows the type that was told last, whatever the metric is called.
      type = change.type ?? type;
      out.metadata(metric, change);
    },
  };
  while (at < text.length) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    const from = at;
    at = end + 1;
    if (ended) throw new ExpositionError('unexpected data after # EOF');
    let start = from;
    let stop = end;
    if (!openMetrics) {
      while (start < stop && isBlank(text.charCodeAt(start))) start++;
      while (stop > start && isBlank(text.charCodeAt(stop - 1))) stop--;
    }
    if (start === stop) {
      if (openMetrics)
        throw new ExpositionError('expected a valid start token, got "\\n" ("INVALID") while parsing: "\\n"');
      continue;
    }
    if (text.charCodeAt(start) === 35) ended = comment(text.slice(start, stop), openMetrics, typed);
    else new LineReader(text, start, stop, openMetrics, type).read(out);
  }
  if (openMetrics && !ended) throw new ExpositionError('data does not end with # EOF');
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

function comment(text: string, openMetrics: boolean, out: Exposition): boolean {
  if (openMetrics && text === '# EOF') return true;
  const match = /^#[ \t]+(HELP|TYPE|UNIT)[ \t]+("(?:[^"\\]|\\.)*"|\S+)(?:[ \t]+(.*))?$/.exec(text);
  if (!match) {
    if (openMetrics && text.startsWith('# EOF')) throw new ExpositionError('unexpected data after # EOF');
    if (openMetrics) {
      const shown = JSON.stringify(text.slice(0, 80));
      throw new ExpositionError(`expected a valid start token, got ${shown} ("INVALID") while parsing: ${shown}`);
    }
    return false;
  }
  const [, keyword, quoted = '', rest = ''] = match;
  const name = quoted.startsWith('"') ? unescapeText(quoted.slice(1, -1)) : quoted;
  if (keyword === 'HELP') out.metadata(name, { help: unescapeText(rest) });
  else if (keyword === 'UNIT') out.metadata(name, { unit: rest });
  else {
    const type = TYPES[rest.trim()];
    if (!type) throw new ExpositionError(`invalid metric type ${JSON.stringify(rest)}`);
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
  readonly #start: number;
  readonly #openMetrics: boolean;
  readonly #type: MetricType;

  constructor(text: string, at: number, end: number, openMetrics: boolean, type: MetricType) {
    this.#text = text;
    this.#start = at;
    this.#at = at;
    this.#end = end;
    this.#openMetrics = openMetrics;
    this.#type = type;
  }

  read(out: Exposition): void {
    const start = this.#at;
    let name = '';
    let labels: [string, string][] = [];
    if (this.#text.charCodeAt(this.#at) !== 123) name = this.#name();
    if (!this.#openMetrics) this.#blanks();
    if (this.#text.charCodeAt(this.#at) === 123) {
      const inside = this.#labels();
      if (inside.name !== undefined && name !== '') this.#fail('metric name already set');
      labels = this.#checked(inside.labels);
      if (inside.name !== undefined) name = inside.name;
    }
    if (name === '') this.#fail('metric name not set');
    const key = this.#text.slice(start, this.#at);
    const value = this.#value('value after metric');
    const time = this.#peek() === 35 || this.#peek() === -1 ? undefined : this.#word();
    let timestampMs: number | undefined;
    if (time !== undefined) timestampMs = this.#time(time);
    const exemplar = this.#peek() === 35 && this.#openMetrics ? this.#exemplar() : undefined;
    if (this.#peek() !== -1)
      this.#fail(`expected ${time === undefined ? 'timestamp or new record' : 'next entry after timestamp'}`);
    out.sample({ name, labels, value, timestampMs, key, ...(exemplar && { exemplar }) });
  }

  #exemplar(): ExposedSample['exemplar'] {
    this.#at++;
    this.#blanks();
    if (this.#text.charCodeAt(this.#at) !== 123) this.#fail('expected the labels of an exemplar');
    const { labels } = this.#labels();
    const value = this.#value('value after exemplar labels');
    const time = this.#peek() === -1 ? undefined : this.#time(this.#word());
    return { labels: Labels.from(labels), value, timestampMs: time };
  }

  /** Names of labels are one each; `__name__` is the metric's (labels.Labels.HasDuplicateLabelNames). */
  #checked(labels: [string, string][]): [string, string][] {
    for (let i = 0; i < labels.length; i++) {
      const pair = labels[i];
      if (pair === undefined) continue;
      const [name, value] = pair;
      let isRepeated = name === METRIC_NAME;
      for (let j = 0; j < i; j++) isRepeated ||= labels[j]?.[0] === name;
      if (isRepeated) throw new ExpositionError(`label name ${JSON.stringify(name)} is not unique: invalid sample`);
      const isBound =
        (name === 'le' && this.#type === 'histogram') || (name === 'quantile' && this.#type === 'summary');
      if (isBound) pair[1] = normalizedFloat(value);
    }
    return labels;
  }

  #value(what: string): number {
    const before = this.#at;
    const word = this.#word();
    // OpenMetrics allows for one blank and no more.
    if (
      word === '' ||
      (this.#openMetrics && (this.#at - before !== word.length + 1 || this.#text.charCodeAt(before) !== 32))
    )
      this.#fail(`expected ${what}`);
    const value = parseFloatText(word);
    if (value !== undefined) return value;
    if (word.includes('_')) return this.#fail('unsupported character in float');
    const why =
      /^[+-]?[\d.]+(?:e[+-]?\d+)?$/i.test(word) && !Number.isNaN(Number(word))
        ? 'value out of range'
        : 'invalid syntax';
    return this.#fail(`strconv.ParseFloat: parsing ${JSON.stringify(word)}: ${why}`);
  }

  #time(text: string): number {
    if (this.#openMetrics) {
      const time = parseFloatText(text);
      if (time === undefined || !Number.isFinite(time)) this.#fail('expected timestamp or new record');
      return Math.round(time * 1000);
    }
    if (!/^-?\d+$/.test(text)) this.#fail('expected timestamp or new record');
    return Number(text);
  }

  #name(pattern = NAME): string {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (!match || pattern.lastIndex > this.#end)
      this.#fail(pattern === NAME ? 'expected a valid start token' : 'expected label name');
    this.#at = pattern.lastIndex;
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
      const label = code === 34 ? this.#quoted() : this.#name(LABEL);
      this.#blanks();
      if (this.#text.charCodeAt(this.#at) === 61) {
        this.#at++;
        this.#blanks();
        if (this.#text.charCodeAt(this.#at) !== 34) this.#fail('expected label value');
        labels.push([label, this.#quoted()]);
      } else if (code === 34 && name === undefined) name = label;
      else this.#fail(code === 34 ? 'metric name already set' : 'expected equal');
      this.#blanks();
      if (this.#text.charCodeAt(this.#at) === 44) this.#at++;
      else if (this.#text.charCodeAt(this.#at) !== 125) this.#fail('expected label name');
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
    const shown = this.#text.slice(this.#start, Math.min(this.#end, this.#start + 200));
    throw new ExpositionError(`${message} while parsing: ${JSON.stringify(shown)}`);
  }
}

const FLOAT = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|infinity)$|^nan$/i;

/** A float as Go's strconv reads it; undefined where it is none, or too large. */
export function parseFloatText(text: string): number | undefined {
  const value = Number(text);
  // Most are plain numbers; an infinity is one only by its name.
  if (!FLOAT.test(text)) return undefined;
  if (Number.isFinite(value)) return value;
  const lower = text.toLowerCase();
  if (lower === 'nan') return Number.NaN;
  if (!lower.includes('inf')) return undefined;
  return lower.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** A bucket's bound or a quantile as Prometheus 3 keeps it: `1` is `1.0` (textparse, normalizeFloatsInLabelValues). */
function normalizedFloat(text: string): string {
  const value = parseFloatText(text);
  return value === undefined ? text : openMetricsFloat(value);
}

/** Go's shortest %g, with a point (textparse, formatOpenMetricsFloat). */
export function openMetricsFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    return `${digits}e${exponent.startsWith('-') ? '-' : '+'}${exponent.replace(/^[+-]/, '').padStart(2, '0')}`;
  }
  const plain = Object.is(value, -0) ? '-0' : String(value);
  return plain.includes('.') ? plain : `${plain}.0`;
}
