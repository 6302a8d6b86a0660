import { formatGoDuration, parsePrometheusDurationNs } from '@kind-e2e/logql';
import type { LogDirection } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';

const HOUR_NS = 3_600_000_000_000n;
const MAX_POINTS = 11_000n;
const DEFAULT_LIMIT = 100;
const MAX_NS = 2n ** 63n;
const MAX_SECONDS = 9_223_372_036;
const FLOAT = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;

/**
 * Seconds with decimals, of which three count; else nanoseconds, or seconds where there are at most ten characters; else
 * RFC 3339 (pkg/loghttp/params.go, parseTimestamp).
 */
export function parseTimeNs(text: string): bigint {
  if (text.includes('.') && FLOAT.test(text)) {
    const seconds = Number(text);
    const whole = Math.trunc(seconds);
    const milliseconds = Math.round((seconds - whole) * 1000);
    if (Number.isFinite(seconds) && Math.abs(seconds) < MAX_SECONDS)
      return BigInt(whole) * 1_000_000_000n + BigInt(milliseconds) * 1_000_000n;
  }
  if (/^[-+]?\d+$/.test(text)) {
    const number = BigInt(text.replace('+', ''));
    if (number >= MAX_NS || number < -MAX_NS) throw notInteger(text, 'value out of range');
    return text.length <= 10 ? number * 1_000_000_000n : number;
  }
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/.exec(text);
  const ms = match ? Date.parse(`${match[1]}${match[3]}`) : Number.NaN;
  if (match && !Number.isNaN(ms)) return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0').slice(0, 9));
  throw notInteger(text, 'invalid syntax');
}

