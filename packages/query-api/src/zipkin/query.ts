import type { TraceReader, TraceSearch } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import { toZipkinTrace, type ZipkinSpanJson } from './span-json.ts';

const DAY_MS = 86_400_000;
const DEFAULT_LIMIT = 10;
/** Traces that are looked through at most for a condition that several spans may meet together. */
const MAX_CANDIDATES = 10_000;

/** `GET /api/v2/traces` (zipkin2.storage.QueryRequest). */
export interface ZipkinQuery {
  readonly serviceName: string | undefined;
  readonly remoteServiceName: string | undefined;
  readonly spanName: string | undefined;
  /** A value of '' asks for an annotation of that text, or a tag of that name. */
  readonly annotations: ReadonlyMap<string, string>;
  /** Microseconds. */
  readonly minDuration: number | undefined;
  readonly maxDuration: number | undefined;
  readonly endTs: number;
  readonly lookback: number;
  readonly limit: number;
}

/** Reads and checks the parameters as the builder of Zipkin's QueryRequest does, in its order and words. */
export function parseZipkinQuery(parameters: URLSearchParams, nowMs: number): ZipkinQuery {
  const name = (parameter: string): string | undefined => parameters.get(parameter)?.toLowerCase() || undefined;
  const spanName = name('spanName');
  const { endTs, lookback } = parseWindow(parameters, nowMs);
  const limit = integer(parameters, 'limit', 32) ?? DEFAULT_LIMIT;
  if (limit <= 0) throw new ApiError(400, 'limit <= 0');
  const minDuration = integer(parameters, 'minDuration');
  const maxDuration = integer(parameters, 'maxDuration');
  if (minDuration !== undefined && minDuration <= 0) throw new ApiError(400, 'minDuration <= 0');
  if (minDuration === undefined && maxDuration !== undefined)
    throw new ApiError(400, 'maxDuration is only valid with minDuration');
  if (minDuration !== undefined && maxDuration !== undefined && maxDuration < minDuration)
    throw new ApiError(400, 'maxDuration < minDuration');
  return {
    serviceName: name('serviceName'),
    remoteServiceName: name('remoteServiceName'),
    spanName: spanName === 'all' ? undefined : spanName,
    annotations: parseAnnotationQuery(parameters.get('annotationQuery') ?? ''),
    minDuration,
    maxDuration,
    endTs,
    lookback,
    limit,
  };
}

/** `endTs` and `lookback`, in milliseconds. */
export function parseWindow(
  parameters: URLSearchParams,
  nowMs: number,
): { readonly endTs: number; readonly lookback: number } {
  const endTs = integer(parameters, 'endTs') ?? Math.trunc(nowMs);
  const lookback = integer(parameters, 'lookback') ?? DAY_MS;
  if (endTs <= 0) throw new ApiError(400, 'endTs <= 0');
  if (lookback <= 0) throw new ApiError(400, 'lookback <= 0');
  return { endTs, lookback };
}

/** `error and http.method=GET`: words, which give way to tags of that name, and tags, of which the last counts. */
function parseAnnotationQuery(text: string): Map<string, string> {
  const query = new Map<string, string>();
  if (text === '') return query;
  for (const part of text.split(' and ')) {
    const equals = part.indexOf('=');
    if (equals >= 0) query.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
    else if (!query.has(part.trim())) query.set(part.trim(), '');
  }
  return query;
}

/** A number as Java's Long.parseLong reads it, or Integer.parseInt for 32 bits, with the words of its exception. */
function integer(parameters: URLSearchParams, name: string, bits: 32 | 64 = 64): number | undefined {
  const text = parameters.get(name) ?? '';
  if (text === '') return undefined;
  const value = /^[+-]?\d{1,20}$/.test(text) ? BigInt(text.replace('+', '')) : undefined;
  if (value === undefined || BigInt.asIntN(bits, value) !== value)
    throw new ApiError(400, `For input string: "${text.slice(0, 1000)}"`);
  return Number(value);
}

/** The newest traces that the query is for. */
export function findZipkinTraces(traces: TraceReader, query: ZipkinQuery): ZipkinSpanJson[][] {
  const plan = planSearch(traces, query);
  if (!plan) return [];
  for (let limit = query.limit; ; limit = Math.min(MAX_CANDIDATES, limit * 8)) {
    const candidates = traces.search({ ...plan, limit });
    const found = candidates
      .map(([first]) => toZipkinTrace(traces.trace(first?.traceId ?? '', 'as-sent')))
      .filter((spans) => matches(spans, query));
    if (found.length >= query.limit || candidates.length < limit || limit >= MAX_CANDIDATES)
      return found.slice(0, query.limit);
  }
}

/**
 * What the store can tell of a trace: one condition only, since several may be met by different spans of the service.
 * undefined where there is no such service.
 */
function planSearch(traces: TraceReader, query: ZipkinQuery): Omit<TraceSearch, 'limit'> | undefined {
  const { endTs, lookback, serviceName, minDuration, maxDuration } = query;
  const service =
    serviceName === undefined ? undefined : traces.services().find((name) => name.toLowerCase() === serviceName);
  if (serviceName !== undefined && service === undefined) return undefined;
  const tag = [...query.annotations].find(([key, value]) => value !== '' && key !== 'error');
  return {
    startNs: BigInt(endTs - lookback) * 1_000_000n,
    endNs: BigInt(endTs) * 1_000_000n,
    ...(service !== undefined && { service }),
    ...(tag
      ? { tags: { [tag[0]]: tag[1] } }
      : minDuration !== undefined && {
          minDurationNs: BigInt(minDuration) * 1000n,
          ...(maxDuration !== undefined && { maxDurationNs: BigInt(maxDuration) * 1000n + 999n }),
        }),
  };
}

/** zipkin2.storage.QueryRequest.test: each condition may be met by another span, all of them of the service. */
function matches(spans: readonly ZipkinSpanJson[], query: ZipkinQuery): boolean {
  const from = (query.endTs - query.lookback) * 1000;
  const root = spans.find((span) => span.parentId === undefined);
  const timestamp = root?.timestamp ?? Math.min(...spans.map((span) => span.timestamp));
  if (timestamp < from || timestamp > query.endTs * 1000) return false;
  const own = spans.filter(
    ({ localEndpoint }) =>
      query.serviceName === undefined || localEndpoint?.serviceName?.toLowerCase() === query.serviceName,
  );
  if (own.length === 0) return false;
  const { remoteServiceName, spanName, minDuration = 0, maxDuration = Infinity } = query;
  if (
    remoteServiceName !== undefined &&
    !own.some(({ remoteEndpoint }) => remoteEndpoint?.serviceName?.toLowerCase() === remoteServiceName)
  )
    return false;
  if (spanName !== undefined && !own.some(({ name }) => name.toLowerCase() === spanName)) return false;
  if (!own.some(({ duration }) => duration >= minDuration && duration <= maxDuration)) return false;
  return [...query.annotations].every(([key, value]) =>
    own.some(({ tags = {}, annotations = [] }) => {
      if (value === '' && annotations.some((annotation) => annotation.value === key)) return true;
      return Object.hasOwn(tags, key) && (value === '' || tags[key] === value);
    }),
  );
}
