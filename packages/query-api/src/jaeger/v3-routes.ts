import { parseGoDurationNs } from '@kind-e2e/logql';
import { type Span, serviceOf, type TraceSearch } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import type { RequestContext, Route, RouteGroup } from '../http/router.ts';
import { sendJson } from '../http/send.ts';
import { adjustTrace, rawTrace } from './adjusters.ts';
import type { AdjustedSpan } from './clock-skew.ts';
import { durationError, parseGoBool, parseStringMap } from './go-values.ts';
import { tracesDataOf } from './otlp-json.ts';
import { parseOrder, parseTraceId } from './parameters.ts';
import { type JaegerOptions, kindOf } from './routes.ts';
import { sendGoError } from './send.ts';

/** Jaeger's API of today (jaeger-idl proto/api_v3/query_service.proto, its HTTP gateway), which the UI of Jaeger 2 asks. */
export function jaegerV3Routes(options: JaegerOptions): RouteGroup {
  const { traces, maxClockSkewNs } = options;
  const adjusted = (spans: readonly Span[]): AdjustedSpan[] => adjustTrace(spans, maxClockSkewNs);
  const get = (path: string, handle: Route['handle']): Route => ({ methods: ['GET'], path, handle });
  return {
    routes: [
      get('/api/v3/services', ({ response }) => sendJson(response, 200, { services: traces.services() })),
      get('/api/v3/operations', ({ parameters, response }) => {
        const kind = kindOf(parameters.get('spanKind') || parameters.get('span_kind') || '');
        const found = kind === 'none' ? [] : traces.operations(parameters.get('service') ?? '', kind);
        const operations = found.map((operation) => ({
          name: operation.name,
          spanKind: operation.kind === 'unspecified' ? 'internal' : operation.kind,
        }));
        sendJson(response, 200, { operations });
      }),
      get('/api/v3/traces', (context) => {
        const { raw, ...search } = parseV3Search(context.parameters);
        const found = traces.search(search);
        if (found.length === 0) throw new ApiError(404, 'No traces found');
        const asSent = ([first]: readonly Span[]): AdjustedSpan[] =>
          rawTrace(traces.trace(first?.traceId ?? '', 'as-sent'));
        sendJson(context.response, 200, { result: tracesDataOf(found.map(raw ? asSent : adjusted)) });
      }),
      get('/api/v3/traces/{id}', ({ path, parameters, response }) => {
        const id = parseV3TraceId(path.id ?? '');
        for (const names of [
          ['startTime', 'start_time'],
          ['endTime', 'end_time'],
        ])
          timeOf(parameters, names);
        const raw = rawOf(parameters, 'rawTraces', 'raw_traces');
        const spans = traces.trace(id, raw ? 'as-sent' : 'unique');
        if (spans.length === 0) throw new ApiError(404, 'No traces found');
        sendJson(response, 200, { result: tracesDataOf([raw ? rawTrace(spans) : adjusted(spans)]) });
      }),
      get('/api/v3/trace-summaries', (context) => {
        const { raw: _raw, ...search } = parseV3Search(context.parameters);
        const summaries = traces.search(search).map((spans) => summaryOf(adjusted(spans).map(({ span }) => span)));
        sendJson(context.response, 200, { summaries });
      }),
      get('/api/v3/dependencies', (context: RequestContext) => {
        const { startNs, endNs } = timesOf(context.parameters, ['startTime', 'start_time'], ['endTime', 'end_time']);
        const dependencies = traces
          .dependencies(startNs, endNs)
          .map(({ parent, child, callCount }) => ({ parent, child, callCount: String(callCount) }));
        sendJson(context.response, 200, { dependencies });
      }),
    ],
    fail: ({ response }, error) => {
      const status = error instanceof ApiError ? error.status : 500;
      const message = error instanceof Error ? error.message : String(error);
      sendGoError(response, status, { error: { httpCode: status, message } });
    },
  };
}

