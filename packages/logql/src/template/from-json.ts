import type { TemplateValue } from './values.ts';

/** sprig's fromJson: numbers are floats; what is no JSON is nil. */
export function fromJson(text: string): TemplateValue {
  try {
    return convert(JSON.parse(text));
  } catch {
    return null;
  }
}

function convert(value: unknown): TemplateValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  if (Array.isArray(value)) return value.map(convert);
  if (typeof value === 'object') return new Map(Object.entries(value).map(([key, member]) => [key, convert(member)]));
  return null;
}