/** A 400 in the words of Go's strconv. */
function notInteger(text: string, why: string): ApiError {
  return new ApiError(400, `strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);
}

export function timeParameter(parameters: URLSearchParams, name: string, fallback: bigint): bigint {
  const text = parameters.get(name) ?? '';
  return text === '' ? fallback : parseTimeNs(text);
}

/** The same of `start` and `end`, whose errors say which of them it is. */
function boundParameter(parameters: URLSearchParams, name: 'start' | 'end', fallback: bigint): bigint {
  try {
    return timeParameter(parameters, name, fallback);
  } catch (error) {
    if (error instanceof ApiError) throw new ApiError(400, `could not parse '${name}' parameter: ${error.message}`);
    throw error;
  }
}

export interface LokiRange {
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** `start`, `end` and `since`; the last hour where nothing is said. */
export function rangeParameters(parameters: URLSearchParams, nowNs: bigint, defaultSinceNs = HOUR_NS): LokiRange {
  const since = parameters.get('since') ?? '';
  let sinceNs = defaultSinceNs;
  if (since !== '') {
    const parsed = parsePrometheusDurationNs(since);
    if (parsed === undefined)
      throw new ApiError(
        400,
        `could not parse 'since' parameter: not a valid duration string: ${JSON.stringify(since)}`,
      );
    sinceNs = parsed;
  }
  const endNs = boundParameter(parameters, 'end', nowNs);
  const before = endNs > nowNs ? nowNs : endNs;
  return { startNs: boundParameter(parameters, 'start', before - sinceNs), endNs };
}

export function checkOrder({ startNs, endNs }: LokiRange): void {
  if (endNs < startNs) throw new ApiError(400, 'end timestamp must not be before or equal to start time');
}

export interface RangeQuery extends LokiRange {
  readonly limit: number;
  readonly direction: LogDirection;
  readonly step: bigint;
  readonly intervalNs: bigint | undefined;
}

/** What a query over a range is asked with, looked at in Loki's order (pkg/loghttp/query.go, ParseRangeQuery). */
export function rangeQueryParameters(parameters: URLSearchParams, nowNs: bigint): RangeQuery {
  const range = rangeParameters(parameters, nowNs);
  checkOrder(range);
  const limit = limitParameter(parameters);
  const direction = directionParameter(parameters);
  const step = stepParameter(parameters, range);
  const intervalNs = durationParameter(parameters, 'interval');
  if (intervalNs !== undefined && intervalNs < 0n) throw new ApiError(400, 'interval must be >= 0');
  return { ...range, limit, direction, step, intervalNs };
}

/** That of volumes: 0 is as good as none, and there are at most so many (volumeLimit). */
export function volumeLimit(parameters: URLSearchParams): number {
  return /^[+-]?0+$/.test(parameters.get('limit') ?? '') ? DEFAULT_LIMIT : limitParameter(parameters);
}

/**
 * Loki's frontend cuts metric queries into pieces on a grid of steps: the start is rounded down, the end up
 * (pkg/querier/queryrange/splitters.go, alignStartEnd).
 */
export function alignedRange({ startNs, endNs }: LokiRange, step: bigint): LokiRange {
  const rest = endNs % step;
  return { startNs: startNs - (startNs % step), endNs: rest === 0n ? endNs : endNs + step - rest };
}

/** A step or interval: seconds, or a duration. */
export function durationParameter(parameters: URLSearchParams, name: string): bigint | undefined {
  const text = parameters.get(name) ?? '';
  if (text === '') return undefined;
  if (FLOAT.test(text)) {
    const ns = Number(text) * 1e9;
    if (Math.abs(ns) > Number(MAX_NS))
      throw new ApiError(400, `cannot parse ${JSON.stringify(text)} to a valid duration. It overflows int64`);
    return BigInt(Math.trunc(ns));
  }
  const parsed = parsePrometheusDurationNs(text);
  if (parsed === undefined) throw new ApiError(400, `cannot parse ${JSON.stringify(text)} to a valid duration`);
  return parsed;
}

export function stepParameter(parameters: URLSearchParams, { startNs, endNs }: LokiRange): bigint {
  const step = durationParameter(parameters, 'step') ?? defaultStep(startNs, endNs);
  if (step <= 0n)
    throw new ApiError(400, 'zero or negative query resolution step widths are not accepted. Try a positive integer');
  if ((endNs - startNs) / step > MAX_POINTS)
    throw new ApiError(
      400,
      'exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter',
    );
  return step;
}

/** A 250th of the range, in whole seconds, at least one. */
function defaultStep(startNs: bigint, endNs: bigint): bigint {
  const seconds = Math.max(Math.floor(Number(endNs - startNs) / 1e9 / 250), 1);
  return BigInt(seconds) * 1_000_000_000n;
}

export function limitParameter(parameters: URLSearchParams, name = 'limit', fallback = DEFAULT_LIMIT): number {
  const text = parameters.get(name) ?? '';
  if (text === '') return fallback;
  if (!/^[+-]?\d+$/.test(text))
    throw new ApiError(400, `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (Math.abs(Number(text)) >= Number(MAX_NS))
    throw new ApiError(400, `strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`);
  if (Number(text) <= 0) throw new ApiError(400, 'limit must be a positive value');
  return Number(text);
}

export function directionParameter(parameters: URLSearchParams): LogDirection {
  const text = (parameters.get('direction') ?? '').toLowerCase();
  if (text === '' || text === 'backward') return 'backward';
  if (text === 'forward') return 'forward';
  throw new ApiError(400, `invalid direction '${parameters.get('direction')}'`);
}

const MAX_QUERY_LENGTH_NS = 721n * HOUR_NS;

/** `max_query_length`, 30 days and an hour (pkg/querier/queryrange/limits.go). */
export function checkQueryLength({ startNs, endNs }: LokiRange): void {
  const length = endNs - startNs;
  if (length <= MAX_QUERY_LENGTH_NS) return;
  throw new ApiError(
    400,
    `the query time range exceeds the limit (query length: ${formatGoDuration(length)}, limit: 30d1h)`,
  );
}
