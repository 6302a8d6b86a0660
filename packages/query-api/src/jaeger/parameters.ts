import { parseGoDurationNs } from '@kind-e2e/logql';
import type { TraceSearch } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import { durationError, parseGoBool, parseGoInt, parseStringMap } from './go-values.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;
/** jaegerquery/internal/default_params.go. */
const DEFAULT_LOOKBACK_NS = 172_800_000_000_000n;
const DEFAULT_DEPENDENCY_LOOKBACK_MS = 86_400_000n;

export interface SearchRequest extends TraceSearch {
  /** Where there are any, these traces are asked for, whatever else is. */
  readonly traceIds: readonly string[];
  /** Spans as they came, their clocks not set right. */
  readonly raw: boolean;
}

/**
 * `/api/traces` parameters in the order in which Jaeger reads them (jaegerquery/internal/query_parser.go), since the
 * first that is wrong is the one that it speaks of. `order=longest` is ours: the longest first.
 */
export function parseSearch(parameters: URLSearchParams, nowNs: bigint): SearchRequest {
  const service = parameters.get('service') ?? '';
  const operation = parameters.get('operation') ?? '';
  const startNs = microseconds(parameters, 'start') ?? nowNs - DEFAULT_LOOKBACK_NS;
  const endNs = microseconds(parameters, 'end') ?? nowNs;
  const tags: Record<string, string> = {};
  for (const tag of parameters.getAll('tag')) {
    const colon = tag.indexOf(':');
    if (colon < 0) throw new ApiError(400, `malformed 'tag' parameter, expecting key:value, received: ${tag}`);
    tags[tag.slice(0, colon)] = tag.slice(colon + 1);
  }
  for (const json of parameters.getAll('tags'))
    Object.assign(tags, parseStringMap(json, "malformed 'tags' parameter, cannot unmarshal JSON: "));
  const limitText = parameters.get('limit') ?? '';
  const limit = limitText === '' ? DEFAULT_LIMIT : Number(parseGoInt(limitText, 32));
  const minDurationNs = duration(parameters, 'minDuration');
  const maxDurationNs = duration(parameters, 'maxDuration');
  const traceIds = parameters.getAll('traceID').map((id) => parseTraceId(id, 'cannot parse traceID param: '));
  const raw = parseRaw(parameters);
  const order = parseOrder(parameters.get('order'));
  if (traceIds.length === 0 && service === '') throw new ApiError(400, "parameter 'service' is required");
  if (limit <= 0) throw new ApiError(400, 'invalid parameter: limit must be greater than 0');
  if (startNs > endNs) throw new ApiError(400, 'invalid parameter: start time must be before end time');
  if (minDurationNs !== 0n && maxDurationNs !== 0n && maxDurationNs < minDurationNs)
    throw new ApiError(400, "'maxDuration' should be greater than 'minDuration'");
  return {
    service,
    ...(operation !== '' && { operation }),
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(minDurationNs !== 0n && { minDurationNs }),
    ...(maxDurationNs !== 0n && { maxDurationNs }),
    startNs,
    endNs,
    limit: Math.min(MAX_LIMIT, limit),
    order,
    traceIds,
    raw,
  };
}

export function parseOrder(text: string | null): 'newest' | 'longest' {
  if (text === null || text === '' || text === 'newest') return 'newest';
  if (text === 'longest' || text === 'duration') return 'longest';
  throw new ApiError(400, `unable to parse param 'order': expected newest or longest, got ${JSON.stringify(text)}`);
}

/** `start`, `end` and `raw` of one trace; the times are only checked, since the store finds a trace without them. */
export function parseTraceRequest(parameters: URLSearchParams): { readonly raw: boolean } {
  microseconds(parameters, 'start');
  microseconds(parameters, 'end');
  return { raw: parseRaw(parameters) };
}

function parseRaw(parameters: URLSearchParams): boolean {
  return parseGoBool(parameters.get('raw') ?? '', "unable to parse param 'raw': ");
}

/** model.TraceIDFromString (jaeger-idl model/v1/ids.go): up to 32 digits, the halves read apart. */
export function parseTraceId(text: string, before = ''): string {
  if (text.length > 32)
    throw new ApiError(400, `${before}TraceID cannot be longer than 32 hex characters: ${text.slice(0, 1000)}`);
  const halves = text.length > 16 ? [text.slice(0, -16), text.slice(-16)] : [text];
  for (const half of halves)
    if (!/^[0-9a-fA-F]+$/.test(half))
      throw new ApiError(400, `${before}strconv.ParseUint: parsing ${JSON.stringify(half)}: invalid syntax`);
  return text.toLowerCase().padStart(32, '0');
}

export function parseDependencies(
  parameters: URLSearchParams,
  nowMs: bigint,
): { readonly startNs: bigint; readonly endNs: bigint } {
  const integer = (name: string): bigint | undefined => {
    const text = parameters.get(name) ?? '';
    return text === '' ? undefined : parseGoInt(text, 64, `unable to parse param '${name}': `);
  };
  const endMs = integer('endTs') ?? nowMs;
  const lookbackMs = integer('lookback') ?? DEFAULT_DEPENDENCY_LOOKBACK_MS;
  return { startNs: (endMs - lookbackMs) * 1_000_000n, endNs: endMs * 1_000_000n };
}

function microseconds(parameters: URLSearchParams, name: string): bigint | undefined {
  const text = parameters.get(name) ?? '';
  return text === '' ? undefined : parseGoInt(text, 64, `unable to parse param '${name}': `) * 1000n;
}

/** 0 where there is none. */
function duration(parameters: URLSearchParams, name: string): bigint {
  const text = parameters.get(name) ?? '';
  if (text === '') return 0n;
  const parsed = parseGoDurationNs(text);
  if (parsed === undefined) throw new ApiError(400, `unable to parse param '${name}': ${durationError(text)}`);
  return parsed;
}
