import { messageOf } from '@kind-e2e/base';
import { parseDurationMs, parseMetricSelector } from '@kind-e2e/promql';
import { type LabelMatcher, quote } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import { blameOn, invalidParameter } from './errors.ts';

/** What Prometheus takes for "no limit" of a time range. */
export const MIN_TIME_MS = -62_135_596_800_000;
export const MAX_TIME_MS = 253_402_300_799_999;
const MAX_POINTS = 11_000;
const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

const NUMBER = /^[+-]?(?:(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)$/i;
/** What Go makes of a float that does not fit 64 bits. */
const INT64_MIN = -(2n ** 63n);

/** A number as Go's strconv.ParseFloat reads it; undefined where it is none. */
function parseNumber(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const lower = text.toLowerCase().replace(/^\+/, '');
  if (lower.endsWith('nan')) return Number.NaN;
  if (/^-?inf/.test(lower)) return lower.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(lower.replaceAll('_', ''));
}

/** Seconds since the epoch, or RFC 3339, in milliseconds. Times that do not fit 64 bits wrap around as in Prometheus. */
export function parseTime(text: string): number {
  const seconds = parseNumber(text);
  if (seconds !== undefined) {
    const ms = Math.round(seconds * 1000);
    if (Number.isSafeInteger(ms)) return ms;
    if (!Number.isFinite(seconds)) return -9_223_372_036_854;
    const fits = seconds >= -(2 ** 63) && seconds < 2 ** 63;
    return Number(BigInt.asIntN(64, (fits ? BigInt(Math.trunc(seconds)) : INT64_MIN) * 1000n));
  }
  if (RFC3339.test(text)) {
    const ms = Date.parse(text.replace(/(\.\d{3})\d+/, '$1'));
    if (!Number.isNaN(ms)) return ms;
  }
  // The constants of Go's time package that clients use for "all".
  if (text === '-292273086-05-16T16:47:06Z') return MIN_TIME_MS;
  if (text === '292277025-08-18T07:12:54.999999999Z') return MAX_TIME_MS;
  throw new ApiError(400, `cannot parse ${quote(text)} to a valid timestamp`);
}

/** A time; the fallback where there is none. */
export function timeParameter(parameters: URLSearchParams, name: string, fallback: number): number {
  const text = parameters.get(name) ?? '';
  if (text === '') return fallback;
  try {
    return parseTime(text);
  } catch (error) {
    throw invalidParameter(name, `invalid time value for '${name}': ${messageOf(error)}`);
  }
}

function requiredTime(parameters: URLSearchParams, name: string): number {
  return blameOn(name, () => parseTime(parameters.get(name) ?? ''));
}

/** Seconds, or a duration such as `1m30s`, in milliseconds. */
export function parseDuration(text: string): number {
  const seconds = parseNumber(text);
  if (seconds !== undefined) {
    const ms = seconds * 1000;
    if (Math.abs(ms) > 9_223_372_036_854)
      throw new ApiError(400, `cannot parse ${quote(text)} to a valid duration. It overflows int64`);
    return Number.isNaN(ms) ? -9_223_372_036_854 : ms;
  }
  const ms = parseDurationMs(text);
  if (ms === undefined) throw new ApiError(400, `cannot parse ${quote(text)} to a valid duration`);
  return ms;
}

export function durationParameter(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.get(name) ?? '';
  return text === '' ? undefined : blameOn(name, () => parseDuration(text));
}

/** The engine's own where it is not positive. */
export function lookbackParameter(parameters: URLSearchParams): number | undefined {
  const text = parameters.get('lookback_delta') ?? '';
  if (text === '') return undefined;
  try {
    const ms = parseDuration(text);
    return ms > 0 ? ms : undefined;
  } catch (error) {
    throw new ApiError(400, `error parsing lookback delta duration: ${messageOf(error)}`);
  }
}

/** Go's strconv.Atoi; undefined where the text is no whole number of 64 bits. */
export function parseInteger(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? Number(value) : undefined;
}

/** A whole number that may be negative, which then means nothing. */
export function integerParameter(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.get(name) ?? '';
  if (text === '') return undefined;
  const value = parseInteger(text);
  if (value === undefined) throw new ApiError(400, `${name} must be a number`);
  return value;
}

/** 0 is no limit. */
export function limitParameter(parameters: URLSearchParams, name = 'limit'): number {
  const text = parameters.get(name) ?? '';
  if (text === '') return 0;
  const limit = parseInteger(text);
  if (limit === undefined) {
    const why = /^[+-]?\d+$/.test(text) ? 'value out of range' : 'invalid syntax';
    throw invalidParameter(name, `strconv.Atoi: parsing ${quote(text)}: ${why}`);
  }
  if (limit < 0) throw invalidParameter(name, 'limit must be non-negative');
  return limit;
}

export interface Range {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** `start`, `end` and `step` of a range query. */
export function rangeParameters(parameters: URLSearchParams): Range {
  const startMs = requiredTime(parameters, 'start');
  const endMs = requiredTime(parameters, 'end');
  if (endMs < startMs) throw invalidParameter('end', 'end timestamp must not be before start time');
  const exactStepMs = blameOn('step', () => parseDuration(parameters.get('step') ?? ''));
  if (!(exactStepMs > 0))
    throw invalidParameter(
      'step',
      'zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  if (Math.floor((endMs - startMs) / exactStepMs) > MAX_POINTS)
    throw new ApiError(
      400,
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
  // Samples are a millisecond apart at the least.
  return { startMs, endMs, stepMs: Math.max(1, Math.trunc(exactStepMs)) };
}

/** `match[]` parameters as lists of matchers, which must not match everything. Throws PromqlSyntaxError. */
export function selectorParameters(parameters: URLSearchParams): (readonly LabelMatcher[])[] {
  return parameters.getAll('match[]').map((text) => {
    const { matchers } = parseMetricSelector(text);
    if (!matchers.some((matcher) => !matcher.matches('')))
      throw new ApiError(400, 'match[] must contain at least one non-empty matcher');
    return matchers;
  });
}
