import type { Attributes, AttributeValue } from '@kind-e2e/telemetry';
import { IngestError } from '../ingest-error.ts';

/** Any object of OTLP's JSON; fields are checked where they are read. */
export type JsonObject = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 32;

export function parseJsonObject(body: Buffer): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new IngestError(400, `the body is not JSON: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new IngestError(400, 'the body is not a JSON object');
  return value as JsonObject;
}

export function objectsOf(value: unknown, path: string): readonly JsonObject[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new IngestError(400, `${path}: expected a list`);
  value.forEach((item, i) => {
    if (typeof item !== 'object' || item === null) throw new IngestError(400, `${path}[${i}]: expected an object`);
  });
  return value as readonly JsonObject[];
}

export function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A 64-bit integer, which protobuf's JSON writes as a string. */
export function bigintOf(value: unknown, path: string): bigint {
  if (value === undefined || value === null || value === '') return 0n;
  if (typeof value === 'number' && Number.isFinite(value)) return BigInt(Math.trunc(value));
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  throw new IngestError(400, `${path}: expected a 64-bit integer, got ${JSON.stringify(value)?.slice(0, 80)}`);
}

export function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return 0;
  if (value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Infinity;
  if (value === '-Infinity') return -Infinity;
  return Number(value) || 0;
}

/** An enum by its number or by its name, of which `names` has the endings. */
export function enumOf(value: unknown, names: readonly string[]): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return 0;
  const at = names.findIndex((name) => value.toLowerCase().endsWith(`_${name}`));
  return Math.max(0, at);
}

export function attributesOf(value: unknown, path: string, depth = 0): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  objectsOf(value, path).forEach((entry, i) => {
    const key = textOf(entry.key);
    const read = anyValueOf(entry.value, `${path}[${i}].value`, depth);
    Object.defineProperty(attributes, key, { value: read, enumerable: true, configurable: true, writable: true });
  });
  return attributes;
}

/** An AnyValue. */
export function anyValueOf(value: unknown, path: string, depth = 0): AttributeValue {
  if (depth > MAX_DEPTH) throw new IngestError(400, `${path}: nested too deep`);
  const any = objectOf(value);
  if (any.stringValue !== undefined) return String(any.stringValue);
  if (any.boolValue !== undefined) return any.boolValue === true || any.boolValue === 'true';
  if (any.intValue !== undefined) {
    const whole = bigintOf(any.intValue, `${path}.intValue`);
    return whole >= -9007199254740991n && whole <= 9007199254740991n ? Number(whole) : whole;
  }
  if (any.doubleValue !== undefined) return numberOf(any.doubleValue);
  if (any.bytesValue !== undefined) return new Uint8Array(Buffer.from(textOf(any.bytesValue), 'base64'));
  if (any.arrayValue !== undefined)
    return objectsOf(objectOf(any.arrayValue).values, `${path}.arrayValue.values`).map((item, i) =>
      anyValueOf(item, `${path}[${i}]`, depth + 1),
    );
  if (any.kvlistValue !== undefined)
    return attributesOf(objectOf(any.kvlistValue).values, `${path}.kvlistValue.values`, depth + 1);
  return '';
}
