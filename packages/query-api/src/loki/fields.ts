import { fieldsOfLine, parseGoDurationNs, type StreamResult } from '@kind-e2e/logql';
import { compareStrings } from '@kind-e2e/telemetry';

type FieldType = 'string' | 'int' | 'float' | 'boolean' | 'duration' | 'bytes';

export interface DetectedField {
  readonly label: string;
  readonly type: FieldType;
  readonly cardinality: number;
  readonly parsers: readonly string[] | null;
}

interface Found {
  readonly values: Set<string>;
  readonly parsers: Set<string>;
  /** That of the value which was seen last. */
  type: FieldType;
}

const INTEGER = /^[-+]?\d+$/;
const FLOAT =
  /^[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf(?:inity)?|nan|0x(?:[\da-f]+\.?[\da-f]*|\.[\da-f]+)p[-+]?\d+)$/i;
const BOOLEAN = /^(?:t|T|TRUE|true|True|f|F|FALSE|false|False|1|0)$/;
/** github.com/dustin/go-humanize, ParseBytes. */
const BYTES = /^(?=[\d.,]*\d)[\d,]*\.?[\d,]*\s*(?:[kmgtpe]i?b?|b)?\s*$/i;
const MAX_INTEGER = 2n ** 63n;

/**
 * Structured metadata, what the query's own stages found, and what `json` or `logfmt` would find
 * (pkg/querier/queryrange/detected_fields.go).
 */
export function detectFields(streams: readonly StreamResult[], limit: number): DetectedField[] {
  const found = new Map<string, Found>();
  eachValue(streams, (label, value, parser) => {
    let field = found.get(label);
    if (!field) {
      if (found.size >= limit) return true;
      field = { values: new Set(), parsers: new Set(), type: 'string' };
      found.set(label, field);
    }
    field.values.add(value);
    field.type = typeOf(value);
    if (parser !== undefined) field.parsers.add(parser);
    return true;
  });
  // Loki has them in no order, which changes from answer to answer.
  return [...found]
    .map(([label, { values, parsers, type }]) => ({
      label,
      type,
      cardinality: values.size,
      parsers: parsers.size > 0 ? [...parsers].sort() : null,
    }))
    .sort((a, b) => compareStrings(a.label, b.label));
}

/** Values of one field, until there are enough. */
export function detectFieldValues(streams: readonly StreamResult[], field: string, limit: number): string[] {
  const values = new Set<string>();
  eachValue(streams, (label, value) => {
    if (label === field) values.add(value);
    return values.size < limit;
  });
  return [...values];
}

function eachValue(
  streams: readonly StreamResult[],
  call: (label: string, value: string, parser: string | undefined) => boolean,
): void {
  for (const { categories, entries } of streams) {
    const { stream, structuredMetadata, parsed } = categories;
    for (const { line } of entries) {
      for (const [name, value] of structuredMetadata) if (!call(name, value, undefined)) return;
      const own = fieldsOfLine(line, stream, structuredMetadata);
      const fields = new Map([...parsed, ...(own?.fields ?? [])]);
      for (const [name, value] of fields) if (!name.startsWith('__error') && !call(name, value, own?.parser)) return;
    }
  }
}

function typeOf(value: string): FieldType {
  if (
    INTEGER.test(value) &&
    BigInt(value.replace('+', '')) < MAX_INTEGER &&
    BigInt(value.replace('+', '')) >= -MAX_INTEGER
  )
    return 'int';
  if (FLOAT.test(value)) return 'float';
  if (BOOLEAN.test(value)) return 'boolean';
  if (parseGoDurationNs(value) !== undefined) return 'duration';
  return BYTES.test(value) ? 'bytes' : 'string';
}

const UUID = /^(?:urn:uuid:)?\{?[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\}?$|^[\da-f]{32}$/i;

/**
 * Whether a label is of use to look at logs by: not where all values are numbers or UUIDs, unless they are 0 and 1
 * (pkg/querier/querier.go, shouldRejectLabel). Some labels always are.
 */
export function isUsefulLabel(name: string, values: ReadonlySet<string>): boolean {
  if (STATIC_LABELS.includes(name)) return true;
  const all = [...values];
  if (all.length <= 2 && all.every((value) => value === '0' || value === '1')) return true;
  return !all.every((value) => FLOAT.test(value) || UUID.test(value));
}

const STATIC_LABELS: readonly string[] = ['cluster', 'namespace', 'instance', 'pod'];
