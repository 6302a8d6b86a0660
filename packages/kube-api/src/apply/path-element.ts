/** Elements of field paths as FieldsV1 writes them: `f:name`, `k:{"name":"a"}`, `v:"x"`, `i:0`. */
import { goQuote } from '../errors/field-error.ts';
import type { ListSchema } from '../schema/schema.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';

export function fieldElement(name: string): string {
  return `f:${name}`;
}

/** `.spec.ports[port=80,protocol="TCP"].name` (structured-merge-diff `PathElement.String`). */
export function elementText(element: string): string {
  const body = element.slice(2);
  switch (element.charAt(0)) {
    case 'f':
      return `.${body}`;
    case 'k': {
      const key: unknown = JSON.parse(body);
      const parts = isRecord(key) ? Object.entries(key).map(([name, value]) => `${name}=${valueText(value)}`) : [];
      return `[${parts.join(',')}]`;
    }
    case 'v':
      return `[=${valueText(JSON.parse(body))}]`;
    default:
      return `[${body}]`;
  }
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? goQuote(value) : JSON.stringify(value);
}

/** The element of one list item; throws a plain Error with structured-merge-diff's words where keys are missing. */
export function listItemElement(schema: ListSchema, item: unknown): string {
  if (schema.listType === 'set') {
    if (isRecord(item)) throw new Error("associative list without keys has an element that's a map type");
    if (Array.isArray(item)) throw new Error('not supported: associative list with lists as elements');
    if (item === null || item === undefined)
      throw new Error("associative list without keys has an element that's an explicit null");
    return `v:${JSON.stringify(item)}`;
  }
  if (item === null || item === undefined) throw new Error('associative list with keys may not have a null element');
  if (!isRecord(item)) throw new Error('associative list with keys may not have non-map elements');
  const key: JsonRecord = {};
  for (const name of [...schema.mapKeys].sort()) {
    const value = item[name] ?? defaultOf(schema, name);
    if (value === undefined)
      throw new Error(
        `associative list with keys has an element that omits key field "${name}" (and doesn't have default value)`,
      );
    key[name] = value;
  }
  return `k:${JSON.stringify(key)}`;
}

function defaultOf(schema: ListSchema, name: string): unknown {
  const items = schema.items;
  if (items.kind !== 'struct') return undefined;
  const field = items.fields.get(name);
  if (field?.keyDefault !== undefined) return field.keyDefault;
  // Go's zero values of required keys are their defaults in the schema (`port`: 0 never happens, `ip`: "").
  return field?.required && field.schema.kind === 'scalar' && field.schema.type === 'string' ? '' : undefined;
}
