import { durationText } from '../scrape/target.ts';

export interface TemplateData {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly externalLabels: Readonly<Record<string, string>>;
}

type Value = string | number;

/**
 * Go templates of alerts as far as alerts use them: `{{ $value }}`, `{{ $labels.x }}` and pipelines of Prometheus'
 * functions (template/template.go). What is beyond that shows as `<error expanding template: …>`, as in Prometheus.
 */
export function expandAlertTemplate(text: string, data: TemplateData): string {
  try {
    return text.replace(/\{\{-?\s*(.*?)\s*-?\}\}/gs, (_all, pipeline: string) =>
      String(shown(evaluate(pipeline, data))),
    );
  } catch (error) {
    return `<error expanding template: ${error instanceof Error ? error.message : error}>`;
  }
}

function shown(value: Value): string {
  return typeof value === 'number' ? formatNumber(value) : value;
}

/** Go's %v of a float64. */
function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e21)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  return String(value);
}

function evaluate(pipeline: string, data: TemplateData): Value {
  let value: Value | undefined;
  for (const command of splitPipes(pipeline)) {
    const words = tokenize(command);
    const [head = '', ...rest] = words;
    const isFunction = Object.hasOwn(FUNCTIONS, head);
    if (!isFunction) {
      if (value !== undefined || rest.length > 0) throw new Error(`function ${JSON.stringify(head)} not defined`);
      value = operand(head, data);
      continue;
    }
    const args = rest.map((word) => operand(word, data));
    if (value !== undefined) args.push(value);
    value = FUNCTIONS[head]?.(args) ?? '';
  }
  return value ?? '';
}

function splitPipes(text: string): string[] {
  return text.split(/\|(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((part) => part.trim());
}

function tokenize(text: string): string[] {
  return text.match(/"(?:[^"\\]|\\.)*"|`[^`]*`|\S+/g) ?? [];
}

function operand(word: string, { labels, value, externalLabels }: TemplateData): Value {
  if (word.startsWith('"')) return JSON.parse(word) as string;
  if (word.startsWith('`')) return word.slice(1, -1);
  if (word === '$value' || word === '.Value') return value;
  if (word === '$labels' || word === '.Labels')
    return `map[${Object.entries(labels)
      .map(([k, v]) => `${k}:${v}`)
      .join(' ')}]`;
  const label = /^(?:\$labels|\.Labels)\.([a-zA-Z_][a-zA-Z0-9_]*)$/.exec(word)?.[1];
  if (label !== undefined) return Object.hasOwn(labels, label) ? (labels[label] ?? '') : '';
  const external = /^(?:\$externalLabels|\.ExternalLabels)\.([a-zA-Z_][a-zA-Z0-9_]*)$/.exec(word)?.[1];
  if (external !== undefined) return Object.hasOwn(externalLabels, external) ? (externalLabels[external] ?? '') : '';
  if (word !== '' && !Number.isNaN(Number(word))) return Number(word);
  throw new Error(`${JSON.stringify(word)} is not supported in templates here`);
}

const FUNCTIONS: Readonly<Record<string, (args: readonly Value[]) => Value>> = {
  humanize: ([value]) => scaled(Number(value), 1000, ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']),
  humanize1024: ([value]) => scaled(Number(value), 1024, ['', 'ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi']),
  humanizePercentage: ([value]) => `${four(Number(value) * 100)}%`,
  humanizeDuration: ([value]) => {
    const seconds = Number(value);
    if (Math.abs(seconds) < 1) return scaled(seconds, 1000, ['']).concat('s');
    return seconds < 60
      ? `${four(seconds)}s`
      : durationText(Math.floor(seconds) * 1000).replace(/([dhm])(?=\d)/g, '$1 ');
  },
  humanizeTimestamp: ([value]) =>
    new Date(Number(value) * 1000).toISOString().replace('T', ' ').replace('Z', ' +0000 UTC'),
  title: ([text]) => String(text).replace(/\b\w/g, (letter) => letter.toUpperCase()),
  toUpper: ([text]) => String(text).toUpperCase(),
  toLower: ([text]) => String(text).toLowerCase(),
  stripPort: ([text]) => String(text).replace(/:\d+$/, ''),
  parseDuration: ([text]) => Number(text),
  printf: ([format, ...values]) => {
    let at = 0;
    return String(format).replace(
      /%(?:%|([-+ 0#]*\d*)(?:\.(\d+))?([vsdfgeqx]))/g,
      (all, _flags: string, precision: string | undefined, verb: string) => {
        if (all === '%%') return '%';
        const value = values[at++] ?? '';
        if (verb === 'f') return Number(value).toFixed(precision === undefined ? 6 : Number(precision));
        if (verb === 'd') return String(Math.trunc(Number(value)));
        if (verb === 'e') return Number(value).toExponential(precision === undefined ? 6 : Number(precision));
        if (verb === 'g')
          return precision === undefined ? shown(value) : String(Number(Number(value).toPrecision(Number(precision))));
        return verb === 'q' ? JSON.stringify(shown(value)) : shown(value);
      },
    );
  },
};

function four(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : formatNumber(value);
}

function scaled(value: number, base: number, prefixes: readonly string[]): string {
  if (value === 0 || !Number.isFinite(value)) return formatNumber(value);
  let size = value;
  if (Math.abs(value) >= 1) {
    let i = 0;
    while (Math.abs(size) >= base && i + 1 < prefixes.length) {
      size /= base;
      i++;
    }
    return `${four(size)}${prefixes[i]}`;
  }
  if (base !== 1000) return four(value);
  const small = ['', 'm', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];
  let i = 0;
  while (Math.abs(size) < 1 && i + 1 < small.length) {
    size *= base;
    i++;
  }
  return `${four(size)}${small[i]}`;
}