/** What the list of search results shows of a trace (jaegerquery/querysvc/summary.go). Times are nanoseconds in strings. */
function summaryOf(spans: readonly Span[]): unknown {
  const ids = new Set(spans.map((span) => span.spanId));
  // The first to start of those without a parent; none where all parents are missing.
  let root: Span | undefined;
  const services = new Map<string, { name: string; spanCount: number; errorSpanCount: number }>();
  let start = spans[0]?.startTimeUnixNano ?? 0n;
  let end = 0n;
  let errors = 0;
  let orphans = 0;
  for (const span of spans) {
    const name = serviceOf(span);
    const service = services.get(name) ?? { name, spanCount: 0, errorSpanCount: 0 };
    services.set(name, service);
    service.spanCount++;
    if (span.status.code === 'error') {
      service.errorSpanCount++;
      errors++;
    }
    if (span.parentSpanId === '') {
      if (!root || span.startTimeUnixNano < root.startTimeUnixNano) root = span;
    } else if (!ids.has(span.parentSpanId)) orphans++;
    if (span.startTimeUnixNano < start) start = span.startTimeUnixNano;
    if (span.endTimeUnixNano > end) end = span.endTimeUnixNano;
  }
  return {
    traceId: spans[0]?.traceId ?? '',
    rootServiceName: root ? serviceOf(root) : '',
    rootOperationName: root?.name ?? '',
    minStartTimeUnixNano: String(start),
    maxEndTimeUnixNano: String(end),
    spanCount: spans.length,
    errorSpanCount: errors,
    orphanSpanCount: orphans,
    services: [...services.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** In hexadecimal, or sixteen or eight bytes in base64 of either alphabet (TraceIDFromString of apiv3/http_gateway.go). */
function parseV3TraceId(text: string): string {
  const isBase64 =
    /^(?:[A-Za-z0-9+/]{22}(?:==)?|[A-Za-z0-9_-]{22}(?:==)?|[A-Za-z0-9+/]{11}=?|[A-Za-z0-9_-]{11}=?)$/.test(text) &&
    !/^[0-9a-fA-F]+$/.test(text);
  if (isBase64) return Buffer.from(text, 'base64').toString('hex').padStart(32, '0');
  return parseTraceId(text, 'malformed parameter trace_id: ');
}

/** The value of a parameter and the name by which it was given; the names of today come before those of before. */
function firstOf(parameters: URLSearchParams, names: readonly string[]): { text: string; name: string } {
  for (const name of names) {
    const text = parameters.get(name) ?? '';
    if (text !== '') return { text, name };
  }
  return { text: '', name: names.at(-1) ?? '' };
}

/** `query.serviceName` or `query.service_name`, and so on (jaegerquery/internal/apiv3/query_parser.go). */
function parseV3Search(parameters: URLSearchParams): TraceSearch & { readonly raw: boolean } {
  const value = (camel: string, ...more: string[]): { text: string; name: string } => {
    const snake = camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return firstOf(
      parameters,
      [camel, snake, ...more].map((name) => `query.${name}`),
    );
  };
  const service = value('serviceName').text;
  const operation = value('operationName').text;
  const attributes = value('attributes');
  const tags =
    attributes.text === '' ? {} : parseStringMap(attributes.text, `malformed parameter ${attributes.name}: `);
  for (const unsupported of ['query.filter', 'query.pagination.pageSize', 'query.pagination.pageToken'])
    if (parameters.get(unsupported)) throw new ApiError(400, `malformed parameter ${unsupported}: not supported`);
  const { startNs, endNs } = timesOf(
    parameters,
    ['query.startTimeMin', 'query.start_time_min'],
    ['query.startTimeMax', 'query.start_time_max'],
  );
  const depth = value('searchDepth', 'num_traces');
  const limit = depth.text === '' ? DEFAULT_SEARCH_DEPTH : parseDepth(depth);
  const minDurationNs = duration(value('durationMin'));
  const maxDurationNs = duration(value('durationMax'));
  const raw = rawOf(parameters, 'query.rawTraces', 'query.raw_traces');
  return {
    raw,
    startNs,
    endNs,
    limit: Math.min(MAX_SEARCH_DEPTH, limit),
    order: parseOrder(parameters.get('query.order') ?? parameters.get('order')),
    ...(service !== '' && { service }),
    ...(operation !== '' && { operation }),
    ...(minDurationNs !== 0n && { minDurationNs }),
    ...(maxDurationNs !== 0n && { maxDurationNs }),
    ...(Object.keys(tags).length > 0 && { tags }),
  };
}

const DEFAULT_SEARCH_DEPTH = 100;
const MAX_SEARCH_DEPTH = 10_000;

function parseDepth({ text, name }: { text: string; name: string }): number {
  const quoted = JSON.stringify(text);
  if (!/^\d+$/.test(text))
    throw new ApiError(400, `malformed parameter ${name}: strconv.ParseUint: parsing ${quoted}: invalid syntax`);
  if (BigInt(text) >= 1n << 32n)
    throw new ApiError(400, `malformed parameter ${name}: strconv.ParseUint: parsing ${quoted}: value out of range`);
  return Number(text) || DEFAULT_SEARCH_DEPTH;
}

function rawOf(parameters: URLSearchParams, ...names: readonly string[]): boolean {
  const { text, name } = firstOf(parameters, names);
  return parseGoBool(text, `malformed parameter ${name}: `);
}

function timesOf(
  parameters: URLSearchParams,
  start: readonly string[],
  end: readonly string[],
): { startNs: bigint; endNs: bigint } {
  const startNs = timeOf(parameters, start);
  const endNs = timeOf(parameters, end);
  if (startNs === undefined || endNs === undefined) throw new ApiError(400, `${start[0]} and ${end[0]} are required`);
  return { startNs, endNs };
}

/** A time as Go's RFC3339Nano reads it; undefined where it is absent. */
function timeOf(parameters: URLSearchParams, names: readonly string[]): bigint | undefined {
  const { text, name } = firstOf(parameters, names);
  if (text === '') return undefined;
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/.exec(text);
  const ms = match ? Date.parse(`${match[1]}${match[3]}`) : Number.NaN;
  if (!match || Number.isNaN(ms)) throw new ApiError(400, `malformed parameter ${name}: ${goTimeError(text)}`);
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? '').slice(0, 9).padEnd(9, '0'));
}

/** What time.Parse says of the first part that does not fit the layout. */
function goTimeError(text: string): string {
  const layout = '2006-01-02T15:04:05.999999999Z07:00';
  const parts: readonly (readonly [element: string, pattern: RegExp])[] = [
    ['2006', /^\d{4}/],
    ['-', /^-/],
    ['01', /^\d{2}/],
    ['-', /^-/],
    ['02', /^\d{2}/],
    ['T', /^T/],
    ['15', /^\d{2}/],
    [':', /^:/],
    ['04', /^\d{2}/],
    [':', /^:/],
    ['05', /^\d{2}(?:[.,]\d+)?/],
    ['Z07:00', /^(?:Z|[+-]\d{2}:\d{2})/],
  ];
  let rest = text;
  for (const [element, pattern] of parts) {
    const found = pattern.exec(rest)?.[0];
    if (found === undefined)
      return `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(element)}`;
    rest = rest.slice(found.length);
  }
  if (rest !== '') return `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`;
  const [, month = 0, day = 0, hour = 0, minute = 0] = (text.match(/\d+/g) ?? []).map(Number);
  const what =
    month < 1 || month > 12
      ? 'month'
      : day < 1 || day > 31
        ? 'day'
        : hour > 23
          ? 'hour'
          : minute > 59
            ? 'minute'
            : 'second';
  return `parsing time ${JSON.stringify(text)}: ${what} out of range`;
}

/** 0 where there is none. */
function duration({ text, name }: { text: string; name: string }): bigint {
  if (text === '') return 0n;
  const parsed = parseGoDurationNs(text);
  if (parsed === undefined) throw new ApiError(400, `malformed parameter ${name}: ${durationError(text)}`);
  return parsed;
}
