import { type Expr, parseDurationMs, type QueryEngine } from '@kind-e2e/promql';
import type { LabelMatcher } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import { invalidParameter } from './errors.ts';

/** What Prometheus takes for "no limit" of a time range. */
export const MIN_TIME_MS = -62_135_596_800_000;
export const MAX_TIME_MS = 253_402_300_799_999;
const MAX_POINTS = 11_000;
const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Seconds since the epoch, or RFC 3339, in milliseconds. */
export function parseTime(text: string): number {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    const ms = Math.round(Number(text) * 1000);
    if (Number.isSafeInteger(ms)) return ms;
  }
  if (RFC3339.test(text)) {
    const ms = Date.parse(text.replace(/(\.\d{3})\d+/, '$1'));
    if (!Number.isNaN(ms)) return ms;
  }
  // The constants of Go's time package that clients use for "all".
  if (text === '-292273086-05-16T16:47:06Z') return MIN_TIME_MS;
  if (text === '292277025-08-18T07:12:54.999999999Z') return MAX_TIME_MS;
  throw new ApiError(400, `cannot parse ${JSON.stringify(text)} to a valid timestamp`);
}

export function timeParameter(parameters: URLSearchParams, name: string, fallback: number): number {
  const text = parameters.get(name) ?? '';
  if (text === '') return fallback;
  return attempt(name, () => parseTime(text));
}

export function requiredTime(parameters: URLSearchParams, name: string): number {
  return attempt(name, () => parseTime(parameters.get(name) ?? ''));
}

/** Seconds, or a duration such as `1m30s`, in milliseconds. */
export function parseDuration(text: string): number {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    const ms = Number(text) * 1000;
    if (Math.abs(ms) > 9_223_372_036_854)
      throw new ApiError(400, `cannot parse ${JSON.stringify(text)} to a valid duration. It overflows int64`);
    return ms;
  }
  const ms = parseDurationMs(text);
  if (ms === undefined) throw new ApiError(400, `cannot parse ${JSON.stringify(text)} to a valid duration`);
  return ms;
}

export function durationParameter(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.get(name) ?? '';
  return text === '' ? undefined : attempt(name, () => parseDuration(text));
}

export function limitParameter(parameters: URLSearchParams, name = 'limit'): number {
  const text = parameters.get(name) ?? '';
  if (text === '') return 0;
  if (!/^[+-]?\d{1,15}$/.test(text))
    throw invalidParameter(name, `cannot parse ${JSON.stringify(text)} to a valid limit`);
  if (Number(text) < 0) throw invalidParameter(name, 'limit must be non-negative');
  return Number(text);
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
  const stepMs = Math.trunc(attempt('step', () => parseDuration(parameters.get('step') ?? '')));
  if (!(stepMs > 0))
    throw invalidParameter(
      'step',
      'zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  if ((endMs - startMs) / stepMs > MAX_POINTS)
    throw new ApiError(
      400,
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
  return { startMs, endMs, stepMs };
}

/** `match[]` parameters as lists of matchers. */
export function selectorParameters(parameters: URLSearchParams, engine: QueryEngine): (readonly LabelMatcher[])[] {
  return parameters.getAll('match[]').map((text) => {
    const { matchers } = attempt('match[]', () => parseSelector(text, engine));
    if (!matchers.some((matcher) => !matcher.matches('')))
      throw invalidParameter('match[]', 'match[] must contain at least one non-empty matcher');
    return matchers;
  });
}

function parseSelector(text: string, engine: QueryEngine): { readonly matchers: readonly LabelMatcher[] } {
  const expr: Expr = engine.parse(text);
  const isPlain = expr.kind === 'vector-selector' && expr.time.offsetMs === 0 && expr.time.atMs === undefined;
  if (expr.kind !== 'vector-selector' || !isPlain || expr.time.atBoundary)
    throw new ApiError(400, `${JSON.stringify(text)} is no series selector`);
  return expr;
}

function attempt<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw invalidParameter(name, error instanceof Error ? error.message : String(error));
  }
}
