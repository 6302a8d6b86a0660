import { getHeader, type HeaderList, setHeader } from '../http/headers.ts';

/** Where a span stands in its trace. Ids in lower-case hexadecimal. */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly sampled: boolean;
}

export interface IncomingContext {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined: the caller leaves it to us. */
  readonly sampled: boolean | undefined;
}

const TRACE_ID = /^(?:[0-9a-f]{32}|[0-9a-f]{16})$/i;
const SPAN_ID = /^[0-9a-f]{16}$/i;
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const ZERO = /^0+$/;

/**
 * The caller's context: B3 in one field, B3 in several, else W3C. This is the order of Envoy's Zipkin tracer with
 * `USE_B3_WITH_W3C_PROPAGATION` (span_context_extractor.cc). Malformed ids count as none.
 */
export function extractContext(headers: HeaderList): IncomingContext | { sampled: boolean | undefined } {
  const single = getHeader(headers, 'b3');
  if (single !== undefined) {
    const [traceId = '', spanId, flag] = single.split('-');
    if (spanId === undefined) {
      if (traceId === '0' || traceId === '1' || traceId === 'd') return { sampled: traceId !== '0' };
    } else if (TRACE_ID.test(traceId) && SPAN_ID.test(spanId))
      return {
        traceId: traceId.toLowerCase(),
        spanId: spanId.toLowerCase(),
        sampled: flag === undefined || flag === '' ? undefined : flag !== '0',
      };
  }
  const sampledField = getHeader(headers, 'x-b3-sampled')?.toLowerCase();
  const debug = getHeader(headers, 'x-b3-flags') === '1';
  const sampled = debug
    ? true
    : sampledField === undefined
      ? undefined
      : sampledField === '1' || sampledField === 'true';
  const traceId = getHeader(headers, 'x-b3-traceid');
  const spanId = getHeader(headers, 'x-b3-spanid');
  if (traceId !== undefined && spanId !== undefined && TRACE_ID.test(traceId) && SPAN_ID.test(spanId))
    return { traceId: traceId.toLowerCase(), spanId: spanId.toLowerCase(), sampled };
  const parent = TRACEPARENT.exec(getHeader(headers, 'traceparent') ?? '');
  if (parent && !ZERO.test(parent[1] ?? '0') && !ZERO.test(parent[2] ?? '0'))
    return {
      traceId: parent[1] as string,
      spanId: parent[2] as string,
      sampled: (Number.parseInt(parent[3] as string, 16) & 1) === 1,
    };
  return { sampled };
}

/** Puts a context into a request in B3 (several fields) and W3C form, replacing what was there. */
export function injectContext(headers: HeaderList, context: SpanContext): void {
  setHeader(headers, 'x-b3-traceid', context.traceId);
  setHeader(headers, 'x-b3-spanid', context.spanId);
  if (context.parentId !== undefined) setHeader(headers, 'x-b3-parentspanid', context.parentId);
  setHeader(headers, 'x-b3-sampled', context.sampled ? '1' : '0');
  setHeader(
    headers,
    'traceparent',
    `00-${context.traceId.padStart(32, '0')}-${context.spanId}-${context.sampled ? '01' : '00'}`,
  );
  const single = headers.indexOf('b3');
  if (single >= 0 && single % 2 === 0)
    headers[single + 1] = `${context.traceId}-${context.spanId}-${context.sampled ? '1' : '0'}`;
}

/** The context of the span that this proxy makes for a request. */
export function nextContext(
  incoming: ReturnType<typeof extractContext>,
  samplingPercent: number,
  newId: (bytes: number) => string,
  dice: () => number,
): SpanContext {
  const sampled = incoming.sampled ?? dice() * 100 < samplingPercent;
  if ('traceId' in incoming) return { traceId: incoming.traceId, spanId: newId(8), parentId: incoming.spanId, sampled };
  return { traceId: newId(16), spanId: newId(8), parentId: undefined, sampled };
}
