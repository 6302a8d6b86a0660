import { goJsonProblem } from '@kind-e2e/kube-api';
import { parseGoDurationNs } from '@kind-e2e/logql';
import { ApiError } from '../http/api-error.ts';

/** Numbers and booleans as Go's `strconv` reads them, with its errors and those of its durations word for word. */

/** What time.ParseDuration says of a text that is no duration. */
export function durationError(text: string): string {
  const quoted = JSON.stringify(text);
  const rest = text.replace(/^[+-]/, '');
  if (/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*(?:\d+(?:\.\d*)?|\.\d+)$/.test(rest))
    return `time: missing unit in duration ${quoted}`;
  const unknown = /^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*(?:\d+(?:\.\d*)?|\.\d+)([^\d.]+)/.exec(
    rest,
  )?.[1];
  if (unknown !== undefined && parseGoDurationNs(`1${unknown}`) === undefined)
    return `time: unknown unit ${JSON.stringify(unknown)} in duration ${quoted}`;
  return `time: invalid duration ${quoted}`;
}

/** strconv.ParseInt in base 10; throws what it says, with what the caller puts before it. */
export function parseGoInt(text: string, bits: 32 | 64, before = ''): bigint {
  if (!/^[+-]?\d+$/.test(text))
    throw new ApiError(400, `${before}strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = BigInt(text.replace(/^\+/, ''));
  if (BigInt.asIntN(bits, value) !== value)
    throw new ApiError(400, `${before}strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  return value;
}

/** strconv.ParseFloat. */
export function parseGoFloat(text: string, before: string): number {
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return Number(text);
  const word = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (!word) throw new ApiError(400, `${before}strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (word[2]?.toLowerCase() === 'nan') return Number.NaN;
  return word[1] === '-' ? -Infinity : Infinity;
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** strconv.ParseBool; an empty text is false. */
export function parseGoBool(text: string, before: string): boolean {
  if (TRUE.has(text)) return true;
  if (text === '' || FALSE.has(text)) return false;
  throw new ApiError(400, `${before}strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** A JSON object of strings as Go reads it into a `map[string]string`; null is an empty one. */
export function parseStringMap(json: string, before: string): Record<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    const reason = goJsonProblem(json) ?? (error instanceof Error ? error.message : error);
    throw new ApiError(400, `${before}${reason}`, undefined, { cause: error });
  }
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw new ApiError(
      400,
      `${before}json: cannot unmarshal ${goKindOf(value)} into Go value of type map[string]string`,
    );
  const strings: Record<string, string> = {};
  for (const [key, text] of Object.entries(value)) {
    if (text !== null && typeof text !== 'string')
      throw new ApiError(400, `${before}json: cannot unmarshal ${goKindOf(text)} into Go value of type string`);
    Object.defineProperty(strings, key, { value: text ?? '', enumerable: true, configurable: true, writable: true });
  }
  return strings;
}

function goKindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
