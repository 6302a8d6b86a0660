import type { TraceSearch } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;
const DEFAULT_LOOKBACK_NS = 172_800_000_000_000n;
const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** A duration as Go's time.ParseDuration reads it, in nanoseconds; undefined where it is none. */
export function parseGoDuration(text: string): bigint | undefined {
  if (text === '0') return 0n;
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*$/.test(text))
    return undefined;
  let total = 0;
  for (const [, number = '0', unit = 's'] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g))
    total += Number(number) * (UNITS[unit] ?? 0);
  return BigInt(Math.round(total)) * (text.startsWith('-') ? -1n : 1n);
}

/** `/api/traces` parameters (jaeger cmd/…/query_parser.go). `order=longest` is ours: the longest first. */
export function parseSearch(parameters: URLSearchParams, nowNs: bigint): TraceSearch {
  const service = parameters.get('service') ?? '';
  if (service === '') throw new ApiError(400, "parameter 'service' is required");
  const tags: Record<string, string> = {};
  for (const tag of parameters.getAll('tag')) {
    const colon = tag.indexOf(':');
    if (colon < 1) throw new ApiError(400, `malformed 'tag' parameter, expecting key:value, received: ${tag}`);
    tags[tag.slice(0, colon)] = tag.slice(colon + 1);
  }
  for (const json of parameters.getAll('tags')) Object.assign(tags, parseTags(json));
  const end = microseconds(parameters, 'end') ?? nowNs;
  const start = microseconds(parameters, 'start') ?? end - lookback(parameters);
  const minDurationNs = duration(parameters, 'minDuration');
  const maxDurationNs = duration(parameters, 'maxDuration');
  if (minDurationNs !== undefined && maxDurationNs !== undefined && minDurationNs > maxDurationNs)
    throw new ApiError(400, "'maxDuration' should be greater than 'minDuration'");
  const operation = parameters.get('operation') ?? '';
  return {
    service,
    ...(operation !== '' && operation !== 'all' && { operation }),
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(minDurationNs !== undefined && { minDurationNs }),
    ...(maxDurationNs !== undefined && { maxDurationNs }),
    startNs: start,
    endNs: end,
    limit: parseLimit(parameters.get('limit')),
    order: parseOrder(parameters.get('order')),
  };
}

export function parseOrder(text: string | null): 'newest' | 'longest' {
  if (text === null || text === '' || text === 'newest') return 'newest';
  if (text === 'longest' || text === 'duration') return 'longest';
  throw new ApiError(400, `unable to parse param 'order': expected newest or longest, got ${JSON.stringify(text)}`);
}

export function parseLimit(text: string | null): number {
  if (text === null || text === '') return DEFAULT_LIMIT;
  if (!/^\d+$/.test(text))
    throw new ApiError(
      400,
      `unable to parse param 'limit': strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Math.min(MAX_LIMIT, Number(text) || DEFAULT_LIMIT);
}

function parseTags(json: string): Record<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new ApiError(
      400,
      `malformed 'tags' parameter, cannot unmarshal JSON: ${error instanceof Error ? error.message : error}`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ApiError(400, "malformed 'tags' parameter, cannot unmarshal JSON: expected an object of strings");
  return Object.fromEntries(Object.entries(value).map(([key, tag]) => [key, String(tag)]));
}

function microseconds(parameters: URLSearchParams, name: string): bigint | undefined {
  const text = parameters.get(name) ?? '';
  if (text === '') return undefined;
  if (!/^-?\d{1,19}$/.test(text))
    throw new ApiError(
      400,
      `unable to parse param '${name}': strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return BigInt(text) * 1000n;
}

function duration(parameters: URLSearchParams, name: string): bigint | undefined {
  const text = parameters.get(name) ?? '';
  if (text === '') return undefined;
  const parsed = parseGoDuration(text);
  if (parsed === undefined)
    throw new ApiError(400, `unable to parse param '${name}': time: invalid duration ${JSON.stringify(text)}`);
  return parsed;
}

function lookback(parameters: URLSearchParams): bigint {
  const text = parameters.get('lookback') ?? '';
  const days = /^(\d+)d$/.exec(text)?.[1];
  return days ? BigInt(days) * 86_400_000_000_000n : (parseGoDuration(text) ?? DEFAULT_LOOKBACK_NS);
}
