import { parseDurationNs } from '@kind-e2e/logql';
import type { LogDirection } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';

const HOUR_NS = 3_600_000_000_000n;
const MAX_POINTS = 11_000n;
const DEFAULT_LIMIT = 100;

/** Nanoseconds, seconds (whole up to ten digits, or with decimals), or RFC 3339 (Loki pkg/loghttp/params.go). */
export function parseTimeNs(text: string): bigint {
  if (/^-?\d+\.\d*$/.test(text)) {
    const [whole = '0', decimals = ''] = text.split('.');
    const fraction = BigInt(decimals.padEnd(9, '0').slice(0, 9));
    return BigInt(whole) * 1_000_000_000n + (whole.startsWith('-') ? -fraction : fraction);
  }
  if (/^-?\d{1,19}$/.test(text)) return text.length <= 10 ? BigInt(text) * 1_000_000_000n : BigInt(text);
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9})\d*)?(Z|[+-]\d{2}:\d{2})$/.exec(text);
  const ms = match ? Date.parse(`${match[1]}${match[3]}`) : Number.NaN;
  if (match && !Number.isNaN(ms)) return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
  throw new ApiError(
    400,
    `parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05.999999999Z07:00": cannot parse`,
  );
}

export function timeParameter(parameters: URLSearchParams, name: string, fallback: bigint): bigint {
  const text = parameters.get(name) ?? '';
  return text === '' ? fallback : parseTimeNs(text);
}

export interface LokiRange {
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** `start`, `end` and `since`; the last hour where nothing is said. */
export function rangeParameters(parameters: URLSearchParams, nowNs: bigint, defaultSinceNs = HOUR_NS): LokiRange {
  const endNs = timeParameter(parameters, 'end', nowNs);
  const since = parameters.get('since') ?? '';
  let sinceNs = defaultSinceNs;
  if (since !== '') {
    const parsed = parseDurationNs(since);
    if (parsed === undefined)
      throw new ApiError(
        400,
        `could not parse 'since' parameter: not a valid duration string: ${JSON.stringify(since)}`,
      );
    sinceNs = parsed;
  }
  const before = endNs > nowNs ? nowNs : endNs;
  return { startNs: timeParameter(parameters, 'start', before - sinceNs), endNs };
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
  if (/^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return BigInt(Math.round(Number(text) * 1e9));
  const parsed = parseDurationNs(text);
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
  if (!/^[+-]?\d{1,15}$/.test(text))
    throw new ApiError(400, `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (Number(text) <= 0) throw new ApiError(400, `${name} must be a positive value`);
  return Number(text);
}

export function directionParameter(parameters: URLSearchParams): LogDirection {
  const text = (parameters.get('direction') ?? '').toLowerCase();
  if (text === '' || text === 'backward') return 'backward';
  if (text === 'forward') return 'forward';
  throw new ApiError(400, `invalid direction '${parameters.get('direction')}'`);
}
